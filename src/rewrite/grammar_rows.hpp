// What the statements of grammar.hpp meet, and other literals for their texts. Used by tests only.
#pragma once

#include <string>
#include <vector>

#include "rewrite/literals.hpp"

namespace theriac::rewrite::testing {

/// INSERTs into the tables of the grammar.
inline const std::vector<std::string>& grammar_rows() {
  static const std::vector<std::string> kRows{
      "INSERT INTO customers VALUES (1, 'secret', 'clinic', '555-1', 'ID1', 10.50, '2001-02-03', "
      "'n1', 'new', '2026-01-01 00:00:00+00')",
      "INSERT INTO customers VALUES (2, 'secret2', 'hospital', NULL, 'ID2', 10.5, '2001-02-03', "
      "'n2', 'old', NULL), (3, 'Ünïcode 张伟', 'clinic', 'secret', NULL, -5, NULL, NULL, NULL, "
      "NULL)",
      "INSERT INTO customers (id, name, kind) VALUES (4, NULL, 'laboratory'), (5, 'secret', NULL)",
      "INSERT INTO customers (id, name, credit, note) VALUES (6, '', 0, ''), (7, 'Secret', 7.5, "
      "'x')",
      "INSERT INTO usage (id, batch_id, customer_id, patient, name, age, used) VALUES "
      "(1, 1, 1, 'secret', 'secret', 42, '2026-01-02'), (2, 1, 2, 'secret2', 'other', 7, NULL), "
      "(3, 2, 1, NULL, 'secret', NULL, '2026-01-03'), (4, 2, 3, 'nobody', NULL, 42, NULL), "
      "(5, 3, 5, '', '', 0, NULL)",
      "INSERT INTO batches (id, batch_no, recipe, qty) VALUES (1, 'secret', 'r1', 5), "
      "(2, 'B2', 'secret2', 6), (3, NULL, NULL, 7)",
      "INSERT INTO orders VALUES (1, 1, 'ann', 5, 'clinic'), (2, 2, 'secret', 6, 'x'), "
      "(3, 1, NULL, 7, NULL), (10, 99, 'bob', 8, 'clinic')",
      "INSERT INTO devices VALUES (1, 'not protected', 'm'), (2, 'secret', 'm2'), (3, NULL, NULL)"};
  return kRows;
}

/// The text with other strings and small numbers of the same kinds: the first one's plan serves it.
template <typename Engine>
std::string with_other_literals(const std::string& sql, Engine& engine) {
  const auto shape = shape_of_text(sql);
  if (!shape) return sql;
  static const std::vector<std::string> kStrings{"'secret2'", "'Ünïcode 张伟'", "'x'",
                                                 "''",        "'it''s'",        "'secret'"};
  std::string out;
  std::size_t at = 0;
  for (const auto& token : shape->tokens) {
    out += sql.substr(at, token.offset - at);
    at = token.offset + token.size;
    auto raw = std::string(raw_of(sql, token));
    if (token.kind == LiteralToken::Kind::kString &&
        raw.find_first_of("0123456789{-") == std::string::npos) {
      raw = kStrings[engine() % kStrings.size()];
    } else if (token.kind == LiteralToken::Kind::kInt4 && engine() % 2 == 0) {
      raw = std::to_string(1 + engine() % 9);
    }
    out += raw;
  }
  return out + sql.substr(at);
}

}  // namespace theriac::rewrite::testing
