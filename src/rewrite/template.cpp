#include "rewrite/template.hpp"

#include <algorithm>
#include <array>

#include "base/secret.hpp"

namespace theriac::rewrite {
namespace {

// Values that stand for literals while a tree is written out. A text that holds one already gets
// no template.
constexpr int kInteger = 1'913'000'000;
constexpr std::string_view kNumber = "191300000000000000000";
constexpr std::string_view kString = "theriac literal ";

std::string mark_of(const pg::A_Const& constant, int token) {
  auto digits = std::to_string(token + 100'000);
  if (constant.has_sval()) return "'" + std::string(kString) + digits + "'";
  if (constant.has_fval()) return std::string(kNumber) + digits;
  return std::to_string(kInteger + token);
}

template <typename Visit>
void each_constant(Message& message, const Shape& shape, const Visit& visit) {
  if (shape.type == pg::A_Const::descriptor()) {
    visit(static_cast<pg::A_Const&>(message));
    return;
  }
  each_message(message, shape, [&](const Message& child, const Shape& its, const FieldDescriptor*) {
    // `message` is ours and not const
    each_constant(const_cast<Message&>(child), its, visit);
  });
}

}  // namespace

TemplateMaker::TemplateMaker(std::string_view sql, TextShape shape, const pg::Node& statement)
    : sql_(sql), shape_(std::move(shape)) {
  std::map<std::size_t, int> by_offset;
  for (std::size_t i = 0; i < shape_.tokens.size(); ++i) {
    by_offset[shape_.tokens[i].offset] = static_cast<int>(i);
  }
  std::map<int, int> seen;  // constants by token
  each_of<pg::A_Const>(statement, [&](const pg::A_Const& constant) {
    if (constant.location() <= 0 || constant.isnull()) return;
    auto offset = static_cast<std::size_t>(constant.location());
    const bool negative = offset < sql_.size() && sql_[offset] == '-';
    if (negative) offset = sql_.find_first_not_of(" \t\n\r\f\v", offset + 1);
    const auto at = by_offset.find(offset);
    if (at == by_offset.end()) return;
    if (!token_at_.contains(constant.location())) ++seen[at->second];
    token_at_[constant.location()] = at->second;
    if (negative) negative_.insert(at->second);
  });
  usable_ = seen.size() == shape_.tokens.size();
  for (const auto& [token, count] : seen) usable_ = usable_ && count == 1;
  fix_positions(statement);
}

std::optional<int> TemplateMaker::token_at(int location) const {
  const auto at = token_at_.find(location);
  return at == token_at_.end() ? std::nullopt : std::optional(at->second);
}

std::string TemplateMaker::value(int token) const {
  return (negative_.contains(token) ? "-" : "") +
         value_of(sql_, shape_.tokens[static_cast<std::size_t>(token)]);
}

void TemplateMaker::fix_positions(const pg::Node& tree) {
  const auto fix_constant = [&](const pg::Node& node) {
    const auto& inner = node.has_sort_by() ? node.sort_by().node() : node;
    if (!inner.has_a_const()) return;
    if (const auto token = token_at(inner.a_const().location())) fix(*token);
  };
  const auto fix_all = [&](const Message& below) {
    each_of<pg::A_Const>(below, [&](const pg::A_Const& constant) {
      if (const auto token = token_at(constant.location())) fix(*token);
    });
  };
  // Numbers that are places of outputs, and those that are part of a type. What an expression is
  // grouped by decides whether it is one of the groups' own, constant for constant.
  each_of<pg::SelectStmt>(tree, [&](const pg::SelectStmt& query) {
    bool expressions = false;
    for (const auto& node : query.group_clause())
      expressions = expressions || !node.has_column_ref();
    if (expressions) {
      for (const auto* list : {&query.target_list(), &query.group_clause(), &query.sort_clause()}) {
        for (const auto& node : *list) fix_all(node);
      }
      fix_all(query.having_clause());
    }
    for (const auto& node : query.sort_clause()) fix_constant(node);
    for (const auto& node : query.group_clause()) fix_constant(node);
    for (const auto& node : query.distinct_clause()) fix_constant(node);
  });
  each_of<pg::TypeName>(tree, fix_all);
}

SqlTemplate TemplateMaker::cut(const std::string& text,
                               const std::map<std::string, int>& marks) const {
  // Every mark begins with one of these and has the length that goes with it, so one pass finds
  // all.
  struct Kind {
    std::string start;
    std::size_t size = 0;
    std::size_t next = 0;  ///< where it stands next
  };
  std::array<Kind, 3> kinds{Kind{"'" + std::string(kString), kString.size() + 8},
                            Kind{std::string(kNumber), kNumber.size() + 6},
                            Kind{std::to_string(kInteger).substr(0, 4), 10}};
  for (auto& kind : kinds) kind.next = text.find(kind.start);
  SqlTemplate made;
  std::size_t begin = 0;
  for (;;) {
    auto& kind = *std::min_element(kinds.begin(), kinds.end(),
                                   [](const Kind& a, const Kind& b) { return a.next < b.next; });
    if (kind.next == std::string::npos) break;
    const auto at = kind.next;
    kind.next = text.find(kind.start, at + 1);
    const auto mark = at < begin ? marks.end() : marks.find(text.substr(at, kind.size));
    if (mark == marks.end()) continue;
    auto before = text.substr(begin, at - begin);
    if (negative_.contains(mark->second)) before += '-';
    made.texts.push_back(std::move(before));
    made.tokens.push_back(mark->second);
    begin = at + kind.size;
  }
  made.texts.push_back(text.substr(begin));
  return made;
}

std::optional<SqlTemplate> TemplateMaker::holes(const pg::Node& edited) {
  pg::Node marked = edited;
  std::map<std::string, int> marks;
  each_constant(marked, shape_of(marked), [&](pg::A_Const& constant) {
    if (constant.isnull() || constant.location() <= 0) return;
    const auto token = token_at(constant.location());
    if (!token || fixed_.contains(*token)) return;
    marks[mark_of(constant, *token)] = *token;
    used_.insert(*token);
    if (constant.has_sval()) {
      constant.mutable_sval()->set_sval(std::string(kString) + std::to_string(*token + 100'000));
    } else if (constant.has_fval()) {
      constant.mutable_fval()->set_fval(std::string(kNumber) + std::to_string(*token + 100'000));
    } else if (constant.has_ival()) {
      constant.mutable_ival()->set_ival(kInteger + *token);
    }
  });
  const auto text = write_out(marked);
  if (!text) return std::nullopt;
  auto made = cut(*text, marks);
  std::string filled;
  for (std::size_t i = 0; i < made.texts.size(); ++i) {
    filled += made.texts[i];
    if (i < made.tokens.size()) {
      filled += raw_of(sql_, shape_.tokens[static_cast<std::size_t>(made.tokens[i])]);
    }
  }
  google::protobuf::Arena arena;
  auto* again = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  if (!parse(filled, *again) || again->stmts_size() != 1 ||
      !same_tree(edited, again->stmts(0).stmt())) {
    return std::nullopt;
  }
  return made;
}

std::map<int, std::string> TemplateMaker::fixed() const {
  std::map<int, std::string> out;
  for (std::size_t i = 0; i < shape_.tokens.size(); ++i) {
    const int token = static_cast<int>(i);
    if (fixed_.contains(token) || !used_.contains(token)) {
      out[token] = std::string(raw_of(sql_, shape_.tokens[i]));
    }
  }
  return out;
}

TextLiterals::~TextLiterals() {
  for (auto* list : {&raw, &values}) {
    for (auto& one : *list)
      wipe({reinterpret_cast<std::uint8_t*>(one.data()), one.size()});  // NOLINT
  }
}

std::shared_ptr<const TextLiterals> literals_for(const Plan& plan, std::string_view sql,
                                                 const TextShape& shape) {
  if (!plan.serves_shape) return nullptr;
  for (const auto& [token, text] : plan.fixed) {
    if (raw_of(sql, shape.tokens[static_cast<std::size_t>(token)]) != text) return nullptr;
  }
  auto out = std::make_shared<TextLiterals>();
  out->raw.reserve(shape.tokens.size());
  out->values.reserve(shape.tokens.size());
  for (std::size_t i = 0; i < shape.tokens.size(); ++i) {
    out->raw.emplace_back(raw_of(sql, shape.tokens[i]));
    auto value = value_of(sql, shape.tokens[i]);
    if (plan.negative.contains(static_cast<int>(i))) value.insert(value.begin(), '-');
    out->values.push_back(std::move(value));
  }
  return out;
}

std::string text_with(const std::string& sql, const std::optional<SqlTemplate>& holes,
                      const TextLiterals* literals) {
  if (literals == nullptr || !holes) return sql;
  std::string out;
  for (std::size_t i = 0; i < holes->texts.size(); ++i) {
    out += holes->texts[i];
    if (i < holes->tokens.size()) out += literals->raw[static_cast<std::size_t>(holes->tokens[i])];
  }
  return out;
}

std::string_view text_of_literal(const Literal& literal, const TextLiterals* literals) {
  if (literals == nullptr || literal.token < 0) return literal.text;
  return literals->values[static_cast<std::size_t>(literal.token)];
}

}  // namespace theriac::rewrite
