#include "cli/trace_verify.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/terminal_text.hpp"
#include "cli/trace_command.hpp"

namespace theriac::cli {
namespace {

using codec::Json;

http::ClientReply reply_of(int status, const Json& body) {
  return {status, {{"Content-Type", "application/json"}}, bytes_of(codec::canonical_json(body))};
}

Json genuine() { return {{"verdict", "genuine"}, {"text", "genuine: it may be given"}}; }

/// theriacd as far as one command sees it: gives the replies in turn and keeps what it was asked.
struct Server {
  std::vector<Result<http::ClientReply>> replies;
  std::vector<http::ClientRequest> asked;

  Ask ask() {
    return [this](http::ClientRequest request) -> Result<http::ClientReply> {
      asked.push_back(std::move(request));
      if (asked.size() > replies.size()) return fail(Code::kClosed, "test");
      return replies[asked.size() - 1];
    };
  }
  Json body(std::size_t i) { return codec::parse_json(text_of(asked.at(i).body)).value(); }
  std::string field(std::size_t i, std::string_view name) {
    for (const auto& one : asked.at(i).fields) {
      if (one.name == name) return one.value;
    }
    return {};
  }
};

struct Outcome {
  Result<bool> all_genuine = false;
  std::string out;
};

Outcome verify(Server& server, std::vector<std::string> given, const VerifyOptions& options = {},
               const std::string& input = {}) {
  std::istringstream standard_input(input);
  Scans scans(std::move(given), nullptr, standard_input);
  crypto::SystemRandom random;
  Outcome outcome;
  ::testing::internal::CaptureStdout();
  outcome.all_genuine = verify_scans(server.ask(), random, scans, options);
  std::fflush(stdout);
  outcome.out = ::testing::internal::GetCapturedStdout();
  return outcome;
}

TEST(TraceVerify, SaysEachVerdictAndWhetherAllAreGenuine) {
  Server server{.replies = {reply_of(200, genuine()), reply_of(200, genuine())}, .asked = {}};
  const auto good = verify(server, {"one", "two"});
  EXPECT_EQ(good.all_genuine, true);
  EXPECT_EQ(
      good.out,
      "    1  genuine: it may be given\n    2  genuine: it may be given\n2 scans, 2 genuine\n");
  EXPECT_EQ(server.body(0), (Json{{"scan", "one"}}));
  EXPECT_EQ(server.asked[1].target, "/api/trace/verify");
  EXPECT_EQ(server.field(0, "Accept-Language"), "en");
  EXPECT_NE(server.field(0, "Idempotency-Key"), server.field(1, "Idempotency-Key"));

  Server other{
      .replies = {reply_of(200, genuine()),
                  reply_of(200, {{"verdict", "suspicious"}, {"text", "t"}, {"alarm", true}})},
      .asked = {}};
  const auto bad = verify(other, {"a", "b"});
  EXPECT_EQ(bad.all_genuine, false);
  EXPECT_NE(bad.out.find("    2  t (alarm raised)\n"), std::string::npos) << bad.out;
}

TEST(TraceVerify, NothingToVerifyIsNotAllGenuine) {
  Server server;
  EXPECT_EQ(verify(server, {"-"}, {}, "\n\r\n").all_genuine, false);
  EXPECT_TRUE(server.asked.empty());
}

TEST(TraceVerify, NeverRepeatsAScan) {
  Server server{.replies = {reply_of(200, genuine()), reply_of(200, genuine())}, .asked = {}};
  for (const bool json : {false, true}) {
    const auto said = verify(server, {"(21)SERIAL7"}, {.place = {}, .json = json});
    EXPECT_EQ(said.out.find("SERIAL7"), std::string::npos) << said.out;
  }
}

TEST(TraceVerify, AsksInTheLanguageAndSaysSo) {
  Server server{
      .replies = {reply_of(200, {{"verdict", "genuine"}, {"text", "真品"}}),
                  reply_of(200, {{"verdict", "suspicious"}, {"text", "可疑"}, {"alarm", true}})},
      .asked = {}};
  const auto said =
      verify(server, {"a", "b"}, {.place = {}, .language = Language::kChinese, .json = false});
  EXPECT_EQ(server.field(0, "Accept-Language"), "zh");
  EXPECT_EQ(said.out, "    1  真品\n    2  可疑（已报警）\n共 2 次扫描，1 件为真品\n");
}

TEST(TraceVerify, JsonIsOneObjectALine) {
  Server server{.replies = {reply_of(200, genuine()), reply_of(200, genuine())}, .asked = {}};
  const auto said = verify(server, {"a", "b"}, {.place = {}, .json = true});
  std::istringstream lines(said.out);
  int at = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto json = codec::parse_json(line).value();
    EXPECT_EQ(json.at("at"), ++at);
    EXPECT_EQ(json.at("verdict"), "genuine");
  }
  EXPECT_EQ(at, 2);
}

TEST(TraceVerify, FindsThePlaceOnce) {
  for (const auto& [place, body] :
       {std::pair<std::string, Json>{"9506000140018", {{"gln", "9506000140018"}}},
        {"9506000140018.W1.2", {{"gln", "9506000140018"}, {"extension", "W1.2"}}}}) {
    Server server{.replies = {reply_of(200, {{"id", 42}}), reply_of(200, genuine()),
                              reply_of(200, genuine())},
                  .asked = {}};
    EXPECT_EQ(verify(server, {"a", "b"}, {.place = place}).all_genuine, true);
    EXPECT_EQ(server.asked[0].target, "/api/trace/places/find");
    EXPECT_EQ(server.body(0), body);
    EXPECT_EQ(server.body(1), (Json{{"scan", "a"}, {"place", 42}}));
    EXPECT_EQ(server.body(2), (Json{{"scan", "b"}, {"place", 42}}));
  }
  Server server{.replies = {reply_of(404, {{"code", "NotFound"}, {"title", "t"}})}, .asked = {}};
  const auto unknown = verify(server, {"a"}, {.place = "1"});
  EXPECT_EQ(unknown.all_genuine.error(), (Error{Code::kNotFound, "--place"}));
}

TEST(TraceVerify, WhatTheServerRefusesEndsIt) {
  const std::vector<std::pair<http::ClientReply, Error>> cases{
      {reply_of(403, {{"code", "Denied"}}), {Code::kDenied, "theriacd"}},
      {{429, {{"Retry-After", "3600"}}, {}}, {Code::kBusy, "theriacd asks to wait 3600 s"}},
      {{429, {{"Retry-After", "1\n2"}}, {}}, {Code::kBusy, "theriacd"}},
      {reply_of(500, {{"code", "no such code"}}), {Code::kUpstream, "theriacd said 500"}},
      {{502, {}, bytes_of("<html>")}, {Code::kUpstream, "theriacd said 502"}},
      {{404, {}, bytes_of("[]")}, {Code::kProtocol, "theriacd said 404"}},
      {{200, {}, bytes_of("{\"verdict\":")}, {Code::kProtocol, "reply of theriacd"}},
      {{200, {}, bytes_of("[1]")}, {Code::kProtocol, "reply of theriacd"}},
      {reply_of(200, {{"verdict", 1}}), {Code::kProtocol, "verdict"}},
  };
  for (const auto& [reply, error] : cases) {
    Server server{.replies = {reply_of(200, genuine()), reply}, .asked = {}};
    const auto said = verify(server, {"a", "b", "c"});
    ASSERT_FALSE(said.all_genuine.has_value()) << reply.status;
    EXPECT_EQ(said.all_genuine.error(), error);
    EXPECT_EQ(server.asked.size(), 2U);
    EXPECT_EQ(said.out, "    1  genuine: it may be given\n");  // what was told stays told
  }
  Server gone{.replies = {fail(Code::kUpstream, "h:1")}, .asked = {}};
  EXPECT_EQ(verify(gone, {"a"}).all_genuine.error().code, Code::kUpstream);
}

TEST(TraceVerify, AServerCannotCommandTheTerminal) {
  const Json evil{{"verdict", "genuine"}, {"text", "a\x1b[2J\xc2\x9b\x7f真"}};
  Server server{.replies = {reply_of(200, evil), reply_of(200, evil)}, .asked = {}};
  EXPECT_EQ(verify(server, {"a"}).out, "    1  a?[2J??真\n");
  const auto json = verify(server, {"a"}, {.place = {}, .json = true}).out;
  EXPECT_EQ(json.find_first_of("\x1b\x7f\x9b"), std::string::npos);
}

std::vector<std::string> all_of(Scans& scans) {
  std::vector<std::string> all;
  while (auto one = scans.next().value()) all.push_back(*one);
  return all;
}

TEST(TraceVerify, ScansComeFromArgumentsStandardInputAndAFile) {
  const std::string with_separator("three\x1d(");
  std::istringstream input("two\r\n\n" + with_separator), file("five\n");
  Scans scans({"one", "-", "", "four"}, &file, input);
  EXPECT_EQ(all_of(scans),
            (std::vector<std::string>{"one", "two", with_separator, "four", "five"}));
}

TEST(TraceVerify, AScanHasALimit) {
  const std::string longest(kScanBytesMax, 'x');
  std::istringstream input(longest + "\n" + longest + "y");
  Scans scans({longest, "-"}, nullptr, input);
  EXPECT_EQ(scans.next().value(), longest);
  EXPECT_EQ(scans.next().value(), longest);
  EXPECT_EQ(scans.next().error().code, Code::kTooLarge);
  Scans argument({longest + "y"}, nullptr, input);
  EXPECT_EQ(argument.next().error().code, Code::kTooLarge);
}

TEST(TraceVerify, TheLocaleChoosesTheLanguage) {
  EXPECT_EQ(language_of(nullptr, nullptr, nullptr), Language::kEnglish);
  EXPECT_EQ(language_of(nullptr, "", "zh_CN.UTF-8"), Language::kChinese);
  EXPECT_EQ(language_of("C", nullptr, "zh_CN.UTF-8"), Language::kEnglish);
  EXPECT_EQ(language_of("", "zh_TW", "de_DE"), Language::kChinese);
}

int code_of(std::vector<std::string> arguments) {
  CLI::App app("test", "theriac");
  int code = 0;
  add_trace_command(app, code);
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  std::ranges::reverse(arguments);
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& problem) {
    code = app.exit(problem) == 0 ? 0 : 2;
  }
  ::testing::internal::GetCapturedStdout();
  ::testing::internal::GetCapturedStderr();
  return code;
}

TEST(TraceVerify, WrongUsageIsExitCodeTwo) {
  EXPECT_EQ(code_of({"trace"}), 2);
  EXPECT_EQ(code_of({"trace", "verify", "--cert", "c"}), 2);
  EXPECT_EQ(code_of({"trace", "verify", "x"}), 2);
  EXPECT_EQ(code_of({"trace", "verify", "x", "--cert", "c", "--server", "nonsense"}), 2);
  EXPECT_EQ(code_of({"trace", "verify", "x", "--cert", "c", "--server", "h:0"}), 2);
  EXPECT_EQ(code_of({"trace", "verify", "x", "--cert", "c", "--server", "/tmp:80"}), 2);
  EXPECT_EQ(code_of({"trace", "verify", "x", "--unknown"}), 2);
  EXPECT_EQ(code_of({"trace", "verify", "--file", "/nonexistent", "--cert", "c"}), 1);
  EXPECT_EQ(code_of({"trace", "verify", "x", "--cert", "/nonexistent"}), 1);
  EXPECT_EQ(code_of({"trace", "verify", "--help"}), 0);
}

}  // namespace
}  // namespace theriac::cli
