// Requests over TLS 1.3 on kept connections, with a client's certificate: what wrk cannot send.
//
// usage: https_load PORT CA CERTIFICATE KEY CONNECTIONS SECONDS RATE PATH TYPE BODIES
// BODIES: a file with a request's body in each line, or "-" for a GET; TYPE: of the bodies.
// RATE 0: each connection asks again as soon as it is answered. Else so many requests a second in
// all, each timed from when it was to be sent, not from when it was. SECONDS 0: every body once.
// Each request has an Idempotency-Key of its own. Prints one line of JSON.
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Time = std::chrono::steady_clock;
using std::chrono::nanoseconds;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "https_load: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::exit(1);  // NOLINT: one thread
}

long number(std::string_view text) {
  long value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct Options {
  int port, connections;
  double seconds, rate;
  std::string ca, certificate, key, path, type;
  std::vector<std::string> bodies;
};

struct Result {
  std::vector<float> took_ms;
  std::map<int, long> statuses;
};

struct Connection {
  int socket = -1;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls{nullptr, SSL_free};
  std::string out, in;
  std::size_t sent = 0;
  bool waiting = false;  ///< for a reply, or for room to send
  Time::time_point since;
};

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    SSL_CTX_set_mode(context_.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_locations(context_.get(), options_.ca.c_str(), nullptr) != 1 ||
        (!options_.certificate.empty() &&
         (SSL_CTX_use_certificate_chain_file(context_.get(), options_.certificate.c_str()) != 1 ||
          SSL_CTX_use_PrivateKey_file(context_.get(), options_.key.c_str(), SSL_FILETYPE_PEM) !=
              1))) {
      give_up("certificates");
    }
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    connections_.resize(static_cast<std::size_t>(options_.connections));
    for (auto& one : connections_) connect(one);
  }

  void run() {
    prefix_ = fmt::format("{}-{}-", ::getpid(), Time::now().time_since_epoch().count());
    began_ = next_due_ = Time::now();
    const auto end = began_ + nanoseconds(static_cast<long>(options_.seconds * 1e9));
    const bool timed = options_.seconds > 0;
    while (timed ? Time::now() < end || busy_ > 0 : done_ < options_.bodies.size()) {
      give_work(timed && Time::now() >= end);
      wait();
    }
    print(std::chrono::duration<double>(Time::now() - began_).count());
  }

 private:
  void connect(Connection& one) {
    one.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(one.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(one.socket, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
      give_up("connect");
    }
    one.tls.reset(SSL_new(context_.get()));
    SSL_set_fd(one.tls.get(), one.socket);
    if (SSL_connect(one.tls.get()) != 1) give_up("handshake");
    ::fcntl(one.socket, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &one;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, one.socket, &event);
  }

  void give_work(bool ended) {
    for (auto& one : connections_) {
      if (ended || one.waiting) continue;
      if (options_.seconds <= 0 && given_ == options_.bodies.size()) return;
      if (options_.rate > 0) {
        if (next_due_ > Time::now()) return;
        one.since = next_due_;
        next_due_ += nanoseconds(static_cast<long>(1e9 / options_.rate));
      } else {
        one.since = Time::now();
      }
      begin(one);
    }
  }

  void begin(Connection& one) {
    const bool reads = options_.bodies.empty();
    one.out = fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", reads ? "GET" : "POST",
                          options_.path, options_.port);
    if (!reads) {
      const auto& body = options_.bodies[given_ % options_.bodies.size()];
      one.out +=
          fmt::format("Content-Type: {}\r\nIdempotency-Key: {}{}\r\nContent-Length: {}\r\n\r\n{}",
                      options_.type, prefix_, given_, body.size(), body);
    } else {
      one.out += "\r\n";
    }
    ++given_;
    ++busy_;
    one.sent = 0;
    one.waiting = true;
    push(one);
  }

  void push(Connection& one) {
    while (one.sent < one.out.size()) {
      const int wrote = SSL_write(one.tls.get(), one.out.data() + one.sent,
                                  static_cast<int>(one.out.size() - one.sent));
      if (wrote <= 0) return check(one, wrote);
      one.sent += static_cast<std::size_t>(wrote);
    }
  }

  void pull(Connection& one) {
    for (;;) {
      char piece[16'384];
      const int read = SSL_read(one.tls.get(), piece, sizeof piece);
      if (read <= 0) {
        check(one, read);
        break;
      }
      one.in.append(piece, static_cast<std::size_t>(read));
    }
    if (one.waiting && is_whole(one.in)) finish(one);
  }

  static void check(const Connection& one, int done) {
    const int why = SSL_get_error(one.tls.get(), done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) give_up("connection lost");
  }

  static bool is_whole(std::string_view reply) {
    const auto head = reply.find("\r\n\r\n");
    if (head == std::string_view::npos) return false;
    constexpr std::string_view kLength = "Content-Length: ";
    const auto at = reply.substr(0, head).find(kLength);
    const long length =
        at == std::string_view::npos ? 0 : number(reply.substr(at + kLength.size(), head - at));
    return reply.size() >= head + 4 + static_cast<std::size_t>(length);
  }

  void finish(Connection& one) {
    const auto took = std::chrono::duration<float, std::milli>(Time::now() - one.since);
    result_.took_ms.push_back(took.count());
    const auto status = static_cast<int>(number(std::string_view(one.in).substr(9, 3)));
    if (status >= 400 && failures_++ == 0) std::fprintf(stderr, "%s\n", one.in.c_str());
    ++result_.statuses[status];
    one.in.clear();
    one.waiting = false;
    --busy_;
    ++done_;
  }

  void wait() {
    int limit_ms = 100;
    if (options_.rate > 0 && busy_ < connections_.size()) {
      // Closer than epoll's milliseconds.
      const auto left = next_due_ - Time::now();
      limit_ms = left > std::chrono::milliseconds(1) ? 1 : 0;
    } else if (busy_ < connections_.size() && given_ < options_.bodies.size()) {
      limit_ms = 0;
    }
    epoll_event events[64];
    const int count = ::epoll_wait(poll_, events, 64, limit_ms);
    for (int i = 0; i < count; ++i) {
      auto& one = *static_cast<Connection*>(events[i].data.ptr);
      if (one.waiting && one.sent < one.out.size()) push(one);
      pull(one);
    }
  }

  void print(double seconds) {
    auto& took = result_.took_ms;
    std::ranges::sort(took);
    const auto at = [&](double share) {
      return took.empty() ? 0.0F : took[static_cast<std::size_t>(share * double(took.size() - 1))];
    };
    std::string statuses;
    for (const auto& [status, count] : result_.statuses) {
      statuses += fmt::format("{}\"{}\":{}", statuses.empty() ? "" : ",", status, count);
    }
    fmt::print(
        "{{\"done\":{},\"seconds\":{:.4f},\"p50_ms\":{:.3f},\"p99_ms\":{:.3f},\"max_ms\":{:.3f},"
        "\"failed\":{},\"statuses\":{{{}}}}}\n",
        took.size(), seconds, at(0.5), at(0.99), at(1), failures_, statuses);
  }

  Options options_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
  int poll_ = -1;
  std::vector<Connection> connections_;
  std::string prefix_;
  Time::time_point began_, next_due_;
  std::size_t given_ = 0, done_ = 0, busy_ = 0;
  long failures_ = 0;
  Result result_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 11) return 2;
  Options options{.port = static_cast<int>(number(argv[1])),
                  .connections = static_cast<int>(number(argv[5])),
                  .seconds = std::strtod(argv[6], nullptr),
                  .rate = std::strtod(argv[7], nullptr),
                  .ca = argv[2],
                  .certificate = argv[3],
                  .key = argv[4],
                  .path = argv[8],
                  .type = argv[9],
                  .bodies = {}};
  if (std::string_view(argv[10]) != "-") {
    std::ifstream file(argv[10]);
    for (std::string line; std::getline(file, line);) options.bodies.push_back(line);
    if (options.bodies.empty()) give_up("no bodies");
  }
  Load(std::move(options)).run();
  return 0;
}
