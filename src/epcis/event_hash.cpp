#include "epcis/event_hash.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/bytes.hpp"
#include "codec/time.hpp"
#include "crypto/hash.hpp"
#include "epcis/epc_form.hpp"
#include "epcis/value_reader.hpp"

namespace theriac::epcis {

namespace {

using Parts = std::vector<std::string>;

/// As Python prints a float, without ".0": shortest digits, an exponent of two digits below 1e-4
/// and, unless it is whole, from 1e16.
std::string number_form(double value) {
  if (value == 0) return "0";
  std::array<char, 400> buffer;
  const auto print = [&](std::chars_format format) {
    const auto end = std::to_chars(buffer.begin(), buffer.end(), value, format);
    return std::string(buffer.data(), end.ptr);
  };
  const double size = std::fabs(value);
  if (std::trunc(value) == value) {
    // Every digit of the integer, not only those that tell it from its neighbours.
    const auto end =
        std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::fixed, 0);
    return {buffer.data(), end.ptr};
  }
  return print(size < 1e-4 ? std::chars_format::scientific : std::chars_format::fixed);
}

/// What Python's float() takes, but infinities and numbers with underscores.
std::optional<double> as_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) {
    return std::nullopt;
  }
  if (text.starts_with("+") && text.size() > 1 && (text[1] == '+' || text[1] == '-')) {
    return std::nullopt;
  }
  return number_of(text);
}

/// The canonical link with the three characters plain that need no escape in it (Digital Link,
/// table 7-1) and of which the reference makes none.
std::string link_form(std::string_view text) {
  std::string link = as_link(text);
  if (!link.starts_with("https://id.gs1.org/")) return link;
  constexpr std::array<std::pair<std::string_view, char>, 3> kPlain{
      {{"%27", '\''}, {"%3B", ';'}, {"%3D", '='}}};
  for (const auto& [escape, plain] : kPlain) {
    for (std::size_t at = 0; (at = link.find(escape, at)) != std::string::npos; ++at) {
      link.replace(at, escape.size(), 1, plain);
    }
  }
  return link;
}

/// Rules 14 to 18: CBV URNs and compact URIs as Web URIs, identifiers as canonical Digital Links.
std::string value_form(std::string_view raw) {
  const std::string_view text = trimmed(raw);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kBeginnings{{
      {"urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-"},
      {"urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/Disp-"},
      {"urn:epcglobal:cbv:btt:", "https://ref.gs1.org/cbv/BTT-"},
      {"urn:epcglobal:cbv:sdt:", "https://ref.gs1.org/cbv/SDT-"},
      {"urn:epcglobal:cbv:er:", "https://ref.gs1.org/cbv/ER-"},
      {"gs1:", "https://gs1.org/voc/"},
      {"cbv:", "https://ref.gs1.org/cbv/"},
      {"epcis:", "https://ref.gs1.org/epcis/"},
  }};
  for (const auto& [beginning, web] : kBeginnings) {
    if (text.starts_with(beginning)) {
      return std::string(web) + std::string(text.substr(beginning.size()));
    }
  }
  if (const auto number = as_number(text)) return number_form(*number);
  return link_form(text);
}

/// Rules 8 and 9: UTC, milliseconds, the third digit rounded by the fourth.
std::string time_form(const Time& time) {
  const std::size_t point = time.text.find('.');
  const bool up = point != std::string::npos && point + 4 < time.text.size() &&
                  time.text[point + 4] >= '5' && time.text[point + 4] <= '9';
  return codec::rfc3339_utc(time.ms + (up ? 1 : 0));
}

std::string pair(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : std::string(name) + "=" + std::string(value);
}
std::string text(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : pair(name, value_form(value));
}
std::string time(std::string_view name, const std::optional<Time>& value) {
  return value ? pair(name, time_form(*value)) : std::string();
}
std::string number(std::string_view name, const std::optional<double>& value) {
  return value ? pair(name, number_form(*value)) : std::string();
}
std::string word(std::string_view name, Vocabulary vocabulary, const Word& value) {
  if (value.empty()) return {};
  if (!is_standard(vocabulary, value.value)) return text(name, value.value);
  return pair(name, web_uri_of(vocabulary, value.value));
}

std::string joined(Parts parts) {
  std::ranges::sort(parts);
  std::string out;
  for (const std::string& part : parts) out += part;
  return out;
}
/// Rule 11: the list's name once, then its members in order of their bytes.
std::string list(std::string_view name, Parts parts) {
  std::string members = joined(std::move(parts));
  return members.empty() ? members : std::string(name) + members;
}
std::string ids(std::string_view name, const std::vector<std::string>& values) {
  Parts parts;
  for (const std::string& one : values) parts.push_back(text("epc", one));
  return list(name, std::move(parts));
}
std::string quantities(std::string_view name, const std::vector<QuantityElement>& values) {
  Parts parts;
  for (const QuantityElement& one : values) {
    parts.push_back("quantityElement" + text("epcClass", one.epc_class) +
                    number("quantity", one.quantity) + text("uom", one.uom));
  }
  return list(name, std::move(parts));
}
std::string typed_ids(std::string_view name, std::string_view item, Vocabulary vocabulary,
                      const std::vector<TypedId>& values) {
  Parts parts;
  for (const TypedId& one : values) {
    parts.push_back(word("type", vocabulary, one.type) + text(item, one.id));
  }
  return list(name, std::move(parts));
}

std::string qualified(std::string_view ns, std::string_view name) {
  return ns.empty() ? std::string(name) : "{" + std::string(ns) + "}" + std::string(name);
}

/// Rules 19 to 21.
std::string extension(const Element& element) {
  Parts parts;
  for (const Attribute& one : element.attributes) {
    parts.push_back(text(qualified(one.ns, one.name), one.value));
  }
  for (const Element& child : element.children) parts.push_back(extension(child));
  const std::string name = qualified(element.ns, element.name);
  const std::string value = value_form(element.text);
  return (value.empty() ? name : name + "=" + value) + joined(std::move(parts));
}
std::string extensions(const std::vector<Element>& values) {
  Parts parts;
  for (const Element& one : values) parts.push_back(extension(one));
  return joined(std::move(parts));
}

std::string location(std::string_view name, const std::optional<Location>& value) {
  if (!value) return {};
  return std::string(name) + text("id", value->id) + extensions(value->extensions);
}

std::string metadata(const SensorMetadata& value) {
  const SensorSource& source = value.source;
  return "sensorMetadata" + time("time", source.time) + time("startTime", value.start_time) +
         time("endTime", value.end_time) + text("deviceID", source.device_id) +
         text("deviceMetadata", source.device_metadata) + text("rawData", source.raw_data) +
         text("dataProcessingMethod", source.data_processing_method) +
         text("bizRules", source.biz_rules) + extensions(value.extensions);
}

std::string report(const SensorReport& value) {
  const SensorSource& source = value.source;
  std::string out =
      "sensorReport" + word("type", Vocabulary::kMeasurementType, value.type) +
      word("exception", Vocabulary::kSensorAlert, value.exception) +
      text("deviceID", source.device_id) + text("deviceMetadata", source.device_metadata) +
      text("rawData", source.raw_data) +
      text("dataProcessingMethod", source.data_processing_method) + time("time", source.time) +
      text("microorganism", value.microorganism) +
      text("chemicalSubstance", value.chemical_substance) + number("value", value.value) +
      word("component", Vocabulary::kComponent, value.component);
  if (value.string_value) out += text("stringValue", *value.string_value);
  if (value.boolean_value) out += pair("booleanValue", *value.boolean_value ? "true" : "false");
  return out + text("hexBinaryValue", value.hex_binary_value) + text("uriValue", value.uri_value) +
         number("minValue", value.min_value) + number("maxValue", value.max_value) +
         number("meanValue", value.mean_value) + number("sDev", value.s_dev) +
         number("percRank", value.perc_rank) + number("percValue", value.perc_value) +
         text("uom", value.uom) +
         text("coordinateReferenceSystem", value.coordinate_reference_system) +
         extensions(value.extensions);
}

std::string sensors(const std::vector<SensorElement>& values) {
  Parts parts;
  for (const SensorElement& one : values) {
    Parts reports;
    for (const SensorReport& inner : one.reports) reports.push_back(report(inner));
    parts.push_back("sensorElement" + (one.metadata ? metadata(*one.metadata) : std::string()) +
                    joined(std::move(reports)) + extensions(one.extensions));
  }
  return list("sensorElementList", std::move(parts));
}

/// The order of properties has no place for the business rules of a report, so that the reference
/// leaves them to the end, with their path.
std::string report_rules(const std::vector<SensorElement>& values) {
  Parts parts;
  for (const SensorElement& one : values) {
    Parts reports;
    for (const SensorReport& inner : one.reports) {
      const std::string rules = text("bizRules", inner.source.biz_rules);
      if (!rules.empty()) reports.push_back("sensorReport" + rules);
    }
    parts.push_back(list("sensorElement", std::move(reports)));
  }
  return list("sensorElementList", std::move(parts));
}

std::string dispositions(const std::optional<PersistentDisposition>& value) {
  if (!value) return {};
  const auto words = [](std::string_view name, const std::vector<Word>& values) {
    Parts parts;
    for (const Word& one : values) parts.push_back(word(name, Vocabulary::kDisposition, one));
    return joined(std::move(parts));
  };
  return "persistentDisposition" + words("set", value->set) + words("unset", value->unset);
}

bool counts(const Element& element, const HashOptions& options) {
  if (element.ns == "http://www.w3.org/2000/01/rdf-schema#" && element.name == "comment") {
    return false;
  }
  return std::ranges::none_of(options.ignored, [&](const HashOptions::Name& one) {
    return one.ns == element.ns && one.name == element.name;
  });
}

/// What the order of properties does not name: by its text.
std::string remainder(const Event& event, const HashOptions& options) {
  Parts parts{typed_ids("bizTransactionList", "bizTransaction", Vocabulary::kBizTransactionType,
                        event.biz_transactions),
              typed_ids("sourceList", "source", Vocabulary::kSourceDestinationType, event.sources),
              typed_ids("destinationList", "destination", Vocabulary::kSourceDestinationType,
                        event.destinations),
              report_rules(event.sensor_elements)};
  const std::string ilmd = extensions(event.ilmd);
  if (!ilmd.empty()) parts.push_back("ilmd" + ilmd);
  for (const Element& one : event.extensions) {
    if (counts(one, options)) parts.push_back(extension(one));
  }
  return joined(std::move(parts));
}

}  // namespace

std::string pre_hash(const Event& event, const HashOptions& options) {
  const bool children =
      event.type == EventType::kAggregation || event.type == EventType::kAssociation;
  Parts certificates;
  for (const std::string& one : event.certification_info) {
    certificates.push_back(text("certificationInfo", one));
  }
  std::string out = pair("eventType", name_of(event.type)) + time("eventTime", event.event_time) +
                    pair("eventTimeZoneOffset", event.time_zone_offset) +
                    joined(std::move(certificates)) + text("parentID", event.parent_id);
  out += children ? ids("childEPCs", event.epcs) : ids("epcList", event.epcs);
  out += ids("inputEPCList", event.input_epcs);
  out += quantities(children ? "childQuantityList" : "quantityList", event.quantities);
  out += quantities("inputQuantityList", event.input_quantities);
  out += ids("outputEPCList", event.output_epcs);
  out += quantities("outputQuantityList", event.output_quantities);
  if (event.action) out += pair("action", name_of(*event.action));
  return out + text("transformationID", event.transformation_id) +
         word("bizStep", Vocabulary::kBizStep, event.biz_step) +
         word("disposition", Vocabulary::kDisposition, event.disposition) +
         dispositions(event.persistent_disposition) + location("readPoint", event.read_point) +
         location("bizLocation", event.biz_location) + sensors(event.sensor_elements) +
         remainder(event, options);
}

std::string event_hash(const Event& event, const HashOptions& options) {
  const auto digest = crypto::sha256(view_of(pre_hash(event, options)));
  return "ni:///sha-256;" + to_hex(digest) + "?ver=CBV2.0";
}

}  // namespace theriac::epcis
