// CREATE INDEX as pg_get_indexdef() writes it, taken apart just far enough to put a helper column
// in a protected column's place and keep every other word.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace theriac::protect {

struct IndexText {
  std::string head;                   ///< "CREATE UNIQUE INDEX name"
  std::string method;                 ///< "btree"
  std::vector<std::string> elements;  ///< "phone text_pattern_ops DESC", "lower(name)"
  std::string tail;                   ///< " INCLUDE (a) WITH (fillfactor='90') WHERE …", or empty

  /// Places whose element is the column itself, with or without operator class and order.
  [[nodiscard]] std::vector<std::size_t> places_of(std::string_view column) const;
  /// What stands behind the column in the element at `place`, either part maybe empty.
  struct Rest {
    std::string form;   ///< " COLLATE \"C\" text_pattern_ops": fits the column's type only
    std::string order;  ///< " DESC NULLS LAST"
  };
  [[nodiscard]] Rest after_column(std::size_t place, std::string_view column) const;
  /// Again on `table` (quoted SQL).
  [[nodiscard]] std::string sql(const std::string& table) const;
};

/// Code::kMalformed if the text is not what pg_get_indexdef() writes.
Result<IndexText> parse_index(std::string_view definition);

}  // namespace theriac::protect
