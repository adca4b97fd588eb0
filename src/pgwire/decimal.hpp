// PostgreSQL's numeric: exact decimals with a display scale, NaN and the infinities. No arithmetic,
// only reading, rounding to a column's type, and writing.
// Source: PostgreSQL 15 manual, 8.1.2; binary form as its numeric_send writes it. Threading:
// values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac::pgwire {

/// Digits a numeric can hold before and after the decimal point.
inline constexpr std::int64_t kNumericIntegerDigitsMax = 131'072;
inline constexpr std::int64_t kNumericScaleMax = 16'383;

class Decimal {
 public:
  /// PostgreSQL's input syntax: white space around, sign, digits, point, exponent, NaN, infinities.
  /// Code::kMalformed, or kOutOfRange for an exponent no numeric can have. The limits of the type
  /// are checked by fit().
  static Result<Decimal> parse(std::string_view text);
  /// The binary format; digits beyond the given scale are dropped, as PostgreSQL does.
  static Result<Decimal> from_binary(ByteView value);
  static Decimal from_integer(std::int64_t value);
  /// Only what text() can return.
  static std::optional<Decimal> from_stored(std::string_view stored);

  /// Rounds half away from zero to numeric(p,s) given as atttypmod (-1: none) and checks the limits
  /// of precision and of the type; Code::kOutOfRange. Must succeed before anything below is called.
  Status fit(std::int32_t modifier);
  /// Rounds half away from zero. kUnsupported for NaN and infinities, as PostgreSQL's casts;
  /// kOutOfRange beyond 64 bits.
  [[nodiscard]] Result<std::int64_t> to_integer() const;
  /// As PostgreSQL prints it.
  [[nodiscard]] std::string text() const;
  /// Equal for equal numbers of any scale: the shortest plain notation, "150", "1.5", "NaN".
  [[nodiscard]] std::string equality_text() const;
  void append_binary(Bytes& out) const;

 private:
  enum class Kind : std::uint8_t { kFinite, kNan, kInfinity, kMinusInfinity };
  void round_at(std::int64_t scale);
  void truncate_at(std::int64_t scale);
  void normalise();
  /// Digits before the decimal point; may be negative for small fractions.
  [[nodiscard]] std::int64_t point() const {
    return static_cast<std::int64_t>(digits_.size()) + exponent_;
  }
  [[nodiscard]] std::string_view special_text() const;
  /// Plain notation with `scale` digits after the point.
  [[nodiscard]] std::string plain(std::int64_t scale) const;

  Kind kind_ = Kind::kFinite;
  bool negative_ = false;
  std::string digits_;         ///< no leading zeros; empty is zero
  std::int64_t exponent_ = 0;  ///< value = digits * 10^exponent
  std::int64_t scale_ = 0;     ///< digits shown after the point; exponent_ >= -scale_
};

}  // namespace theriac::pgwire
