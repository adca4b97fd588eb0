#include <algorithm>
#include <charconv>

#include "http/characters.hpp"
#include "http/wire.hpp"

namespace theriac::http {
namespace {

tl::unexpected<Refusal> refuse(const char* reason, int status = 400) {
  return tl::unexpected<Refusal>(Refusal{status, reason});
}

#define HTTP_TRY(expression)                            \
  do {                                                  \
    if (auto tried = (expression); !tried) [[unlikely]] \
      return tl::unexpected<Refusal>(tried.error());    \
  } while (false)

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool all_of(std::string_view text, std::uint8_t kind) {
  return std::ranges::all_of(text, [kind](char c) { return is_kind(c, kind); });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The next line without its end. The scanner has seen to the line ends.
std::string_view cut_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

// RFC 9112, section 2.3: exactly "HTTP/" DIGIT "." DIGIT.
Wire<int> minor_version_of(std::string_view text) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7])) {
    return refuse("HTTP version");
  }
  if (text[5] != '1' || text[7] > '1') return refuse("HTTP version", 505);
  return text[7] - '0';
}

// RFC 3986, section 3.2: reg-name, IPv4 or [IPv6], and a port. No user information (RFC 9110,
// section 4.2.4).
bool is_authority(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const auto address = text.substr(1, end - 1);
    if (address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return false;
    }
    port = text.substr(end + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    const auto name = text.substr(0, colon);
    if (name.empty() || !all_of(name, kHostName)) return false;
    port = text.substr(colon);
  }
  if (port.empty()) return true;
  if (port.front() != ':' || port.size() > 6) return false;
  return std::ranges::all_of(port.substr(1), is_digit);
}

Wire<void> check_path_and_query(std::string_view target) {
  const auto mark = target.find('?');
  if (!all_of(target.substr(0, mark), kPath)) return refuse("request target");
  if (mark != std::string_view::npos && !all_of(target.substr(mark + 1), kQuery)) {
    return refuse("request target");
  }
  return {};
}

// RFC 9112, section 3.2. Authority form belongs to CONNECT, which is not served.
Wire<void> parse_target_form(std::string_view target, RequestHead& into) {
  if (target.empty()) return refuse("request target");
  if (target.front() == '/') {
    into.form = TargetForm::kOrigin;
    into.target = target;
    return check_path_and_query(target);
  }
  if (target == "*") {
    if (into.method != "OPTIONS") return refuse("request target");
    into.form = TargetForm::kAsterisk;
    into.target = target;
    return {};
  }
  if (into.method == "CONNECT") return refuse("method", 501);
  const auto scheme_end = target.find("://");
  const auto scheme = target.substr(0, std::min(scheme_end, target.size()));
  if (scheme_end == std::string_view::npos ||
      !(same_token(scheme, "http") || same_token(scheme, "https"))) {
    return refuse("request target");
  }
  auto rest = target.substr(scheme_end + 3);
  const auto authority_end = std::min(rest.find_first_of("/?"), rest.size());
  into.form = TargetForm::kAbsolute;
  into.authority = rest.substr(0, authority_end);
  into.target = rest.substr(authority_end);
  if (!is_authority(into.authority)) return refuse("request target");
  return check_path_and_query(into.target);
}

Wire<void> parse_request_line(std::string_view line, RequestHead& into) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse("request line");
  into.method = line.substr(0, first);
  if (!is_token(into.method)) return refuse("method");
  if (into.method.size() > kMethodBytesMax) return refuse("method", 501);
  const auto version = minor_version_of(line.substr(last + 1));
  if (!version) return tl::unexpected<Refusal>(version.error());
  into.minor_version = *version;
  return parse_target_form(line.substr(first + 1, last - first - 1), into);
}

Wire<void> parse_fields(std::string_view rest, FieldViews& into) {
  into.clear();
  while (true) {
    const auto line = cut_line(rest);
    if (line.empty()) return {};
    if (into.size() == kFieldsMax) return refuse("too many fields", 431);
    // A folded line begins with white space and a name may not end with it: neither is a token.
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return refuse("field without a colon");
    const auto name = line.substr(0, colon);
    if (!is_token(name)) return refuse("field name");
    const auto value = trim(line.substr(colon + 1));
    if (!all_of(value, kFieldValue)) return refuse("field value");
    into.push_back({name, value});
  }
}

/// Fields of which a second would change what the first said (RFC 9110, section 5.3, forbids it
/// for all that are no lists); the fence takes no chances with these.
constexpr std::array<std::string_view, 8> kOnce{
    "Host",          "Content-Length", "Transfer-Encoding", "Content-Type",
    "Authorization", "Expect",         "Idempotency-Key",   "Content-Encoding"};

/// "Content_Length" is the framing field to programs that map names to variables (CGI).
bool disguises_framing(std::string_view name) {
  const auto same = [name](std::string_view framing) {
    return std::ranges::equal(name, framing,
                              [](char a, char b) { return lower(a == '_' ? '-' : a) == lower(b); });
  };
  return name.find('_') != std::string_view::npos &&
         (same("Content-Length") || same("Transfer-Encoding"));
}

Wire<std::uint64_t> content_length_of(std::string_view value) {
  if (value.empty() || !std::ranges::all_of(value, is_digit)) return refuse("Content-Length");
  if (value.size() > 1 && value.front() == '0') return refuse("Content-Length");
  std::uint64_t size = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), size);
  // Sums with it must not overflow either.
  if (read.ec != std::errc{} || size > INT64_MAX) return refuse("Content-Length", 413);
  return size;
}

/// What both kinds of message have: the fence of RFC 9112, section 6.3.
template <typename Head>
Wire<void> read_framing(Head& head) {
  std::array<bool, kOnce.size()> seen{};
  head.framing = Framing::kNone;
  head.content_length = 0;
  bool length = false;
  bool chunked = false;
  for (const auto& field : head.fields) {
    if (disguises_framing(field.name)) return refuse("field name");
    const auto* known = std::ranges::find_if(
        kOnce, [&](std::string_view name) { return same_token(name, field.name); });
    if (known == kOnce.end()) continue;
    const auto index = static_cast<std::size_t>(known - kOnce.begin());
    if (std::exchange(seen[index], true)) return refuse("a field is there twice");
    if (*known == "Content-Length") {
      const auto size = content_length_of(field.value);
      if (!size) return tl::unexpected<Refusal>(size.error());
      head.content_length = *size;
      length = true;
    } else if (*known == "Transfer-Encoding") {
      if (!same_token(field.value, "chunked")) return refuse("Transfer-Encoding");
      chunked = true;
    }
  }
  if (chunked && head.minor_version == 0) return refuse("Transfer-Encoding with HTTP/1.0");
  if (chunked && length) return refuse("Transfer-Encoding with Content-Length");
  if (chunked) head.framing = Framing::kChunked;
  if (length) head.framing = Framing::kLength;
  head.keep_alive = head.minor_version == 1 ? !has_token(head.fields, "Connection", "close")
                                            : has_token(head.fields, "Connection", "keep-alive");
  return {};
}

}  // namespace

bool same_token(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token(std::string_view text) { return !text.empty() && all_of(text, kTokenCharacter); }

bool is_field_value(std::string_view text) {
  return trim(text).size() == text.size() && all_of(text, kFieldValue);
}

std::optional<std::string_view> find_field(const FieldViews& fields, std::string_view name) {
  for (const auto& field : fields) {
    if (same_token(field.name, name)) return field.value;
  }
  return std::nullopt;
}

bool has_token(const FieldViews& fields, std::string_view name, std::string_view token) {
  for (const auto& field : fields) {
    if (!same_token(field.name, name)) continue;
    for (auto rest = field.value; !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (same_token(trim(rest.substr(0, comma)), token)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

Wire<std::size_t> HeadScanner::scan(std::string_view buffer) {
  while (at_ < buffer.size()) {
    if (at_ >= kHeadBytesMax) return refuse("head too long", 431);
    if (first_line_ && at_ >= kStartLineBytesMax) return refuse("start line too long", 414);
    const char c = buffer[at_];
    if (is_kind(c, kInLine)) {
      ++at_;
      continue;
    }
    if (c == '\n') {
      if (at_ == 0 || buffer[at_ - 1] != '\r') return refuse("bare LF");
      ++at_;
      const bool empty = at_ - line_begin_ == 2;
      line_begin_ = at_;
      // One empty line before the start line is passed over (RFC 9112, section 2.2).
      if (empty && at_ > 2) return at_;
      first_line_ = empty;
      continue;
    }
    if (c != '\r') return refuse("control character");
    // What follows a CR is known with the next byte.
    if (at_ + 1 < buffer.size() && buffer[at_ + 1] != '\n') return refuse("bare CR");
    if (at_ + 1 == buffer.size()) return 0;
    ++at_;
  }
  return 0;
}

Wire<void> parse_request_head(std::string_view head, RequestHead& into) {
  if (head.starts_with("\r\n")) head.remove_prefix(2);
  into.authority = {};
  HTTP_TRY(parse_request_line(cut_line(head), into));
  HTTP_TRY(parse_fields(head, into.fields));
  HTTP_TRY(read_framing(into));
  const auto host = find_field(into.fields, "Host");
  if (!host && into.minor_version == 1) return refuse("no Host");
  if (host && !is_authority(*host)) return refuse("Host");
  // RFC 9112, section 3.2.2: the authority of an absolute target goes before Host.
  if (into.form != TargetForm::kAbsolute) into.authority = host.value_or("");
  into.expect_continue = false;
  if (const auto expect = find_field(into.fields, "Expect")) {
    if (!same_token(*expect, "100-continue")) return refuse("Expect", 417);
    into.expect_continue = into.minor_version == 1;
  }
  return {};
}

Wire<void> parse_response_head(std::string_view head, bool to_head, ResponseHead& into) {
  if (head.starts_with("\r\n")) head.remove_prefix(2);
  // RFC 9112, section 4: the space after the code is there even without a phrase.
  const auto line = cut_line(head);
  if (line.size() < 13 || line[8] != ' ' || line[12] != ' ') return refuse("status line");
  const auto version = minor_version_of(line.substr(0, 8));
  if (!version) return tl::unexpected<Refusal>(version.error());
  into.minor_version = *version;
  const auto digits = line.substr(9, 3);
  if (!std::ranges::all_of(digits, is_digit) || digits[0] < '1' || digits[0] > '5') {
    return refuse("status code");
  }
  if (!all_of(line.substr(13), kFieldValue)) return refuse("status line");
  into.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  HTTP_TRY(parse_fields(head, into.fields));
  HTTP_TRY(read_framing(into));
  if (to_head || into.status < 200 || into.status == 204 || into.status == 304) {
    into.framing = Framing::kNone;
  } else if (into.framing == Framing::kNone) {
    into.framing = Framing::kUntilClose;
    into.keep_alive = false;
  }
  return {};
}

}  // namespace theriac::http
