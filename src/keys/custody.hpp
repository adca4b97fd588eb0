// Custody of the root key: a file that a passphrase opens (Argon2id, RFC 9106; cost in the file).
//
//   {"format":1,"kdf":"argon2id","lanes":4,"memory_kib":65536,"passes":3,"salt":"…","wrapped":"…"}
//
// `wrapped` is the root key under the derived key (keys/wrap.hpp); everything else in the file is
// its AAD, so that no field can be changed. There is no recovery without the passphrase.
//
// Blocking (a tenth of a second or more). Threading: free functions.
#pragma once

#include <string>

#include "base/random.hpp"
#include "base/secret.hpp"
#include "crypto/password.hpp"

namespace theriac::keys {

/// First line of the file. Code::kUsage when it is shorter or longer than the limits allow,
/// kNotFound when the file is missing.
Result<SecretBytes> read_passphrase(const std::string& path);

/// Makes a root key and its file (mode 0600). Code::kAlreadyExists when the file is there.
Result<Key256> create_custody(const std::string& path, const SecretBytes& passphrase,
                              const crypto::Argon2Cost& cost, Random& random);

/// The same root key under another passphrase. The file is replaced whole.
Status change_passphrase(const std::string& path, const SecretBytes& old_passphrase,
                         const SecretBytes& new_passphrase, const crypto::Argon2Cost& cost,
                         Random& random);

/// Code::kWrongPassphrase when it does not open, whichever of the two is wrong; kMalformed when the
/// file is not a custody file; kOutOfRange when its cost is beyond what we would spend.
Result<Key256> open_custody(const std::string& path, const SecretBytes& passphrase);

}  // namespace theriac::keys
