#include "runtime/ticks.hpp"

namespace theriac::runtime {

TickListener::TickListener(Ticks& ticks) : ticks_(&ticks), next_(ticks.first_) {
  if (next_ != nullptr) next_->previous_ = this;
  ticks.first_ = this;
}

TickListener::~TickListener() {
  if (ticks_ == nullptr) return;
  if (ticks_->cursor_ == this) ticks_->cursor_ = next_;
  if (ticks_->first_ == this) ticks_->first_ = next_;
  if (previous_ != nullptr) previous_->next_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

Ticks::~Ticks() {
  // Listeners held by objects that are destroyed after their loop must not look back.
  for (auto* listener = first_; listener != nullptr; listener = listener->next_) {
    listener->ticks_ = nullptr;
  }
}

void Ticks::tick(std::int64_t now_ms) {
  cursor_ = first_;
  while (cursor_ != nullptr) {
    auto* listener = cursor_;
    cursor_ = listener->next_;
    listener->on_tick(now_ms);
  }
}

}  // namespace theriac::runtime
