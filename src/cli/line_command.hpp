// theriac line: the program beside a packaging line that exchanges files. See docs/line.md.
#pragma once

#include <CLI/CLI.hpp>

namespace theriac::cli {

/// Adds `line` with its commands; they store their exit code when they run.
void add_line_command(CLI::App& app, int& exit_code);

}  // namespace theriac::cli
