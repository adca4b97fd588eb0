#include <optional>

#include "seal/data_key.hpp"
#include "seal/format.hpp"

namespace theriac::seal {

namespace {

/// Derived keys by (key, nonce prefix). Set-associative, so that a look-up is four comparisons, the
/// size is bounded whatever prefixes a database sends us, and a replaced key's memory is reused.
class DerivedKeys {
 public:
  crypto::GcmKey& find(std::size_t key_number, DataKey& key, const NoncePrefix& prefix) {
    auto& set = sets_[set_of(key_number, prefix)];
    ++clock_;
    Way* oldest = &set[0];
    for (Way& way : set) {
      if (way.derived && way.key_number == key_number && way.prefix == prefix) {
        way.used = clock_;
        return *way.derived;
      }
      if (way.used < oldest->used) oldest = &way;
    }
    if (oldest->derived && oldest->suite == key.suite()) {
      key.message_key(prefix, *oldest->derived);
    } else {
      oldest->derived.emplace(key.message_key(prefix));
    }
    oldest->key_number = key_number;
    oldest->prefix = prefix;
    oldest->suite = key.suite();
    oldest->used = clock_;
    return *oldest->derived;
  }
  void clear() {
    for (auto& set : sets_) set = {};
  }

 private:
  static constexpr std::size_t kSets = 64;  // a power of two
  static constexpr std::size_t kWays = 4;
  struct Way {
    std::size_t key_number = 0;
    NoncePrefix prefix{};
    Suite suite = Suite::kXaes256Gcm;
    std::uint64_t used = 0;
    std::optional<crypto::GcmKey> derived;
  };

  static std::size_t set_of(std::size_t key_number, const NoncePrefix& prefix) {
    // Prefixes are random; whoever forges them to meet in one set slows only his own reads.
    return (prefix[0] ^ key_number) & (kSets - 1);
  }

  std::uint64_t clock_ = 0;
  std::vector<std::array<Way, kWays>> sets_ = std::vector<std::array<Way, kWays>>(kSets);
};

struct KnownKey {
  KeyId id;
  crypto::Digest commitment;
  DataKey key;
};

}  // namespace

struct Opener::State {
  std::vector<KnownKey> keys;  // few: the versions of one class
  DerivedKeys derived;

  [[nodiscard]] std::optional<std::size_t> number_of(const KeyId& id) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].id == id) return i;
    }
    return std::nullopt;
  }
};

Opener::Opener() : state_(std::make_unique<State>()) {}
Opener::~Opener() = default;
Opener::Opener(Opener&&) noexcept = default;
Opener& Opener::operator=(Opener&&) noexcept = default;

Status Opener::add(const LeasedKey& key) {
  THERIAC_TRY(check_key(key, Purpose::kData));
  const crypto::Digest whole = commitment(key.suite, key.purpose, key.material);
  if (const auto number = state_->number_of(key.id)) {
    if (!equal_constant_time(state_->keys[*number].commitment, whole)) {
      return fail(Code::kKeyCollision, "key id");
    }
    return {};
  }
  state_->keys.push_back({key.id, whole, DataKey(key.suite, key.purpose, key.material)});
  return {};
}

void Opener::clear() {
  state_->derived.clear();
  state_->keys.clear();
}

Status Opener::open_into(const Binding& binding, ByteView sealed, Bytes& out) {
  const auto refuse = [&out](Error error) {
    wipe(out);
    out.clear();
    return fail(std::move(error));
  };
  const auto header = parse_header(sealed);
  if (!header) return refuse(header.error());
  const auto number = state_->number_of(header->key_id);
  if (!number) return refuse({Code::kUnknownKey, "sealed value: key id"});
  DataKey& key = state_->keys[*number].key;
  if (header->suite != key.suite()) return refuse({Code::kNotAuthentic, "sealed value: suite"});
  if (header->row != binding.row) return refuse({Code::kNotAuthentic, "sealed value: row"});

  // The header is rebuilt, not copied: what is authenticated is what we understood.
  const Associated associated(header->suite, header->padded, header->key_id, binding);
  const ByteView nonce = sealed.subspan(header->size, kNonceBytes);
  const ByteView body = sealed.subspan(header->size + kNonceBytes);
  NoncePrefix prefix;
  std::copy_n(nonce.begin(), prefix.size(), prefix.begin());
  crypto::GcmKey& message_key = state_->derived.find(*number, key, prefix);
  out.resize(body.size() - kTagBytes);
  const auto opened = message_key.open(nonce.last<kNonceHalfBytes>(), associated.aad(), body, out);
  if (!opened) return refuse({Code::kNotAuthentic, "sealed value"});
  if (header->padded) {
    const auto size = unpadded_size(out);
    if (!size) return refuse(size.error());
    out.resize(*size);
  }
  return {};
}

Result<SecretBytes> Opener::open(const Binding& binding, ByteView sealed) {
  Bytes plaintext;
  THERIAC_TRY(open_into(binding, sealed, plaintext));
  SecretBytes opened{ByteView(plaintext)};
  wipe(plaintext);
  return opened;
}

}  // namespace theriac::seal
