#include "gs1/digital_link.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "gs1/limits.hpp"
#include "gs1/lint.hpp"
#include "gs1/testing.hpp"

namespace theriac::gs1 {
namespace {

constexpr Strictness kAnything{.required = false, .excluded = false};

struct Link {
  std::string_view link, elements;
  std::size_t at;
};
struct Made {
  std::string_view stem, elements, link;
};
#include "gs1/link_vectors.inc"

TEST(DigitalLink, VectorsOfTheSyntaxEngine) {
  for (const auto& [link, expected, at] : kLinks) {
    const auto elements = parse_digital_link(link, kAnything);
    if (!expected.starts_with('^')) {
      EXPECT_EQ(code_of(elements), expected) << link;
      if (!elements) EXPECT_EQ(elements.error().at, at) << link << said(elements.error());
      continue;
    }
    ASSERT_TRUE(elements) << link << ": " << said(elements.error());
    EXPECT_EQ(*elements, *parse_raw(expected, kAnything)) << link;
    const auto again = digital_link(*elements);
    ASSERT_TRUE(again) << link << ": " << said(again.error());
    EXPECT_EQ(digital_link(*parse_digital_link(*again, kAnything)), again) << link;
  }
}

TEST(DigitalLink, LinksThatTheSyntaxEngineMakes) {
  for (const auto& [stem, text, expected] : kMade) {
    const auto elements = parse_bracketed(text, kAnything);
    ASSERT_TRUE(elements) << text;
    const auto link = stem.empty() ? digital_link(*elements) : digital_link(*elements, stem);
    if (expected.starts_with("http")) {
      ASSERT_TRUE(link) << text << said(link.error());
      EXPECT_EQ(*link, expected);
    } else {
      EXPECT_EQ(code_of(link), expected) << text;
    }
  }
}

TEST(DigitalLink, WordsOfTheFirstVersion) {
  struct Word {
    std::string_view word, ai;
  };
  for (const auto& [word, ai] : std::to_array<Word>(
           {{"gtin/09504000059101", "01/09504000059101"},
            {"sscc/340123451111111111", "00/340123451111111111"},
            {"gln/4012345000054/glnx/X", "414/4012345000054/254/X"},
            {"party/4012345000054", "417/4012345000054"},
            {"cpid/4012345A/cpsn/1", "8010/4012345A/8011/1"},
            {"gtin/09504000059101/cpv/V/lot/L/ser/S", "01/09504000059101/22/V/10/L/21/S"}})) {
    const auto elements = parse_digital_link("https://example.com/" + std::string(word));
    ASSERT_TRUE(elements) << word << said(elements.error());
    EXPECT_EQ(digital_link(*elements), "https://id.gs1.org/" + std::string(ai));
  }
  // Only in the path, only in lower case, only whole.
  EXPECT_EQ(code_of(parse_digital_link("https://a/GTIN/09504000059101")), "NoPrimaryKey");
  EXPECT_EQ(code_of(parse_digital_link("https://a/gti/09504000059101")), "NoPrimaryKey");
}

TEST(DigitalLink, ShortGtins) {
  for (const std::string_view gtin :
       {"00000002345673", "0000002345673", "000002345673", "02345673"}) {
    const auto elements = parse_digital_link("https://a/01/" + std::string(gtin));
    ASSERT_TRUE(elements) << gtin << said(elements.error());
    EXPECT_EQ(*elements->find("01"), "00000002345673");
  }
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/2345673")), "ValueTooShort at 19 in 01");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/02345674")), "CheckDigit at 20 in 01");
  // Fourteen digits for every other AI.
  EXPECT_EQ(
      code_of(parse_digital_link("https://a/00/340123451111111111?02=2345673&37=1", kAnything)),
      "ValueTooShort");
}

TEST(DigitalLink, FaultsPointAtEscapes) {
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101/21/%41%42%20")),
            "BadCharacter at 37 in 21");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101/21/A%4")),
            "PercentEscape at 32");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101?17=26%3133")),
            "ValueTooShort at 37 in 17");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101?99=A+B")),
            "BadCharacter at 32 in 99");
}

TEST(DigitalLink, PathsAndQueries) {
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101/21/S/10/L")),
            "QualifierOrder at 33 in 01 with 10");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101?21=S")),
            "BelongsInPath at 28 in 21");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101?254=S")),
            "NotAnAttribute at 28 in 254");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101?99=A&99=A")),
            "RepeatedInLink at 33 in 99");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/01/09504000059101?18=A")), "UnknownAi at 28");
  EXPECT_EQ(fault_of(parse_digital_link("https://a/b c")), "LinkCharacter at 11");
  EXPECT_EQ(fault_of(parse_digital_link("https://me@a/01/09504000059101")), "LinkCharacter at 10");
  EXPECT_EQ(fault_of(parse_digital_link("mailto:a@b")), "NotALink at 0");
  EXPECT_EQ(fault_of(parse_digital_link("https://?01=1")), "NotALink at 8");
  EXPECT_EQ(fault_of(parse_digital_link("")), "Empty at 0");
  // What belongs to whoever answers for the address is left alone.
  EXPECT_TRUE(
      parse_digital_link("https://a/01/09504000059101?linkType=gs1:pip&17=261231&s4&=1#top"));
  // A schemes' case does not matter (RFC 3986 3.1).
  EXPECT_TRUE(parse_digital_link("HtTpS://ID.GS1.ORG/01/09504000059101"));
}

TEST(DigitalLink, TheFirstKeyForWhichThereIsALink) {
  // A TPX stands alone behind its GTIN; the lot goes into the query.
  const auto tpx = parse_bracketed("(01)12312312312326(235)ABC(10)DEF");
  ASSERT_TRUE(tpx);
  EXPECT_EQ(digital_link(*tpx), "https://id.gs1.org/01/12312312312326/235/ABC?10=DEF");
  // A reference number can stand behind its location only.
  const auto payment = parse_bracketed("(01)12312312312326(415)4012345000054(8020)R1");
  ASSERT_TRUE(payment);
  EXPECT_EQ(digital_link(*payment),
            "https://id.gs1.org/415/4012345000054/8020/R1?01=12312312312326");
  EXPECT_EQ(fault_of(digital_link(ElementString({{"10", "L"}}))), "NoPrimaryKey at 0");
  EXPECT_EQ(fault_of(digital_link(ElementString({{"01", "12312312312326"}, {"8200", "http"}}))),
            "NotAnAttribute at 1 in 8200");
}

TEST(DigitalLink, Stems) {
  const ElementString gtin({{"01", "12312312312326"}});
  EXPECT_EQ(digital_link(gtin, "https://a.example/some/path/"),
            "https://a.example/some/path/01/12312312312326");
  EXPECT_EQ(code_of(digital_link(gtin, "a.example")), "NotALink");
  EXPECT_EQ(code_of(digital_link(gtin, "")), "NotALink");
  EXPECT_EQ(code_of(digital_link(gtin, "https://a b")), "LinkCharacter");
  EXPECT_EQ(code_of(digital_link(gtin, "https://a/?x=")), "MoreThanIdentifier");
}

TEST(DigitalLink, LimitAndOnePast) {
  std::string link = "https://a/01/09504000059101?";
  link.resize(kTextBytesMax, 'x');
  EXPECT_TRUE(parse_digital_link(link));
  link.push_back('x');
  EXPECT_EQ(code_of(parse_digital_link(link)), "TextTooLong");
}

TEST(DigitalLinkProperty, WhatIsWrittenIsReadAsTheSame) {
  EXPECT_TRUE(rc::check("elements -> link -> elements", [] {
    auto gtin = *digits_of(13);
    gtin.push_back(check_digit_of(gtin));
    std::vector<Element> elements{{"01", gtin}};
    const auto maybe = [&](std::string_view ai, const std::string& value) {
      if (*rc::gen::arbitrary<bool>()) elements.push_back({std::string(ai), value});
    };
    const bool tpx = *rc::gen::arbitrary<bool>();
    if (tpx) {
      maybe("235", *text_of(kSet82, 1, 28));
    } else {
      maybe("22", *text_of(kSet82, 1, 20));
      maybe("10", *text_of(kSet82, 1, 20));
      maybe("21", *text_of(kSet82, 1, 20));
    }
    maybe("17", "261231");
    maybe("240", *text_of(kSet82, 1, 30));
    maybe("99", *text_of(kSet82, 1, 90));
    auto shuffled = elements;
    std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
    const auto link = digital_link(ElementString(shuffled), "https://example.com:8080/x/01/y");
    RC_ASSERT(link.has_value());
    const auto read = parse_digital_link(*link);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->elements().size() == elements.size());
    for (const auto& element : elements) RC_ASSERT(*read->find(element.ai) == element.value);
    RC_ASSERT(digital_link(*read, "https://example.com:8080/x/01/y") == *link);
  }));
}

}  // namespace
}  // namespace theriac::gs1
