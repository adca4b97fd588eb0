#include "store/pg_binary.hpp"

#include <utility>

namespace theriac::store {
namespace {

/// numeric_send: count of digits, weight, sign, places behind the point, digits to the base 10,000.
Result<std::int64_t> integer_from_numeric(ByteView bytes) {
  constexpr std::uint16_t kNegative = 0x4000;
  const auto at = [&](std::size_t i) { return load_be<std::uint16_t>(bytes.data() + 2 * i); };
  const auto refused = fail(Code::kOutOfRange, "numeric result");
  if (bytes.size() < 8) return refused;
  const std::size_t digits = at(0);
  const auto weight = static_cast<std::int16_t>(at(1));
  const bool negative = at(2) == kNegative;
  if (bytes.size() != 8 + 2 * digits || (at(2) != 0 && !negative)) return refused;
  if (digits == 0) return 0;
  // No zero digits stand at the end: more digits than weight + 1 are a fraction.
  if (weight < 0 || weight > 4 || digits > static_cast<std::size_t>(weight) + 1) return refused;
  std::int64_t value = 0;  // negative, since the negative side reaches farther
  for (std::size_t i = 0; i <= static_cast<std::size_t>(weight); ++i) {
    const std::int64_t digit = i < digits ? at(4 + i) : 0;
    if (digit > 9999 || __builtin_mul_overflow(value, 10'000, &value) ||
        __builtin_sub_overflow(value, digit, &value)) {
      return refused;
    }
  }
  if (!negative && __builtin_sub_overflow(std::int64_t{0}, value, &value)) return refused;
  return value;
}

}  // namespace

PgType type_of(const Param& param) {
  if (std::holds_alternative<std::int64_t>(param)) return PgType::kInt8;
  if (std::holds_alternative<std::string_view>(param)) return PgType::kText;
  if (std::holds_alternative<ByteView>(param)) return PgType::kBytea;
  return PgType::kUnknown;
}

std::uint32_t array_of(PgType element) {
  switch (element) {
    case PgType::kBytea:
      return 1001;
    case PgType::kInt8:
      return 1016;
    case PgType::kText:
      return 1009;
    default:
      return 0;
  }
}

std::string_view name_of_array(PgType element) {
  switch (element) {
    case PgType::kBytea:
      return "bytea[]";
    case PgType::kInt8:
      return "bigint[]";
    default:
      return "text[]";
  }
}

ByteView binary_of(const Param& param, std::array<std::uint8_t, 8>& room) {
  if (const auto* integer = std::get_if<std::int64_t>(&param)) {
    store_be(room.data(), static_cast<std::uint64_t>(*integer));
    return room;
  }
  if (const auto* text = std::get_if<std::string_view>(&param)) return view_of(*text);
  if (const auto* bytes = std::get_if<ByteView>(&param)) return *bytes;
  return {};
}

Result<Bytes> binary_array(PgType element, std::span<const Param> values, std::size_t first,
                           std::size_t width) {
  const auto count = static_cast<std::uint32_t>(values.size() / width);
  Bytes out;
  out.reserve(20 + count * std::size_t{24});
  append_be<std::uint32_t>(out, 1);  // dimensions
  append_be<std::uint32_t>(out, 1);  // there may be NULLs
  append_be(out, std::to_underlying(element));
  append_be(out, count);
  append_be<std::uint32_t>(out, 1);  // number of the first
  std::array<std::uint8_t, 8> room;
  for (std::size_t i = first; i < values.size(); i += width) {
    const PgType type = type_of(values[i]);
    if (type == PgType::kUnknown) {
      append_be(out, ~std::uint32_t{0});
      continue;
    }
    if (type != element) return fail(Code::kInternal, "type of a value in a batch");
    const ByteView bytes = binary_of(values[i], room);
    append_be(out, static_cast<std::uint32_t>(bytes.size()));
    append(out, bytes);
  }
  return out;
}

Result<std::int64_t> integer_from(PgType type, ByteView bytes) {
  if (type == PgType::kNumeric) return integer_from_numeric(bytes);
  if (type == PgType::kInt8 && bytes.size() == 8) {
    return static_cast<std::int64_t>(load_be<std::uint64_t>(bytes.data()));
  }
  if (type == PgType::kInt4 && bytes.size() == 4) {
    return static_cast<std::int32_t>(load_be<std::uint32_t>(bytes.data()));
  }
  if (type == PgType::kInt2 && bytes.size() == 2) {
    return static_cast<std::int16_t>(load_be<std::uint16_t>(bytes.data()));
  }
  if (type == PgType::kBool && bytes.size() == 1) return bytes[0];
  return fail(Code::kOutOfRange, "integer result");
}

}  // namespace theriac::store
