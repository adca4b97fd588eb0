#include "gs1/characters.hpp"

namespace theriac::gs1 {
namespace {

constexpr std::array<std::uint8_t, 256> kSets = [] {
  std::array<std::uint8_t, 256> sets{};
  const auto add = [&](Charset set, std::string_view characters) {
    for (const char c : characters) {
      sets[static_cast<unsigned char>(c)] |=
          static_cast<std::uint8_t>(1U << static_cast<unsigned>(set));
    }
  };
  constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kDigits = "0123456789";
  add(Charset::kDigits, kDigits);
  for (const auto set : {Charset::kCset82, Charset::kCset39, Charset::kCset64}) {
    add(set, kDigits);
    add(set, kUpper);
  }
  add(Charset::kCset82, kLower);
  add(Charset::kCset64, kLower);
  add(Charset::kCset82, "!\"%&'()*+,-./:;<=>?_");
  add(Charset::kCset39, "#-/");
  add(Charset::kCset64, "-_=");
  return sets;
}();

}  // namespace

bool in_charset(Charset charset, char c) {
  return (kSets[static_cast<unsigned char>(c)] >> static_cast<unsigned>(charset) & 1U) != 0;
}

}  // namespace theriac::gs1
