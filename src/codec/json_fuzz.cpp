// Whatever parses has one canonical text, which parses to the same value.
#include "codec/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  const auto parsed = codec::parse_json(text_of({data, size}));
  if (!parsed) return 0;
  const std::string once = codec::canonical_json(*parsed);
  const auto again = codec::parse_json(once);
  // The canonical text of a whole number may be an integer beyond what parse_json takes.
  if (!again) {
    THERIAC_ASSERT(again.error().code == Code::kOutOfRange);
    return 0;
  }
  THERIAC_ASSERT(codec::canonical_json(*again) == once);
  return 0;
}
