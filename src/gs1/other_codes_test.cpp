#include "gs1/other_codes.hpp"

#include <array>

#include "gs1/limits.hpp"
#include "gs1/testing.hpp"

namespace theriac::gs1 {
namespace {

// Codes that stand in public programs.
constexpr auto kPublished = std::to_array<std::string_view>({
    "MA.156.M0.100472.11103316",
    "MA.156.M0.100204.13351764",
    "MA.156.M0.100761.21234561",
    "MA.156.M0.100350.01004YA10017.SLMSAGAAAC.M210628.LAY21062803.E220628.V220627.C3",
    "MA.156.M0.100761.21234561.Sx00008.M220117.L20220117.D20220118.E220130.V220117.C3",
    "MA.156.M0.100011.2cscp023.Ste002.M200206.L343432.D555555.E200228.V200307.C9",
});

TEST(Ma, PublishedCodesAreReadAndWritten) {
  for (const auto text : kPublished) {
    const auto code = parse_ma(text);
    ASSERT_TRUE(code) << text << ": " << said(code.error());
    if (text.find("M200206.L343432") == std::string_view::npos) EXPECT_EQ(ma_text(*code), text);
    EXPECT_EQ(parse_ma(ma_text(*code)), code);
    EXPECT_TRUE(text.starts_with(code->device_identifier()));
  }
  const auto code = parse_ma(kPublished[4]);
  EXPECT_EQ(code->country, "156");
  EXPECT_EQ(code->industry, "M0");
  EXPECT_EQ(code->registrant, "100761");
  EXPECT_EQ(code->product, "21234561");
  EXPECT_EQ(code->serial, "x00008");
  EXPECT_EQ(code->made, "220117");
  EXPECT_EQ(code->lot, "20220117");
  EXPECT_EQ(code->sterilisation_lot, "20220118");
  EXPECT_EQ(code->expires, "220130");
  EXPECT_EQ(code->valid_until, "220117");
  EXPECT_EQ(code->check, "3");
  EXPECT_EQ(code->device_identifier(), "MA.156.M0.100761.21234561");
}

TEST(Ma, AnyOrderAndTheOlderLetter) {
  const auto code =
      parse_ma("MA.156.M0.100472.11103316.S1576130942.P190101.LABS20191201.E20191201");
  ASSERT_TRUE(code) << said(code.error());
  EXPECT_EQ(code->made, "190101");
  EXPECT_EQ(code->expires, "20191201");
  EXPECT_EQ(ma_text(*code), "MA.156.M0.100472.11103316.S1576130942.M190101.LABS20191201.E20191201");
  EXPECT_EQ(parse_ma("MA.156.M0.100472.11103316.L1.S2"),
            parse_ma("MA.156.M0.100472.11103316.S2.L1"));
}

// Check characters of those codes; the third device identifier above has 1 where 3 is computed.
TEST(Ma, CheckDigitsOfPublishedCodes) {
  struct Example {
    std::string_view text;
    char digit;
  };
  for (const auto& [text, digit] : std::to_array<Example>({
           {"MA.156.M0.100472.1110331", '6'},
           {"MA.156.M0.100204.1335176", '4'},
           {"MA.156.M0.100350.01004YA1001", '7'},
           {"MA.156.M0.100011.2cscp02", '3'},
           {".SLMSAGAAAC.M210628.LAY21062803.E220628.V220627", '3'},
           {".Sx00008.M220117.L20220117.D20220118.E220130.V220117", '3'},
           {".Ste002.M200206.L343432.D555555.E200228.V200307", '9'},
           {"MA.156.M0.100761.2123456", '3'},
       })) {
    EXPECT_EQ(ma_check_digit(text), digit) << text;
  }
  EXPECT_EQ(fault_of(ma_check_digit("MA 1")), "BadCharacter at 2");
}

TEST(Ma, Refusals) {
  EXPECT_EQ(fault_of(parse_ma("")), "MaStructure at 0");
  EXPECT_EQ(fault_of(parse_ma("MB.156.M0.100472.11103316")), "MaStructure at 0");
  EXPECT_EQ(fault_of(parse_ma("MA.999.M0.100472.11103316")), "MaStructure at 3");
  EXPECT_EQ(fault_of(parse_ma("MA.156.m0.100472.11103316")), "MaStructure at 7");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.10047.11103316")), "MaStructure at 10");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472")), "MaStructure at 16");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.1 103316")), "MaStructure at 17");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.11103316.")), "MaPart at 26");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.11103316.X1")), "MaPart at 26");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.11103316.S1.S1")), "MaPart at 29");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.11103316.M260101.P260101")), "MaPart at 34");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.11103316.S")), "ValueMissing at 27 in S");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.11103316.M261301")), "MaDate at 27 in M");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.11103316.E2026123")), "MaDate at 27 in E");
  EXPECT_EQ(fault_of(parse_ma("MA.156.M0.100472.11103316.La b")), "BadCharacter at 28 in L");
}

TEST(Ma, LimitsAndOnePast) {
  const std::string head = "MA.156.M0.100472.";
  EXPECT_TRUE(parse_ma(head + std::string(kMaProductMin, '1')));
  EXPECT_TRUE(parse_ma(head + std::string(kMaProductMax, '1')));
  EXPECT_EQ(code_of(parse_ma(head + std::string(kMaProductMin - 1, '1'))), "MaStructure");
  EXPECT_EQ(code_of(parse_ma(head + std::string(kMaProductMax + 1, '1'))), "MaStructure");
  EXPECT_TRUE(parse_ma(head + "111.L" + std::string(kMaValueMax, '1')));
  EXPECT_EQ(code_of(parse_ma(head + "111.L" + std::string(kMaValueMax + 1, '1'))), "ValueTooLong");
  EXPECT_EQ(code_of(parse_ma(std::string(kTextBytesMax + 1, 'M'))), "TextTooLong");
}

TEST(DrugCode, TwentyDigits) {
  const auto code = parse_drug_code("81123456789012345678");
  ASSERT_TRUE(code);
  EXPECT_EQ(code->product, "8112345");
  EXPECT_EQ(code->serial, "678901234");
  EXPECT_EQ(code->check, "5678");
  EXPECT_EQ(drug_code_text(*code), "81123456789012345678");
  EXPECT_EQ(fault_of(parse_drug_code("8112345678901234567")), "DrugCodeLength at 19");
  EXPECT_EQ(fault_of(parse_drug_code("811234567890123456789")), "DrugCodeLength at 20");
  EXPECT_EQ(fault_of(parse_drug_code("8112345678901234567x")), "NotDigits at 19");
  EXPECT_EQ(fault_of(parse_drug_code("")), "DrugCodeLength at 0");
}

}  // namespace
}  // namespace theriac::gs1
