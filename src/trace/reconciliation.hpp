// What became of a lot's numbers, and where that differs from what others counted.
//
// issued = commissioned + rejected + sampled + destroyed + returned + unused, whatever was done
// (reconciliation_test.cpp tries).
//
// Threading: as the session of the Work.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "trace/records.hpp"

namespace theriac::trace {

/// Every number of a lot is in exactly one of these.
enum class Fate : std::uint8_t {
  kCommissioned,  ///< and whatever came after, but what is counted below
  kRejected,      ///< out of use before it was commissioned
  kSampled,
  kDestroyed,
  kReturned,
  kUnused,  ///< neither used nor returned yet
};
inline constexpr std::size_t kFates = 6;
std::string_view name_of(Fate fate);

struct Reconciliation {
  std::int64_t issued = 0;
  std::array<std::int64_t, kFates> counts{};
  [[nodiscard]] std::int64_t operator[](Fate fate) const {
    return counts[static_cast<std::size_t>(fate)];
  }
  std::int64_t& operator[](Fate fate) { return counts[static_cast<std::size_t>(fate)]; }
  /// False only when rows were taken away or made up.
  [[nodiscard]] bool adds_up() const;
};
Result<Reconciliation> reconcile(Work& work, std::int64_t lot);

/// What a line or a person counted; what was not counted is not compared.
using Counted = std::array<std::optional<std::int64_t>, kFates>;
struct Difference {
  Fate fate{};
  std::int64_t here = 0, counted = 0;
  friend bool operator==(const Difference&, const Difference&) = default;
};
std::vector<Difference> compare(const Reconciliation& here, const Counted& counted);

}  // namespace theriac::trace
