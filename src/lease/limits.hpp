// Every limit of the key service's client.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theriac::lease {

inline constexpr std::int64_t kConnectMsMax = 5'000;
inline constexpr std::int64_t kExchangeMsMax = 10'000;
/// How long LeaseClient::start tries.
inline constexpr std::int64_t kStartMsMax = 10'000;
inline constexpr std::int64_t kBackoffMsFirst = 250;
inline constexpr std::int64_t kBackoffMsMax = 5'000;
/// After a refusal there is nothing to hurry for.
inline constexpr std::int64_t kRefusedRetryMs = 5'000;
/// A wall clock this far before the moment the lease was asked for was set back.
inline constexpr std::int64_t kClockToleranceMs = 5'000;
inline constexpr std::size_t kKeysPerReplyMax = 4'096;
inline constexpr std::size_t kRevokedCertificatesMax = 10'000;
/// A lease longer than this is not believed.
inline constexpr std::int64_t kLeaseMsMax = 300'000;

}  // namespace theriac::lease
