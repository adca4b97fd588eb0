// Seals, opens and indexes column values with the keys of the current lease.
//
// One Ciphers per event-loop thread, shared by the sessions of that loop: the objects underneath
// belong to one thread at a time. Sealers, openers and indexers are made again whenever the lease's
// keys change (KeySource::generation), so that a revoked key is forgotten at once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/random.hpp"
#include "lease/lease.hpp"
#include "policy/policy.hpp"
#include "rewrite/catalogue.hpp"
#include "seal/sealed.hpp"

namespace theriac::gateway {

/// A protected column with all that is needed to seal its values.
struct ColumnRef {
  const rewrite::Relation* relation = nullptr;  ///< owned by the catalogue snapshot of the plan
  const rewrite::Column* column = nullptr;      ///< has protection
  [[nodiscard]] const rewrite::Protection& protection() const { return *column->protection; }
  [[nodiscard]] std::string name() const {
    return relation->schema + "." + relation->name + "." + column->name;
  }
};

class Ciphers {
 public:
  Ciphers(const lease::KeySource& keys, const policy::Policy& policy, Random& random)
      : keys_(&keys), policy_(&policy), random_(&random) {}

  /// May this class be used now? kRevoked, kLeaseExpired, kClockMoved.
  Status check(const std::string& class_name, bool reading);

  /// `row` is present exactly for bound relations.
  Result<Bytes> seal(const ColumnRef& column, const std::optional<RowId>& row,
                     std::string_view stored);
  /// The same into a buffer that is used again.
  Status seal_into(const ColumnRef& column, const std::optional<RowId>& row,
                   std::string_view stored, Bytes& out);
  /// Opens sealed bytes and returns the stored form in `out`.
  Status open(const ColumnRef& column, const std::optional<RowId>& row, ByteView sealed,
              Bytes& out);
  /// `ordinal` as in rewrite::Protection::indexes().
  Result<seal::IndexToken> index(const ColumnRef& column, std::string_view stored, int ordinal = 0);
  /// Of the text an expression has given: a comparand of index `ordinal`, which is not 0.
  Result<seal::IndexToken> index_text(const ColumnRef& column, std::string_view text, int ordinal);
  /// What a pseudonym is written from: of the value, for one recipient, under the class's index key
  /// but apart from every blind index. Equal for equal values of one equality domain.
  Result<policy::PseudonymToken> pseudonym(const ColumnRef& column, std::string_view stored,
                                           std::string_view recipient);

 private:
  struct ClassState {
    std::optional<seal::Sealer> sealer;
    std::map<std::string, seal::Indexer> indexers;  ///< by label and domain
  };
  Result<seal::Indexer*> indexer(const ColumnRef& column, const std::string& domain,
                                 const std::string& label);
  Result<ClassState*> state(const std::string& class_name, bool reading);
  void forget();

  const lease::KeySource* keys_;
  const policy::Policy* policy_;
  Random* random_;
  std::shared_ptr<const lease::Keyring> ring_;  ///< the one everything below was made from
  std::map<std::string, ClassState> classes_;
  seal::Opener opener_;
};

}  // namespace theriac::gateway
