// SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL 15 speaks it: the server's half with a stored
// verifier, and the client's half with the ClientKey that the first half recovered from a valid
// proof, so that one password given once signs the same user in on both legs.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace theriac::pgwire {

/// One SASL message; real ones stay below 300 bytes.
inline constexpr std::size_t kScramMessageBytesMax = 8192;
/// Far above any server's setting; a verifier or server that asks for more is refused.
inline constexpr std::uint32_t kScramIterationsMax = 10'000'000;
inline constexpr std::size_t kScramSaltBytesMax = 1024;

/// pg_authid.rolpassword: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
struct ScramVerifier {
  std::uint32_t iterations = 4096;
  Bytes salt;
  Key256 stored_key;
  Key256 server_key;
};
/// Code::kMalformed.
Result<ScramVerifier> parse_verifier(std::string_view rolpassword);
/// For a user without a usable verifier: a mock from a per-process secret, so that an unknown user
/// cannot be told from a wrong password.
ScramVerifier mock_verifier(const Key256& process_secret, std::string_view user);

/// What the second leg needs: the keys of a user who just proved the password.
struct ScramKeys {
  Key256 client_key;
  Key256 server_key;
};

/// Server half. Feed client-first, send what it returns, feed client-final, send what it returns.
class ScramServer {
 public:
  /// `channel_binding`: tls-server-end-point data of our certificate, empty without TLS.
  ScramServer(ScramVerifier verifier, Bytes channel_binding, bool doomed, Random& random);
  /// `mechanism` as chosen by the client: SCRAM-SHA-256 or SCRAM-SHA-256-PLUS.
  /// Code::kProtocol: not a client-first message, or binding and mechanism disagree; kUnsupported:
  /// authorization identity or mandatory extension; kTooLarge; kNotAuthenticated: the client thinks
  /// that we offer no channel binding although we do, so somebody in between changed the offer.
  Result<std::string> first(std::string_view mechanism, std::string_view client_first);
  /// Code::kNotAuthenticated on a wrong proof or channel binding (or when doomed); then nothing is
  /// recovered. Code::kProtocol: not a client-final message, not our nonce, or out of turn; one
  /// exchange has one attempt.
  Result<std::string> final(std::string_view client_final);
  /// After a successful final(); else Code::kNotAuthenticated.
  Result<ScramKeys> keys();

 private:
  enum class State : std::uint8_t { kFirst, kFinal, kFailed, kDone };
  Status read_header(std::string_view mechanism, std::string_view& rest);
  [[nodiscard]] std::string expected_binding() const;

  ScramVerifier verifier_;
  Bytes channel_binding_;
  bool doomed_;
  State state_ = State::kFirst;
  std::string client_first_bare_, server_first_, nonce_, gs2_header_;
  Random* random_;
  Key256 client_key_;
};

/// Client half with keys instead of a password.
class ScramClient {
 public:
  /// `channel_binding`: tls-server-end-point data of the server's certificate (then PLUS is used).
  ScramClient(ScramKeys keys, Bytes channel_binding, Random& random);
  [[nodiscard]] std::string_view mechanism() const;
  std::string first();
  /// Code::kProtocol: not a server-first message, or not built on our nonce.
  Result<std::string> final(std::string_view server_first);
  /// Code::kNotAuthenticated if the server does not prove its key.
  Status verify(std::string_view server_final);

 private:
  [[nodiscard]] std::string gs2_header() const;

  ScramKeys keys_;
  Bytes channel_binding_;
  std::string nonce_, client_first_bare_, auth_message_;
  Random* random_;
};

}  // namespace theriac::pgwire
