// theriac: the command line for administrators, operators and auditors. Wiring only.
#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include "cli/audit_command.hpp"
#include "cli/explain_command.hpp"
#include "cli/key_command.hpp"
#include "cli/line_command.hpp"
#include "cli/policy_command.hpp"
#include "cli/protect_command.hpp"
#include "cli/seal_command.hpp"
#include "cli/trace_command.hpp"

int main(int argc, char** argv) {
  // Some commands hold keys and opened values: no image of them on disk.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);

  CLI::App app("Theriac: seals what must not be read, and shows who read it", "theriac");
  app.require_subcommand(1);
  int exit_code = 0;
  theriac::cli::add_policy_command(app, exit_code);
  theriac::cli::add_protect_commands(app, exit_code);
  theriac::cli::add_explain_command(app, exit_code);
  theriac::cli::add_audit_command(app, exit_code);
  theriac::cli::add_key_command(app, exit_code);
  theriac::cli::add_seal_commands(app, exit_code);
  theriac::cli::add_trace_command(app, exit_code);
  theriac::cli::add_line_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 2;
  }
  return exit_code;
}
