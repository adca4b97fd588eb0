#include "epcis/vocabulary.hpp"

#include <gtest/gtest.h>

#include "epcis/element.hpp"
#include "epcis/units.hpp"

namespace theriac::epcis {
namespace {

using enum Vocabulary;

constexpr Vocabulary kAll[] = {
    kBizStep,     kDisposition,     kBizTransactionType, kSourceDestinationType,
    kErrorReason, kMeasurementType, kSensorAlert,        kComponent};

TEST(Vocabulary, EveryWordInEverySpelling) {
  std::size_t count = 0;
  for (const Vocabulary vocabulary : kAll) {
    for (const std::string_view word : words_of(vocabulary)) {
      const auto reads = [&](const std::string& text, Spelling spelling) {
        const WordReading reading = read_word(vocabulary, text);
        EXPECT_TRUE(reading.standard) << text;
        EXPECT_FALSE(reading.irregular || reading.renamed || reading.reserved) << text;
        EXPECT_EQ(reading.word.value, word);
        EXPECT_EQ(reading.word.spelling, spelling) << text;
      };
      reads(std::string(word), Spelling::kBare);
      reads(web_uri_of(vocabulary, word), Spelling::kWebUri);
      reads(compact_of(vocabulary, word), Spelling::kCompact);
      const std::string urn = urn_of(vocabulary, word);
      if (!urn.empty()) reads(urn, Spelling::kUrn);
      ++count;
    }
  }
  // EPCIS-JSON-Schema.json: 41, 33, 13, 3, 2, 72, 2 and 14.
  EXPECT_EQ(count, 180U);
}

TEST(Vocabulary, Spellings) {
  EXPECT_EQ(urn_of(kBizStep, "shipping"), "urn:epcglobal:cbv:bizstep:shipping");
  EXPECT_EQ(web_uri_of(kDisposition, "in_transit"), "https://ref.gs1.org/cbv/Disp-in_transit");
  EXPECT_EQ(web_uri_of(kBizTransactionType, "po"), "https://ref.gs1.org/cbv/BTT-po");
  EXPECT_EQ(web_uri_of(kMeasurementType, "Temperature"), "https://gs1.org/voc/Temperature");
  EXPECT_EQ(compact_of(kComponent, "x"), "cbv:Comp-x");
  EXPECT_EQ(urn_of(kMeasurementType, "Temperature"), "");
  EXPECT_EQ(urn_of(kBizStep, "https://example.com/own"), "https://example.com/own");
}

TEST(Vocabulary, WhatIsNotAsItShouldBe) {
  for (const char* text :
       {"https://ns.gs1.org/cbv/BizStep-shipping", "http://ref.gs1.org/cbv/BizStep-shipping",
        "https://ref.gs1.org/cbv/Bizstep-shipping", "URN:epcglobal:cbv:bizstep:shipping"}) {
    const WordReading reading = read_word(kBizStep, text);
    EXPECT_TRUE(reading.standard && reading.irregular) << text;
    EXPECT_EQ(reading.word.value, "shipping");
  }
  EXPECT_EQ(read_word(kMeasurementType, "https://www.gs1.org/voc/Mass").word.value, "Mass");
  const WordReading old = read_word(kDisposition, "urn:epcglobal:cbv:disp:non_sellable_recalled");
  EXPECT_TRUE(old.standard && old.renamed);
  EXPECT_EQ(old.word.value, "recalled");
  // A word of another vocabulary, or in another's spelling, is none.
  EXPECT_FALSE(read_word(kDisposition, "shipping").standard);
  EXPECT_TRUE(read_word(kDisposition, "urn:epcglobal:cbv:bizstep:shipping").reserved);
  EXPECT_FALSE(read_word(kBizStep, "https://example.com/shipping").reserved);
  EXPECT_EQ(read_word(kBizStep, "https://example.com/shipping").word.value,
            "https://example.com/shipping");
}

TEST(Units, Conversion) {
  const auto base = [](const char* code, double value) {
    const auto unit = unit_of(code);
    if (!unit) {
      ADD_FAILURE() << code;
      return 0.0;
    }
    return to_base(*unit, value);
  };
  EXPECT_DOUBLE_EQ(base("CEL", 26.85), 300.0);
  EXPECT_DOUBLE_EQ(base("FAH", 212), 373.15);
  EXPECT_DOUBLE_EQ(base("FAH", -40), base("CEL", -40));
  EXPECT_DOUBLE_EQ(base("KMH", 36), base("MTS", 10));
  EXPECT_DOUBLE_EQ(base("LBR", 1), 0.45359237);
  EXPECT_DOUBLE_EQ(base("KPA", 101.325), base("ATM", 1));
  EXPECT_NEAR(base("PS", 1), 6894.757293168, 1e-6);  // NIST SP 811, B.8
  EXPECT_NEAR(base("GLL", 1), 3.785411784e-3, 1e-15);
  EXPECT_NEAR(base("APZ", 1), 0.0311034768, 1e-12);
  EXPECT_DOUBLE_EQ(base("KWH", 1), base("3B", 3.6));
  EXPECT_DOUBLE_EQ(base("P71", 3600), base("P65", 1e-3));  // millisievert per hour
  EXPECT_DOUBLE_EQ(base("A93", 1000), base("KMQ", 1));
  EXPECT_DOUBLE_EQ(difference_to_base(*unit_of("CEL"), 1), 1);
  EXPECT_DOUBLE_EQ(difference_to_base(*unit_of("FAH"), 9), 5);
  EXPECT_EQ(unit_of("KGM")->quantity, unit_of("GRM")->quantity);
  EXPECT_NE(unit_of("KGM")->quantity, unit_of("LTR")->quantity);
  EXPECT_FALSE(unit_of("XYZ") || unit_of("") || unit_of("kg"));
}

TEST(Element, Names) {
  for (const char* good : {"a", "_a", "a-b.c", "lot7", "größe", "批号", "a·b", "अ", "𠀀"})
    EXPECT_TRUE(is_xml_name(good));
  for (const char* bad : {"", "7a", "-a", ".a", "a b", "a:b", "a/b", "a×b", "·a", "\uFFFF", "\xff"})
    EXPECT_FALSE(is_xml_name(bad));
}

TEST(Element, Numbers) {
  for (const char* good : {"0", "-0", "10", "1.50", "1e5", "-1.5E-7"}) {
    EXPECT_TRUE(is_json_number(good)) << good;
  }
  for (const char* bad : {"", "-", "+1", "01", ".5", "5.", "1e", "NaN", "INF", "1 ", "0x1"}) {
    EXPECT_FALSE(is_json_number(bad)) << bad;
  }
}

TEST(Element, Uris) {
  for (const char* good : {"urn:a:b", "https://example.com/a?b#c", "ni:///sha-256;ab?ver=CBV2.0",
                           "x-own+1:y", "_:b"}) {
    EXPECT_EQ(is_uri(good), good[0] != '_') << good;
  }
  for (const char* bad : {"", "a", ":a", "a:", "1a:b", "a b:c", "a:b c", "a:<b>", "a:\"b\""}) {
    EXPECT_FALSE(is_uri(bad)) << bad;
  }
}

}  // namespace
}  // namespace theriac::epcis
