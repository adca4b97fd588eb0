// The statements that a program is known to send, for a gateway that takes no others on protected
// tables (strict mode).
//
// A file of SQL: one statement a line, with `\n` and `\\` for line breaks and backslashes in it;
// empty lines and lines that begin with `--` are skipped. A statement is known if it differs from
// one of the file in its literals only, kind for kind (literals.hpp), or not at all.
//
// Threading: does not change after it was read; share it freely.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "base/error.hpp"

namespace theriac::rewrite {

class KnownStatements {
 public:
  /// Code::kMalformed with the line in `where` for a backslash before anything else.
  static Result<KnownStatements> parse(std::string_view text);
  /// One line of such a file.
  static std::string line_of(std::string_view sql);

  [[nodiscard]] bool knows(std::string_view sql) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

 private:
  std::unordered_set<std::string> keys_;
};

}  // namespace theriac::rewrite
