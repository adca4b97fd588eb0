#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "http/characters.hpp"
#include "http/wire.hpp"

namespace theriac::http {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};
// RFC 9110, section 15, and RFC 6585; sorted.
constexpr std::array kPhrases{Phrase{100, "Continue"},
                              Phrase{200, "OK"},
                              Phrase{201, "Created"},
                              Phrase{202, "Accepted"},
                              Phrase{204, "No Content"},
                              Phrase{206, "Partial Content"},
                              Phrase{301, "Moved Permanently"},
                              Phrase{302, "Found"},
                              Phrase{303, "See Other"},
                              Phrase{304, "Not Modified"},
                              Phrase{307, "Temporary Redirect"},
                              Phrase{308, "Permanent Redirect"},
                              Phrase{400, "Bad Request"},
                              Phrase{401, "Unauthorized"},
                              Phrase{403, "Forbidden"},
                              Phrase{404, "Not Found"},
                              Phrase{405, "Method Not Allowed"},
                              Phrase{406, "Not Acceptable"},
                              Phrase{408, "Request Timeout"},
                              Phrase{409, "Conflict"},
                              Phrase{410, "Gone"},
                              Phrase{411, "Length Required"},
                              Phrase{412, "Precondition Failed"},
                              Phrase{413, "Content Too Large"},
                              Phrase{414, "URI Too Long"},
                              Phrase{415, "Unsupported Media Type"},
                              Phrase{416, "Range Not Satisfiable"},
                              Phrase{417, "Expectation Failed"},
                              Phrase{421, "Misdirected Request"},
                              Phrase{422, "Unprocessable Content"},
                              Phrase{428, "Precondition Required"},
                              Phrase{429, "Too Many Requests"},
                              Phrase{431, "Request Header Fields Too Large"},
                              Phrase{500, "Internal Server Error"},
                              Phrase{501, "Not Implemented"},
                              Phrase{502, "Bad Gateway"},
                              Phrase{503, "Service Unavailable"},
                              Phrase{504, "Gateway Timeout"},
                              Phrase{505, "HTTP Version Not Supported"},
                              Phrase{507, "Insufficient Storage"}};

}  // namespace

std::string_view reason_phrase(int status) {
  const auto* found = std::ranges::lower_bound(kPhrases, status, {}, &Phrase::status);
  return found != kPhrases.end() && found->status == status ? found->text : std::string_view();
}

HeadWriter HeadWriter::response(Bytes& out, int status) {
  THERIAC_ASSERT(status >= 100 && status <= 599);
  const std::array<char, 4> digits{static_cast<char>('0' + status / 100),
                                   static_cast<char>('0' + status / 10 % 10),
                                   static_cast<char>('0' + status % 10), ' '};
  append(out, std::string_view("HTTP/1.1 "));
  append(out, std::string_view(digits.data(), digits.size()));
  append(out, reason_phrase(status));
  append(out, std::string_view("\r\n"));
  return HeadWriter(out);
}

Result<HeadWriter> HeadWriter::request(Bytes& out, std::string_view method,
                                       std::string_view target) {
  const auto in_target = [](char c) { return is_kind(c, kPath | kQuery); };
  if (!is_token(method) || target.empty() || !std::ranges::all_of(target, in_target)) {
    return fail(Code::kUsage, "request target");
  }
  append(out, method);
  out.push_back(' ');
  append(out, target);
  append(out, std::string_view(" HTTP/1.1\r\n"));
  return HeadWriter(out);
}

Status HeadWriter::field(std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) return fail(Code::kInternal, "field to send");
  append(*out_, name);
  append(*out_, std::string_view(": "));
  append(*out_, value);
  append(*out_, std::string_view("\r\n"));
  return {};
}

void HeadWriter::content_length(std::uint64_t size) {
  append(*out_, std::string_view("Content-Length: "));
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size).ptr;
  append(*out_, std::string_view(digits.data(), end));
  append(*out_, std::string_view("\r\n"));
}

void HeadWriter::end() { append(*out_, std::string_view("\r\n")); }

void append_chunk(Bytes& out, ByteView data) {
  if (data.empty()) return;
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16).ptr;
  append(out, std::string_view(digits.data(), end));
  append(out, std::string_view("\r\n"));
  append(out, data);
  append(out, std::string_view("\r\n"));
}

void append_last_chunk(Bytes& out) { append(out, std::string_view("0\r\n\r\n")); }

std::string http_date(std::int64_t wall_ms) {
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                     kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace theriac::http
