// Printing dates and times as PostgreSQL prints them, and reading the stored form back.
// Threading: free functions on values.
#pragma once

#include <optional>
#include <string>

#include "pgwire/types.hpp"
#include "pgwire/zone.hpp"

namespace theriac::pgwire {

std::string date_text(std::int32_t date, DateStyle style, DateOrder order);
/// In `zone`, with its offset (ISO) or abbreviation (other styles).
std::string timestamptz_text(std::int64_t timestamptz, DateStyle style, DateOrder order,
                             const Zone& zone);
/// timestamp, without a zone.
std::string timestamp_text(std::int64_t timestamp, DateStyle style, DateOrder order);

/// time, in every style; 24:00:00 is one.
std::string time_text(std::int64_t micros);

/// ISO, and in UTC.
std::string stored_date(std::int32_t date);
std::string stored_timestamp(std::int64_t timestamp);
std::string stored_timestamptz(std::int64_t timestamptz);
/// nullopt if `stored` is not exactly what the functions above return.
std::optional<std::int32_t> date_of_stored(std::string_view stored);
std::optional<std::int64_t> time_of_stored(std::string_view stored);
std::optional<std::int64_t> timestamp_of_stored(std::string_view stored);
std::optional<std::int64_t> timestamptz_of_stored(std::string_view stored);

}  // namespace theriac::pgwire
