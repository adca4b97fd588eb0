#include "runtime/socket_stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace theriac::runtime {
namespace {

namespace asio = boost::asio;

Code code_of(int number) {
  switch (number) {
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
    case EBADF:
      return Code::kClosed;
    case ETIMEDOUT:
      return Code::kTimeout;
    default:
      return Code::kIo;
  }
}

}  // namespace

/// Completing at once would run the coroutine inside the call that suspends it, so what is there
/// already is handed over by the queue.
struct SocketStream::StartRead {
  template <typename Handler>
  void operator()(Handler&& handler, SocketStream* stream, MutableBytes into) const {
    std::optional<Result<std::size_t>> result;
    if (stream->expired_) {
      result = fail(Code::kTimeout, "read");
    } else if (stream->descriptor_ < 0) {
      result = fail(Code::kClosed, "read");
    } else if (stream->readable_) {
      result = stream->receive(into);
    }
    if (!result) {
      stream->into_ = into;
      stream->reader_ = ReadHandler(std::forward<Handler>(handler));
      return;
    }
    auto executor = asio::get_associated_executor(handler);
    asio::post(executor, [handler = std::forward<Handler>(handler),
                          result = std::move(*result)]() mutable { handler(std::move(result)); });
  }
};

struct SocketStream::StartWrite {
  template <typename Handler>
  void operator()(Handler&& handler, SocketStream* stream) const {
    if (!stream->expired_ && stream->descriptor_ >= 0 && stream->rewatch(true)) {
      stream->writer_ = WriteHandler(std::forward<Handler>(handler));
      return;
    }
    auto executor = asio::get_associated_executor(handler);
    asio::post(executor, std::forward<Handler>(handler));
  }
};

SocketStream::SocketStream(Loop& loop, int descriptor, std::string peer)
    : TickListener(loop.ticks()), loop_(&loop), descriptor_(descriptor), peer_(std::move(peer)) {}

Result<std::unique_ptr<SocketStream>> SocketStream::make(Loop& loop, int descriptor,
                                                         std::string peer) {
  std::unique_ptr<SocketStream> made(new SocketStream(loop, descriptor, std::move(peer)));
  THERIAC_TRY(made->watch(*loop.poller(), descriptor, false));
  return made;
}

SocketStream::~SocketStream() {
  unwatch();
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<Result<std::size_t>> SocketStream::receive(MutableBytes into) {
  while (true) {
    const auto count = ::recv(descriptor_, into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) {
      const auto size = static_cast<std::size_t>(count);
      // epoll(7): a short read of a stream means that it is empty, and the next byte is a new
      // edge; the end of the stream came with the last edge or comes with a new one.
      readable_ = size == into.size() || ending_;
      return Result<std::size_t>(size);
    }
    if (count == 0) return Result<std::size_t>(fail(Code::kClosed, "read"));
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Result<std::size_t>(fail(code_of(errno), "read"));
    readable_ = ending_ = false;
    return std::nullopt;
  }
}

Task<Result<std::size_t>> SocketStream::read_some(MutableBytes into) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<std::size_t>)>(
      StartRead{}, asio::use_awaitable, this, into);
}

Task<void> SocketStream::writable() {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(StartWrite{},
                                                                     asio::use_awaitable, this);
}

Task<Status> SocketStream::connected() {
  co_await writable();
  if (expired_) co_return fail(Code::kTimeout, peer_);
  int error = 0;
  socklen_t size = sizeof error;
  if (descriptor_ < 0 || ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ||
      error != 0) {
    co_return fail(Code::kUpstream, peer_);
  }
  co_return Status{};
}

Task<Status> SocketStream::write(ByteView from) {
  while (true) {
    const auto written = try_write(from);
    if (!written) co_return fail(written.error());
    from = from.subspan(*written);
    if (from.empty()) co_return Status{};
    co_await writable();
  }
}

Result<std::size_t> SocketStream::try_write(ByteView from) {
  if (expired_) return fail(Code::kTimeout, "write");
  if (descriptor_ < 0) return fail(Code::kClosed, "write");
  std::size_t done = 0;
  while (done < from.size()) {
    const auto count =
        ::send(descriptor_, from.data() + done, from.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      done += static_cast<std::size_t>(count);
      continue;
    }
    if (errno == EAGAIN) break;
    if (errno != EINTR) return fail(code_of(errno), "write");
  }
  return done;
}

void SocketStream::on_ready(std::uint32_t events) {
  // The handlers may destroy this stream, so both are taken out before the first one runs.
  WriteHandler writer;
  ReadHandler reader;
  std::optional<Result<std::size_t>> result;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && writer_) {
    writer = std::move(writer_);
    // Only a blocked writer asks for this edge: a Unix socket has one for each message taken.
    static_cast<void>(rewatch(false));
  }
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
    readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) ending_ = true;
    if (reader_) result = receive(into_);
    if (result) reader = std::move(reader_);
  }
  if (writer) writer();
  if (reader) reader(std::move(*result));
}

void SocketStream::complete_waiting() {
  const auto code = expired_ ? Code::kTimeout : Code::kClosed;
  if (reader_) {
    asio::post(loop_->context(), [reader = std::move(reader_), code]() mutable {
      reader(Result<std::size_t>(fail(code, "read")));
    });
  }
  if (writer_) asio::post(loop_->context(), std::move(writer_));
}

void SocketStream::shutdown_write() {
  if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_WR);
}

void SocketStream::close() {
  if (descriptor_ < 0) return;
  unwatch();
  ::close(std::exchange(descriptor_, -1));
  complete_waiting();
}

void SocketStream::set_idle_deadline(std::chrono::milliseconds after) {
  expired_ = false;
  deadline_ms_ = after.count() == 0 ? 0 : loop_->clock().monotonic_ms() + after.count();
}

void SocketStream::on_tick(std::int64_t now_ms) {
  if (deadline_ms_ == 0 || now_ms < deadline_ms_) return;
  deadline_ms_ = 0;
  expired_ = true;
  complete_waiting();
}

void SocketStream::abandon() {
  // Destroying a handler destroys its coroutine, and that may own this stream.
  const ReadHandler reader = std::move(reader_);
  const WriteHandler writer = std::move(writer_);
}

}  // namespace theriac::runtime
