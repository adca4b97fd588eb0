#include "cli/key_command.hpp"

#include <fmt/format.h>
#include <functional>
#include <memory>
#include <thread>

#include "cli/connection.hpp"
#include "codec/time.hpp"

namespace theriac::cli {
namespace {

using codec::Json;

constexpr auto kPollEvery = std::chrono::milliseconds(250);

struct KeyFlags {
  Connection connection;
  bool json = false;
  std::string class_name;
  bool whole_tenant = false;
  std::string suite = "aes";
  std::string subject;
  std::string reason;
  bool wait = false;
};
using FlagsPtr = std::shared_ptr<KeyFlags>;  // shared by the callbacks of all subcommands

// Fields of a reply, tolerant: a missing one prints as empty.
std::string text(const Json& json, const char* name) { return json.value(name, std::string()); }
std::int64_t number(const Json& json, const char* name) {
  return json.value(name, std::int64_t{0});
}
std::string time_text(const Json& json, const char* name) {
  return codec::rfc3339_local(number(json, name));
}
const Json& list(const Json& json, const char* name) {
  static const Json empty = Json::array();
  const auto found = json.find(name);
  return found != json.end() && found->is_array() ? *found : empty;
}

void print_versions(const Json& versions) {
  for (const auto& v : versions) {
    fmt::print("{:<20} {:<7} {:>4}  {:<12} {}  {}  {}{}{}\n", text(v, "class"), text(v, "purpose"),
               number(v, "version"), text(v, "state"), text(v, "id"), time_text(v, "changed_ms"),
               text(v, "person"), text(v, "reason").empty() ? "" : ": ", text(v, "reason"));
  }
}

void print_list(const Json& body) {
  fmt::print("{:<20} {:<7} {:>4}  {:<12} {:<16}  {:<29}  {}\n", "CLASS", "PURPOSE", "VER", "STATE",
             "KEY ID", "CHANGED", "BY");
  for (const auto& one : list(body, "classes")) print_versions(list(one, "versions"));
}

void print_status(const Json& body) {
  fmt::print("tenant {} ({}), {} classes, lease {} s, {} audit entries\n", text(body, "tenant"),
             text(body, "tenant_state"), number(body, "classes"), number(body, "lease_ms") / 1000,
             number(body, "audit_entries"));
  const auto now = number(body, "now_ms");
  for (const auto& lease : list(body, "leases")) {
    std::string classes;
    for (const auto& name : list(lease, "classes")) {
      classes += (classes.empty() ? "" : ", ") + name.get<std::string>();
    }
    fmt::print("lease        {:<16} {:<10} ends in {:>3} s  {}\n", text(lease, "holder"),
               text(lease, "role"), (number(lease, "expires_ms") - now) / 1000, classes);
  }
  for (const auto& fence : list(body, "fences")) {
    fmt::print("FENCED       {:<16} since {}\n", text(fence, "name"), time_text(fence, "since_ms"));
  }
  for (const auto& issued : list(body, "certificates")) {
    const bool revoked = number(issued, "revoked_ms") != 0;
    fmt::print("certificate  {:<16} {:<10} until {}  {}{}\n", text(issued, "name"),
               text(issued, "role"), time_text(issued, "not_after_ms"), text(issued, "serial"),
               revoked ? "  REVOKED" : "");
  }
}

Result<Json> ask(const KeyFlags& flags, Json request) {
  SystemClock clock;
  THERIAC_ASSIGN(auto channel, connect(flags.connection, clock));
  THERIAC_ASSIGN(auto answer, channel.exchange(request));
  return std::move(answer.body);
}

Json with_reason(const KeyFlags& flags, std::string_view operation) {
  auto request = lease::make_request(operation);
  if (!flags.reason.empty()) request["reason"] = flags.reason;
  return request;
}

/// Prints a reply and says which exit code goes with it.
int finish(const KeyFlags& flags, std::string_view command, const Result<Json>& body,
           const std::function<void(const Json&)>& print) {
  if (!body) return report_failure(fmt::format("theriac key {}", command), body.error());
  if (flags.json) {
    fmt::print("{}\n", codec::canonical_json(*body));
  } else {
    print(*body);
  }
  return 0;
}

bool any_pending(const Json& body, const std::string& class_name) {
  for (const auto& one : list(body, "classes")) {
    if (text(one, "class") != class_name) continue;
    for (const auto& version : list(one, "versions")) {
      if (text(version, "state") == "pending") return true;
    }
  }
  return false;
}

/// Holders prove that they have a new version by renewing; this waits for the last of them.
Status wait_until_active(const KeyFlags& flags, std::int64_t lease_ms) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(2 * lease_ms);
  while (true) {
    THERIAC_ASSIGN(const auto body, ask(flags, lease::make_request("list")));
    if (!any_pending(body, flags.class_name)) return {};
    if (std::chrono::steady_clock::now() > give_up) {
      return fail(Code::kTimeout, "the new version is not active yet; a holder has not renewed");
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

int rotate(const KeyFlags& flags) {
  auto request = with_reason(flags, "rotate");
  request["class"] = flags.class_name;
  const auto body = ask(flags, request);
  if (body && flags.wait) {
    const auto status = ask(flags, lease::make_request("status"));
    if (!status) return report_failure("theriac key rotate", status.error());
    if (auto done = wait_until_active(flags, number(*status, "lease_ms")); !done) {
      return report_failure("theriac key rotate", done.error());
    }
    if (!flags.json) fmt::print("{}: the new versions are active\n", flags.class_name);
    if (!flags.json) return 0;
  }
  return finish(flags, "rotate", body,
                [](const Json& reply) { print_versions(list(reply, "versions")); });
}

int revoke_or_restore(const KeyFlags& flags, bool restore) {
  const std::string name = restore ? "restore" : "revoke";
  if (flags.class_name.empty() != flags.whole_tenant) {
    return report_failure("theriac key " + name,
                          Error{Code::kUsage, "either --class NAME or --whole-tenant"});
  }
  auto request = with_reason(flags, flags.whole_tenant ? name + "_tenant" : name);
  if (!flags.whole_tenant) request["class"] = flags.class_name;
  return finish(flags, name, ask(flags, request), [&](const Json& reply) {
    fmt::print("{} {}; every lease follows within {} s\n", restore ? "restored" : "revoked",
               flags.whole_tenant ? "the whole tenant" : "class " + flags.class_name,
               number(reply, "lease_ms") / 1000);
  });
}

int create_class(const KeyFlags& flags) {
  if (flags.suite != "aes" && flags.suite != "sm4") {
    return report_failure("theriac key create-class", Error{Code::kUsage, "--suite aes or sm4"});
  }
  auto request = with_reason(flags, "create_class");
  request["class"] = flags.class_name;
  request["suite"] = flags.suite == "sm4" ? 2 : 1;
  return finish(flags, "create-class", ask(flags, request),
                [](const Json& reply) { print_versions(list(reply, "versions")); });
}

int clear_fence(const KeyFlags& flags) {
  auto request = with_reason(flags, "clear_fence");
  request["name"] = flags.subject;
  return finish(flags, "clear-fence", ask(flags, request), [&](const Json&) {
    fmt::print("fence of {} cleared; it gets a new lease within seconds\n", flags.subject);
  });
}

int revoke_certificate(const KeyFlags& flags) {
  auto request = with_reason(flags, "revoke_certificate");
  request["subject"] = flags.subject;
  return finish(flags, "revoke-certificate", ask(flags, request),
                [&](const Json&) { fmt::print("certificates of {} revoked\n", flags.subject); });
}

CLI::App* add_subcommand(CLI::App& key, const FlagsPtr& flags, int& exit_code, const char* name,
                         const char* what, std::function<int(const KeyFlags&)> run) {
  auto* command = key.add_subcommand(name, what);
  add_connection_options(*command, flags->connection);
  command->add_flag("--json", flags->json, "print JSON");
  command->callback([flags, &exit_code, run = std::move(run)] { exit_code = run(*flags); });
  return command;
}

void add_reason(CLI::App* command, const FlagsPtr& flags) {
  command->add_option("--reason", flags->reason, "why; stands in the audit log");
}

}  // namespace

void add_key_command(CLI::App& app, int& exit_code) {
  const auto flags = std::make_shared<KeyFlags>();
  auto& key = *app.add_subcommand("key", "keys: list, rotate, revoke, restore");
  key.require_subcommand(1);
  add_subcommand(key, flags, exit_code, "list", "classes and their key versions",
                 [](const KeyFlags& f) {
                   return finish(f, "list", ask(f, lease::make_request("list")), print_list);
                 });
  add_subcommand(key, flags, exit_code, "status", "tenant, leases, fences, certificates",
                 [](const KeyFlags& f) {
                   return finish(f, "status", ask(f, lease::make_request("status")), print_status);
                 });

  auto* create = add_subcommand(key, flags, exit_code, "create-class", "make a class and its keys",
                                create_class);
  create->add_option("--class,class", flags->class_name, "name")->required();
  create->add_option("--suite", flags->suite, "aes or sm4")->capture_default_str();
  add_reason(create, flags);

  auto* turn = add_subcommand(key, flags, exit_code, "rotate",
                              "new data and stream keys; older ones still open", rotate);
  turn->add_option("--class,class", flags->class_name, "name")->required();
  turn->add_flag("--wait", flags->wait, "until every holder has it and it is active");
  add_reason(turn, flags);

  for (const bool restore : {false, true}) {
    auto* command = add_subcommand(
        key, flags, exit_code, restore ? "restore" : "revoke",
        restore ? "give a revoked class back" : "stop every use of a class within one lease",
        [restore](const KeyFlags& f) { return revoke_or_restore(f, restore); });
    command->add_option("--class,class", flags->class_name, "name");
    command->add_flag("--whole-tenant", flags->whole_tenant, "every class");
    add_reason(command, flags);
  }

  auto* fence = add_subcommand(key, flags, exit_code, "clear-fence",
                               "let a fenced name lease again, once the copy is gone", clear_fence);
  fence->add_option("name", flags->subject, "e.g. gateway-1")->required();
  add_reason(fence, flags);

  auto* certificate = add_subcommand(key, flags, exit_code, "revoke-certificate",
                                     "by serial number or name", revoke_certificate);
  certificate->add_option("subject", flags->subject, "serial or name")->required();
  add_reason(certificate, flags);
}

}  // namespace theriac::cli
