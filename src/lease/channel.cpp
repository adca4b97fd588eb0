#include "lease/channel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <chrono>

#include "lease/limits.hpp"
#include "lease/secret_access.hpp"
#include "pki/frame.hpp"
#include "pki/tls.hpp"

namespace theriac::lease {
namespace {

using Steady = std::chrono::steady_clock;

struct FreeConnection {
  void operator()(SSL* connection) const { SSL_free(connection); }
};

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

Steady::time_point in_ms(std::int64_t ms) { return Steady::now() + std::chrono::milliseconds(ms); }

Status wait_for(int fd, short events, Steady::time_point deadline) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return fail(Code::kTimeout, "key service");
    pollfd waiting{fd, events, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(Code::kClosed, "key service");
  }
}

Result<Socket> connect_to(const addrinfo& address, Steady::time_point deadline) {
  Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return fail(Code::kClosed, "socket");
  const int on = 1;
  (void)::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.fd(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return fail(Code::kClosed, "key service");
    THERIAC_TRY(wait_for(socket.fd(), POLLOUT, deadline));
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
      return fail(Code::kClosed, "key service");
    }
  }
  return socket;
}

Result<Socket> connect_to(const std::string& host, std::uint16_t port,
                          Steady::time_point deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  const auto where = fmt::format("key service {}:{}", host, port);
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &raw) != 0) {
    return fail(Code::kClosed, where + ": its name is unknown");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(raw, &::freeaddrinfo);
  auto last = Code::kClosed;
  for (const addrinfo* address = all.get(); address != nullptr; address = address->ai_next) {
    auto socket = connect_to(*address, deadline);
    if (socket) return socket;
    last = socket.error().code;
  }
  return fail(last, where);
}

Code code_of_name(std::string_view name) {
  for (std::size_t i = 0; i < kCodeCount; ++i) {
    if (info_of(static_cast<Code>(i)).name == name) return static_cast<Code>(i);
  }
  return Code::kInternal;
}

}  // namespace

struct Channel::State {
  Socket socket;
  pki::Context context;
  std::unique_ptr<SSL, FreeConnection> connection;

  /// Repeats an OpenSSL call until it is done, failed, or the deadline passed. Returns its result.
  template <typename Call>
  Result<int> drive(Call call, Steady::time_point deadline) {
    while (true) {
      ERR_clear_error();
      const int done = call();
      if (done > 0) return done;
      switch (SSL_get_error(connection.get(), done)) {
        case SSL_ERROR_WANT_READ:
          THERIAC_TRY(wait_for(socket.fd(), POLLIN, deadline));
          break;
        case SSL_ERROR_WANT_WRITE:
          THERIAC_TRY(wait_for(socket.fd(), POLLOUT, deadline));
          break;
        case SSL_ERROR_SSL: {
          auto error = pki::last_tls_error(connection.get());
          // A cut connection is reported as a TLS error by OpenSSL 3.
          if (error.code == Code::kProtocol)
            error = {Code::kClosed, "TLS connection to the key service"};
          return fail(std::move(error));
        }
        default:
          return fail(Code::kClosed, "key service");
      }
    }
  }

  Status handshake(Clock& clock) {
    const auto deadline = in_ms(kConnectMsMax);
    THERIAC_TRY(drive([this] { return SSL_connect(connection.get()); }, deadline));
    THERIAC_ASSIGN(const auto peer, pki::peer_identity(connection.get(), clock.wall_ms()));
    if (peer.role != pki::Role::kKeyd) return fail(Code::kBadCertificate, "not the key service");
    return {};
  }

  Status write(ByteView bytes, Steady::time_point deadline) {
    while (!bytes.empty()) {
      THERIAC_ASSIGN(const int wrote, drive(
                                          [&] {
                                            return SSL_write(connection.get(), bytes.data(),
                                                             static_cast<int>(bytes.size()));
                                          },
                                          deadline));
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
  }

  Status read(MutableBytes into, Steady::time_point deadline) {
    while (!into.empty()) {
      THERIAC_ASSIGN(const int got, drive(
                                        [&] {
                                          return SSL_read(connection.get(), into.data(),
                                                          static_cast<int>(into.size()));
                                        },
                                        deadline));
      into = into.subspan(static_cast<std::size_t>(got));
    }
    return {};
  }

  Result<std::size_t> read_size(Steady::time_point deadline) {
    std::array<std::uint8_t, pki::kFramePrefixBytes> prefix{};
    THERIAC_TRY(read(prefix, deadline));
    return pki::frame_size(prefix);
  }

  Result<SecretBytes> read_secret(std::size_t expected, Steady::time_point deadline) {
    THERIAC_ASSIGN(const auto size, read_size(deadline));
    if (size != expected) return fail(Code::kProtocol, "secret frame");
    SecretBytes secret(size);
    THERIAC_TRY(read(secret.reveal_mutable(LeaseSecretAccess::get()), deadline));
    return secret;
  }
};

Channel::Channel(std::unique_ptr<State> state) : state_(std::move(state)) {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() {
  // Says goodbye without waiting for an answer.
  if (state_) {
    (void)SSL_shutdown(state_->connection.get());
    ERR_clear_error();
  }
}

Result<Channel> Channel::connect(const std::string& host, std::uint16_t port,
                                 const pki::Credentials& credentials, Clock& clock) {
  auto state = std::make_unique<State>();
  THERIAC_ASSIGN(state->context, pki::client_context(credentials.certificate, credentials.key,
                                                     credentials.authority));
  THERIAC_ASSIGN(state->socket, connect_to(host, port, in_ms(kConnectMsMax)));
  state->connection.reset(SSL_new(state->context.get()));
  THERIAC_ASSERT(state->connection != nullptr);
  if (SSL_set_fd(state->connection.get(), state->socket.fd()) != 1) {
    return fail(Code::kClosed, "socket");
  }
  THERIAC_TRY(state->handshake(clock));
  return Channel(std::move(state));
}

Result<Answer> Channel::exchange(const codec::Json& request) {
  const auto text = codec::canonical_json(request);
  return exchange(std::string_view(text));
}

Result<Answer> Channel::exchange(std::string_view request) {
  if (request.size() > pki::kFrameBytesMax) return fail(Code::kTooLarge, "request");
  const auto deadline = in_ms(kExchangeMsMax);
  THERIAC_TRY(state_->write(pki::frame(view_of(request)), deadline));
  THERIAC_ASSIGN(const auto size, state_->read_size(deadline));
  Bytes payload(size);
  THERIAC_TRY(state_->read(payload, deadline));
  Answer answer;
  THERIAC_ASSIGN(answer.body, pki::parse_frame(payload));
  wipe(payload);  // the token
  const auto ok = answer.body.find("ok");
  if (ok == answer.body.end() || !ok->is_boolean()) return fail(Code::kProtocol, "reply");
  if (!ok->get<bool>()) {
    const auto name = answer.body.find("error");
    const auto where = answer.body.find("where");
    if (name == answer.body.end() || !name->is_string()) return fail(Code::kProtocol, "reply");
    return fail(code_of_name(name->get_ref<const std::string&>()),
                where != answer.body.end() && where->is_string() ? where->get<std::string>() : "");
  }
  if (const auto bytes = answer.body.find("secret_bytes"); bytes != answer.body.end()) {
    if (!bytes->is_number_unsigned()) return fail(Code::kProtocol, "reply");
    if (const auto expected = bytes->get<std::size_t>(); expected > 0) {
      THERIAC_ASSIGN(answer.secret, state_->read_secret(expected, deadline));
    }
  }
  return answer;
}

codec::Json make_request(std::string_view operation) { return {{"v", 1}, {"op", operation}}; }

}  // namespace theriac::lease
