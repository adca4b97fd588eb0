#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <fstream>
#include <limits>
#include <map>
#include <set>

#include "crypto/random.hpp"
#include "pgwire/types.hpp"
#include "pgwire/utf8.hpp"
#include "policy/canonical.hpp"
#include "policy/characters.hpp"
#include "policy/policy.hpp"
#include "seal/sealed.hpp"

namespace theriac::policy {
namespace {

using pgwire::kOidDate, pgwire::kOidInt4, pgwire::kOidNumeric, pgwire::kOidText,
    pgwire::kOidTimestamptz;

std::string masked(MaskKind how, std::string_view stored, std::uint32_t oid = kOidText) {
  return apply_mask(Masked{how}, {oid, -1}, stored).value_or("NULL");
}

TEST(Mask, NameKeepsTheFirstCharacter) {
  EXPECT_EQ(masked(MaskKind::kName, "张伟"), "张*");
  EXPECT_EQ(masked(MaskKind::kName, "欧阳娜娜"), "欧*");
  EXPECT_EQ(masked(MaskKind::kName, "𠮷野家"), "𠮷*");
  EXPECT_EQ(masked(MaskKind::kName, "Ångström"), "Å*");
  EXPECT_EQ(masked(MaskKind::kName, "张"), "*");
  EXPECT_EQ(masked(MaskKind::kName, ""), "");
}

TEST(Mask, PhoneKeepsThreeAndFourDigits) {
  EXPECT_EQ(masked(MaskKind::kPhone, "13812345678"), "138****5678");
  EXPECT_EQ(masked(MaskKind::kPhone, "+86 138-1234-5678"), "+86 1**-****-5678");
  EXPECT_EQ(masked(MaskKind::kPhone, "１３８１２３４５６７８"), "１３８****５６７８");
  EXPECT_EQ(masked(MaskKind::kPhone, "1234567"), "*******");
  EXPECT_EQ(masked(MaskKind::kPhone, "12345678"), "123*5678");
  EXPECT_EQ(masked(MaskKind::kPhone, "张伟 13812345678"), "** 138****5678");
  EXPECT_EQ(masked(MaskKind::kPhone, ""), "");
}

TEST(Mask, LastFourStay) {
  EXPECT_EQ(masked(MaskKind::kLastFour, "6222020200112233"), "************2233");
  EXPECT_EQ(masked(MaskKind::kLastFour, "12345"), "*2345");
  EXPECT_EQ(masked(MaskKind::kLastFour, "1234"), "****");
  EXPECT_EQ(masked(MaskKind::kLastFour, "上海市浦东新区"), "***浦东新区");
}

TEST(Mask, EmailKeepsTheDomain) {
  EXPECT_EQ(masked(MaskKind::kEmail, "zhang.wei@hospital.cn"), "z*@hospital.cn");
  EXPECT_EQ(masked(MaskKind::kEmail, "z@hospital.cn"), "*@hospital.cn");
  EXPECT_EQ(masked(MaskKind::kEmail, "张伟@例子.中国"), "张*@例子.中国");
  EXPECT_EQ(masked(MaskKind::kEmail, "\"a@b\"@c.d"), "\"*@c.d");
  EXPECT_EQ(masked(MaskKind::kEmail, "not an address"), "***");
  EXPECT_EQ(masked(MaskKind::kEmail, "@c.d"), "***");
}

TEST(Mask, IdNumberKeepsRegionAndCheck) {
  EXPECT_EQ(masked(MaskKind::kIdNumber, "11010519900307123X"), "110105********123X");
  EXPECT_EQ(masked(MaskKind::kIdNumber, "110105900307123"), "110105*****7123");
  EXPECT_EQ(masked(MaskKind::kIdNumber, "1101051990"), "***");
}

TEST(Mask, YearOfDates) {
  EXPECT_EQ(masked(MaskKind::kYear, "1990-03-07", kOidDate), "1990-01-01");
  EXPECT_EQ(masked(MaskKind::kYear, "0044-03-15 BC", kOidDate), "0044-01-01 BC");
  EXPECT_EQ(masked(MaskKind::kYear, "12026-03-15", kOidDate), "12026-01-01");
  EXPECT_EQ(masked(MaskKind::kYear, "4714-11-24 BC", kOidDate), "1970-01-01");
  EXPECT_EQ(masked(MaskKind::kYear, "infinity", kOidDate), "1970-01-01");
  EXPECT_EQ(masked(MaskKind::kYear, "-infinity", kOidTimestamptz), "1970-01-01 00:00:00+00");
  EXPECT_EQ(masked(MaskKind::kYear, "2026-11-21 02:30:00.5+00", kOidTimestamptz),
            "2026-01-01 00:00:00+00");
  EXPECT_EQ(masked(MaskKind::kYear, "1990", kOidInt4), "0");
  EXPECT_EQ(masked(MaskKind::kYear, "1990-03-07"), "***");
}

TEST(Mask, ConstantIsOfTheType) {
  EXPECT_EQ(masked(MaskKind::kConstant, "张伟"), "***");
  EXPECT_EQ(masked(MaskKind::kConstant, "-7", kOidInt4), "0");
  EXPECT_EQ(masked(MaskKind::kConstant, "12.50", kOidNumeric), "0.00");
  EXPECT_EQ(masked(MaskKind::kConstant, "NaN", kOidNumeric), "0");
  EXPECT_EQ(masked(MaskKind::kConstant, "1990-03-07", kOidDate), "1970-01-01");
  // A mask made for text, on a number: nothing of the number stays.
  EXPECT_EQ(masked(MaskKind::kPhone, "13812345678", pgwire::kOidInt8), "0");
  EXPECT_EQ(masked(MaskKind::kLastFour, "12345.67", kOidNumeric), "0.00");
}

TEST(Mask, NullAndUnknownTypesShowNothing) {
  EXPECT_EQ(apply_mask(Masked{MaskKind::kNull}, {kOidText, -1}, "x"), std::nullopt);
  EXPECT_EQ(apply_mask(Masked{MaskKind::kConstant}, {600, -1}, "(1,2)"), std::nullopt);
  EXPECT_EQ(masked(MaskKind::kName, "\xff\xfe"), "***");
}

TEST(Mask, EveryMaskHasAName) {
  for (int kind = 0; kind <= static_cast<int>(MaskKind::kPseudonym); ++kind) {
    EXPECT_EQ(mask_named(mask_name(static_cast<MaskKind>(kind))), static_cast<MaskKind>(kind));
  }
  EXPECT_EQ(mask_named("nose"), std::nullopt);
}

/// Text of characters of one to four bytes.
rc::Gen<std::string> characters() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
          "a", "7", "@", "-", " ", "é", "张", "７", "𠮷", "e\xCC\x81", ".", ",", "11010519900307",
          "13812345678", "上海市", "浦东新区", "路"})),
      [](const std::vector<std::string>& parts) {
        std::string out;
        for (const auto& part : parts) out += part;
        return out;
      });
}

Masked any_mask(int kind) {
  Masked mask{static_cast<MaskKind>(kind)};
  mask.size = 1000;
  mask.first = 2;
  mask.last = 1;
  mask.recipient = "r";
  return mask;
}

constexpr int kKinds = static_cast<int>(MaskKind::kPseudonym) + 1;

/// Would PostgreSQL store the masked value as it is?
void check_value_of(const pgwire::ColumnType& type, const std::optional<std::string>& out) {
  if (!out) return;
  const auto again = pgwire::to_stored(type, 0, 0, view_of(*out), {});
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == *out);
}

RC_GTEST_PROP(Mask, GivesAValueOfEveryTextType, ()) {
  const auto stored = *characters();
  const auto room = static_cast<std::int32_t>(pgwire::count_characters(stored));
  const auto mask = any_mask(*rc::gen::inRange(0, kKinds));
  const PseudonymToken token{1, 2, 3};
  for (const auto oid : {kOidText, pgwire::kOidVarchar, pgwire::kOidBpchar}) {
    if (oid == pgwire::kOidBpchar && room == 0) continue;
    const pgwire::ColumnType type{oid, oid == kOidText ? -1 : room + 4};
    const auto out = apply_mask(mask, type, stored, &token);
    RC_ASSERT(out.has_value() == (mask.how != MaskKind::kNull));
    check_value_of(type, out);
  }
}

RC_GTEST_PROP(Mask, GivesAValueOfEveryNumericType, (std::int64_t number)) {
  auto mask = any_mask(*rc::gen::inRange(0, kKinds));
  mask.size = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000);
  const auto narrow = static_cast<std::int16_t>(number);
  check_value_of({pgwire::kOidInt2, -1},
                 apply_mask(mask, {pgwire::kOidInt2, -1}, std::to_string(narrow)));
  check_value_of({pgwire::kOidInt8, -1},
                 apply_mask(mask, {pgwire::kOidInt8, -1}, std::to_string(number)));
  const pgwire::ColumnType price{kOidNumeric, (7 << 16 | 2) + 4};
  check_value_of(price, apply_mask(mask, price, fmt::format("{}.25", narrow)));
  for (const auto oid : {pgwire::kOidFloat4, pgwire::kOidFloat8}) {
    check_value_of({oid, -1}, apply_mask(mask, {oid, -1}, std::to_string(narrow)));
  }
}

RC_GTEST_PROP(Mask, BandIsTheFloor, (std::int64_t number)) {
  Masked mask{MaskKind::kBand};
  mask.size = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000);
  const auto size = static_cast<std::int64_t>(mask.size);
  // The lowest band of all would begin below the type.
  RC_PRE(number > std::numeric_limits<std::int64_t>::min() + size);
  auto rest = number % size;
  if (rest < 0) rest += size;
  const auto out = apply_mask(mask, {pgwire::kOidInt8, -1}, std::to_string(number));
  RC_ASSERT(out == std::to_string(number - rest));
  RC_ASSERT(apply_mask(mask, {pgwire::kOidInt8, -1}, *out) == out);
}

RC_GTEST_PROP(Mask, ShowsNoMoreThanItNames, ()) {
  const auto stored = *characters();
  const auto shown = [&](const Masked& mask) {
    const auto out = apply_mask(mask, {kOidText, -1}, stored).value();
    const auto all = characters_of(out);
    return all.size() - static_cast<std::size_t>(std::count(all.begin(), all.end(), "*"));
  };
  RC_ASSERT(shown({MaskKind::kName}) <= 1U);
  RC_ASSERT(shown({MaskKind::kLastFour}) <= 4U);
  RC_ASSERT(shown(any_mask(static_cast<int>(MaskKind::kSerial))) <= 3U);
  const auto digits = [](std::string_view text) {
    const auto all = characters_of(text);
    return std::count_if(all.begin(), all.end(), is_digit);
  };
  RC_ASSERT(digits(masked(MaskKind::kPhone, stored)) <= 7);
  RC_ASSERT(digits(masked(MaskKind::kBankCard, stored)) <= 10);
  RC_ASSERT(digits(masked(MaskKind::kIdNumber, stored)) <= 10);
  RC_ASSERT(digits(masked(MaskKind::kAddress, stored)) == 0);
}

/// Something is always hidden, and masking twice shows what masking once has shown.
RC_GTEST_PROP(Mask, HidesAndStaysHidden, ()) {
  const auto stored = *characters();
  RC_PRE(!stored.empty());
  for (const auto how : {MaskKind::kName, MaskKind::kLastFour, MaskKind::kSerial, MaskKind::kEmail,
                         MaskKind::kIdNumber, MaskKind::kBankCard, MaskKind::kAddress}) {
    const auto mask = any_mask(static_cast<int>(how));
    const auto once = apply_mask(mask, {kOidText, -1}, stored).value();
    // A value of stars is its own mask.
    RC_ASSERT(once != stored || once.find('*') != std::string::npos);
    RC_ASSERT(apply_mask(mask, {kOidText, -1}, once) == once || once == "***");
  }
}

RC_GTEST_PROP(Mask, AddressesNeverShowANumber, ()) {
  const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
      std::vector<std::string>{"上海", "市", "浦东新", "区", "县", "路", "小", "12", "３", "号",
                               ",", " ", "Main", "12b", "省", "St", "٣", "镇", "楼"}));
  std::string stored;
  for (const auto& part : parts) stored += part;
  const auto out = masked(MaskKind::kAddress, stored);
  for (const auto* digit : {"1", "2", "３", "b", "٣", "号"}) {
    RC_ASSERT(out.find(digit) == std::string::npos);
  }
}

TEST(Mask, FitsTheColumn) {
  const Masked constant{MaskKind::kConstant};
  EXPECT_EQ(apply_mask(constant, {pgwire::kOidVarchar, 2 + 4}, "ab"), "**");
  EXPECT_EQ(apply_mask(constant, {pgwire::kOidBpchar, 5 + 4}, "ab   "), "***  ");
  EXPECT_EQ(apply_mask({MaskKind::kLastFour}, {pgwire::kOidBpchar, 8 + 4}, "123456  "), "**3456  ");
  Masked value{MaskKind::kConstant};
  value.value = "7";
  EXPECT_EQ(apply_mask(value, {kOidNumeric, (5 << 16 | 2) + 4}, "12.50"), "7.00");
  EXPECT_EQ(apply_mask(value, {kOidDate, -1}, "1990-03-07"), "1970-01-01");
  EXPECT_FALSE(fits(value, {kOidDate, -1}));
  EXPECT_TRUE(fits(value, {kOidInt4, -1}));
}

TEST(Mask, BandsAtTheEdges) {
  Masked band{MaskKind::kBand};
  band.size = 1000;
  const auto of = [&](std::uint32_t oid, std::string_view stored) {
    return apply_mask(band, {oid, -1}, stored).value_or("NULL");
  };
  EXPECT_EQ(of(kOidInt4, "-1"), "-1000");
  EXPECT_EQ(of(kOidInt4, "-1000"), "-1000");
  EXPECT_EQ(of(kOidInt4, "999"), "0");
  EXPECT_EQ(of(pgwire::kOidInt2, "-32768"), "0");  // -33000 is no smallint
  EXPECT_EQ(of(pgwire::kOidInt8, "-9223372036854775808"), "0");
  EXPECT_EQ(of(kOidNumeric, "-0.01"), "-1000.00");
  EXPECT_EQ(of(kOidNumeric, "-1000.00"), "-1000.00");
  EXPECT_EQ(of(kOidNumeric, "-99999999999999999999999999.5"), "-100000000000000000000000000.0");
  EXPECT_EQ(of(kOidNumeric, "123456789012345678901234567890.12"),
            "123456789012345678901234567000.00");
  EXPECT_EQ(of(kOidNumeric, "NaN"), "0");
  EXPECT_EQ(of(kOidNumeric, "-Infinity"), "0");
  EXPECT_EQ(of(pgwire::kOidFloat8, "-1.5"), "-1000");
  EXPECT_EQ(of(pgwire::kOidFloat8, "1e+300"), "0");
  EXPECT_EQ(of(pgwire::kOidFloat8, "NaN"), "0");
  EXPECT_EQ(of(kOidDate, "1990-03-07"), "1970-01-01");
  // numeric(4,0) has no room for -10000.
  EXPECT_EQ(apply_mask(band, {kOidNumeric, (4 << 16) + 4}, "-9999"), "0");
}

TEST(Mask, LettersWithAccentsAreOneCharacter) {
  EXPECT_EQ(masked(MaskKind::kName, "e\xCC\x81lan"), "e\xCC\x81*");
  EXPECT_EQ(masked(MaskKind::kName, "e\xCC\x81"), "*");
  EXPECT_EQ(masked(MaskKind::kLastFour, "ae\xCC\x81o\xCC\x88ux"), "*e\xCC\x81o\xCC\x88ux");
  // A family of four joined by zero-width joiners.
  EXPECT_EQ(masked(MaskKind::kName, "\U0001F468\u200D\U0001F469\u200D\U0001F467"), "*");
}

/// The table of docs/policy.md says what is true.
TEST(Mask, DoesWhatItsDocumentSays) {
  std::ifstream file(THERIAC_SOURCE_DIR "/docs/policy.md");
  std::string line;
  std::set<MaskKind> seen;
  while (std::getline(file, line)) {
    std::vector<std::string> cells;  // mask, type, value, shown
    for (std::size_t at = line.find('`');
         at != std::string::npos && line.starts_with("| `{mask");) {
      const auto end = line.find('`', at + 1);
      cells.push_back(line.substr(at + 1, end - at - 1));
      at = line.find('`', end + 1);
    }
    if (cells.size() != 4) continue;
    const auto policy = parse_policy(
        "version: 1\ntenant: t\nclasses: {c: {}}\ncolumns: []\nroles: {r: {c: " + cells[0] + "}}\n",
        "table");
    ASSERT_TRUE(policy) << line << policy.error().message();
    const auto mask = std::get<Masked>(policy->decide("r", "c", ""));
    const std::map<std::string, std::uint32_t> types{{"text", kOidText},
                                                     {"integer", kOidInt4},
                                                     {"numeric", kOidNumeric},
                                                     {"date", kOidDate},
                                                     {"timestamptz", kOidTimestamptz},
                                                     {"boolean", pgwire::kOidBool}};
    EXPECT_EQ(apply_mask(mask, {types.at(cells[1]), -1}, cells[2]).value_or("NULL"), cells[3])
        << line;
    seen.insert(mask.how);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kKinds) - 1) << "all but pseudonym";
}

/// Tokens as the gateway makes them: keyed, of the recipient and the value.
class Pseudonyms {
 public:
  Pseudonyms() {
    key_.purpose = seal::Purpose::kIndex;
    key_.material = crypto::new_key256();
    key_.id = seal::commit_key(key_.suite, key_.purpose, key_.material);
  }
  std::string of(std::string_view value, std::string_view recipient) const {
    auto made = seal::Indexer::make(key_, TenantId{}, seal::domain_of(recipient), "pseudonym");
    const auto token = made->index(view_of(value));
    return apply_mask({MaskKind::kPseudonym}, {kOidText, -1}, value, &token).value();
  }

 private:
  seal::LeasedKey key_;
};

TEST(Mask, PseudonymsAreStableAndUnlinkable) {
  const Pseudonyms pseudonyms;
  std::set<std::string> all;
  std::array<std::size_t, 256> letters{};
  std::size_t alike = 0;
  constexpr std::size_t kValues = 500;
  for (std::size_t i = 0; i < kValues; ++i) {
    const auto value = std::to_string(i);
    const auto one = pseudonyms.of(value, "cro-basel");
    const auto two = pseudonyms.of(value, "cro-lyon");
    EXPECT_EQ(one, pseudonyms.of(value, "cro-basel"));
    EXPECT_EQ(one.size(), kPseudonymCharacters);
    for (std::size_t k = 0; k < one.size(); ++k) {
      alike += one[k] == two[k] ? 1 : 0;
      ++letters[static_cast<unsigned char>(one[k])];
    }
    EXPECT_TRUE(all.insert(one).second && all.insert(two).second);
  }
  // 8,000 letters of 32: each about 250 times, and 250 pairs alike; 6 standard deviations are 94.
  EXPECT_NEAR(static_cast<double>(alike), 250, 94);
  std::size_t used = 0;
  for (const auto count : letters) {
    if (count == 0) continue;
    ++used;
    EXPECT_NEAR(static_cast<double>(count), 250, 94);
  }
  EXPECT_EQ(used, 32U);
  EXPECT_NE(pseudonyms.of("1", "r"), Pseudonyms().of("1", "r"));
  EXPECT_EQ(masked(MaskKind::kPseudonym, "x"), "***") << "without a token";
  const PseudonymToken token{};
  EXPECT_EQ(apply_mask({MaskKind::kPseudonym}, {pgwire::kOidVarchar, 15 + 4}, "x", &token), "***");
  EXPECT_EQ(apply_mask({MaskKind::kPseudonym}, {kOidInt4, -1}, "7", &token), "0");
}

}  // namespace
}  // namespace theriac::policy
