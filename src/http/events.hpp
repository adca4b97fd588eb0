// Server-Sent Events (HTML Standard, section 9.2): one subscriber's bounded queue, and the reply
// that drains it with heartbeats.
//
// A subscriber that reads too slowly fills its queue and is cut off; its browser connects again and
// says with Last-Event-ID where it was.
//
// Ownership: the feed is shared by the stream that drains it and whoever publishes.
// Threading: a feed belongs to its loop; publishers on others post to it.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "http/message.hpp"
#include "runtime/signal.hpp"

namespace theriac::http {

struct Event {
  std::string name;  ///< "": "message"
  std::string id;    ///< "": keeps the last one
  std::string data;
};

/// As it goes on the wire. Line ends in `data` become lines of it; name and id may not have any:
/// Code::kMalformed (also for NUL in an id).
Result<std::string> format_event(const Event& event);

class EventFeed {
 public:
  explicit EventFeed(std::size_t bytes_max = 256U << 10U) : bytes_max_(bytes_max) {}
  /// Code::kBusy when the subscriber is behind by bytes_max: the feed has ended then. kClosed after
  /// the end, which is also how a publisher learns that nobody listens any more.
  Status push(const Event& event);
  /// What is queued is still sent.
  void end();
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  friend class EventStream;
  std::size_t bytes_max_;
  std::string queued_;
  bool ended_ = false;
  runtime::Signal changed_;
};

struct EventOptions {
  /// A comment after so much silence, so that dead peers and proxies are noticed; rounded up to
  /// the loop's ticks.
  std::chrono::milliseconds heartbeat{15'000};
  /// How long a browser waits before it connects again.
  std::chrono::milliseconds retry{3'000};
};

/// Ends when the feed does, the client goes, or the server stops.
Response event_response(std::shared_ptr<EventFeed> feed, EventOptions options = {});

}  // namespace theriac::http
