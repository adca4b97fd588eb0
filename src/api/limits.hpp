// Limits of the API of theriacd.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace theriac::api {

/// A body with up to trace::kItemsOfOneCallMax identifiers.
inline constexpr std::size_t kListBodyBytesMax = 16U << 20U;
inline constexpr std::size_t kBodyBytesMax = 1U << 20U;
/// Rows of one page, when the caller names none; trace::kPageRowsMax at most.
inline constexpr std::int64_t kPageRows = 100;
/// How long the reply to a write is kept under its Idempotency-Key.
inline constexpr std::int64_t kKeepReplyMs = 7LL * 24 * 3600 * 1000;
inline constexpr std::size_t kReasonBytesMax = 500;
/// Items that one entry of the work list keeps.
inline constexpr std::size_t kWorkItemsMax = 1000;
/// Labels of one call.
inline constexpr std::size_t kLabelsOfOneCallMax = 1000;
/// So many numbers that were never issued, in one call, are not an error of reading.
inline constexpr std::size_t kNeverIssuedAlarm = 10;
/// Unknown numbers that one caller may have verified in an hour.
inline constexpr int kUnknownOfOneHourMax = 100;
/// Callers whose certificates are remembered; then it begins anew.
inline constexpr std::size_t kCallersMax = 10'000;
/// Where packs were scanned is written that often at most: one commit serves many scans.
inline constexpr std::chrono::milliseconds kWriteSightings{200};
/// Events of one capture, and what is said of those that are refused.
inline constexpr std::size_t kCaptureEventsMax = 10'000;
inline constexpr std::size_t kCaptureErrorsMax = 1000;
/// Events of one answer, when the caller names no perPage.
inline constexpr std::uint64_t kEventsOfOnePage = 30;
/// How long a nextPageToken holds.
inline constexpr std::int64_t kPageTokenMs = 24LL * 3600 * 1000;
/// Of a subscription: its address and its token.
inline constexpr std::size_t kDestinationBytesMax = 2048;
inline constexpr std::size_t kSignatureTokenBytesMax = 512;
/// Events of one delivery, at first.
inline constexpr std::int64_t kDeliveryEvents = 100;
/// How long one server has a delivery to itself.
inline constexpr std::int64_t kDeliveryClaimMs = 5LL * 60 * 1000;
/// One delivery as a whole, and what is read of its reply.
inline constexpr std::chrono::milliseconds kDeliveryTime{15'000};
inline constexpr std::size_t kDeliveryReplyBytesMax = 64U << 10U;
/// Between two attempts: at first, and at most.
inline constexpr std::int64_t kDeliveryRetryMs = 1000;
inline constexpr std::int64_t kDeliveryRetryMsMax = 3600LL * 1000;
/// Deliveries that are begun in one round.
inline constexpr std::int64_t kDeliveriesOfOneRound = 32;
inline constexpr std::size_t kWorkersMax = 64;
inline constexpr std::size_t kQueueMax = 1024;

}  // namespace theriac::api
