// Limits of the program beside a packaging line.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace theriac::line {

/// A file that the line drops.
inline constexpr std::size_t kOrderBytesMax = 16U << 20U;
/// Numbers of one request, and items of one report.
inline constexpr std::int64_t kOrderItemsMax = 100'000;
inline constexpr std::size_t kFileNameBytesMax = 100;
/// Items of one call to the server: its answer comes soon, and little is sent again.
inline constexpr std::size_t kCallItemsMax = 5000;
/// Numbers of one draw for the stock; the server's limit of one call.
inline constexpr std::int64_t kDrawMax = 100'000;
inline constexpr std::int64_t kStockMax = 200'000;
inline constexpr std::int64_t kStockHoursMax = 24;
/// A clock that is further behind what was seen before was set back.
inline constexpr std::int64_t kClockBackMs = 10LL * 60 * 1000;
/// What was done is remembered for so long.
inline constexpr std::int64_t kRememberMs = 30LL * 24 * 3600 * 1000;
/// Refused items that a reason file names one by one.
inline constexpr std::size_t kReasonLinesMax = 1000;

inline constexpr std::chrono::milliseconds kTick{100};
/// How long the server is left alone when there is nothing to do.
inline constexpr std::chrono::milliseconds kHeartbeat{15'000};
inline constexpr std::chrono::milliseconds kRetryMin{250}, kRetryMax{5000};
inline constexpr std::chrono::milliseconds kConnect{3000}, kReply{30'000};

}  // namespace theriac::line
