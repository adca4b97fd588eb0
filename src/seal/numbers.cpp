#include "seal/numbers.hpp"

#include "seal/derive.hpp"

namespace theriac::seal {

Result<crypto::Ff1> number_order(const LeasedKey& key, const TenantId& tenant, const FieldId& pool,
                                 int radix, int length) {
  THERIAC_TRY(check_key(key, Purpose::kIndex));
  Bytes context;
  append(context, tenant.view());
  append(context, pool.view());
  const Key256 derived = derive(key.suite, key.purpose, key.material, "theriac/number/v1", context);
  if (key.suite == Suite::kSm4Gcm) {
    return crypto::Ff1::make(first_half(derived), radix, length, pool.view());
  }
  return crypto::Ff1::make(derived, radix, length, pool.view());
}

}  // namespace theriac::seal
