#include "runtime/gate.hpp"

namespace theriac::runtime {

Task<void> Gate::close() {
  shut();
  while (inside_ != 0) co_await left_.wait();
}

}  // namespace theriac::runtime
