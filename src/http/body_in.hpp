// A request's body as it comes from a stream: framing, limits and pace.
//
// Ownership: the stream belongs to the connection. Threading: its loop.
#pragma once

#include <optional>

#include "http/limits.hpp"
#include "http/message.hpp"
#include "runtime/loop.hpp"

namespace theriac::http {

/// How long a transfer may still take: `transfer` and a second for every bytes_per_second_min.
class Pace {
 public:
  Pace(const Limits& limits, const Clock& clock)
      : limits_(&limits), clock_(&clock), began_ms_(clock.monotonic_ms()) {}
  void add(std::size_t bytes) { bytes_ += bytes; }
  /// At least a millisecond, which is a deadline that passes.
  [[nodiscard]] std::chrono::milliseconds left() const;

 private:
  const Limits* limits_;
  const Clock* clock_;
  std::int64_t began_ms_;
  std::uint64_t bytes_ = 0;
};

class BodyIn final : public BodyReader {
 public:
  /// `early`: what was read behind the head already; it must outlive this.
  BodyIn(const RequestHead& head, ByteView early, std::size_t bytes_max, const Limits& limits,
         const Clock& clock, runtime::Stream& stream);
  runtime::Task<Result<std::size_t>> read(MutableBytes into) override;
  [[nodiscard]] bool done() const { return done_; }
  /// Past the limit by what the head says of it.
  [[nodiscard]] bool too_large() const {
    return framing_ == Framing::kLength && left_ + received_ > bytes_max_;
  }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  /// Content-Length, or 0.
  [[nodiscard]] std::uint64_t announced() const { return left_ + received_; }
  /// Read but not part of the body: of the next request. Valid when done().
  [[nodiscard]] ByteView rest() const { return unread_; }
  /// Why a chunk was refused.
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  Result<std::size_t> take(MutableBytes into);
  runtime::Task<Result<std::size_t>> receive(MutableBytes into);

  Framing framing_;
  bool expect_continue_;
  std::size_t bytes_max_;
  runtime::Stream* stream_;
  Pace pace_;
  std::uint64_t left_;  // of kLength
  std::uint64_t received_ = 0;
  ChunkedDecoder chunked_;
  ByteView unread_;  // in `early` or in buffer_
  Bytes buffer_;     // of kChunked
  bool done_;
  std::optional<Refusal> refusal_;
};

}  // namespace theriac::http
