// Arrays: bounds and elements, as PostgreSQL 15 reads and prints them. What the elements are is not
// known here. Read: what PostgreSQL prints, white space around elements and braces, quotes and
// backslashes. Refused with Code::kMalformed, though PostgreSQL takes them: empty inner braces
// ("{{},{}}"), bounds without a colon, and text beside a quoted part. Threading: values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace theriac::pgwire {

inline constexpr std::size_t kArrayDimensionsMax = 6;
inline constexpr std::size_t kArrayElementsMax = 1'000'000;

struct ArrayValue {
  struct Bound {
    std::int32_t low = 1;
    std::int32_t size = 0;
    friend bool operator==(const Bound&, const Bound&) = default;
  };
  std::vector<Bound> bounds;                         ///< empty: an empty array
  std::vector<std::optional<std::string>> elements;  ///< row by row; nullopt: NULL

  static Result<ArrayValue> parse(std::string_view text, char delimiter);
  /// Elements keep their binary form. Code::kMalformed also for elements of another type.
  static Result<ArrayValue> from_binary(ByteView value, std::uint32_t element_oid);
  [[nodiscard]] std::string text(char delimiter) const;
  void append_binary(Bytes& out, std::uint32_t element_oid) const;
};

}  // namespace theriac::pgwire
