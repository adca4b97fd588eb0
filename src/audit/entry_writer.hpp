// Turns drafts into chained entries of a batch: gives sequence, previous hash and time, and notes a
// clock that was set back.
//
// Threading: one thread at a time.
#pragma once

#include <string>

#include "audit/entry.hpp"
#include "audit/wal.hpp"

namespace theriac::audit {

/// Where a producer's chain stands.
struct ChainState {
  std::uint64_t next_sequence = 0;
  tlog::Digest previous{};
  std::int64_t last_wall_ms = INT64_MIN;
};

class EntryWriter {
 public:
  EntryWriter(std::string_view producer, std::string boot_id, ChainState state)
      : producer_json_(json_text(producer)), boot_id_(std::move(boot_id)), state_(state) {}

  /// Returns the entry's index. The state moves on; restore() takes a failed batch back.
  std::uint64_t put(Batch& batch, const Draft& draft, std::int64_t wall_ms);
  [[nodiscard]] ChainState state() const { return state_; }
  void restore(const ChainState& state) { state_ = state; }
  [[nodiscard]] const std::string& producer_json() const { return producer_json_; }
  [[nodiscard]] const std::string& boot_id() const { return boot_id_; }

 private:
  void put_one(Batch& batch, const Draft& draft, std::int64_t wall_ms);
  const std::string& time_text(std::int64_t wall_ms);

  std::string producer_json_;
  std::string boot_id_;
  ChainState state_;
  std::int64_t time_ms_ = INT64_MIN;  // of time_
  std::string time_;
};

}  // namespace theriac::audit
