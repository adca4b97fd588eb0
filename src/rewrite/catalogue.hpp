// A snapshot of what the analysis must know of a database: relations, columns, and which of them
// are protected in which physical form (gateway.md, "Physical form"). Loaded by protect/, never
// changed after it was made; a new snapshot has a new epoch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.hpp"
#include "pgwire/text_expression.hpp"
#include "pgwire/types.hpp"

namespace theriac::rewrite {

/// A further blind index: of an expression of the value, on columns of characters.
struct ExpressionIndex {
  std::string name;
  pgwire::TextExpression expression;
  std::string domain;
  std::int16_t attribute = 0;  ///< of the helper theriac_index_<number>_<name>
};

/// A table's column whose values a view's column gives.
struct ViewOrigin {
  std::uint32_t relation_oid = 0;
  std::int16_t attribute = 0;  ///< of the plain column
  bool with_row = false;       ///< the row identity stands before the sealed bytes
};

/// How one column is protected. Names of helper columns: theriac_sealed_<number>,
/// theriac_index_<number>; the row identity is theriac_row. Of a view's column v<attribute> stands
/// for the number; the rest is that of the column the values come from (the first of several).
struct Protection {
  int number = 0;                   ///< from the registry table theriac.columns
  std::int16_t view_attribute = 0;  ///< of a view's column; else 0
  std::vector<ViewOrigin>
      origins;  ///< of a view's column, never empty then; the first's is `field`
  FieldId field;
  std::string class_name;
  /// What the policy calls the column, whatever its name is now (policy::ProtectedColumn::name()).
  std::string policy_name;
  bool searchable = false;  ///< has an index helper
  std::string domain;       ///< equality domain
  std::int16_t sealed_attribute = 0;
  std::int16_t index_attribute = 0;  ///< 0 if not searchable
  std::vector<ExpressionIndex> expressions;
  std::shared_ptr<const pgwire::CaseMap> case_map;  ///< where an expression needs it
  bool not_null = false;                            ///< moved to the helper
  /// The column's declared default, if it is a constant: stored form; nullopt: NULL.
  std::optional<std::string> default_stored;
  /// A default that is not a constant: an INSERT that needs it is refused.
  bool default_refused = false;

  [[nodiscard]] std::string label() const {
    return view_attribute == 0 ? std::to_string(number) : "v" + std::to_string(view_attribute);
  }
  [[nodiscard]] std::string sealed_name() const { return "theriac_sealed_" + label(); }
  [[nodiscard]] std::string index_name() const { return "theriac_index_" + label(); }
  /// Ordinals of the index helpers a row has: 0 is the value's own, k is expressions[k - 1].
  [[nodiscard]] std::vector<int> indexes() const;
  [[nodiscard]] std::string index_name(int ordinal) const;
};

struct Column {
  std::string name;
  std::int16_t attribute = 0;  ///< pg_attribute.attnum
  pgwire::ColumnType type;
  std::string type_name;  ///< as SQL, without modifier, right under any search_path
  bool is_array = false;  ///< of an array type
  bool helper = false;    ///< one of ours: clients must not see or name it
  std::optional<Protection> protection;
  bool generated = false;  ///< GENERATED ... STORED: COPY leaves it out
};

struct Relation {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  char kind = 'r';             ///< pg_class.relkind
  std::uint32_t row_type = 0;  ///< pg_class.reltype
  std::vector<Column> columns;
  bool bound = false;  ///< rows carry theriac_row, sealed values carry it too
  /// Partitions or inheriting tables may hold rows of it: a row is named by tableoid and ctid.
  bool has_members = false;
  /// The tables it is a partition of, or inherits from: object ids.
  std::vector<std::uint32_t> parents;
  /// Attribute sets that are unique and not null, none of them protected.
  std::vector<std::vector<std::int16_t>> keys;
  /// Views and materialised views: reads a protected column, directly or through others.
  bool reads_protected = false;
  /// A view over protected columns in its protected form: columns that give protected values are
  /// NULL and have helpers as a table's have (view.hpp).
  bool recreated = false;
  /// Of such a view: columns of tables whose values it compares, (relation, attribute). Who reads
  /// the view compares them.
  std::vector<std::pair<std::uint32_t, std::int16_t>> compared;

  [[nodiscard]] bool is_view() const { return kind == 'v'; }
  [[nodiscard]] bool is_protected() const;
  /// A value of a key is that of one row: a key of an inherited table is not one of its children.
  [[nodiscard]] bool keys_name_rows() const { return kind == 'p' || !has_members; }
  /// Protected and no view: DDL on it can be followed.
  [[nodiscard]] bool is_protected_table() const { return !is_view() && is_protected(); }
  [[nodiscard]] const Column* find(std::string_view column) const;
  [[nodiscard]] const Column* find_attribute(std::int16_t attribute) const;
};

/// A column that the policy names and the database does not have yet: whoever makes it makes it
/// protected (docs/protect.md, "Tables that do not exist yet").
struct Awaited {
  std::string schema, table, column;
};

/// What schema theriac_catalog of the database has: names of catalogues, views and functions that
/// a client's statement must find there (overlay.hpp). Empty: nothing is redirected.
struct Overlay {
  std::unordered_set<std::string> relations;
  std::unordered_set<std::string> with_system_columns;  ///< also as theriac_system_<name>
  std::unordered_set<std::string> functions;
  [[nodiscard]] bool empty() const { return relations.empty(); }
};

class Catalogue {
 public:
  /// `adopts`: the database has the functions that give a new column its protected form.
  Catalogue(std::uint64_t epoch, std::vector<Relation> relations, std::vector<Awaited> awaited = {},
            bool adopts = false, Overlay overlay = {});
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] const std::vector<Relation>& relations() const { return relations_; }
  /// Resolves as PostgreSQL does: an empty schema searches `path` (pg_catalog first, unless it is
  /// named in the path). nullptr: not in this snapshot.
  [[nodiscard]] const Relation* find(std::string_view schema, std::string_view name,
                                     const std::vector<std::string>& path) const;
  [[nodiscard]] const Relation* find(std::uint32_t oid) const;
  /// The relation that holds this very column; nullptr: none does.
  [[nodiscard]] const Relation* holder(const Column& column) const;
  [[nodiscard]] bool has_protected() const { return has_protected_; }
  [[nodiscard]] const Overlay& overlay() const { return overlay_; }
  [[nodiscard]] const std::vector<Awaited>& awaited() const { return awaited_; }
  [[nodiscard]] bool adopts() const { return adopts_; }
  /// Is a column of a table of this name awaited, in any schema?
  [[nodiscard]] bool awaits_table(std::string_view name) const;
  /// Could this text name a protected relation, a view on one, an awaited table, or one of our
  /// helpers? A fast, conservative look: false only if none of their names, nor "theriac", nor U&"
  /// occurs.
  [[nodiscard]] bool may_concern(std::string_view sql) const;
  /// Could it name an overlaid catalogue or function? Names of information_schema's views are as
  /// common as `columns`: by themselves they count only if the search path may lead there
  /// (`with_information_schema`).
  [[nodiscard]] bool may_read_overlaid(std::string_view sql, bool with_information_schema) const;

 private:
  void watch(std::string_view table);

  std::uint64_t epoch_;
  std::vector<Relation> relations_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
  std::unordered_map<std::uint32_t, std::size_t> by_oid_;
  std::vector<std::string> watched_;  ///< lower-case names
  std::vector<Awaited> awaited_;
  bool has_protected_ = false;
  bool adopts_ = false;
  Overlay overlay_;
  std::vector<std::string> overlaid_;  ///< names of pg_catalog and functions, sorted
};

}  // namespace theriac::rewrite
