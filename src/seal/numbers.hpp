// A secret order of the texts of one length over one alphabet: serial numbers are drawn from it by
// counting (architecture section 8). Who does not know the key sees texts drawn at random.
//
// Threading: free function; the permutation belongs to one thread at a time.
#pragma once

#include "crypto/ff1.hpp"
#include "seal/keys.hpp"

namespace theriac::seal {

/// FF1 under a key derived from the class's index key, the tenant and the pool; over AES-256, or
/// SM4 for a class of suite 2. `key.purpose` must be kIndex (else Code::kUnknownKey); kOutOfRange
/// as Ff1::make.
Result<crypto::Ff1> number_order(const LeasedKey& key, const TenantId& tenant, const FieldId& pool,
                                 int radix, int length);

}  // namespace theriac::seal
