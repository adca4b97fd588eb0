// Limits of serialization and track & trace.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theriac::trace {

/// GS1 General Specifications 3.5.2; Regulation (EU) 2016/161, Article 4(b)(ii).
inline constexpr int kSerialCharactersMax = 20;
/// A guess hits at most one in so many: Regulation (EU) 2016/161, Article 4(c).
inline constexpr std::uint64_t kGuessesPerHitMin = 10'000;
/// One call that makes, hands over or changes items.
inline constexpr std::size_t kItemsOfOneCallMax = 100'000;
/// Containers within containers.
inline constexpr int kNestingMax = 8;
/// Regulation (EU) 2016/161, Article 13(1)(b).
inline constexpr std::int64_t kUndoDays = 10;
/// What a clock elsewhere may be ahead of ours.
inline constexpr std::int64_t kFutureMs = 10 * 60 * 1000;

/// Numbers that one line has and has neither used nor given back.
inline constexpr std::int64_t kLineNumbersMax = 200'000;
/// A line draws from its stock for so long after it was issued: a shift without the server, and
/// what may come between; and what it drew is on a pack so long after that.
inline constexpr std::int64_t kLineStockMs = 24LL * 60 * 60 * 1000;
inline constexpr std::int64_t kLineUseMs = 24LL * 60 * 60 * 1000;
/// What a line reports happened no longer ago: as long as replies are kept, so that a report that
/// comes again is known again.
inline constexpr std::int64_t kLineReportMs = 7LL * 24 * 60 * 60 * 1000;
inline constexpr std::size_t kLinesOfPlaceMax = 100;

/// Names and other texts of master data.
inline constexpr std::size_t kNameBytesMax = 500;
inline constexpr std::size_t kCertificatesMax = 100;
inline constexpr std::int64_t kInnerCountMax = 100'000;
/// Events that are put into an order of their own for one query.
inline constexpr std::int64_t kOrderedEventsMax = 10'000;
/// One item at two places sooner than this was copied.
inline constexpr std::int64_t kTravelMs = 60 * 60 * 1000;
/// In which a client's wrong guesses are counted.
inline constexpr std::int64_t kGuessWindowMs = 60 * 60 * 1000;
/// Rows of one kind of master data that a session remembers; then it begins anew.
inline constexpr std::size_t kKnownRowsMax = 10'000;
/// Scans that wait to be written.
inline constexpr std::size_t kSightingsMax = 100'000;
/// Events that one page of a query looks at; what follows is on the next.
inline constexpr std::int64_t kQueryScanEvents = 50'000;
/// Events that one page of a list of identifiers looks at.
inline constexpr std::int64_t kEpcScanEvents = 4096;
/// Named queries of one party, and subscriptions of one query.
inline constexpr std::int64_t kQueriesMax = 1000;
inline constexpr std::int64_t kSubscriptionsMax = 100;
inline constexpr std::size_t kQueryNameBytesMax = 200;
inline constexpr std::size_t kCertificateBytesMax = 512U << 10U;
/// Free fields of a device's record, and the bytes of each.
inline constexpr std::size_t kDeviceFieldsMax = 20;
inline constexpr std::size_t kDeviceFieldBytesMax = 2000;
/// What was done to one item of the work list.
inline constexpr std::size_t kWorkNotesMax = 200;
/// Rows of one page.
inline constexpr std::int64_t kPageRowsMax = 1000;

}  // namespace theriac::trace
