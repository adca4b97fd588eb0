// Pass-through: every byte goes to the other side as it is; only message heads are followed, to
// count them, to know when the session is idle, and to close it where the framing breaks.
#pragma once

#include "gateway/gateway_metrics.hpp"
#include "gateway/message_heads.hpp"
#include "gateway/session.hpp"

namespace theriac::gateway {

class PassSession final : public Session {
 public:
  /// `metrics` outlives the session. Begins after AuthenticationOk.
  explicit PassSession(LoopMetrics& metrics) : metrics_(&metrics) {}

  std::size_t pass_from_client(ByteView bytes) override;
  std::size_t pass_from_server(ByteView bytes) override;
  /// Reached only by bytes that break the framing.
  void from_client(ByteView bytes, Io& io) override;
  void from_server(ByteView bytes, Io& io) override;
  void client_closed(Io& io) override;
  void server_closed(Io& io) override;
  void tick(Io& io) override;
  [[nodiscard]] bool is_idle() const override;

 private:
  LoopMetrics* metrics_;
  MessageHeads client_, server_;
  char transaction_ = 0;  // of the last ReadyForQuery; 0: work is under way
};

}  // namespace theriac::gateway
