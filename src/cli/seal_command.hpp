// theriac seal / theriac open: files and pipes under a leased stream key.
#pragma once

#include <CLI/CLI.hpp>

namespace theriac::cli {

/// Adds `seal` and `open`; the one that runs stores its exit code.
void add_seal_commands(CLI::App& app, int& exit_code);

}  // namespace theriac::cli
