// theriac protect / theriac unprotect: seal the columns a policy names in a filled database, and
// open them again. docs/protect.md.
#pragma once

#include <CLI/CLI.hpp>

namespace theriac::cli {

/// Adds `protect` and `unprotect`; the one that runs stores its exit code.
void add_protect_commands(CLI::App& app, int& exit_code);

}  // namespace theriac::cli
