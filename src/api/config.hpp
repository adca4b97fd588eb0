// Settings of theriacd. One YAML file, every key also a flag of the same name; flags win. Secrets
// are never settings: files are named instead.
//
// Threading: start-up code.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "runtime/endpoint.hpp"

namespace theriac::api {

struct Config {
  runtime::Endpoint listen;
  std::string tls_cert, tls_key;  ///< shown to callers
  std::string client_ca;          ///< of the callers' certificates; empty: ca.pem of `cert`
  std::string keyd;               ///< HOST:PORT of the key service
  std::string cert;               ///< directory of theriacd's own certificate for it
  std::string store;              ///< sqlite:/path, a conninfo, or file:PATH or env:NAME of one
  std::string audit;              ///< directory of the audit log
  std::string metrics;            ///< HOST:PORT of /healthz, /readyz, /metrics; empty: none
  /// PEM of the authorities that vouch for the destinations of EPCIS subscriptions.
  std::string webhook_ca = "/etc/ssl/certs/ca-certificates.crt";
  /// Destinations that may be on private addresses; others are on public ones.
  std::vector<runtime::Endpoint> webhook_private;
  std::size_t threads = 1;
  std::size_t workers = 4;
  std::size_t readers = 2;
  std::size_t connections_max = 4096;
  std::size_t requests_per_second = 0;
  std::chrono::seconds grace{900};
  std::chrono::seconds stop_timeout{10};
};

struct Setting {
  std::string_view key, help;
  std::function<Status(Config&, std::string_view)> set;
};
/// Every setting there is, in the order of the documentation.
std::span<const Setting> settings();

/// Code::kPolicyInvalid for a file that is no flat YAML map, an unknown or doubled key, a bad
/// value.
Status read_config_file(const std::string& path, Config& config);
/// What must be there.
Status check_config(const Config& config);
/// A setting as it stands, or what "file:PATH" or "env:NAME" holds.
Result<std::string> resolve(const std::string& setting);

}  // namespace theriac::api
