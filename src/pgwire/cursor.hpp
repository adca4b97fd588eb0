// Reads the fields of one message body; the first field that does not fit makes everything after it
// empty, so that a reader checks once, at the end. Threading: a value on one stack.
#pragma once

#include <cstring>

#include "base/bytes.hpp"

namespace theriac::pgwire {

class Cursor {
 public:
  explicit Cursor(ByteView body) : rest_(body) {}

  template <std::unsigned_integral T>
  T take() {
    if (rest_.size() < sizeof(T)) return spoil<T>();
    const T value = load_be<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  std::int16_t take_i16() { return static_cast<std::int16_t>(take<std::uint16_t>()); }
  std::int32_t take_i32() { return static_cast<std::int32_t>(take<std::uint32_t>()); }

  /// Up to the next zero byte, which is consumed.
  std::string_view text() {
    const void* end = rest_.empty() ? nullptr : std::memchr(rest_.data(), 0, rest_.size());
    if (end == nullptr) return spoil<std::string_view>();
    const auto size =
        static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - rest_.data());
    const auto found = text_of(rest_.first(size));
    rest_ = rest_.subspan(size + 1);
    return found;
  }
  ByteView bytes(std::size_t size) {
    if (rest_.size() < size) return spoil<ByteView>();
    const auto found = rest_.first(size);
    rest_ = rest_.subspan(size);
    return found;
  }
  /// A count of items of at least `item_bytes` each: refused before anything is allocated for it.
  /// Counts are unsigned on the wire: PostgreSQL takes up to 65535 parameters.
  std::uint16_t count(std::size_t item_bytes) {
    const auto items = take<std::uint16_t>();
    return items * item_bytes <= rest_.size() ? items : spoil<std::uint16_t>();
  }
  /// A value with its length, -1 for null.
  bool value(ByteView& out) {
    const auto size = take_i32();
    if (size < -1) return spoil<bool>();
    out = size < 0 ? ByteView{} : bytes(static_cast<std::size_t>(size));
    return size == -1;
  }

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return good_ && rest_.empty(); }
  [[nodiscard]] ByteView rest() const { return rest_; }

 private:
  template <typename T>
  T spoil() {
    good_ = false;
    rest_ = {};
    return T{};
  }
  ByteView rest_;
  bool good_ = true;
};

}  // namespace theriac::pgwire
