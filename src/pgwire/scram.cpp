#include "pgwire/scram.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "codec/base64.hpp"
#include "crypto/hash.hpp"
#include "pgwire/text_scan.hpp"

namespace theriac {

/// Read only in this file: proofs are XORs of keys and signatures.
class PgwireSecretAccess {
 public:
  static std::span<const std::uint8_t, 32> bytes(const Key256& key) {
    return key.reveal(SecretAccess{});
  }
  static std::span<std::uint8_t, 32> mutable_bytes(Key256& key) {
    return key.reveal_mutable(SecretAccess{});
  }
};

namespace pgwire {
namespace {

constexpr std::string_view kMechanism = "SCRAM-SHA-256", kMechanismPlus = "SCRAM-SHA-256-PLUS";
constexpr std::string_view kPlusHeader = "p=tls-server-end-point,,";
constexpr std::size_t kNonceBytes = 18;  // as libpq and PostgreSQL
constexpr std::size_t kMockSaltBytes = 16;
constexpr std::uint32_t kMockIterations = 4096;  // PostgreSQL 15 has no other default

tl::unexpected<Error> malformed() { return fail(Code::kProtocol, "SCRAM message"); }
tl::unexpected<Error> not_authenticated() { return fail(Code::kNotAuthenticated, "SCRAM"); }

crypto::Digest hmac(const Key256& key, std::string_view message) {
  return crypto::HmacKey(crypto::HashKind::kSha256, key).mac(view_of(message));
}

/// RFC 5802: StoredKey := H(ClientKey)
Key256 stored_key_of(const Key256& client_key) {
  const auto digest = crypto::sha256(PgwireSecretAccess::bytes(client_key));
  return Key256(std::span<const std::uint8_t, 32>(digest));
}

/// The proof from the key, and with the same step the key from a proof.
Key256 exclusive_or(std::span<const std::uint8_t, 32> a, const crypto::Digest& b) {
  Key256 made;
  auto out = PgwireSecretAccess::mutable_bytes(made);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(a[i] ^ b.at(i));
  return made;
}

std::string make_nonce(Random& random) {
  std::array<std::uint8_t, kNonceBytes> bytes{};
  random.fill(bytes);
  return codec::to_base64(bytes);
}

/// RFC 5802 attr-val: a letter, '=', and a value up to the next comma, which is consumed.
std::optional<std::string_view> take_attribute(std::string_view& rest, char name) {
  if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return std::nullopt;
  rest.remove_prefix(2);
  const auto value = rest.substr(0, rest.find(','));
  rest.remove_prefix(std::min(value.size() + 1, rest.size()));
  return value;
}

/// RFC 5802 printable: visible ASCII but the comma, which take_attribute has already excluded.
bool is_printable(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

bool take_extensions(std::string_view& rest) {
  while (!rest.empty()) {
    if (!is_letter(rest[0]) || !take_attribute(rest, rest[0])) return false;
  }
  return true;
}

std::optional<std::uint32_t> read_iterations(std::string_view text) {
  std::uint32_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  if (value == 0 || value > kScramIterationsMax) return std::nullopt;
  return value;
}

std::optional<Bytes> read_salt(std::string_view text) {
  if (text.size() > 2 * kScramSaltBytesMax) return std::nullopt;
  auto salt = codec::from_base64(text);
  if (!salt || salt->empty() || salt->size() > kScramSaltBytesMax) return std::nullopt;
  return std::move(*salt);
}

std::optional<Key256> read_key(std::string_view text) {
  constexpr std::size_t kEncodedBytes = 44;
  if (text.size() != kEncodedBytes) return std::nullopt;
  auto bytes = codec::from_base64(text);
  if (!bytes || bytes->size() != Key256::kSize) return std::nullopt;
  Key256 key(std::span<const std::uint8_t, 32>(bytes->data(), Key256::kSize));
  wipe(*bytes);
  return key;
}

std::string_view take_until(std::string_view& rest, char mark) {
  const auto found = rest.substr(0, rest.find(mark));
  rest.remove_prefix(std::min(found.size() + 1, rest.size()));
  return found;
}

}  // namespace

Result<ScramVerifier> parse_verifier(std::string_view rolpassword) {
  const auto scheme = take_until(rolpassword, '$');
  const auto iterations = read_iterations(take_until(rolpassword, ':'));
  auto salt = read_salt(take_until(rolpassword, '$'));
  auto stored = read_key(take_until(rolpassword, ':'));
  auto server = read_key(rolpassword);
  if (scheme != kMechanism || !iterations || !salt || !stored || !server) {
    return fail(Code::kMalformed, "SCRAM verifier");
  }
  return ScramVerifier{*iterations, std::move(*salt), std::move(*stored), std::move(*server)};
}

ScramVerifier mock_verifier(const Key256& process_secret, std::string_view user) {
  const auto derive = [&](std::string_view purpose) {
    return hmac(process_secret, std::string(purpose) + '\0' + std::string(user));
  };
  const auto salt = derive("scram mock salt");
  const auto stored = derive("scram mock stored key");
  const auto server = derive("scram mock server key");
  return {kMockIterations, Bytes(salt.begin(), salt.begin() + kMockSaltBytes),
          Key256(std::span<const std::uint8_t, 32>(stored)),
          Key256(std::span<const std::uint8_t, 32>(server))};
}

// --- server --------------------------------------------------------------------------------------

ScramServer::ScramServer(ScramVerifier verifier, Bytes channel_binding, bool doomed, Random& random)
    : verifier_(std::move(verifier)),
      channel_binding_(std::move(channel_binding)),
      doomed_(doomed),
      random_(&random) {}

/// RFC 5802 gs2-header: binding flag, no authorization identity.
Status ScramServer::read_header(std::string_view mechanism, std::string_view& rest) {
  const bool plus = mechanism == kMechanismPlus;
  if (!plus && mechanism != kMechanism) return malformed();
  if (plus && channel_binding_.empty()) return malformed();  // we did not offer it
  const auto flag = rest.substr(0, rest.find(','));
  if (plus ? flag != kPlusHeader.substr(0, kPlusHeader.find(',')) : flag != "n" && flag != "y") {
    return malformed();
  }
  // RFC 5802, section 6: a client that could bind but saw no offer was told a lie.
  if (flag == "y" && !channel_binding_.empty()) return not_authenticated();
  rest.remove_prefix(flag.size());
  if (!rest.starts_with(',')) return malformed();
  rest.remove_prefix(1);
  if (rest.starts_with('a')) return fail(Code::kUnsupported, "SCRAM authorization identity");
  if (!rest.starts_with(',')) return malformed();
  rest.remove_prefix(1);
  gs2_header_ = std::string(flag) + ",,";
  return {};
}

Result<std::string> ScramServer::first(std::string_view mechanism, std::string_view client_first) {
  if (std::exchange(state_, State::kFailed) != State::kFirst) return malformed();
  if (client_first.size() > kScramMessageBytesMax) return fail(Code::kTooLarge, "SCRAM message");
  auto rest = client_first;
  THERIAC_TRY(read_header(mechanism, rest));
  client_first_bare_ = rest;
  if (rest.starts_with('m')) return fail(Code::kUnsupported, "SCRAM extension");
  // The name here is ignored, as in PostgreSQL: the start-up packet has named the user.
  if (!take_attribute(rest, 'n')) return malformed();
  const auto client_nonce = take_attribute(rest, 'r');
  if (!client_nonce || !is_printable(*client_nonce) || !take_extensions(rest)) return malformed();
  nonce_ = std::string(*client_nonce) + make_nonce(*random_);
  server_first_ = "r=" + nonce_ + ",s=" + codec::to_base64(verifier_.salt) +
                  ",i=" + std::to_string(verifier_.iterations);
  state_ = State::kFinal;
  return server_first_;
}

std::string ScramServer::expected_binding() const {
  auto input = bytes_of(gs2_header_);
  if (gs2_header_ == kPlusHeader) append(input, channel_binding_);
  return codec::to_base64(input);
}

Result<std::string> ScramServer::final(std::string_view client_final) {
  if (std::exchange(state_, State::kFailed) != State::kFinal) return malformed();
  if (client_final.size() > kScramMessageBytesMax) return fail(Code::kTooLarge, "SCRAM message");
  // "p=" is the last attribute; what stands before it is signed.
  const auto proof_at = client_final.rfind(",p=");
  if (proof_at == std::string_view::npos) return malformed();
  const auto without_proof = client_final.substr(0, proof_at);
  const auto proof = read_key(client_final.substr(proof_at + 3));
  auto rest = without_proof;
  const auto binding = take_attribute(rest, 'c');
  const auto nonce = binding ? take_attribute(rest, 'r') : std::nullopt;
  if (!proof || !nonce || !take_extensions(rest)) return malformed();
  if (*nonce != nonce_) return fail(Code::kProtocol, "SCRAM nonce");
  if (*binding != expected_binding()) return not_authenticated();

  const auto message = client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
  auto signature = hmac(verifier_.stored_key, message);
  auto client_key = exclusive_or(PgwireSecretAccess::bytes(*proof), signature);
  wipe(signature);  // with the proof, which was sent, it would give the key
  // Both are always computed, so that a doomed exchange takes as long as a wrong password.
  const bool proven = stored_key_of(client_key) == verifier_.stored_key;
  if (!proven || doomed_) return not_authenticated();
  client_key_ = std::move(client_key);
  state_ = State::kDone;
  return "v=" + codec::to_base64(hmac(verifier_.server_key, message));
}

Result<ScramKeys> ScramServer::keys() {
  if (state_ != State::kDone) return not_authenticated();
  return ScramKeys{client_key_.clone(), verifier_.server_key.clone()};
}

// --- client --------------------------------------------------------------------------------------

ScramClient::ScramClient(ScramKeys keys, Bytes channel_binding, Random& random)
    : keys_(std::move(keys)), channel_binding_(std::move(channel_binding)), random_(&random) {}

std::string_view ScramClient::mechanism() const {
  return channel_binding_.empty() ? kMechanism : kMechanismPlus;
}

std::string ScramClient::gs2_header() const {
  return channel_binding_.empty() ? "n,," : std::string(kPlusHeader);
}

std::string ScramClient::first() {
  nonce_ = make_nonce(*random_);
  client_first_bare_ = "n=,r=" + nonce_;
  return gs2_header() + client_first_bare_;
}

Result<std::string> ScramClient::final(std::string_view server_first) {
  if (server_first.size() > kScramMessageBytesMax) return fail(Code::kTooLarge, "SCRAM message");
  auto rest = server_first;
  const auto nonce = take_attribute(rest, 'r');
  const auto salt = nonce ? take_attribute(rest, 's') : std::nullopt;
  const auto iterations = salt ? take_attribute(rest, 'i') : std::nullopt;
  // Salt and count are the password's business, done on the first leg; they are only checked for
  // form, since the signatures cover them.
  if (!iterations || !read_salt(*salt) || !read_iterations(*iterations) || !take_extensions(rest) ||
      !is_printable(*nonce)) {
    return malformed();
  }
  if (nonce_.empty() || !nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) {
    return fail(Code::kProtocol, "SCRAM nonce");
  }
  auto binding = bytes_of(gs2_header());
  append(binding, channel_binding_);
  const auto without_proof = "c=" + codec::to_base64(binding) + ",r=" + std::string(*nonce);
  auth_message_ = client_first_bare_ + "," + std::string(server_first) + "," + without_proof;
  auto signature = hmac(stored_key_of(keys_.client_key), auth_message_);
  const auto proof = exclusive_or(PgwireSecretAccess::bytes(keys_.client_key), signature);
  wipe(signature);
  return without_proof + ",p=" + codec::to_base64(PgwireSecretAccess::bytes(proof));
}

Status ScramClient::verify(std::string_view server_final) {
  if (server_final.size() > kScramMessageBytesMax) return fail(Code::kTooLarge, "SCRAM message");
  const auto signature = take_attribute(server_final, 'v');
  const auto given = signature ? read_key(*signature) : std::nullopt;
  if (!given || auth_message_.empty()) return not_authenticated();
  const auto digest = hmac(keys_.server_key, auth_message_);
  if (!equal_constant_time(PgwireSecretAccess::bytes(*given), digest)) return not_authenticated();
  return {};
}

}  // namespace pgwire
}  // namespace theriac
