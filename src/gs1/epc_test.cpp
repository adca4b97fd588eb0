#include "gs1/epc.hpp"

#include <array>

#include "gs1/epc_scheme.hpp"
#include "gs1/limits.hpp"
#include "gs1/lint.hpp"
#include "gs1/testing.hpp"

namespace theriac::gs1 {
namespace {

struct Pair {
  std::string_view urn, link;
};
struct Link {
  std::string_view link, canonical, urn;
};
struct Refused {
  std::string_view text;
  int prefix_length;
  FaultCode code;
  std::size_t at;
};
#include "gs1/epc_vectors.inc"

TEST(Epc, UrnsOfOthersToLinksAndBack) {
  for (const auto& [urn, link] : kPairs) {
    const auto from_urn = parse_epc(urn);
    ASSERT_TRUE(from_urn) << urn << ": " << said(from_urn.error());
    EXPECT_EQ(epc_link(*from_urn), link);
    EXPECT_EQ(epc_urn(*from_urn), urn);

    auto from_link = parse_epc(link);
    ASSERT_TRUE(from_link) << link << ": " << said(from_link.error());
    EXPECT_EQ(from_link->elements, from_urn->elements) << link;
    // A link does not tell a tobacco class from another GTIN.
    if (from_urn->key == Key::kUpuiClass) from_link->key = Key::kUpuiClass;
    EXPECT_EQ(from_link->key, from_urn->key) << link;
    EXPECT_EQ(from_link->prefix_length, 0);
    EXPECT_EQ(epc_urn(*from_link, from_urn->prefix_length), urn) << link;
  }
}

TEST(Epc, LinksOfOthersBecomeCanonical) {
  for (const auto& [link, canonical, urn] : kLinks) {
    const auto epc = parse_epc(link);
    ASSERT_TRUE(epc) << link << ": " << said(epc.error());
    EXPECT_EQ(epc_link(*epc), canonical) << link;
    EXPECT_EQ(parse_epc(canonical), epc) << link;
    if (urn.empty()) continue;
    const auto from_urn = parse_epc(urn);
    ASSERT_TRUE(from_urn) << urn;
    EXPECT_EQ(epc_urn(*epc, from_urn->prefix_length), urn) << link;
  }
}

TEST(Epc, RefusedAndWhere) {
  for (const auto& [text, prefix_length, code, at] : kRefused) {
    const auto epc = parse_epc(text);
    if (prefix_length == 0) {
      ASSERT_FALSE(epc) << text;
      EXPECT_EQ(epc.error().code, code) << text << ": " << said(epc.error());
      EXPECT_EQ(epc.error().at, at) << text << ": " << said(epc.error());
      continue;
    }
    ASSERT_TRUE(epc) << text << ": " << said(epc.error());
    const auto urn = epc_urn(*epc, prefix_length);
    ASSERT_FALSE(urn) << text;
    EXPECT_EQ(urn.error().code, code) << text << ": " << said(urn.error());
  }
}

TEST(Epc, NeitherUrnNorLink) {
  for (const std::string_view text :
       {"", "urn", "urn:epc", "urn:uuid:x", "http:/", "ftp://a/01/1", "(01)09504000059101(21)A"}) {
    EXPECT_EQ(fault_of(parse_epc(text)), "NotAnIdentifier at 0") << text;
  }
  EXPECT_EQ(code_of(parse_epc_urn("https://id.gs1.org/00/012345678901234560")), "NotAnIdentifier");
  EXPECT_EQ(code_of(parse_epc_link("urn:epc:id:sscc:123456.07890123456")), "NotALink");
  EXPECT_EQ(code_of(parse_epc("urn:epc:")), "UrnScheme");
  EXPECT_EQ(code_of(parse_epc("urn:epc:id")), "UrnScheme");
  EXPECT_EQ(code_of(parse_epc("urn:epc:id:sgtin")), "UrnScheme");
  EXPECT_EQ(code_of(parse_epc("urn:epc:id:sgtin:")), "UrnParts");
  EXPECT_EQ(code_of(parse_epc("urn:epc:id:lgtin:4012345.012345.L")), "UrnScheme");
  // A pattern over many classes names none.
  EXPECT_EQ(code_of(parse_epc("urn:epc:idpat:sgtin:4012345.*.*")), "BadCharacter");
}

TEST(Epc, SchemeWordsAreCaseInsensitiveWhereRfc8141SaysSo) {
  const auto epc = parse_epc("URN:EPC:id:sscc:123456.07890123456");
  ASSERT_TRUE(epc);
  EXPECT_EQ(epc_urn(*epc), "urn:epc:id:sscc:123456.07890123456");
  EXPECT_EQ(code_of(parse_epc("urn:epc:ID:sscc:123456.07890123456")), "UrnScheme");
}

TEST(Epc, AStarIsAnOrdinaryCharacterOfASerial) {
  const auto epc = parse_epc("urn:epc:id:sgtin:4012345.012345.*");
  ASSERT_TRUE(epc);
  EXPECT_EQ(epc->key, Key::kSgtin);
  EXPECT_EQ(epc_link(*epc), "https://id.gs1.org/01/04012345123456/21/%2A");
}

TEST(Epc, SerialsMayHoldDots) {
  const auto epc = parse_epc("urn:epc:id:sgtin:4012345.012345.a.b..c");
  ASSERT_TRUE(epc);
  EXPECT_EQ(*epc->elements.find("21"), "a.b..c");
  EXPECT_EQ(epc_urn(*epc), "urn:epc:id:sgtin:4012345.012345.a.b..c");
}

TEST(Epc, EscapesAreReadInEitherCaseAndWrittenInOne) {
  const auto epc = parse_epc("urn:epc:id:sgtin:4012345.012345.%2f%26%41");
  ASSERT_TRUE(epc);
  EXPECT_EQ(*epc->elements.find("21"), "/&A");
  EXPECT_EQ(epc_urn(*epc), "urn:epc:id:sgtin:4012345.012345.%2F%26A");
  EXPECT_EQ(fault_of(parse_epc("urn:epc:id:sgtin:4012345.012345.a%2")), "PercentEscape at 33");
  EXPECT_EQ(fault_of(parse_epc("urn:epc:id:sgtin:4012345.012345.a%26%00b")),
            "BadCharacter at 36 in 21");
}

TEST(Epc, SerialLengthsAtTheLimitAndOnePast) {
  struct Limit {
    std::string_view head;
    std::size_t longest;
  };
  for (const auto& [head, longest] : std::to_array<Limit>({
           {"urn:epc:id:sgtin:4012345.012345.", 20},
           {"urn:epc:class:lgtin:4012345.012345.", 20},
           {"urn:epc:id:upui:4012345.012345.", 28},
           {"urn:epc:id:sgln:4012345.01234.", 20},
           {"urn:epc:id:grai:4012345.01234.", 16},
           {"urn:epc:id:gdti:4012345.01234.", 17},
           {"urn:epc:id:sgcn:4012345.01234.", 12},
           {"urn:epc:id:giai:4012345.", 23},
           {"urn:epc:id:ginc:4012345.", 23},
           {"urn:epc:id:cpi:4012345.A.", 12},
           {"urn:epc:id:itip:4012345.012345.01.02.", 20},
       })) {
    const auto longest_urn = std::string(head) + std::string(longest, '7');
    const auto epc = parse_epc(longest_urn);
    ASSERT_TRUE(epc) << longest_urn << said(epc.error());
    EXPECT_EQ(epc_urn(*epc), longest_urn);
    const auto past = parse_epc(longest_urn + "7");
    EXPECT_EQ(code_of(past), "ValueTooLong") << longest_urn;
    EXPECT_EQ(past.error().at, longest_urn.size()) << longest_urn;
    EXPECT_EQ(code_of(parse_epc(head)), "ValueMissing") << head;
  }
}

TEST(Epc, TextAtTheLimitAndOnePast) {
  std::string text = "urn:epc:id:sgtin:4012345.012345.";
  text.resize(kTextBytesMax, '7');
  EXPECT_EQ(code_of(parse_epc(text)), "ValueTooLong");
  text.push_back('7');
  EXPECT_EQ(code_of(parse_epc(text)), "TextTooLong");
}

TEST(Epc, WritingNeedsAPrefixLength) {
  const auto epc = parse_epc("https://id.gs1.org/00/012345678901234560");
  ASSERT_TRUE(epc);
  EXPECT_EQ(code_of(epc_urn(*epc)), "PrefixUnknown");
  for (const int length : {-1, 1, 5, 13, 99})
    EXPECT_EQ(code_of(epc_urn(*epc, length)), "PrefixLength");
  EXPECT_EQ(epc_urn(*epc, 6), "urn:epc:id:sscc:123456.07890123456");
  EXPECT_EQ(epc_urn(*epc, 12), "urn:epc:id:sscc:123456789012.03456");
}

TEST(Epc, NoUrnForWhatHasNone) {
  // The lot of a piece of an item: a link names it, no URN does.
  const auto epc = parse_epc("https://id.gs1.org/8006/040123451234560102/10/XYZ");
  ASSERT_TRUE(epc);
  EXPECT_EQ(epc->key, Key::kItipClass);
  EXPECT_EQ(code_of(epc_urn(*epc, 7)), "NoUrn");
  // Put together by hand, and not whole.
  EXPECT_EQ(code_of(epc_urn({Key::kSgtin, ElementString({{"01", "04012345123456"}}), 7})), "NoUrn");
  EXPECT_EQ(code_of(epc_urn({Key::kSgtin, ElementString({{"21", "1"}}), 7})), "NoUrn");
  EXPECT_EQ(code_of(epc_urn({Key::kSgtin, ElementString({{"01", "1"}, {"21", "1"}}), 7})), "NoUrn");
}

TEST(Epc, QualifiersThatDoNotIdentifyAreNotDroppedUnlessTheStandardSaysSo) {
  EXPECT_TRUE(parse_epc("https://id.gs1.org/01/04012345123456/22/V/10/L/21/S"));
  EXPECT_EQ(code_of(parse_epc("https://id.gs1.org/8018/401234500000067657/8019/1")),
            "NotAnIdentifier");
  EXPECT_EQ(code_of(parse_epc("https://id.gs1.org/417/4000001000005/7040/1ABC")),
            "NotAnIdentifier");
  EXPECT_EQ(code_of(parse_epc("https://id.gs1.org/8013/1987654Ad4X4bL5ttr2310c2K")),
            "NotAnIdentifier");
}

TEST(Epc, ALocationWithExtensionZeroHasNone) {
  const auto epc = parse_epc("https://id.gs1.org/414/4012345000054/254/0");
  ASSERT_TRUE(epc);
  EXPECT_EQ(epc_link(*epc), "https://id.gs1.org/414/4012345000054");
  EXPECT_EQ(epc_urn(*epc, 7), "urn:epc:id:sgln:4012345.00005.0");
}

Key key_of(std::vector<Element> elements) {
  const auto epc = epc_of(ElementString(std::move(elements)));
  EXPECT_TRUE(epc);
  return epc ? epc->key : Key::kGsin;
}

TEST(Epc, WhatElementsIdentify) {
  const Element gtin{"01", "04012345123456"};
  EXPECT_EQ(key_of({gtin}), Key::kGtinClass);
  EXPECT_EQ(key_of({gtin, {"17", "261231"}, {"10", "L"}}), Key::kLgtin);
  EXPECT_EQ(key_of({gtin, {"10", "L"}, {"21", "S"}}), Key::kSgtin);
  EXPECT_EQ(key_of({gtin, {"235", "T"}}), Key::kUpui);
  EXPECT_EQ(key_of({{"00", "340123451111111111"}, {"02", gtin.value}, {"37", "5"}}), Key::kSscc);
  EXPECT_EQ(key_of({{"8003", "04012345000221"}}), Key::kGraiClass);
  EXPECT_EQ(key_of({{"8003", "040123450002211"}}), Key::kGrai);
  EXPECT_EQ(key_of({{"414", "4012345000054"}}), Key::kSgln);
  EXPECT_EQ(key_of({{"8010", "4012345AB"}}), Key::kCpiClass);
  EXPECT_EQ(key_of({{"8010", "4012345AB"}, {"8011", "1"}}), Key::kCpi);
  EXPECT_EQ(code_of(epc_of(ElementString({{"10", "L"}}))), "NotAnIdentifier");
  EXPECT_EQ(code_of(epc_of(ElementString())), "NotAnIdentifier");
  const auto epc = epc_of(ElementString({{"10", "L"}, {"17", "261231"}, gtin, {"21", "S"}}));
  EXPECT_EQ(epc->elements, ElementString({gtin, {"21", "S"}}));
}

TEST(Epc, NamesOfKeys) {
  EXPECT_EQ(name_of(Key::kSgtin), "sgtin");
  EXPECT_EQ(name_of(Key::kGtinClass), "sgtin");
  EXPECT_EQ(name_of(Key::kPgln), "pgln");
  EXPECT_EQ(name_of(Key::kUpuiClass), "upui");
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto at = std::string_view("\"#%&/<>?").find(c);
    constexpr std::array<std::string_view, 8> kEscapes{"%22", "%23", "%25", "%26",
                                                       "%2F", "%3C", "%3E", "%3F"};
    if (at == std::string_view::npos) {
      out.push_back(c);
    } else {
      out += kEscapes.at(at);
    }
  }
  return out;
}

/// A URN of any scheme with a company prefix of any length.
std::string any_urn() {
  const auto& scheme = scheme_of(static_cast<Key>(*rc::gen::inRange(0, 23)));
  const auto prefix_size = *rc::gen::inRange<std::size_t>(kPrefixDigitsMin, kPrefixDigitsMax + 1);
  std::string urn = "urn:epc:" + std::string(scheme.kind) + ":" + std::string(scheme.name) + ":" +
                    *digits_of(prefix_size) + ".";
  if (scheme.digits != 0) {
    urn += *digits_of(scheme.digits - prefix_size);
  } else if (scheme.ai == "8010") {
    urn += escaped(*text_of("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1, 18));
  } else {
    urn += escaped(*text_of(kSet82, 1, 18));
  }
  if (scheme.pieces) urn += ".01.02";
  if (scheme.is_pattern()) return urn + ".*";
  if (scheme.serial_place == SerialPlace::kNone) return urn;
  const bool digits = scheme.key == Key::kCpi || scheme.key == Key::kSgcn;
  return urn + "." + escaped(*text_of(digits ? "123456789" : kSet82, 1, digits ? 12 : 16));
}

TEST(EpcProperty, AnyUrnIsReadAndWrittenAndGoesThroughItsLink) {
  EXPECT_TRUE(rc::check("urn -> epc -> urn, urn -> link -> urn", [] {
    const auto urn = any_urn();
    const auto epc = parse_epc(urn);
    RC_ASSERT(epc.has_value());
    RC_ASSERT(epc_urn(*epc) == urn);
    auto from_link = parse_epc(epc_link(*epc));
    RC_ASSERT(from_link.has_value());
    RC_ASSERT(from_link->elements == epc->elements);
    if (epc->key == Key::kUpuiClass) from_link->key = epc->key;
    RC_ASSERT(from_link->key == epc->key);
    RC_ASSERT(epc_urn(*from_link, epc->prefix_length) == urn);
  }));
}

TEST(EpcProperty, NoByteOfAUrnCanBeDroppedUnnoticed) {
  EXPECT_TRUE(rc::check("a shorter URN is refused or means something else", [] {
    auto urn = any_urn();
    const auto whole = parse_epc(urn);
    urn.erase(*rc::gen::inRange<std::size_t>(0, urn.size()), 1);
    const auto shorter = parse_epc(urn);
    RC_ASSERT((!shorter || *shorter != *whole));
  }));
}

}  // namespace
}  // namespace theriac::gs1
