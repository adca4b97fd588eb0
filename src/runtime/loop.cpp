#include "runtime/loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>

namespace theriac::runtime {
namespace {

struct Report {
  Loop* loop;
  std::string what;
  std::atomic<std::uint64_t>* faults;

  void operator()(const std::exception_ptr& thrown) const {
    if (thrown == nullptr) return;
    faults->fetch_add(1, std::memory_order_relaxed);
    loop->log().write(Level::kError, "a task ended with an exception", {{"task", what}});
  }
};

}  // namespace

void Loop::spawn(std::string what, Task<void> task) {
  boost::asio::co_spawn(context_, std::move(task), Report{this, std::move(what), &faults_});
}

}  // namespace theriac::runtime
