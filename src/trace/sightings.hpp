// Where items were scanned last, when that is not written yet: verifications only read, and what
// they saw goes into the store together, a little later. So no scan waits for those who write, and
// one commit serves hundreds.
//
// What a crash takes away are scans of the last moment. Another program learns of a scan when it is
// written.
//
// Threading: any.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "trace/items.hpp"

namespace theriac::trace {

struct Sighting {
  PlaceKey place = kNowhere;
  std::int64_t when_ms = 0;
};

class Sightings {
 public:
  /// Where an item was scanned last; and it is here now. Beyond kSightingsMax items that wait, this
  /// scan is not remembered.
  Result<std::optional<Sighting>> note(Work& work, const ItemKey& item, const Sighting& seen);
  [[nodiscard]] bool waiting() const;
  /// Inside a transaction: all that were noted so far. One thread at a time.
  Status write(Work& work);
  /// What write() wrote is durable.
  void written();

 private:
  using Items = std::map<ItemKey, Sighting>;
  std::optional<Sighting> exchange(const ItemKey& item, const Sighting& seen);

  mutable std::mutex mutex_;
  Items noted_;
  Items writing_;  ///< stays until the next write(): there are readers of older states of the store
  bool written_ = true;
};

}  // namespace theriac::trace
