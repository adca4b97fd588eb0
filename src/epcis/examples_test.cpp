// GS1's own examples, read, written in both formats, validated by GS1's schemas, and read back.
#include <gtest/gtest.h>

#include "epcis/test_support.hpp"
#include "epcis/write.hpp"

namespace theriac::epcis {
namespace {

class Examples : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(data_folder())) GTEST_SKIP() << "GS1's examples are not here";
  }

  /// Written as JSON and XML, each read back as the same document.
  static void round_trip(const Document& document) {
    const auto json = write_json(document);
    ASSERT_TRUE(json) << json.error().message();
    const auto from_json = read_json(*json);
    ASSERT_TRUE(from_json) << from_json.error().message();
    EXPECT_EQ(refused_events(*from_json), 0U) << told(*from_json);
    EXPECT_TRUE(from_json->document == document) << *json;

    const auto xml = write_xml(document);
    ASSERT_TRUE(xml) << xml.error().message();
    EXPECT_EQ(schema_of(document.kind).complaint(*xml), "") << *xml;
    const auto from_xml = read_xml(*xml);
    ASSERT_TRUE(from_xml) << from_xml.error().message() << *xml;
    EXPECT_FALSE(from_xml->refused) << told(*from_xml);
    EXPECT_EQ(refused_events(*from_xml), 0U) << told(*from_xml);
    // Which addresses @context has is a matter of JSON alone.
    Document expected = document;
    expected.contexts.clear();
    EXPECT_TRUE(from_xml->document == expected) << *json << *xml;

    Document back = from_xml->document;
    back.contexts = document.contexts;
    const auto json_again = write_json(back);
    ASSERT_TRUE(json_again) << json_again.error().message();
    EXPECT_EQ(*json_again, *json);
  }
};

TEST_F(Examples, JsonIsReadAndWritten) {
  std::size_t count = 0;
  std::size_t deviating = 0;
  for (const fs::path& path : files_under(data_folder() / "JSON", ".jsonld")) {
    SCOPED_TRACE(path.filename());
    const auto reading = read_json(text_of_file(path));
    if (path.filename() == "AssociationEvent-h.jsonld") {  // it has eventID twice
      ASSERT_FALSE(reading);
      EXPECT_EQ(reading.error(), (Error{Code::kMalformed, "JSON: duplicate key, event 1"}));
      continue;
    }
    ASSERT_TRUE(reading) << reading.error().message();
    EXPECT_FALSE(reading->refused) << told(*reading);
    EXPECT_EQ(refused_events(*reading), 0U) << told(*reading);
    EXPECT_FALSE(reading->document.events.empty());
    if (!reading->events.empty()) {
      // "all possible fields": what TCR-53 step 29 has refused.
      EXPECT_NE(told(*reading).find("SensorFieldTwice"), std::string::npos) << told(*reading);
      ++deviating;
    }
    round_trip(reading->document);
    ++count;
  }
  EXPECT_EQ(count, 46U);
  EXPECT_EQ(deviating, 5U);
}

TEST_F(Examples, SimpleContext) {
  std::vector<std::string> refused;
  std::size_t count = 0;
  for (const fs::path& path : files_under(data_folder() / "JSON-simple-context", ".jsonld")) {
    SCOPED_TRACE(path.filename());
    const auto reading = read_json(text_of_file(path));
    if (!reading || reading->refused || refused_events(*reading) != 0) {
      refused.push_back(path.filename());
      continue;
    }
    round_trip(reading->document);
    ++count;
  }
  EXPECT_EQ(count, 41U);
  // The first has a key twice, which a JSON schema does not see; the others GS1's schema refuses,
  // too.
  EXPECT_EQ(refused,
            (std::vector<std::string>{"AssociationEvent-h.jsonld",
                                      "Example-TransactionEvents-2020_07_03y.jsonld",
                                      "object_event_all_possible_fields.jsonld",
                                      "SensorDataExample12.jsonld", "SensorDataExample17.jsonld"}));
}

TEST_F(Examples, XmlIsReadAndWritten) {
  std::size_t count = 0;
  ProblemCodes codes;
  for (const fs::path& path : files_under(data_folder() / "XML", ".xml")) {
    if (path.parent_path().filename() == "CaptureJob") continue;  // no documents
    SCOPED_TRACE(path.filename());
    const auto reading = read_xml(text_of_file(path));
    ASSERT_TRUE(reading) << reading.error().message();
    for (const Problem& one : reading->problems) codes.set(static_cast<std::size_t>(one.code));
    for (const EventReading& event : reading->events) {
      for (const Problem& one : event.problems) codes.set(static_cast<std::size_t>(one.code));
    }
    EXPECT_FALSE(reading->refused) << told(*reading);
    EXPECT_EQ(refused_events(*reading), 0U) << told(*reading);
    const auto xml = write_xml(reading->document);
    ASSERT_TRUE(xml) << xml.error().message();
    EXPECT_EQ(schema_of(reading->document.kind).complaint(*xml), "") << *xml;
    const auto again = read_xml(*xml);
    ASSERT_TRUE(again) << again.error().message();
    Document expected = reading->document;
    EXPECT_TRUE(again->document == expected) << *xml;
    ++count;
  }
  EXPECT_EQ(count, 33U);
  using enum ProblemCode;
  EXPECT_EQ(codes, problem_codes({kDoctype, kSensorFieldTwice, kReportWithoutTypeButException,
                                  kSpellingOfWord, kNotAWordOfGs1}));
}

}  // namespace
}  // namespace theriac::epcis
