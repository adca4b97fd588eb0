// The words and marks a written date or time is made of. Threading: values.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace theriac::pgwire {

struct Token {
  enum class Kind : std::uint8_t {
    kNumber,  ///< digits, possibly with a decimal point
    kDate,    ///< starts with digits and holds two delimiters: 2026-11-21, 21-Nov-2026
    kTime,    ///< 10:30:00.5
    kOffset,  ///< +08:00
    kWord,    ///< letters only
    kName,    ///< letters, then marks or digits: Nov-21-2026, America/New_York, utc+8
  };
  Kind kind = Kind::kNumber;
  std::string_view text;
};

class TokenList {
 public:
  static constexpr std::size_t kMax = 16;
  static Result<TokenList> of(std::string_view text);
  [[nodiscard]] const Token* begin() const { return tokens_.data(); }
  [[nodiscard]] const Token* end() const { return tokens_.data() + count_; }

 private:
  std::array<Token, kMax> tokens_;
  std::size_t count_ = 0;
};

/// A word with a fixed meaning.
struct Keyword {
  enum class Kind : std::uint8_t {
    kMonth,
    kWeekday,
    kBeforeNoon,
    kAfterNoon,
    kAd,
    kBc,
    kTimeMark,
    kDependsOnNow,
    kRefused
  };
  Kind kind = Kind::kRefused;
  int value = 0;
};
/// In any case; nullopt for other words.
std::optional<Keyword> keyword_of(std::string_view word);

}  // namespace theriac::pgwire
