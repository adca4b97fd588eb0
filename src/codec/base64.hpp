// RFC 4648 base64 with padding, standard alphabet. Decoding is strict: no white space, canonical
// trailing bits.
#pragma once

#include "base/bytes.hpp"

namespace theriac::codec {
std::string to_base64(ByteView bytes);
Result<Bytes> from_base64(std::string_view text);
}  // namespace theriac::codec
