// One client session, as a state machine without sockets: bytes from the client and from the server
// go in, bytes for each of them come out. The driver (driver.hpp) does the reading and writing.
//
// Both variants implement it: PassSession follows message heads only; EnforceSession rewrites.
// Threading: belongs to one event loop.
#pragma once

#include <functional>
#include <memory>

#include "base/bytes.hpp"

namespace theriac::gateway {

/// What the session wants done after a call.
struct Io {
  Bytes to_client;
  Bytes to_server;
  /// Close both sides after writing what is above.
  bool finished = false;
  /// From the next call on, what successor() returns takes the place of this session.
  bool handover = false;
};

/// Thread-safe; makes the driver call Session::resume() soon on the session's own loop. May be
/// called after the session ended (then nothing happens).
using Waker = std::function<void()>;

class Session {
 public:
  virtual ~Session() = default;
  /// Bytes read from the client; the session may keep an unfinished message.
  virtual void from_client(ByteView bytes, Io& io) = 0;
  virtual void from_server(ByteView bytes, Io& io) = 0;
  /// How many bytes at the beginning of `bytes` go to the other side exactly as they are. The
  /// driver sends those from its own buffer and gives from_client() or from_server() the rest.
  virtual std::size_t pass_from_client(ByteView bytes) {
    static_cast<void>(bytes);
    return 0;
  }
  virtual std::size_t pass_from_server(ByteView bytes) {
    static_cast<void>(bytes);
    return 0;
  }
  /// Called once, after a call that set Io::handover.
  virtual std::unique_ptr<Session> successor() { return nullptr; }
  /// Nothing is under way, no transaction is open, and both streams stand between two messages:
  /// the session may be ended with a message of its own when the gateway stops.
  [[nodiscard]] virtual bool is_idle() const { return true; }
  /// The other side closed its stream.
  virtual void client_closed(Io& io) = 0;
  virtual void server_closed(Io& io) = 0;
  /// True while the session waits for the server and wants no more client bytes (back pressure).
  [[nodiscard]] virtual bool holds_client() const { return false; }
  /// Something the session waited for outside the two streams is done (the Waker was called).
  virtual void resume(Io& io) { static_cast<void>(io); }
  /// Called about once a second: lease and grant ends.
  virtual void tick(Io& io) = 0;
};

}  // namespace theriac::gateway
