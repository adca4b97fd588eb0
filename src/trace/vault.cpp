#include "trace/vault.hpp"

#include <algorithm>

namespace theriac::trace {
namespace {

std::string_view label_of(Domain domain) {
  switch (domain) {
    case Domain::kProduct:
      return "product";
    case Domain::kLot:
      return "lot";
    case Domain::kItem:
      return "item";
    case Domain::kPartner:
      return "partner";
    case Domain::kPlace:
      return "place";
    case Domain::kEventId:
      return "event id";
    case Domain::kTerm:
      return "term";
    case Domain::kWork:
      return "work";
  }
  return {};
}

/// Lengths of what is sealed tell less than what it says.
const seal::Buckets kBuckets{32, 64, 128, 256, 512, 1024};

}  // namespace

void Vault::forget() {
  sealer_.reset();
  opener_.clear();
  indexers_.clear();
  ring_.reset();
}

Result<const lease::Keyring*> Vault::ring(bool reading) {
  auto now = keys_->ring(class_name_, reading);
  if (!now) {
    forget();
    return fail(std::move(now.error()));
  }
  if (!ring_ || (*now != ring_ && (*now)->generation != ring_->generation)) {
    forget();
    ring_ = *now;
    for (const auto& key : ring_->keys) {
      if (key.purpose == seal::Purpose::kData) THERIAC_TRY(opener_.add(key));
    }
  }
  return ring_.get();
}

Status Vault::check(bool reading) {
  THERIAC_ASSIGN(const auto* ignored, ring(reading));
  static_cast<void>(ignored);
  return {};
}

seal::Binding Vault::binding(Record record, const RowId& row) const {
  FieldId field{};
  constexpr std::string_view kName = "theriac/trace";
  std::ranges::copy(kName, field.bytes.begin());
  field.bytes.back() = static_cast<std::uint8_t>(record);
  return {ring_->tenant, seal::Kind::kRecord, field, row};
}

Result<Bytes> Vault::seal(Record record, const RowId& row, std::string_view plain) {
  THERIAC_ASSIGN(const auto* keys, ring(false));
  if (!sealer_) {
    const auto* key = keys->active(class_name_, seal::Purpose::kData);
    if (key == nullptr) return fail(Code::kUnknownKey, "class " + class_name_);
    THERIAC_ASSIGN(auto made, seal::Sealer::make(*key, *random_));
    sealer_.emplace(std::move(made));
  }
  return sealer_->seal(binding(record, row), kBuckets, view_of(plain));
}

Result<std::string> Vault::open(Record record, const RowId& row, ByteView sealed) {
  THERIAC_ASSIGN(const auto* ignored, ring(true));
  static_cast<void>(ignored);
  THERIAC_TRY(opener_.open_into(binding(record, row), sealed, opened_));
  std::string plain(text_of(opened_));
  wipe(opened_);
  return plain;
}

Result<seal::IndexToken> Vault::index(Domain domain, std::string_view canonical) {
  THERIAC_ASSIGN(const auto* keys, ring(true));
  auto at = indexers_.find(domain);
  if (at == indexers_.end()) {
    const auto* key = keys->active(class_name_, seal::Purpose::kIndex);
    if (key == nullptr) return fail(Code::kUnknownKey, "index key of " + class_name_);
    THERIAC_ASSIGN(auto made,
                   seal::Indexer::make(*key, keys->tenant, seal::domain_of("theriac/trace"),
                                       label_of(domain)));
    at = indexers_.emplace(domain, std::move(made)).first;
  }
  return at->second.index(view_of(canonical));
}

Result<KeyId> Vault::number_key() {
  THERIAC_ASSIGN(const auto* keys, ring(false));
  const auto* key = keys->active(class_name_, seal::Purpose::kIndex);
  if (key == nullptr) return fail(Code::kUnknownKey, "index key of " + class_name_);
  return key->id;
}

Result<Numbers> Vault::numbers(const NumberRule& rule, const KeyId& id, const FieldId& pool) {
  THERIAC_ASSIGN(const auto* keys, ring(true));
  const auto key = std::ranges::find_if(keys->keys, [&](const seal::LeasedKey& one) {
    return one.id == id && one.class_name == class_name_ && one.purpose == seal::Purpose::kIndex;
  });
  if (key == keys->keys.end()) return fail(Code::kUnknownKey, "the pool's key");
  return Numbers::make(rule, *key, keys->tenant, pool);
}

RowId row_of(Record record, std::int64_t id) {
  RowId row{};
  row.bytes[0] = static_cast<std::uint8_t>(record);
  store_be(row.bytes.data() + 8, static_cast<std::uint64_t>(id));
  return row;
}

}  // namespace theriac::trace
