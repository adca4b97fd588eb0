// The client's right to see key bytes (base/secret.hpp): taking them out of the secret frame.
// Included by .cpp files of this folder only.
#pragma once

#include "base/secret.hpp"

namespace theriac {

class LeaseSecretAccess {
 public:
  static SecretAccess get() { return {}; }
};

}  // namespace theriac
