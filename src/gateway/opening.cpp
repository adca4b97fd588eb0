#include "gateway/opening.hpp"

#include <algorithm>
#include <cctype>

#include "pgwire/encoding.hpp"

namespace theriac::gateway {
namespace {

constexpr std::uint8_t kTlsHandshakeRecord = 0x16;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

/// As PostgreSQL's parse_bool: unique prefixes of true, false, yes, no; on, off (of, but not o);
/// 1, 0.
bool is_false(std::string_view text) {
  const auto word = lowered(text);
  if (word.empty()) return false;
  const auto prefix_of = [&](std::string_view whole) { return whole.starts_with(word); };
  return prefix_of("false") || prefix_of("no") || word == "0" ||
         (prefix_of("off") && word.size() >= 2);
}

/// The server itself complains of names that it does not know.
bool is_converted(std::string_view name) {
  return pgwire::encoding_kind(name) == pgwire::EncodingKind::kUnknown ||
         pgwire::Encoding::find(name).has_value();
}

Status check_setting(std::string_view name, std::string_view value) {
  // Names of settings are compared without case, and "-" may stand for "_" in options.
  auto key = lowered(name);
  std::ranges::replace(key, '-', '_');
  if (key == "client_encoding" && !is_converted(value)) {
    return fail(Code::kBadEncoding,
                "client_encoding of the start-up: it is not converted exactly, UTF8 is");
  }
  return {};
}

Status check_assignment(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos) return {};
  return check_setting(assignment.substr(0, equals), assignment.substr(equals + 1));
}

Status check_options(std::string_view options) {
  const auto words = split_options(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "-c" || word == "--") {
      if (++i < words.size()) THERIAC_TRY(check_assignment(words[i]));
    } else if (word.starts_with("--")) {
      THERIAC_TRY(check_assignment(word.substr(2)));
    } else if (word.starts_with('-')) {
      // Short options may stand together ("-ec name=value"): everything after a c is an assignment,
      // its own or the next word.
      if (const auto at = word.find('c'); at != std::string_view::npos) {
        if (at + 1 < word.size()) {
          THERIAC_TRY(check_assignment(word.substr(at + 1)));
        } else if (++i < words.size()) {
          THERIAC_TRY(check_assignment(words[i]));
        }
      }
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> split_options(std::string_view options) {
  std::vector<std::string> words;
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  std::size_t at = 0;
  while (true) {
    while (at < options.size() && blank(options[at])) ++at;
    if (at == options.size()) return words;
    std::string word;
    while (at < options.size() && !blank(options[at])) {
      if (options[at] == '\\' && at + 1 < options.size()) ++at;
      word += options[at++];
    }
    words.push_back(std::move(word));
  }
}

Status check_enforced_startup(const pgwire::StartupMessage& startup) {
  for (const auto& [name, value] : startup.parameters) {
    if (name == "replication" && !is_false(value)) {
      return fail(Code::kUnsupported,
                  "replication: the stream of changes bypasses the policy; connect to the database "
                  "itself");
    }
    if (name == "options") THERIAC_TRY(check_options(value));
    THERIAC_TRY(check_setting(name, value));
  }
  return {};
}

Opening::Step Opening::refuse(Code code, std::string where) {
  error_ = Error{code, std::move(where)};
  return Step::kRefuse;
}

Opening::Step Opening::next() {
  if (!buffer_.empty() && buffer_[0] == kTlsHandshakeRecord && !asked_tls_ && !asked_gss_ &&
      !tls_) {
    // A length word that begins so would be far beyond any start-up packet.
    return rules_.tls_offered ? Step::kDirectTls : refuse(Code::kProtocol, "TLS is not configured");
  }
  auto cut = pgwire::cut_startup(buffer_);
  if (!cut) return refuse(cut.error().code, cut.error().where);
  if (!*cut) return Step::kMore;
  startup_ = std::move(**cut);
  const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(startup_.size);
  packet_.assign(buffer_.begin(), end);
  buffer_.erase(buffer_.begin(), end);
  switch (startup_.kind) {
    case pgwire::StartupKind::kSsl:
      if (asked_tls_ || tls_) return refuse(Code::kProtocol, "second SSLRequest");
      asked_tls_ = true;
      if (!rules_.tls_offered) return Step::kAnswerNo;
      // Bytes sent before the handshake could be smuggled in by somebody in between
      // (CVE-2021-23214).
      if (!buffer_.empty()) return refuse(Code::kProtocol, "unencrypted data after SSLRequest");
      return Step::kStartTls;
    case pgwire::StartupKind::kGssEnc:
      if (asked_gss_ || tls_) return refuse(Code::kProtocol, "second GSSENCRequest");
      asked_gss_ = true;
      return Step::kAnswerNo;
    case pgwire::StartupKind::kCancel:
      return Step::kCancel;
    case pgwire::StartupKind::kStartup:
      return on_startup();
  }
  return refuse(Code::kProtocol, "start-up");
}

Opening::Step Opening::on_startup() {
  if (rules_.tls_required && !tls_) {
    return refuse(Code::kNotAuthenticated, "TLS is required here: sslmode=require");
  }
  if (rules_.enforce) {
    if (auto checked = check_enforced_startup(startup_.message); !checked) {
      return refuse(checked.error().code, checked.error().where);
    }
  }
  return Step::kStartup;
}

}  // namespace theriac::gateway
