// Strong identifiers: a tenant cannot be passed where a column is wanted.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac {

template <typename Tag, std::size_t N>
struct Id {
  std::array<std::uint8_t, N> bytes{};

  static constexpr std::size_t kSize = N;
  [[nodiscard]] ByteView view() const { return bytes; }
  [[nodiscard]] bool is_zero() const { return *this == Id{}; }
  static Result<Id> from(ByteView source) {
    if (source.size() != N) return fail(Code::kMalformed, "identifier length");
    Id id;
    std::memcpy(id.bytes.data(), source.data(), N);
    return id;
  }
  friend auto operator<=>(const Id&, const Id&) = default;
};

using TenantId = Id<struct TenantTag, 16>;
/// Immutable identity of a protected column or record field; names are never used in AAD.
using FieldId = Id<struct FieldTag, 16>;
/// Hidden random row identity of tables whose class binds rows.
using RowId = Id<struct RowTag, 16>;
/// Equality domain: columns that may be joined share one.
using DomainId = Id<struct DomainTag, 16>;
/// First 8 bytes of the commitment to a key (seal/keys.hpp).
using KeyId = Id<struct KeyTag, 8>;

/// RFC 9562 text form (8-4-4-4-12 lower-case hexadecimal) of a 16-byte identifier.
std::string to_uuid_text(ByteView sixteen_bytes);
Result<std::array<std::uint8_t, 16>> parse_uuid(std::string_view text);

template <typename I>
  requires(I::kSize == 16)
Result<I> id_from_uuid(std::string_view text) {
  THERIAC_ASSIGN(const auto raw, parse_uuid(text));
  return I{raw};
}

}  // namespace theriac

template <typename Tag, std::size_t N>
struct std::hash<theriac::Id<Tag, N>> {
  // The identifiers are random or hash output, so eight of their bytes are a fair hash.
  std::size_t operator()(const theriac::Id<Tag, N>& id) const noexcept {
    std::size_t h = 0;
    std::memcpy(&h, id.bytes.data(), sizeof h < N ? sizeof h : N);
    return h;
  }
};
