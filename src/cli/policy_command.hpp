// theriac policy check: is this policy valid, and what would it mean on a database.
// theriac policy explain: what a role sees of each column.
#pragma once

#include <CLI/CLI.hpp>

#include "protect/inspect.hpp"

namespace theriac::cli {

/// Adds `policy` with its subcommands; each stores its exit code when it runs.
void add_policy_command(CLI::App& app, int& exit_code);

/// What inspect() found, for a person, on standard output.
void print_inspection(const protect::Inspection& inspection);

}  // namespace theriac::cli
