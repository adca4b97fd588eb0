// The rows of an answer as values: what libpq returned, or what came over a client's connection. In
// text format.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/pg.hpp"

namespace theriac::protect {

class Rows {
 public:
  using Row = std::vector<std::optional<std::string>>;
  explicit Rows(std::vector<Row> rows = {}) : rows_(std::move(rows)) {}
  static Rows of(const store::PgResult& result) {
    std::vector<Row> rows(result.rows());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t c = 0; c < result.columns(); ++c) {
        rows[i].emplace_back(result.value(i, c));
      }
    }
    return Rows(std::move(rows));
  }
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  /// nullopt is SQL NULL; also for a column the answer does not have.
  [[nodiscard]] std::optional<std::string_view> value(std::size_t row, std::size_t column) const {
    const auto& of = rows_.at(row);
    if (column >= of.size() || !of[column]) return std::nullopt;
    return std::string_view(*of[column]);
  }

 private:
  std::vector<Row> rows_;
};

}  // namespace theriac::protect
