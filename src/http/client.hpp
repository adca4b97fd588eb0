// A small HTTP client over TLS: for command lines (BlockingClient) and for programs with loops
// (Client). One connection, kept between requests; a request is sent again, once, only when the
// kept connection had ended before anything of a reply came and the method may be repeated (RFC
// 9110, section 9.2.2).
//
// The reply is read as strictly as the server reads requests. Redirects are not followed.
// Errors: Code::kUpstream (nobody there), kBadCertificate, kProtocol (not HTTP as we read it),
// kTooLarge (reply over its limit), kTimeout, kClosed, kIo, kUsage (a request that cannot be sent).
// A status of 4xx or 5xx is a reply, not an error.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"
#include "runtime/endpoint.hpp"
#include "runtime/event_loops.hpp"
#include "runtime/socket.hpp"
#include "runtime/tls.hpp"

namespace theriac::http {

struct ClientOptions {
  runtime::Endpoint server;
  /// Without: plain HTTP. `verify` is kVerifyFull by default; offer_http11 is set here.
  std::optional<runtime::TlsClientOptions> tls;
  std::chrono::milliseconds connect{10'000};  ///< for each address, and for the TLS handshake
  std::chrono::milliseconds idle{30'000};     ///< the longest silence while a reply is awaited
  std::size_t reply_bytes_max = 64U << 20U;   ///< of a body that is not streamed
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";   ///< path and query as on the wire (percent_encode helps)
  std::vector<Field> fields;  ///< without Host, Content-Length, Connection
  Bytes body;
  /// Takes the body of a 2xx reply piece by piece in place of ClientReply::body, without limit; an
  /// error ends the request with it. Other replies are short and come as a whole.
  std::function<Status(ByteView)> download;
};

struct ClientReply {
  int status = 0;
  std::vector<Field> fields;
  Bytes body;
  /// The first of the name.
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const;
};

/// Threading: its loop; one request at a time. Ownership: loop and dialer outlive it.
class Client {
 public:
  /// Code::kBadCertificate, kIo for the files of options.tls.
  static Result<std::unique_ptr<Client>> make(runtime::Loop& loop, runtime::Dialer& dialer,
                                              ClientOptions options);
  runtime::Task<Result<ClientReply>> ask(ClientRequest request);
  void close() { stream_.reset(); }

 private:
  Client(runtime::Loop& loop, runtime::Dialer& dialer, ClientOptions options)
      : loop_(&loop), dialer_(&dialer), options_(std::move(options)) {}
  runtime::Task<Status> connect();
  runtime::Task<Result<ClientReply>> exchange(const ClientRequest* request);
  runtime::Task<Status> read_head(bool to_head);
  runtime::Task<Status> read_body(const ClientRequest* request, ClientReply* reply);
  runtime::Task<Result<std::size_t>> receive();
  Result<Bytes> write_head(const ClientRequest& request) const;

  runtime::Loop* loop_;
  runtime::Dialer* dialer_;
  ClientOptions options_;
  std::optional<runtime::TlsContext> tls_;
  std::unique_ptr<runtime::Stream> stream_;
  Bytes buffer_;            // from the head on
  std::size_t filled_ = 0;  // of buffer_
  std::size_t used_ = 0;    // of what is filled
  ResponseHead head_;       // views into buffer_ until the body is read
  bool heard_ = false;      // anything of the reply
};

/// Has a loop on a thread of its own. Threading: one caller at a time.
class BlockingClient {
 public:
  static Result<std::unique_ptr<BlockingClient>> make(ClientOptions options, const Clock& clock,
                                                      Random& random, Log& log);
  ~BlockingClient();
  Result<ClientReply> ask(ClientRequest request);

 private:
  BlockingClient(const Clock& clock, Random& random, Log& log);
  runtime::SocketDialer dialer_;
  runtime::EventLoops loops_;
  std::unique_ptr<Client> client_;
  std::thread thread_;
};

}  // namespace theriac::http
