#include "gateway/session_factory.hpp"

#include "gateway/enforce_wiring.hpp"
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

Result<Sessions> make_session_factory(const GatewayConfig& config, Clock& clock, Random& random,
                                      Log& log) {
  if (config.mode == Mode::kEnforce) return make_enforce_sessions(config, clock, random, log);
  return Sessions{.make_factory = make_pass_factory, .metrics = {}};
}

}  // namespace theriac::gateway
