#include "epcis/event_hash.hpp"

#include <gtest/gtest.h>

#include "epcis/test_support.hpp"
#include "epcis/write.hpp"

namespace theriac::epcis {
namespace {

struct Vector {
  std::string hash;
  std::string event;
};
const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all{
#define HASH(hash, event) {hash, event},
#include "epcis/event_hash_vectors.inc"
#undef HASH
  };
  return all;
}

Event event_of(const std::string& text) {
  const auto reading = read_json(text);
  if (!reading || reading->document.events.size() != 1) {
    ADD_FAILURE() << text << (reading ? told(*reading) : reading.error().message());
    return {};
  }
  return reading->document.events.front();
}

/// A minimal event with these further members.
Event observed(const std::string& members) {
  return event_of(R"({"@context":["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",)"
                  R"({"ext":"https://example.com/ext/"}],"type":"ObjectEvent","action":"OBSERVE",)"
                  R"("eventTimeZoneOffset":"+08:00","epcList":["urn:example:1"],)" +
                  members + "}");
}

TEST(EventHash, Reference) {
  EXPECT_EQ(vectors().size(), 21U);
  for (const Vector& one : vectors()) {
    const Event event = event_of(one.event);
    EXPECT_EQ(event_hash(event), "ni:///sha-256;" + one.hash + "?ver=CBV2.0") << pre_hash(event);
  }
}

/// The reference's documents name the fields that a repository added, which then do not count.
TEST(EventHash, ReferenceWithIgnoredFields) {
  const HashOptions options{.ignored = {{"https://repository-x.example.com/", "hash"},
                                        {"https://ns.example.com/epcis/", "captureID"},
                                        {"https://ns.example.com/epcis/", "testField1"},
                                        {"https://ns.example.com/epcis/", "testField2"}}};
  const std::string context =
      R"({"@context":["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",)"
      R"({"x":"https://repository-x.example.com/","n":"https://ns.example.com/epcis/"}],)"
      R"("type":"ObjectEvent",)";
  const std::string inspection =
      R"("eventTime":"2019-10-21T14:45:00Z","eventTimeZoneOffset":"+01:00","action":"OBSERVE",)"
      R"("epcList":["https://id.gs1.org/00/040123451111111127"],"bizStep":"inspecting",)"
      R"("disposition":"in_progress",)"
      R"("readPoint":{"id":"https://id.gs1.org/414/4012345000245/254/1"})";
  const std::string commissioning =
      R"("eventTime":"2024-06-08T08:58:56.591Z","eventTimeZoneOffset":"+02:00","action":"ADD",)"
      R"("bizStep":"commissioning","readPoint":{"id":"urn:epc:id:sgln:4054738.00005.0"},)"
      R"("quantityList":[{"epcClass":"urn:epc:class:lgtin:4054739.099961.2015-03-30a",)"
      R"("quantity":150,"uom":"KGM"}],)";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"b3d481c5590757ab8361a6cb0e924820feb3b61eb568e7d7703f21a96f76f51d",
       inspection + R"(,"x:hash":"ni:///x","n:captureID":"cc90bbe4-7f3a-4abd-b150-d4371c72a64f")"},
      {"2e3080ec5bfad98586d73f1943fae80e201613c1b2c0f084b3b8cd5976aaea5c",
       commissioning + R"("n:testField1":"1234","n:testField4":"ABCD")"},
      {"bfcf5b87dd396d4f7b266e33d4a969dc5250344ed0e47e85ce8e26d1adadad11",
       commissioning + R"("n:testField2":"1234","n:testField3":"PQRS")"}};
  for (const auto& [hash, members] : cases) {
    const Event event = event_of(context + members + "}");
    EXPECT_EQ(event_hash(event, options), "ni:///sha-256;" + hash + "?ver=CBV2.0");
    EXPECT_NE(event_hash(event), "ni:///sha-256;" + hash + "?ver=CBV2.0");
  }
}

TEST(EventHash, SameInBothFormats) {
  for (const Vector& one : vectors()) {
    const auto reading = read_json(one.event);
    ASSERT_TRUE(reading);
    const auto xml = write_xml(reading->document);
    ASSERT_TRUE(xml) << xml.error().message();
    const auto again = read_xml(*xml);
    ASSERT_TRUE(again) << again.error().message();
    ASSERT_EQ(again->document.events.size(), 1U) << told(*again) << *xml;
    EXPECT_EQ(pre_hash(again->document.events[0]), pre_hash(reading->document.events[0]));
    // Nor do the format of identifiers and the spelling of words matter.
    const auto other = write_xml(reading->document,
                                 {.epcs = EpcFormat::kDigitalLink, .words = CbvFormat::kWebUri});
    ASSERT_TRUE(other) << other.error().message();
    const auto linked = read_xml(*other);
    ASSERT_TRUE(linked);
    // (But where one object is in a list in both formats: it is there once as links.)
    if (linked->document.events.at(0).epcs.size() != reading->document.events[0].epcs.size())
      continue;
    EXPECT_EQ(pre_hash(linked->document.events.at(0)), pre_hash(reading->document.events[0]));
  }
}

TEST(EventHash, ExamplesOfGs1InBothFormats) {
  if (!fs::exists(data_folder())) GTEST_SKIP() << "GS1's examples are not here";
  std::size_t count = 0;
  for (const fs::path& path : files_under(data_folder() / "JSON", ".jsonld")) {
    const auto reading = read_json(text_of_file(path));
    if (!reading) continue;
    const auto xml = write_xml(reading->document);
    ASSERT_TRUE(xml) << xml.error().message();
    const auto again = read_xml(*xml);
    ASSERT_TRUE(again);
    ASSERT_EQ(again->document.events.size(), reading->document.events.size());
    for (std::size_t i = 0; i < again->document.events.size(); ++i) {
      EXPECT_EQ(pre_hash(again->document.events[i]), pre_hash(reading->document.events[i])) << path;
      ++count;
    }
  }
  EXPECT_EQ(count, 55U);
}

TEST(EventHash, WhatDoesNotCount) {
  const Event bare = observed(R"("eventTime":"2026-11-21T10:30:00+08:00")");
  EXPECT_EQ(pre_hash(bare),
            "eventType=ObjectEventeventTime=2026-11-21T02:30:00.000ZeventTimeZoneOffset=+08:00"
            "epcListepc=urn:example:1action=OBSERVE");
  const Event told_more =
      observed(R"("eventTime":"2026-11-21T02:30:00.0000Z","recordTime":"2026-11-22T00:00:00Z",)"
               R"("eventID":"urn:example:id","rdfs:comment":"a remark",)"
               R"("errorDeclaration":{"declarationTime":"2026-11-23T00:00:00Z"})");
  EXPECT_EQ(event_hash(told_more), event_hash(bare));
  const Event extended = observed(R"("eventTime":"2026-11-21T10:30:00+08:00","ext:captured":"x")");
  EXPECT_NE(event_hash(extended), event_hash(bare));
  EXPECT_EQ(event_hash(extended, {.ignored = {{"https://example.com/ext/", "captured"}}}),
            event_hash(bare));
  EXPECT_NE(event_hash(extended, {.ignored = {{"https://example.com/other/", "captured"}}}),
            event_hash(bare));
}

TEST(EventHash, TimesAreRoundedToMilliseconds) {
  const auto time = [](const std::string& text) {
    const std::string all = pre_hash(observed(R"("eventTime":")" + text + "\""));
    return all.substr(all.find("eventTime=") + 10, 24);
  };
  EXPECT_EQ(time("2023-01-18T11:04:03.1415Z"), "2023-01-18T11:04:03.142Z");  // the standard's own
  EXPECT_EQ(time("2023-01-18T11:04:03.1414999Z"), "2023-01-18T11:04:03.141Z");
  EXPECT_EQ(time("2023-01-18T11:04:03.14Z"), "2023-01-18T11:04:03.140Z");
  EXPECT_EQ(time("2022-12-31T23:59:59.9995Z"), "2023-01-01T00:00:00.000Z");
}

TEST(EventHash, NumbersHaveOneForm) {
  const auto value = [](const std::string& text) {
    const std::string all =
        pre_hash(observed(R"("eventTime":"2026-11-21T10:30:00Z","ext:n":)" + text));
    return all.substr(all.find("}n=") + 3);
  };
  EXPECT_EQ(value("1.0"), "1");
  EXPECT_EQ(value("\"1.50\""), "1.5");
  EXPECT_EQ(value("\"+007\""), "7");
  EXPECT_EQ(value("-0.0"), "0");
  EXPECT_EQ(value("1e3"), "1000");
  EXPECT_EQ(value("0.0001"), "0.0001");
  EXPECT_EQ(value("0.00001"), "1e-05");
  EXPECT_EQ(value("1e22"), "10000000000000000000000");
  EXPECT_EQ(value("\"1.2.3\""), "1.2.3");
  EXPECT_EQ(value("\"infinity\""), "infinity");
  EXPECT_EQ(value("\" 5 \""), "5");
}

}  // namespace
}  // namespace theriac::epcis
