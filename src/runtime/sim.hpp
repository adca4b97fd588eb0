// The simulated twin of loops and sockets: a world with one loop, a clock that moves only between
// events, and links that delay, split, block, reset and go half open as a seed decides. Code that
// uses Loop, Stream and Dialer runs on it unchanged. Same seed, same course: trace_hash() tells.
//
// Threading: one thread. Streams and listeners must not outlive the world.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "runtime/loop.hpp"
#include "runtime/socket.hpp"

namespace theriac::runtime {

/// Deterministic numbers (SplitMix64); never for anything but simulation and tests.
class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableBytes out) override;
  std::uint64_t next();
  /// 0 to `most`, both included.
  std::uint64_t up_to(std::uint64_t most);
  bool chance(std::uint32_t per_million) { return up_to(999'999) < per_million; }

 private:
  std::uint64_t state_;
};

struct SimFaults {
  std::int64_t delay_max_ms = 5;
  std::size_t chunk_bytes_max = 65'536;     ///< bytes travel in pieces of 1 to so many
  std::size_t read_bytes_max = 65'536;      ///< a read returns 1 to so many
  std::size_t window_bytes = 65'536;        ///< under way or unread before a writer must wait
  std::uint32_t reset_per_million = 0;      ///< for each piece delivered: both ends fail
  std::uint32_t half_open_per_million = 0;  ///< for each piece: from now on nothing arrives
  std::uint32_t refuse_per_million = 0;     ///< for each connect
};

class SimWorld {
 public:
  explicit SimWorld(std::uint64_t seed, SimFaults faults = {});
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  Loop& loop();
  [[nodiscard]] ManualClock& clock() { return clock_; }
  SimRandom& random() { return random_; }
  /// Connects to what listen() registered, under its Endpoint::text().
  Dialer& dialer();
  using Accept = std::function<void(std::unique_ptr<Stream>)>;
  void listen(const std::string& at, Accept accept);
  /// Two ends of a new link.
  std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> link();

  /// Runs until `done`, or until `within_ms` of simulated time passed or nothing but ticks is left
  /// to happen for ten minutes. Returns done().
  bool run_until(const std::function<bool()>& done, std::int64_t within_ms);
  /// Of everything that happened: times, links, bytes.
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_; }

 private:
  class Link;
  class End;
  class SimDialer;
  friend class Link;
  struct Event {
    std::int64_t at_ms;
    std::uint64_t order;
    std::function<void()> happen;
    bool operator>(const Event& other) const {
      return std::tie(at_ms, order) > std::tie(other.at_ms, other.order);
    }
  };
  void at(std::int64_t when_ms, std::function<void()> happen);
  void schedule_tick();
  void note(std::uint64_t what, ByteView bytes = {});
  void settle();

  SimFaults faults_;
  ManualClock clock_;
  SimRandom random_;
  NullLog log_;
  std::unique_ptr<Dialer> dialer_;
  std::map<std::string, Accept> listeners_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  std::uint64_t links_ = 0;
  std::size_t ticks_queued_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325ULL;
  Loop loop_;
};

}  // namespace theriac::runtime
