// The parameters of a query whose names are fixed, and what families' names are made of.
//
// Threading: constants.
#pragma once

#include <utility>

#include "epcis/query_conditions.hpp"

namespace theriac::epcis {

/// A parameter whose values are one of an event's terms.
struct EqualityParameter {
  std::string_view name;
  std::string_view field;
  enum class Values : std::uint8_t { kId, kUri, kWord, kEventType, kAction } values;
  Vocabulary vocabulary = Vocabulary::kBizStep;
};
using enum EqualityParameter::Values;
inline constexpr EqualityParameter kEqualities[] = {
    {"eventType", "type", kEventType},
    {"EQ_action", "action", kAction},
    {"EQ_bizStep", "bizStep", kWord, Vocabulary::kBizStep},
    {"EQ_disposition", "disposition", kWord, Vocabulary::kDisposition},
    {"EQ_persistentDisposition_set", "persistentDisposition.set", kWord, Vocabulary::kDisposition},
    {"EQ_persistentDisposition_unset", "persistentDisposition.unset", kWord,
     Vocabulary::kDisposition},
    {"EQ_readPoint", "readPoint", kId},
    {"EQ_bizLocation", "bizLocation", kId},
    {"EQ_transformationID", "transformationID", kId},
    {"EQ_eventID", "eventID", kUri},
    {"EQ_errorReason", "errorReason", kWord, Vocabulary::kErrorReason},
    {"EQ_correctiveEventID", "correctiveEventID", kUri},
    {"EQ_type", "sensorType", kWord, Vocabulary::kMeasurementType},
    {"EQ_deviceID", "deviceID", kId},
    {"EQ_dataProcessingMethod", "dataProcessingMethod", kId},
    {"EQ_microorganism", "microorganism", kId},
    {"EQ_chemicalSubstance", "chemicalSubstance", kId},
    {"EQ_bizRules", "bizRules", kId},
};

struct MatchParameter {
  std::string_view name;
  std::vector<std::string_view> fields;
};
inline const std::vector<MatchParameter>& match_parameters() {
  static const std::vector<MatchParameter> all{
      {"MATCH_epc", {"epc"}},
      {"MATCH_parentID", {"parentID"}},
      {"MATCH_inputEPC", {"inputEPC"}},
      {"MATCH_outputEPC", {"outputEPC"}},
      {"MATCH_anyEPC", {"epc", "parentID", "inputEPC", "outputEPC"}},
      {"MATCH_epcClass", {"epcClass"}},
      {"MATCH_inputEPCClass", {"inputEPCClass"}},
      {"MATCH_outputEPCClass", {"outputEPCClass"}},
      {"MATCH_anyEPCClass", {"epcClass", "inputEPCClass", "outputEPCClass"}},
  };
  return all;
}

/// A typed list: EQ_source_owning_party.
struct TypedParameter {
  std::string_view prefix;
  std::string_view field;
  Vocabulary vocabulary;
};
inline constexpr TypedParameter kTyped[] = {
    {"EQ_bizTransaction_", "bizTransaction", Vocabulary::kBizTransactionType},
    {"EQ_source_", "source", Vocabulary::kSourceDestinationType},
    {"EQ_destination_", "destination", Vocabulary::kSourceDestinationType},
};

inline constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
    {"EQ_", Comparison::kEqual},          {"GT_", Comparison::kGreater},
    {"GE_", Comparison::kGreaterOrEqual}, {"LT_", Comparison::kLess},
    {"LE_", Comparison::kLessOrEqual},
};

inline constexpr std::pair<std::string_view, Place> kPlaces[] = {
    {"ILMD_", Place::kIlmd},
    {"ERROR_DECLARATION_", Place::kErrorDeclaration},
    {"SENSORELEMENT_", Place::kSensorElement},
    {"SENSORMETADATA_", Place::kSensorMetadata},
    {"SENSORREPORT_", Place::kSensorReport},
    {"readPoint_", Place::kReadPoint},
    {"bizLocation_", Place::kBizLocation},
};

struct MeasureName {
  std::string_view name;
  Measure measure;
  bool difference = false;
};
inline constexpr MeasureName kMeasures[] = {
    {"value", &SensorReport::value},        {"minValue", &SensorReport::min_value},
    {"maxValue", &SensorReport::max_value}, {"meanValue", &SensorReport::mean_value},
    {"sDev", &SensorReport::s_dev, true},   {"percValue", &SensorReport::perc_value},
};

/// A point in time of an event, for GE_ and LT_.
using Times = std::vector<std::int64_t> (*)(const Event&);
inline std::vector<std::int64_t> sensor_times(const Event& event,
                                              std::optional<Time> SensorMetadata::* which) {
  std::vector<std::int64_t> out;
  for (const SensorElement& element : event.sensor_elements) {
    if (element.metadata && (*element.metadata).*which) {
      out.push_back(((*element.metadata).*which)->ms);
    }
  }
  return out;
}
struct TimeParameter {
  std::string_view name;
  Times times;
};
inline constexpr TimeParameter kTimes[] = {
    {"eventTime", [](const Event& event) { return std::vector{event.event_time.ms}; }},
    {"recordTime",
     [](const Event& event) {
       return event.record_time ? std::vector{event.record_time->ms} : std::vector<std::int64_t>();
     }},
    {"errorDeclaration_Time",
     [](const Event& event) {
       return event.error_declaration ? std::vector{event.error_declaration->declaration_time.ms}
                                      : std::vector<std::int64_t>();
     }},
    {"startTime",
     [](const Event& event) { return sensor_times(event, &SensorMetadata::start_time); }},
    {"endTime", [](const Event& event) { return sensor_times(event, &SensorMetadata::end_time); }},
    {"time",
     [](const Event& event) {
       std::vector<std::int64_t> out;
       for (const SensorElement& element : event.sensor_elements) {
         if (element.metadata && element.metadata->source.time) {
           out.push_back(element.metadata->source.time->ms);
         }
         for (const SensorReport& report : element.reports) {
           if (report.source.time) out.push_back(report.source.time->ms);
         }
       }
       return out;
     }},
};

}  // namespace theriac::epcis
