// Seals, opens and indexes what track & trace keeps, with the keys of the current lease; and draws
// serial numbers.
//
// Records are sealed whole, bound to what they are and to the row they stand in, so that none can
// be moved to another. What may be asked for by equality has a blind index; indexes of different
// things (domains) have nothing in common.
//
// Keys that are revoked or whose lease has ended are forgotten at the next call, which then fails
// with Code::kRevoked or kLeaseExpired.
//
// Threading: one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "lease/lease.hpp"
#include "seal/sealed.hpp"
#include "trace/numbers.hpp"

namespace theriac::trace {

/// What a sealed record is. The numbers are part of what is sealed: never changed.
enum class Record : std::uint8_t {
  kProduct = 1,
  kLot = 2,
  kPool = 3,
  kItem = 4,
  kEvent = 5,
  kPartner = 6,
  kPlace = 7,
  kDevice = 8,  ///< with its user
  kRecall = 9,
  kWork = 10,    ///< an exception that waits for a person
  kChange = 11,  ///< of master data: who, why, from what
  kDeviceRecord = 12,
  kDocument = 13,
  kNotice = 14,  ///< what a partner was told of a recall, and answered
  kReply = 20,   ///< what a write was answered, kept under its Idempotency-Key (api)
  kName = 30,    ///< a word or place that an event named
  kQuery = 31,   ///< of EPCIS, kept under a name
  kSubscription = 32,
  kCapture = 33,  ///< what became of a capture (api)
};

/// What a blind index is of.
enum class Domain : std::uint8_t {
  kProduct,
  kLot,
  kItem,
  kPartner,
  kPlace,
  kEventId,
  kTerm,
  kWork,
};

/// An item's primary key: the blind index of what identifies it.
using ItemKey = seal::IndexToken;

class Vault {
 public:
  /// `class_name` is the policy class of the keys. `keys` and `random` must outlive it.
  Vault(const lease::KeySource& keys, Random& random, std::string class_name = "serial")
      : keys_(&keys), random_(&random), class_name_(std::move(class_name)) {}

  /// May the keys be used now?
  Status check(bool reading);

  Result<Bytes> seal(Record record, const RowId& row, std::string_view plain);
  /// Code::kNotAuthentic for a record of another kind or row.
  Result<std::string> open(Record record, const RowId& row, ByteView sealed);
  Result<seal::IndexToken> index(Domain domain, std::string_view canonical);

  /// The key that a new pool draws its numbers under; the pool remembers it.
  Result<KeyId> number_key();
  /// kUnknownKey if the lease has no such key.
  Result<Numbers> numbers(const NumberRule& rule, const KeyId& key, const FieldId& pool);

 private:
  Result<const lease::Keyring*> ring(bool reading);
  void forget();
  [[nodiscard]] seal::Binding binding(Record record, const RowId& row) const;

  const lease::KeySource* keys_;
  Random* random_;
  std::string class_name_;
  std::shared_ptr<const lease::Keyring> ring_;  ///< the one that everything below was made from
  std::optional<seal::Sealer> sealer_;
  seal::Opener opener_;
  std::map<Domain, seal::Indexer> indexers_;
  Bytes opened_;
};

/// Of a row with a number for its key.
RowId row_of(Record record, std::int64_t id);
/// Of an item's row.
inline RowId row_of(const ItemKey& key) { return RowId{key}; }

}  // namespace theriac::trace
