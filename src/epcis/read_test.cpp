// Every problem that a reading can name, by the smallest input that has it; and the limits.
#include "epcis/read.hpp"

#include <gtest/gtest.h>

#include <map>

#include "epcis/limits.hpp"
#include "epcis/test_support.hpp"
#include "epcis/write.hpp"

namespace theriac::epcis {
namespace {

struct Case {
  const char* told;   ///< problems, each in its line
  std::string input;  ///< members of an event, or a document
};

/// Members that make an ObjectEvent valid; what a case names itself is left out.
std::string object_event(const std::string& members) {
  std::string out = R"({"type":"ObjectEvent")";
  const std::map<std::string, std::string> defaults{{"eventTime", R"("2026-11-21T10:30:00+08:00")"},
                                                    {"eventTimeZoneOffset", R"("+08:00")"},
                                                    {"action", R"("OBSERVE")"},
                                                    {"epcList", R"(["urn:example:1"])"}};
  for (const auto& [name, value] : defaults) {
    const std::string quoted = '"' + name + '"';
    if (members.find(quoted) != std::string::npos) continue;
    out += ',';
    out += quoted;
    out += ':';
    out += value;
  }
  return out + (members.empty() ? "" : "," + members) + "}";
}

std::string document_of(const std::string& event) {
  return R"({"@context":["https://ref.gs1.org/standards/epcis/epcis-context.jsonld",)"
         R"({"ext":"https://example.com/ext/"}],"type":"EPCISDocument","schemaVersion":"2.0",)"
         R"("creationDate":"2026-11-21T10:30:00Z","epcisBody":{"eventList":[)" +
         event + "]}}";
}

std::string xml_document(const std::string& body, const std::string& version = "2") {
  return "<epcis:EPCISDocument xmlns:epcis=\"urn:epcglobal:epcis:xsd:" + version +
         "\" xmlns:ext=\"https://example.com/ext/\" schemaVersion=\"" +
         (version == "2" ? "2.0" : "1.2") +
         "\" creationDate=\"2026-11-21T10:30:00Z\"><EPCISBody><EventList>" + body +
         "</EventList></EPCISBody></epcis:EPCISDocument>";
}
/// An ObjectEvent with `more` behind its action.
std::string xml_event(const std::string& more, const std::string& before = "") {
  return "<ObjectEvent>" + before +
         "<eventTime>2026-11-21T10:30:00Z</eventTime>"
         "<eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
         "<epcList><epc>urn:example:1</epc></epcList><action>OBSERVE</action>" +
         more + "</ObjectEvent>";
}

ProblemCodes seen_codes;

void expect_told(const Result<Reading>& reading, const Case& one) {
  ASSERT_TRUE(reading) << one.input << reading.error().message();
  EXPECT_EQ(told(*reading), one.told) << one.input;
  bool refusal = false;
  const auto see = [&](const std::vector<Problem>& problems) {
    for (const Problem& problem : problems) {
      seen_codes.set(static_cast<std::size_t>(problem.code));
      refusal = refusal || kind_of(problem.code) == Kind::kRefusal;
    }
  };
  see(reading->problems);
  for (const EventReading& event : reading->events) see(event.problems);
  EXPECT_EQ(reading->refused || refused_events(*reading) > 0, refusal) << one.input;
}

constexpr const char* kSensor =
    R"("sensorElementList":[{"sensorReport":[{"type":"Temperature"}]}])";
std::string report(const std::string& members) {
  return R"("sensorElementList":[{"sensorReport":[{)" + members + "}]}]";
}

TEST(Read, EventsInJson) {
  const std::vector<Case> cases{
      {"", ""},
      {"", kSensor},
      {"0: WrongType eventTime\n", R"("eventTime":5)"},
      {"0: EmptyValue eventTime\n", R"("eventTime":"")"},
      {"0: BadTime eventTime\n", R"("eventTime":"2026-11-21T10:30:00")"},
      {"0: BadTime eventTime\n", R"("eventTime":"21.11.2026")"},
      {"0: BadTime eventTime\n", R"("eventTime":"2026-11-21T10:30:00+15:00")"},
      {"0: BadTime eventTime\n", R"("eventTime":"2026-02-29T10:30:00Z")"},
      {"0: BadTime eventTime\n", R"("eventTime":"2016-12-31T23:59:60Z")"},
      {"0: BadOffset eventTimeZoneOffset\n", R"("eventTimeZoneOffset":"+0800")"},
      {"0: BadOffset eventTimeZoneOffset\n", R"("eventTimeZoneOffset":"+14:01")"},
      {"0: BadAction action\n", R"("action":"CREATE")"},
      {"0: NotAUri epcList[1]\n", R"("epcList":["urn:example:1","1"])"},
      {"0: WrongType epcList\n", R"("epcList":"urn:example:1")"},
      {"0: BadEpc epcList[0]\n", R"("epcList":["urn:epc:id:sgtin:1.2.3"])"},
      {"0: RepeatedIdentifier epcList\n", R"("epcList":["urn:example:1","urn:example:1"])"},
      {"0: NothingObserved \n", R"("epcList":[])"},
      {"0: NothingObserved \n", std::string(R"("epcList":[],)") + kSensor},
      {"", std::string(R"("epcList":[],"readPoint":{"id":"urn:example:2"},)") + kSensor},
      {"0: TooLong readPoint.id\n",
       R"("readPoint":{"id":"urn:example:)" + std::string(kUriBytesMax, 'x') + "\"}"},
      {"0: UnknownWord bizStep\n", R"("bizStep":"transforming")"},
      {"0: UnknownWord bizStep\n", R"("bizStep":"urn:epcglobal:cbv:bizstep:transforming")"},
      {"0: SpellingOfWord bizStep\n", R"("bizStep":"urn:epcglobal:cbv:bizstep:shipping")"},
      {"0: SpellingOfWord bizStep\n", R"("bizStep":"https://ns.gs1.org/cbv/BizStep-shipping")"},
      {"", R"("bizStep":"https://ref.gs1.org/cbv/BizStep-shipping")"},
      {"", R"("bizStep":"https://example.com/own")"},
      {"0: NotAWordOfGs1 bizStep\n", R"("bizStep":"cbv:BizStep-transforming")"},
      {"0: RenamedWord disposition\n", R"("disposition":"non_sellable_expired")"},
      {"0: BareLocation readPoint\n", R"("readPoint":"urn:example:2")"},
      {"0: MissingField readPoint.id\n", R"("readPoint":{})"},
      {"0: UnknownField readPoint\n", R"("readPoint":{"id":"urn:example:2","name":"x"})"},
      {"", R"("readPoint":{"id":"urn:example:2","ext:name":"x"})"},
      {"0: MisplacedField parentID\n", R"("parentID":"urn:example:2")"},
      {"0: UnknownField \n", R"("field":"x")"},
      {"0: UnknownPrefix \n", R"("other:field":"x")"},
      {"0: BadName \n", R"("ext:":"x")"},
      {"0: EmptyExtension \n", R"("ext:field":null)"},
      {"0: EmptyExtension \n", R"("ext:field":[])"},
      {"0: NestedList \n", R"("ext:field":[["x"]])"},
      {"", R"("https://example.com/other/field":"x")"},
      {"0: ContextTerm @context\n", R"("@context":{"ext:field":{"@type":"@id"}})"},
      {"0: BadContext @context\n", R"("@context":5)"},
      {"0: EventIdAsId id\n", R"("id":"urn:example:2")"},
      {"0: IlmdNotAllowed ilmd\n", R"("ilmd":{"ext:lot":"x"})"},
      {"", R"("action":"ADD","ilmd":{"ext:lot":"x"})"},
      {"0: UnknownField ilmd\n", R"("action":"ADD","ilmd":{"lot":"x"})"},
      {"0: MissingField quantityList[0].epcClass\n", R"("quantityList":[{"quantity":1}])"},
      {"0: WrongType quantityList[0].quantity\n",
       R"("quantityList":[{"epcClass":"urn:example:2","quantity":"1"}])"},
      {"0: UomWithoutQuantity quantityList[0].uom\n",
       R"("quantityList":[{"epcClass":"urn:example:2","uom":"KGM"}])"},
      {"0: BadUom quantityList[0].uom\n",
       R"("quantityList":[{"epcClass":"urn:example:2","quantity":1,"uom":"kg"}])"},
      {"0: UnknownField quantityList[0]\n",
       R"("quantityList":[{"epcClass":"urn:example:2","weight":5}])"},
      {"0: EmptyDisposition persistentDisposition\n", R"("persistentDisposition":{})"},
      {"0: MissingField sourceList[0].type\n", R"("sourceList":[{"source":"urn:example:2"}])"},
      {"0: MissingField bizTransactionList[0].bizTransaction\n",
       R"("bizTransactionList":[{"type":"po"}])"},
      {"", R"("bizTransactionList":[{"bizTransaction":"urn:example:2"}])"},
      {"0: MissingField errorDeclaration.declarationTime\n", R"("errorDeclaration":{})"},
      {"0: WrongType certificationInfo[0]\n", R"("certificationInfo":[{"ext:a":"x"}])"},
      {"", R"("certificationInfo":["urn:example:2","urn:example:3"])"},
      {"0: ReportMissing sensorElementList[0].sensorReport\n", R"("sensorElementList":[{}])"},
      {"0: ReportWithoutType sensorElementList[0].sensorReport[0].type\n", report(R"("value":1)")},
      {"0: ReportWithoutTypeButException sensorElementList[0].sensorReport[0].type\n",
       report(R"("exception":"ALARM_CONDITION")")},
      {"0: UnknownUnit sensorElementList[0].sensorReport[0].uom\n",
       report(R"("type":"Temperature","value":1,"uom":"ZZZ")")},
      {"0: BadHex sensorElementList[0].sensorReport[0].hexBinaryValue\n",
       report(R"("type":"Temperature","hexBinaryValue":"f0f")")},
      {"0: WrongType sensorElementList[0].sensorReport[0].booleanValue\n",
       report(R"("type":"Temperature","booleanValue":"true")")},
      {"0: NotAWordOfGs1 sensorElementList[0].sensorReport[0].type\n",
       report(R"("type":"gs1:Molar_concentration")")},
      {"0: SpellingOfWord sensorElementList[0].sensorReport[0].type\n",
       report(R"("type":"https://gs1.org/voc/Temperature")")},
      {"0: EndBeforeStart sensorElementList[0].sensorMetadata.endTime\n",
       R"("sensorElementList":[{"sensorMetadata":{"startTime":"2026-11-21T10:30:00Z",)"
       R"("endTime":"2026-11-21T10:29:00Z"},"sensorReport":[{"type":"Temperature"}]}])"},
      // TCR-53 step 29
      {"0: SensorFieldTwice sensorElementList[0].sensorReport[0].deviceID\n",
       R"("sensorElementList":[{"sensorMetadata":{"deviceID":"urn:example:2"},)"
       R"("sensorReport":[{"type":"Temperature","deviceID":"urn:example:2"}]}])"},
      {"0: SensorFieldDiffers sensorElementList[0].sensorReport[0].deviceID\n",
       R"("sensorElementList":[{"sensorMetadata":{"deviceID":"urn:example:2"},)"
       R"("sensorReport":[{"type":"Temperature","deviceID":"urn:example:3"}]}])"},
      {"0: RedundantType sensorElementList[0].type\n",
       R"("sensorElementList":[{"type":"epcis:SensorElement",)"
       R"("sensorReport":[{"type":"Temperature"}]}])"},
  };
  for (const Case& one : cases) expect_told(read_json(document_of(object_event(one.input))), one);
}

TEST(Read, OtherTypesOfEvent) {
  const std::string time =
      R"("eventTime":"2026-11-21T10:30:00+08:00","eventTimeZoneOffset":"+08:00")";
  const std::vector<Case> cases{
      {"0: UnknownEventType \n", R"({"type":"OwnEvent",)" + time + "}"},
      {"0: MissingField type\n", "{" + time + "}"},
      {"0: WrongType \n", "5"},
      {"0: MissingField eventTime\n0: MissingField eventTimeZoneOffset\n",
       R"({"type":"ObjectEvent","action":"OBSERVE","epcList":["urn:example:1"]})"},
      {"0: OffsetFromTime eventTimeZoneOffset\n",
       R"({"type":"ObjectEvent","action":"OBSERVE","epcList":["urn:example:1"],)"
       R"("eventTime":"2026-11-21T10:30:00+08:00"})"},
      {"0: MissingField eventTimeZoneOffset\n",
       R"({"type":"ObjectEvent","action":"OBSERVE","epcList":["urn:example:1"],)"
       R"("eventTime":"2026-11-21T10:30:00Z"})"},
      {"0: MissingField action\n",
       R"({"type":"ObjectEvent","epcList":["urn:example:1"],)" + time + "}"},
      {"0: ParentMissing parentID\n",
       R"({"type":"AggregationEvent","action":"ADD","childEPCs":["urn:example:1"],)" + time + "}"},
      {"", R"({"type":"AggregationEvent","action":"OBSERVE","childEPCs":["urn:example:1"],)" +
               time + "}"},
      {"0: ChildrenMissing childEPCs\n",
       R"({"type":"AggregationEvent","action":"OBSERVE","parentID":"urn:example:1",)" + time + "}"},
      {"",
       R"({"type":"AggregationEvent","action":"DELETE","parentID":"urn:example:1",)" + time + "}"},
      // TCR-54 steps 3 and 4
      {"0: ParentMissing parentID\n",
       R"({"type":"AssociationEvent","action":"DELETE","childEPCs":["urn:example:1"],)" + time +
           "}"},
      {"0: ChildrenMissing childEPCs\n",
       R"({"type":"AssociationEvent","action":"OBSERVE","parentID":"urn:example:1",)" + time + "}"},
      {"0: TransactionMissing bizTransactionList\n",
       R"({"type":"TransactionEvent","action":"ADD","epcList":["urn:example:1"],)" + time + "}"},
      {"0: NothingObserved \n", R"({"type":"TransactionEvent","action":"ADD",)"
                                R"("bizTransactionList":[{"bizTransaction":"urn:example:1"}],)" +
                                    time + "}"},
      {"0: InputOrOutputMissing \n",
       R"({"type":"TransformationEvent","inputEPCList":["urn:example:1"],)" + time + "}"},
      {"", R"({"type":"TransformationEvent","inputEPCList":["urn:example:1"],)"
           R"("transformationID":"urn:example:2",)" +
               time + "}"},
      {"0: MisplacedField action\n",
       R"({"type":"TransformationEvent","inputEPCList":["urn:example:1"],"action":"ADD",)"
       R"("outputEPCList":["urn:example:2"],)" +
           time + "}"},
  };
  for (const Case& one : cases) expect_told(read_json(document_of(one.input)), one);
}

TEST(Read, DocumentsInJson) {
  const std::string context = R"({"@context":"https://ref.gs1.org/epcis-context.jsonld",)";
  const std::string head = R"("schemaVersion":"2.0","creationDate":"2026-11-21T10:30:00Z")";
  const std::vector<Case> cases{
      {"WrongType \n", "[]"},
      {"BadContext @context\n", R"({"type":"EPCISDocument"})"},
      {"MissingField type\n", context + R"("id":"urn:example:1"})"},
      {"UnknownDocument type\n", context + R"("type":"Order"})"},
      {"MissingField schemaVersion\nMissingField epcisBody\n",
       context + R"("type":"EPCISDocument","creationDate":"2026-11-21T10:30:00Z"})"},
      {"UnknownVersion schemaVersion\n",
       context + R"("type":"EPCISDocument","schemaVersion":"3.0",)"
                 R"("creationDate":"2026-11-21T10:30:00Z","epcisBody":{"eventList":[]}})"},
      {"MissingField epcisBody.eventList\n",
       context + R"("type":"EPCISDocument","epcisBody":{},)" + head + "}"},
      {"UnknownField \n",
       context + R"("type":"EPCISDocument","epcisBody":{"eventList":[]},"field":"x",)" + head +
           "}"},
      {"MissingField epcisBody.queryResults.queryName\n",
       context + R"("type":"EPCISQueryDocument",)"
                 R"("epcisBody":{"queryResults":{"resultsBody":{"eventList":[]}}}})"},
      {"", context + R"("type":"EPCISQueryDocument",)"
                     R"("epcisBody":{"queryResults":{"queryName":"q","resultsBody":)"
                     R"({"eventList":[]}}}})"},
      {"MissingField epcisHeader.epcisMasterData.vocabularyList[0].type\n",
       context +
           R"("type":"EPCISDocument","epcisBody":{"eventList":[]},)"
           R"("epcisHeader":{"epcisMasterData":{"vocabularyList":[{}]}},)" +
           head + "}"},
      {"DroppedExtension epcisHeader.epcisMasterData.vocabularyList[0]\n",
       context +
           R"("type":"EPCISDocument","epcisBody":{"eventList":[]},)"
           R"("epcisHeader":{"epcisMasterData":{"vocabularyList":[)"
           R"({"type":"urn:example:t","gs1:x":"y"}]}},)" +
           head + "}"},
  };
  for (const Case& one : cases) expect_told(read_json(one.input), one);
}

TEST(Read, Xml) {
  const std::string parent = "<parentID>urn:example:2</parentID>";
  const std::vector<Case> cases{
      {"", xml_document(xml_event(""))},
      {"Doctype \n", "<!DOCTYPE project>" + xml_document(xml_event(""))},
      {"UnknownDocument \n", "<EPCISDocument/>"},
      {"UnknownDocument \n", "<EventList/>"},
      {"UnknownDocument \n", "<a:EPCISDocument xmlns:a='urn:epcglobal:epcis:xsd:3'/>"},
      {"OtherVersion schemaVersion\n",
       R"(<a:EPCISDocument xmlns:a="urn:epcglobal:epcis:xsd:1" schemaVersion="2.0")"
       R"( creationDate="2026-11-21T10:30:00Z"><EPCISBody/></a:EPCISDocument>)"},
      {"DateWithoutZone creationDate\n",
       R"(<a:EPCISDocument xmlns:a="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0")"
       R"( creationDate="2026-11-21T10:30:00"><EPCISBody/></a:EPCISDocument>)"},
      {"0: OutOfOrder action\n",
       xml_document("<ObjectEvent><eventTime>2026-11-21T10:30:00Z</eventTime>"
                    "<eventTimeZoneOffset>+08:00</eventTimeZoneOffset><bizStep>urn:example:s"
                    "</bizStep><action>OBSERVE</action><quantityList><quantityElement>"
                    "<epcClass>urn:example:1</epcClass></quantityElement></quantityList>"
                    "</ObjectEvent>")},
      {"0: OutOfOrder bizStep\n",
       xml_document(xml_event("<ext:a/><bizStep>https://example.com/own</bizStep>"))},
      {"0: RepeatedField action\n", xml_document(xml_event("<action>OBSERVE</action>"))},
      {"0: MisplacedField parentID\n", xml_document(xml_event(parent))},
      {"0: UnknownField \n", xml_document(xml_event("<field>x</field>"))},
      {"0: UnqualifiedExtension \n",
       xml_document(xml_event("<extension><field>x</field></extension>"))},
      {"0: QualifiedField \n",
       xml_document(xml_event("<epcis:bizStep>https://example.com/own</epcis:bizStep>"))},
      {"0: SpellingOfWord bizStep\n", xml_document(xml_event("<bizStep>shipping</bizStep>"))},
      {"0: UnknownWord bizStep\n", xml_document(xml_event("<bizStep>own</bizStep>"))},
      {"0: BadNumber quantityList[0].quantity\n",
       xml_document(xml_event("<quantityList><quantityElement><epcClass>urn:example:2</epcClass>"
                              "<quantity>INF</quantity></quantityElement></quantityList>"))},
      {"0: OutOfOrder quantityList[0].quantity\n",
       xml_document(xml_event("<quantityList><quantityElement><epcClass>urn:example:2</epcClass>"
                              "<uom>KGM</uom><quantity>5</quantity></quantityElement>"
                              "</quantityList>"))},
      {"0: MisspelledField sensorElementList[0].sensorMetadata\n",
       xml_document(xml_event("<sensorElementList><sensorElement><sensorMetaData/>"
                              "<sensorReport type='gs1:Temperature'/></sensorElement>"
                              "</sensorElementList>"))},
      {"UnqualifiedResults EPCISBody\nUnnamedQuery EPCISBody.QueryResults.queryName\n",
       R"(<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" schemaVersion="2.0")"
       R"( creationDate="2026-11-21T10:30:00Z"><EPCISBody><QueryResults><resultsBody><EventList/>)"
       R"(</resultsBody></QueryResults></EPCISBody></q:EPCISQueryDocument>)"},
      {"UnknownDocument EPCISBody\n",
       R"(<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" schemaVersion="2.0")"
       R"( creationDate="2026-11-21T10:30:00Z"><EPCISBody><q:Poll/></EPCISBody>)"
       R"(</q:EPCISQueryDocument>)"},
      // 1.x: fields in layers, in any order
      {"", xml_document("<ObjectEvent><eventTime>2026-11-21T10:30:00Z</eventTime>"
                        "<eventTimeZoneOffset>+08:00</eventTimeZoneOffset><baseExtension>"
                        "<eventID>urn:example:e</eventID></baseExtension><epcList/>"
                        "<action>ADD</action><extension><quantityList><quantityElement>"
                        "<epcClass>urn:example:1</epcClass></quantityElement></quantityList>"
                        "<ilmd><ext:lot>x</ext:lot></ilmd></extension></ObjectEvent>",
                        "1")},
      {"",
       xml_document("<extension><TransformationEvent><eventTime>2026-11-21T10:30:00Z"
                    "</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
                    "<inputEPCList><epc>urn:example:1</epc></inputEPCList><outputEPCList>"
                    "<epc>urn:example:2</epc></outputEPCList></TransformationEvent></extension>",
                    "1")},
  };
  for (const Case& one : cases) expect_told(read_xml(one.input), one);
}

TEST(Read, XmlHasFewAttributes) {
  const auto with = [](std::size_t count) {
    std::string all = "<e:a xmlns:e='urn:e'";
    for (std::size_t i = 1; i < count; ++i) all += " a" + std::to_string(i) + "='>'";
    return xml_document(xml_event(all + "/>"));
  };
  EXPECT_TRUE(read_xml(with(kAttributesMax)));
  EXPECT_EQ(read_xml(with(kAttributesMax + 1)).error().code, Code::kTooLarge);
  // Quotes elsewhere are none of an element's.
  const std::string quotes(2 * kAttributesMax + 2, '"');
  for (const auto& one : {"<!--" + quotes + "-->", "<?a " + quotes + "?>",
                          "<e:a xmlns:e='urn:e'><![CDATA[" + quotes + "]]>" + quotes + "</e:a>"}) {
    EXPECT_TRUE(read_xml(xml_document(xml_event(one)))) << one.substr(0, 30);
  }
  // Where tags could hide from whoever counts.
  for (const auto* one : {"UTF-7", "ISO-2022-JP", "IBM037", "UTF-16"}) {
    const auto text = "<?xml version='1.0' encoding='" + std::string(one) + "'?><a/>";
    EXPECT_EQ(read_xml(text).error().code, Code::kMalformed) << one;
  }
  EXPECT_EQ(read_xml(std::string_view("<\0a\0/\0>\0", 8)).error().code, Code::kMalformed);
}

/// After the tests above (they stand before it): no code is without one.
TEST(Read, EveryProblemHasATest) {
  for (std::size_t i = 0; i < kProblemCodes; ++i) {
    const auto code = static_cast<ProblemCode>(i);
    EXPECT_TRUE(seen_codes.test(i)) << name_of(code);
    EXPECT_FALSE(words_of(code, Language::kEnglish).empty());
    EXPECT_FALSE(words_of(code, Language::kChinese).empty());
  }
}

TEST(Read, DeviationsAreRefusedOnRequest) {
  const std::string text = document_of(object_event(R"("readPoint":"urn:example:2")"));
  EXPECT_EQ(refused_events(*read_json(text)), 0U);
  EXPECT_EQ(refused_events(*read_json(text, {.refused = all_deviations()})), 1U);
  EXPECT_EQ(
      refused_events(*read_json(text, {.refused = problem_codes({ProblemCode::kBareLocation})})),
      1U);
  EXPECT_EQ(refused_events(*read_json(text, {.refused = problem_codes({ProblemCode::kBadEpc})})),
            0U);
}

TEST(Read, OneRefusedEventLeavesTheOthers) {
  const std::string good = object_event("");
  const auto reading =
      read_json(document_of(good + "," + object_event(R"("action":"X")") + "," + good));
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->document.events.size(), 2U);
  EXPECT_EQ(told(*reading), "1: BadAction action\n");
}

TEST(Read, ACallbackMayStop) {
  const std::string two = object_event("") + "," + object_event("");
  std::size_t count = 0;
  const auto stop = [&](EventReading&& event) {
    EXPECT_TRUE(event.event);
    ++count;
    return false;
  };
  ASSERT_TRUE(read_json(document_of(two), {}, stop));
  EXPECT_EQ(count, 1U);
  ASSERT_TRUE(read_xml(xml_document(xml_event("") + xml_event("")), {}, stop));
  EXPECT_EQ(count, 2U);
}

TEST(Read, ContextMayFollowTheEvents) {
  const std::string text =
      R"({"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-21T10:30:00Z",)"
      R"("epcisBody":{"eventList":[)" +
      object_event(R"("ext:a":"x")") +
      R"(]},"@context":["https://ref.gs1.org/epcis-context.jsonld",{"ext":"https://example.com/"}]})";
  const auto reading = read_json(text);
  ASSERT_TRUE(reading);
  ASSERT_EQ(reading->document.events.size(), 1U) << told(*reading);
  EXPECT_EQ(reading->document.events[0].extensions.at(0).ns, "https://example.com/");
}

void expect_error(const Result<Reading>& reading, Code code, const std::string& where) {
  ASSERT_FALSE(reading) << where;
  EXPECT_EQ(reading.error().code, code) << where;
  EXPECT_EQ(reading.error().where, where);
}

TEST(Read, WhatIsNoJson) {
  expect_error(read_json(""), Code::kMalformed, "JSON: byte 1");
  expect_error(read_json("{"), Code::kMalformed, "JSON: byte 2");
  expect_error(read_json(R"({"a":1,"a":2})"), Code::kMalformed, "JSON: duplicate key");
  expect_error(read_json(document_of(object_event(R"("ext:a":{"ext:b":1,"ext:b":2})"))),
               Code::kMalformed, "JSON: duplicate key, event 1");
  expect_error(read_json(document_of(object_event("\"ext:a\":\"\xff\""))), Code::kMalformed,
               "JSON: byte 367");
  expect_error(read_json(document_of(object_event(R"("ext:a":1e999)"))), Code::kOutOfRange,
               "JSON: byte 370");
}

TEST(Read, WhatIsNoXml) {
  expect_error(read_xml(""), Code::kMalformed, "XML: empty");
  expect_error(read_xml("<a"), Code::kMalformed, "XML, line 1");
  expect_error(read_xml("<a>\n</b>"), Code::kMalformed, "XML, line 2");
  expect_error(read_xml("<x:a/>"), Code::kMalformed, "XML, line 1");
  expect_error(read_xml("<a/><b/>"), Code::kMalformed, "XML, line 1");
  const std::string body = xml_document(xml_event("<ext:a>&e;</ext:a>"));
  expect_error(read_xml("<!DOCTYPE a [<!ENTITY e 'x'>]>" + body), Code::kMalformed,
               "XML: declarations, line 1");
  expect_error(read_xml("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + body),
               Code::kMalformed, "XML: declarations, line 1");
  expect_error(read_xml("<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1/x'> %p;]>" + body),
               Code::kMalformed, "XML: declarations, line 1");
  expect_error(read_xml("<!DOCTYPE a SYSTEM 'http://127.0.0.1/x'>" + body), Code::kMalformed,
               "XML: external DTD, line 1");
  expect_error(read_xml("<!DOCTYPE a [<!ATTLIST a b (c|d) 'c'>]>" + body), Code::kMalformed,
               "XML: declarations, line 1");
  expect_error(read_xml(body), Code::kMalformed, "XML, line 1");  // an entity of nobody
}

TEST(Read, NothingIsPrinted) {
  testing::internal::CaptureStderr();
  for (const char* encoding : {"UTF-16", "UCS-4", "EUC-JP", "SHIFT_JIS", "x-none"}) {
    const std::string text =
        std::string("<?xml version='1.0' encoding='") + encoding + "'?><a>\x81\xff\xfe</a>";
    EXPECT_FALSE(read_xml(text) && !read_xml(text)->refused) << encoding;
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Read, OtherEncodings) {
  const std::string text =
      "<?xml version='1.0' encoding='ISO-8859-1'?>" + xml_document(xml_event("<ext:a>Gr\xf6\xdf"
                                                                             "e</ext:a>"));
  const auto reading = read_xml(text);
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(reading->document.events.at(0).extensions.at(0).text, "Größe");
}

TEST(Read, ReferencesOfXmlItself) {
  const auto reading = read_xml(xml_document(xml_event(
      "<ext:a ext:b='&amp;&#38;&amp;#38;&lt;&#x9;'>&amp;&#38;&amp;#38;<![CDATA[&amp;]]></ext:a>")));
  ASSERT_TRUE(reading);
  ASSERT_EQ(reading->document.events.size(), 1U) << told(*reading);
  const Element& extension = reading->document.events[0].extensions.at(0);
  EXPECT_EQ(extension.attributes.at(0).value, "&&&#38;<\t");
  EXPECT_EQ(extension.text, "&&&#38;&amp;");
}

TEST(Read, NamespacesWithAmpersands) {
  const auto reading =
      read_xml(xml_document(xml_event("<o:a xmlns:o='https://example&amp;com/' o:b='x'>y</o:a>")));
  ASSERT_TRUE(reading);
  ASSERT_EQ(reading->document.events.size(), 1U) << told(*reading);
  const Element& extension = reading->document.events[0].extensions.at(0);
  EXPECT_EQ(extension.ns, "https://example&com/");
  EXPECT_EQ(extension.attributes.at(0).ns, "https://example&com/");
  const auto again = read_xml(write_xml(reading->document).value());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->document.events.at(0), reading->document.events[0]);
}

TEST(Read, IncludesAreOnlyElements) {
  const auto reading = read_xml(xml_document(xml_event(
      "<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='file:///etc/passwd'/>")));
  ASSERT_TRUE(reading);
  ASSERT_EQ(reading->document.events.size(), 1U) << told(*reading);
  EXPECT_EQ(reading->document.events[0].extensions.at(0).text, "");
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Read, LimitsOfADocument) {
  expect_error(read_json(std::string(kDocumentBytesMax + 1, ' ')), Code::kTooLarge,
               "JSON: document");
  expect_error(read_xml(std::string(kDocumentBytesMax + 1, ' ')), Code::kTooLarge, "XML: document");
  // Events that fill a document to its last byte.
  std::string events;
  for (std::size_t left = kDocumentBytesMax - xml_document("").size(); left > 0;) {
    const std::size_t empty = xml_event("<ext:a></ext:a>").size();
    const std::size_t text = std::min(kTextBytesMax, left - empty);
    const std::size_t next = left - empty - text;
    const std::size_t size = next > 0 && next < empty ? text - empty : text;
    events += xml_event("<ext:a>" + std::string(size, 'x') + "</ext:a>");
    left -= empty + size;
  }
  const std::string full = xml_document(events);
  ASSERT_EQ(full.size(), kDocumentBytesMax);
  const auto reading = read_xml(full);
  ASSERT_TRUE(reading) << reading.error().message();
  EXPECT_EQ(refused_events(*reading), 0U);

  const auto ignore = [](EventReading&&) { return true; };
  const std::string most = repeated("{},", kEventsMax - 1) + "{}";
  EXPECT_TRUE(read_json(document_of(most), {}, ignore));
  expect_error(read_json(document_of("{}," + most), {}, ignore), Code::kTooLarge, "JSON: events");
  const std::string xml_most = repeated("<e/>", kEventsMax);
  EXPECT_TRUE(read_xml(xml_document(xml_most), {}, ignore));
  expect_error(read_xml(xml_document(xml_most + "<e/>"), {}, ignore), Code::kTooLarge,
               "XML: events, line 1");
}

TEST(Read, LimitsOfAnEvent) {
  const auto nested = [](std::size_t depth) {
    return document_of(
        object_event(R"("ext:a":)" + repeated(R"({"ext:b":)", depth) + "1" + repeated("}", depth)));
  };
  // The document, its body, the list and the event are four.
  EXPECT_TRUE(read_json(nested(kDepthMax - 4)));
  expect_error(read_json(nested(kDepthMax - 3)), Code::kTooLarge, "JSON: depth");
  const auto nested_xml = [](std::size_t depth) {
    return xml_document(xml_event(repeated("<ext:a>", depth) + repeated("</ext:a>", depth)));
  };
  EXPECT_TRUE(read_xml(nested_xml(kDepthMax - 4)));
  expect_error(read_xml(nested_xml(kDepthMax - 3)), Code::kTooLarge, "XML: depth, line 1");

  const auto text = [](std::size_t size) { return std::string(size, 'x'); };
  EXPECT_TRUE(read_json(document_of(object_event(R"("ext:a":")" + text(kTextBytesMax) + "\""))));
  expect_error(
      read_json(document_of(object_event(R"("ext:a":")" + text(kTextBytesMax + 1) + "\""))),
      Code::kTooLarge, "JSON: text");
  EXPECT_TRUE(read_xml(xml_document(xml_event("<ext:a>" + text(kTextBytesMax) + "</ext:a>"))));
  expect_error(read_xml(xml_document(xml_event("<ext:a>" + text(kTextBytesMax + 1) + "</ext:a>"))),
               Code::kTooLarge, "XML: text, line 1");
  expect_error(read_json(document_of(object_event("\"ext:" + text(kNameBytesMax) + "\":1"))),
               Code::kTooLarge, "JSON: name");

  const auto list = [](std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size; ++i) {
      out += (i == 0 ? "\"urn:x:" : ",\"urn:x:") + std::to_string(i) + '"';
    }
    return document_of(object_event("\"epcList\":[" + out + "]"));
  };
  EXPECT_EQ(told(*read_json(list(kListMax))), "");
  EXPECT_EQ(told(*read_json(list(kListMax + 1))), "0: TooLong epcList\n");
  const auto many = [](std::size_t size) {
    return document_of(object_event("\"ext:a\":[" + repeated("1,", size - 1) + "1]"));
  };
  EXPECT_TRUE(read_json(many(kNodesMax - 10)));
  expect_error(read_json(many(kNodesMax)), Code::kTooLarge, "JSON: values");
  expect_error(read_xml(xml_document(xml_event(repeated("<ext:a/>", kNodesMax)))), Code::kTooLarge,
               "XML: elements, line 1");
}

}  // namespace
}  // namespace theriac::epcis
