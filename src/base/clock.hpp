// Time as an interface, so that leases and logs can be tested and simulated.
#pragma once

#include <cstdint>

namespace theriac {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since 1970-01-01 UTC; may jump.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
  /// Milliseconds that never go back; stands still in no sleep (CLOCK_BOOTTIME).
  [[nodiscard]] virtual std::int64_t monotonic_ms() const = 0;
};

/// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override;
  [[nodiscard]] std::int64_t monotonic_ms() const override;
};

/// Set by hand; for tests and simulation. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ms = 1'700'000'000'000) : wall_(wall_ms) {}
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return monotonic_; }
  void advance_ms(std::int64_t by) {
    wall_ += by;
    monotonic_ += by;
  }
  void set_wall_ms(std::int64_t wall) { wall_ = wall; }

 private:
  std::int64_t wall_;
  std::int64_t monotonic_ = 0;
};

}  // namespace theriac
