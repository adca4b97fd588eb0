// The key service's right to see key bytes (base/secret.hpp): wrapping, unwrapping, handing out.
// Included by .cpp files of this folder only.
#pragma once

#include "base/secret.hpp"

namespace theriac {

class KeysSecretAccess {
 public:
  static SecretAccess get() { return {}; }
};

}  // namespace theriac
