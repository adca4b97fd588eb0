// theriac trace: serialization and track & trace from the command line.
#pragma once

#include <CLI/CLI.hpp>

namespace theriac::cli {

/// Adds `trace` with its commands; they store their exit code when they run.
void add_trace_command(CLI::App& app, int& exit_code);

}  // namespace theriac::cli
