// The tables that hold rows of a protected table: itself, its partitions of every level, and the
// tables that inherit from it. Helper columns and their constraints come to them by inheritance;
// rights, NOT NULL, defaults and indexes are each table's own (docs/adr/0009).
//
// Threading: as store::PgConnection.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protect/sql_text.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

struct Part {
  std::uint32_t relation = 0;
  std::string schema, table;
  char kind = 'r';
  bool top = true;  ///< inherits from no other of them

  [[nodiscard]] std::string name() const { return schema + "." + table; }
  [[nodiscard]] std::string sql() const { return qualified_sql(schema, table); }
  [[nodiscard]] bool holds_rows() const { return kind == 'r'; }
};

/// `relations` and all that descends from them, parents before children.
Result<std::vector<Part>> read_parts(store::PgConnection& database,
                                     const std::vector<std::uint32_t>& relations);
/// ACCESS EXCLUSIVE on each, as lock_table().
Status lock_parts(store::PgConnection& database, const std::vector<Part>& parts);

/// Notes the table in the registry if it is not there, under the name the policy knows, with its
/// rights, and takes all of them away: nobody may read or write half-way.
struct TableNames {
  std::string schema, table;
};
Status register_table(store::PgConnection& database, const Part& part, const TableNames& known_as,
                      bool bound);
/// Each registered column of the tops also for the parts that descend from them and do not have it
/// yet, in the same state. The parts' tables are registered.
Status register_members(store::PgConnection& database, const std::vector<Part>& parts);

}  // namespace theriac::protect
