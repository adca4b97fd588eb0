// Pools of serial numbers: making them, allocating numbers of them to a lot and a place, taking
// unused ones back, and lists that others made.
//
// Numbers of two pools of one product cannot be the same: their forms have another length, or
// prefixes of which none begins the other. A number that came back is not issued again: it may have
// been printed.
//
// Errors: Code::kOutOfRange (number_rule.hpp), kConflict (forms that meet, product not active, pool
// closed), kKeyExhausted (the pool has not so many left), kNotFound, kTooLarge.
//
// Threading: as the session of the Work.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trace/identify.hpp"
#include "trace/numbers.hpp"

namespace theriac::trace {

struct Pool {
  std::int64_t id = 0;
  FieldId uid{};
  std::int64_t product = 0;
  bool drawn = true;  ///< false: numbers of others, brought as lists
  bool open = true;
  KeyId number_key{};
  NumberRule rule;          ///< of a drawn pool
  std::int64_t issued = 0;  ///< so far
};

struct Allocation {
  std::int64_t id = 0, pool = 0;
  std::int64_t first = 0, count = 0;
  std::int64_t lot = 0, place = 0, partner = 0;
  std::int64_t when_ms = 0;
  std::int64_t returned = 0;
};

Result<std::int64_t> make_pool(Work& work, std::int64_t product, const NumberRule& rule,
                               const Who& who);
/// No more numbers of it are issued.
Status close_pool(Work& work, std::int64_t pool, const Who& who);
Result<Pool> pool(Work& work, std::int64_t id);
Result<std::vector<Pool>> pools_of(Work& work, std::int64_t product);
/// Rows after `after` in the order of their numbers, at most `limit`.
Result<std::vector<Pool>> pools_of(Work& work, std::int64_t product, std::int64_t after,
                                   std::int64_t limit);

/// Numbers for `lot` at `place` (and, at a contract maker's, its partner).
Result<Allocation> allocate(Work& work, std::int64_t pool, std::int64_t count, std::int64_t lot,
                            std::int64_t place, const Who& who);
Result<Allocation> allocation(Work& work, std::int64_t id);
Result<std::vector<Allocation>> allocations_of(Work& work, std::int64_t lot);
Result<std::vector<Allocation>> allocations_of(Work& work, std::int64_t lot, std::int64_t after,
                                               std::int64_t limit);
/// Its numbers, in no telling order.
Result<std::vector<std::string>> numbers_of(Work& work, const Allocation& allocation);

/// Where a number of a product comes from.
struct Origin {
  Allocation allocation;
  bool returned = false;
};
/// Finds the allocations of a product's numbers; looks into the tables once for each.
class Origins {
 public:
  Origins(Work& work, std::int64_t product) : work_(&work), product_(product) {}
  /// nullopt: never issued (of a drawn pool; listed numbers have their rows).
  Result<std::optional<Origin>> find(std::string_view serial);

 private:
  struct OfPool {
    std::int64_t id;
    Numbers numbers;
    std::map<std::int64_t, Allocation> allocations;  ///< those that were looked up, by first
  };
  Status load();
  Result<std::optional<Allocation>> allocation_of(OfPool& pool, std::int64_t number);
  Work* work_;
  std::int64_t product_;
  bool loaded_ = false;
  std::vector<OfPool> pools_;
};

struct ListedRefusal {
  std::size_t at = 0;            ///< place in the list, from 0
  Code code = Code::kMalformed;  ///< kMalformed, kAlreadyExists (here, or twice in it), kConflict
                                 ///< (a drawn pool's)
};
struct Listed {
  std::int64_t pool = 0, allocation = 0;
  std::int64_t taken = 0;
  std::vector<ListedRefusal> refused;
};
/// Numbers that somebody else made for this product: sealed on arrival, allocated to the lot. With
/// `proceed` the refused ones are left out, without it they stop the whole list.
Result<Listed> bring_list(Work& work, std::int64_t product, std::span<const std::string> serials,
                          std::int64_t lot, std::int64_t place, bool proceed, const Who& who);

/// Unused numbers of an allocation come back. Refused: kNotFound (not of this allocation),
/// kConflict (used, or returned before); nothing is taken then.
Result<std::vector<ListedRefusal>> return_unused(Work& work, std::int64_t allocation,
                                                 std::span<const std::string> serials,
                                                 const Who& who);

}  // namespace theriac::trace
