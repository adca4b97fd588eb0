// Counts of an entry that is not written yet.
//
// Who does many like things in a row (statements of a session) appends one entry for those that
// fall into one group commit: add() until it says that the log has taken the counts, then begin
// another.
//
// Threading: any.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace theriac::audit {

class Tally {
 public:
  using Count = std::pair<std::string, std::uint64_t>;  ///< member of the entry's details
  explicit Tally(std::vector<Count> counts) : counts_(std::move(counts)) {}

  /// Adds to each count, in their order; as many as there are. False, with nothing added: the entry
  /// is being written.
  bool add(std::initializer_list<std::uint64_t> more) {
    const std::scoped_lock lock(mutex_);
    if (closed_) return false;
    auto count = counts_.begin();
    for (const auto one : more) (count++)->second += one;
    return true;
  }
  /// What it came to; from now on nothing is added.
  std::vector<Count> close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    return counts_;
  }

 private:
  std::mutex mutex_;
  std::vector<Count> counts_;
  bool closed_ = false;
};

}  // namespace theriac::audit
