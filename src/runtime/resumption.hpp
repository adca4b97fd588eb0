// A completion handler of Asio kept until its operation is done; called once, or destroyed with the
// coroutine that waits in it. Its memory is recycled by Asio, and free again before the call.
// (any_completion_handler of Boost 1.81 wraps itself endlessly when it is moved.)
//
// Threading: one loop.
#pragma once

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <memory>
#include <type_traits>
#include <utility>

namespace theriac::runtime {

template <typename... Args>
class Resumption {
 public:
  Resumption() = default;
  template <typename Handler>
    requires(!std::is_same_v<std::decay_t<Handler>, Resumption>)
  explicit Resumption(Handler&& handler)
      : kept_(Kept<std::decay_t<Handler>>::make(std::forward<Handler>(handler))) {}
  Resumption(Resumption&& other) noexcept : kept_(std::exchange(other.kept_, nullptr)) {}
  Resumption& operator=(Resumption&& other) noexcept {
    if (this != &other) {
      Resumption old(std::move(*this));
      kept_ = std::exchange(other.kept_, nullptr);
    }
    return *this;
  }
  ~Resumption() {
    if (kept_ != nullptr) kept_->drop();
  }

  explicit operator bool() const { return kept_ != nullptr; }
  void operator()(Args... args) { std::exchange(kept_, nullptr)->call(std::move(args)...); }

 private:
  struct Base {
    Base() = default;
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;
    virtual ~Base() = default;
    virtual void call(Args... args) = 0;
    virtual void drop() = 0;
  };
  template <typename Handler>
  struct Kept final : Base {
    using Allocator = boost::asio::recycling_allocator<Kept>;
    explicit Kept(Handler&& h) : handler(std::move(h)) {}
    static Base* make(Handler handler) {
      auto* memory = Allocator().allocate(1);
      return new (static_cast<void*>(memory)) Kept(std::move(handler));
    }
    Handler take() {
      Handler taken(std::move(handler));
      drop();
      return taken;
    }
    void call(Args... args) override { take()(std::move(args)...); }
    void drop() override {
      this->~Kept();
      Allocator().deallocate(this, 1);
    }
    Handler handler;
  };
  Base* kept_ = nullptr;
};

}  // namespace theriac::runtime
