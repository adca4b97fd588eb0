// Whatever parses has one canonical text, which parses to the same value.
#include "codec/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  const auto parsed = codec::parse_json(text_of({data, size}));
  if (!parsed) return 0;
  const std::string once = codec::canonical_json(*parsed);
  const auto again = codec::parse_json(once);
  THERIAC_ASSERT(again.has_value());
  THERIAC_ASSERT(codec::canonical_json(*again) == once);
  return 0;
}
