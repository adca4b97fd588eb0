// Settings of the gateway program. One YAML file, every key also a flag of the same name; flags
// win. Secrets are never settings: files are named instead.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "gateway/gateway_limits.hpp"
#include "runtime/endpoint.hpp"

namespace theriac::gateway {

enum class Mode : std::uint8_t { kPassthrough, kEnforce };
enum class UpstreamTls : std::uint8_t { kDisable, kRequire, kVerifyCa, kVerifyFull };

struct GatewayConfig {
  runtime::Endpoint listen;
  runtime::Endpoint upstream;
  Mode mode = Mode::kPassthrough;
  std::size_t threads = 1;
  std::string tls_cert, tls_key;
  bool require_tls = false;
  UpstreamTls upstream_tls = UpstreamTls::kDisable;
  std::string upstream_ca;
  std::string policy;     ///< enforce: policy file
  std::string keyd;       ///< enforce: HOST:PORT of the key service
  std::string cert;       ///< enforce: directory of the gateway's certificate
  std::string catalogue;  ///< conninfo for catalogue and verifiers
  /// Conninfo of a superuser who prepares databases in which nothing of the policy exists yet, or
  /// file:PATH or env:NAME to read it from; empty: nobody does.
  std::string provision;
  /// Enforce: file of the statements that are taken on protected tables (strict mode); empty: all.
  std::string known_statements;
  std::string audit;    ///< enforce: directory of the audit log
  std::string metrics;  ///< HOST:PORT, empty: none
  std::size_t sessions_max = kSessionsMax;
  std::chrono::seconds idle_timeout{0};
  std::chrono::seconds write_timeout = kWriteDeadline;
  std::chrono::seconds sign_in_timeout = kSignInDeadline;
  std::chrono::seconds stop_timeout = kStopDeadline;
};

struct Setting {
  std::string_view key;
  std::string_view help;
  bool is_switch;  ///< a flag without value on the command line
  std::function<Status(GatewayConfig&, std::string_view)> set;
};
/// Every setting there is, in the order of the documentation.
std::span<const Setting> settings();

/// Code::kPolicyInvalid for a file that is no flat YAML map, an unknown or doubled key, a bad
/// value.
Status read_config_file(const std::string& path, GatewayConfig& config);
/// What belongs together: addresses present, certificate with key, enforce's needs.
Status check_config(const GatewayConfig& config);
/// The settings as a flat JSON object (for --check-config --json).
std::string config_json(const GatewayConfig& config);

}  // namespace theriac::gateway
