#include "epcis/query.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>

#include "epcis/limits.hpp"
#include "epcis/test_support.hpp"

namespace theriac::epcis {
namespace {

Event event_of(const std::string& members) {
  const auto reading = read_json(
      R"({"@context":["https://ref.gs1.org/epcis-context.jsonld",{"ext":"https://example.com/ext/"}],)"
      R"("eventTime":"2026-11-21T10:30:00+08:00","eventTimeZoneOffset":"+08:00",)" +
      members + "}");
  if (!reading || reading->document.events.size() != 1) {
    ADD_FAILURE() << members << (reading ? told(*reading) : reading.error().message());
    return {};
  }
  return reading->document.events.front();
}

/// A commissioning with everything that a query may ask for.
const Event& commissioning() {
  static const Event event = event_of(
      R"("type":"ObjectEvent","action":"ADD","eventID":"urn:example:event",)"
      R"("recordTime":"2026-11-21T10:31:00+08:00","bizStep":"commissioning","disposition":"active",)"
      R"("epcList":["urn:epc:id:sgtin:4012345.011111.A1","https://id.gs1.org/01/04012345222227/21/B.2"],)"
      R"("quantityList":[{"epcClass":"urn:epc:class:lgtin:4012345.012345.LOT","quantity":2.5,"uom":"KGM"}],)"
      R"("readPoint":{"id":"urn:epc:id:sgln:4012345.00005.0","ext:line":"4"},)"
      R"("bizLocation":{"id":"https://id.gs1.org/414/4012345000054"},)"
      R"("persistentDisposition":{"set":["completeness_verified"],"unset":["damaged"]},)"
      R"("bizTransactionList":[{"type":"po","bizTransaction":"urn:example:po:1"}],)"
      R"("sourceList":[{"type":"owning_party","source":"urn:epc:id:pgln:4012345.00002"}],)"
      R"("destinationList":[{"type":"https://example.com/party","destination":"urn:example:d"}],)"
      R"("errorDeclaration":{"declarationTime":"2026-11-22T00:00:00Z","reason":"did_not_occur",)"
      R"("correctiveEventIDs":["urn:example:other"],"ext:by":"x"},)"
      R"("ilmd":{"cbvmda:lotNumber":"LOT","ext:expiry":"2028-01-31T00:00:00Z","ext:deep":{"ext:count":7}},)"
      R"("ext:number":12,"ext:text":"hello","ext:box":{"ext:inner":{"ext:depth":"2"}})");
  return event;
}

const Event& sensing() {
  static const Event event = event_of(
      R"("type":"ObjectEvent","action":"OBSERVE","epcList":[],"readPoint":{"id":"urn:example:room"},)"
      R"("sensorElementList":[{"sensorMetadata":{"time":"2026-11-21T02:30:00Z",)"
      R"("startTime":"2026-11-21T02:00:00Z","endTime":"2026-11-21T02:30:00Z",)"
      R"("deviceID":"urn:epc:id:giai:4000001.111","bizRules":"urn:example:rules","ext:meta":"m"},)"
      R"("sensorReport":[{"type":"Temperature","value":26.85,"minValue":20,"maxValue":30,)"
      R"("meanValue":25,"sDev":1,"percRank":50,"percValue":25,"uom":"CEL","ext:report":"r"},)"
      R"({"type":"https://example.com/own","stringValue":"abc","booleanValue":true,)"
      R"("hexBinaryValue":"F0a1","uriValue":"urn:example:u","microorganism":"urn:example:m",)"
      R"("chemicalSubstance":"urn:example:s","dataProcessingMethod":"urn:example:dpm"}],)"
      R"("ext:element":{"ext:k":"v"}}])");
  return event;
}

const Event& transformation() {
  static const Event event = event_of(
      R"("type":"TransformationEvent","transformationID":"urn:example:t",)"
      R"("inputEPCList":["urn:epc:id:sgtin:4012345.011111.I"],)"
      R"("outputEPCList":["urn:epc:id:sgtin:4012345.011111.O"],)"
      R"("inputQuantityList":[{"epcClass":"urn:epc:idpat:sgtin:4012345.022222.*","quantity":5}])");
  return event;
}

const Event& aggregation() {
  static const Event event = event_of(
      R"("type":"AggregationEvent","action":"ADD","parentID":"urn:epc:id:sscc:4012345.0111111111",)"
      R"("childEPCs":["urn:epc:id:sgtin:4012345.011111.A1"])");
  return event;
}

std::vector<Namespace> namespaces() { return {{"ext", "https://example.com/ext/"}}; }

MasterDataLookup master_data() {
  MasterDataLookup out;
  out.descendants = [](std::string_view id) -> std::vector<std::string> {
    if (id == "urn:example:site") return {"urn:example:hall", "urn:example:room"};
    return {};
  };
  out.attributes = [](std::string_view id, std::string_view name) -> std::vector<std::string> {
    if (id == "urn:example:room" && name == "urn:epcglobal:cbv:mda:sst") return {"201"};
    return {};
  };
  return out;
}

bool satisfied(const Query& query, const Event& event, const MasterDataLookup& lookup) {
  const auto terms = terms_of(event);
  return std::ranges::all_of(query.terms(lookup), [&](const std::vector<Term>& any) {
    return std::ranges::any_of(
        any, [&](const Term& term) { return std::ranges::binary_search(terms, term); });
  });
}

/// Whether the query of one parameter finds the event; what is found must be found by terms, too.
bool finds(const Event& event, const std::string& name, const std::string& values) {
  const Parameter parameter{name, split_values(values)};
  const auto query = Query::parse({&parameter, 1}, namespaces());
  if (!query) {
    ADD_FAILURE() << name << "=" << values << ": " << static_cast<int>(query.error().fault);
    return false;
  }
  const bool found = query->matches(event, master_data());
  if (found) EXPECT_TRUE(satisfied(*query, event, master_data())) << name << "=" << values;
  return found;
}

struct Case {
  const char* name;
  const char* yes;
  const char* no;  ///< empty: every value finds it
};

void expect(const Event& event, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_TRUE(finds(event, one.name, one.yes)) << one.name << "=" << one.yes;
    if (*one.no != '\0') EXPECT_FALSE(finds(event, one.name, one.no)) << one.name << "=" << one.no;
  }
}

TEST(Query, WhatWhenWhereWhy) {
  expect(
      commissioning(),
      {{"eventType", "AggregationEvent|ObjectEvent", "AggregationEvent|urn:example:type"},
       {"GE_eventTime", "2026-11-21T02:30:00Z", "2026-11-21T02:30:00.001Z"},
       {"LT_eventTime", "2026-11-21T02:30:00.001Z", "2026-11-21T02:30:00Z"},
       {"GE_recordTime", "2026-11-21T02:31:00Z", "2026-11-21T02:31:01Z"},
       {"LT_recordTime", "2026-11-21T02:31:01Z", "2026-11-21T02:31:00Z"},
       {"EQ_action", "ADD|DELETE", "OBSERVE"},
       {"EQ_bizStep", "commissioning", "shipping"},
       {"EQ_bizStep", "https://ref.gs1.org/cbv/BizStep-commissioning", "https://example.com/own"},
       {"EQ_disposition", "urn:epcglobal:cbv:disp:active", "inactive"},
       {"EQ_persistentDisposition_set", "completeness_verified", "damaged"},
       {"EQ_persistentDisposition_unset", "damaged", "completeness_verified"},
       {"EQ_readPoint", "https://id.gs1.org/414/4012345000054", "urn:epc:id:sgln:4012345.00005.1"},
       {"EQ_bizLocation", "urn:epc:id:sgln:4012345.00005.0", "urn:example:l"},
       {"EQ_eventID", "urn:example:event", "urn:example:other"},
       {"EQ_bizTransaction_po", "urn:example:po:1", "urn:example:po:2"},
       {"EQ_bizTransaction_urn:epcglobal:cbv:btt:po", "urn:example:po:1", ""},
       {"EQ_source_owning_party", "https://id.gs1.org/417/4012345000023", "urn:example:p"},
       {"EQ_destination_https://example.com/party", "urn:example:d", "urn:example:e"}});
  EXPECT_FALSE(finds(commissioning(), "EQ_bizTransaction_inv", "urn:example:po:1"));
  EXPECT_FALSE(finds(commissioning(), "EQ_transformationID", "urn:example:t"));
  EXPECT_TRUE(finds(transformation(), "EQ_transformationID", "urn:example:t"));
  EXPECT_FALSE(finds(transformation(), "EQ_action", "ADD|OBSERVE|DELETE"));
  EXPECT_FALSE(finds(sensing(), "GE_recordTime", "1970-01-01T00:00:00Z"));
}

TEST(Query, Objects) {
  expect(commissioning(),
         {{"MATCH_epc", "urn:epc:id:sgtin:4012345.011111.A1", "urn:epc:id:sgtin:4012345.011111.A2"},
          {"MATCH_epc", "https://example.com/01/04012345111118/21/A1",
           "https://id.gs1.org/01/04012345111118"},
          {"MATCH_epc", "urn:epc:idpat:sgtin:4012345.011111.*",
           "urn:epc:idpat:sgtin:4012345.011112.*"},
          {"MATCH_epc", "urn:epc:idpat:sgtin:4012345.022222.*", "urn:epc:idpat:sscc:4012345.*"},
          {"MATCH_epc", "urn:epc:idpat:sgtin:4012345.*.*", "urn:epc:idpat:sgtin:4012346.*.*"},
          {"MATCH_epc", "urn:epc:id:sgtin:4012345.022222.B.2", "urn:epc:id:sgtin:4012345.022222.B"},
          {"MATCH_anyEPC", "urn:epc:id:sgtin:4012345.011111.A1", "urn:example:x"},
          {"MATCH_epcClass", "urn:epc:class:lgtin:4012345.012345.LOT",
           "urn:epc:class:lgtin:4012345.012345.TOL"},
          {"MATCH_anyEPCClass", "https://id.gs1.org/01/04012345123456/10/LOT",
           "urn:epc:idpat:sgtin:4012345.012345.*"},
          {"EQ_quantity", "1|2.5", "3"},
          {"GT_quantity", "2.4", "2.5"},
          {"GE_quantity", "2.5", "2.6"},
          {"LT_quantity", "2.6", "2.5"},
          {"LE_quantity", "2.5", "2.4"},
          {"EQ_quantity_GRM", "2500", "2501"},
          {"GE_quantity_LBR", "5.5", "5.6"},
          {"GE_quantity_KGM", "2.5", "2.6"}});
  EXPECT_FALSE(finds(commissioning(), "GE_quantity_LTR", "0"));
  EXPECT_FALSE(finds(commissioning(), "MATCH_inputEPC", "urn:epc:id:sgtin:4012345.011111.A1"));
  expect(
      transformation(),
      {{"MATCH_inputEPC", "urn:epc:id:sgtin:4012345.011111.I", "urn:epc:id:sgtin:4012345.011111.O"},
       {"MATCH_outputEPC", "urn:epc:idpat:sgtin:4012345.011111.*",
        "urn:epc:id:sgtin:4012345.011111.I"},
       {"MATCH_inputEPCClass", "https://id.gs1.org/01/04012345222227", "urn:example:c"},
       {"MATCH_inputEPCClass", "urn:epc:idpat:sgtin:4012345.*.*",
        "urn:epc:idpat:sgtin:4012346.*.*"},
       {"MATCH_anyEPC", "urn:epc:id:sgtin:4012345.011111.O", "urn:example:x"}});
  EXPECT_FALSE(finds(transformation(), "MATCH_epc", "urn:epc:id:sgtin:4012345.011111.I"));
  EXPECT_FALSE(finds(transformation(), "MATCH_outputEPCClass", "urn:example:c"));
  expect(aggregation(),
         {{"MATCH_parentID", "https://id.gs1.org/00/040123451111111110",
           "urn:epc:id:sgtin:4012345.011111.A1"},
          {"MATCH_epc", "urn:epc:id:sgtin:4012345.011111.A1", "urn:epc:id:sscc:4012345.0111111111"},
          {"MATCH_parentID", "urn:epc:idpat:sscc:4012345.*", "urn:epc:idpat:sscc:4012346.*"}});
}

TEST(Query, Sensors) {
  expect(sensing(), {{"EQ_type", "gs1:Temperature", "Speed"},
                     {"EQ_type", "https://example.com/own", "https://example.com/other"},
                     {"EQ_deviceID", "https://id.gs1.org/8004/4000001111", "urn:example:d"},
                     {"EQ_bizRules", "urn:example:rules", "urn:example:r"},
                     {"EQ_dataProcessingMethod", "urn:example:dpm", "urn:example:r"},
                     {"EQ_microorganism", "urn:example:m", "urn:example:s"},
                     {"EQ_chemicalSubstance", "urn:example:s", "urn:example:m"},
                     {"GE_time", "2026-11-21T02:30:00Z", "2026-11-21T02:30:01Z"},
                     {"LT_startTime", "2026-11-21T02:00:01Z", "2026-11-21T02:00:00Z"},
                     {"GE_endTime", "2026-11-21T02:30:00Z", "2026-11-21T02:31:00Z"},
                     // TCR-53 step 26
                     {"GE_value_KEL", "300", "300.01"},
                     {"EQ_value_KEL", "1|300", "299.99"},
                     {"LE_value_FAH", "80.33", "80.32"},
                     {"GT_value_CEL", "26.8", "26.85"},
                     {"LT_minValue_CEL", "20.5", "20"},
                     {"GE_maxValue_KEL", "303.15", "303.16"},
                     {"LE_meanValue_KEL", "298.15", "298.14"},
                     {"EQ_sDev_KEL", "1", "274.15"},
                     {"EQ_sDev_FAH", "1.8", "1"},
                     {"GE_percValue_CEL", "25", "26"},
                     {"GE_percRank", "50", "51"},
                     {"EQ_stringValue", "x|abc", "ab"},
                     {"EQ_booleanValue", "true", "false"},
                     {"EQ_hexBinaryValue", "f0A1", "F0"},
                     {"EQ_uriValue", "urn:example:u", "urn:example:v"},
                     {"EXISTS_SENSORREPORT_ext:report", "", ""},
                     {"EQ_SENSORREPORT_ext:report", "r", "m"},
                     {"EQ_SENSORMETADATA_ext:meta", "m", "r"},
                     {"EQ_INNER_SENSORELEMENT_ext:k", "v", "w"}});
  EXPECT_FALSE(finds(sensing(), "GE_value_KGM", "0"));
  EXPECT_FALSE(finds(sensing(), "EQ_SENSORELEMENT_ext:k", "v"));
  EXPECT_TRUE(finds(sensing(), "EXISTS_sensorElementList", ""));
  EXPECT_TRUE(finds(sensing(), "EXISTS_sensorElement", "1"));
  EXPECT_FALSE(finds(commissioning(), "EXISTS_sensorElementList", "true"));
  EXPECT_TRUE(finds(commissioning(), "EXISTS_sensorElementList", "false"));
}

TEST(Query, ExtensionsAndErrors) {
  expect(commissioning(),
         {{"EQ_ext:text", "a|hello", "hell"},
          {"EQ_https://example.com/ext#text", "hello", "x"},  // 1.x: namespace, "#", name
          {"EQ_ext:number", "12.0", "13"},
          {"GT_ext:number", "11", "12"},
          {"GE_ext:number", "12", "13"},
          {"LT_ext:number", "13", "12"},
          {"LE_ext:number", "12", "11"},
          {"EQ_INNER_ext:depth", "2", "3"},
          {"EQ_ILMD_cbvmda:lotNumber", "LOT", "TOL"},
          {"LT_ILMD_ext:expiry", "2028-02-01T00:00:00+08:00", "2028-01-31T00:00:00Z"},
          {"GE_INNER_ILMD_ext:count", "7", "8"},
          {"EQ_readPoint_ext:line", "4", "5"},
          {"EQ_ERROR_DECLARATION_ext:by", "x", "y"},
          {"EQ_errorReason", "did_not_occur", "incorrect_data"},
          {"EQ_correctiveEventID", "urn:example:other", "urn:example:event"},
          {"GE_errorDeclaration_Time", "2026-11-22T00:00:00Z", "2026-11-22T00:00:01Z"},
          {"LT_errorDeclarationTime", "2026-11-22T00:00:01Z", "2026-11-22T00:00:00Z"}});
  for (const char* name : {"EXISTS_ext:text", "EXISTS_INNER_ext:depth", "EXISTS_ILMD_ext:expiry",
                           "EXISTS_INNER_ILMD_ext:count", "EXISTS_errorDeclaration",
                           "EXISTS_ERROR_DECLARATION_ext:by"}) {
    EXPECT_TRUE(finds(commissioning(), name, "")) << name;
    EXPECT_FALSE(finds(aggregation(), name, "")) << name;
  }
  EXPECT_FALSE(finds(commissioning(), "EXISTS_ext:depth", ""));
  EXPECT_FALSE(finds(commissioning(), "EXISTS_INNER_ext:text", ""));
}

TEST(Query, MasterData) {
  EXPECT_TRUE(finds(sensing(), "WD_readPoint", "urn:example:site"));
  EXPECT_TRUE(finds(sensing(), "WD_readPoint", "urn:example:room"));
  EXPECT_FALSE(finds(sensing(), "WD_readPoint", "urn:example:hall"));
  EXPECT_FALSE(finds(sensing(), "WD_bizLocation", "urn:example:site"));
  EXPECT_TRUE(finds(sensing(), "HASATTR_readPoint", "urn:epcglobal:cbv:mda:sst"));
  EXPECT_FALSE(finds(sensing(), "HASATTR_readPoint", "urn:epcglobal:cbv:mda:ssa"));
  EXPECT_TRUE(finds(sensing(), "EQATTR_readPoint_urn:epcglobal:cbv:mda:sst", "201|202"));
  EXPECT_TRUE(finds(sensing(), "EQ_ATTR_readPoint_urn:epcglobal:cbv:mda:sst", "201"));
  EXPECT_FALSE(finds(sensing(), "EQATTR_readPoint_urn:epcglobal:cbv:mda:sst", "202"));
  EXPECT_FALSE(finds(sensing(), "EQATTR_bizLocation_urn:epcglobal:cbv:mda:sst", "201"));
}

QueryError error_of(const std::vector<Parameter>& parameters) {
  const auto query = Query::parse(parameters, namespaces());
  return query ? QueryError{QueryFault::kNotAQuery, "no error"} : query.error();
}

TEST(Query, UnknownParameters) {
  for (const char* name : {"",
                           "eventTime",
                           "GE_eventDate",
                           "EQ_eventTime",
                           "GT_eventTime",
                           "EQ_colour",
                           "LIKE_epc",
                           "MATCH_",
                           "EQ_ILMD_lot",
                           "EXISTS_thing",
                           "GE_value",
                           "GE_value_kelvin",
                           "GE_percRank_CEL",
                           "GE_bizStep",
                           "HASATTR_colour",
                           "EQATTR_readPoint",
                           "EQATTR_readPoint_",
                           "EQ_bizTransaction_",
                           "GE_readPoint_ext:a",
                           "orderby",
                           "perpage"}) {
    EXPECT_EQ(error_of({{name, {"urn:example:1"}}}),
              (QueryError{QueryFault::kUnknownParameter, name}));
  }
  EXPECT_EQ(error_of({{"EQ_foo:bar", {"x"}}}),
            (QueryError{QueryFault::kUnknownPrefix, "EQ_foo:bar"}));
}

TEST(Query, BadValues) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"eventType", "OwnEvent"},
      {"eventType", ""},
      {"GE_eventTime", "not-a-date"},
      {"GE_eventTime", "2026-11-21T10:30:00"},
      {"GE_eventTime", "2026-11-21T10:30:00Z|2026-11-21T10:30:00Z"},
      {"EQ_action", "SHIPPED"},
      {"EQ_bizStep", "transforming"},
      {"EQ_readPoint", "room"},
      {"MATCH_epc", "A1"},
      {"EQ_quantity", "much"},
      {"GE_quantity", "1|2"},
      {"GE_value_CEL", "warm"},
      {"EQ_booleanValue", "yes"},
      {"GT_ext:number", "many"},
      {"EXISTS_errorDeclaration", "maybe"},
      {"orderBy", "bizStep"},
      {"orderDirection", "SIDEWAYS"},
      {"eventCountLimit", "0"},
      {"eventCountLimit", "-1"},
      {"maxEventCount", "1.5"},
      {"perPage", "x"}};
  for (const auto& [name, value] : cases) {
    EXPECT_EQ(error_of({{name, split_values(value)}}), (QueryError{QueryFault::kBadValue, name}))
        << value;
  }
}

TEST(Query, Contradictions) {
  EXPECT_EQ(error_of({{"eventCountLimit", {"1"}}, {"maxEventCount", {"1"}}}),
            (QueryError{QueryFault::kContradiction, "maxEventCount"}));
  EXPECT_EQ(error_of({{"orderDirection", {"ASC"}}}),
            (QueryError{QueryFault::kContradiction, "orderDirection"}));
  EXPECT_EQ(error_of({{"EQ_action", {"ADD"}}, {"EQ_action", {"DELETE"}}}),
            (QueryError{QueryFault::kRepeated, "EQ_action"}));
}

TEST(Query, Limits) {
  std::vector<Parameter> parameters;
  for (std::size_t i = 0; i < kQueryParametersMax; ++i) {
    parameters.push_back({"EQ_ext:f" + std::to_string(i), {"x"}});
  }
  EXPECT_TRUE(Query::parse(parameters, namespaces()));
  parameters.push_back({"EQ_action", {"ADD"}});
  EXPECT_EQ(error_of(parameters).fault, QueryFault::kTooComplex);
  const std::vector<std::string> most(kQueryValuesMax, "ADD");
  EXPECT_TRUE(Query::parse(std::vector<Parameter>{{"EQ_action", most}}));
  std::vector<std::string> more = most;
  more.emplace_back("ADD");
  EXPECT_EQ(error_of({{"EQ_action", more}}), (QueryError{QueryFault::kTooComplex, "EQ_action"}));
  std::vector<std::string> patterns(kQueryPatternsMax, "urn:epc:idpat:sscc:4012345.*");
  patterns.emplace_back("urn:epc:id:sscc:4012345.0111111111");
  EXPECT_TRUE(Query::parse(std::vector<Parameter>{{"MATCH_epc", patterns}}));
  patterns.emplace_back("urn:epc:idpat:sscc:4012345.*");
  EXPECT_EQ(error_of({{"MATCH_epc", patterns}}),
            (QueryError{QueryFault::kTooComplex, "MATCH_epc"}));
}

/// Every parameter of GS1's query-schema.json: 60 names, and families by an example of each.
TEST(Query, EveryParameterOfTheSchema) {
  const fs::path path = data_folder() / "REST Bindings/query-schema.json";
  if (!fs::exists(path)) GTEST_SKIP() << "GS1's schema is not here";
  const auto schema = nlohmann::json::parse(text_of_file(path))["definitions"]["EPCIS-Query"];
  const auto known = [](const std::string& name) {
    const Parameter parameter{name, {"urn:example:1"}};
    const auto query = Query::parse({&parameter, 1}, namespaces());
    return query || query.error().fault != QueryFault::kUnknownParameter;
  };
  for (const auto& [name, type] : schema["properties"].items()) {
    EXPECT_TRUE(name == "@context" || known(name)) << name;
  }
  EXPECT_EQ(schema["properties"].size(), 61U);  // with @context
  for (const auto& [pattern, type] : schema["patternProperties"].items()) {
    std::string name = pattern.substr(1, pattern.find_first_of("[\\") - 1);
    if (name == "EQ_ATTR_") {
      name += "bizLocation_site";
    } else if (pattern.find(':') != std::string::npos) {
      name += "ext:field";
    } else {
      name += pattern.find("{2,4}") != std::string::npos ? "CEL" : "po";
    }
    EXPECT_TRUE(known(name)) << pattern << " " << name;
  }
  EXPECT_EQ(schema["patternProperties"].size(), 108U);
}

TEST(Query, Json) {
  const auto query = Query::parse_json(
      R"({"@context":{"own":"https://example.com/ext/"},"eventType":["ObjectEvent"],)"
      R"("GE_quantity":1,"EQ_own:number":[12,"a"],"EXISTS_errorDeclaration":null,"perPage":5,)"
      R"("orderBy":"eventTime","orderDirection":"ASC","eventCountLimit":100})");
  ASSERT_TRUE(query) << query.error().parameter;
  EXPECT_TRUE(query->matches(commissioning()));
  EXPECT_FALSE(query->matches(sensing()));
  EXPECT_EQ(query->per_page(), 5U);
  EXPECT_EQ(query->event_count_limit(), 100U);
  EXPECT_FALSE(query->max_event_count());
  EXPECT_TRUE(query->ordered());
  const auto fault = [](const char* text) {
    const auto parsed = Query::parse_json(text);
    return parsed ? QueryError{QueryFault::kNotAQuery, "no error"} : parsed.error();
  };
  EXPECT_EQ(fault("[]"), (QueryError{QueryFault::kNotAQuery, ""}));
  EXPECT_EQ(fault("{"), (QueryError{QueryFault::kNotAQuery, ""}));
  EXPECT_EQ(fault(R"({"EQ_action":["ADD"],"EQ_action":["ADD"]})"),
            (QueryError{QueryFault::kNotAQuery, ""}));
  EXPECT_EQ(fault(R"({"GE_quantity":"1"})"), (QueryError{QueryFault::kBadValue, "GE_quantity"}));
  EXPECT_EQ(fault(R"({"EQ_bizStep":[5]})"), (QueryError{QueryFault::kBadValue, "EQ_bizStep"}));
  EXPECT_EQ(fault(R"({"eventCountLimit":"5"})"),
            (QueryError{QueryFault::kBadValue, "eventCountLimit"}));
  EXPECT_EQ(fault(R"({"@context":5})"), (QueryError{QueryFault::kNotAQuery, "@context"}));
}

TEST(Query, Order) {
  const auto query = [](std::vector<Parameter> parameters) {
    return Query::parse(parameters, namespaces()).value();
  };
  Event early = commissioning();
  early.event_time.ms -= 1;
  early.extensions.at(0).text = "2";
  const Event& late = commissioning();  // ext:number is 12
  const Query down = query({{"orderBy", {"eventTime"}}});
  EXPECT_TRUE(down.before(late, early));
  EXPECT_FALSE(down.before(early, late));
  EXPECT_FALSE(down.before(late, late));
  const Query up = query({{"orderBy", {"ext:number"}}, {"orderDirection", {"ASC"}}});
  EXPECT_TRUE(up.before(early, late));
  EXPECT_FALSE(up.before(late, early));
  EXPECT_FALSE(query({}).before(early, late));
}

TEST(Query, SpansOfTime) {
  const auto query = Query::parse(std::vector<Parameter>{
      {"GE_eventTime", {"1970-01-01T00:00:01Z"}}, {"LT_recordTime", {"1970-01-01T00:00:02Z"}}});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->event_time().from_ms, 1000);
  EXPECT_FALSE(query->event_time().to_ms);
  EXPECT_EQ(query->record_time().to_ms, 2000);
}

TEST(Terms, OfAnEvent) {
  const auto terms = terms_of(aggregation());
  const std::vector<Term> expected{{"action", "ADD"},
                                   {"epc", "https://id.gs1.org/01/04012345111118/21/A1"},
                                   {"epc.class", "https://id.gs1.org/01/04012345111118"},
                                   {"parentID", "https://id.gs1.org/00/040123451111111110"},
                                   {"type", "AggregationEvent"}};
  EXPECT_EQ(terms, expected);
  EXPECT_EQ(class_of("urn:epc:id:grai:4012345.00022.334455"),
            "https://id.gs1.org/8003/04012345000221");
  EXPECT_EQ(class_of("urn:example:1"), "");
}

/// Whatever values are combined: what matches has the terms.
TEST(Terms, PropertyMatchesImpliesTerms) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> pool{
      {"eventType", {"ObjectEvent", "AggregationEvent", "TransformationEvent"}},
      {"EQ_action", {"ADD", "OBSERVE", "DELETE"}},
      {"EQ_bizStep", {"commissioning", "shipping", "https://example.com/own"}},
      {"MATCH_epc",
       {"urn:epc:id:sgtin:4012345.011111.A1", "urn:epc:idpat:sgtin:4012345.011111.*",
        "urn:epc:idpat:sgtin:4012345.*.*", "https://id.gs1.org/01/04012345222227/21/B.2",
        "urn:epc:idpat:sgtin:*.*.*", "urn:example:1"}},
      {"MATCH_anyEPC",
       {"urn:epc:id:sscc:4012345.0111111111", "urn:epc:idpat:sscc:4012345.*",
        "urn:epc:id:sgtin:4012345.011111.O"}},
      {"MATCH_anyEPCClass",
       {"urn:epc:idpat:sgtin:4012345.022222.*", "urn:epc:idpat:sgtin:4012345.*.*",
        "urn:epc:class:lgtin:4012345.012345.LOT"}},
      {"WD_readPoint", {"urn:example:site", "urn:example:hall", "urn:epc:id:sgln:4012345.00005.0"}},
      {"EQ_type", {"Temperature", "https://example.com/own", "Speed"}},
      {"GE_value_KEL", {"299", "301"}},
      {"EXISTS_errorDeclaration", {"true", "false"}},
      {"EQ_source_owning_party", {"urn:epc:id:pgln:4012345.00002", "urn:example:d"}},
  };
  const std::vector<const Event*> events{&commissioning(), &sensing(), &transformation(),
                                         &aggregation()};
  EXPECT_TRUE(rc::check([&] {
    std::vector<Parameter> parameters;
    for (const auto& [name, values] : pool) {
      if (*rc::gen::inRange(0, 4) != 0) continue;
      Parameter parameter{name, {}};
      const bool list = !name.starts_with("GE_") && !name.starts_with("EXISTS_");
      const int count = list ? *rc::gen::inRange(1, 4) : 1;
      for (int i = 0; i < count; ++i) parameter.values.push_back(*rc::gen::elementOf(values));
      parameters.push_back(parameter);
    }
    const auto query = Query::parse(parameters, namespaces());
    RC_ASSERT(query.has_value());
    for (const Event* event : events) {
      if (query->matches(*event, master_data())) {
        RC_ASSERT(satisfied(*query, *event, master_data()));
      }
    }
  }));
}

}  // namespace
}  // namespace theriac::epcis
