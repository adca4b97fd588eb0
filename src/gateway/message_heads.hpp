// Follows the heads of PostgreSQL messages through a byte stream without copying or keeping bodies:
// what pass-through needs to know where it stands. Works at any split of the stream.
//
// Threading: a value.
#pragma once

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "pgwire/messages.hpp"

namespace theriac::gateway {

class MessageHeads {
 public:
  /// Calls `seen(tag)` for each message whose head is complete, and `status(byte)` for the body of
  /// ReadyForQuery. Returns how many bytes stand before the head that breaks the framing (length
  /// below 4 or above the limit), or all.
  template <typename Seen, typename Status>
  std::size_t follow(ByteView bytes, Seen&& seen, Status&& status) {
    std::size_t at = 0;
    while (at < bytes.size()) {
      if (body_left_ != 0) {
        if (status_next_) status(bytes[at]);
        status_next_ = false;
        const auto step = std::min<std::size_t>(body_left_, bytes.size() - at);
        body_left_ -= static_cast<std::uint32_t>(step);
        at += step;
        continue;
      }
      const auto begin = at;
      const std::uint8_t* head = bytes.data() + at;
      if (head_size_ == 0 && bytes.size() - at >= kHeadBytes) {
        at += kHeadBytes;
      } else {
        const auto step = std::min(kHeadBytes - head_size_, bytes.size() - at);
        std::copy_n(head, step, head_.begin() + static_cast<std::ptrdiff_t>(head_size_));
        head_size_ += step;
        at += step;
        if (head_size_ < kHeadBytes) break;
        head_size_ = 0;
        head = head_.data();
      }
      const auto length = load_be<std::uint32_t>(head + 1);
      if (length < 4 || length - 4 > pgwire::kMessageBytesMax) {
        broken_ = true;
        return begin;
      }
      body_left_ = length - 4;
      const char tag = static_cast<char>(head[0]);
      status_next_ = tag == 'Z';
      seen(tag);
    }
    return at;
  }
  /// Between two messages.
  [[nodiscard]] bool at_boundary() const { return body_left_ == 0 && head_size_ == 0; }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  static constexpr std::size_t kHeadBytes = 5;
  std::array<std::uint8_t, kHeadBytes> head_{};
  std::size_t head_size_ = 0;
  std::uint32_t body_left_ = 0;
  bool status_next_ = false;
  bool broken_ = false;
};

}  // namespace theriac::gateway
