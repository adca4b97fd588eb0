// Coarse time for everything on one event loop: one tick a second, so that deadlines cost a store
// and never a system call. The real loop ticks by the machine's clock, the simulated one by its
// own.
//
// Threading: one loop. A listener may be destroyed, also by itself, while a tick runs.
#pragma once

#include <cstdint>

namespace theriac::runtime {

class Ticks;

class TickListener {
 public:
  explicit TickListener(Ticks& ticks);
  TickListener(const TickListener&) = delete;
  TickListener& operator=(const TickListener&) = delete;
  virtual ~TickListener();
  /// `now_ms` is monotonic.
  virtual void on_tick(std::int64_t now_ms) = 0;

 private:
  friend class Ticks;
  Ticks* ticks_;
  TickListener* previous_ = nullptr;
  TickListener* next_ = nullptr;
};

class Ticks {
 public:
  Ticks() = default;
  Ticks(const Ticks&) = delete;
  Ticks& operator=(const Ticks&) = delete;
  ~Ticks();
  /// Calls every listener that was there when the tick began and still is.
  void tick(std::int64_t now_ms);

 private:
  friend class TickListener;
  TickListener* first_ = nullptr;
  TickListener* cursor_ = nullptr;  // the next one to call
};

}  // namespace theriac::runtime
