#include "epcis/sensor_reader.hpp"

#include <algorithm>

namespace theriac::epcis {

namespace {

using enum ProblemCode;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Reads the fields of one metadata or report; each reader says whether the name is its own.
class Fields {
 public:
  Fields(ValueReader& in) : in_(in) {}

  bool source(std::string_view name, const Element& value, SensorSource& out) {
    if (name == "time") return set(out.time, value, "time");
    if (name == "deviceID") return uri(out.device_id, value, "deviceID");
    if (name == "deviceMetadata") return uri(out.device_metadata, value, "deviceMetadata");
    if (name == "rawData") return uri(out.raw_data, value, "rawData");
    if (name == "dataProcessingMethod") {
      return uri(out.data_processing_method, value, "dataProcessingMethod");
    }
    if (name == "bizRules") return uri(out.biz_rules, value, "bizRules");
    return false;
  }

  bool metadata(std::string_view name, const Element& value, SensorMetadata& out) {
    if (name == "startTime") return set(out.start_time, value, "startTime");
    if (name == "endTime") return set(out.end_time, value, "endTime");
    return source(name, value, out.source);
  }

  bool report(std::string_view name, const Element& value, SensorReport& out) {
    if (name == "type") return word(out.type, Vocabulary::kMeasurementType, value, "type");
    if (name == "exception") {
      return word(out.exception, Vocabulary::kSensorAlert, value, "exception");
    }
    if (name == "component") {
      return word(out.component, Vocabulary::kComponent, value, "component");
    }
    if (name == "microorganism") return uri(out.microorganism, value, "microorganism");
    if (name == "chemicalSubstance") {
      return uri(out.chemical_substance, value, "chemicalSubstance");
    }
    if (name == "coordinateReferenceSystem") {
      return uri(out.coordinate_reference_system, value, "coordinateReferenceSystem");
    }
    if (name == "uom") {
      const At at(in_.report(), "uom");
      out.uom = in_.text(value);
      return true;
    }
    return measured(name, value, out) || source(name, value, out.source);
  }

 private:
  bool measured(std::string_view name, const Element& value, SensorReport& out) {
    if (name == "value") return number(out.value, value, "value");
    if (name == "minValue") return number(out.min_value, value, "minValue");
    if (name == "maxValue") return number(out.max_value, value, "maxValue");
    if (name == "meanValue") return number(out.mean_value, value, "meanValue");
    if (name == "sDev") return number(out.s_dev, value, "sDev");
    if (name == "percRank") return number(out.perc_rank, value, "percRank");
    if (name == "percValue") return number(out.perc_value, value, "percValue");
    if (name == "uriValue") return uri(out.uri_value, value, "uriValue");
    if (name == "booleanValue") {
      const At at(in_.report(), "booleanValue");
      out.boolean_value = in_.boolean(value);
      return true;
    }
    if (name == "stringValue") {
      const At at(in_.report(), "stringValue");
      if (in_.json() && value.type != Scalar::kText) in_.report().add(kWrongType);
      out.string_value = value.text;
      return true;
    }
    if (name == "hexBinaryValue") {
      const At at(in_.report(), "hexBinaryValue");
      out.hex_binary_value = in_.text(value);
      const bool hex = std::ranges::all_of(out.hex_binary_value, [](char c) {
        return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f');
      });
      // XML Schema's hexBinary is whole bytes; JSON's schema does not say.
      if (!hex || out.hex_binary_value.size() % 2 != 0) in_.report().add(kBadHex);
      return true;
    }
    return false;
  }

  bool set(std::optional<Time>& out, const Element& value, std::string_view name) {
    const At at(in_.report(), name);
    out = in_.time(value);
    return true;
  }
  bool uri(std::string& out, const Element& value, std::string_view name) {
    const At at(in_.report(), name);
    out = in_.uri(value);
    return true;
  }
  bool number(std::optional<double>& out, const Element& value, std::string_view name) {
    const At at(in_.report(), name);
    out = in_.number(value);
    return true;
  }
  bool word(Word& out, Vocabulary vocabulary, const Element& value, std::string_view name) {
    const At at(in_.report(), name);
    out = in_.word(vocabulary, value);
    return true;
  }

  ValueReader& in_;
};

SensorMetadata read_metadata(const Element& value, ValueReader& in) {
  const At at(in.report(), "sensorMetadata");
  SensorMetadata out;
  for (const Member& member : in.members(value).all()) {
    if (!member.ns.empty() || !Fields(in).metadata(member.name, *member.value, out)) {
      in.extension(member, out.extensions);
    }
  }
  return out;
}

SensorReport read_report(const Element& value, ValueReader& in, std::size_t index) {
  const At at(in.report(), "sensorReport", index);
  SensorReport out;
  for (const Member& member : in.members(value).all()) {
    if (!member.ns.empty() || !Fields(in).report(member.name, *member.value, out)) {
      in.extension(member, out.extensions);
    }
  }
  return out;
}

}  // namespace

std::vector<SensorElement> read_sensor_elements(const Element& list, ValueReader& in) {
  std::vector<SensorElement> out;
  in.items(list, "sensorElement", [&](const Element& item) {
    SensorElement element;
    for (const Member& member : in.members(item).all()) {
      const bool standard = member.ns.empty();
      if (standard && same_letters(member.name, "sensorMetadata")) {
        // "sensorMetaData" is in GS1's own 1.2 example.
        if (member.name != "sensorMetadata") in.report().add(kMisspelledField, "sensorMetadata");
        if (element.metadata) in.report().add(kRepeatedField, "sensorMetadata");
        if (!in.json() && !element.reports.empty()) {
          in.report().add(kOutOfOrder, "sensorMetadata");
        }
        element.metadata = read_metadata(*member.value, in);
      } else if (standard && member.name == "sensorReport" && in.json()) {
        if (member.value->type != Scalar::kArray) {
          in.report().add(kWrongType, "sensorReport");
        }
        for (const Element& report : member.value->children) {
          element.reports.push_back(read_report(report, in, element.reports.size()));
        }
      } else if (standard && member.name == "sensorReport") {
        element.reports.push_back(read_report(*member.value, in, element.reports.size()));
      } else if (standard && member.name == "type" && in.json()) {
        in.report().add(kRedundantType, "type");  // "epcis:SensorElement"
      } else {
        in.extension(member, element.extensions);
      }
    }
    out.push_back(std::move(element));
  });
  return out;
}

}  // namespace theriac::epcis
