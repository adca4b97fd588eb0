// theriac key: what custodians and auditors do with keys, over the key service's own protocol.
#pragma once

#include <CLI/CLI.hpp>

namespace theriac::cli {

/// Adds `key` with its subcommands; the one that runs stores its exit code.
void add_key_command(CLI::App& app, int& exit_code);

}  // namespace theriac::cli
