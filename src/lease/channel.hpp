// One authenticated connection to the key service: blocking, every wait under a deadline.
//
// Whether the service answered decides about reading grace, so the two kinds of failure are kept
// apart: connect() fails with kClosed, kTimeout, kProtocol or kBadCertificate when nobody who can
// prove to be the key service answered; once it returned, an error of exchange() other than kClosed
// and kTimeout is the service's own word.
//
// Threading: one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "codec/json.hpp"
#include "pki/credentials.hpp"

namespace theriac::lease {

struct Answer {
  codec::Json body;
  SecretBytes secret;
};

class Channel {
 public:
  /// The peer's certificate is of our authority, in time, and of role keyd. `host` is a name or an
  /// address.
  static Result<Channel> connect(const std::string& host, std::uint16_t port,
                                 const pki::Credentials& credentials, Clock& clock);
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  ~Channel();

  /// `request` is canonical JSON. An error reply comes out as its Error. Bytes that are no reply
  /// are kProtocol.
  Result<Answer> exchange(std::string_view request);
  Result<Answer> exchange(const codec::Json& request);

 private:
  struct State;
  explicit Channel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The first fields of every request: version and name of the operation.
codec::Json make_request(std::string_view operation);

}  // namespace theriac::lease
