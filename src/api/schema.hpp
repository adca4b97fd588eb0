// The tables of theriacd's database: the API's own first, then track & trace's, whose steps go on
// behind them.
#pragma once

#include <array>
#include <string_view>

#include "trace/schema.hpp"

namespace theriac::api {

/// Replies to writes, under the blind index of caller, operation and Idempotency-Key. `request` is
/// the blind index of what was asked, since a plain digest of it could be guessed.
inline constexpr std::string_view kReplySchema = R"sql(
CREATE TABLE replies(
  key     BYTES PRIMARY KEY,
  request BYTES NOT NULL,
  made_ms INT NOT NULL,
  sealed  BYTES NOT NULL
);
CREATE INDEX replies_by_time ON replies(made_ms);

-- EPCIS capture jobs, whose partner sees them.
CREATE TABLE captures(
  id      INT PRIMARY KEY,
  partner INT NOT NULL,
  made_ms INT NOT NULL,
  sealed  BYTES NOT NULL
);
)sql";

inline constexpr auto kSchema = [] {
  std::array<std::string_view, 1 + trace::kTraceSchema.size()> steps{kReplySchema};
  std::copy(trace::kTraceSchema.begin(), trace::kTraceSchema.end(), steps.begin() + 1);
  return steps;
}();

}  // namespace theriac::api
