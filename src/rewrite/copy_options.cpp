// COPY's options in all their spellings, which the parser has already made one.
#include <algorithm>

#include "pgwire/copy_encoding.hpp"
#include "rewrite/copy.hpp"
#include "rewrite/quoting.hpp"

namespace theriac::rewrite {
namespace {

using pgwire::CopyFormat;
using pgwire::CopyHeader;

Refusal option_refusal(std::string_view sqlstate, std::string_view construct) {
  return {std::string(sqlstate), {}, std::string(construct), "correct the options of COPY"};
}

/// The option's value as a text; nullopt: it has none of that kind.
std::optional<std::string> text_of_option(const pg::DefElem& option) {
  const auto& value = option.arg();
  switch (value.node_case()) {
    case pg::Node::kString:
      return value.string().sval();
    case pg::Node::kInteger:
      return std::to_string(value.integer().ival());
    case pg::Node::kFloat:
      return value.float_().fval();
    case pg::Node::kBoolean:
      return value.boolean().boolval() ? "true" : "false";
    default:
      return std::nullopt;
  }
}

bool same_word(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(a) == lower(b);
  });
}

/// A boolean as PostgreSQL's options have it; nothing said means true.
std::optional<bool> truth_of(const pg::DefElem& option) {
  if (!option.has_arg()) return true;
  const auto text = text_of_option(option);
  if (!text) return std::nullopt;
  if (*text == "1" || same_word(*text, "true") || same_word(*text, "on")) return true;
  if (*text == "0" || same_word(*text, "false") || same_word(*text, "off")) return false;
  return std::nullopt;
}

class Options {
 public:
  Options(const Context& context, CopyRequest& out)
      : context_(context), out_(out), options_(out.plan.options) {}

  std::optional<Refusal> read(const Nodes& list) {
    for (const auto& node : list) {
      if (auto refused = one(node.def_elem())) return refused;
    }
    if (!context_.encoding.empty()) {
      // Between the gateway and the server data are UTF-8.
      if (!seen_encoding_) out_.plan.encoding = context_.encoding;
      send("ENCODING 'UTF8'");
    }
    const bool csv = options_.format == CopyFormat::kCsv;
    options_.delimiter = delimiter_.value_or(csv ? ',' : '\t');
    options_.null_text = null_.value_or(csv ? "" : "\\N");
    options_.quote = quote_.value_or('"');
    options_.escape = escape_.value_or(options_.quote);
    return std::nullopt;
  }

 private:
  std::optional<Refusal> one(const pg::DefElem& option) {
    const auto& name = option.defname();
    if (name == "format") return format(option);
    if (name == "header") return header(option);
    if (name == "encoding") return encoding(option);
    if (name == "delimiter") return one_byte(option, "DELIMITER", delimiter_);
    if (name == "quote") return one_byte(option, "QUOTE", quote_);
    if (name == "escape") return one_byte(option, "ESCAPE", escape_);
    if (name == "force_quote") return force_quote(option);
    if (name == "force_not_null")
      return force(option, "FORCE_NOT_NULL", &CopyPlan::Column::force_not_null);
    if (name == "force_null") return force(option, "FORCE_NULL", &CopyPlan::Column::force_null);
    if (name == "null") {
      null_ = text_of_option(option);
      if (!null_) return option_refusal("42601", "COPY: NULL needs a text");
      send("NULL " + quoted_literal(*null_));
      return std::nullopt;
    }
    if (name == "freeze") {
      const auto wanted = truth_of(option);
      if (!wanted) return option_refusal("42601", "COPY: FREEZE needs true or false");
      send(*wanted ? "FREEZE true" : "FREEZE false");
      return std::nullopt;
    }
    return option_refusal("42601", "COPY: an option that PostgreSQL 15 does not have");
  }

  void send(std::string text) { out_.server_options.push_back(std::move(text)); }

  std::optional<Refusal> format(const pg::DefElem& option) {
    const auto text = text_of_option(option);
    if (text == "text") {
      options_.format = CopyFormat::kText;
    } else if (text == "csv") {
      options_.format = CopyFormat::kCsv;
    } else if (text == "binary") {
      options_.format = CopyFormat::kBinary;
    } else {
      return option_refusal("22023", "COPY: a format that PostgreSQL 15 does not have");
    }
    send("FORMAT " + *text);
    return std::nullopt;
  }

  std::optional<Refusal> header(const pg::DefElem& option) {
    const auto text = text_of_option(option);
    if (text && same_word(*text, "match")) {
      options_.header = CopyHeader::kMatch;
      // The gateway compares; the server's columns have other names. COPY TO has no MATCH, which
      // the server says itself.
      send(out_.plan.from ? "HEADER true" : "HEADER match");
      return std::nullopt;
    }
    const auto wanted = truth_of(option);
    if (!wanted) return option_refusal("42601", "COPY: HEADER needs true, false or MATCH");
    options_.header = *wanted ? CopyHeader::kPresent : CopyHeader::kNone;
    send(*wanted ? "HEADER true" : "HEADER false");
    return std::nullopt;
  }

  std::optional<Refusal> encoding(const pg::DefElem& option) {
    const auto text = text_of_option(option);
    if (seen_encoding_) return option_refusal("42601", "COPY: ENCODING twice");
    seen_encoding_ = true;
    switch (text ? pgwire::encoding_kind(*text) : pgwire::EncodingKind::kUnknown) {
      case pgwire::EncodingKind::kUnknown:
        return option_refusal("22023", "COPY: ENCODING must be a valid encoding name");
      case pgwire::EncodingKind::kUnconverted:
        return Refusal{"0A000", {}, "COPY with this ENCODING", "use ENCODING 'UTF8'"};
      case pgwire::EncodingKind::kConverted:
        out_.plan.encoding = *text;
        return std::nullopt;
      case pgwire::EncodingKind::kSame:
        return std::nullopt;
    }
    return std::nullopt;
  }

  std::optional<Refusal> one_byte(const pg::DefElem& option, std::string_view name,
                                  std::optional<char>& out) {
    const auto text = text_of_option(option);
    if (!text || text->size() != 1) {
      return option_refusal("22023",
                            "COPY: DELIMITER, QUOTE and ESCAPE must be one one-byte character");
    }
    out = text->front();
    send(std::string(name) + " " + quoted_literal(*text));
    return std::nullopt;
  }

  static std::vector<std::string> names_of(const pg::DefElem& option) {
    std::vector<std::string> names;
    for (const auto& node : option.arg().list().items()) names.emplace_back(string_of(node));
    return names;
  }

  static std::string list_of(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + quoted_name(name);
    return "(" + text + ")";
  }

  std::optional<Refusal> force_quote(const pg::DefElem& option) {
    if (option.arg().has_a_star()) {
      out_.quote_all = true;
      send("FORCE_QUOTE *");
      return std::nullopt;
    }
    if (!option.arg().has_list()) return option_refusal("22023", "COPY: FORCE_QUOTE needs columns");
    out_.quote_names = names_of(option);
    send("FORCE_QUOTE " + list_of(out_.quote_names));
    return std::nullopt;
  }

  /// The server knows the columns that pass; of the others the gateway itself.
  std::optional<Refusal> force(const pg::DefElem& option, std::string_view name,
                               bool CopyPlan::Column::* flag) {
    if (!option.arg().has_list())
      return option_refusal("22023", "COPY: FORCE_NULL and FORCE_NOT_NULL need columns");
    std::vector<std::string> passed;
    bool ours = false;
    for (auto& wanted : names_of(option)) {
      const auto at = std::ranges::find(out_.plan.columns, wanted, &CopyPlan::Column::name);
      if (at == out_.plan.columns.end()) {
        return option_refusal("42P10",
                              "COPY: a column of FORCE_NULL or FORCE_NOT_NULL is not copied");
      }
      if (at->attribute == 0) {
        passed.push_back(std::move(wanted));
      } else {
        (*at).*flag = true;
        ours = true;
      }
    }
    // Where all of them are ours the server would not see that the format does not have the option.
    ours_only_ = ours_only_ || (ours && passed.empty());
    if (!passed.empty()) send(std::string(name) + " " + list_of(passed));
    return std::nullopt;
  }

 public:
  [[nodiscard]] bool needs_csv() const { return ours_only_; }

 private:
  const Context& context_;
  CopyRequest& out_;
  pgwire::CopyOptions& options_;
  std::optional<char> delimiter_, quote_, escape_;
  std::optional<std::string> null_;
  bool seen_encoding_ = false;
  bool ours_only_ = false;
};

}  // namespace

std::optional<Refusal> read_copy_options(const pg::CopyStmt& statement, const Context& context,
                                         CopyRequest& out) {
  Options options(context, out);
  if (auto refused = options.read(statement.options())) return refused;
  if (options.needs_csv() && (out.plan.options.format != CopyFormat::kCsv || !out.plan.from)) {
    return option_refusal("0A000", "COPY: FORCE_NULL and FORCE_NOT_NULL are for CSV and COPY FROM");
  }
  return std::nullopt;
}

}  // namespace theriac::rewrite
