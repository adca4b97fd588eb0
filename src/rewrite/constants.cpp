// Literals and parameters addressed to a protected column, with the casts around them.
#include <charconv>
#include <string>

#include "rewrite/rewriter.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kCastRefused = "a cast that changes the value";

Constant refused(std::string_view why) { return {.is = true, .refused = why, .source = Literal{}}; }

Constant number_constant(const std::string& text) {
  // As PostgreSQL's scanner: int4 is an Integer node; larger whole numbers int8, others numeric.
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  const bool whole = read.ec == std::errc{} && read.ptr == end;
  return {.is = true,
          .refused = {},
          .source = Literal{false, text, whole ? pgwire::kOidInt8 : pgwire::kOidNumeric}};
}

Constant value_of_constant(const pg::A_Const& constant) {
  if (constant.isnull())
    return {.is = true, .refused = {}, .source = Literal{.is_null = true, .text = {}}};
  if (constant.has_ival()) {
    return {.is = true,
            .refused = {},
            .source = Literal{false, std::to_string(constant.ival().ival()), pgwire::kOidInt4}};
  }
  if (constant.has_fval()) return number_constant(constant.fval().fval());
  if (constant.has_sval()) {
    return {.is = true, .refused = {}, .source = Literal{false, constant.sval().sval(), 0}};
  }
  if (constant.has_boolval()) {
    return {.is = true,
            .refused = {},
            .source =
                Literal{false, constant.boolval().boolval() ? "true" : "false", pgwire::kOidBool}};
  }
  return refused("a bit string");
}

Constant plain_constant(const pg::A_Const& constant) {
  auto made = value_of_constant(constant);
  if (auto* literal = std::get_if<Literal>(&made.source)) literal->location = constant.location();
  return made;
}

/// The first `count` characters (not bytes), as an explicit cast to varchar(count) gives.
std::string first_characters(const std::string& text, int count) {
  std::size_t at = 0;
  for (int i = 0; i < count && at < text.size(); ++i) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80) ++at;
  }
  return text.substr(0, at);
}

/// varchar(n)'s n; nullopt for no modifier; -1 for others.
std::optional<int> length_of(const pg::TypeName& type) {
  if (type.typmods_size() == 0) return std::nullopt;
  if (type.typmods_size() == 1 && type.typmods(0).has_a_const() &&
      type.typmods(0).a_const().has_ival()) {
    return type.typmods(0).a_const().ival().ival();
  }
  return -1;
}

Constant cast_parameter(const Constant& inner, std::uint32_t oid, bool modified,
                        const Column& column) {
  const auto own = column.type.oid;
  const bool fits = oid == own || (is_text(oid) && is_text(own)) ||
                    (is_integer(oid) && is_number(own)) ||
                    (oid == pgwire::kOidNumeric && own == pgwire::kOidNumeric);
  if (modified || !fits) return refused(kCastRefused);
  auto made = inner;
  // A text that is cast to the column's type is read as one of its values.
  if (oid == own) std::get<ClientParameter>(made.source).cast_oid = oid;
  return made;
}

/// INTERVAL '5' DAY: the one number is of the one field. Other fields and precisions can cut parts
/// of the value off.
bool is_one_field(const pg::TypeName& type, std::string& text) {
  struct Field {
    int mask;
    std::string_view unit;
  };
  // As the grammar numbers them.
  constexpr Field kFields[] = {{1 << 2, " year"},  {1 << 1, " month"},   {1 << 3, " day"},
                               {1 << 10, " hour"}, {1 << 11, " minute"}, {1 << 12, " second"}};
  const auto mask = length_of(type);
  const auto digits = text.find_first_not_of("+-");
  const bool number = digits <= 1 && digits < text.size() &&
                      text.find_first_not_of("0123456789", digits) == std::string::npos;
  if (!mask || !number) return false;
  for (const auto& field : kFields) {
    if (field.mask != *mask) continue;
    text += field.unit;
    return true;
  }
  return false;
}

Constant cast_literal(Literal literal, std::uint32_t oid, const pg::TypeName& type) {
  const auto length = length_of(type);
  const auto from = literal.sent_oid;
  const bool unknown = from == 0;
  const bool field =
      length && unknown && oid == pgwire::kOidInterval && is_one_field(type, literal.text);
  if (length && !field && (oid != pgwire::kOidVarchar || *length < 1)) return refused(kCastRefused);
  const bool keeps = unknown || from == oid || (is_text(from) && is_text(oid)) ||
                     (is_integer(from) && (is_number(oid) || is_text(oid)));
  if (!keeps) return refused(kCastRefused);
  if (length) {
    if (!field) literal.text = first_characters(literal.text, *length);
    literal.location = 0;
    literal.sent_length = *length;
  }
  literal.sent_oid = oid;
  return {.is = true, .refused = {}, .source = std::move(literal)};
}

/// A cast to an enum, citext or domain, by its name: only to the column's own.
bool names_own_type(const pg::TypeName& type, const pgwire::ColumnType& own) {
  if (!own.detail || type.setof() || type.pct_type() || type.typmods_size() > 0) return false;
  const auto* detail = own.detail.get();
  const bool array = detail->kind == pgwire::TypeKind::kArray;
  const auto count = type.names_size();
  if (count < 1 || count > 2) return false;
  const auto name = string_of(type.names(count - 1));
  const auto schema = count == 2 ? string_of(type.names(0)) : std::string_view();
  const auto is = [&](const std::string& in, const std::string& called) {
    return !called.empty() && name == called && (schema.empty() || schema == in);
  };
  if (type.array_bounds_size() > 0) {
    const auto& element = detail->element.detail;
    return array && element && is(element->schema, element->name);
  }
  // A domain's own modifier would cut the value instead of refusing it.
  if (own.modifier == -1 && is(detail->domain_schema, detail->domain_name)) return true;
  return !array && is(detail->schema, detail->name);
}

/// The array type of a built-in type, as in '{a,b}'::text[].
std::optional<std::uint32_t> array_oid_of(const pg::TypeName& type) {
  if (type.array_bounds_size() == 0 || type.typmods_size() > 0) return std::nullopt;
  pg::TypeName element = type;
  element.clear_array_bounds();
  const auto oid = type_oid_of(element);
  const auto array = oid ? pgwire::builtin_array_of(*oid) : 0;
  return array == 0 ? std::nullopt : std::optional(array);
}

/// ARRAY[...] of literals of one kind: strings, which are what the context makes of them, or
/// integers. `cast`: the context is a cast.
Constant array_constant(const pg::A_ArrayExpr& array, bool cast) {
  std::string text = "{";
  bool strings = false;
  bool integers = false;
  for (const auto& element : array.elements()) {
    if (!element.has_a_const()) return refused("ARRAY of other than plain literals");
    const auto& constant = element.a_const();
    if (text.size() > 1) text += ',';
    if (constant.isnull()) {
      text += "NULL";
    } else if (constant.has_ival()) {
      integers = true;
      text += std::to_string(constant.ival().ival());
    } else if (constant.has_sval()) {
      strings = true;
      text += '"';
      for (const char c : constant.sval().sval()) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
      text += '"';
    } else {
      return refused("ARRAY of other than plain literals");
    }
  }
  if (strings == integers) return refused("ARRAY of other than plain literals");
  const auto element = integers ? pgwire::kOidInt4 : pgwire::kOidText;
  const auto oid = strings && cast ? 0 : pgwire::builtin_array_of(element);
  return {.is = true, .refused = {}, .source = Literal{false, text + '}', oid}};
}

}  // namespace

bool may_be_assigned(std::uint32_t from, std::uint32_t to) {
  using Group = std::initializer_list<std::uint32_t>;
  static constexpr std::uint32_t kAlone[] = {pgwire::kOidBool, pgwire::kOidBytea, pgwire::kOidUuid,
                                             pgwire::kOidInterval};
  // Groups of pg_cast: within each every type is assigned to every other.
  static const Group groups[] = {{pgwire::kOidInt2, pgwire::kOidInt4, pgwire::kOidInt8,
                                  pgwire::kOidNumeric, pgwire::kOidFloat4, pgwire::kOidFloat8},
                                 {pgwire::kOidDate, pgwire::kOidTimestamp, pgwire::kOidTimestamptz},
                                 {pgwire::kOidJson, pgwire::kOidJsonb},
                                 {pgwire::kOidInet, pgwire::kOidCidr}};
  const auto group_of = [&](std::uint32_t oid) {
    int at = 0;
    for (const auto& group : groups) {
      if (std::find(group.begin(), group.end(), oid) != group.end()) return at;
      ++at;
    }
    for (const auto alone : kAlone) {
      if (oid == alone) return at;
      ++at;
    }
    if (oid == pgwire::kOidTime) return at;
    return is_text(oid) || oid == pgwire::kOidBpchar ? at + 1 : -1;
  };
  const int text = group_of(pgwire::kOidText);
  const int left = group_of(from);
  const int right = group_of(to);
  if (from == to || left == right || left < 0 || right < 0 || right == text) return true;
  if (to == pgwire::kOidTime) {
    return from == pgwire::kOidTimestamp || from == pgwire::kOidTimestamptz ||
           from == pgwire::kOidInterval;
  }
  return from == pgwire::kOidTime && to == pgwire::kOidInterval;
}

std::optional<std::uint32_t> type_oid_of(const pg::TypeName& type) {
  if (type.setof() || type.pct_type() || type.array_bounds_size() > 0) return std::nullopt;
  const auto name = operator_of(type.names());  // same rule: bare, or in pg_catalog
  struct Known {
    std::string_view name;
    std::uint32_t oid;
  };
  constexpr Known kKnown[] = {
      {"text", pgwire::kOidText},           {"varchar", pgwire::kOidVarchar},
      {"int2", pgwire::kOidInt2},           {"int4", pgwire::kOidInt4},
      {"int8", pgwire::kOidInt8},           {"numeric", pgwire::kOidNumeric},
      {"date", pgwire::kOidDate},           {"timestamptz", pgwire::kOidTimestamptz},
      {"timestamp", pgwire::kOidTimestamp}, {"time", pgwire::kOidTime},
      {"interval", pgwire::kOidInterval},   {"bool", pgwire::kOidBool},
      {"float4", pgwire::kOidFloat4},       {"float8", pgwire::kOidFloat8},
      {"uuid", pgwire::kOidUuid},           {"bytea", pgwire::kOidBytea},
      {"json", pgwire::kOidJson},           {"jsonb", pgwire::kOidJsonb},
      {"inet", pgwire::kOidInet},           {"cidr", pgwire::kOidCidr},
  };
  for (const auto& one : kKnown) {
    if (one.name == name) return one.oid;
  }
  return std::nullopt;
}

Constant Rewriter::constant_of(const pg::Node& node, const Column& column) {
  if (node.has_a_const()) return plain_constant(node.a_const());
  if (node.has_param_ref()) {
    return {.is = true,
            .refused = {},
            .source = ClientParameter{static_cast<std::uint16_t>(node.param_ref().number())}};
  }
  if (node.has_collate_clause()) {
    const auto inner = constant_of(node.collate_clause().arg(), column);
    return inner.is ? refused("COLLATE") : Constant{};
  }
  if (node.has_a_array_expr()) return array_constant(node.a_array_expr(), false);
  if (!node.has_type_cast()) return {};
  const auto& cast = node.type_cast();
  auto inner = cast.arg().has_a_array_expr() ? array_constant(cast.arg().a_array_expr(), true)
                                             : constant_of(cast.arg(), column);
  if (!inner.is || !inner.refused.empty()) return inner;
  if (inner.is_null()) return inner;
  auto oid = type_oid_of(cast.type_name());
  if (!oid) oid = array_oid_of(cast.type_name());
  if (!oid && names_own_type(cast.type_name(), column.type)) oid = column.type.oid;
  if (!oid) return refused(kCastRefused);
  if (const auto* literal = std::get_if<Literal>(&inner.source)) {
    return cast_literal(*literal, *oid, cast.type_name());
  }
  return cast_parameter(inner, *oid, cast.type_name().typmods_size() > 0, column);
}

bool Rewriter::bad_constant(const ItemColumn& column, const Constant& constant) {
  return refuse(column, constant.refused, "send the value as a plain literal or parameter");
}

}  // namespace theriac::rewrite
