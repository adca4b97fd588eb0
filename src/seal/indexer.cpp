#include "seal/derive.hpp"
#include "seal/sealed.hpp"

namespace theriac::seal {

struct Indexer::State {
  crypto::HmacKey key;
};

Indexer::Indexer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Indexer::~Indexer() = default;
Indexer::Indexer(Indexer&&) noexcept = default;
Indexer& Indexer::operator=(Indexer&&) noexcept = default;

Result<Indexer> Indexer::make(const LeasedKey& key, const TenantId& tenant, const DomainId& domain,
                              std::string_view label) {
  THERIAC_TRY(check_key(key, Purpose::kIndex));
  // Two fixed lengths, then the label to the end: no two triples share a context.
  Bytes context;
  append(context, tenant.view());
  append(context, domain.view());
  append(context, label);
  const Key256 index_key =
      derive(key.suite, key.purpose, key.material, "theriac/index/v1", context);
  return Indexer(std::make_unique<State>(crypto::HmacKey(hash_of(key.suite), index_key)));
}

IndexToken Indexer::index(ByteView canonical) {
  const crypto::Digest whole = state_->key.mac(canonical);
  IndexToken token;
  std::copy_n(whole.begin(), token.size(), token.begin());
  return token;
}

}  // namespace theriac::seal
