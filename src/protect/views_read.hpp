// Views over columns, as they are in the database and as the registry knows them: for views.cpp and
// views_taken.cpp.
#pragma once

#include <string>
#include <vector>

#include "protect/sql_text.hpp"
#include "rewrite/view.hpp"

namespace theriac::protect {

struct View {
  std::uint32_t oid = 0;
  std::string schema, name, definition, options;
  bool materialised = false, checked = false, rules = false, triggers = false, used = false;
  bool registered = false;
  bool kept = false;  ///< a view of the registry says what it said
  std::vector<rewrite::ViewColumn> columns;
  std::vector<std::string> standing;  ///< helpers it has

  [[nodiscard]] std::string sql() const { return qualified_sql(schema, name); }
  [[nodiscard]] std::string object() const { return schema + "." + name; }
};

/// Columns whose views are wanted, as array literals without the closing brace.
struct Watched {
  std::string relations = "{", attributes = "{";
  void add(std::uint32_t relation, std::int16_t attribute);
  /// Columns in their protected form, and their helpers.
  void add(const rewrite::Relation& relation);
};

/// Views (and materialised ones) over the columns, those over others of them later.
Result<std::vector<View>> read_views(store::PgConnection& database, const Watched& watched);

}  // namespace theriac::protect
