// Rights on a table, and what they become when columns are protected.
//
// PostgreSQL gives a table-level SELECT or INSERT on every column, present and future, so that a
// right on one column cannot be taken away beside it. Protection therefore translates table-level
// SELECT and INSERT into rights on every other column and on the helpers, for every grantee, the
// owner included. UPDATE, DELETE, TRUNCATE, REFERENCES and TRIGGER stay as they are.
//
// The translation is pure; read_rights asks the database.
#pragma once

#include <string>
#include <vector>

#include "codec/json.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

struct Grant {
  std::string column;   ///< empty: on the table
  std::string grantee;  ///< empty: PUBLIC
  std::string grantor;
  std::string privilege;  ///< "SELECT", "INSERT", ...
  bool grantable = false;

  friend bool operator==(const Grant&, const Grant&) = default;
};

struct Rights {
  std::string owner;
  std::vector<Grant> grants;  ///< in PostgreSQL's order: the table's, then the columns'

  [[nodiscard]] codec::Json to_json() const;
  static Result<Rights> from_json(const codec::Json& json);
};

/// A protected column and the helpers that stand for it.
struct Shadowed {
  std::string plain;
  std::vector<std::string> helpers;
};

/// Today's rights; the default ones are written out.
Result<Rights> read_rights(store::PgConnection& database, std::uint32_t relation);

/// Takes every right away, of every grantee, owner included, and makes sure that none is left.
/// Returns what they were. In the caller's transaction.
Result<Rights> take_all_rights(store::PgConnection& database, std::uint32_t relation,
                               const std::string& table);

/// SQL that takes every right away, of every grantee, owner included. `table` is quoted SQL.
std::vector<std::string> revoke_all(const Rights& rights, const std::string& table);
/// SQL that grants, as the owner, what `rights` become when `shadowed` are protected; everything
/// must have been revoked. `columns`: all of the table's, helpers included. A view has no system
/// columns.
std::vector<std::string> grant_translated(const Rights& rights, const std::string& table,
                                          const std::vector<std::string>& columns,
                                          const std::vector<Shadowed>& shadowed,
                                          bool is_view = false);
/// SQL that grants exactly `rights`, grantors included; everything must have been revoked.
std::vector<std::string> grant_again(const Rights& rights, const std::string& table);

}  // namespace theriac::protect
