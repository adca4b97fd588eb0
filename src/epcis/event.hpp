// One EPCIS event: EPCIS 2.0 section 7.4, whichever of JSON and XML it came in.
//
// Absent texts and words are empty. Identifiers are kept as they were given (URN or Digital Link);
// words of the CBV are kept bare ("shipping"), everything else that may stand in their place is a
// URI. What extensions hold is in element.hpp.
//
// Threading: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "epcis/element.hpp"
#include "epcis/vocabulary.hpp"

namespace theriac::epcis {

enum class EventType : std::uint8_t {
  kObject,
  kAggregation,
  kTransaction,
  kTransformation,
  kAssociation
};
inline constexpr std::size_t kEventTypes = 5;
/// "ObjectEvent", …
std::string_view name_of(EventType type);
std::optional<EventType> event_type_of(std::string_view name);

enum class Action : std::uint8_t { kObserve, kAdd, kDelete };
std::string_view name_of(Action action);
std::optional<Action> action_of(std::string_view name);

/// A point in time: the text as it was given, and milliseconds since 1970-01-01 UTC.
struct Time {
  std::string text;
  std::int64_t ms = 0;
  friend bool operator==(const Time&, const Time&) = default;
};
/// XML Schema's dateTime with a zone, as the standard's schemas want it: `Z` or ±hh:mm up to 14:00.
std::optional<Time> time_of(std::string_view text);
/// ±hh:mm up to 14:00.
bool is_offset(std::string_view text);

struct QuantityElement {
  std::string epc_class;
  std::optional<double> quantity;
  std::string uom;
  friend bool operator==(const QuantityElement&, const QuantityElement&) = default;
};

/// A business transaction, source or destination. The type is optional for the first.
struct TypedId {
  Word type;
  std::string id;
  friend bool operator==(const TypedId&, const TypedId&) = default;
};

struct Location {
  std::string id;
  std::vector<Element> extensions;
  friend bool operator==(const Location&, const Location&) = default;
};

struct ErrorDeclaration {
  Time declaration_time;
  Word reason;
  std::vector<std::string> corrective_event_ids;
  std::vector<Element> extensions;
  friend bool operator==(const ErrorDeclaration&, const ErrorDeclaration&) = default;
};

struct PersistentDisposition {
  std::vector<Word> set;
  std::vector<Word> unset;
  friend bool operator==(const PersistentDisposition&, const PersistentDisposition&) = default;
};

/// What may be said of a whole sensor element or of one report, but not of both (section 7.3.7).
struct SensorSource {
  std::optional<Time> time;
  std::string device_id;
  std::string device_metadata;
  std::string raw_data;
  std::string data_processing_method;
  std::string biz_rules;
  friend bool operator==(const SensorSource&, const SensorSource&) = default;
};

struct SensorMetadata {
  SensorSource source;
  std::optional<Time> start_time;
  std::optional<Time> end_time;
  std::vector<Element> extensions;
  friend bool operator==(const SensorMetadata&, const SensorMetadata&) = default;
};

struct SensorReport {
  Word type;
  Word exception;
  SensorSource source;
  std::string microorganism;
  std::string chemical_substance;
  std::string coordinate_reference_system;
  Word component;
  std::optional<double> value, min_value, max_value, mean_value, s_dev, perc_rank, perc_value;
  std::optional<std::string> string_value;
  std::optional<bool> boolean_value;
  std::string hex_binary_value;
  std::string uri_value;
  std::string uom;
  std::vector<Element> extensions;
  friend bool operator==(const SensorReport&, const SensorReport&) = default;
};

struct SensorElement {
  std::optional<SensorMetadata> metadata;
  std::vector<SensorReport> reports;
  std::vector<Element> extensions;
  friend bool operator==(const SensorElement&, const SensorElement&) = default;
};

struct Event {
  EventType type = EventType::kObject;
  Time event_time;
  std::optional<Time> record_time;
  std::string time_zone_offset;  ///< ±hh:mm
  std::string event_id;
  std::vector<std::string> certification_info;
  std::optional<ErrorDeclaration> error_declaration;

  std::optional<Action> action;             ///< none in a TransformationEvent
  std::string parent_id;                    ///< Aggregation, Transaction, Association
  std::vector<std::string> epcs;            ///< epcList; childEPCs of Aggregation and Association
  std::vector<QuantityElement> quantities;  ///< quantityList; childQuantityList
  std::vector<std::string> input_epcs, output_epcs;  ///< Transformation
  std::vector<QuantityElement> input_quantities, output_quantities;
  std::string transformation_id;

  Word biz_step;
  Word disposition;
  std::optional<PersistentDisposition> persistent_disposition;
  std::optional<Location> read_point;
  std::optional<Location> biz_location;
  std::vector<TypedId> biz_transactions;
  std::vector<TypedId> sources;
  std::vector<TypedId> destinations;
  std::vector<SensorElement> sensor_elements;
  std::vector<Element> ilmd;  ///< Object (ADD) and Transformation
  std::vector<Element> extensions;
  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace theriac::epcis
