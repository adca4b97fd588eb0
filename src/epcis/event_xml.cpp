#include "epcis/event_xml.hpp"

#include <set>

#include "epcis/event_writer.hpp"
#include "epcis/fields.hpp"

namespace theriac::epcis {

namespace {

std::string qualified(std::string_view ns, std::string_view name, const Prefixes& prefixes) {
  if (ns.empty()) return std::string(name);
  return std::string(prefixes.of(ns)) + ":" + std::string(name);
}

/// Attributes in it are the schema's.
constexpr std::string_view kSchemaInstance = "http://www.w3.org/2001/XMLSchema-instance";

class EventWriter {
 public:
  EventWriter(const Prefixes& prefixes, const WriteOptions& options, XmlWriter& out)
      : prefixes_(prefixes), options_(options), out_(out) {}

  void write(const Event& event, bool root) {
    out_.begin(name_of(event.type));
    if (root) write_declarations(prefixes_, out_);
    for (const Field field : fields_of(event.type)) write_field(field, event);
    extensions(event.extensions);
    out_.end();
  }

 private:
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) out_.leaf(name, value);
  }
  void id(std::string_view name, std::string_view value) {
    if (!value.empty()) out_.leaf(name, formatted(value, options_));
  }
  void word(std::string_view name, Vocabulary vocabulary, const Word& value) {
    if (!value.empty()) out_.leaf(name, spelled(vocabulary, value));
  }
  [[nodiscard]] std::string spelled(Vocabulary vocabulary, const Word& word) const {
    if (!is_standard(vocabulary, word.value)) return word.value;
    const bool web = options_.words == CbvFormat::kWebUri ||
                     (options_.words == CbvFormat::kAsIs && word.spelling == Spelling::kWebUri);
    if (web) return web_uri_of(vocabulary, word.value);
    std::string urn = urn_of(vocabulary, word.value);
    return urn.empty() ? compact_of(vocabulary, word.value) : urn;
  }

  void extensions(const std::vector<Element>& list) {
    for (const Element& element : list) write_element(element, prefixes_, out_);
  }
  /// The schema has attributes where these stand.
  void extension_attributes(const std::vector<Element>& list) {
    std::set<std::string> names;
    for (const Element& element : list) {
      const std::string name = qualified(element.ns, element.name, prefixes_);
      const bool plain = element.children.empty() && element.attributes.empty() &&
                         element.ns != kSchemaInstance && names.insert(name).second;
      if (!plain) out_.set_impossible();
      out_.attribute(name, element.text);
    }
  }

  void ids(std::string_view name, const std::vector<std::string>& list) {
    if (list.empty()) return;
    out_.begin(name);
    for (const std::string& one : formatted(list, options_)) out_.leaf("epc", one);
    out_.end();
  }
  void quantities(std::string_view name, const std::vector<QuantityElement>& list) {
    if (list.empty()) return;
    out_.begin(name);
    for (const QuantityElement& element : list) {
      out_.begin("quantityElement");
      id("epcClass", element.epc_class);
      if (element.quantity) out_.leaf("quantity", number_text(*element.quantity, true));
      text("uom", element.uom);
      out_.end();
    }
    out_.end();
  }
  void typed_ids(std::string_view name, std::string_view item, Vocabulary vocabulary,
                 const std::vector<TypedId>& list) {
    if (list.empty()) return;
    out_.begin(name);
    for (const TypedId& one : list) {
      out_.begin(item);
      if (!one.type.empty()) out_.attribute("type", spelled(vocabulary, one.type));
      out_.text(formatted(one.id, options_));
      out_.end();
    }
    out_.end();
  }
  void location(std::string_view name, const std::optional<Location>& value) {
    if (!value) return;
    out_.begin(name);
    id("id", value->id);
    extensions(value->extensions);
    out_.end();
  }
  void error_declaration(const ErrorDeclaration& value) {
    out_.begin("errorDeclaration");
    out_.leaf("declarationTime", value.declaration_time.text);
    word("reason", Vocabulary::kErrorReason, value.reason);
    if (!value.corrective_event_ids.empty()) {
      out_.begin("correctiveEventIDs");
      for (const std::string& one : value.corrective_event_ids) {
        out_.leaf("correctiveEventID", one);
      }
      out_.end();
    }
    extensions(value.extensions);
    out_.end();
  }
  void persistent_disposition(const PersistentDisposition& value) {
    out_.begin("persistentDisposition");
    for (const Word& one : value.unset) word("unset", Vocabulary::kDisposition, one);
    for (const Word& one : value.set) word("set", Vocabulary::kDisposition, one);
    out_.end();
  }

  void attribute(std::string_view name, std::string_view value) {
    if (!value.empty()) out_.attribute(name, value);
  }
  void attribute(std::string_view name, const std::optional<Time>& value) {
    if (value) out_.attribute(name, value->text);
  }
  void attribute(std::string_view name, const std::optional<double>& value) {
    if (value) out_.attribute(name, number_text(*value, false));
  }
  void attribute(std::string_view name, Vocabulary vocabulary, const Word& value) {
    if (!value.empty()) out_.attribute(name, spelled(vocabulary, value));
  }
  void source(const SensorSource& value) {
    attribute("time", value.time);
    attribute("deviceID", formatted(value.device_id, options_));
    attribute("deviceMetadata", formatted(value.device_metadata, options_));
    attribute("rawData", formatted(value.raw_data, options_));
    attribute("dataProcessingMethod", formatted(value.data_processing_method, options_));
    attribute("bizRules", formatted(value.biz_rules, options_));
  }
  void report(const SensorReport& value) {
    out_.begin("sensorReport");
    attribute("type", Vocabulary::kMeasurementType, value.type);
    attribute("exception", Vocabulary::kSensorAlert, value.exception);
    source(value.source);
    attribute("microorganism", value.microorganism);
    attribute("chemicalSubstance", value.chemical_substance);
    attribute("coordinateReferenceSystem", value.coordinate_reference_system);
    attribute("value", value.value);
    attribute("component", Vocabulary::kComponent, value.component);
    if (value.string_value) out_.attribute("stringValue", *value.string_value);
    if (value.boolean_value)
      out_.attribute("booleanValue", *value.boolean_value ? "true" : "false");
    attribute("hexBinaryValue", value.hex_binary_value);
    attribute("uriValue", value.uri_value);
    attribute("minValue", value.min_value);
    attribute("maxValue", value.max_value);
    attribute("meanValue", value.mean_value);
    attribute("sDev", value.s_dev);
    attribute("percRank", value.perc_rank);
    attribute("percValue", value.perc_value);
    attribute("uom", value.uom);
    extension_attributes(value.extensions);
    out_.end();
  }
  void sensor_elements(const std::vector<SensorElement>& list) {
    if (list.empty()) return;
    out_.begin("sensorElementList");
    for (const SensorElement& element : list) {
      out_.begin("sensorElement");
      if (element.metadata) {
        out_.begin("sensorMetadata");
        source(element.metadata->source);
        attribute("startTime", element.metadata->start_time);
        attribute("endTime", element.metadata->end_time);
        extension_attributes(element.metadata->extensions);
        out_.end();
      }
      for (const SensorReport& one : element.reports) report(one);
      extensions(element.extensions);
      out_.end();
    }
    out_.end();
  }

  void write_field(Field field, const Event& event) {
    const std::string_view name = name_of(field);
    switch (field) {
      case Field::kEventTime:
        return out_.leaf(name, event.event_time.text);
      case Field::kRecordTime:
        if (event.record_time) out_.leaf(name, event.record_time->text);
        return;
      case Field::kEventTimeZoneOffset:
        return out_.leaf(name, event.time_zone_offset);
      case Field::kEventId:
        return text(name, event.event_id);
      case Field::kErrorDeclaration:
        if (event.error_declaration) error_declaration(*event.error_declaration);
        return;
      case Field::kCertificationInfo:
        for (const std::string& one : event.certification_info) text(name, one);
        return;
      case Field::kAction:
        if (event.action) out_.leaf(name, name_of(*event.action));
        return;
      case Field::kBizStep:
        return word(name, Vocabulary::kBizStep, event.biz_step);
      case Field::kDisposition:
        return word(name, Vocabulary::kDisposition, event.disposition);
      case Field::kReadPoint:
        return location(name, event.read_point);
      case Field::kBizLocation:
        return location(name, event.biz_location);
      case Field::kSensorElementList:
        return sensor_elements(event.sensor_elements);
      case Field::kPersistentDisposition:
        if (event.persistent_disposition) persistent_disposition(*event.persistent_disposition);
        return;
      case Field::kIlmd:
        if (event.ilmd.empty()) return;
        out_.begin(name);
        extensions(event.ilmd);
        return out_.end();
      default:
        return write_objects(field, name, event);
    }
  }
  void write_objects(Field field, std::string_view name, const Event& event) {
    switch (field) {
      case Field::kParentId:
        return id(name, event.parent_id);
      case Field::kTransformationId:
        return id(name, event.transformation_id);
      case Field::kEpcList:
      case Field::kChildEpcs:
        return ids(name, event.epcs);
      case Field::kInputEpcList:
        return ids(name, event.input_epcs);
      case Field::kOutputEpcList:
        return ids(name, event.output_epcs);
      case Field::kInputQuantityList:
        return quantities(name, event.input_quantities);
      case Field::kOutputQuantityList:
        return quantities(name, event.output_quantities);
      case Field::kQuantityList:
      case Field::kChildQuantityList:
        return quantities(name, event.quantities);
      case Field::kBizTransactionList:
        return typed_ids(name, "bizTransaction", Vocabulary::kBizTransactionType,
                         event.biz_transactions);
      case Field::kSourceList:
        return typed_ids(name, "source", Vocabulary::kSourceDestinationType, event.sources);
      case Field::kDestinationList:
        return typed_ids(name, "destination", Vocabulary::kSourceDestinationType,
                         event.destinations);
      default:
        return;
    }
  }

  const Prefixes& prefixes_;
  const WriteOptions& options_;
  XmlWriter& out_;
};

}  // namespace

void write_event_xml(const Event& event, const Prefixes& prefixes, const WriteOptions& options,
                     XmlWriter& out, bool root) {
  EventWriter(prefixes, options, out).write(event, root);
}

void write_declarations(const Prefixes& prefixes, XmlWriter& out) {
  out.attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
  out.attribute("xmlns:xsd", "http://www.w3.org/2001/XMLSchema");
  for (const Namespace& one : prefixes.declarations()) {
    // Namespaces in XML 1.0, section 3: these two are bound already.
    if (one.uri == "http://www.w3.org/XML/1998/namespace" ||
        one.uri == "http://www.w3.org/2000/xmlns/") {
      out.set_impossible();
    }
    out.attribute("xmlns:" + one.prefix, one.uri);
  }
}

void write_element(const Element& element, const Prefixes& prefixes, XmlWriter& out) {
  out.begin(qualified(element.ns, element.name, prefixes));
  write_content(element, prefixes, out);
  out.end();
}

void write_content(const Element& element, const Prefixes& prefixes, XmlWriter& out) {
  if (element.type != Scalar::kText && element.children.empty()) {
    out.attribute("xsi:type", "xsd:" + std::string(name_of(element.type)));
  }
  for (const Attribute& one : element.attributes) {
    if (one.ns == kSchemaInstance) out.set_impossible();
    out.attribute(qualified(one.ns, one.name, prefixes), one.value);
  }
  out.text(element.text);
  for (const Element& child : element.children) write_element(child, prefixes, out);
}

}  // namespace theriac::epcis
