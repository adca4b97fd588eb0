// theriac explain: what the gateway does with a statement, and why.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "codec/json.hpp"
#include "policy/policy.hpp"
#include "rewrite/plan.hpp"

namespace theriac::cli {

/// Adds `explain`; it stores its exit code when it runs: 0 if every statement is taken, 1 if one is
/// refused.
void add_explain_command(CLI::App& app, int& exit_code);

/// A plan as a report. No literal of the statement stands in it but in texts that are forwarded.
/// `role`: what it sees of each column is added; empty: of nobody.
codec::Json explain(const rewrite::Plan& plan, const rewrite::Catalogue& catalogue,
                    const policy::Policy& policy, const std::string& role);

}  // namespace theriac::cli
