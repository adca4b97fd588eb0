#include "runtime/socket.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/files.hpp"
#include "runtime/limits.hpp"
#include "runtime/socket_stream.hpp"

namespace theriac::runtime {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);  // NOLINT: the socket interface
  }
  [[nodiscard]] sockaddr* get() {
    return reinterpret_cast<sockaddr*>(&storage);  // NOLINT: the socket interface
  }
};

std::string text_of_address(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  Endpoint endpoint;
  if (address.storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);  // NOLINT
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    endpoint.port = ntohs(v6->sin6_port);
  } else {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);  // NOLINT
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    endpoint.port = ntohs(v4->sin_port);
  }
  endpoint.host = text.data();
  return endpoint.text();
}

void tune(int descriptor) {
  const auto set = [descriptor](int level, int name, int value) {
    // A socket that refuses an option still works.
    static_cast<void>(::setsockopt(descriptor, level, name, &value, sizeof value));
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdle_s);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveInterval_s);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

/// Blocks, except for numeric addresses with AI_NUMERICHOST in `flags`.
std::vector<Address> resolve(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_flags = flags | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<Address> addresses;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return addresses;
  }
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
    auto& address = addresses.emplace_back();
    address.size = entry->ai_addrlen;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
  }
  ::freeaddrinfo(found);
  return addresses;
}

/// Waits for the next tick, where the kernel asks for patience.
class Breath final : private TickListener {
 public:
  explicit Breath(Loop& loop) : TickListener(loop.ticks()) {}
  Task<void> taken() { return ticked_.wait(); }

 private:
  void on_tick(std::int64_t) override { ticked_.notify_all(); }
  Signal ticked_;
};

Task<Result<std::unique_ptr<Stream>>> connect_one(Loop* loop, Address to, std::string name,
                                                  std::chrono::milliseconds within) {
  Descriptor descriptor(
      ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0) co_return fail(Code::kIo, "socket");
  while (::connect(descriptor.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) {
    if (errno == EINTR) continue;
    // unix(7): a full backlog is EAGAIN instead of a wait.
    if (errno != EAGAIN) co_return fail(Code::kUpstream, name);
    if (within <= std::chrono::milliseconds::zero()) co_return fail(Code::kTimeout, name);
    Breath breath(*loop);
    co_await breath.taken();
    within -= kTick;
  }
  if (to.storage.ss_family != AF_UNIX) tune(descriptor.get());
  auto made = SocketStream::make(*loop, descriptor.get(), name);
  if (!made) co_return fail(made.error());
  descriptor.release();
  (*made)->set_idle_deadline(within);
  if (const auto there = co_await (*made)->connected(); !there) co_return fail(there.error());
  (*made)->set_idle_deadline(std::chrono::milliseconds::zero());
  co_return std::unique_ptr<Stream>(std::move(*made));
}

Address unix_address(const std::string& path) {
  Address address;
  auto* local = reinterpret_cast<sockaddr_un*>(&address.storage);  // NOLINT
  local->sun_family = AF_UNIX;
  THERIAC_ASSERT(path.size() <= kUnixPathBytesMax);
  path.copy(local->sun_path, path.size());
  address.size = sizeof(sockaddr_un);
  return address;
}

}  // namespace

SocketDialer::SocketDialer() : resolver_(kResolverThreads, kResolverQueueMax) {}

Task<Result<std::unique_ptr<Stream>>> SocketDialer::connect(Loop* loop, Endpoint to,
                                                            std::chrono::milliseconds within) {
  if (to.is_unix()) {
    co_return co_await connect_one(loop, unix_address(to.unix_path), to.text(), within);
  }
  auto addresses = resolve(to.host, to.port, AI_NUMERICHOST);
  if (addresses.empty()) {
    auto found = co_await resolver_.ask<std::vector<Address>>(
        loop, [host = to.host, port = to.port] { return resolve(host, port, AI_ADDRCONFIG); });
    if (!found) co_return fail(found.error());
    addresses = std::move(*found);
  }
  Error error{Code::kUpstream, to.text()};
  for (const auto& address : addresses) {
    auto stream = co_await connect_one(loop, address, text_of_address(address), within);
    if (stream) co_return std::move(*stream);
    error = stream.error();
  }
  co_return fail(std::move(error));
}

Result<std::unique_ptr<Listener>> Listener::bind(Loop& loop, const Endpoint& at) {
  if (at.is_unix()) return fail(Code::kUsage, "listen: a TCP address is wanted");
  const auto addresses = resolve(at.host, at.port, AI_PASSIVE);
  if (addresses.empty()) return fail(Code::kUsage, at.text());
  auto address = addresses.front();
  Descriptor descriptor(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (descriptor.get() < 0 ||
      ::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      ::bind(descriptor.get(), address.get(), address.size) != 0 ||
      ::listen(descriptor.get(), kListenBacklog) != 0 ||
      ::getsockname(descriptor.get(), address.get(), &address.size) != 0) {
    return fail(Code::kIo, "listen on " + at.text() + ": " + std::strerror(errno));
  }
  const auto port = address.storage.ss_family == AF_INET6
                        ? reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port
                        : reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port;
  std::unique_ptr<Listener> made(new Listener(loop, descriptor.get(), ntohs(port)));
  descriptor.release();
  THERIAC_TRY(made->watch(*loop.poller(), made->descriptor_, false));
  return made;
}

Listener::~Listener() {
  unwatch();
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Listener::on_ready(std::uint32_t) { ready_.notify_all(); }
void Listener::abandon() { ready_.abandon(); }

Task<Result<std::unique_ptr<Stream>>> Listener::accept() {
  while (descriptor_ >= 0) {
    Address peer;
    peer.size = sizeof peer.storage;
    const int number = ::accept4(descriptor_, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (number >= 0) {
      tune(number);
      auto made = SocketStream::make(*loop_, number, text_of_address(peer));
      if (made) co_return std::unique_ptr<Stream>(std::move(*made));
    } else if (errno == EAGAIN) {
      co_await ready_.wait();
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      Breath breath(*loop_);
      co_await breath.taken();
    }
    // Anything else is an error of the one connection that went away (accept(2)).
  }
  co_return fail(Code::kClosed, "listen");
}

void Listener::close() {
  if (descriptor_ < 0) return;
  unwatch();
  ::close(std::exchange(descriptor_, -1));
  ready_.notify_all();
}

}  // namespace theriac::runtime
