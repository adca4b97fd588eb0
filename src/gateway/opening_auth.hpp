// Sign-in: relays PostgreSQL's authentication messages until the server accepts the user, then
// hands over to the session proper. Where both legs have TLS, SCRAM with channel binding cannot
// pass through (each leg has its own certificate): it is ended here with the server's own verifier,
// and the ClientKey that a valid proof gives away signs the user in on the server. Without sockets.
//
// | client leg | server leg | SCRAM |
// |---|---|---|
// | any | plain | passed through |
// | plain | TLS | passed through, without the offer of channel binding |
// | TLS | TLS | ended here; refused if no source of verifiers is configured |
//
// Threading: belongs to one event loop.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/random.hpp"
#include "gateway/gateway_metrics.hpp"
#include "gateway/session.hpp"
#include "pgwire/messages.hpp"
#include "pgwire/scram.hpp"

namespace theriac::gateway {

/// Makes the session proper; called on its loop. It sees what the server sends after
/// AuthenticationOk. The error is told to the client.
using SessionFactory = std::function<Result<std::unique_ptr<Session>>(
    const pgwire::StartupMessage& startup, Waker waker)>;

/// pg_authid.rolpassword of a user, or nullopt for an unknown user or one without password.
using VerifierAnswer = std::function<void(Result<std::optional<std::string>>)>;
/// Asks for it; the answer comes later, on the same loop.
using VerifierLookup = std::function<void(std::string user, VerifierAnswer)>;

struct SignInSetup {
  pgwire::StartupMessage startup;
  bool enforce = false;
  bool client_tls = false;
  bool server_tls = false;
  Bytes client_binding;  ///< tls-server-end-point data of our certificate
  Bytes server_binding;  ///< of the server's
  SessionFactory make;
  VerifierLookup lookup;  ///< may be empty
  Waker waker;
  const Key256* process_secret = nullptr;  ///< for mock verifiers; outlives the session
  Random* random = nullptr;
  LoopMetrics* metrics = nullptr;
};

class SignIn final : public Session {
 public:
  explicit SignIn(SignInSetup setup) : setup_(std::move(setup)) {}
  void from_client(ByteView bytes, Io& io) override;
  void from_server(ByteView bytes, Io& io) override;
  void client_closed(Io& io) override { io.finished = true; }
  void server_closed(Io& io) override { io.finished = true; }
  [[nodiscard]] bool holds_client() const override;
  void resume(Io& io) override;
  void tick(Io&) override {}
  std::unique_ptr<Session> successor() override { return std::move(successor_); }

 private:
  enum class State : std::uint8_t {
    kRelay,        ///< messages pass, the server decides
    kClientFirst,  ///< SCRAM ends here: the client's first message is next
    kVerifier,     ///< it came; the verifier is awaited
    kClientFinal,
    kServerFirst,  ///< the user proved the password; now towards the server
    kServerFinal,
    kServerOk,  ///< the server proved itself; AuthenticationOk is next
    kDone,
  };
  void pump_client(Io& io);
  void pump_server(Io& io);
  void on_client(const pgwire::Frame& frame, Io& io);
  void on_authentication(const pgwire::Frame& frame, Io& io);
  void on_mechanisms(const pgwire::Frame& frame, ByteView names, Io& io);
  void on_method(const pgwire::Frame& frame, std::uint32_t method, Io& io);
  void begin_scram(Io& io);
  void on_client_first(ByteView body, Io& io);
  void answer_client_first(Io& io);
  void on_client_final(ByteView body, Io& io);
  void hand_over(const pgwire::Frame& frame, std::size_t used, Io& io);
  void refuse(const Error& error, Io& io);
  [[nodiscard]] const std::string& user() const;

  struct Answer {
    std::optional<Result<std::optional<std::string>>> value;
  };
  SignInSetup setup_;
  State state_ = State::kRelay;
  Bytes client_in_, server_in_;
  bool ahead_ = false;              ///< the client sent session messages before it was signed in
  std::shared_ptr<Answer> answer_;  ///< shared with the pending lookup, which may outlive this
  std::string mechanism_, client_first_, server_final_;
  std::optional<pgwire::ScramServer> scram_server_;
  std::optional<pgwire::ScramClient> scram_client_;
  std::unique_ptr<Session> successor_;
};

}  // namespace theriac::gateway
