// Targets: what is decoded is UTF-8 without NUL or dot segments, and encodes to itself.
#include <cstdint>
#include <string>

#include "http/target.hpp"
#include "http/wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac::http;  // NOLINT
  const auto text = theriac::text_of({data, size});
  const auto target = parse_target(text);
  if (!target) return 0;
  std::string again;
  for (const auto& segment : target->segments) {
    THERIAC_ASSERT(segment.text != "." && segment.text != "..");
    THERIAC_ASSERT(is_utf8(segment.text) && segment.text.find('\0') == std::string::npos);
    THERIAC_ASSERT(segment.has_slash == (segment.text.find('/') != std::string::npos));
    again += "/" + percent_encode(segment.text);
  }
  char mark = '?';
  for (const auto& [key, value] : target->query.pairs()) {
    again += mark + percent_encode(key) + "=" + percent_encode(value);
    mark = '&';
  }
  const auto second = parse_target(again);
  THERIAC_ASSERT(second && second->segments.size() == target->segments.size());
  for (std::size_t i = 0; i < second->segments.size(); ++i) {
    THERIAC_ASSERT(second->segments[i].text == target->segments[i].text);
  }
  THERIAC_ASSERT(second->query.pairs() == target->query.pairs());
  return 0;
}
