// theriac-keyd's configuration file: YAML, every key also a flag. docs/keys.md
//
//   state: /var/lib/theriac/keyd
//   listen: 127.0.0.1:7750
//   passphrase_file: /run/credentials/keyd/passphrase
//   lease_seconds: 60
//   tenant: demo
//
// Start-up code.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace theriac::keys {

struct Config {
  std::string state;
  std::string listen = "127.0.0.1:7750";
  std::string passphrase_file;
  std::int64_t lease_seconds = 60;
  std::string tenant = "demo";
};

/// Reads over what `config` already says. Code::kPolicyInvalid with "file:line: key" for anything
/// unknown, doubled or of the wrong kind.
Status read_config(const std::string& path, Config& config);
/// Code::kUsage with the name of the first key that makes no sense.
Status check_config(const Config& config);

struct Address {
  std::string host;
  std::uint16_t port = 0;
};
/// "127.0.0.1:7750", "[::1]:7750"; a host must be an IP address. Code::kUsage.
Result<Address> parse_address(std::string_view text);

}  // namespace theriac::keys
