// The schema's words (engine.hpp) in an engine's own, and the texts of the batch statements.
//
// The input is the program's own text, not a user's: what cannot be read is Code::kInternal.
//
// Threading: free functions on values.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace theriac::store {

enum class Dialect { kSqlite, kPostgresql };

/// Schema statements as the engine reads them. `partitions` of each PARTITIONED table are made.
Result<std::string> in_dialect(Dialect dialect, std::string_view schema_sql, int partitions);

/// Lower-case letters, digits and _, not beginning with a digit, at most 48: what may stand in SQL
/// as the name of a table or column, with room for the number of a partition.
bool is_name(std::string_view text);

/// The highest n of the $n in a statement.
std::size_t parameters_in(std::string_view sql);

/// "a, b, c"
std::string joined(std::span<const std::string_view> names);

}  // namespace theriac::store
