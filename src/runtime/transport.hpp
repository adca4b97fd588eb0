// Byte streams as interfaces, so that a session driver runs on sockets, on TLS, and in simulation.
//
// Threading: a stream belongs to the event loop (one thread) it was made on and never changes it.
// Every wait has a deadline, given with set_deadline(); past it operations return Code::kTimeout.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "base/bytes.hpp"

namespace theriac::runtime {

template <typename T>
using Task = boost::asio::awaitable<T>;

/// A connected, ordered byte stream. Owned by unique_ptr; one reader and one writer at a time.
class Stream {
 public:
  virtual ~Stream() = default;
  /// At least one byte, or Code::kClosed at the end, kIo, kTimeout. `into` must live until done
  /// (it belongs to the caller's frame).
  virtual Task<Result<std::size_t>> read_some(MutableBytes into) = 0;
  /// All of `from`, or an error. `from` must live until done.
  virtual Task<Status> write(ByteView from) = 0;
  /// Writes what can be written now without waiting; 0 when that is nothing. What was not taken
  /// must be the beginning of the next write or try_write (a TLS record may already hold it).
  virtual Result<std::size_t> try_write(ByteView from) = 0;
  /// Half-close towards the peer, after everything written.
  virtual void shutdown_write() = 0;
  /// Ends every pending operation with Code::kClosed.
  virtual void close() = 0;
  /// From now; zero: none. Coarse (up to one second late).
  virtual void set_idle_deadline(std::chrono::milliseconds after) = 0;
  /// tls-server-end-point data (RFC 5929) of our own (server side) or the peer's (client side)
  /// certificate; empty without TLS.
  [[nodiscard]] virtual Bytes channel_binding() const = 0;
  /// The peer's certificate in DER; empty if it showed none. A server's context verified it before
  /// the stream existed, a client's unless it is TlsVerify::kRequire.
  [[nodiscard]] virtual Bytes peer_certificate() const { return {}; }
  [[nodiscard]] virtual bool is_tls() const = 0;
  /// "127.0.0.1:5432", for logs.
  [[nodiscard]] virtual std::string peer() const = 0;
};

}  // namespace theriac::runtime
