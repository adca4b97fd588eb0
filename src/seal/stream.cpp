#include "seal/stream.hpp"

#include <optional>

#include "seal/data_key.hpp"
#include "seal/secret_access.hpp"

namespace theriac::seal {

// docs/design/stream.md, section 1.
namespace {

constexpr std::string_view kMagic = "THSTREAM";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kChunkPrefixBytes = 7;
constexpr std::size_t kTag = crypto::kGcmTagBytes;
constexpr std::size_t kKeyIdAt = 11;
constexpr std::size_t kChunkPrefixAt = kKeyIdAt + KeyId::kSize;
constexpr std::size_t kNonceAt = kChunkPrefixAt + kChunkPrefixBytes;
constexpr std::size_t kWrappedAt = kNonceAt + 2 * kNoncePrefixBytes;
constexpr std::size_t kHeaderSize = kWrappedAt + Key256::kSize + kTag;
constexpr std::size_t kSealedChunkBytes = kStreamChunkBytes + kTag;

using HeaderBytes = std::array<std::uint8_t, kHeaderSize>;

/// What the wrapped file key is bound to: the header before it, and the tenant.
Bytes wrap_aad(const HeaderBytes& header, const TenantId& tenant) {
  Bytes aad;
  append_be(aad, static_cast<std::uint16_t>(kNonceAt));
  append(aad, ByteView(header).first(kNonceAt));
  append_be(aad, static_cast<std::uint16_t>(TenantId::kSize));
  append(aad, tenant.view());
  return aad;
}

/// Seals or opens the chunks of one stream.
class Chunks {
 public:
  Chunks(Suite suite, const Key256& file_key, const HeaderBytes& header)
      : key_(gcm_key(suite, file_key)) {
    std::copy_n(header.begin() + kChunkPrefixAt, kChunkPrefixBytes, nonce_.begin());
  }
  void set_number(std::uint64_t number) { number_ = number; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] bool exhausted() const { return number_ >= kStreamChunksMax; }

  void seal(ByteView plaintext, bool last, Bytes& out) {
    const std::size_t start = out.size();
    out.resize(start + plaintext.size() + kTag);
    key_.seal(next_nonce(last), {}, plaintext, MutableBytes(out).subspan(start));
  }
  Status open(ByteView sealed, bool last, Bytes& out) {
    const std::size_t start = out.size();
    out.resize(start + sealed.size() - kTag);
    Status opened = key_.open(next_nonce(last), {}, sealed, MutableBytes(out).subspan(start));
    if (!opened) out.resize(start);
    return opened;
  }

 private:
  static crypto::GcmKey gcm_key(Suite suite, const Key256& file_key) {
    const Key256 key = derive(suite, Purpose::kStream, file_key, "theriac/stream/v1");
    return suite == Suite::kXaes256Gcm ? crypto::GcmKey(key) : crypto::GcmKey(first_half(key));
  }
  /// prefix(7) | counter(4) | last(1): the STREAM construction.
  std::span<const std::uint8_t, crypto::kGcmNonceBytes> next_nonce(bool last) {
    store_be(nonce_.data() + kChunkPrefixBytes, static_cast<std::uint32_t>(number_++));
    nonce_.back() = last ? 1 : 0;
    return nonce_;
  }

  crypto::GcmKey key_;
  std::array<std::uint8_t, crypto::kGcmNonceBytes> nonce_{};
  std::uint64_t number_ = 0;
};

}  // namespace

std::size_t stream_header_bytes() { return kHeaderSize; }
std::uint64_t stream_chunk_offset(std::uint64_t number) {
  return kHeaderSize + number * kSealedChunkBytes;
}

struct StreamSealer::State {
  HeaderBytes header;
  Chunks chunks;
  SecretBytes held{kStreamChunkBytes};  ///< plaintext not sealed yet: the last chunk is not known
  std::size_t held_size = 0;            ///< before the end is
  bool header_given = false;
  bool finished = false;

  void give_header(Bytes& out) {
    if (!std::exchange(header_given, true)) append(out, header);
  }
  Status seal_held(bool last, Bytes& out) {
    if (chunks.exhausted()) return fail(Code::kTooLarge, "stream");
    chunks.seal(SealSecretAccess::bytes(held).first(held_size), last, out);
    held_size = 0;
    return {};
  }
};

StreamSealer::StreamSealer(std::unique_ptr<State> state) : state_(std::move(state)) {}
StreamSealer::~StreamSealer() = default;
StreamSealer::StreamSealer(StreamSealer&&) noexcept = default;
StreamSealer& StreamSealer::operator=(StreamSealer&&) noexcept = default;

Result<StreamSealer> StreamSealer::make(const LeasedKey& wrapping, const TenantId& tenant,
                                        Random& random) {
  THERIAC_TRY(check_key(wrapping, Purpose::kStream));
  Key256 file_key;
  const auto file_key_bytes = SealSecretAccess::mutable_bytes(file_key);
  random.fill(file_key_bytes);

  HeaderBytes header{};
  std::ranges::copy(kMagic, header.begin());
  header[8] = kVersion;
  header[9] = static_cast<std::uint8_t>(wrapping.suite);
  header[10] = 0;  // flags
  std::ranges::copy(wrapping.id.bytes, header.begin() + kKeyIdAt);
  random.fill(MutableBytes(header).subspan(kChunkPrefixAt, kChunkPrefixBytes));

  // The file key is wrapped the way a value is sealed, hedged nonce included.
  DataKey wrapping_key(wrapping.suite, wrapping.purpose, wrapping.material);
  const Bytes aad = wrap_aad(header, tenant);
  NoncePrefix prefix;
  random.fill(prefix);
  Bytes hedged(kNoncePrefixBytes);
  random.fill(hedged);
  append(hedged, aad);
  const NoncePrefix suffix = wrapping_key.hedge(hedged, file_key_bytes);
  std::ranges::copy(prefix, header.begin() + kNonceAt);
  std::ranges::copy(suffix, header.begin() + kNonceAt + kNoncePrefixBytes);
  wrapping_key.message_key(prefix).seal(suffix, aad, file_key_bytes,
                                        MutableBytes(header).subspan(kWrappedAt));
  Chunks chunks(wrapping.suite, file_key, header);
  return StreamSealer(std::make_unique<State>(header, std::move(chunks)));
}

Status StreamSealer::update(ByteView plaintext, Bytes& out) {
  State& state = *state_;
  if (state.finished) return fail(Code::kClosed, "stream");
  state.give_header(out);
  while (!plaintext.empty()) {
    if (state.held_size == kStreamChunkBytes) THERIAC_TRY(state.seal_held(false, out));
    const std::size_t take = std::min(plaintext.size(), kStreamChunkBytes - state.held_size);
    std::memcpy(SealSecretAccess::mutable_bytes(state.held).data() + state.held_size,
                plaintext.data(), take);
    state.held_size += take;
    plaintext = plaintext.subspan(take);
  }
  return {};
}

Status StreamSealer::finish(Bytes& out) {
  State& state = *state_;
  if (std::exchange(state.finished, true)) return fail(Code::kClosed, "stream");
  state.give_header(out);
  return state.seal_held(true, out);
}

struct StreamOpener::State {
  KeyLookup lookup;
  TenantId tenant;
  HeaderBytes header{};
  std::size_t header_size = 0;
  std::optional<Chunks> chunks{};
  Bytes held{};  ///< sealed bytes of one chunk at most
  std::optional<Error> failed{};

  Status fail_with(Code code, std::string where) {
    failed = Error{code, std::move(where)};
    return fail(*failed);
  }
  Status read_header();
  Status open_held(bool last, Bytes& out);
};

Status StreamOpener::State::read_header() {
  if (!std::ranges::equal(std::span(header).first<8>(), view_of(kMagic)) || header[8] != kVersion ||
      header[10] != 0) {
    return fail_with(Code::kMalformed, "stream header");
  }
  KeyId key_id;
  std::copy_n(header.begin() + kKeyIdAt, KeyId::kSize, key_id.bytes.begin());
  const LeasedKey* const wrapping = lookup(key_id);
  if (wrapping == nullptr || wrapping->id != key_id) {
    return fail_with(Code::kUnknownKey, "stream header: key id");
  }
  if (const auto good = check_key(*wrapping, Purpose::kStream); !good) {
    return fail_with(good.error().code, good.error().where);
  }
  if (header[9] != static_cast<std::uint8_t>(wrapping->suite)) {
    return fail_with(Code::kNotAuthentic, "stream header: suite");
  }
  DataKey wrapping_key(wrapping->suite, wrapping->purpose, wrapping->material);
  NoncePrefix prefix;
  std::copy_n(header.begin() + kNonceAt, prefix.size(), prefix.begin());
  const auto suffix = std::span(header).subspan<kNonceAt + kNoncePrefixBytes, kNoncePrefixBytes>();
  Key256 file_key;
  const Status opened = wrapping_key.message_key(prefix).open(
      suffix, wrap_aad(header, tenant), ByteView(header).subspan(kWrappedAt),
      SealSecretAccess::mutable_bytes(file_key));
  if (!opened) return fail_with(Code::kNotAuthentic, "stream header");
  chunks.emplace(wrapping->suite, file_key, header);
  return {};
}

Status StreamOpener::State::open_held(bool last, Bytes& out) {
  // Only an empty stream has an empty chunk, or one plaintext would have two sealed forms.
  const bool empty = held.size() == kTag;
  if (held.size() < kTag || chunks->exhausted() || (empty && chunks->number() > 0)) {
    return fail_with(Code::kNotAuthentic, "stream end");
  }
  const std::uint64_t number = chunks->number();
  if (!chunks->open(held, last, out)) {
    return fail_with(Code::kNotAuthentic, "stream chunk " + std::to_string(number));
  }
  held.clear();
  return {};
}

StreamOpener::StreamOpener(KeyLookup lookup, const TenantId& tenant)
    : state_(std::make_unique<State>(std::move(lookup), tenant)) {}
StreamOpener::~StreamOpener() = default;
StreamOpener::StreamOpener(StreamOpener&&) noexcept = default;
StreamOpener& StreamOpener::operator=(StreamOpener&&) noexcept = default;

Status StreamOpener::seek(std::uint64_t number) {
  State& state = *state_;
  if (state.failed) return fail(*state.failed);
  if (!state.chunks) return fail(Code::kConflict, "stream header not read yet");
  if (number >= kStreamChunksMax) return fail(Code::kOutOfRange, "stream chunk number");
  state.held.clear();
  state.chunks->set_number(number);
  return {};
}

Status StreamOpener::update(ByteView sealed, Bytes& out) {
  State& state = *state_;
  if (state.failed) return fail(*state.failed);
  while (!sealed.empty()) {
    if (!state.chunks) {
      const std::size_t take = std::min(sealed.size(), kHeaderSize - state.header_size);
      std::memcpy(state.header.data() + state.header_size, sealed.data(), take);
      state.header_size += take;
      sealed = sealed.subspan(take);
      if (state.header_size == kHeaderSize) THERIAC_TRY(state.read_header());
      continue;
    }
    // A whole chunk is opened only when a byte follows it: otherwise it may be the last one.
    if (state.held.size() == kSealedChunkBytes) THERIAC_TRY(state.open_held(false, out));
    const std::size_t take = std::min(sealed.size(), kSealedChunkBytes - state.held.size());
    append(state.held, sealed.first(take));
    sealed = sealed.subspan(take);
  }
  return {};
}

Status StreamOpener::finish(Bytes& out) {
  State& state = *state_;
  if (state.failed) return fail(*state.failed);
  if (!state.chunks) return state.fail_with(Code::kNotAuthentic, "stream header: cut");
  THERIAC_TRY(state.open_held(true, out));
  state.failed = Error{Code::kClosed, "stream"};
  return {};
}

}  // namespace theriac::seal
