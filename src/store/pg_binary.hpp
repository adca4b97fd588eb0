// PostgreSQL's binary forms of what an engine stores: bigint, text, bytea, arrays of them, and the
// numeric that sum(bigint) returns. Internal.
//
// Errors: what does not fit the form or a 64-bit integer is Code::kOutOfRange.
//
// Threading: values and free functions.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "store/engine.hpp"

namespace theriac::store {

/// Numbers of types (pg_type.dat).
enum class PgType : std::uint32_t {
  kUnknown = 0,
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kNumeric = 1700,
};

/// kUnknown for NULL.
PgType type_of(const Param& param);
/// The type of its arrays; kUnknown when we make none.
std::uint32_t array_of(PgType element);
std::string_view name_of_array(PgType element);

/// One value's bytes; an integer's are written into `room`.
ByteView binary_of(const Param& param, std::array<std::uint8_t, 8>& room);

/// An array of one dimension of every `width`-th of `values`, from `first`. Values of other types
/// than `element` are Code::kInternal.
Result<Bytes> binary_array(PgType element, std::span<const Param> values, std::size_t first,
                           std::size_t width);

/// bool, int2, int4, int8 or a whole numeric, as a result holds it.
Result<std::int64_t> integer_from(PgType type, ByteView bytes);

}  // namespace theriac::store
