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
  Bytes out;
  THERIAC_TRY(seal_into(column, row, stored, out));
  return out;
}

Status Ciphers::seal_into(const ColumnRef& column, const std::optional<RowId>& row,
                          std::string_view stored, Bytes& out) {
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
  return state_of_class->sealer->seal_into(binding, class_at->second.buckets, view_of(stored), out);
}

Status Ciphers::open(const ColumnRef& column, const std::optional<RowId>& row, ByteView sealed,
                     Bytes& out) {
  const auto& protection = column.protection();
  THERIAC_ASSIGN(const auto* ignored, state(protection.class_name, true));
  static_cast<void>(ignored);
  const seal::Binding binding{ring_->tenant, seal::Kind::kColumn, protection.field, row};
  return opener_.open_into(binding, sealed, out);
}

Result<seal::Indexer*> Ciphers::indexer(const ColumnRef& column, const std::string& domain,
                                        const std::string& label) {
  const auto& class_name = column.protection().class_name;
  THERIAC_ASSIGN(auto* state_of_class, state(class_name, true));
  const auto name = label + '\n' + domain;
  auto at = state_of_class->indexers.find(name);
  if (at == state_of_class->indexers.end()) {
    const auto* key = ring_->active(class_name, seal::Purpose::kIndex);
    if (key == nullptr) return fail(Code::kUnknownKey, "index key of " + class_name);
    THERIAC_ASSIGN(auto made,
                   seal::Indexer::make(*key, ring_->tenant, seal::domain_of(domain), label));
    at = state_of_class->indexers.emplace(name, std::move(made)).first;
  }
  return &at->second;
}

Result<seal::IndexToken> Ciphers::index(const ColumnRef& column, std::string_view stored,
                                        int ordinal) {
  const auto& protection = column.protection();
  const auto& type = column.column->type;
  if (ordinal > 0) {
    const auto& wanted = protection.expressions.at(static_cast<std::size_t>(ordinal) - 1);
    return index_text(
        column, wanted.expression.apply(pgwire::as_text(type, stored), protection.case_map.get()),
        ordinal);
  }
  THERIAC_ASSIGN(auto* made, indexer(column, protection.domain, "identity"));
  THERIAC_ASSIGN(const auto canonical, pgwire::equality_form(type, stored));
  return made->index(canonical);
}

Result<seal::IndexToken> Ciphers::index_text(const ColumnRef& column, std::string_view text,
                                             int ordinal) {
  const auto& wanted = column.protection().expressions.at(static_cast<std::size_t>(ordinal) - 1);
  THERIAC_ASSIGN(auto* made, indexer(column, wanted.domain, "expression"));
  return made->index(view_of(text));
}

Result<policy::PseudonymToken> Ciphers::pseudonym(const ColumnRef& column, std::string_view stored,
                                                  std::string_view recipient) {
  const auto& protection = column.protection();
  // A recipient's name has no zero byte: no two pairs give one domain.
  std::string domain("pseudonym");
  domain.append(1, '\0').append(recipient).append(1, '\0');
  domain.append(protection.domain.empty() ? protection.policy_name : protection.domain);
  THERIAC_ASSIGN(auto* made, indexer(column, domain, "pseudonym"));
  THERIAC_ASSIGN(const auto canonical, pgwire::equality_form(column.column->type, stored));
  return made->index(canonical);
}

}  // namespace theriac::gateway
