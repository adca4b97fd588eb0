#include "gateway/session_factory.hpp"

#include "gateway/pass_session.hpp"

namespace theriac::gateway {
namespace {

SessionFactory make_pass_factory(LoopMetrics& metrics) {
  return
      [&metrics](const pgwire::StartupMessage&, const Waker&) -> Result<std::unique_ptr<Session>> {
        return std::make_unique<PassSession>(metrics);
      };
}

}  // namespace

Result<Sessions> make_session_factory(const GatewayConfig& config, Clock&, Random&, Log&) {
  if (config.mode == Mode::kEnforce) {
    return fail(Code::kUnsupported, "mode enforce is not part of this program");
  }
  return Sessions{.make_factory = make_pass_factory, .metrics = {}};
}

}  // namespace theriac::gateway
