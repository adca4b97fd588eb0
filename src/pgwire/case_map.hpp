// lower() and upper() of a PostgreSQL collation, by the C library's locale as the server uses it:
// C and POSIX change ASCII letters only, others character by character. Whether the server's
// library has the same tables is asked of the server once, by a digest (probe_text()).
// Threading: never changes, may be shared.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace theriac::pgwire {

class CaseMap {
 public:
  /// `ctype`: pg_database.datctype or pg_collation.collctype. Code::kUnsupported: a locale that is
  /// not installed here, or not UTF-8.
  static Result<std::shared_ptr<const CaseMap>> find(const std::string& ctype);
  /// `text` must be UTF-8.
  [[nodiscard]] std::string lower(std::string_view text) const;
  [[nodiscard]] std::string upper(std::string_view text) const;
  /// Every character UTF-8 can hold except NUL, in order: what
  /// `SELECT string_agg(chr(i), '' ORDER BY i)` gives over 1..0xd7ff and 0xe000..0x10ffff.
  static std::string probe_text();

 private:
  struct Tables;
  explicit CaseMap(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}
  std::shared_ptr<const Tables> tables_;  ///< null: ASCII only
};

}  // namespace theriac::pgwire
