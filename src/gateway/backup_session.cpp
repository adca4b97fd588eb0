#include "gateway/backup_session.hpp"

namespace theriac::gateway {

BackupSession::BackupSession(EnforceService& service, LoopMetrics& metrics, std::string user)
    : service_(service), user_(std::move(user)), pass_(std::make_unique<PassSession>(metrics)) {}

void BackupSession::fatal(pgwire::ErrorReport report, Io& io) {
  report.severity = "FATAL";
  pgwire::write_error(io.to_client, report);
  io.finished = true;
}

Status BackupSession::record() {
  audit::Event event;
  event.action = "backup.session";
  event.actor = user_;
  event.role = user_;
  event.object = "database";
  event.policy_hash = service_.policy().hash;
  THERIAC_TRY(service_.audit().append(std::move(event)));
  return {};
}

void BackupSession::from_client(ByteView bytes, Io& io) {
  // Before the server is ready a client has nothing to say, but it may.
  if (pass_->pass_from_client(bytes) != bytes.size()) return pass_->from_client(bytes, io);
  append(io.to_server, bytes);
}

void BackupSession::from_server(ByteView bytes, Io& io) {
  append(server_in_, bytes);
  std::size_t done = 0;
  bool ready = false;
  while (!ready) {
    const auto frame =
        pgwire::cut_message(ByteView(server_in_).subspan(done), pgwire::kMessageBytesMax);
    if (!frame) return fatal(pgwire::report_of({Code::kProtocol, "server message"}), io);
    if (!*frame) break;
    if ((*frame)->tag == 'S') {
      const auto status = pgwire::read_parameter_status((*frame)->body);
      if (status && status->first == "is_superuser") superuser_ = status->second == "on";
    }
    ready = (*frame)->tag == 'Z';
    done += (*frame)->raw.size();
  }
  if (ready && superuser_) {
    return fatal({.sqlstate = "28000",
                  .message = "theriac: superusers are refused here, for backups as well",
                  .hint = "give the backup to a role that is none"},
                 io);
  }
  if (ready) {
    if (const auto recorded = record(); !recorded) {
      service_.log().error("audit.append", recorded.error());
      return fatal(pgwire::report_of(recorded.error()), io);
    }
  }
  const auto passed = ready ? server_in_.size() : done;
  const ByteView rest(server_in_.data(), passed);
  if (pass_->pass_from_server(rest) != passed) return pass_->from_server(rest, io);
  append(io.to_client, rest);
  server_in_.erase(server_in_.begin(), server_in_.begin() + static_cast<std::ptrdiff_t>(passed));
  io.handover = ready;
}

void BackupSession::client_closed(Io&) {}
void BackupSession::server_closed(Io& io) { io.finished = true; }
void BackupSession::tick(Io&) {}

}  // namespace theriac::gateway
