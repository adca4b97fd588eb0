// The values that must never be seen on the wire: made from a seed, so that the driver that uses
// them and the watcher that looks for them know the same ones. Used by tests only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace theriac::adversary {

enum class Kind : std::uint8_t {
  kText,
  kLong,    ///< text beyond the smaller buckets
  kNumber,  ///< digits of a card
  kUuid,
  kInt8,
  kNumeric,
  kBytes
};
inline constexpr std::array<std::string_view, 7> kKindNames{"text", "long",    "number", "uuid",
                                                            "int8", "numeric", "bytes"};

/// In the form in which a statement writes it, without quotes. The first kStored of each kind stand
/// in tables from the beginning.
class Canaries {
 public:
  static constexpr std::size_t kOfEach = 12, kStored = 8;
  explicit Canaries(std::uint64_t seed);
  [[nodiscard]] const std::string& value(Kind kind, std::size_t number) const {
    return values_[static_cast<std::size_t>(kind)][number % kOfEach];
  }
  /// All as the bytes a leak would show, before any encoding.
  [[nodiscard]] std::vector<std::string> leaked_forms() const;

 private:
  std::array<std::vector<std::string>, kKindNames.size()> values_;
};

/// Looks at a stream of bytes for any piece of 8 bytes (12 where all are digits) of a canary: raw,
/// reversed, hex, base64, UTF-16 of both orders, and octal escapes of bytea.
class Search {
 public:
  explicit Search(const std::vector<std::string>& leaked_forms);

  /// One direction of one connection: keeps the end of what it saw.
  struct Stream {
    std::string tail;
  };
  /// The hits in what is new: which value, in which form, and where.
  struct Hit {
    std::size_t value = 0;
    std::string_view form;
    std::string around;
  };
  std::vector<Hit> look(Stream& stream, std::string_view bytes) const;
  [[nodiscard]] std::size_t pieces() const { return pieces_.size(); }

 private:
  struct Piece {
    std::string bytes;  ///< 8 to 32
    std::size_t value;
    std::string_view form;
  };
  void add(std::string_view form, std::size_t value, std::string_view encoded, std::size_t width,
           std::size_t step);
  static constexpr std::size_t kFilterBits = 20;
  static std::size_t slot(std::uint64_t first) {
    return static_cast<std::size_t>((first * 0x9e3779b97f4a7c15ULL) >> (64 - kFilterBits));
  }
  std::vector<Piece> pieces_;
  std::unordered_multimap<std::uint64_t, std::size_t> by_start_;
  std::vector<bool> filter_;
};

}  // namespace theriac::adversary
