#include "rewrite/prepared.hpp"

#include <charconv>

#include "rewrite/scan.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {
namespace {

/// What stands behind SELECT in the text of a SELECT of `value` alone.
std::optional<std::string> text_of_value(const pg::Node& value) {
  google::protobuf::Arena arena;
  auto* query = google::protobuf::Arena::CreateMessage<pg::Node>(&arena);
  auto& select = *query->mutable_select_stmt();
  select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  select.set_op(pg::SETOP_NONE);
  *select.add_target_list()->mutable_res_target()->mutable_val() = value;
  auto* again = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  constexpr std::string_view kSelect = "SELECT ";
  auto sql = deparse(*query, *again);
  if (!sql || !sql->starts_with(kSelect)) return std::nullopt;
  return sql->substr(kSelect.size());
}

std::optional<std::string> text_of_type(const pg::TypeName& type) {
  google::protobuf::Arena arena;
  auto* value = google::protobuf::Arena::CreateMessage<pg::Node>(&arena);
  make_null(*value->mutable_type_cast()->mutable_arg());
  *value->mutable_type_cast()->mutable_type_name() = type;
  constexpr std::string_view kNull = "NULL::";
  auto text = text_of_value(*value);
  if (!text || !text->starts_with(kNull) || type.setof() || type.pct_type()) return std::nullopt;
  return text->substr(kNull.size());
}

/// The constant's value and its type (0: unknown yet) if it is one that reads without the server.
void read_constant(const pg::A_Const& constant, PreparedUse::Argument& out) {
  out.constant = true;
  if (constant.isnull()) {
    out.is_null = true;
  } else if (constant.has_sval()) {
    out.text = constant.sval().sval();
  } else if (constant.has_ival()) {
    out.text = std::to_string(constant.ival().ival());
    out.oid = pgwire::kOidInt4;
  } else if (constant.has_fval()) {
    out.text = constant.fval().fval();
    std::int64_t whole = 0;
    const auto* end = out.text.data() + out.text.size();
    const auto read = std::from_chars(out.text.data(), end, whole);
    const bool int8 = read.ec == std::errc{} && read.ptr == end;
    out.oid = int8 ? pgwire::kOidInt8 : pgwire::kOidNumeric;
  } else if (constant.has_boolval()) {
    out.text = constant.boolval().boolval() ? "true" : "false";
    out.oid = pgwire::kOidBool;
  } else {
    out.constant = false;
  }
}

PreparedUse::Argument argument_of(const pg::Node& node) {
  PreparedUse::Argument out;
  out.sql = text_of_value(node).value_or("");
  if (node.has_a_const()) {
    read_constant(node.a_const(), out);
    return out;
  }
  // 'x'::type: the literal as the type reads it.
  if (!node.has_type_cast() || !node.type_cast().arg().has_a_const()) return out;
  const auto& cast = node.type_cast();
  const auto oid = type_oid_of(cast.type_name());
  if (!oid || cast.type_name().typmods_size() > 0) return out;
  read_constant(cast.arg().a_const(), out);
  const bool keeps = out.oid == 0 || out.oid == *oid ||
                     (is_integer(out.oid) && (is_number(*oid) || is_text(*oid)));
  if (!keeps) out.constant = false;
  out.oid = *oid;
  return out;
}

std::string query_of(const pg::PrepareStmt& statement, std::string_view text) {
  const auto query = query_behind_as(text);
  if (!query) return {};
  google::protobuf::Arena arena;
  auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  if (!parse(*query, *tree) || tree->stmts_size() != 1 ||
      !same_tree(tree->stmts(0).stmt(), statement.query())) {
    return {};
  }
  return std::string(*query);
}

}  // namespace

std::optional<PreparedUse> prepared_use(const pg::Node& statement, std::string_view text) {
  using Kind = PreparedUse::Kind;
  PreparedUse out;
  const auto within = [&](const pg::Node& inner) -> std::optional<PreparedUse> {
    if (!inner.has_execute_stmt()) return std::nullopt;
    out.kind = Kind::kWithin;
    out.name = inner.execute_stmt().name();
    return out;
  };
  switch (statement.node_case()) {
    case pg::Node::kPrepareStmt: {
      const auto& prepare = statement.prepare_stmt();
      out.kind = Kind::kPrepare;
      out.name = prepare.name();
      out.query = query_of(prepare, text);
      for (const auto& type : prepare.argtypes()) {
        auto name = text_of_type(type.type_name());
        if (!name) out.query.clear();
        out.types.push_back(name.value_or(""));
      }
      return out;
    }
    case pg::Node::kExecuteStmt:
      out.kind = Kind::kExecute;
      out.name = statement.execute_stmt().name();
      for (const auto& node : statement.execute_stmt().params()) {
        out.arguments.push_back(argument_of(node));
      }
      return out;
    case pg::Node::kDeallocateStmt:
      out.name = statement.deallocate_stmt().name();
      out.kind = out.name.empty() ? Kind::kDeallocateAll : Kind::kDeallocate;
      return out;
    case pg::Node::kDiscardStmt:
      if (statement.discard_stmt().target() != pg::DISCARD_ALL) return std::nullopt;
      out.kind = Kind::kDeallocateAll;
      return out;
    case pg::Node::kExplainStmt:
      return within(statement.explain_stmt().query());
    case pg::Node::kCreateTableAsStmt:
      return within(statement.create_table_as_stmt().query());
    default:
      return std::nullopt;
  }
}

}  // namespace theriac::rewrite
