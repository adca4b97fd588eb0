#include "http/body_in.hpp"

#include <algorithm>

namespace theriac::http {

std::chrono::milliseconds Pace::left() const {
  const auto allowed = limits_->transfer.count() +
                       static_cast<std::int64_t>(bytes_ * 1000 / limits_->bytes_per_second_min);
  const auto spent = clock_->monotonic_ms() - began_ms_;
  return std::chrono::milliseconds(std::max<std::int64_t>(1, allowed - spent));
}

BodyIn::BodyIn(const RequestHead& head, ByteView early, std::size_t bytes_max, const Limits& limits,
               const Clock& clock, runtime::Stream& stream)
    : framing_(head.framing),
      expect_continue_(head.expect_continue && early.empty()),
      bytes_max_(bytes_max),
      stream_(&stream),
      pace_(limits, clock),
      left_(head.content_length),
      unread_(early),
      done_(framing_ == Framing::kNone || (framing_ == Framing::kLength && left_ == 0)) {}

/// From what was read already; 0: more is wanted, or done_.
Result<std::size_t> BodyIn::take(MutableBytes into) {
  std::size_t count = 0;
  if (framing_ == Framing::kLength) {
    count = static_cast<std::size_t>(std::min<std::uint64_t>({into.size(), unread_.size(), left_}));
    std::copy_n(unread_.begin(), count, into.begin());
    unread_ = unread_.subspan(count);
    left_ -= count;
    done_ = left_ == 0;
  }
  while (framing_ == Framing::kChunked && count == 0 && !unread_.empty() && !done_) {
    const auto step = chunked_.feed(unread_.first(std::min(unread_.size(), into.size())));
    if (!step) {
      refusal_ = step.error();
      return fail(Code::kProtocol, step.error().reason);
    }
    count = step->data.size();
    std::copy_n(step->data.begin(), count, into.begin());
    unread_ = unread_.subspan(step->consumed);
    done_ = chunked_.done();
  }
  received_ += count;
  if (received_ > bytes_max_) return fail(Code::kTooLarge, "body");
  return count;
}

runtime::Task<Result<std::size_t>> BodyIn::receive(MutableBytes into) {
  if (std::exchange(expect_continue_, false)) {
    // RFC 9110, section 10.1.1: not when the client began without waiting for it.
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_->set_idle_deadline(pace_.left());
    const auto sent = co_await stream_->write(view_of(kContinue));
    if (!sent) co_return fail(sent.error());
  }
  stream_->set_idle_deadline(pace_.left());
  auto count = co_await stream_->read_some(into);
  if (count) pace_.add(*count);
  co_return count;
}

runtime::Task<Result<std::size_t>> BodyIn::read(MutableBytes into) {
  if (too_large()) co_return fail(Code::kTooLarge, "body");
  if (into.empty()) co_return std::size_t{0};
  while (!done_) {
    if (!unread_.empty()) {
      auto taken = take(into);
      if (!taken || *taken > 0 || done_) co_return taken;
    } else if (framing_ == Framing::kLength) {
      const auto most = std::min<std::uint64_t>(into.size(), left_);
      const auto count = co_await receive(into.first(static_cast<std::size_t>(most)));
      if (!count) co_return fail(count.error());
      left_ -= *count;
      received_ += *count;
      done_ = left_ == 0;
      co_return *count;
    } else {
      buffer_.resize(kReadBytes);
      const auto count = co_await receive(buffer_);
      if (!count) co_return fail(count.error());
      unread_ = ByteView(buffer_).first(*count);
    }
  }
  co_return std::size_t{0};
}

}  // namespace theriac::http
