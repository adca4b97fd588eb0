// Reads from a database what the analysis must know: relations, columns, keys, and the registry
// theriac.columns of protected columns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "policy/policy.hpp"
#include "protect/registry.hpp"
#include "protect/rows.hpp"
#include "rewrite/catalogue.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

/// The questions of one snapshot, one after the other, and what is made of the answers, for whoever
/// does the asking: the gateway's own connection, or a client's in the middle of its transaction.
///
/// Only protected columns whose state in the registry is `sealed` are marked protected. A table in
/// a half-way state, or with its form damaged, is Code::kNotProtected naming it. A registered
/// column that the policy names neither as it was registered nor as it is called now, or that the
/// policy says other things of, is Code::kPolicyInvalid; so is a column that the policy names and
/// that stands there unprotected ("… is not protected"). One that does not exist is awaited.
class CatalogueReading {
 public:
  /// The policy must outlive the reading. `registry_sql`: how the asker gets the rows of
  /// registered_columns_sql(); empty: asks the registry itself.
  CatalogueReading(const policy::Policy& policy, std::uint64_t epoch, std::string registry_sql);
  /// Of a database in the middle of the work: columns that are not sealed, or do not agree with the
  /// policy, are left out.
  void in_work() { in_work_ = true; }
  ~CatalogueReading();
  CatalogueReading(const CatalogueReading&) = delete;
  CatalogueReading& operator=(const CatalogueReading&) = delete;

  /// The next question, without parameters; nullopt: everything was asked.
  std::optional<std::string> next();
  /// The answer to the last question.
  Status take(const Rows& rows);
  /// Once next() gave nullopt.
  Result<std::shared_ptr<const rewrite::Catalogue>> finish();

  struct Building;

 private:
  enum class Step : std::uint8_t {
    kRegistry,
    kColumns,
    kTypes,
    kCase,
    kRelations,
    kAttributes,
    kKeys,
    kReaders,
    kViews,
    kOverlay,
    kEnd
  };
  Status add_types_of_columns();
  Status mark_registered();
  void mark_views();

  const policy::Policy& policy_;
  std::uint64_t epoch_;
  std::string registry_sql_;
  Step step_ = Step::kRegistry;
  bool has_registry_ = false, adopts_ = false, in_work_ = false;
  std::vector<RegisteredColumn> registered_;
  std::optional<TypeTable> types_;
  CaseProof case_proof_{kDefaultCollation};
  std::optional<Error> failed_;
  std::unique_ptr<Building> building_;
  rewrite::Overlay overlay_;
};

/// A consistent snapshot (one REPEATABLE READ transaction) by a CatalogueReading.
Result<std::shared_ptr<const rewrite::Catalogue>> load_catalogue(store::PgConnection& database,
                                                                 const policy::Policy& policy,
                                                                 std::uint64_t epoch);

/// What the database's catalogues say in the caller's transaction, as in_work().
Result<std::shared_ptr<const rewrite::Catalogue>> catalogue_in_work(store::PgConnection& database);

/// Differs whenever the registry, or any table, view, column or unique index of the database (but
/// no temporary one) changed, so that the snapshot is stale. Cheap to ask: about a millisecond for
/// every thousand columns. Compare for inequality; it does not grow. 0 without a registry.
Result<std::uint64_t> schema_fingerprint(store::PgConnection& database);

}  // namespace theriac::protect
