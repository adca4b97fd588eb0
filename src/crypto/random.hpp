// The real source of randomness: getrandom(2) behind a 4 KiB pool per thread, wiped as it is used
// and thrown away in a forked child (MADV_WIPEONFORK), so that no two processes share bytes.
#pragma once

#include "base/random.hpp"
#include "base/secret.hpp"

namespace theriac::crypto {

/// Thread-safe (the pool is thread-local). Ends the program if the kernel gives no randomness.
class SystemRandom final : public Random {
 public:
  void fill(MutableBytes out) override;
};

/// Fresh key bytes straight from the kernel, not from the pool.
Key256 new_key256();

}  // namespace theriac::crypto
