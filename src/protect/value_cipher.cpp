#include "protect/value_cipher.hpp"

#include "pgwire/types.hpp"

namespace theriac::protect {
namespace {

pgwire::ColumnType type_of(const RegisteredColumn& column) {
  return {column.type_oid, column.modifier};
}

}  // namespace

ValueCipher::ValueCipher(const lease::KeySource& keys, Random& random,
                         std::map<std::string, seal::Buckets> buckets)
    : keys_(&keys), random_(&random), buckets_(std::move(buckets)) {}

Status ValueCipher::refresh(const std::vector<RegisteredColumn>& columns, const TenantId& tenant,
                            bool sealing) {
  tenant_ = tenant;
  for (const auto& column : columns) THERIAC_TRY(refresh_class(column, sealing));
  for (const auto& column : columns) {
    if (column.searchable) THERIAC_TRY(refresh_indexer(column));
  }
  return {};
}

Status ValueCipher::refresh_class(const RegisteredColumn& column, bool sealing) {
  const auto& name = column.class_name;
  THERIAC_ASSIGN(const auto ring, keys_->ring(name, !sealing));
  if (ring->tenant != tenant_) return fail(Code::kConflict, "the keys are another tenant's");
  auto& state = classes_[name];
  if (state.generation != ring->generation || (sealing && !state.sealer)) {
    state.generation = ring->generation;
    state.opener.clear();
    state.sealer.reset();
    indexers_.clear();
    for (const auto& key : ring->keys) {
      if (key.class_name == name && key.purpose == seal::Purpose::kData) {
        THERIAC_TRY(state.opener.add(key));
      }
    }
    const auto* active = ring->active(name, seal::Purpose::kData);
    if (sealing && active == nullptr) return fail(Code::kUnknownKey, "data key of class " + name);
    if (active != nullptr) {
      if (sealing && static_cast<int>(active->suite) != column.suite) {
        return fail(Code::kPolicyInvalid, "class " + name + ": its key is of another suite");
      }
      THERIAC_ASSIGN(state.sealer, seal::Sealer::make(*active, *random_));
      state.version = active->version;
    }
  }
  return {};
}

Status ValueCipher::refresh_indexer(const RegisteredColumn& column) {
  if (indexers_.contains(column.number)) return {};
  THERIAC_ASSIGN(const auto ring, keys_->ring(column.class_name, true));
  const auto* active = ring->active(column.class_name, seal::Purpose::kIndex);
  if (active == nullptr) return fail(Code::kUnknownKey, "index key of class " + column.class_name);
  THERIAC_ASSIGN(auto indexer,
                 seal::Indexer::make(*active, tenant_, seal::domain_of(column.domain), "identity"));
  indexers_.emplace(column.number, std::move(indexer));
  return {};
}

seal::Binding ValueCipher::binding(const RegisteredColumn& column,
                                   const std::optional<RowId>& row) const {
  return {tenant_, seal::Kind::kColumn, column.field, row};
}

Result<seal::IndexToken> ValueCipher::index_of(const RegisteredColumn& column,
                                               std::string_view stored) {
  const auto at = indexers_.find(column.number);
  THERIAC_ASSERT(at != indexers_.end());
  THERIAC_ASSIGN(const auto canonical, pgwire::equality_form(type_of(column), stored));
  return at->second.index(canonical);
}

Result<ValueCipher::Made> ValueCipher::seal(const RegisteredColumn& column,
                                            const std::optional<RowId>& row,
                                            std::string_view stored) {
  // What the codecs would print differently could not be given back to a program as it was.
  const auto again = pgwire::to_stored(type_of(column), 0, 0, view_of(stored), {});
  if (!again || *again != stored) {
    return fail(Code::kUnsupported, column.qualified() + ": a value has no stored form");
  }
  auto& state = classes_.at(column.class_name);
  THERIAC_ASSERT(state.sealer.has_value());
  const auto buckets = buckets_.find(column.class_name);
  static const seal::Buckets kNone;
  Made made;
  THERIAC_ASSIGN(
      made.sealed,
      state.sealer->seal(binding(column, row), buckets == buckets_.end() ? kNone : buckets->second,
                         view_of(stored)));
  if (column.searchable) {
    THERIAC_ASSIGN(made.index, index_of(column, stored));
  }
  return made;
}

Status ValueCipher::open(const RegisteredColumn& column, const std::optional<RowId>& row,
                         ByteView sealed, std::optional<ByteView> index, Bytes& at) {
  auto& state = classes_.at(column.class_name);
  if (const auto opened = state.opener.open_into(binding(column, row), sealed, at); !opened) {
    return fail(opened.error().code, column.qualified());
  }
  if (column.searchable) {
    THERIAC_ASSIGN(const auto expected, index_of(column, text_of(at)));
    if (!index || !equal_constant_time(*index, expected)) {
      return fail(Code::kMismatch, column.qualified() + ": blind index");
    }
  }
  return {};
}

std::string ValueCipher::key_versions() const {
  std::string out;
  for (const auto& [name, state] : classes_) {
    if (!out.empty()) out += ", ";
    out += name + ":" + std::to_string(state.version);
  }
  return out;
}

}  // namespace theriac::protect
