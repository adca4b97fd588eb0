// What a Sealer holds; its own header so that a test can set the count. Internal to src/seal.
#pragma once

#include "seal/data_key.hpp"
#include "seal/sealed.hpp"

namespace theriac::seal {

struct Sealer::State {
  DataKey key;
  KeyId key_id;
  NoncePrefix prefix;
  crypto::GcmKey message_key;  ///< the one `prefix` selects
  Random* random;              ///< not ours
  std::uint64_t sealed = 0;    ///< values under `prefix` so far
};

}  // namespace theriac::seal
