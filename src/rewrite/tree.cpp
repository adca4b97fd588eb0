#include "rewrite/tree.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <pg_query.h>

#include <algorithm>

#include "rewrite/limits.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/scan.hpp"

namespace theriac::rewrite {
namespace {

// One level of the tree is two nested messages: the Node and what it holds.
constexpr int kMessagesPerLevel = 2;

struct ParseGuard {
  PgQueryProtobufParseResult result;
  ~ParseGuard() { pg_query_free_protobuf_parse_result(result); }
};
struct DeparseGuard {
  PgQueryDeparseResult result;
  ~DeparseGuard() { pg_query_free_deparse_result(result); }
};

/// What FigureColnameInternal answers: 0 nothing, 1 a weak name (of a type), 2 a good one.
struct Figured {
  int strength = 0;
  std::string name;
};

Figured figure(const pg::Node& node);

Figured figure_value_function(const pg::SQLValueFunction& function) {
  switch (function.op()) {
    case pg::SVFOP_CURRENT_DATE:
      return {2, "current_date"};
    case pg::SVFOP_CURRENT_TIME:
    case pg::SVFOP_CURRENT_TIME_N:
      return {2, "current_time"};
    case pg::SVFOP_CURRENT_TIMESTAMP:
    case pg::SVFOP_CURRENT_TIMESTAMP_N:
      return {2, "current_timestamp"};
    case pg::SVFOP_LOCALTIME:
    case pg::SVFOP_LOCALTIME_N:
      return {2, "localtime"};
    case pg::SVFOP_LOCALTIMESTAMP:
    case pg::SVFOP_LOCALTIMESTAMP_N:
      return {2, "localtimestamp"};
    case pg::SVFOP_CURRENT_ROLE:
      return {2, "current_role"};
    case pg::SVFOP_CURRENT_USER:
      return {2, "current_user"};
    case pg::SVFOP_USER:
      return {2, "user"};
    case pg::SVFOP_SESSION_USER:
      return {2, "session_user"};
    case pg::SVFOP_CURRENT_CATALOG:
      return {2, "current_catalog"};
    case pg::SVFOP_CURRENT_SCHEMA:
      return {2, "current_schema"};
    default:
      return {};
  }
}

Figured figure_xml(const pg::XmlExpr& xml) {
  switch (xml.op()) {
    case pg::IS_XMLCONCAT:
      return {2, "xmlconcat"};
    case pg::IS_XMLELEMENT:
      return {2, "xmlelement"};
    case pg::IS_XMLFOREST:
      return {2, "xmlforest"};
    case pg::IS_XMLPARSE:
      return {2, "xmlparse"};
    case pg::IS_XMLPI:
      return {2, "xmlpi"};
    case pg::IS_XMLROOT:
      return {2, "xmlroot"};
    case pg::IS_XMLSERIALIZE:
      return {2, "xmlserialize"};
    default:
      return {};
  }
}

Figured figure_sublink(const pg::SubLink& link) {
  switch (link.sub_link_type()) {
    case pg::EXISTS_SUBLINK:
      return {2, "exists"};
    case pg::ARRAY_SUBLINK:
      return {2, "array"};
    case pg::EXPR_SUBLINK: {
      // The name of the sub-select's only output.
      const auto* select = &link.subselect().select_stmt();
      while (select->op() != pg::SETOP_NONE && select->has_larg()) select = &select->larg();
      if (select->values_lists_size() > 0) return {2, "column1"};
      if (select->target_list_size() == 0) return {};
      const auto& target = select->target_list(0).res_target();
      return {2, target.name().empty() ? column_name_of(target.val()) : target.name()};
    }
    default:
      return {};
  }
}

Figured figure(const pg::Node& node) {
  switch (node.node_case()) {
    case pg::Node::kColumnRef: {
      std::string_view last;
      for (const auto& field : node.column_ref().fields()) {
        if (field.has_string()) last = string_of(field);
      }
      return last.empty() ? Figured{} : Figured{2, std::string(last)};
    }
    case pg::Node::kAIndirection: {
      std::string_view last;
      for (const auto& part : node.a_indirection().indirection()) {
        if (part.has_string()) last = string_of(part);
      }
      if (!last.empty()) return {2, std::string(last)};
      return figure(node.a_indirection().arg());
    }
    case pg::Node::kFuncCall:
      return {2, std::string(last_name(node.func_call().funcname()))};
    case pg::Node::kAExpr:
      return node.a_expr().kind() == pg::AEXPR_NULLIF ? Figured{2, "nullif"} : Figured{};
    case pg::Node::kTypeCast: {
      auto inner = figure(node.type_cast().arg());
      if (inner.strength > 1) return inner;
      return {1, std::string(last_name(node.type_cast().type_name().names()))};
    }
    case pg::Node::kCollateClause:
      return figure(node.collate_clause().arg());
    case pg::Node::kGroupingFunc:
      return {2, "grouping"};
    case pg::Node::kSubLink:
      return figure_sublink(node.sub_link());
    case pg::Node::kCaseExpr: {
      auto inner = figure(node.case_expr().defresult());
      return inner.strength > 1 ? inner : Figured{1, "case"};
    }
    case pg::Node::kAArrayExpr:
      return {2, "array"};
    case pg::Node::kRowExpr:
      return {2, "row"};
    case pg::Node::kCoalesceExpr:
      return {2, "coalesce"};
    case pg::Node::kMinMaxExpr:
      return {2, node.min_max_expr().op() == pg::IS_LEAST ? "least" : "greatest"};
    case pg::Node::kSqlvalueFunction:
      return figure_value_function(node.sqlvalue_function());
    case pg::Node::kXmlExpr:
      return figure_xml(node.xml_expr());
    case pg::Node::kXmlSerialize:
      return {2, "xmlserialize"};
    default:
      return {};
  }
}

constexpr std::string_view kLockMark = "theriac_lock_mark_";

/// The deparser writes "FOR UPDATE OF tNOWAIT". The last name before NOWAIT or SKIP LOCKED gets a
/// mark, which separate_locks() replaces by the name and a space.
void mark_locks(Message& message, std::vector<std::string>& names) {
  if (message.GetDescriptor() == pg::LockingClause::descriptor()) {
    auto* lock = static_cast<pg::LockingClause*>(&message);
    const bool waits =
        lock->wait_policy() != pg::LockWaitSkip && lock->wait_policy() != pg::LockWaitError;
    if (waits || lock->locked_rels_size() == 0) return;
    auto& last = *lock->mutable_locked_rels(lock->locked_rels_size() - 1)->mutable_range_var();
    names.push_back(last.relname());
    last.set_relname(std::string(kLockMark) + std::to_string(names.size() - 1) + "_");
    return;
  }
  each_child(message, [&](pg::Node& node) {
    if (auto* in = inside(node)) mark_locks(*in, names);
    return true;
  });
}

void separate_locks(std::string& sql, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto mark = std::string(kLockMark) + std::to_string(i) + "_";
    std::string quoted = "\"";
    for (const char c : names[i]) quoted.append(c == '"' ? 2 : 1, c);
    quoted += "\" ";
    // A mark inside of something else would show when the text is compared with the tree.
    if (const auto at = sql.find(mark); at != std::string::npos) {
      sql.replace(at, mark.size(), quoted);
    }
  }
}

/// The bytes of a ParseResult that holds this statement only, without copying it.
std::string one_statement(const pg::Node& statement) {
  const auto wrapped = [](char tag, const std::string& inner) {
    std::string out(1, tag);
    for (auto size = inner.size();; size >>= 7U) {
      const auto low = static_cast<unsigned>(size & 0x7fU);
      out.push_back(static_cast<char>(size > 0x7f ? low | 0x80U : low));
      if (size <= 0x7f) break;
    }
    return out + inner;
  };
  constexpr char kStmt = (pg::RawStmt::kStmtFieldNumber << 3) | 2;
  constexpr char kStmts = (pg::ParseResult::kStmtsFieldNumber << 3) | 2;
  return wrapped(kStmts, wrapped(kStmt, statement.SerializeAsString()));
}

bool same_scalar(const Message& left, const Message& right, const FieldDescriptor& field,
                 const google::protobuf::Reflection& in) {
  // Raw trees hold no lists of numbers; were there one, the trees count as different.
  if (field.is_repeated()) return in.FieldSize(left, &field) + in.FieldSize(right, &field) == 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return in.GetInt32(left, &field) == in.GetInt32(right, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return in.GetInt64(left, &field) == in.GetInt64(right, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return in.GetUInt32(left, &field) == in.GetUInt32(right, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return in.GetUInt64(left, &field) == in.GetUInt64(right, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return in.GetBool(left, &field) == in.GetBool(right, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return in.GetEnumValue(left, &field) == in.GetEnumValue(right, &field);
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string a;
      std::string b;
      return in.GetStringReference(left, &field, &a) == in.GetStringReference(right, &field, &b);
    }
    default:
      return false;  // a kind of field that raw trees do not have
  }
}

bool same_shape(const Message& left, const Message& right, const Shape& shape) {
  const auto& in = *shape.reflection;
  if (shape.is_node) {
    const auto which = static_cast<const pg::Node&>(left).node_case();
    if (which != static_cast<const pg::Node&>(right).node_case()) return false;
    if (which == pg::Node::NODE_NOT_SET) return true;
    const auto& content = shape.messages[static_cast<std::size_t>(which)];
    return same_shape(in.GetMessage(left, content.field), in.GetMessage(right, content.field),
                      *content.shape);
  }
  for (const auto* field : shape.scalars) {
    if (!same_scalar(left, right, *field, in)) return false;
  }
  for (const auto& one : shape.messages) {
    if (!one.repeated) {
      const bool present = in.HasField(left, one.field);
      if (present != in.HasField(right, one.field)) return false;
      if (present && !same_shape(in.GetMessage(left, one.field), in.GetMessage(right, one.field),
                                 *one.shape)) {
        return false;
      }
      continue;
    }
    const int count = in.FieldSize(left, one.field);
    if (count != in.FieldSize(right, one.field)) return false;
    for (int i = 0; i < count; ++i) {
      if (!same_shape(in.GetRepeatedMessage(left, one.field, i),
                      in.GetRepeatedMessage(right, one.field, i), *one.shape)) {
        return false;
      }
    }
  }
  return true;
}

void make_shape(std::vector<Shape>& all, std::size_t at) {
  const auto* type = pg::Node::descriptor()->file()->message_type(static_cast<int>(at));
  auto& shape = all[at];
  shape.type = type;
  shape.is_node = type == pg::Node::descriptor();
  shape.reflection =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      if (field->name() != "location") shape.scalars.push_back(field);
      continue;
    }
    const Shape::Field made{field, &all[static_cast<std::size_t>(field->message_type()->index())],
                            field->is_repeated()};
    if (!shape.is_node) {
      shape.messages.push_back(made);
      continue;
    }
    const auto number = static_cast<std::size_t>(field->number());
    if (shape.messages.size() <= number) shape.messages.resize(number + 1);
    shape.messages[number] = made;
  }
}

Status read_tree(const PgQueryProtobuf& bytes, pg::ParseResult& out) {
  google::protobuf::io::ArrayInputStream raw(bytes.data, static_cast<int>(bytes.len));
  google::protobuf::io::CodedInputStream coded(&raw);
  coded.SetRecursionLimit(kMessagesPerLevel * kSqlDepthMax);
  coded.SetTotalBytesLimit(static_cast<int>(bytes.len) + 1);
  if (!out.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    return fail(Code::kTooLarge, "depth of the statement");
  }
  return {};
}

}  // namespace

Status parse(std::string_view sql, pg::ParseResult& out) {
  if (sql.size() > kSqlBytesMax) return fail(Code::kTooLarge, "bytes of the statement");
  if (sql.contains('\0')) return fail(Code::kSyntax, "zero byte");
  if (nesting(sql) > kSqlNestingMax) return fail(Code::kTooLarge, "depth of the statement");
  const std::string text(sql);
  const ParseGuard parsed{pg_query_parse_protobuf(text.c_str())};
  if (parsed.result.error != nullptr) {
    return fail(Code::kSyntax, "position " + std::to_string(parsed.result.error->cursorpos));
  }
  return read_tree(parsed.result.parse_tree, out);
}

pg::Node parsed_own(std::string_view sql) {
  google::protobuf::Arena arena;
  auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  if (!parse(sql, *tree) || tree->stmts_size() != 1) return {};
  pg::Node out = tree->stmts(0).stmt();
  each_of<pg::A_Const>(out, [](const pg::A_Const& one) {
    const_cast<pg::A_Const&>(one).set_location(0);  // `out` is ours and not const
  });
  return out;
}

std::optional<std::string> write_out(const pg::Node& statement) {
  std::vector<std::string> locks;
  std::string bytes;
  bool locking = false;
  each_of<pg::LockingClause>(statement, [&](const pg::LockingClause&) { locking = true; });
  if (locking) {
    pg::Node marked = statement;
    mark_locks(*inside(marked), locks);
    bytes = one_statement(marked);
  } else {
    bytes = one_statement(statement);
  }
  const DeparseGuard text{pg_query_deparse_protobuf({bytes.size(), bytes.data()})};
  if (text.result.error != nullptr || text.result.query == nullptr) return std::nullopt;
  std::string sql(text.result.query);
  separate_locks(sql, locks);
  return sql;
}

std::optional<std::string> deparse(const pg::Node& statement, pg::ParseResult& again) {
  auto sql = write_out(statement);
  if (!sql || !parse(*sql, again) || again.stmts_size() != 1) return std::nullopt;
  if (!same_tree(statement, again.stmts(0).stmt())) return std::nullopt;
  return sql;
}

bool same_tree(const Message& left, const Message& right) {
  return left.GetDescriptor() == right.GetDescriptor() && same_shape(left, right, shape_of(left));
}

const Shape& shape_of(const google::protobuf::Descriptor* type) {
  // All types stand in one file, so their place in it is their number.
  static const auto all = [] {
    const auto* file = pg::Node::descriptor()->file();
    std::vector<Shape> made(static_cast<std::size_t>(file->message_type_count()));
    for (std::size_t i = 0; i < made.size(); ++i) make_shape(made, i);
    return made;
  }();
  return all[static_cast<std::size_t>(type->index())];
}

Message* inside(pg::Node& node) {
  const auto number = static_cast<std::size_t>(node.node_case());
  if (number == 0) return nullptr;
  const auto& shape = shape_of(pg::Node::descriptor());
  return shape.reflection->MutableMessage(&node, shape.messages[number].field);
}

const Message* inside(const pg::Node& node) {
  const auto number = static_cast<std::size_t>(node.node_case());
  if (number == 0) return nullptr;
  const auto& shape = shape_of(pg::Node::descriptor());
  return &shape.reflection->GetMessage(node, shape.messages[number].field);
}

static int depth_below(const Message& message, const Shape& shape) {
  int deepest = 0;
  each_message(message, shape, [&](const Message& child, const Shape& its, const FieldDescriptor*) {
    deepest = std::max(deepest, depth_below(child, its));
  });
  return deepest + (shape.is_node ? 1 : 0);
}

int depth_of(const Message& message) { return depth_below(message, shape_of(message)); }

std::uint16_t highest_parameter(const Message& message) {
  int highest = 0;
  each_of<pg::ParamRef>(
      message, [&](const pg::ParamRef& one) { highest = std::max(highest, one.number()); });
  return static_cast<std::uint16_t>(std::min(highest, 0xffff));
}

std::string_view string_of(const pg::Node& node) {
  return node.has_string() ? std::string_view(node.string().sval()) : std::string_view{};
}

std::string_view last_name(const Nodes& names) {
  return names.empty() ? std::string_view{} : string_of(names.Get(names.size() - 1));
}

std::string_view operator_of(const Nodes& names) {
  if (names.size() == 1) return string_of(names.Get(0));
  if (names.size() == 2 && string_of(names.Get(0)) == "pg_catalog") return string_of(names.Get(1));
  return {};
}

bool is_star(const pg::ColumnRef& reference) {
  return reference.fields_size() > 0 && reference.fields(reference.fields_size() - 1).has_a_star();
}

bool is_null(const pg::Node& node) { return node.has_a_const() && node.a_const().isnull(); }

std::string column_name_of(const pg::Node& expression) {
  auto figured = figure(expression);
  return figured.strength == 0 ? "?column?" : std::move(figured.name);
}

bool is_given_value(const pg::Node& node) {
  const auto* inner = &node;
  while (inner->has_type_cast()) inner = &inner->type_cast().arg();
  return inner->has_param_ref() || (inner->has_a_const() && !inner->a_const().isnull());
}

void make_string(pg::Node& out, std::string_view text) {
  out.mutable_string()->set_sval(std::string(text));
}

void make_column(pg::Node& out, std::initializer_list<std::string_view> names) {
  auto& reference = *out.mutable_column_ref();
  reference.Clear();
  for (const auto name : names) {
    if (!name.empty()) make_string(*reference.add_fields(), name);
  }
}

void make_parameter(pg::Node& out, int number) {
  auto& parameter = *out.mutable_param_ref();
  parameter.Clear();
  parameter.set_number(number);
}

void make_null(pg::Node& out) {
  auto& constant = *out.mutable_a_const();
  constant.Clear();
  constant.set_isnull(true);
}

void make_number(pg::Node& out, int value) {
  out.Clear();
  out.mutable_a_const()->mutable_ival()->set_ival(value);
}

void make_true(pg::Node& out) {
  auto& constant = *out.mutable_a_const();
  constant.Clear();
  constant.mutable_boolval()->set_boolval(true);
}

void make_operator(pg::Node& out, pg::A_Expr_Kind kind, std::string_view name, pg::Node& left,
                   pg::Node& right) {
  pg::Node made;
  auto& expression = *made.mutable_a_expr();
  expression.set_kind(kind);
  make_string(*expression.add_name(), name);
  *expression.mutable_lexpr() = left;
  *expression.mutable_rexpr() = right;
  out = made;
}

void make_cast(pg::Node& out, pg::Node& expression, std::string_view type, bool array) {
  pg::Node made;
  auto& cast = *made.mutable_type_cast();
  *cast.mutable_arg() = expression;
  auto& name = *cast.mutable_type_name();
  make_string(*name.add_names(), "pg_catalog");
  make_string(*name.add_names(), type);
  name.set_typemod(-1);
  if (array) name.add_array_bounds()->mutable_integer()->set_ival(-1);
  out = made;
}

}  // namespace theriac::rewrite
