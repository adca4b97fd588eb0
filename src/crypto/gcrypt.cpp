#include "crypto/gcrypt.hpp"

namespace theriac::crypto {

namespace {
bool initialise() {
  THERIAC_ASSERT(gcry_check_version(GCRYPT_VERSION) != nullptr);
  if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) != 0) return true;
  // Its secure memory is a small locked pool meant for long-lived private keys; our kept cipher
  // contexts would exhaust it. Contexts are wiped on close either way.
  gcrypt_must(gcry_control(GCRYCTL_DISABLE_SECMEM, 0));
  gcrypt_must(gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0));
  return true;
}
}  // namespace

void gcrypt_ready() {
  static const bool ready = initialise();
  THERIAC_ASSERT(ready);
}

}  // namespace theriac::crypto
