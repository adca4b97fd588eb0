// Limits of the HTTP server and client, in one place. What a listener may set is in struct Limits;
// the constants hold for everybody.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace theriac::http {

/// A request or status line with its line end (RFC 9112, section 3, asks for 8000 at least).
inline constexpr std::size_t kStartLineBytesMax = 8192;
/// A whole head: start line, fields, empty line.
inline constexpr std::size_t kHeadBytesMax = 16'384;
inline constexpr std::size_t kFieldsMax = 100;
inline constexpr std::size_t kMethodBytesMax = 32;
/// Digits of a chunk's size, leading zeros with them: chunks below 4 GiB.
inline constexpr std::size_t kChunkSizeDigitsMax = 8;
/// Of one body, all chunks together. Nobody uses extensions; they only cost.
inline constexpr std::size_t kChunkExtensionBytesMax = 1024;
inline constexpr std::size_t kTrailerBytesMax = 4096;

inline constexpr std::size_t kSegmentsMax = 64;
inline constexpr std::size_t kQueryParametersMax = 256;

/// Body bytes read from a connection at once.
inline constexpr std::size_t kReadBytes = 16'384;
/// A body up to this size goes out in one write with its head.
inline constexpr std::size_t kJoinBytesMax = 65'536;
/// What is read and thrown away after a refusal, so that the client sees the answer instead of a
/// reset connection (RFC 9112, section 9.6).
inline constexpr std::size_t kLingerBytesMax = 1U << 20U;
inline constexpr std::chrono::milliseconds kLinger{2000};

/// Clients and addresses that the rate limiter remembers; the one unseen for longest is forgotten.
inline constexpr std::size_t kRateKeysMax = 65'536;

/// What one listener allows. Times are coarse: up to a second late.
struct Limits {
  std::size_t connections_max = 4096;
  std::size_t connections_per_address_max = 256;
  std::uint64_t requests_per_connection_max = 1'000'000;

  std::chrono::milliseconds handshake{10'000};  ///< TLS, from accept
  std::chrono::milliseconds idle{60'000};       ///< from a reply to the next request's first byte
  std::chrono::milliseconds head{10'000};       ///< from the first byte to the last of a head
  /// A body or reply may take this long, and a second more for every `bytes_per_second_min` of it:
  /// slow peers are borne, stalled ones are not.
  std::chrono::milliseconds transfer{30'000};
  std::size_t bytes_per_second_min = 16'384;
  std::chrono::milliseconds handling{30'000};  ///< what Request::deadline_ms tells the handler

  /// Of every client identity, or address without one; 0: no limit.
  double requests_per_second = 0;
  double burst = 100;  ///< requests
};

}  // namespace theriac::http
