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
  if (constant.has_boolval()) return refused("a boolean constant");
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
  return inner;
}

Constant cast_literal(Literal literal, std::uint32_t oid, const pg::TypeName& type) {
  const auto length = length_of(type);
  if (length && (oid != pgwire::kOidVarchar || *length < 1)) return refused(kCastRefused);
  const auto from = literal.sent_oid;
  const bool unknown = from == 0;
  const bool keeps = unknown || from == oid || (is_text(from) && is_text(oid)) ||
                     (is_integer(from) && (is_number(oid) || is_text(oid)));
  if (!keeps) return refused(kCastRefused);
  if (length) {
    literal.text = first_characters(literal.text, *length);
    literal.location = 0;
  }
  literal.sent_oid = oid;
  return {.is = true, .refused = {}, .source = std::move(literal)};
}

}  // namespace

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
      {"timestamp", pgwire::kOidTimestamp},
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
  if (!node.has_type_cast()) return {};
  const auto& cast = node.type_cast();
  auto inner = constant_of(cast.arg(), column);
  if (!inner.is || !inner.refused.empty()) return inner;
  if (inner.is_null()) return inner;
  const auto oid = type_oid_of(cast.type_name());
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
