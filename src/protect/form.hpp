// The physical form of a protected table as SQL text (gateway.md, "Physical form"). Pure.
#pragma once

#include <string>
#include <vector>

#include "protect/registry.hpp"
#include "protect/rights.hpp"
#include "protect/target.hpp"

namespace theriac::protect {

/// ALTER TABLE that adds the helper columns; `with_row` adds theriac_row.
std::string add_helpers(const std::string& table_sql, const std::vector<RegisteredColumn>& columns,
                        bool with_row);
/// ALTER TABLE that takes them away again.
std::string drop_helpers(const std::string& table_sql, const std::vector<RegisteredColumn>& columns,
                         bool with_row);
/// ALTER TABLE that frees the plain columns of NOT NULL and default.
std::string free_plain(const std::string& table_sql, const std::vector<RegisteredColumn>& columns);
/// ALTER TABLE that rewrites the table, with all that inherit from it, and puts the constraints on.
/// Indexes follow.
std::string make_form(const std::string& table_sql, const std::vector<RegisteredColumn>& columns,
                      bool with_row);
/// What a partition or child has of its own: NOT NULL where its parent has none.
std::vector<std::string> own_form(const std::string& table_sql,
                                  const std::vector<RegisteredColumn>& columns);
/// The ordinary index on an index helper of a table that holds rows.
std::string make_lookup(const std::string& table_sql, const RegisteredColumn& column,
                        const std::string& helper);
/// UNIQUE (theriac_row), of one table: a key of a partitioned one would need its partition key.
std::string make_row_unique(const std::string& table_sql,
                            const std::vector<RegisteredColumn>& columns);
/// The CHECK on a sealed helper: version, suite, flags and least length.
std::string form_condition(const RegisteredColumn& column);
/// UNIQUE (theriac_row) carries this name.
std::string row_constraint(const std::vector<RegisteredColumn>& columns);

/// An index or unique constraint again under its own name, as `text` now says.
std::vector<std::string> make_index(const std::string& schema, const std::string& table_sql,
                                    const TargetIndex& index, const IndexText& text);
/// Once both stand there: of an index with `attach_to`.
std::string attach_index(const std::string& schema, const TargetIndex& index);
std::string drop_index(const std::string& schema, const std::string& table_sql,
                       const std::string& name, const std::string& constraint);

/// Extended statistics anew, without data, in the place of those of the same name. `recorded`:
/// schema, name, definition, owner, target, comment.
std::vector<std::string> make_statistics(const codec::Json& recorded);

codec::Json index_to_json(const TargetIndex& index);
Result<TargetIndex> index_from_json(const codec::Json& json);

/// What the grants need to know of a protected column.
Shadowed shadow_of(const RegisteredColumn& column);

}  // namespace theriac::protect
