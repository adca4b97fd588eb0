// The session of a role with `backup: true`: after sign-in every byte goes to the other side as it
// is. The role sees sealed bytes, helpers and the registry; nothing is sealed or opened for it.
// That it can only read is a matter of its rights, which `theriac protect` looks at.
#pragma once

#include "gateway/enforce_service.hpp"
#include "gateway/pass_session.hpp"

namespace theriac::gateway {

class BackupSession final : public Session {
 public:
  /// Begins after AuthenticationOk. `service` and `metrics` outlive the session and its successor.
  BackupSession(EnforceService& service, LoopMetrics& metrics, std::string user);

  void from_client(ByteView bytes, Io& io) override;
  void from_server(ByteView bytes, Io& io) override;
  void client_closed(Io& io) override;
  void server_closed(Io& io) override;
  void tick(Io& io) override;
  [[nodiscard]] bool is_idle() const override { return false; }
  /// A PassSession, once the server said that the role is no superuser.
  std::unique_ptr<Session> successor() override { return std::move(pass_); }

 private:
  void fatal(pgwire::ErrorReport report, Io& io);
  /// On the audit log, or no session.
  Status record();

  EnforceService& service_;
  std::string user_;
  std::unique_ptr<PassSession> pass_;
  Bytes server_in_;
  bool superuser_ = false;
};

}  // namespace theriac::gateway
