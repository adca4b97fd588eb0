// Arrays of every other type: their elements one by one.
#include "pgwire/array_text.hpp"
#include "pgwire/value.hpp"

namespace theriac::pgwire {
namespace {

/// The elements of an array column have the array's modifier.
ColumnType element_of(const ColumnType& array) {
  auto element = detail_of(array)->element;
  element.modifier = array.modifier;
  return element;
}

Result<ArrayValue> stored_array(const ColumnType& column, std::string_view stored) {
  const auto delimiter = detail_of(column)->delimiter;
  auto value = ArrayValue::parse(stored, delimiter);
  if (!value || value->text(delimiter) != stored) return not_stored();
  return value;
}

}  // namespace

Result<std::string> to_array(const ColumnType& column, const Sent& sent, bool comparing) {
  if (sent.family != Family::kArray) return unsupported_type();
  // There is an = between arrays of one type only.
  if (comparing && sent.oid() != column.oid) return unsupported_type();
  const auto* theirs = detail_of(sent.type);
  Result<ArrayValue> value = ArrayValue{};
  if (sent.format == kBinaryFormat) {
    value = ArrayValue::from_binary(sent.value, theirs->element.oid);
  } else {
    THERIAC_ASSIGN(const auto text, sent.characters());
    value = ArrayValue::parse(text, theirs->delimiter);
  }
  if (!value) return fail(std::move(value.error()));
  const auto element = element_of(column);
  for (auto& each : value->elements) {
    if (!each) continue;
    const Sent one(theirs->element, sent.format, view_of(*each), sent.settings);
    THERIAC_ASSIGN(auto made, convert(element, one, comparing));
    *each = std::move(made);
  }
  return value->text(detail_of(column)->delimiter);
}

Status render_array(const ColumnType& column, std::int16_t format, std::string_view stored,
                    const TextSettings& settings, Bytes& out) {
  THERIAC_ASSIGN(auto value, stored_array(column, stored));
  const auto element = element_of(column);
  for (auto& each : value.elements) {
    if (!each) continue;
    Bytes shown;
    THERIAC_TRY(render(element, format, *each, settings, shown));
    each = std::string(text_of(shown));
  }
  if (format == kTextFormat) {
    append(out, value.text(detail_of(column)->delimiter));
  } else {
    value.append_binary(out, element.oid);
  }
  return {};
}

Result<Bytes> array_equality(const ColumnType& column, std::string_view stored) {
  THERIAC_ASSIGN(const auto value, stored_array(column, stored));
  const auto element = element_of(column);
  Bytes out;
  append_be(out, static_cast<std::uint32_t>(value.bounds.size()));
  for (const auto& bound : value.bounds) {
    append_be(out, static_cast<std::uint32_t>(bound.low));
    append_be(out, static_cast<std::uint32_t>(bound.size));
  }
  // In arrays NULL equals NULL.
  for (const auto& each : value.elements) {
    out.push_back(each ? 1 : 0);
    if (!each) continue;
    THERIAC_ASSIGN(const auto form, equality_form(element, *each));
    append_be(out, static_cast<std::uint32_t>(form.size()));
    append(out, form);
  }
  return out;
}

}  // namespace theriac::pgwire
