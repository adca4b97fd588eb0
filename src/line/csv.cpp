#include "line/csv.hpp"

#include <optional>

namespace theriac::line {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t line() const { return line_; }

  /// The next line's cells; nullopt: it is broken.
  std::optional<std::vector<std::string>> next() {
    std::vector<std::string> cells;
    for (;;) {
      auto cell = next_cell();
      if (!cell) return std::nullopt;
      cells.push_back(std::move(*cell));
      if (at_end() || end_of_line()) return cells;
      if (text_[at_] != ',') return std::nullopt;
      ++at_;
    }
  }

 private:
  std::optional<std::string> next_cell() {
    if (at_end() || text_[at_] != '"') {
      const auto end = std::min(text_.find_first_of(",\"\r\n", at_), text_.size());
      std::string cell(text_.substr(at_, end - at_));
      at_ = end;
      if (!at_end() && text_[at_] == '"') return std::nullopt;
      return cell;
    }
    std::string cell;
    for (++at_;;) {
      const auto quote = text_.find('"', at_);
      if (quote == std::string_view::npos) return std::nullopt;
      for (const char c : text_.substr(at_, quote - at_)) line_ += c == '\n' ? 1 : 0;
      cell += text_.substr(at_, quote - at_);
      at_ = quote + 1;
      if (at_end() || text_[at_] != '"') return cell;
      cell += '"';
      ++at_;
    }
  }
  bool end_of_line() {
    const auto rest = text_.substr(at_);
    const std::size_t bytes = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
    at_ += bytes;
    line_ += bytes > 0 ? 1 : 0;
    return bytes > 0;
  }

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

tl::expected<CsvTable, std::size_t> parse_csv(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CsvReader reader(text);
  CsvTable table;
  if (reader.at_end()) return tl::unexpected(std::size_t{1});
  auto columns = reader.next();
  if (!columns) return tl::unexpected(std::size_t{1});
  table.columns = std::move(*columns);
  while (!reader.at_end()) {
    const auto line = reader.line();
    auto cells = reader.next();
    if (!cells || cells->size() != table.columns.size()) return tl::unexpected(line);
    table.rows.push_back({line, std::move(*cells)});
  }
  return table;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace theriac::line
