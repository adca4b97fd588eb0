// How commands reach the key service: --keyd HOST:PORT and --cert DIR (cert.pem, key.pem, ca.pem),
// or THERIAC_KEYD and THERIAC_CERT in the environment. Shared by every command that needs keys.
//
// Threading: start-up code, one thread.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "lease/channel.hpp"
#include "lease/lease.hpp"

namespace theriac::cli {

struct Connection {
  std::string keyd = "127.0.0.1:7750";
  std::string certificates;
};

/// Adds both options; `connection` must live as long as the parser.
void add_connection_options(CLI::App& command, Connection& connection);

/// Code::kUsage when the address makes no sense, else what Channel::connect says.
Result<lease::Channel> connect(const Connection& connection, Clock& clock);

/// Options for a lease of `classes` (each with its grace in seconds), for the tenant that the
/// certificate names. The state is kept in memory only, which suits the role protector.
Result<lease::ClientOptions> lease_options(
    const Connection& connection, std::vector<std::pair<std::string, std::uint32_t>> classes);

/// One line on standard error: what, why, what to do. Returns the exit code: 2 for wrong usage,
/// else 1.
int report_failure(std::string_view command, const Error& error);

}  // namespace theriac::cli
