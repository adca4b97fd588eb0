// The literals of a text, so that one plan serves all texts that differ in nothing else. Pure
// functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace theriac::rewrite {

/// One literal token: a quoted string or an unsigned number.
struct LiteralToken {
  enum class Kind : std::uint8_t { kString, kInt4, kInt8, kNumeric };
  Kind kind = Kind::kString;
  std::size_t offset = 0, size = 0;  ///< bytes of the text, quotes included
};

/// What texts that differ in their literals only have in common.
struct TextShape {
  std::string key;  ///< the text with each literal replaced by its kind
  std::vector<LiteralToken> tokens;
};

/// nullopt if the extent of every literal is not certain from a look at the characters alone
/// (E'', U&'', dollar quotes, strings continued on another line, ...), or there is none.
std::optional<TextShape> shape_of_text(std::string_view sql);

/// The token as it stands in the text.
inline std::string_view raw_of(std::string_view sql, const LiteralToken& token) {
  return sql.substr(token.offset, token.size);
}
/// Its value: a string without quotes, a number as it is written.
std::string value_of(std::string_view sql, const LiteralToken& token);

}  // namespace theriac::rewrite
