#include "gateway/enforce_ciphers.hpp"

#include "pgwire/types.hpp"

namespace theriac::gateway {

void Ciphers::forget() {
  classes_.clear();
  opener_.clear();
  ring_.reset();
}

Result<Ciphers::ClassState*> Ciphers::state(const std::string& class_name, bool reading) {
  auto ring = keys_->ring(class_name, reading);
  if (!ring) {
    // Keys that may not be used now are not kept for later.
    forget();
    return fail(std::move(ring.error()));
  }
  if (!ring_ || (*ring != ring_ && (*ring)->generation != ring_->generation)) {
    forget();
    ring_ = *ring;
    for (const auto& key : ring_->keys) {
      if (key.purpose == seal::Purpose::kData) THERIAC_TRY(opener_.add(key));
    }
  }
  return &classes_[class_name];
}

Status Ciphers::check(const std::string& class_name, bool reading) {
  THERIAC_ASSIGN(const auto* ignored, state(class_name, reading));
  static_cast<void>(ignored);
  return {};
}

Result<Bytes> Ciphers::seal(const ColumnRef& column, const std::optional<RowId>& row,
                            std::string_view stored) {
  const auto& protection = column.protection();
  THERIAC_ASSIGN(auto* state_of_class, state(protection.class_name, false));
  if (!state_of_class->sealer) {
    const auto* key = ring_->active(protection.class_name, seal::Purpose::kData);
    if (key == nullptr) return fail(Code::kUnknownKey, "class " + protection.class_name);
    THERIAC_ASSIGN(auto sealer, seal::Sealer::make(*key, *random_));
    state_of_class->sealer.emplace(std::move(sealer));
  }
  const auto class_at = policy_->classes.find(protection.class_name);
  if (class_at == policy_->classes.end()) {
    return fail(Code::kPolicyInvalid, "class " + protection.class_name);
  }
  const seal::Binding binding{ring_->tenant, seal::Kind::kColumn, protection.field, row};
  return state_of_class->sealer->seal(binding, class_at->second.buckets, view_of(stored));
}

Status Ciphers::open(const ColumnRef& column, const std::optional<RowId>& row, ByteView sealed,
                     Bytes& out) {
  const auto& protection = column.protection();
  THERIAC_ASSIGN(const auto* ignored, state(protection.class_name, true));
  static_cast<void>(ignored);
  const seal::Binding binding{ring_->tenant, seal::Kind::kColumn, protection.field, row};
  return opener_.open_into(binding, sealed, out);
}

Result<seal::IndexToken> Ciphers::index(const ColumnRef& column, std::string_view stored) {
  const auto& protection = column.protection();
  THERIAC_ASSIGN(auto* state_of_class, state(protection.class_name, true));
  auto at = state_of_class->indexers.find(protection.domain);
  if (at == state_of_class->indexers.end()) {
    const auto* key = ring_->active(protection.class_name, seal::Purpose::kIndex);
    if (key == nullptr) return fail(Code::kUnknownKey, "index key of " + protection.class_name);
    THERIAC_ASSIGN(
        auto indexer,
        seal::Indexer::make(*key, ring_->tenant, seal::domain_of(protection.domain), "identity"));
    at = state_of_class->indexers.emplace(protection.domain, std::move(indexer)).first;
  }
  THERIAC_ASSIGN(const auto canonical, pgwire::equality_form(column.column->type, stored));
  return at->second.index(canonical);
}

}  // namespace theriac::gateway
