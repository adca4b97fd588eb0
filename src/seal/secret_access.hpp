// How src/seal reads key bytes: to derive per-value keys and to wrap stream keys. Included by
// src/seal/*.cpp only.
#pragma once

#include "base/secret.hpp"

namespace theriac {

class SealSecretAccess {
 public:
  template <typename S>
  static auto bytes(const S& secret) {
    return secret.reveal(SecretAccess{});
  }
  template <typename S>
  static auto mutable_bytes(S& secret) {
    return secret.reveal_mutable(SecretAccess{});
  }
};

}  // namespace theriac
