// Seals and opens the values of one table's columns, with keys asked for anew at each batch, so
// that a revoked or ended lease stops the work.
//
// Threading: belongs to one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "lease/lease.hpp"
#include "protect/registry.hpp"
#include "seal/sealed.hpp"

namespace theriac::protect {

class ValueCipher {
 public:
  /// `buckets` by class; a class that is not in it does not pad.
  ValueCipher(const lease::KeySource& keys, Random& random,
              std::map<std::string, seal::Buckets> buckets);

  /// Gets the keys of these columns' classes; call before each batch. `sealing` asks for active
  /// keys of the registered suite (Code::kUnknownKey, kPolicyInvalid). kRevoked and kLeaseExpired
  /// as from the source; kConflict if the keys are of another tenant than `tenant`.
  Status refresh(const std::vector<RegisteredColumn>& columns, const TenantId& tenant,
                 bool sealing);

  struct Made {
    Bytes sealed;
    std::vector<seal::IndexToken> indexes;  ///< in the order of index_names()
  };
  /// `stored` is the value's stored form; `row` exactly when the column is bound.
  Result<Made> seal(const RegisteredColumn& column, const std::optional<RowId>& row,
                    std::string_view stored);
  /// The stored form. Verifies `indexes`, as many as index_names(), against the opened value.
  /// `at` is overwritten. Code::kNotAuthentic, kUnknownKey, kMismatch.
  Status open(const RegisteredColumn& column, const std::optional<RowId>& row, ByteView sealed,
              const std::vector<Bytes>& indexes, Bytes& at);
  /// "class:version, …" of the keys that seal, for the log.
  [[nodiscard]] std::string key_versions() const;

 private:
  struct PerClass {
    std::uint64_t generation = 0;
    std::uint32_t version = 0;
    std::optional<seal::Sealer> sealer;
    seal::Opener opener;
  };
  [[nodiscard]] seal::Binding binding(const RegisteredColumn& column,
                                      const std::optional<RowId>& row) const;
  Status refresh_class(const RegisteredColumn& column, bool sealing);
  Status refresh_indexers(const RegisteredColumn& column);
  Result<std::vector<seal::IndexToken>> indexes_of(const RegisteredColumn& column,
                                                   std::string_view stored);

  const lease::KeySource* keys_;
  Random* random_;
  std::map<std::string, seal::Buckets> buckets_;
  TenantId tenant_;
  std::map<std::string, PerClass> classes_;
  std::map<int, std::vector<seal::Indexer>> indexers_;  ///< by column number
};

}  // namespace theriac::protect
