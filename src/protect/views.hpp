// Views over protected columns: what they will be (inspect), giving them their protected form while
// a table is sealed, and what they were when it is opened again (rewrite/view.hpp).
//
// Protected form is given by CREATE OR REPLACE VIEW, so that dependents, grants, comments and the
// owner stay; a column that becomes NULL loses its SELECT and INSERT rights as a table's does. The
// original is made again by DROP and CREATE in the order of dependence. All in the caller's
// transaction, with search_path = pg_catalog.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "protect/inspect.hpp"
#include "protect/rights.hpp"
#include "protect/table_work.hpp"
#include "protect/target.hpp"

namespace theriac::protect {

/// Adds a finding for each view over the targets: what will become of it.
Status inspect_views(store::PgConnection& database, const policy::Policy& policy,
                     const std::vector<Target>& targets, std::vector<Finding>& findings);

enum class Remake : std::uint8_t {
  /// While other tables are still to be sealed or opened: a view that has no form now, because it
  /// compares a sealed column with a plain one, stays as it is. Reading it fails for want of
  /// rights.
  kWhatCanBe,
  /// Views that have no form yet; one that cannot have one is Code::kPolicyInvalid.
  kMissing,
};
/// Gives every view over sealed columns its protected form, as far as it does not have it. Returns
/// how many were made again. A literal addressed to a protected column is refused, too: it would
/// stay in the registry in clear.
Result<std::size_t> remake_views(store::PgConnection& database, Remake which);

/// A view that was taken away, to be made again as it was.
struct TakenView {
  std::string schema, name, definition, options, owner, comment;
  Rights rights;
  std::vector<std::pair<std::string, std::string>> comments, defaults;  ///< by column
};
/// Drops the views over the table, those over others of them first.
Result<std::vector<TakenView>> take_views(store::PgConnection& database, std::uint32_t relation);
/// Makes them again from what they said before they were protected.
Status put_views_back(store::PgConnection& database, const std::vector<TakenView>& views);

}  // namespace theriac::protect
