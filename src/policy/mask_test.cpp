#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "pgwire/types.hpp"
#include "pgwire/utf8.hpp"
#include "policy/canonical.hpp"
#include "policy/policy.hpp"

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
  EXPECT_EQ(masked(MaskKind::kEmail, "not an address"), "*");
  EXPECT_EQ(masked(MaskKind::kEmail, "@c.d"), "*");
}

TEST(Mask, IdNumberKeepsRegionAndCheck) {
  EXPECT_EQ(masked(MaskKind::kIdNumber, "11010519900307123X"), "110105********123X");
  EXPECT_EQ(masked(MaskKind::kIdNumber, "110105900307123"), "110105*****7123");
  EXPECT_EQ(masked(MaskKind::kIdNumber, "1101051990"), "**********");
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
  for (int kind = 0; kind <= static_cast<int>(MaskKind::kNull); ++kind) {
    EXPECT_EQ(mask_named(mask_name(static_cast<MaskKind>(kind))), static_cast<MaskKind>(kind));
  }
  EXPECT_EQ(mask_named("nose"), std::nullopt);
}

/// Text of characters of one to four bytes.
rc::Gen<std::string> characters() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(
          std::vector<std::string>{"a", "7", "@", "-", " ", "é", "张", "７", "𠮷"})),
      [](const std::vector<std::string>& parts) {
        std::string out;
        for (const auto& part : parts) out += part;
        return out;
      });
}

RC_GTEST_PROP(Mask, GivesUtf8NoLongerThanTheValue, ()) {
  const auto stored = *characters();
  const auto how = static_cast<MaskKind>(*rc::gen::inRange(0, static_cast<int>(MaskKind::kYear)));
  const auto out = masked(how, stored);
  RC_ASSERT(pgwire::is_utf8(out));
  // So that it still fits the column's varchar(n).
  RC_ASSERT(pgwire::count_characters(out) <= pgwire::count_characters(stored));
}

RC_GTEST_PROP(Mask, LastFourShowsNoMoreThanFour, ()) {
  const auto stored = *characters();
  const auto out = masked(MaskKind::kLastFour, stored);
  const auto stars = static_cast<std::size_t>(std::count(out.begin(), out.end(), '*'));
  RC_ASSERT(pgwire::count_characters(out) - stars <= 4U);
}

}  // namespace
}  // namespace theriac::policy
