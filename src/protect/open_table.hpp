// Opening one table again, with its partitions and inheriting tables: the reverse of
// seal_table.hpp, from any state, in the same three steps.
#pragma once

#include <string>
#include <vector>

#include "protect/table_work.hpp"
#include "protect/value_cipher.hpp"

namespace theriac::protect {

struct OpenJob {
  std::vector<std::uint32_t> relations;  ///< all that share its columns, detached ones too
  std::string schema, table;
  TenantId tenant;

  [[nodiscard]] std::string name() const { return schema + "." + table; }
};

Result<TableReport> open_table(const Services& services, const OpenJob& job);

}  // namespace theriac::protect
