// The first packets of a connection, before a server is connected: encryption requests, cancel
// requests, start-up, and what enforce mode refuses in a start-up. Without sockets.
// Source: PostgreSQL 15 manual, 55.2.1 and 55.7.
//
// Threading: values of one loop.
#pragma once

#include "base/bytes.hpp"
#include "pgwire/messages.hpp"

namespace theriac::gateway {

struct OpeningRules {
  bool tls_offered = false;   ///< a certificate is configured
  bool tls_required = false;  ///< a start-up without TLS is refused
  bool enforce = false;
};

class Opening {
 public:
  enum class Step : std::uint8_t {
    kMore,       ///< feed more bytes
    kAnswerNo,   ///< write 'N', then next()
    kStartTls,   ///< write 'S', do the server side of the handshake, then tls_done()
    kDirectTls,  ///< the client speaks TLS at once; its bytes are taken with take_rest()
    kCancel,     ///< cancel_request() goes to the server, then close
    kStartup,    ///< startup() and startup_packet() are there; take_rest() may hold more bytes
    kRefuse,     ///< tell the client error(), then close
  };

  explicit Opening(OpeningRules rules) : rules_(rules) {}
  void feed(ByteView bytes) { append(buffer_, bytes); }
  Step next();
  void tls_done() { tls_ = true; }
  /// What was fed and not used.
  Bytes take_rest() { return std::exchange(buffer_, {}); }

  [[nodiscard]] const pgwire::StartupMessage& startup() const { return startup_.message; }
  /// The client's own bytes, which go to the server untouched.
  [[nodiscard]] const Bytes& startup_packet() const { return packet_; }
  [[nodiscard]] const pgwire::CancelRequest& cancel_request() const { return startup_.cancel; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Step refuse(Code code, std::string where);
  Step on_startup();
  OpeningRules rules_;
  Bytes buffer_;
  Bytes packet_;
  pgwire::Startup startup_;
  Error error_;
  bool tls_ = false;
  bool asked_tls_ = false, asked_gss_ = false;
};

/// What enforce mode refuses in a start-up: replication (it bypasses everything), an encoding
/// that is not converted exactly. kUnsupported or kBadEncoding.
Status check_enforced_startup(const pgwire::StartupMessage& startup);

/// Splits the `options` parameter as PostgreSQL does (pg_split_opts: blanks separate, a backslash
/// takes the next character as it is).
std::vector<std::string> split_options(std::string_view options);

}  // namespace theriac::gateway
