#include "epcis/write.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "epcis/rules.hpp"
#include "epcis/test_support.hpp"

namespace theriac::epcis {
namespace {

Event minimal() {
  Event event;
  event.event_time = *time_of("2026-11-21T10:30:00+08:00");
  event.time_zone_offset = "+08:00";
  event.epcs = {"urn:epc:id:sgtin:4012345.011111.A1"};
  event.action = Action::kObserve;
  return event;
}

Document with(Event event) {
  Document document;
  document.creation_date = time_of("2026-11-21T10:31:00Z");
  document.events.push_back(std::move(event));
  return document;
}

void expect_error(const Result<std::string>& written, Code code, const std::string& where) {
  ASSERT_FALSE(written) << *written;
  EXPECT_EQ(written.error().code, code);
  EXPECT_EQ(written.error().where, where);
}

TEST(Write, Json) {
  EXPECT_EQ(write_json(with(minimal())).value(),
            R"({"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],)"
            R"("type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-21T10:31:00Z",)"
            R"("epcisBody":{"eventList":[{"type":"ObjectEvent",)"
            R"("eventTime":"2026-11-21T10:30:00+08:00","eventTimeZoneOffset":"+08:00",)"
            R"("epcList":["urn:epc:id:sgtin:4012345.011111.A1"],"action":"OBSERVE"}]}})");
}

TEST(Write, Xml) {
  EXPECT_EQ(write_xml(with(minimal())).value(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<epcis:EPCISDocument xmlns:epcis=\"urn:epcglobal:epcis:xsd:2\""
            " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
            " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" schemaVersion=\"2.0\""
            " creationDate=\"2026-11-21T10:31:00Z\"><EPCISBody><EventList><ObjectEvent>"
            "<eventTime>2026-11-21T10:30:00+08:00</eventTime>"
            "<eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
            "<epcList><epc>urn:epc:id:sgtin:4012345.011111.A1</epc></epcList>"
            "<action>OBSERVE</action></ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>");
}

TEST(Write, AnEventThatIsWrongIsNotWritten) {
  Event event = minimal();
  event.epcs.clear();
  EXPECT_EQ(problems_of(event), (std::vector<Problem>{{ProblemCode::kNothingObserved, ""}}));
  const std::string where =
      "EPCIS: event 0: : the event names no object, no quantity and no sensor report with a read "
      "point";
  expect_error(write_json(with(event)), Code::kMalformed, where);
  expect_error(write_xml(with(event)), Code::kMalformed, where);
  event = minimal();
  event.biz_step.value = "transforming";
  expect_error(write_json(with(event)), Code::kMalformed,
               "EPCIS: event 0: bizStep: the word is not in the CBV and not a URI outside it");
  event = minimal();
  event.event_time.text = "yesterday";
  EXPECT_EQ(problems_of(event), (std::vector<Problem>{{ProblemCode::kBadTime, "eventTime"}}));
  event = minimal();
  event.epcs = {"\xff"};
  EXPECT_FALSE(problems_of(event).empty());
}

TEST(Write, WhatADocumentNeeds) {
  Document document = with(minimal());
  document.creation_date.reset();
  expect_error(write_json(document), Code::kMalformed, "EPCIS: creationDate");
  expect_error(write_xml(document), Code::kMalformed, "EPCIS: creationDate");
  document = with(minimal());
  document.kind = DocumentKind::kQueryResult;
  expect_error(write_json(document), Code::kMalformed, "EPCIS: queryName");
  expect_error(write_xml(document), Code::kMalformed, "EPCIS: queryName");
  document.kind = DocumentKind::kBareEvent;
  document.events.clear();
  expect_error(write_json(document), Code::kMalformed, "EPCIS: a bare event is one event");
  expect_error(write_xml(document), Code::kMalformed, "EPCIS: a bare event is one event");
}

TEST(Write, WhatXmlCannotHold) {
  const auto with_extension = [](Element element) {
    Event event = minimal();
    event.extensions.push_back(std::move(element));
    return with(event);
  };
  const std::string ns = "https://example.com/";
  expect_error(write_xml(with_extension({.ns = ns, .name = "7th"})), Code::kUnsupported,
               "EPCIS: not possible in XML");
  expect_error(write_xml(with_extension({.ns = ns, .name = "a", .text = std::string(1, '\x01')})),
               Code::kUnsupported, "EPCIS: not possible in XML");
  expect_error(write_xml(with_extension({.ns = ns, .name = "a", .text = "\xef\xbf\xbf"})),
               Code::kUnsupported, "EPCIS: not possible in XML");
  EXPECT_TRUE(write_json(with_extension({.ns = ns, .name = "7th"})));
  EXPECT_TRUE(write_json(with_extension({.ns = ns, .name = "a", .text = std::string(1, '\x01')})));

  Event event = minimal();
  event.certification_info = {"urn:example:1", "urn:example:2"};
  EXPECT_TRUE(write_json(with(event)));
  expect_error(write_xml(with(event)), Code::kUnsupported,
               "EPCIS: event 0: more than one certificationInfo");

  event = minimal();
  event.read_point = Location{.id = "urn:example:r", .extensions = {}};
  event.sensor_elements = {{.metadata = {}, .reports = {{}}, .extensions = {}}};
  SensorReport& report = event.sensor_elements[0].reports[0];
  report.exception.value = "ALARM_CONDITION";
  EXPECT_TRUE(write_xml(with(event)));
  expect_error(write_json(with(event)), Code::kUnsupported,
               "EPCIS: event 0: a sensor report without a type");
  report.type.value = "Temperature";
  report.extensions = {{.ns = ns, .name = "a", .children = {{.ns = ns, .name = "b"}}}};
  EXPECT_TRUE(write_json(with(event)));
  expect_error(write_xml(with(event)), Code::kUnsupported, "EPCIS: not possible in XML");
}

TEST(Write, FormatsOfIdentifiersAndWords) {
  Event event = minimal();
  event.epcs.emplace_back("https://id.gs1.org/01/04012345222227/21/B2");
  event.epcs.emplace_back("https://id.gs1.org/01/04012345111118/21/A1");  // the first, again
  event.epcs.emplace_back("urn:example:own");
  event.biz_step.value = "shipping";
  const auto epcs = [&](const WriteOptions& options) {
    return read_json(write_json(with(event), options).value())->document.events.at(0).epcs;
  };
  EXPECT_EQ(epcs({}), event.epcs);
  EXPECT_EQ(
      epcs({.epcs = EpcFormat::kDigitalLink}),
      (std::vector<std::string>{"https://id.gs1.org/01/04012345111118/21/A1",
                                "https://id.gs1.org/01/04012345222227/21/B2", "urn:example:own"}));
  EXPECT_EQ(epcs({.epcs = EpcFormat::kUrn}), event.epcs);  // nobody knows the prefix's length
  EXPECT_EQ(epcs({.epcs = EpcFormat::kUrn, .prefix_length = [](std::string_view) { return 7; }}),
            (std::vector<std::string>{"urn:epc:id:sgtin:4012345.011111.A1",
                                      "urn:epc:id:sgtin:4012345.022222.B2", "urn:example:own"}));
  const auto step = [&](Spelling spelling, CbvFormat format) {
    event.biz_step.spelling = spelling;
    const std::string xml = write_xml(with(event), {.words = format}).value();
    const std::size_t at = xml.find("<bizStep>") + 9;
    return xml.substr(at, xml.find("</bizStep>") - at);
  };
  const std::string urn = "urn:epcglobal:cbv:bizstep:shipping";
  const std::string web = "https://ref.gs1.org/cbv/BizStep-shipping";
  EXPECT_EQ(step(Spelling::kBare, CbvFormat::kAsIs), urn);
  EXPECT_EQ(step(Spelling::kUrn, CbvFormat::kAsIs), urn);
  EXPECT_EQ(step(Spelling::kWebUri, CbvFormat::kAsIs), web);
  EXPECT_EQ(step(Spelling::kWebUri, CbvFormat::kUrn), urn);
  EXPECT_EQ(step(Spelling::kUrn, CbvFormat::kWebUri), web);
}

TEST(Write, PrefixesAreDeclaredOrMadeUp) {
  Event event = minimal();
  event.extensions = {{.ns = "https://example.com/a/", .name = "x"},
                      {.ns = "https://example.com/b/", .name = "x"},
                      {.ns = "https://example.com/c/", .name = "x"}};
  event.extensions.push_back({.ns = std::string(kCbvMasterData), .name = "lotNumber"});
  Document document = with(event);
  document.namespaces = {{"a", "https://example.com/a/"},
                         {"ns1", "https://example.com/unused/"},
                         {"epcis", "https://example.com/b/"}};
  const std::string json = write_json(document).value();
  for (const char* part : {R"("a:x")", R"("epcis:x")", R"({"ns2":"https://example.com/c/"})",
                           R"("ns2:x")", R"("cbvmda:lotNumber")"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << json;
  }
  EXPECT_EQ(json.find(R"({"cbvmda")"), std::string::npos);
  const std::string xml = write_xml(document).value();  // "epcis" is the format's own there
  for (const char* part : {"<a:x/>", "<ns2:x/>", "<ns3:x/>", "xmlns:cbvmda="}) {
    EXPECT_NE(xml.find(part), std::string::npos) << part << xml;
  }
}

TEST(Write, BusinessHeader) {
  Document document = with(minimal());
  document.sender = "urn:epc:id:sgln:4012345.00005.0";
  document.receiver = "urn:epc:id:sgln:4012345.00006.0";
  document.instance_identifier = "7";
  const std::string xml = write_xml(document).value();
  if (fs::exists(data_folder())) EXPECT_EQ(schema_of(document.kind).complaint(xml), "");
  EXPECT_EQ(read_xml(xml)->document, document);
  // One that says more is kept whole.
  const std::size_t at = xml.find("<sbdh:Identifier>");
  std::string richer = xml;
  richer.replace(at, 17, "<sbdh:Identifier Authority=\"GS1\">");
  const Document read = read_xml(richer)->document;
  EXPECT_EQ(read.sender, document.sender);
  ASSERT_TRUE(read.business_header);
  EXPECT_EQ(read_xml(write_xml(read).value())->document, read);
}

TEST(Write, MasterData) {
  Document document = with(minimal());
  document.events.clear();
  document.kind = DocumentKind::kMasterData;
  document.namespaces = {{"ext", "https://example.com/ext/"}};
  MasterDataAttribute text{.id = "urn:epcglobal:cbv:mda:site", .value = {.text = "4012345000054"}};
  MasterDataAttribute tree{.id = "urn:example:address", .value = {}};
  tree.value.children = {{.ns = "https://example.com/ext/", .name = "City", .text = "Ulm"}};
  document.master_data = {{.type = "urn:epcglobal:epcis:vtype:BusinessLocation",
                           .elements = {{.id = "urn:epc:id:sgln:4012345.00005.0",
                                         .attributes = {text, tree},
                                         .children = {"urn:epc:id:sgln:4012345.00005.1"}}}}};
  const std::string xml = write_xml(document).value();
  if (fs::exists(data_folder())) EXPECT_EQ(schema_of(document.kind).complaint(xml), "");
  EXPECT_EQ(read_xml(xml)->document, document);
  const auto json = read_json(write_json(document).value());
  ASSERT_TRUE(json);
  EXPECT_EQ(json->document.master_data, document.master_data);
}

std::vector<Element> some_extensions(int depth);

/// Extensions of any shape that both formats have.
rc::Gen<Element> extension(int depth) {
  return rc::gen::exec([depth] {
    Element out;
    out.ns =
        *rc::gen::elementOf(std::vector<std::string>{"https://example.com/a/", "urn:example:b"});
    out.name = *rc::gen::elementOf(std::vector<std::string>{"alpha", "beta-2", "_c"});
    const int kind = *rc::gen::inRange(0, depth > 0 ? 5 : 4);
    if (kind == 0) {
      out.text = *rc::gen::elementOf(
          std::vector<std::string>{"", "x", " spaced ", "<&>\"'", "line\nbreak\r\ttab", "药 ü"});
    } else if (kind == 1) {
      out.type = Scalar::kInteger;
      out.text = std::to_string(*rc::gen::arbitrary<int>());
    } else if (kind == 2) {
      out.type = Scalar::kDouble;
      out.text = *rc::gen::elementOf(std::vector<std::string>{"0.5", "-1.25e-7", "26.0"});
    } else if (kind == 3) {
      out.type = Scalar::kBoolean;
      out.text = *rc::gen::arbitrary<bool>() ? "true" : "false";
    } else {
      out.children = some_extensions(depth - 1);
    }
    return out;
  });
}

std::vector<Element> some_extensions(int depth) {
  std::vector<Element> out;
  for (int count = *rc::gen::inRange(0, 5); count > 0; --count) out.push_back(*extension(depth));
  return out;
}

/// Members of one name next to each other, as JSON's arrays bring them.
void group(std::vector<Element>& list) {
  std::vector<Element> out;
  while (!list.empty()) {
    const Element first = list.front();
    std::erase_if(list, [&](Element& one) {
      if (one.ns != first.ns || one.name != first.name) return false;
      group(one.children);
      out.push_back(one);
      return true;
    });
  }
  list = std::move(out);
}

TEST(Write, PropertyJsonToXmlToJson) {
  EXPECT_TRUE(rc::check([] {
    Event event = minimal();
    event.action = Action::kAdd;
    event.extensions = some_extensions(3);
    event.ilmd = some_extensions(2);
    group(event.extensions);
    group(event.ilmd);
    Document document = with(event);
    document.namespaces = {{"a", "https://example.com/a/"}, {"b", "urn:example:b"}};
    const auto json = write_json(document);
    RC_ASSERT(json.has_value());
    const auto from_json = read_json(*json);
    RC_ASSERT(from_json.has_value());
    RC_ASSERT(from_json->document.events == document.events);
    const auto xml = write_xml(from_json->document);
    RC_ASSERT(xml.has_value());
    const auto from_xml = read_xml(*xml);
    RC_ASSERT(from_xml.has_value());
    RC_ASSERT(from_xml->document.events == document.events);
  }));
}

}  // namespace
}  // namespace theriac::epcis
