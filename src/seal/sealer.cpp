#include "seal/format.hpp"
#include "seal/sealer_state.hpp"

namespace theriac::seal {

Sealer::Sealer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sealer::~Sealer() = default;
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;

Result<Sealer> Sealer::make(const LeasedKey& key, Random& random) {
  THERIAC_TRY(check_key(key, Purpose::kData));
  DataKey data_key(key.suite, key.purpose, key.material);
  NoncePrefix prefix;
  random.fill(prefix);
  crypto::GcmKey message_key = data_key.message_key(prefix);
  return Sealer(std::make_unique<State>(std::move(data_key), key.id, prefix, std::move(message_key),
                                        &random));
}

KeyId Sealer::key_id() const { return state_->key_id; }

Result<Bytes> Sealer::seal(const Binding& binding, const Buckets& buckets, ByteView plaintext) {
  Bytes out;
  THERIAC_TRY(seal_into(binding, buckets, plaintext, out));
  return out;
}

Status Sealer::seal_into(const Binding& binding, const Buckets& buckets, ByteView plaintext,
                         Bytes& out) {
  out.clear();
  THERIAC_ASSIGN(const std::size_t body_size, padded_size(buckets, plaintext.size()));
  State& state = *state_;
  if (state.sealed >= kSealedPerPrefixMax) return fail(Code::kKeyExhausted, "nonce prefix");
  ++state.sealed;

  const bool padded = !buckets.empty();
  Associated associated(state.key.suite(), padded, state.key_id, binding);
  state.random->fill(associated.random());
  const ByteView header = associated.header();

  out.assign(header.size() + kNonceBytes + body_size + kTagBytes, 0);
  std::uint8_t* at = out.data();
  std::memcpy(at, header.data(), header.size());
  at += header.size();
  const std::span<std::uint8_t, kNonceBytes> nonce(at, kNonceBytes);
  at += kNonceBytes;
  // The plaintext stands where its ciphertext will be, so that no other copy has to be wiped.
  const MutableBytes body(at, body_size);
  if (!plaintext.empty()) std::memcpy(body.data(), plaintext.data(), plaintext.size());
  if (padded) body[plaintext.size()] = 0x80;

  std::ranges::copy(state.prefix, nonce.begin());
  std::ranges::copy(state.key.hedge(associated.all(), body), nonce.begin() + kNonceHalfBytes);
  state.message_key.seal(nonce.last<kNonceHalfBytes>(), associated.aad(), body,
                         MutableBytes(at, body_size + kTagBytes));
  return {};
}

}  // namespace theriac::seal
