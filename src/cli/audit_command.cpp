#include "cli/audit_command.hpp"

#include <fmt/format.h>

#include <limits>
#include <memory>

#include "audit/files.hpp"
#include "audit/read.hpp"
#include "audit/verify.hpp"
#include "cli/progress.hpp"
#include "cli/terminal_text.hpp"
#include "codec/json.hpp"
#include "tlog/checkpoint.hpp"

namespace theriac::cli {
namespace {

using codec::Json;

struct VerifyFlags {
  std::string path, key, remembered;
  bool json = false;
};
struct RememberFlags {
  std::string path, key, out;
};
struct ShowFlags {
  std::string path;
  std::uint64_t from = 0;
  std::uint64_t to = std::numeric_limits<std::uint64_t>::max();
  bool json = false;
};

int report(const Error& error) {
  fmt::print(stderr, "theriac audit: {}\n", error.message());
  return error.code == Code::kUsage ? 2 : 1;
}

Result<std::string> read_text(const std::string& path) {
  Bytes bytes;
  THERIAC_TRY(audit::posix_disk().read(path, bytes));
  return std::string(text_of(bytes));
}

/// The text itself, or what a file of that name holds: keys are handed on in either way.
Result<std::string> key_text(const std::string& given) {
  if (given.empty() || tlog::parse_verifier_key(given)) return given;
  auto text = read_text(given);
  if (!text) return fail(Code::kUsage, "--key is neither a verifier key nor a file that holds one");
  while (text->ends_with('\n')) text->pop_back();
  if (!tlog::parse_verifier_key(*text)) return fail(Code::kUsage, "--key " + given);
  return text;
}

Result<audit::Verdict> verify_with_bar(const std::string& path, const std::string& key,
                                       const std::optional<audit::Remembered>& remembered) {
  SystemClock clock;
  ProgressBar bar(clock, "entries");
  auto verdict = audit::verify_path(path, key, remembered, [&](std::uint64_t done, auto all) {
    bar.show("verifying", static_cast<std::int64_t>(done), static_cast<std::int64_t>(all));
  });
  bar.finish();
  return verdict;
}

Json to_json(const std::string& path, const audit::Verdict& verdict) {
  Json out = Json::object();
  out["path"] = path;
  out["holds"] = verdict.holds;
  out["origin"] = verdict.origin;
  out["entries"] = verdict.entries;
  out["entries_unsigned"] = verdict.entries_unsigned;
  out["bad_entry"] = verdict.bad_entry ? Json(*verdict.bad_entry) : Json(nullptr);
  out["finding"] = verdict.finding;
  out["explanation"] = verdict.explanation;
  return out;
}

/// 0 or 1, and the one line that says why not.
int conclude(const std::string& path, const audit::Verdict& verdict) {
  if (verdict.holds) return 0;
  fmt::print(stderr, "theriac audit: {} does not hold: {}\n", path, verdict.explanation);
  return 1;
}

Result<int> verify(const VerifyFlags& flags) {
  THERIAC_ASSIGN(const auto key, key_text(flags.key));
  std::optional<audit::Remembered> remembered;
  if (!flags.remembered.empty()) {
    THERIAC_ASSIGN(auto note, read_text(flags.remembered));
    remembered = audit::Remembered{std::move(note)};
  }
  THERIAC_ASSIGN(const auto verdict, verify_with_bar(flags.path, key, remembered));
  if (flags.json) {
    fmt::print("{}\n", codec::canonical_json(to_json(flags.path, verdict)));
  } else if (verdict.holds) {
    fmt::print("{} holds: {}, {}\n", flags.path, verdict.origin, verdict.explanation);
  }
  return conclude(flags.path, verdict);
}

/// What is remembered only ever moves on: the log is verified first, against what the file holds
/// already if it does.
Result<int> remember(const RememberFlags& flags) {
  THERIAC_ASSIGN(const auto key, key_text(flags.key));
  std::optional<audit::Remembered> before;
  auto held = read_text(flags.out);
  if (held) {
    before = audit::Remembered{std::move(*held)};
  } else if (held.error().code != Code::kNotFound) {
    return fail(held.error());
  }
  // Taken before the log is looked at: what is verified then extends it.
  THERIAC_ASSIGN(auto note, read_text(audit::checkpoint_file(flags.path)));
  THERIAC_ASSIGN(auto verdict, verify_with_bar(flags.path, key, audit::Remembered{note}));
  if (verdict.holds && before) {
    THERIAC_ASSIGN(verdict, verify_with_bar(flags.path, key, before));
  }
  if (const int code = conclude(flags.path, verdict); code != 0) return code;
  const std::size_t slash = flags.out.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : flags.out.substr(0, slash + 1);
  const std::string out = slash == std::string::npos ? "./" + flags.out : flags.out;
  const std::array<audit::NewFile, 1> files{audit::NewFile{out, bytes_of(note)}};
  THERIAC_TRY(audit::write_durably(audit::posix_disk(), directory, files));
  const auto checkpoint = tlog::parse_checkpoint(tlog::parse_note(note)->text);
  fmt::print("remembered {} entries of {} in {}\n", checkpoint->size, checkpoint->origin,
             flags.out);
  return 0;
}

std::string text_member(const Json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// One line for a person. An altered log may hold anything, also commands for a terminal.
std::string line_of(const audit::ReadEntry& read) {
  const auto entry = codec::parse_json(read.text);
  if (!entry || !entry->is_object()) return fmt::format("{:>8}  not an audit entry", read.index);
  std::string line = fmt::format("{:>8}{} {}  {:<22} {}", read.index,
                                 read.in_checkpoint ? ' ' : '*', text_member(*entry, "time"),
                                 text_member(*entry, "action"), text_member(*entry, "actor"));
  for (const char* name : {"role", "object", "outcome", "error", "approver", "reason"}) {
    const std::string value = text_member(*entry, name);
    if (!value.empty()) line += fmt::format("  {}={}", name, value);
  }
  if (entry->contains("details")) line += "  " + codec::canonical_json(entry->at("details"));
  return harmless(line);
}

/// An honest entry's own bytes, since it is canonical already.
std::string json_of(const audit::ReadEntry& read) {
  const auto entry = codec::parse_json(read.text);
  if (entry) return harmless(codec::canonical_json(*entry));
  return fmt::format("{{\"index\":{},\"not_an_entry\":true}}", read.index);
}

Result<int> show(const ShowFlags& flags) {
  if (flags.from > flags.to) return fail(Code::kUsage, "--from is above --to");
  const std::uint64_t end = flags.to + (flags.to < std::numeric_limits<std::uint64_t>::max());
  bool unsigned_seen = false;
  THERIAC_TRY(audit::read_entries(
      audit::posix_disk(), flags.path, flags.from, end, [&](const audit::ReadEntry& entry) {
        unsigned_seen |= !entry.in_checkpoint;
        fmt::print("{}\n", flags.json ? json_of(entry) : line_of(entry));
        return std::ferror(stdout) == 0;
      }));
  if (unsigned_seen && !flags.json) fmt::print("* durable, not yet under a checkpoint\n");
  return 0;
}

template <typename Flags>
void on_run(CLI::App* command, const std::shared_ptr<Flags>& flags, int& exit_code,
            Result<int> (*run)(const Flags&)) {
  command->callback([flags, &exit_code, run] {
    const auto code = run(*flags);
    exit_code = code ? *code : report(code.error());
  });
}

constexpr const char* kPathHelp = "directory of the log (checkpoint, tile/, wal/)";
constexpr const char* kKeyHelp =
    "verifier key kept elsewhere, or a file that holds it; without it the log's own log.vkey";

}  // namespace

void add_audit_command(CLI::App& app, int& exit_code) {
  auto* audit = app.add_subcommand("audit", "verify and read audit logs, on their files alone");
  audit->require_subcommand(1);

  auto* command = audit->add_subcommand("verify", "was the log edited, cut or rolled back?");
  const auto verify_flags = std::make_shared<VerifyFlags>();  // shared with the callback
  command->add_option("path", verify_flags->path, kPathHelp)->required();
  command->add_option("--key", verify_flags->key, kKeyHelp);
  command->add_option("--remembered", verify_flags->remembered,
                      "checkpoint kept elsewhere (theriac audit remember)");
  command->add_flag("--json", verify_flags->json, "the verdict as JSON");
  on_run(command, verify_flags, exit_code, verify);

  command = audit->add_subcommand("remember", "verify, then keep the checkpoint in a file");
  const auto remember_flags = std::make_shared<RememberFlags>();
  command->add_option("path", remember_flags->path, kPathHelp)->required();
  command->add_option("-o,--out", remember_flags->out, "file, best on another machine's disk")
      ->required();
  command->add_option("--key", remember_flags->key, kKeyHelp);
  on_run(command, remember_flags, exit_code, remember);

  command = audit->add_subcommand("show", "print entries");
  const auto show_flags = std::make_shared<ShowFlags>();
  command->add_option("path", show_flags->path, kPathHelp)->required();
  command->add_option("--from", show_flags->from, "first entry")->check(CLI::NonNegativeNumber);
  command->add_option("--to", show_flags->to, "last entry")->check(CLI::NonNegativeNumber);
  command->add_flag("--json", show_flags->json, "entries as they stand in the log, one a line");
  on_run(command, show_flags, exit_code, show);
}

}  // namespace theriac::cli
