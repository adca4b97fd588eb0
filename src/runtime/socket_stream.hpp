// A connected TCP or Unix socket as a Stream.
#pragma once

#include <optional>

#include "runtime/loop.hpp"
#include "runtime/poller.hpp"
#include "runtime/resumption.hpp"

namespace theriac::runtime {

class SocketStream final : public Stream, private TickListener, private Watch {
 public:
  /// Owns `descriptor` (non-blocking), which may still be connecting. Code::kIo if it cannot be
  /// watched.
  static Result<std::unique_ptr<SocketStream>> make(Loop& loop, int descriptor, std::string peer);
  ~SocketStream() override;

  /// Returns when a connection under way is there, or Code::kUpstream, kTimeout.
  Task<Status> connected();

  Task<Result<std::size_t>> read_some(MutableBytes into) override;
  Task<Status> write(ByteView from) override;
  Result<std::size_t> try_write(ByteView from) override;
  void shutdown_write() override;
  void close() override;
  void set_idle_deadline(std::chrono::milliseconds after) override;
  [[nodiscard]] Bytes channel_binding() const override { return {}; }
  [[nodiscard]] bool is_tls() const override { return false; }
  [[nodiscard]] std::string peer() const override { return peer_; }

 private:
  using ReadHandler = Resumption<Result<std::size_t>>;
  using WriteHandler = Resumption<>;
  struct StartRead;
  struct StartWrite;
  SocketStream(Loop& loop, int descriptor, std::string peer);
  std::optional<Result<std::size_t>> receive(MutableBytes into);
  Task<void> writable();
  void complete_waiting();
  void on_ready(std::uint32_t events) override;
  void abandon() override;
  void on_tick(std::int64_t now_ms) override;

  Loop* loop_;
  int descriptor_;
  std::string peer_;
  ReadHandler reader_;
  MutableBytes into_;
  WriteHandler writer_;
  std::int64_t deadline_ms_ = 0;
  bool expired_ = false;
  bool readable_ = false;  ///< more may be there than was read
  bool ending_ = false;    ///< the peer shut down or failed: read on to the end
};

}  // namespace theriac::runtime
