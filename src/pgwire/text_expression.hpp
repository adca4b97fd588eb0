// The few functions on characters that a blind index may be made of, evaluated as PostgreSQL 15
// does: lower, upper, left and right, and these in each other. Values. Threading: free.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "pgwire/case_map.hpp"

namespace theriac::pgwire {

inline constexpr std::size_t kTextExpressionDepthMax = 8;

class TextExpression {
 public:
  enum class Function : std::uint8_t { kLower, kUpper, kLeft, kRight };
  struct Step {
    Function function = Function::kLower;
    std::int32_t count = 0;  ///< of left and right; negative: all but that many
    friend bool operator==(const Step&, const Step&) = default;
  };

  /// "right(lower(value), 4)", blanks where SQL allows them. Code::kMalformed otherwise.
  static Result<TextExpression> parse(std::string_view text);
  /// The next function around what there is.
  void wrap(Step step) { steps_.push_back(step); }
  /// As parse() reads it, in one way of writing: expressions are equal where this is.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool empty() const { return steps_.empty(); }
  [[nodiscard]] std::size_t depth() const { return steps_.size(); }
  [[nodiscard]] bool needs_case() const;
  /// `value` is UTF-8; `map` is looked at where needs_case().
  [[nodiscard]] std::string apply(std::string_view value, const CaseMap* map) const;
  friend bool operator==(const TextExpression&, const TextExpression&) = default;

 private:
  std::vector<Step> steps_;  ///< from the inside out
};

}  // namespace theriac::pgwire
