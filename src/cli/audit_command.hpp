// theriac audit verify | remember | show: the audit log on its files alone, without any server.
#pragma once

#include <CLI/CLI.hpp>

namespace theriac::cli {

/// Adds `audit` with its subcommands; the one that runs stores its exit code: 0 the log holds, 1 it
/// does not (one line on standard error names the entry) or cannot be read, 2 wrong usage.
void add_audit_command(CLI::App& app, int& exit_code);

}  // namespace theriac::cli
