#include "label/human_text.hpp"

#include <gtest/gtest.h>

#include "label/testing.hpp"

namespace theriac::label {
namespace {

std::vector<std::string> texts(std::string_view bracketed, TextForm form) {
  std::vector<std::string> out;
  for (const TextLine& line : human_text(elements_of(bracketed), form, 2026)) {
    out.push_back(line.text);
  }
  return out;
}
using Lines = std::vector<std::string>;

TEST(HumanText, Bracketed) {
  EXPECT_EQ(texts(kMedicine, TextForm::kBracketed),
            (Lines{"(01)09504000059101", "(21)8X2K7QW4M9Z1", "(17)271231", "(10)AB12C"}));
}

TEST(HumanText, EuMedicine) {
  EXPECT_EQ(texts(kMedicine, TextForm::kEuMedicine),
            (Lines{"PC: 09504000059101", "SN: 8X2K7QW4M9Z1", "LOT: AB12C", "EXP: 31/12/2027"}));
  EXPECT_EQ(texts("(01)09504000059101(17)280200(10)A(710)01234567(21)X", TextForm::kEuMedicine),
            (Lines{"PC: 09504000059101", "SN: X", "LOT: A", "EXP: 02/2028", "NN: 01234567"}));
}

TEST(HumanText, Device) {
  const auto lines = human_text(elements_of(kDeviceText), TextForm::kDevice, 2026);
  EXPECT_EQ(lines, (std::vector<TextLine>{{Icon::kUdi, "(01)06901234567892"},
                                          {Icon::kLot, "20250114"},
                                          {Icon::kSerial, "SN0004711"},
                                          {Icon::kMade, "2025-01-14"},
                                          {Icon::kUseBy, "2030-01-13"}}));
  EXPECT_EQ(human_text(elements_of("(01)06901234567892(17)280200"), TextForm::kDevice, 2026)[1],
            (TextLine{Icon::kUseBy, "2028-02"}));
}

TEST(HumanText, ChinaDevice) {
  EXPECT_EQ(texts(kDeviceText, TextForm::kChinaDevice),
            (Lines{"产品标识 (01)06901234567892", "生产日期 (11)250114", "失效日期 (17)300113",
                   "生产批号 (10)20250114", "序列号 (21)SN0004711"}));
}

TEST(HumanText, NothingIsUnsaidAndBadDatesStay) {
  EXPECT_EQ(texts("(01)09504000059101(240)X-1(21)A", TextForm::kEuMedicine),
            (Lines{"PC: 09504000059101", "SN: A", "(240)X-1"}));
  const gs1::ElementString odd({{"17", "2712"}});
  EXPECT_EQ(human_text(odd, TextForm::kEuMedicine, 2026)[0].text, "EXP: 2712");
}

}  // namespace
}  // namespace theriac::label
