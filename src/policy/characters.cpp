#include "policy/characters.hpp"

#include <algorithm>
#include <array>

#include "pgwire/utf8.hpp"

namespace theriac::policy {
namespace {

struct Range {
  char32_t first, last;
};

/// General categories Mn and Me of the scripts that are met in names, and what joins emoji.
constexpr std::array kExtending = std::to_array<Range>({
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},   {0x05BF, 0x05C7},   {0x0610, 0x061A},
    {0x064B, 0x065F}, {0x0670, 0x0670}, {0x06D6, 0x06DC},   {0x0900, 0x0903},   {0x093A, 0x093C},
    {0x093E, 0x094F}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},   {0x0E47, 0x0E4E},   {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200D, 0x200D}, {0x20D0, 0x20F0},   {0x302A, 0x302F},   {0x3099, 0x309A},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF}, {0xE0100, 0xE01EF},
});

constexpr std::array kHan = std::to_array<Range>({
    {0x3007, 0x3007},
    {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},
    {0xF900, 0xFAFF},
    {0x20000, 0x323AF},
});

template <std::size_t Count>
bool is_in(const std::array<Range, Count>& ranges, char32_t point) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& each) { return point >= each.first && point <= each.last; });
}

constexpr char32_t kZeroWidthJoiner = 0x200D;

}  // namespace

char32_t code_point_of(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[at]));
  };
  const auto tail = [&](std::size_t at) { return byte(at) & 0x3FU; };
  const auto lead = byte(0);
  if (lead < 0x80) return lead;
  if (lead < 0xE0) return (lead & 0x1FU) << 6U | tail(1);
  if (lead < 0xF0) return (lead & 0x0FU) << 12U | tail(1) << 6U | tail(2);
  return (lead & 0x07U) << 18U | tail(1) << 12U | tail(2) << 6U | tail(3);
}

Characters characters_of(std::string_view text) {
  Characters out;
  bool joined = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = text.substr(at);
    const auto size = pgwire::position_after(rest, 1);
    const auto point = code_point_of(rest);
    const bool extends = !out.empty() && (joined || is_in(kExtending, point));
    if (extends) {
      const auto before = out.back().size();
      out.back() = text.substr(at - before, before + size);
    } else {
      out.push_back(rest.substr(0, size));
    }
    joined = point == kZeroWidthJoiner;
    at += size;
  }
  return out;
}

bool is_digit(std::string_view character) {
  const auto point = code_point_of(character);
  return (point >= U'0' && point <= U'9') || (point >= 0xFF10 && point <= 0xFF19);
}

bool is_han(std::string_view character) { return is_in(kHan, code_point_of(character)); }

}  // namespace theriac::policy
