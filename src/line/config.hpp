// Settings of `theriac line`: one YAML file, described in docs/line.md.
//
// Threading: start-up code.
#pragma once

#include <string>

#include "base/error.hpp"
#include "runtime/endpoint.hpp"

namespace theriac::line {

struct Config {
  runtime::Endpoint server;    ///< theriacd
  std::string server_ca;       ///< PEM of the authority of its certificate; empty: ca.pem of `cert`
  std::string cert;            ///< directory of the line's certificate: cert.pem, key.pem, ca.pem
  std::string folder;          ///< holds in, out, done, refused and state
  std::string gln, extension;  ///< the line's place
  std::int64_t stock = 50'000;      ///< numbers kept for each open lot
  std::int64_t stock_hours = 24;    ///< after which they are not drawn from
  std::int64_t settle_ms = 1000;    ///< a file that did not change for so long is whole
  std::int64_t patience_ms = 5000;  ///< for which a request waits for the server

  [[nodiscard]] std::string path(std::string_view name) const {
    return folder + "/" + std::string(name);
  }
};

/// Code::kPolicyInvalid for a file that is no flat YAML map, an unknown or doubled key, a value
/// that cannot be, a setting that is missing.
Result<Config> read_config(const std::string& path);

}  // namespace theriac::line
