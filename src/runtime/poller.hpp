// Readiness of file descriptors (epoll, edge-triggered) for one event loop.
//
// Why not Asio's own reactor: after every read it tries another one before it waits, two system
// calls of ten per transaction that a proxy does not need (docs/adr/0010-own-poller.md). Asio is
// kept for coroutines and the queue of handlers, which is also what the simulation runs on.
//
// Threading: one loop.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>

#include "base/error.hpp"

namespace theriac::runtime {

class Poller;

/// Somebody who watches a descriptor. Belongs to the one that registered it.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  virtual ~Watch();
  /// EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR. May destroy this watch and any other.
  virtual void on_ready(std::uint32_t events) = 0;
  /// The loop is destroyed: coroutines that wait here are given up.
  virtual void abandon() = 0;

 protected:
  /// Registers `descriptor` for reading, edge-triggered; with `writing`, also for writing. A
  /// descriptor that is ready already is reported at the next wait.
  Status watch(Poller& poller, int descriptor, bool writing);
  Status rewatch(bool writing);
  /// Before the descriptor is closed.
  void unwatch();

 private:
  friend class Poller;
  Poller* poller_ = nullptr;
  int descriptor_ = -1;
  Watch* previous_ = nullptr;
  Watch* next_ = nullptr;
};

class Poller {
 public:
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();
  /// True if something is ready for dispatch(). `timeout_ms` as epoll_wait's. Not before what the
  /// last call found was dispatched: an edge is told once.
  bool wait(int timeout_ms);
  [[nodiscard]] bool awaits_dispatch() const { return count_ > 0; }
  void dispatch();

 private:
  friend class Watch;
  int epoll_;
  Watch* first_ = nullptr;
  std::array<epoll_event, 256> events_{};
  int count_ = 0;
};

}  // namespace theriac::runtime
