// How commands reach theriacd: --server HOST:PORT, --cert DIR (cert.pem, key.pem, ca.pem) and
// --server-ca FILE, or THERIAC_SERVER, THERIAC_CERT and THERIAC_SERVER_CA in the environment.
//
// Errors: what http::BlockingClient says; of a refusal the code that its problem details name, else
// Code::kBusy (429), kUpstream (5xx) or kProtocol (no reply of theriacd's).
// Threading: one thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/language.hpp"
#include "base/log.hpp"
#include "codec/json.hpp"
#include "crypto/random.hpp"
#include "http/client.hpp"

namespace theriac::cli {

struct TraceServer {
  std::string address = "127.0.0.1:7760";
  std::string certificates;
  std::string authority_file;  ///< of the server's certificate; empty: ca.pem of `certificates`
};

/// Adds the three options; `server` must live as long as the parser.
void add_server_options(CLI::App& command, TraceServer& server);

/// The locale's language for messages: `all`, `messages` and `lang` are LC_ALL, LC_MESSAGES and
/// LANG, of which the first that is neither null nor empty counts (POSIX, section 8.2).
Language language_of(const char* all, const char* messages, const char* lang);
/// Of this process.
Language language_of_environment();

/// Sends one request, waits for its reply. Tests put another in its place.
using Ask = std::function<Result<http::ClientReply>(http::ClientRequest)>;

/// A connection that is made when it is needed, and again when it ended.
class TraceClient {
 public:
  /// Code::kUsage for an address that makes no sense or no certificates; kBadCertificate, kIo.
  static Result<std::unique_ptr<TraceClient>> make(const TraceServer& server);
  Ask ask();

 private:
  TraceClient() = default;
  SystemClock clock_;
  crypto::SystemRandom random_;
  FdLog log_{"theriac"};
  std::unique_ptr<http::BlockingClient> client_;
};

/// A POST of JSON, repeated only under its key; the reply's JSON.
Result<codec::Json> post(const Ask& ask, const std::string& path, const codec::Json& body,
                         Language language, const std::string& key);

/// As report_failure (connection.hpp), in words for theriacd where a code's are a database's.
int report_server_failure(std::string_view command, const Error& error);

}  // namespace theriac::cli
