// Addresses. A Chinese one goes from the large to the small, and its begin is read division by
// division (province, city, district or county) until something is no division. Of any other the
// last part behind a comma stays, or the first word. Only letters ever come out, so that no number
// can.
#include <algorithm>
#include <array>

#include "policy/mask_kinds.hpp"

namespace theriac::policy {
namespace {

constexpr std::string_view kRest = "***";
/// The longest name of a division is of fifteen: 积石山保安族东乡族撒拉族自治县.
constexpr std::size_t kDivisionMax = 16;

template <std::size_t Count>
bool is_any(const std::array<std::string_view, Count>& of, std::string_view character) {
  return std::find(of.begin(), of.end(), character) != of.end();
}

constexpr std::array<std::string_view, 7> kDivisions{"省", "市", "区", "县", "州", "盟", "旗"};
/// What comes below a district, but may stand in the name of one: 路桥区, 景德镇市, 鼓楼区.
constexpr std::array<std::string_view, 7> kBelow{"路", "街", "楼", "镇", "乡", "村", "道"};
/// What numbers are written before, in whatever digits.
constexpr std::array<std::string_view, 7> kNumbered{"号", "弄", "巷", "栋", "幢", "室", "层"};
/// 小区, 社区, 园区, …: a 区 that is no district.
constexpr std::array<std::string_view, 8> kNoDistrict{"小", "社", "园", "校",
                                                      "厂", "院", "景", "宅"};

enum class Level : std::uint8_t { kNone, kProvince, kCity, kDistrict };

/// The level of the division that ends at `at`, coming after `before`.
Level level_of(const Characters& text, std::size_t begin, std::size_t at, Level before) {
  const auto last = text[at];
  const auto previous = at > begin ? text[at - 1] : std::string_view();
  if (last == "省") return Level::kProvince;
  if (last == "县" || last == "旗") return Level::kDistrict;
  if (last == "州" || last == "盟") return Level::kCity;
  if (last == "市") return before == Level::kCity ? Level::kDistrict : Level::kCity;
  if (previous == "治" || previous == "政") return Level::kProvince;  // 自治区, 特别行政区
  if (previous == "地") return Level::kCity;                          // 地区
  return is_any(kNoDistrict, previous) ? Level::kNone : Level::kDistrict;
}

/// How many characters at the begin are divisions.
std::size_t divisions(const Characters& text) {
  std::size_t end = 0;
  Level level = Level::kNone;
  while (level != Level::kDistrict) {
    auto found = Level::kNone;
    std::size_t at = end;
    for (; at < text.size() && at - end < kDivisionMax && is_han(text[at]); ++at) {
      const bool has_name = at > end;
      if (has_name && is_any(kDivisions, text[at])) {
        // 市 within a name (州市, 市区), or the first of two: the next one is a division, too.
        found = level_of(text, end, at, level);
        break;
      }
      // 路桥区, 景德镇市 are divisions; 科技路1号 is below one.
      const bool names = at == end || (at + 1 < text.size() && is_any(kDivisions, text[at + 1]));
      if (is_any(kNumbered, text[at]) || (is_any(kBelow, text[at]) && !names)) break;
    }
    if (found == Level::kNone || found <= level) break;
    level = found;
    end = at + 1;
  }
  return end;
}

/// Letters of alphabets, with their accents.
bool is_letter(std::string_view character) {
  const auto point = code_point_of(character);
  return (point >= U'a' && point <= U'z') || (point >= U'A' && point <= U'Z') ||
         (point >= 0xC0 && point <= 0x24F && point != 0xD7 && point != 0xF7) ||
         (point >= 0x370 && point <= 0x52F) || (point >= 0x1E00 && point <= 0x1FFF);
}

/// The words of a text that are only letters, hyphens, dots and apostrophes, and not single
/// letters.
std::string words_of(std::string_view text) {
  std::string out, word;
  std::size_t letters = 0;
  bool plain = true;
  const auto end_word = [&] {
    if (plain && letters > 1) out += (out.empty() ? "" : " ") + word;
    word.clear();
    letters = 0;
    plain = true;
  };
  for (const auto c : characters_of(text)) {
    if (c == " " || c == "\t" || c == "\n" || c == "\r") {
      end_word();
      continue;
    }
    const bool letter = is_letter(c);
    letters += letter ? 1 : 0;
    plain = plain && (letter || c == "-" || c == "." || c == "'");
    word += c;
  }
  end_word();
  return out;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

}  // namespace

std::optional<std::string> masked_address(std::string_view text) {
  if (text.empty()) return "";
  const auto characters = characters_of(text);
  if (auto kept = divisions(characters); kept > 0) {
    // A text that is nothing else does not stay whole.
    if (kept == characters.size()) {
      for (--kept; kept > 0 && !is_any(kDivisions, characters[kept - 1]);) --kept;
      kept = divisions(
          Characters(characters.begin(), characters.begin() + static_cast<std::ptrdiff_t>(kept)));
    }
    if (kept == 0) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < kept; ++i) out += characters[i];
    return out.append(kRest);
  }
  if (const auto comma = text.rfind(','); comma != std::string_view::npos) {
    const auto last = words_of(text.substr(comma + 1));
    if (last.empty() || is_blank(text.substr(0, comma))) return std::nullopt;
    return std::string(kRest) + ", " + last;
  }
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  const auto end = text.find_first_of(" \t\r\n", begin);
  if (end == std::string_view::npos || is_blank(text.substr(end))) return std::nullopt;
  const auto first = words_of(text.substr(begin, end - begin));
  if (first.empty()) return std::nullopt;
  return first + ' ' + std::string(kRest);
}

}  // namespace theriac::policy
