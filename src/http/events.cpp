#include "http/events.hpp"

#include <algorithm>

namespace theriac::http {

Result<std::string> format_event(const Event& event) {
  using namespace std::string_view_literals;
  if (event.name.find_first_of("\r\n"sv) != std::string::npos ||
      event.id.find_first_of("\r\n\0"sv) != std::string::npos) {
    return fail(Code::kMalformed, "event");
  }
  std::string text;
  if (!event.id.empty()) text += "id: " + event.id + "\n";
  if (!event.name.empty()) text += "event: " + event.name + "\n";
  // A line end of the format is CR LF, LF or CR.
  std::string_view rest = event.data;
  while (true) {
    const auto end = rest.find_first_of("\r\n"sv);
    text.append("data: ").append(rest.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + (rest.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return text + "\n";
}

Status EventFeed::push(const Event& event) {
  if (ended_) return fail(Code::kClosed, "event feed");
  THERIAC_ASSIGN(const auto text, format_event(event));
  if (queued_.size() + text.size() > bytes_max_) {
    end();
    return fail(Code::kBusy, "event feed");
  }
  queued_ += text;
  changed_.notify_all();
  return {};
}

void EventFeed::end() {
  ended_ = true;
  changed_.notify_all();
}

/// Drains one feed into one reply.
class EventStream final : private runtime::TickListener {
 public:
  EventStream(std::shared_ptr<EventFeed> feed, EventOptions options, BodyWriter& out)
      : TickListener(out.loop().ticks()), feed_(std::move(feed)), options_(options), out_(&out) {}
  ~EventStream() override { feed_->end(); }

  runtime::Task<Status> run() {
    std::string piece = "retry: " + std::to_string(options_.retry.count()) + "\n\n";
    while (true) {
      if (const auto sent = co_await out_->write(view_of(piece)); !sent) {
        co_return fail(sent.error());
      }
      last_ms_ = out_->loop().clock().monotonic_ms();
      beat_ = false;
      if (out_->stopping()) co_return Status{};
      while (feed_->queued_.empty() && !beat_) {
        if (feed_->ended_ || out_->stopping()) co_return Status{};
        co_await feed_->changed_.wait();
      }
      piece = feed_->queued_.empty() ? ":\n\n" : std::exchange(feed_->queued_, {});
    }
  }

 private:
  void on_tick(std::int64_t now_ms) override {
    beat_ = now_ms - last_ms_ >= options_.heartbeat.count();
    if (beat_ || out_->stopping()) feed_->changed_.notify_all();
  }
  std::shared_ptr<EventFeed> feed_;
  EventOptions options_;
  BodyWriter* out_;
  std::int64_t last_ms_ = 0;
  bool beat_ = false;
};

namespace {

runtime::Task<Status> drain_feed(std::shared_ptr<EventFeed> feed, EventOptions options,
                                 BodyWriter* out) {
  EventStream stream(std::move(feed), options, *out);
  co_return co_await stream.run();
}

}  // namespace

Response event_response(std::shared_ptr<EventFeed> feed, EventOptions options) {
  return {200,
          {{"Content-Type", "text/event-stream"}},
          Producer([feed = std::move(feed), options](BodyWriter* out) {
            return drain_feed(feed, options, out);
          })};
}

}  // namespace theriac::http
