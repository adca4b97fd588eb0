// Orderly stop: work enters while the gate is open; closing waits until all of it has left.
//
// Threading: one loop.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "runtime/signal.hpp"

namespace theriac::runtime {

class Gate {
 public:
  /// Held by work that is under way; leaving is its destruction.
  class Pass {
   public:
    explicit Pass(Gate* gate) : gate_(gate) { ++gate_->inside_; }
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    Gate* gate_;
  };

  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// nullopt once the gate is closed.
  std::optional<Pass> enter() {
    if (closed_) return std::nullopt;
    return Pass(this);
  }
  /// Nobody enters any more. Does not wait.
  void shut() { closed_ = true; }
  /// Shuts, then returns when everybody has left.
  Task<void> close();
  [[nodiscard]] bool is_closed() const { return closed_; }
  [[nodiscard]] std::size_t inside() const { return inside_; }

 private:
  void leave() {
    if (--inside_ == 0) left_.notify_all();
  }
  bool closed_ = false;
  std::size_t inside_ = 0;
  Signal left_;
};

}  // namespace theriac::runtime
