#include "runtime/poller.hpp"

#include <unistd.h>

#include <cerrno>

namespace theriac::runtime {
namespace {

epoll_event event_of(Watch* watch, bool writing) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  if (writing) event.events |= EPOLLOUT;
  event.data.ptr = watch;
  return event;
}

}  // namespace

Watch::~Watch() { unwatch(); }

Status Watch::watch(Poller& poller, int descriptor, bool writing) {
  auto event = event_of(this, writing);
  if (::epoll_ctl(poller.epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return fail(Code::kIo, "epoll");
  }
  poller_ = &poller;
  descriptor_ = descriptor;
  next_ = poller.first_;
  if (next_ != nullptr) next_->previous_ = this;
  poller.first_ = this;
  return {};
}

Status Watch::rewatch(bool writing) {
  auto event = event_of(this, writing);
  if (poller_ == nullptr || ::epoll_ctl(poller_->epoll_, EPOLL_CTL_MOD, descriptor_, &event) != 0) {
    return fail(Code::kIo, "epoll");
  }
  return {};
}

void Watch::unwatch() {
  if (poller_ == nullptr) return;
  ::epoll_ctl(poller_->epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
  for (int i = 0; i < poller_->count_; ++i) {
    auto& event = poller_->events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == this) event.data.ptr = nullptr;
  }
  if (poller_->first_ == this) poller_->first_ = next_;
  if (previous_ != nullptr) previous_->next_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  previous_ = next_ = nullptr;
  poller_ = nullptr;
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) { THERIAC_ASSERT(epoll_ >= 0); }

Poller::~Poller() {
  while (first_ != nullptr) {
    auto* watch = first_;
    watch->unwatch();
    watch->abandon();
  }
  ::close(epoll_);
}

bool Poller::wait(int timeout_ms) {
  THERIAC_ASSERT(count_ == 0);
  count_ = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  if (count_ < 0) {
    THERIAC_ASSERT(errno == EINTR);
    count_ = 0;
  }
  return count_ > 0;
}

void Poller::dispatch() {
  for (int i = 0; i < count_; ++i) {
    const auto event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr != nullptr) static_cast<Watch*>(event.data.ptr)->on_ready(event.events);
  }
  count_ = 0;
}

}  // namespace theriac::runtime
