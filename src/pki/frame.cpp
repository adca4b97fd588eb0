#include "pki/frame.hpp"

namespace theriac::pki {

Result<std::size_t> frame_size(ByteView prefix) {
  THERIAC_ASSERT(prefix.size() == kFramePrefixBytes);
  const auto size = load_be<std::uint32_t>(prefix.data());
  if (size == 0) return fail(Code::kProtocol, "empty frame");
  if (size > kFrameBytesMax) return fail(Code::kTooLarge, "frame");
  return size;
}

Bytes frame(ByteView payload) {
  THERIAC_ASSERT(payload.size() <= kFrameBytesMax);
  Bytes out;
  out.reserve(kFramePrefixBytes + payload.size());
  append_be(out, static_cast<std::uint32_t>(payload.size()));
  append(out, payload);
  return out;
}

Result<Bytes> json_frame(const codec::Json& value) {
  const auto text = codec::canonical_json(value);
  if (text.size() > kFrameBytesMax) return fail(Code::kTooLarge, "frame");
  return frame(view_of(text));
}

Result<codec::Json> parse_frame(ByteView payload) {
  if (payload.size() > kFrameBytesMax) return fail(Code::kTooLarge, "frame");
  auto parsed = codec::parse_json(text_of(payload), kFrameBytesMax);
  if (!parsed || !parsed->is_object()) return fail(Code::kProtocol, "frame is not a JSON object");
  if (codec::canonical_json(*parsed) != text_of(payload)) {
    return fail(Code::kProtocol, "frame is not canonical JSON");
  }
  return std::move(*parsed);
}

}  // namespace theriac::pki
