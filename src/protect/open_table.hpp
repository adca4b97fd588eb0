// Opening one table again: the reverse of seal_table.hpp, from any state, in the same three steps.
#pragma once

#include <string>

#include "protect/table_work.hpp"
#include "protect/value_cipher.hpp"

namespace theriac::protect {

struct OpenJob {
  std::uint32_t relation = 0;
  std::string schema, table;
  TenantId tenant;

  [[nodiscard]] std::string name() const { return schema + "." + table; }
};

Result<TableReport> open_table(const Services& services, const OpenJob& job);

}  // namespace theriac::protect
