#include "base/log.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <array>
#include <ctime>
#include <iterator>

namespace theriac {
namespace {
constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};

void append_value(std::string& line, std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(" \"=\\") == std::string_view::npos;
  if (!plain) line.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') line.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line.push_back(c);
    }
  }
  if (!plain) line.push_back('"');
}
}  // namespace

void FdLog::write(Level level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < least_) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::string line = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} {} {}",
                                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                 utc.tm_min, utc.tm_sec, now.tv_nsec / 1'000'000,
                                 kLevels.at(static_cast<std::size_t>(level)), program_, event);
  for (const auto& field : fields) {
    fmt::format_to(std::back_inserter(line), " {}=", field.name);
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      fmt::format_to(std::back_inserter(line), "{}", *number);
    } else {
      append_value(line, std::get<std::string_view>(field.value));
    }
  }
  line.push_back('\n');
  // One write per line keeps lines whole; a full pipe or disk must not stop the service.
  [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
}
}  // namespace theriac
