#include "gs1/scan.hpp"

#include <array>

#include "gs1/limits.hpp"
#include "gs1/testing.hpp"

namespace theriac::gs1 {
namespace {

TEST(Scan, EveryFormIsRecognised) {
  struct Example {
    std::string_view text;
    ScanForm form;
  };
  const ElementString pack({{"01", "09504000059101"}, {"21", "A1"}});
  for (const auto& [text, form] : std::to_array<Example>({
           {"(01)09504000059101(21)A1", ScanForm::kBracketed},
           {"010950400005910121A1", ScanForm::kRaw},
           {"^010950400005910121A1", ScanForm::kRaw},
           {"\x1d"
            "010950400005910121A1",
            ScanForm::kRaw},
           {"]d2010950400005910121A1", ScanForm::kScan},
           {"]C1010950400005910121A1", ScanForm::kScan},
           {"https://id.gs1.org/01/09504000059101/21/A1", ScanForm::kDigitalLink},
           {"HTTP://EXAMPLE.COM/01/9504000059101/21/A1", ScanForm::kDigitalLink},
           {"]Q1https://id.gs1.org/01/09504000059101/21/A1", ScanForm::kDigitalLink},
           {"urn:epc:id:sgtin:9504000.005910.A1", ScanForm::kEpcUrn},
           {"]d1urn:epc:id:sgtin:9504000.005910.A1", ScanForm::kEpcUrn},
           {"010950400005910121A1\r\n", ScanForm::kRaw},
           {"]d2010950400005910121A1\t", ScanForm::kScan},
       })) {
    const auto scan = read_scan(text);
    ASSERT_TRUE(scan) << text << ": " << said(scan.error());
    EXPECT_EQ(scan->form, form) << text;
    EXPECT_EQ(std::get<ElementString>(scan->code), pack) << text;
  }
  const auto ma = read_scan("MA.156.M0.100204.13351764.S1");
  ASSERT_TRUE(ma);
  EXPECT_EQ(ma->form, ScanForm::kMa);
  EXPECT_EQ(std::get<MaCode>(ma->code).serial, "1");
  EXPECT_EQ(read_scan("]Q1MA.156.M0.100204.13351764.S1"), ma);
  const auto drug = read_scan("81123456789012345678");
  ASSERT_TRUE(drug);
  EXPECT_EQ(drug->form, ScanForm::kDrugCode);
  EXPECT_EQ(std::get<DrugCode>(drug->code).product, "8112345");
  EXPECT_EQ(read_scan("]C081123456789012345678"), drug);
  // Twenty digits too, but of a logistic unit.
  EXPECT_EQ(read_scan("00340123451111111111")->form, ScanForm::kRaw);
}

std::string fault_of_scan(std::string_view text) { return fault_of(read_scan(text)); }

TEST(Scan, CapsLock) {
  EXPECT_EQ(fault_of_scan("]D2010950400005910121a1"), "CapsLock at 1");
  EXPECT_EQ(fault_of_scan("]c1010950400005910121a1"), "CapsLock at 1");
  EXPECT_EQ(fault_of_scan("]q3010950400005910121a1"), "CapsLock at 1");
  EXPECT_EQ(fault_of_scan("ma.156.m0.100204.13351764"), "CapsLock at 0");
  EXPECT_EQ(fault_of_scan("URN:EPC:ID:SGTIN:9504000.005910.a1"), "CapsLock at 0");
}

TEST(Scan, OtherKeyboardLayouts) {
  EXPECT_EQ(fault_of_scan("+d2010950400005910121A1"), "KeyboardLayout at 0");  // German
  EXPECT_EQ(fault_of_scan("$d2010950400005910121A1"), "KeyboardLayout at 0");  // French
  EXPECT_EQ(fault_of_scan("\xc2\xa8"
                          "d2010950400005910121A1"),
            "KeyboardLayout at 0");  // Nordic
  EXPECT_EQ(fault_of_scan("+C10034012345111111111102"), "KeyboardLayout at 0");
  EXPECT_EQ(fault_of_scan(")01=09504000059101)21=A1"), "KeyboardLayout at 0");
  EXPECT_EQ(fault_of_scan("https\xc3\x96--id.gs1.org-01-09504000059101"), "KeyboardLayout at 5");
  EXPECT_EQ(fault_of_scan("urn\xc3\x96"
                          "epc\xc3\x96id"),
            "KeyboardLayout at 3");
  // 0109504000059101 on a French keyboard.
  EXPECT_EQ(fault_of_scan("\xc3\xa0&\xc3\xa0\xc3\xa7(\xc3\xa0'\xc3\xa0\xc3\xa0\xc3\xa0\xc3\xa0("
                          "\xc3\xa7&\xc3\xa0&"),
            "KeyboardLayout at 0");
}

TEST(Scan, InputMethods) {
  // Full-width brackets, digits, letters; the full stop of Chinese.
  EXPECT_EQ(fault_of_scan("\xef\xbc\x88"
                          "01"
                          "\xef\xbc\x89"
                          "09504000059101"),
            "FullWidth at 0");
  EXPECT_EQ(fault_of_scan("(01)09504000059101(21)\xef\xbd\x81"), "FullWidth at 22");
  EXPECT_EQ(fault_of_scan("MA\xe3\x80\x82"
                          "156"),
            "FullWidth at 2");
}

TEST(Scan, SeparatorsThatCameAsText) {
  EXPECT_EQ(fault_of_scan("010950400005910110LOT<GS>21A1"), "SeparatorAsText at 21");
  EXPECT_EQ(fault_of_scan("]d2010950400005910110LOT[gs]21A1"), "SeparatorAsText at 24");
  EXPECT_EQ(fault_of_scan("]d2010950400005910110LOT{GS}21A1"), "SeparatorAsText at 24");
  EXPECT_EQ(fault_of_scan("]d2010950400005910110LOT<FNC1>21A1"), "SeparatorAsText at 24");
  EXPECT_EQ(fault_of_scan("]d2010950400005910110LOT\\x1D21A1"), "SeparatorAsText at 24");
  EXPECT_EQ(fault_of_scan("]d2010950400005910110LOT\\u001d21A1"), "SeparatorAsText at 24");
  EXPECT_EQ(fault_of_scan("]d2010950400005910110LOT\\F21A1"), "SeparatorAsText at 24");
  EXPECT_EQ(fault_of_scan("]d2010950400005910110LOT\xe2\x90\x9d"
                          "21A1"),
            "SeparatorAsText at 24");
  // Between brackets nothing separates, and this is a lot.
  EXPECT_TRUE(read_scan("(01)09504000059101(10)LOT<GS>21A1"));
}

TEST(Scan, SeparatorsThatDidNotCome) {
  EXPECT_EQ(fault_of_scan("]d2010950400005910110LOT1A1726123121A1B2C3D4E5"),
            "MissingSeparator at 26 in 10 with 17");
}

TEST(Scan, SymbolsWithoutTheirFlag) {
  EXPECT_EQ(fault_of_scan("]d1010950400005910121A1"), "NotGs1Symbol at 3");
  EXPECT_EQ(fault_of_scan("]C0(01)09504000059101"), "NotGs1Symbol at 3");
  EXPECT_EQ(fault_of_scan("]Q1https://a/01/09504000059102"), "CheckDigit at 29 in 01");
}

// The first could be read as a consignment (401), the last as an internal code (91).
TEST(Scan, NumbersWithoutAnAi) {
  for (const std::string_view text :
       {"4012345123456", "14012345123453", "416000336108", "02345673", "9101234567893"}) {
    EXPECT_EQ(fault_of_scan(text), "BareNumber at 0") << text;
  }
  EXPECT_EQ(fault_of_scan("4012345123457"), "");
  EXPECT_EQ(fault_of_scan("^4012345123456"), "");
}

TEST(Scan, CodesOfOthers) {
  EXPECT_EQ(fault_of_scan("+A99912345/$$52001510X3"), "OtherAgency at 0");  // HIBC
  EXPECT_EQ(fault_of_scan("=W00001234567800"), "OtherAgency at 0");         // ISBT 128
  EXPECT_EQ(fault_of_scan("[)>\x1e"
                          "06\x1d"
                          "9N110375286414"),
            "OtherAgency at 0");  // PPN
}

TEST(Scan, NothingThatIsKnown) {
  EXPECT_EQ(fault_of_scan(""), "Empty at 0");
  EXPECT_EQ(fault_of_scan("\r\n"), "Empty at 0");
  EXPECT_EQ(fault_of_scan("hello"), "NotRecognised at 0");
  EXPECT_EQ(fault_of_scan("httpd"), "NotRecognised at 0");
  EXPECT_EQ(fault_of_scan("urn:uuid:1"), "NotRecognised at 0");
  EXPECT_EQ(fault_of_scan("+1"), "NotRecognised at 0");
  EXPECT_EQ(fault_of_scan("0109504000059101"), "");
  std::string text = "]Q1https://a/01/09504000059101?";
  text.resize(kTextBytesMax, 'x');
  EXPECT_TRUE(read_scan(text));
  text.push_back('x');
  EXPECT_EQ(code_of(read_scan(text)), "TextTooLong");
}

TEST(ScanProperty, AnyTextIsReadOrRefusedWithinIt) {
  EXPECT_TRUE(rc::check("a fault lies in the text or at its end", [](const std::string& text) {
    const auto scan = read_scan(text);
    RC_ASSERT((scan || scan.error().at <= text.size()));
  }));
}

}  // namespace
}  // namespace theriac::gs1
