// The numbers of one pool: number i of the pool is the i-th text of a secret order, so that each is
// made once without looking, and none tells of another.
//
// Threading: an object belongs to one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "crypto/ff1.hpp"
#include "seal/keys.hpp"
#include "trace/number_rule.hpp"

namespace theriac::trace {

class Numbers {
 public:
  /// Code::kOutOfRange as check(rule); kUnknownKey when `key` is not an index key.
  static Result<Numbers> make(const NumberRule& rule, const seal::LeasedKey& key,
                              const TenantId& tenant, const FieldId& pool);

  /// Serials of the counters first, first + 1, …; appended to `out`. kOutOfRange beyond the
  /// capacity.
  Status draw(std::uint64_t first, std::size_t count, std::vector<std::string>& out);
  /// Which number of the pool a serial is; nullopt: of none that the pool may issue.
  std::optional<std::uint64_t> counter_of(std::string_view serial);

  [[nodiscard]] const NumberRule& rule() const { return rule_; }

 private:
  Numbers(NumberRule rule, crypto::Ff1 order) : rule_(std::move(rule)), order_(std::move(order)) {}
  NumberRule rule_;
  crypto::Ff1 order_;
  std::vector<crypto::Ff1Text> texts_;  ///< used again
};

}  // namespace theriac::trace
