// The checkpoint key of a log, kept in a file of its own beside the program's other credentials.
//
// Whoever has the file can sign checkpoints, so it is readable by its owner only, and a remembered
// checkpoint (theriac audit remember) kept elsewhere is what holds against its thief.
#pragma once

#include <string>

#include "base/random.hpp"
#include "crypto/sign.hpp"

namespace theriac::audit {

/// Reads the key at `path` (64 hexadecimal digits, RFC 8032 seed), or makes one there (mode 0600,
/// durable before it is used) if there is none. Code::kMalformed, kIo, kDiskFull.
Result<crypto::Ed25519Key> signing_key(const std::string& path);

}  // namespace theriac::audit
