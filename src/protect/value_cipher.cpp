#include "protect/value_cipher.hpp"

#include <algorithm>

#include "pgwire/types.hpp"

namespace theriac::protect {
ValueCipher::ValueCipher(const lease::KeySource& keys, Random& random,
                         std::map<std::string, seal::Buckets> buckets)
    : keys_(&keys), random_(&random), buckets_(std::move(buckets)) {}

Status ValueCipher::refresh(const std::vector<RegisteredColumn>& columns, const TenantId& tenant,
                            bool sealing) {
  tenant_ = tenant;
  for (const auto& column : columns) THERIAC_TRY(refresh_class(column, sealing));
  for (const auto& column : columns) {
    THERIAC_TRY(refresh_indexers(column));
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

Status ValueCipher::refresh_indexers(const RegisteredColumn& column) {
  if (indexers_.contains(column.number) || column.index_names().empty()) return {};
  THERIAC_ASSIGN(const auto ring, keys_->ring(column.class_name, true));
  const auto* active = ring->active(column.class_name, seal::Purpose::kIndex);
  if (active == nullptr) return fail(Code::kUnknownKey, "index key of class " + column.class_name);
  std::vector<seal::Indexer> made;
  const auto add = [&](const std::string& domain, std::string_view label) -> Status {
    THERIAC_ASSIGN(auto indexer,
                   seal::Indexer::make(*active, tenant_, seal::domain_of(domain), label));
    made.push_back(std::move(indexer));
    return {};
  };
  if (column.searchable) THERIAC_TRY(add(column.domain, "identity"));
  for (const auto& search : column.searches) THERIAC_TRY(add(search.domain, "expression"));
  indexers_.emplace(column.number, std::move(made));
  return {};
}

seal::Binding ValueCipher::binding(const RegisteredColumn& column,
                                   const std::optional<RowId>& row) const {
  return {tenant_, seal::Kind::kColumn, column.field, row};
}

Result<std::vector<seal::IndexToken>> ValueCipher::indexes_of(const RegisteredColumn& column,
                                                              std::string_view stored) {
  std::vector<seal::IndexToken> out;
  const auto at = indexers_.find(column.number);
  if (at == indexers_.end()) return out;
  auto indexer = at->second.begin();
  if (column.searchable) {
    THERIAC_ASSIGN(const auto canonical, pgwire::equality_form(column.type, stored));
    out.push_back((indexer++)->index(canonical));
  }
  for (const auto& search : column.searches) {
    if (search.expression.needs_case() && column.case_map == nullptr) {
      return fail(Code::kUnsupported, column.qualified() + ": lower() or upper() of its collation");
    }
    const auto text = pgwire::as_text(column.type, stored);
    out.push_back(
        (indexer++)->index(bytes_of(search.expression.apply(text, column.case_map.get()))));
  }
  return out;
}

Result<ValueCipher::Made> ValueCipher::seal(const RegisteredColumn& column,
                                            const std::optional<RowId>& row,
                                            std::string_view stored) {
  // What the codecs would print differently could not be given back to a program as it was.
  const auto again = pgwire::to_stored(column.type, 0, 0, view_of(stored), {});
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
  THERIAC_ASSIGN(made.indexes, indexes_of(column, stored));
  return made;
}

Status ValueCipher::open(const RegisteredColumn& column, const std::optional<RowId>& row,
                         ByteView sealed, const std::vector<Bytes>& indexes, Bytes& at) {
  auto& state = classes_.at(column.class_name);
  if (const auto opened = state.opener.open_into(binding(column, row), sealed, at); !opened) {
    return fail(opened.error().code, column.qualified());
  }
  THERIAC_ASSIGN(const auto expected, indexes_of(column, text_of(at)));
  const bool same = std::equal(
      expected.begin(), expected.end(), indexes.begin(), indexes.end(),
      [](const seal::IndexToken& a, const Bytes& b) { return equal_constant_time(b, a); });
  if (!same) return fail(Code::kMismatch, column.qualified() + ": blind index");
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
