#include "crypto/hash.hpp"

#include "crypto/gcrypt.hpp"
#include "crypto/secret_access.hpp"

namespace theriac::crypto {

namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kHkdfBlocksMax = 255;  // RFC 5869 section 2.3

int algorithm_of(HashKind kind) { return kind == HashKind::kSha256 ? GCRY_MD_SHA256 : GCRY_MD_SM3; }

/// A libgcrypt message digest, plain or keyed.
struct Handle {
  gcry_md_hd_t md = nullptr;

  Handle(HashKind kind, unsigned flags) {
    gcrypt_ready();
    gcrypt_must(gcry_md_open(&md, algorithm_of(kind), flags));
  }
  ~Handle() { gcry_md_close(md); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void take(Digest& out) {
    std::memcpy(out.data(), gcry_md_read(md, 0), kDigestBytes);
    gcry_md_reset(md);
  }
};

}  // namespace

Digest hash(HashKind kind, ByteView data) {
  gcrypt_ready();
  Digest out;
  gcry_md_hash_buffer(algorithm_of(kind), out.data(), data.data(), data.size());
  return out;
}

struct Hasher::State : Handle {
  using Handle::Handle;
};

Hasher::Hasher(HashKind kind) : state_(std::make_unique<State>(kind, 0U)) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(ByteView data) { gcry_md_write(state_->md, data.data(), data.size()); }

Digest Hasher::finish() {
  Digest out;
  state_->take(out);
  return out;
}

struct HmacKey::State : Handle {
  using Handle::Handle;
  State(HashKind kind, ByteView key) : Handle(kind, GCRY_MD_FLAG_HMAC) {
    // RFC 2104 pads short keys with zeros, so a missing key and one zero byte are the same key;
    // libgcrypt wants a pointer.
    static constexpr std::uint8_t kZero = 0;
    gcrypt_must(
        gcry_md_setkey(md, key.empty() ? &kZero : key.data(), key.empty() ? 1 : key.size()));
  }
};

HmacKey::HmacKey(HashKind kind, const Key256& key)
    : state_(std::make_unique<State>(kind, ByteView(CryptoSecretAccess::bytes(key)))) {}
HmacKey::HmacKey(HashKind kind, const SecretBytes& key)
    : state_(std::make_unique<State>(kind, CryptoSecretAccess::bytes(key))) {}
HmacKey::~HmacKey() = default;
HmacKey::HmacKey(HmacKey&&) noexcept = default;
HmacKey& HmacKey::operator=(HmacKey&&) noexcept = default;

Digest HmacKey::mac(ByteView data) {
  Digest out;
  gcry_md_write(state_->md, data.data(), data.size());
  state_->take(out);
  return out;
}

namespace {

/// RFC 5869 section 2.2; `salt` absent means zeros, which HMAC's own padding supplies.
Key256 extract(HashKind kind, ByteView input, ByteView salt) {
  HmacKey key(kind, SecretBytes(salt));
  Digest prk = key.mac(input);
  Key256 made{std::span<const std::uint8_t, kDigestBytes>(prk)};
  wipe(prk);
  return made;
}

/// RFC 5869 section 2.3.
void expand(HashKind kind, const Key256& prk, ByteView info, MutableBytes out) {
  HmacKey key(kind, prk);
  Bytes message;
  message.reserve(kDigestBytes + info.size() + 1);
  Digest block{};
  std::size_t done = 0;
  for (unsigned number = 1; done < out.size(); ++number) {
    wipe(message);
    message.clear();
    if (number > 1) append(message, block);
    append(message, info);
    message.push_back(static_cast<std::uint8_t>(number));
    block = key.mac(message);
    const std::size_t take = std::min(block.size(), out.size() - done);
    std::memcpy(out.data() + done, block.data(), take);
    done += take;
  }
  wipe(message);
  wipe(block);
}

}  // namespace

Key256 hkdf(HashKind kind, const Key256& input, ByteView salt, ByteView info) {
  const Key256 prk = extract(kind, CryptoSecretAccess::bytes(input), salt);
  Key256 out;
  expand(kind, prk, info, CryptoSecretAccess::mutable_bytes(out));
  return out;
}

Result<SecretBytes> hkdf(HashKind kind, const SecretBytes& input, ByteView salt, ByteView info,
                         std::size_t size) {
  if (size > kHkdfBlocksMax * kDigestBytes) return fail(Code::kOutOfRange, "HKDF output length");
  const Key256 prk = extract(kind, CryptoSecretAccess::bytes(input), salt);
  SecretBytes out(size);
  expand(kind, prk, info, CryptoSecretAccess::mutable_bytes(out));
  return out;
}

}  // namespace theriac::crypto
