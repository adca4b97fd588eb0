// Is this pack what it says it is? From any scan: genuine, or why not.
//
// Two things give a copy away: what its code says beside the number (lot, expiry) is not what was
// made, and one number is seen at two places sooner than a pack can travel, or is dispensed twice.
// A number that was issued and that nothing bears yet, on a pack, was stolen before it was used.
//
// Threading: as the session of the Work; a Guesses belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/language.hpp"
#include "trace/sightings.hpp"
#include "trace/tracker.hpp"

namespace theriac::trace {

enum class Verdict : std::uint8_t {
  kGenuine,
  kUnknown,     ///< nobody here made it
  kWrongState,  ///< made here, and not to be given to anybody: reason
  kExpired,
  kRecalled,
  kSuspicious,  ///< a person must look: reason
};
std::string_view name_of(Verdict verdict);

enum class Reason : std::uint8_t {
  kNone,
  kNotACode,        ///< kUnknown
  kUnknownProduct,  ///< kUnknown
  kNeverIssued,     ///< kUnknown
  kState,           ///< kWrongState: the state says it
  kNotReleased,     ///< kWrongState
  kNeverMade,       ///< kSuspicious: issued, and nothing bears it
  kDataDiffer,      ///< kSuspicious: lot or expiry of the code
  kTwoPlaces,       ///< kSuspicious
  kDispensedTwice,  ///< kSuspicious: dispensed elsewhere
};
std::string_view name_of(Reason reason);

struct VerifyAt {
  PlaceKey place =
      kNowhere;  ///< where it was scanned; kNowhere: not said, then nothing is remembered
  std::int64_t when_ms = 0;
};

struct Verified {
  Verdict verdict = Verdict::kUnknown;
  Reason reason = Reason::kNone;
  std::optional<State> state;        ///< of an item that is known
  std::optional<Identity> identity;  ///< of what was read
  std::int64_t lot = 0;
  std::optional<PlaceKey> other_place;  ///< kTwoPlaces, kDispensedTwice: where else
  /// Somebody must be told.
  [[nodiscard]] bool alarming() const {
    return verdict == Verdict::kSuspicious || state == State::kStolen;
  }
};

/// Reads only: that the item was seen is noted in `sightings`, for somebody to write.
Result<Verified> verify(Work& work, std::string_view scan, const VerifyAt& at,
                        Sightings& sightings);

/// Limits against somebody who tries numbers: of each client so many unknown ones in an hour.
class Guesses {
 public:
  Guesses(int unknown_max, std::size_t clients_max = 10'000)
      : unknown_max_(unknown_max), clients_max_(clients_max) {}
  /// False: this client has tried too many and is to be refused.
  [[nodiscard]] bool may_ask(std::string_view client, std::int64_t now_ms) const;
  /// True once an hour for a client that has just reached the limit: raise an alarm.
  bool note(std::string_view client, const Verified& answer, std::int64_t now_ms);

 private:
  struct Count {
    std::int64_t since_ms = 0;
    int unknown = 0;
  };
  int unknown_max_;
  std::size_t clients_max_;
  std::map<std::string, Count, std::less<>> counts_;
};

}  // namespace theriac::trace
