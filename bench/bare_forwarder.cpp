// The least a TCP proxy can do: one thread, epoll, one buffer a direction, bytes as they come. The
// measure of what the kernel costs; the gateway's pass-through is compared with it. It has no
// limits, no deadlines and no TLS, and is not for use.
//
// usage: bare_forwarder LISTEN_PORT UPSTREAM_PORT      (both on 127.0.0.1)
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unordered_set>
#include <vector>

namespace {

constexpr std::size_t kBufferBytes = 16U * 1024U;

struct Session;

struct Side {
  int fd = -1;
  Session* session = nullptr;
  Side* peer = nullptr;
  std::size_t begin = 0, end = 0;  // of buffer: bytes this side read and the peer has not taken
  std::uint32_t events = EPOLLIN;
  std::array<char, kBufferBytes> buffer{};
};

struct Session {
  Side client, server;
  bool dead = false;
};

class Forwarder {
 public:
  Forwarder(int listen_port, int upstream_port) : upstream_port_(upstream_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto at = loopback(listen_port);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(listener_, 511) != 0) {
      std::perror("bare_forwarder: listen");
      std::exit(1);
    }
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 128> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        auto* side = static_cast<Side*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (side == nullptr) {
          accept();
        } else if (!side->session->dead) {
          on_event(*side, events[static_cast<std::size_t>(i)].events);
        }
      }
      for (auto* session : dead_) sessions_.erase(sessions_.find(session)), delete session;
      dead_.clear();
    }
  }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }

  void accept() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto at = loopback(upstream_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
      ::close(client);
      ::close(server);
      return;
    }
    auto session = std::make_unique<Session>();
    session->client.peer = &session->server;
    session->server.peer = &session->client;
    session->client.fd = client;
    session->server.fd = server;
    for (auto* side : {&session->client, &session->server}) {
      side->session = session.get();
      const int on = 1;
      ::setsockopt(side->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      epoll_event event{.events = EPOLLIN, .data = {.ptr = side}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, side->fd, &event);
    }
    sessions_.insert(session.release());
  }

  void want(Side& side, std::uint32_t events) {
    if (side.events == events) return;
    side.events = events;
    epoll_event event{.events = events, .data = {.ptr = &side}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, side.fd, &event);
  }

  void end(Session& session) {
    session.dead = true;
    ::close(session.client.fd);
    ::close(session.server.fd);
    dead_.push_back(&session);
  }

  void on_event(Side& side, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !send(*side.peer)) return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || side.end != 0) return;
    const auto count = ::recv(side.fd, side.buffer.data(), side.buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
      side.end = static_cast<std::size_t>(count);
      send(side);
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      end(*side.session);
    }
  }

  /// Passes on what `from` read; stops reading from it while its peer takes nothing.
  bool send(Side& from) {
    while (from.begin < from.end) {
      const auto count = ::send(from.peer->fd, from.buffer.data() + from.begin,
                                from.end - from.begin, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count > 0) {
        from.begin += static_cast<std::size_t>(count);
      } else if (errno == EAGAIN) {
        want(from, from.events & ~static_cast<std::uint32_t>(EPOLLIN));
        want(*from.peer, from.peer->events | EPOLLOUT);
        return true;
      } else if (errno != EINTR) {
        end(*from.session);
        return false;
      }
    }
    from.begin = from.end = 0;
    want(from, from.events | EPOLLIN);
    want(*from.peer, from.peer->events & ~static_cast<std::uint32_t>(EPOLLOUT));
    return true;
  }

  int upstream_port_;
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  int listener_ = -1;
  std::unordered_set<Session*> sessions_;
  std::vector<Session*> dead_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bare_forwarder LISTEN_PORT UPSTREAM_PORT\n");
    return 2;
  }
  std::array<int, 2> ports{};
  for (std::size_t i = 0; i < 2; ++i) {
    const char* text = argv[i + 1];
    if (std::from_chars(text, text + std::strlen(text), ports[i]).ec != std::errc{}) return 2;
  }
  Forwarder(ports[0], ports[1]).run();
}
