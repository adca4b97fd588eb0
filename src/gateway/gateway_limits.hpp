// Limits of the gateway's driver, in one place. Those a site may want to change are settings
// (gateway_config.hpp) that start from the values here.
#pragma once

#include <chrono>
#include <cstddef>

namespace theriac::gateway {

/// Read at once from one side; one buffer per direction and session.
inline constexpr std::size_t kReadBytes = 16U * 1024U;
/// Sessions of one process.
inline constexpr std::size_t kSessionsMax = 1000;
/// Connections beyond the sessions that may still be told why they are refused.
inline constexpr std::size_t kOpeningsMax = 256;
/// From accept to signed in, as PostgreSQL's authentication_timeout.
inline constexpr std::chrono::seconds kSignInDeadline{60};
/// For one connection to the server, TLS included.
inline constexpr std::chrono::seconds kConnectDeadline{10};
/// A peer that takes no bytes at all for so long is given up.
inline constexpr std::chrono::seconds kWriteDeadline{900};
/// After the client closed its side, for the server to end.
inline constexpr std::chrono::seconds kHalfClosedDeadline{60};
/// For the last bytes of a session to be taken.
inline constexpr std::chrono::seconds kConcludeDeadline{30};
/// For a client to read the last message and close.
inline constexpr std::chrono::seconds kLingerDeadline{2};
inline constexpr std::size_t kLingerBytesMax = 1U << 20U;
/// For sessions with work under way when the gateway stops.
inline constexpr std::chrono::seconds kStopDeadline{10};
/// Sign-in messages kept for one client that sends ahead.
inline constexpr std::size_t kEarlyBytesMax = 64U * 1024U;
/// Threads and queue of the pool that asks for verifiers.
inline constexpr std::size_t kBlockingThreads = 2;
inline constexpr std::size_t kBlockingQueueMax = 1024;
/// One scrape's request.
inline constexpr std::size_t kMetricsRequestBytesMax = 8U * 1024U;
inline constexpr std::size_t kMetricsScrapesMax = 16;

}  // namespace theriac::gateway
