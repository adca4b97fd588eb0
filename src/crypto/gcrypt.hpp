// libgcrypt, initialised once. Internal to src/crypto.
#pragma once

#include <gcrypt.h>

#include "base/error.hpp"

namespace theriac::crypto {

/// Initialises libgcrypt on the first call. Thread-safe. Ends the program when the library is older
/// than the one we were built for.
void gcrypt_ready();

/// For calls that fail only by a bug or by want of memory, never because of input.
inline void gcrypt_must(gcry_error_t error) { THERIAC_ASSERT(error == 0); }

}  // namespace theriac::crypto
