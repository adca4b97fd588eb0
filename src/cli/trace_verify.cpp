#include "cli/trace_verify.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/ids.hpp"
#include "cli/terminal_text.hpp"

namespace theriac::cli {
namespace {

using codec::Json;

using RequestId = Id<struct RequestTag, 16>;

/// Under a key the client may repeat it: a scanner rests for longer than a connection is kept, and
/// verifying once more tells nothing else.
std::string new_key(Random& random) { return to_uuid_text(random.uuid<RequestId>().view()); }

Result<std::int64_t> place_of(const Ask& ask, Random& random, const VerifyOptions& options) {
  const auto dot = options.place.find('.');
  Json body{{"gln", options.place.substr(0, dot)}};
  if (dot != std::string::npos) body["extension"] = options.place.substr(dot + 1);
  auto found = post(ask, "/api/trace/places/find", body, options.language, new_key(random));
  if (!found) {
    auto error = found.error();
    if (error.code == Code::kNotFound || error.code == Code::kMalformed) error.where = "--place";
    return fail(std::move(error));
  }
  const auto id = found->find("id");
  if (id == found->end() || !id->is_number_integer()) return fail(Code::kProtocol, "place");
  return id->get<std::int64_t>();
}

std::string text_member(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void print(std::size_t at, const Json& answer, const VerifyOptions& options) {
  if (options.json) {
    auto line = answer;
    line["at"] = at;
    fmt::print("{}\n", harmless(codec::canonical_json(line)));
  } else {
    const bool alarm = answer.contains("alarm") && answer.at("alarm") == true;
    const auto* said = options.language == Language::kChinese ? "（已报警）" : " (alarm raised)";
    fmt::print("{:>5}  {}{}\n", at, harmless(text_member(answer, "text")), alarm ? said : "");
  }
  // A person with a scanner waits for each.
  std::fflush(stdout);
}

void print_sum(std::size_t genuine, std::size_t all, Language language) {
  if (language == Language::kChinese) {
    fmt::print("共 {} 次扫描，{} 件为真品\n", all, genuine);
  } else {
    fmt::print("{} scans, {} genuine\n", all, genuine);
  }
}

}  // namespace

Scans::Scans(std::vector<std::string> given, std::istream* stream, std::istream& standard_input)
    : given_(std::move(given)), stream_(stream), standard_input_(&standard_input) {}

Result<std::optional<std::string>> Scans::next() {
  std::string line;
  while (true) {
    if (reading_ != nullptr) {
      // By the character: a line without end must not fill the memory.
      for (int c = reading_->get(); c != std::istream::traits_type::eof(); c = reading_->get()) {
        if (c == '\n') break;
        if (line.size() == kScanBytesMax) return fail(Code::kTooLarge, "scan");
        line += static_cast<char>(c);
      }
      if (reading_->bad()) return fail(Code::kIo, "scans");
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty()) return line;
      if (reading_->good()) continue;
      reading_ = nullptr;
    }
    if (used_ < given_.size()) {
      auto& one = given_[used_++];
      if (one == "-") {
        reading_ = standard_input_;
      } else if (one.size() > kScanBytesMax) {
        return fail(Code::kTooLarge, "scan");
      } else if (!one.empty()) {
        return std::move(one);
      }
    } else if (stream_ != nullptr) {
      reading_ = std::exchange(stream_, nullptr);
    } else {
      return std::nullopt;
    }
  }
}

Result<bool> verify_scans(const Ask& ask, Random& random, Scans& scans,
                          const VerifyOptions& options) {
  std::int64_t place = 0;
  if (!options.place.empty()) {
    THERIAC_ASSIGN(place, place_of(ask, random, options));
  }
  std::size_t all = 0, genuine = 0;
  while (true) {
    THERIAC_ASSIGN(const auto scan, scans.next());
    if (!scan) break;
    Json body{{"scan", *scan}};
    if (place != 0) body["place"] = place;
    THERIAC_ASSIGN(const auto answer,
                   post(ask, "/api/trace/verify", body, options.language, new_key(random)));
    const auto verdict = text_member(answer, "verdict");
    if (verdict.empty()) return fail(Code::kProtocol, "verdict");
    genuine += verdict == "genuine";
    print(++all, answer, options);
  }
  if (all > 1 && !options.json) print_sum(genuine, all, options.language);
  return all > 0 && genuine == all;
}

namespace {

struct Flags {
  TraceServer server;
  VerifyOptions options;
  std::vector<std::string> scans;
  std::string file;
};

Result<bool> run(const Flags& flags) {
  if (flags.scans.empty() && flags.file.empty()) {
    return fail(Code::kUsage, "SCAN, - for standard input, or --file");
  }
  std::ifstream file;
  std::istream* stream = nullptr;
  if (flags.file == "-") {
    stream = &std::cin;
  } else if (!flags.file.empty()) {
    file.open(flags.file, std::ios::binary);
    if (!file) return fail(Code::kNotFound, flags.file);
    stream = &file;
  }
  THERIAC_ASSIGN(const auto client, TraceClient::make(flags.server));
  crypto::SystemRandom random;
  Scans scans(flags.scans, stream, std::cin);
  return verify_scans(client->ask(), random, scans, flags.options);
}

}  // namespace

void add_trace_verify_command(CLI::App& trace, int& exit_code) {
  auto flags = std::make_shared<Flags>();  // shared with the callback
  auto* command = trace.add_subcommand("verify", "is this pack what it says it is?");
  command->footer(
      "A scan is what a scanner gives, an element string, a Digital Link or an EPC URN.\n"
      "Arguments are visible to others on this machine: give real numbers with - or --file.\n"
      "Exit code 0: all are genuine; 1: not all, or not all could be asked; 2: wrong usage.");
  command->add_option("scan", flags->scans, "what the scanner gave; -: standard input, one a line");
  command->add_option("--file", flags->file, "a file with one scan a line");
  command->add_option(
      "--place", flags->options.place,
      "where you are, GLN or GLN.EXTENSION: one pack at two places gives a copy away");
  command->add_flag("--json", flags->options.json, "one JSON object a line");
  add_server_options(*command, flags->server);
  command->callback([flags, &exit_code] {
    flags->options.language = language_of_environment();
    const auto all_genuine = run(*flags);
    exit_code = all_genuine ? (*all_genuine ? 0 : 1)
                            : report_server_failure("theriac trace verify", all_genuine.error());
  });
}

}  // namespace theriac::cli
