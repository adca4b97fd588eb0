#include "gs1/ai_table.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "gs1/limits.hpp"
#include "gs1/testing.hpp"

namespace theriac::gs1 {
namespace {

std::string_view name_in_dictionary(Linter linter) {
  using enum Linter;
  static const std::map<Linter, std::string_view> kNames{{kCoupon, "couponcode"},
                                                         {kCouponOffer, "couponposoffer"},
                                                         {kCsum, "csum"},
                                                         {kCsumAlpha, "csumalpha"},
                                                         {kGcpPos1, "gcppos1"},
                                                         {kGcpPos2, "gcppos2"},
                                                         {kHasNonDigit, "hasnondigit"},
                                                         {kHour, "hh"},
                                                         {kHourMinute, "hhmi"},
                                                         {kMinute, "mi"},
                                                         {kSecond, "ss"},
                                                         {kHyphen, "hyphen"},
                                                         {kIban, "iban"},
                                                         {kImporterIndex, "importeridx"},
                                                         {kCountry, "iso3166"},
                                                         {kCountryOr999, "iso3166999"},
                                                         {kCountryAlpha2, "iso3166alpha2"},
                                                         {kCurrency, "iso4217"},
                                                         {kSex, "iso5218"},
                                                         {kLatitude, "latitude"},
                                                         {kLongitude, "longitude"},
                                                         {kMediaType, "mediatype"},
                                                         {kNonZero, "nonzero"},
                                                         {kNoZeroPrefix, "nozeroprefix"},
                                                         {kPackageType, "packagetype"},
                                                         {kPercentEncoded, "pcenc"},
                                                         {kPieceOfTotal, "pieceoftotal"},
                                                         {kPositionInSequence, "posinseqslash"},
                                                         {kWinding, "winding"},
                                                         {kYesNo, "yesno"},
                                                         {kDateDay0, "yymmd0"},
                                                         {kDate, "yymmdd"},
                                                         {kDateLong, "yyyymmdd"},
                                                         {kZero, "zero"}};
  return kNames.at(linter);
}

/// A component as the dictionary writes it: "N13,csum,gcppos1", "[X..17]".
std::string written(const Component& component) {
  constexpr std::string_view kTypes = "NXYZ";
  auto text = fmt::format("{}{}{}", kTypes[static_cast<std::size_t>(component.charset)],
                          component.shortest == component.longest ? "" : "..", component.longest);
  if (component.optional) text = "[" + text + "]";
  for (const auto linter : component.linters) {
    if (linter != Linter::kNone) text += fmt::format(",{}", name_in_dictionary(linter));
  }
  return text;
}

/// An entry as the dictionary writes it, with single blanks.
std::string written(const AiEntry& entry) {
  std::string text(entry.first);
  if (entry.last != entry.first) text += fmt::format("-{}", entry.last);
  if (entry.predefined_length || entry.link_attribute) {
    text +=
        fmt::format(" {}{}", entry.predefined_length ? "*" : "", entry.link_attribute ? "?" : "");
  }
  for (const auto& component : entry.components()) text += " " + written(component);
  if (!entry.required.empty()) text += fmt::format(" req={}", entry.required);
  if (!entry.excluded.empty()) text += fmt::format(" ex={}", entry.excluded);
  if (entry.link_key) text += " dlpkey";
  if (!entry.qualifiers.empty()) text += fmt::format("={}", entry.qualifiers);
  if (!entry.title.empty()) text += fmt::format(" # {}", entry.title);
  return text;
}

/// A line of the dictionary with its words in the order of `written`.
std::string normalised(const std::string& line) {
  const auto hash = line.find('#');
  std::istringstream words(line.substr(0, hash));
  std::string head, required, excluded, key;
  for (std::string word; words >> word;) {
    if (word.starts_with("req=")) {
      required += " " + word;
    } else if (word.starts_with("ex=")) {
      excluded += " " + word;
    } else if (word.starts_with("dlpkey")) {
      key += " " + word;
    } else {
      head += (head.empty() ? "" : " ") + word;
    }
  }
  auto text = head + required + excluded + key;
  if (hash != std::string::npos) {
    std::istringstream title(line.substr(hash + 1));
    text += " #";
    for (std::string word; title >> word;) text += " " + word;
  }
  return text;
}

TEST(AiTable, IsTheSyntaxDictionary) {
  const auto path =
      std::filesystem::path(THERIAC_SOURCE_DIR) / "../shared/data/gs1/gs1-syntax-dictionary.txt";
  std::ifstream file(path);
  if (!file) GTEST_SKIP() << "no GS1 Barcode Syntax Dictionary at " << path;
  std::vector<std::string> dictionary;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != '#') dictionary.push_back(normalised(line));
  }
  ASSERT_EQ(dictionary.size(), ai_table().size());
  EXPECT_EQ(dictionary.size(), 224U);
  for (std::size_t i = 0; i < dictionary.size(); ++i) {
    EXPECT_EQ(written(ai_table()[i]), dictionary[i]);
  }
}

TEST(AiTable, EveryAiIsFoundAndNothingElse) {
  std::size_t found = 0;
  for (unsigned digits = 2; digits <= kAiDigitsMax; ++digits) {
    for (unsigned number = 0; number < (digits == 2   ? 100U
                                        : digits == 3 ? 1000U
                                                      : 10000U);
         ++number) {
      const auto ai = fmt::format("{:0{}}", number, digits);
      const auto* entry = find_ai(ai);
      if (entry == nullptr) continue;
      ++found;
      EXPECT_LE(entry->first, ai);
      EXPECT_GE(entry->last, ai);
      EXPECT_EQ(leading_ai(ai + "0"), entry) << ai;
      EXPECT_EQ(find_ai(ai + "0"), nullptr) << ai;
    }
  }
  std::size_t in_table = 0;
  for (const auto& entry : ai_table()) {
    unsigned first = 0, last = 0;
    std::from_chars(entry.first.data(), entry.first.data() + entry.first.size(), first);
    std::from_chars(entry.last.data(), entry.last.data() + entry.last.size(), last);
    in_table += last - first + 1;
  }
  EXPECT_EQ(found, in_table);
  for (const std::string_view none : {"", "0", "1", "23", "2", "0A", "A0", "14", "89", "310",
                                      "3106", "31000", "235x", "01 ", " 01"}) {
    EXPECT_EQ(find_ai(none), nullptr) << none;
  }
  EXPECT_EQ(leading_ai("3"), nullptr);
  EXPECT_EQ(leading_ai("31"), nullptr);
  EXPECT_EQ(leading_ai("310x"), nullptr);
}

TEST(AiTable, NoValueIsLongerThanTheLimit) {
  for (const auto& entry : ai_table()) {
    EXPECT_LE(entry.longest(), kValueBytesMax) << entry.first;
    EXPECT_GE(entry.shortest(), 1U) << entry.first;
  }
}

TEST(AiTable, Patterns) {
  EXPECT_TRUE(matches("01", "01"));
  EXPECT_TRUE(matches("310n", "3105"));
  EXPECT_TRUE(matches("31nn", "3105"));
  EXPECT_FALSE(matches("310n", "310"));
  EXPECT_FALSE(matches("310n", "3205"));
  EXPECT_FALSE(matches("01", "011"));
  EXPECT_FALSE(matches("", "01"));
}

std::string judged(std::string_view ai, std::string_view value) {
  const auto finding = check_value(*find_ai(ai), value);
  return finding ? fmt::format("{} at {}", name_of(finding->code), finding->at) : "";
}

TEST(AiTable, ValuesOfSeveralComponents) {
  EXPECT_EQ(judged("253", "1231231231232"), "");
  EXPECT_EQ(judged("253", "1231231231232TEST5678901234567"), "");
  EXPECT_EQ(judged("253", "1231231231232TEST56789012345678"), "ValueTooLong at 30");
  EXPECT_EQ(judged("253", "123123123123"), "ValueTooShort at 11");
  EXPECT_EQ(judged("8001", "1X345678901234"), "BadCharacter at 1");
  EXPECT_EQ(judged("8001", "12340000012311"), "IsZero at 4");
  EXPECT_EQ(judged("8001", "12341234512321"), "NotInList at 12");
  EXPECT_EQ(judged("423", "276"), "");
  EXPECT_EQ(judged("423", "276156392040056"), "");
  EXPECT_EQ(judged("423", "27615"), "ValueTooShort at 4");
  EXPECT_EQ(judged("423", "276999"), "Country at 3");
  EXPECT_EQ(judged("8008", "2612312359"), "");
  EXPECT_EQ(judged("8008", "261231235"), "ValueTooShort at 8");
  EXPECT_EQ(judged("8008", "261231235960"), "TimeOfDay at 10");
  EXPECT_EQ(judged("4309", "18000000010000000000"), "OutOfRange at 0");
  EXPECT_EQ(judged("4309", "00000000003600000001"), "OutOfRange at 10");
  EXPECT_EQ(judged("10", ""), "ValueMissing at 0");
}

}  // namespace
}  // namespace theriac::gs1
