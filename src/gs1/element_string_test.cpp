#include "gs1/element_string.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "gs1/ai_table.hpp"
#include "gs1/limits.hpp"
#include "gs1/testing.hpp"

namespace theriac::gs1 {
namespace {

constexpr Strictness kAnything{.required = false, .excluded = false};
constexpr Strictness kNoneMissing{.required = true, .excluded = false};
constexpr Strictness kNoneTogether{.required = false, .excluded = true};

struct Text {
  char form;
  std::string_view text, fault;
  std::size_t at;
};
struct Association {
  Strictness strictness;
  std::string_view text, fault, ais;
};
#include "gs1/element_vectors.inc"

Checked<ElementString> read(char form, std::string_view text, Strictness strictness) {
  if (form == 'B') return parse_bracketed(text, strictness);
  return form == 'R' ? parse_raw(text, strictness) : parse_scan(text, strictness);
}

TEST(ElementString, VectorsOfTheSyntaxEngine) {
  for (const auto& [form, text, fault, at] : kTexts) {
    const auto elements = read(form, text, kAnything);
    EXPECT_EQ(code_of(elements), fault) << form << " " << text;
    if (!elements) {
      EXPECT_EQ(elements.error().at, at) << text << ": " << said(elements.error());
      continue;
    }
    EXPECT_EQ(parse_bracketed(bracketed(*elements), kAnything), elements) << text;
    EXPECT_EQ(raw(*parse_raw(raw(*elements), kAnything)), raw(*elements)) << text;
  }
}

TEST(ElementString, AssociationsOfTheSyntaxEngine) {
  for (const auto& [strictness, text, fault, ais] : kAssociations) {
    const auto elements = parse_bracketed(text, strictness);
    EXPECT_EQ(code_of(elements), fault) << text;
    if (!elements) EXPECT_EQ(elements.error().ai + " " + elements.error().other, ais) << text;
    if (!fault.empty() && fault != "UnknownAi" && fault != "RepeatedAi") {
      EXPECT_TRUE(parse_bracketed(text, kAnything)) << text;
    }
  }
}

TEST(ElementString, APackOfMedicine) {
  const std::string_view text = "(01)09504000059101(21)A1B2C3(17)261231(10)LOT1A";
  const auto pack = parse_bracketed(text);
  ASSERT_TRUE(pack);
  EXPECT_EQ(*pack->find("01"), "09504000059101");
  EXPECT_EQ(*pack->find("10"), "LOT1A");
  EXPECT_EQ(pack->find("11"), nullptr);
  EXPECT_TRUE(pack->has("17"));
  EXPECT_EQ(bracketed(*pack), text);
  EXPECT_EQ(raw(*pack),
            "0109504000059101"
            "17261231"
            "21A1B2C3\x1d"
            "10LOT1A");
  EXPECT_EQ(scan(*pack, Symbology::kDataMatrix), "]d2" + raw(*pack));
  EXPECT_EQ(scan(*pack, Symbology::kGs1128), "]C1" + raw(*pack));
  EXPECT_EQ(scan(*pack, Symbology::kQr), "]Q3" + raw(*pack));
  EXPECT_EQ(scan(*pack, Symbology::kDataBar), "]e0" + raw(*pack));
  EXPECT_EQ(scan(*pack, Symbology::kDotCode), "]J1" + raw(*pack));
  for (const auto symbology : {Symbology::kDataMatrix, Symbology::kGs1128, Symbology::kQr,
                               Symbology::kDataBar, Symbology::kDotCode}) {
    EXPECT_EQ(raw(*parse_scan(scan(*pack, symbology))), raw(*pack));
  }
}

TEST(ElementString, TheSeparatorHasThreeFaces) {
  const auto expected = parse_bracketed("(01)09504000059101(10)L1(21)S1");
  ASSERT_TRUE(expected);
  EXPECT_EQ(parse_raw("^010950400005910110L1^21S1"), expected);
  EXPECT_EQ(parse_raw("010950400005910110L1\x1d"
                      "21S1"),
            expected);
  EXPECT_EQ(parse_raw("\x1d"
                      "010950400005910110L1\x1d"
                      "21S1"),
            expected);
  // Not mixed: then one of them is a character of a value.
  EXPECT_EQ(fault_of(parse_raw("^010950400005910110L1\x1d"
                               "21S1")),
            "BadCharacter at 21 in 10");
  EXPECT_EQ(fault_of(parse_raw("010950400005910110L1^21S1")), "BadCharacter at 20 in 10");
}

TEST(ElementString, AMissingSeparatorIsNamedWhereItCanBeTold) {
  // Too long for a lot, and from its sixth character on an expiry date and a serial number.
  EXPECT_EQ(fault_of(parse_raw("010950400005910110LOT1A1726123121A1B2C3D4E5")),
            "MissingSeparator at 23 in 10 with 17");
  EXPECT_EQ(fault_of(parse_raw("010950400005910121ABCDEFGHIJKLMNOPQRS10LOT1")),
            "MissingSeparator at 37 in 21 with 10");
  // A count of digits only, and a lot.
  EXPECT_EQ(fault_of(parse_raw("0034012345111111111102095040000591013705"
                               "10LOT1")),
            "MissingSeparator at 40 in 37 with 10");
  // Nothing in it looks like another element.
  EXPECT_EQ(fault_of(parse_raw("010950400005910110ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
            "ValueTooLong at 38 in 10");
}

TEST(ElementString, RepeatedElements) {
  EXPECT_EQ(*parse_bracketed("(01)09504000059101(10)A(01)09504000059101"),
            *parse_bracketed("(01)09504000059101(10)A"));
  EXPECT_EQ(fault_of(parse_bracketed("(01)09504000059101(10)A(10)B")), "RepeatedAi at 24 in 10");
}

TEST(ElementString, BracketsInValues) {
  const ElementString elements({{"01", "09504000059101"}, {"21", "a(1)b"}});
  EXPECT_EQ(bracketed(elements), "(01)09504000059101(21)a\\(1)b");
  EXPECT_EQ(*parse_bracketed(bracketed(elements)), elements);
  // The escape moves what stands behind it.
  EXPECT_EQ(fault_of(parse_bracketed("(01)09504000059101(21)a\\(\\(~")),
            "BadCharacter at 27 in 21");
  EXPECT_EQ(fault_of(parse_bracketed("(01)09504000059101(21)a\\b")), "BadCharacter at 23 in 21");
}

TEST(ElementString, FaultsPointIntoTheText) {
  EXPECT_EQ(fault_of(parse_bracketed("(01)09504000059102")), "CheckDigit at 17 in 01");
  EXPECT_EQ(fault_of(parse_scan("]d20109504000059102")), "CheckDigit at 18 in 01");
  EXPECT_EQ(fault_of(parse_scan("]d2010950400005910117261331")), "Month at 23 in 17");
  EXPECT_EQ(fault_of(parse_scan("]d20109504000059101172602"
                                "31")),
            "Day at 25 in 17");
  EXPECT_EQ(fault_of(parse_scan("]d2010950400005910110\x1d"
                                "21A")),
            "ValueMissing at 21 in 10");
  const auto wrong = parse_bracketed("(01)09504000059102");
  EXPECT_EQ(wrong.error().wanted, 1U);
  EXPECT_EQ(wrong.error().found, 2U);
  EXPECT_EQ(said(wrong.error()), "Character 18: the check digit of (01) is 2 where 1 was computed");
}

TEST(ElementString, SymbologyIdentifiers) {
  EXPECT_EQ(*parse_scan("]E04012345123456"), ElementString({{"01", "04012345123456"}}));
  EXPECT_EQ(*parse_scan("]E402345673"), ElementString({{"01", "00000002345673"}}));
  EXPECT_EQ(*parse_scan("]I104012345123456"), ElementString({{"01", "04012345123456"}}));
  EXPECT_EQ(fault_of(parse_scan("0109504000059101")), "UnknownSymbology at 0");
  EXPECT_EQ(fault_of(parse_scan("]A00109504000059101")), "UnknownSymbology at 0");
  EXPECT_EQ(fault_of(parse_scan("]D20109504000059101")), "CapsLock at 1");
  EXPECT_EQ(fault_of(parse_scan("]c10109504000059101")), "CapsLock at 1");
  EXPECT_EQ(fault_of(parse_scan("]C00109504000059101")), "NotGs1Symbol at 3");
  EXPECT_EQ(fault_of(parse_scan("]d1A1B2")), "NotGs1Symbol at 3");
  EXPECT_EQ(fault_of(parse_scan("]Q1https://a/01/09504000059102")), "CheckDigit at 29 in 01");
}

TEST(ElementString, PutTogetherByHand) {
  EXPECT_EQ(*check({{"01", "09504000059101"}, {"21", "A"}}),
            *parse_bracketed("(01)09504000059101(21)A"));
  EXPECT_EQ(fault_of(check({{"01", "09504000059101"}, {"17", "261331"}})), "Month at 1 in 17");
  EXPECT_EQ(fault_of(check({{"01", "09504000059101"}, {"18", "1"}})), "UnknownAi at 1");
  EXPECT_EQ(fault_of(check({{"21", "A"}})), "RequiredMissing at 0 in 21 with 01,03,8006");
  EXPECT_TRUE(check({{"21", "A"}}, kNoneTogether));
  EXPECT_TRUE(check({})->empty());
}

TEST(ElementString, LimitsAndOnePast) {
  std::vector<Element> many;
  for (const auto& entry : ai_table()) {
    if (entry.first.starts_with("31") || entry.first.starts_with("32") ||
        entry.first.starts_with("33") || entry.first.starts_with("34") ||
        entry.first.starts_with("35") || entry.first.starts_with("36")) {
      many.push_back({std::string(entry.first), "000001"});
      many.push_back({std::string(entry.last), "000001"});
    }
  }
  ASSERT_GT(many.size(), kElementsMax);
  many.resize(kElementsMax);
  EXPECT_TRUE(check(many, kAnything));
  many.push_back({"90", "1"});
  EXPECT_EQ(code_of(check(many, kAnything)), "TooManyElements");

  std::string text = "(90)";
  text.resize(kTextBytesMax, '1');
  EXPECT_EQ(code_of(parse_bracketed(text)), "ValueTooLong");
  text.push_back('1');
  for (const char form : {'B', 'R', 'S'}) {
    EXPECT_EQ(code_of(read(form, text, {})), "TextTooLong");
    EXPECT_EQ(code_of(read(form, "", {})), "Empty");
  }
}

TEST(ElementString, CheckDigits) {
  // Examples of GS1 General Specifications 7.9.
  EXPECT_EQ(check_digit("629104150021"), '3');
  EXPECT_EQ(check_digit("37610425002123456"), '9');
  EXPECT_EQ(check_digit("0950400005910"), '1');
  EXPECT_EQ(fault_of(check_digit("12a4")), "NotDigits at 2");
  EXPECT_EQ(fault_of(check_digit("")), "Empty at 0");
}

TEST(ElementString, Dates) {
  EXPECT_EQ(iso_date("261231", 2026), "2026-12-31");
  EXPECT_EQ(iso_date("260200", 2026), "2026-02-28");
  EXPECT_EQ(iso_date("280200", 2026), "2028-02-29");
  EXPECT_EQ(iso_date("000200", 2026), "2000-02-29");
  // 7.12: 51 years ahead is the century before, 50 behind is the next one.
  EXPECT_EQ(iso_date("760101", 2026), "2076-01-01");
  EXPECT_EQ(iso_date("770101", 2026), "1977-01-01");
  EXPECT_EQ(iso_date("010101", 2050), "2001-01-01");
  EXPECT_EQ(iso_date("000101", 2050), "2100-01-01");
  EXPECT_EQ(iso_date("490101", 2099), "2149-01-01");
  EXPECT_EQ(iso_date("500101", 2099), "2050-01-01");
  EXPECT_EQ(fault_of(iso_date("000229", 2050)), "Day at 4");
  EXPECT_EQ(fault_of(iso_date("261301", 2026)), "Month at 2");
  EXPECT_EQ(fault_of(iso_date("260230", 2026)), "Day at 4");
  EXPECT_EQ(fault_of(iso_date("26013", 2026)), "ValueTooShort at 0");
  EXPECT_EQ(fault_of(iso_date("2601301", 2026)), "ValueTooLong at 0");
  EXPECT_EQ(fault_of(iso_date("26x130", 2026)), "NotDigits at 2");
}

/// Elements such as a pack or a case has, in any order.
rc::Gen<ElementString> any_elements() {
  return rc::gen::exec([] {
    auto gtin = *digits_of(13);
    gtin.push_back(check_digit_of(gtin));
    std::vector<Element> elements{{"01", gtin}};
    const auto maybe = [&](std::string_view ai, const std::string& value) {
      if (*rc::gen::arbitrary<bool>()) elements.push_back({std::string(ai), value});
    };
    maybe("10", *text_of(kSet82, 1, 20));
    maybe("21", *text_of(kSet82, 1, 20));
    maybe("240", *text_of(kSet82, 1, 30));
    maybe("17", *rc::gen::element<std::string>("261231", "270200", "280229"));
    maybe("11", "250101");
    maybe("20", *digits_of(2));
    maybe("30", *digits_of(3));
    maybe("3103", *digits_of(6));
    maybe("8008", "26123123");
    maybe("91", *text_of(kSet82, 1, 90));
    std::shuffle(elements.begin(), elements.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
    return ElementString(std::move(elements));
  });
}

TEST(ElementStringProperty, WhatIsWrittenIsReadAsTheSame) {
  EXPECT_TRUE(rc::check("bracketed, raw and scanned", [] {
    const auto elements = *any_elements();
    RC_ASSERT(*parse_bracketed(bracketed(elements)) == elements);
    const auto from_raw = parse_raw(raw(elements));
    RC_ASSERT(from_raw.has_value());
    RC_ASSERT(raw(*from_raw) == raw(elements));
    RC_ASSERT(from_raw->elements().size() == elements.elements().size());
    for (const auto& element : elements.elements()) {
      RC_ASSERT(*from_raw->find(element.ai) == element.value);
    }
    RC_ASSERT(*parse_scan(scan(elements, Symbology::kQr)) == *from_raw);
    RC_ASSERT(check({elements.elements().begin(), elements.elements().end()}) == elements);
  }));
}

TEST(ElementStringProperty, AnyTextIsReadOrRefusedWithinIt) {
  EXPECT_TRUE(rc::check("a fault lies in the text or at its end", [] {
    const auto text = *text_of(
        "()[]^]dCQ0123456789\x1d"
        "ABab\\%",
        0, 60);
    for (const char form : {'B', 'R', 'S'}) {
      const auto elements = read(form, text, {});
      RC_ASSERT((elements || elements.error().at <= text.size()));
    }
  }));
}

}  // namespace
}  // namespace theriac::gs1
