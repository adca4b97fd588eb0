// Indexes and extended statistics of one table when its columns become sealed: recorded in the
// registry, dropped, and made anew on the helpers or on the erased column.
#pragma once

#include <string>
#include <vector>

#include "protect/registry.hpp"
#include "protect/tree.hpp"

namespace theriac::protect {

/// In the caller's transaction, under his lock. Adds to what is to be run: `drops` before the table
/// is rewritten, then `after`, then `attach`, each for all tables of a tree, parents first.
class MovedObjects {
 public:
  MovedObjects(store::PgConnection& database, const Part& part,
               const std::vector<RegisteredColumn>& columns)
      : database_(&database), part_(&part), columns_(&columns) {}

  /// Code::kPolicyInvalid for an index that cannot stand on a helper.
  Status move_indexes(std::vector<std::string>& drops, std::vector<std::string>& after,
                      std::vector<std::string>& attach);
  /// They keep samples of the values: made anew they have none.
  Status drop_statistics(std::vector<std::string>& drops, std::vector<std::string>& after);

 private:
  store::PgConnection* database_;
  const Part* part_;
  const std::vector<RegisteredColumn>* columns_;
};

}  // namespace theriac::protect
