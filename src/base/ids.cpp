#include "base/ids.hpp"

namespace theriac {

std::string to_uuid_text(ByteView sixteen_bytes) {
  THERIAC_ASSERT(sixteen_bytes.size() == 16);
  auto text = to_hex(sixteen_bytes);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

Result<std::array<std::uint8_t, 16>> parse_uuid(std::string_view text) {
  if (text.size() != 36) return fail(Code::kMalformed, "uuid");
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return fail(Code::kMalformed, "uuid");
    } else {
      digits.push_back(text[i]);
    }
  }
  THERIAC_ASSIGN(const auto raw, from_hex(digits));
  std::array<std::uint8_t, 16> id{};
  std::memcpy(id.data(), raw.data(), id.size());
  return id;
}
}  // namespace theriac
