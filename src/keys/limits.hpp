// Every limit of the key service, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theriac::keys {

inline constexpr std::int64_t kLeaseMsDefault = 60'000;
inline constexpr std::int64_t kLeaseMsMin = 2'000;
inline constexpr std::int64_t kLeaseMsMax = 300'000;
/// How far the clock may step back before leases are refused.
inline constexpr std::int64_t kClockToleranceMs = 5'000;
/// A lease that has ended still counts as held this long when a key version waits for promotion.
inline constexpr std::int64_t kPromotionMarginMs = 2'000;
/// Lease records that nobody can use any more are kept this long.
inline constexpr std::int64_t kLeaseRecordKeepMs = 7LL * 24 * 3600 * 1000;

inline constexpr std::size_t kClassesPerTenantMax = 1'024;
inline constexpr std::size_t kClassesPerRequestMax = 256;
inline constexpr std::uint32_t kVersionsPerClassMax = 1'000;
inline constexpr std::size_t kSharedLeasesPerNameMax = 64;
inline constexpr std::size_t kReasonBytesMax = 1'000;
inline constexpr std::size_t kKeysPerReplyMax = 4'096;
/// Told to a server with each lease; with the keys they fit a frame.
inline constexpr std::size_t kRevokedCertificatesMax = 10'000;

inline constexpr std::size_t kPassphraseBytesMin = 12;
inline constexpr std::size_t kPassphraseBytesMax = 1'024;

inline constexpr std::size_t kConnectionsMax = 256;
inline constexpr std::size_t kRequestsQueuedMax = 64;
inline constexpr std::int64_t kHandshakeMsMax = 10'000;
inline constexpr std::int64_t kReadMsMax = 10'000;
inline constexpr std::int64_t kWriteMsMax = 10'000;
inline constexpr std::int64_t kIdleMsMax = 90'000;
inline constexpr std::int64_t kStopMsMax = 5'000;

/// Refusals of strangers are audited one by one up to this burst, then counted and summed up.
inline constexpr std::uint32_t kRefusalEntriesBurst = 20;
inline constexpr std::int64_t kRefusalEntryEveryMs = 1'000;

}  // namespace theriac::keys
