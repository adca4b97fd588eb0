// How the implementation files of src/crypto read key bytes, to hand them to the libraries below.
// Included by src/crypto/*.cpp only; tools that review the source look for this header.
#pragma once

#include "base/secret.hpp"

namespace theriac {

class CryptoSecretAccess {
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
