#include "cli/trace_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "cli/connection.hpp"
#include "pki/credentials.hpp"

namespace theriac::cli {
namespace {

using codec::Json;

/// The longest wait for an answer: a write of 100,000 items takes seconds.
constexpr std::chrono::seconds kAnswerWithin{120};

Error refusal_of(const http::ClientReply& reply) {
  if (reply.status == 429) {
    const auto wait = reply.field("Retry-After").value_or("");
    const bool seconds = !wait.empty() && wait.size() <= 6 &&
                         std::ranges::all_of(wait, [](char c) { return c >= '0' && c <= '9'; });
    return {Code::kBusy, seconds ? fmt::format("theriacd asks to wait {} s", wait) : "theriacd"};
  }
  const auto problem = codec::parse_json(text_of(reply.body));
  if (problem && problem->is_object() && problem->contains("code")) {
    for (std::size_t i = 0; i < kCodeCount; ++i) {
      const auto code = static_cast<Code>(i);
      if (problem->at("code") == info_of(code).name) return {code, "theriacd"};
    }
  }
  const auto code = reply.status >= 500 ? Code::kUpstream : Code::kProtocol;
  return {code, fmt::format("theriacd said {}", reply.status)};
}

}  // namespace

void add_server_options(CLI::App& command, TraceServer& server) {
  command.add_option("--server", server.address, "theriacd, HOST:PORT")
      ->envname("THERIAC_SERVER")
      ->capture_default_str();
  command
      .add_option("--cert", server.certificates,
                  "directory with cert.pem, key.pem and ca.pem (theriac-keyd enrol)")
      ->envname("THERIAC_CERT");
  command
      .add_option("--server-ca", server.authority_file,
                  "who signed theriacd's certificate, PEM (default: ca.pem of --cert)")
      ->envname("THERIAC_SERVER_CA");
}

Language language_of(const char* all, const char* messages, const char* lang) {
  for (const char* one : {all, messages, lang}) {
    if (one == nullptr || *one == '\0') continue;
    return std::string_view(one).starts_with("zh") ? Language::kChinese : Language::kEnglish;
  }
  return Language::kEnglish;
}

Language language_of_environment() {
  return language_of(std::getenv("LC_ALL"), std::getenv("LC_MESSAGES"), std::getenv("LANG"));
}

Result<std::unique_ptr<TraceClient>> TraceClient::make(const TraceServer& server) {
  if (server.certificates.empty()) return fail(Code::kUsage, "--cert DIR");
  auto address = runtime::parse_endpoint(server.address);
  if (!address || address->is_unix() || address->port == 0) {
    return fail(Code::kUsage, "--server HOST:PORT");
  }
  const auto paths = pki::CredentialPaths::in(server.certificates);
  http::ClientOptions options;
  options.server = std::move(*address);
  options.tls.emplace();
  options.tls->authority_file =
      server.authority_file.empty() ? paths.authority : server.authority_file;
  options.tls->certificate_file = paths.certificate;
  options.tls->key_file = paths.key;
  options.idle = kAnswerWithin;
  std::unique_ptr<TraceClient> made(new TraceClient());
  THERIAC_ASSIGN(made->client_, http::BlockingClient::make(std::move(options), made->clock_,
                                                           made->random_, made->log_));
  return made;
}

Ask TraceClient::ask() {
  return [this](http::ClientRequest request) { return client_->ask(std::move(request)); };
}

Result<Json> post(const Ask& ask, const std::string& path, const Json& body, Language language,
                  const std::string& key) {
  const auto reply =
      ask({.method = "POST",
           .target = path,
           .fields = {{"Content-Type", "application/json"},
                      {"Accept-Language", language == Language::kChinese ? "zh" : "en"},
                      {"Idempotency-Key", key}},
           .body = bytes_of(codec::canonical_json(body)),
           .download = {}});
  if (!reply) return fail(reply.error());
  if (reply->status != 200) return fail(refusal_of(*reply));
  auto json = codec::parse_json(text_of(reply->body));
  if (!json || !json->is_object()) return fail(Code::kProtocol, "reply of theriacd");
  return json;
}

int report_server_failure(std::string_view command, const Error& error) {
  if (error.code != Code::kUpstream) return report_failure(command, error);
  fmt::print(stderr,
             "{}: {}: theriacd cannot be reached or failed ({}); check --server and its log\n",
             command, info_of(error.code).name, error.where);
  return 1;
}

}  // namespace theriac::cli
