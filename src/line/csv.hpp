// CSV as RFC 4180 has it: a first line with the names of the columns, quotes where a cell holds a
// comma, quote or line end. LF alone ends a line too; a byte order mark in front is passed over.
//
// Threading: values and free functions.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace theriac::line {

struct CsvRow {
  std::size_t line = 0;            ///< where it begins, from 1
  std::vector<std::string> cells;  ///< as many as columns
};
struct CsvTable {
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;
};

/// Or the line that is wrong: a quote inside a bare cell, text behind a closing quote, a quote that
/// is not closed, another number of cells than columns, no columns at all.
tl::expected<CsvTable, std::size_t> parse_csv(std::string_view text);

/// In quotes where it needs them.
std::string csv_cell(std::string_view text);

}  // namespace theriac::line
