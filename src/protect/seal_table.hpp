// Begin, fill and finish of sealing one table; see migrate.hpp.
#pragma once

#include <string>
#include <vector>

#include "protect/table_work.hpp"
#include "protect/target.hpp"
#include "protect/value_cipher.hpp"

namespace theriac::protect {

struct SealJob {
  std::uint32_t relation = 0;
  std::string schema, table;
  std::vector<Target> fresh;  ///< columns of the policy that are not registered yet
  bool bound = false;         ///< one of the table's classes binds rows
  const policy::Policy* policy = nullptr;
  TenantId tenant;

  [[nodiscard]] std::string name() const { return schema + "." + table; }
};

/// With its partitions and inheriting tables, from wherever the table stands to `sealed`.
Result<TableReport> seal_table(const Services& services, const SealJob& job);

}  // namespace theriac::protect
