// Frames and certificates as strangers send them: the first byte says which.
#include "pki/certificate.hpp"
#include "pki/frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;  // NOLINT
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      if (const auto json = pki::parse_frame(rest)) {
        // What was read is written back as it was.
        THERIAC_ASSERT(codec::canonical_json(*json) == text_of(rest));
      }
      break;
    case 1:
      if (const auto made = pki::Certificate::from_pem(text_of(rest))) {
        if (const auto identity = made->identity()) {
          THERIAC_ASSERT(pki::is_valid_name(identity->name));
          THERIAC_ASSERT(pki::is_valid_name(identity->tenant));
        }
      }
      break;
    default:
      if (rest.size() >= pki::kFramePrefixBytes) {
        if (const auto found = pki::frame_size(rest.first(pki::kFramePrefixBytes))) {
          THERIAC_ASSERT(*found > 0 && *found <= pki::kFrameBytesMax);
        }
      }
  }
  return 0;
}
