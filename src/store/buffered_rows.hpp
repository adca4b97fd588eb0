// Rows that were read already, kept in one piece of memory. Internal.
//
// Threading: one thread at a time.
#pragma once

#include "store/session_base.hpp"

namespace theriac::store {

class BufferedRows final : public Rows {
 public:
  BufferedRows(SessionBase& session, int columns)
      : reading_(session), columns_(static_cast<std::size_t>(columns)) {}

  /// The row at which `statement` stands.
  void add(const Statement& statement) {
    for (int i = 0; i < static_cast<int>(columns_); ++i) {
      if (statement.is_null(i)) {
        cells_.push_back({.null = true});
      } else if (statement.is_integer(i)) {
        cells_.push_back({.integer = statement.integer(i)});
      } else {
        const ByteView bytes = statement.bytes(i);
        cells_.push_back({.at = memory_.size(), .size = bytes.size()});
        append(memory_, bytes);
      }
    }
  }

  Result<bool> next() override {
    if (at_ == cells_.size()) return false;
    row_ = at_;
    at_ += columns_;
    return true;
  }
  [[nodiscard]] std::int64_t integer(int column) const override { return cell(column).integer; }
  [[nodiscard]] std::string_view text(int column) const override { return text_of(bytes(column)); }
  [[nodiscard]] ByteView bytes(int column) const override {
    return ByteView(memory_).subspan(cell(column).at, cell(column).size);
  }
  [[nodiscard]] bool is_null(int column) const override { return cell(column).null; }

 private:
  struct Cell {
    std::int64_t integer = 0;
    std::size_t at = 0, size = 0;
    bool null = false;
  };
  [[nodiscard]] const Cell& cell(int column) const {
    return cells_.at(row_ + static_cast<std::size_t>(column));
  }

  SessionBase::Reading reading_;
  std::size_t columns_;
  std::vector<Cell> cells_;
  Bytes memory_;
  std::size_t at_ = 0, row_ = 0;
};

}  // namespace theriac::store
