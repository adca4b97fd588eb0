#include "runtime/sim.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "runtime/limits.hpp"
#include "runtime/resumption.hpp"

namespace theriac::runtime {

namespace asio = boost::asio;

namespace {
constexpr std::int64_t kQuiet_ms = 600'000;
constexpr std::uint64_t kFnvPrime = 0x100000001b3ULL;
enum : std::uint64_t {
  kDelivered = 1,
  kFinished,
  kReset,
  kHalfOpen,
  kTicked,
  kConnected,
  kRefused
};
}  // namespace

std::uint64_t SimRandom::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

std::uint64_t SimRandom::up_to(std::uint64_t most) {
  return most == UINT64_MAX ? next() : next() % (most + 1);
}

void SimRandom::fill(MutableBytes out) {
  for (auto& byte : out) byte = static_cast<std::uint8_t>(next());
}

/// Both directions between two ends. Held by both, and by the pieces under way.
class SimWorld::Link : public std::enable_shared_from_this<Link> {
 public:
  struct Direction {
    std::deque<std::uint8_t> arrived;
    std::size_t under_way = 0;
    std::int64_t last_at_ms = 0;
    bool finish_sent = false, finish_arrived = false;
  };
  Link(SimWorld& world, std::uint64_t number) : world_(&world), number_(number) {}

  SimWorld& world() { return *world_; }
  /// The direction that `end` (0 or 1) writes to.
  Direction& from(std::size_t end) { return directions_[end]; }
  Direction& to(std::size_t end) { return directions_[1 - end]; }
  std::array<End*, 2>& ends() { return ends_; }
  [[nodiscard]] bool was_reset() const { return reset_; }

  std::size_t send(std::size_t end, ByteView bytes);
  void finish(std::size_t end);
  void reset();

 private:
  void deliver(std::size_t end, const Bytes& piece);
  std::int64_t arrival(Direction& direction);
  void wake(std::size_t end);

  SimWorld* world_;
  std::uint64_t number_;
  std::array<Direction, 2> directions_;
  std::array<End*, 2> ends_{};
  bool reset_ = false, half_open_ = false;
};

class SimWorld::End final : public Stream, private TickListener {
 public:
  End(std::shared_ptr<Link> link, std::size_t side)
      : TickListener(link->world().loop().ticks()), link_(std::move(link)), side_(side) {
    link_->ends()[side_] = this;
  }
  ~End() override {
    leave();
    link_->ends()[side_] = nullptr;
  }

  Task<Result<std::size_t>> read_some(MutableBytes into) override {
    while (true) {
      if (expired_) co_return fail(Code::kTimeout, "read");
      if (closed_ || link_->was_reset()) co_return fail(Code::kClosed, "read");
      auto& arrived = link_->to(side_).arrived;
      if (!arrived.empty()) {
        auto& world = link_->world();
        const auto most = std::min({into.size(), arrived.size(), world.faults_.read_bytes_max});
        const auto count = 1 + world.random_.up_to(most - 1);
        std::copy_n(arrived.begin(), count, into.begin());
        arrived.erase(arrived.begin(), arrived.begin() + static_cast<std::ptrdiff_t>(count));
        if (auto* peer = link_->ends()[1 - side_]; peer != nullptr) peer->wake_writer();
        co_return count;
      }
      if (link_->to(side_).finish_arrived) co_return fail(Code::kClosed, "read");
      co_await readable_.wait();
    }
  }
  Task<Status> write(ByteView from) override {
    while (true) {
      const auto taken = try_write(from);
      if (!taken) co_return fail(taken.error());
      from = from.subspan(*taken);
      if (from.empty()) co_return Status{};
      co_await writable_.wait();
    }
  }
  Result<std::size_t> try_write(ByteView from) override {
    if (expired_) return fail(Code::kTimeout, "write");
    if (closed_ || link_->was_reset()) return fail(Code::kClosed, "write");
    return link_->send(side_, from);
  }
  void shutdown_write() override { link_->finish(side_); }
  void close() override {
    leave();
    wake();
  }
  void set_idle_deadline(std::chrono::milliseconds after) override {
    expired_ = false;
    deadline_ms_ = after.count() == 0 ? 0 : link_->world().clock().monotonic_ms() + after.count();
  }
  [[nodiscard]] Bytes channel_binding() const override { return {}; }
  [[nodiscard]] bool is_tls() const override { return false; }
  [[nodiscard]] std::string peer() const override { return "simulated"; }

  void wake() {
    readable_.notify_all();
    writable_.notify_all();
  }
  void wake_writer() { writable_.notify_all(); }

 private:
  void leave() {
    if (closed_) return;
    closed_ = true;
    // As TCP: closing with bytes unread, or writing to it later, resets the connection.
    if (!link_->to(side_).arrived.empty()) {
      link_->reset();
    } else {
      link_->finish(side_);
    }
  }
  void on_tick(std::int64_t now_ms) override {
    if (deadline_ms_ == 0 || now_ms < deadline_ms_) return;
    deadline_ms_ = 0;
    expired_ = true;
    wake();
  }

  std::shared_ptr<Link> link_;
  std::size_t side_;
  Signal readable_, writable_;
  std::int64_t deadline_ms_ = 0;
  bool expired_ = false, closed_ = false;
};

std::int64_t SimWorld::Link::arrival(Direction& direction) {
  const auto delay = static_cast<std::int64_t>(
      world_->random_.up_to(static_cast<std::uint64_t>(world_->faults_.delay_max_ms)));
  direction.last_at_ms = std::max(direction.last_at_ms, world_->clock_.monotonic_ms() + delay);
  return direction.last_at_ms;
}

std::size_t SimWorld::Link::send(std::size_t end, ByteView bytes) {
  auto& direction = from(end);
  const auto used = direction.under_way + direction.arrived.size();
  const auto room = world_->faults_.window_bytes - std::min(used, world_->faults_.window_bytes);
  bytes = bytes.first(std::min(bytes.size(), room));
  const auto taken = bytes.size();
  while (!bytes.empty()) {
    const auto most = std::min(bytes.size(), world_->faults_.chunk_bytes_max);
    const auto size = 1 + world_->random_.up_to(most - 1);
    Bytes piece(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
    direction.under_way += size;
    world_->at(arrival(direction), [self = shared_from_this(), end, piece = std::move(piece)] {
      self->deliver(end, piece);
    });
  }
  return taken;
}

void SimWorld::Link::deliver(std::size_t end, const Bytes& piece) {
  from(end).under_way -= piece.size();
  if (reset_) return;
  if (world_->random_.chance(world_->faults_.reset_per_million)) return reset();
  if (!half_open_ && world_->random_.chance(world_->faults_.half_open_per_million)) {
    half_open_ = true;
    world_->note(kHalfOpen + (number_ << 8U));
  }
  if (half_open_) return;
  world_->note(kDelivered + (number_ << 8U) + (end << 4U), piece);
  auto* receiver = ends_[1 - end];
  if (receiver == nullptr) return reset();
  from(end).arrived.insert(from(end).arrived.end(), piece.begin(), piece.end());
  receiver->wake();
}

void SimWorld::Link::finish(std::size_t end) {
  auto& direction = from(end);
  if (std::exchange(direction.finish_sent, true)) return;
  world_->at(arrival(direction), [self = shared_from_this(), end] {
    if (self->reset_ || self->half_open_) return;
    self->world_->note(kFinished + (self->number_ << 8U) + (end << 4U));
    self->from(end).finish_arrived = true;
    if (auto* receiver = self->ends_[1 - end]; receiver != nullptr) receiver->wake();
  });
}

void SimWorld::Link::reset() {
  if (std::exchange(reset_, true)) return;
  world_->note(kReset + (number_ << 8U));
  for (auto* end : ends_) {
    if (end != nullptr) end->wake();
  }
}

class SimWorld::SimDialer final : public Dialer {
 public:
  explicit SimDialer(SimWorld& world) : world_(&world) {}
  Task<Result<std::unique_ptr<Stream>>> connect(Loop*, Endpoint to,
                                                std::chrono::milliseconds) override {
    const auto found = world_->listeners_.find(to.text());
    if (found == world_->listeners_.end() ||
        world_->random_.chance(world_->faults_.refuse_per_million)) {
      world_->note(kRefused);
      co_return fail(Code::kUpstream, to.text());
    }
    world_->note(kConnected);
    auto [near, far] = world_->link();
    // Boxed: a posted handler is copied by nobody, but std::function wants copies.
    world_->loop_.post(
        [accept = found->second, far = std::move(far)]() mutable { accept(std::move(far)); });
    co_return std::move(near);
  }

 private:
  SimWorld* world_;
};

SimWorld::SimWorld(std::uint64_t seed, SimFaults faults)
    : faults_(faults),
      random_(seed),
      dialer_(std::make_unique<SimDialer>(*this)),
      loop_(clock_, random_, log_) {
  schedule_tick();
}

SimWorld::~SimWorld() = default;

Loop& SimWorld::loop() { return loop_; }
Dialer& SimWorld::dialer() { return *dialer_; }
void SimWorld::listen(const std::string& at, Accept accept) { listeners_[at] = std::move(accept); }

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> SimWorld::link() {
  const auto made = std::make_shared<Link>(*this, ++links_);
  return {std::make_unique<End>(made, 0), std::make_unique<End>(made, 1)};
}

void SimWorld::at(std::int64_t when_ms, std::function<void()> happen) {
  events_.push({when_ms, order_++, std::move(happen)});
}

void SimWorld::schedule_tick() {
  ++ticks_queued_;
  at(clock_.monotonic_ms() + kTick.count(), [this] {
    --ticks_queued_;
    schedule_tick();
    note(kTicked);
    loop_.ticks().tick(clock_.monotonic_ms());
  });
}

void SimWorld::note(std::uint64_t what, ByteView bytes) {
  const auto mix = [this](std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      trace_ = (trace_ ^ ((value >> shift) & 0xffU)) * kFnvPrime;
    }
  };
  mix(static_cast<std::uint64_t>(clock_.monotonic_ms()));
  mix(what);
  mix(bytes.size());
  for (const auto byte : bytes) trace_ = (trace_ ^ byte) * kFnvPrime;
}

void SimWorld::settle() {
  auto& context = loop_.context();
  context.restart();
  const auto guard = asio::make_work_guard(context);
  while (context.poll_one() != 0) {
  }
}

bool SimWorld::run_until(const std::function<bool()>& done, std::int64_t within_ms) {
  const auto end_ms = clock_.monotonic_ms() + within_ms;
  auto quiet_since_ms = clock_.monotonic_ms();
  settle();
  while (!done()) {
    if (events_.size() > ticks_queued_) quiet_since_ms = clock_.monotonic_ms();
    const auto next_ms = events_.top().at_ms;
    if (next_ms > end_ms || next_ms - quiet_since_ms > kQuiet_ms) return false;
    const auto happen = events_.top().happen;
    events_.pop();
    clock_.advance_ms(std::max<std::int64_t>(0, next_ms - clock_.monotonic_ms()));
    happen();
    settle();
  }
  return true;
}

}  // namespace theriac::runtime
