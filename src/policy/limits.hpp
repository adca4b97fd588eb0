// Limits of a policy file; tested at the limit and one past it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theriac::policy {

inline constexpr std::size_t kClassesMax = 256;
inline constexpr std::size_t kColumnsMax = 10'000;
inline constexpr std::size_t kRolesMax = 1'000;
inline constexpr std::size_t kBucketsMax = 16;
inline constexpr std::uint32_t kBucketBytesMax = 1U << 20U;
inline constexpr std::uint32_t kGraceSecondsMax = 86'400;
inline constexpr std::size_t kClassNameMax = 32;
inline constexpr std::size_t kTenantNameMax = 63;
inline constexpr std::size_t kDomainNameMax = 200;
inline constexpr std::size_t kSearchesMax = 8;
inline constexpr std::size_t kSearchNameMax = 32;
inline constexpr std::uint32_t kBandSizeMax = 1'000'000'000;
inline constexpr std::uint32_t kSerialEndMax = 32;
inline constexpr std::size_t kConstantBytesMax = 1'000;
inline constexpr std::size_t kRecipientNameMax = 63;
/// PostgreSQL's NAMEDATALEN - 1; a longer name would be cut and mean another object.
inline constexpr std::size_t kIdentifierBytesMax = 63;

}  // namespace theriac::policy
