#include "epcis/event_writer.hpp"

#include <algorithm>

#include "epcis/epc_form.hpp"
#include "epcis/fields.hpp"

namespace theriac::epcis {

namespace {

class EventWriter {
 public:
  EventWriter(const Prefixes& prefixes, const WriteOptions& options, JsonWriter& out)
      : prefixes_(prefixes), options_(options), out_(out) {}

  void write(const Event& event) {
    out_.member("type", name_of(event.type));
    for (const Field field : fields_of(event.type)) write_field(field, event);
    write_extensions(event.extensions, prefixes_, out_);
  }

 private:
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) out_.member(name, value);
  }
  void id(std::string_view name, std::string_view value) {
    if (!value.empty()) out_.member(name, formatted(value, options_));
  }
  void time(std::string_view name, const std::optional<Time>& value) {
    if (value) out_.member(name, value->text);
  }
  void number(std::string_view name, const std::optional<double>& value) {
    if (!value) return;
    out_.key(name);
    out_.number(*value);
  }
  void word(std::string_view name, const Word& value) {
    if (!value.empty()) out_.member(name, json_word(value.value));
  }
  /// The schema refuses GS1's own namespace for what is none of its words; its prefix is allowed.
  static std::string json_word(std::string_view value) {
    for (const std::string_view space : {"https://gs1.org/voc/", "http://gs1.org/voc/",
                                         "https://www.gs1.org/voc/", "http://www.gs1.org/voc/"}) {
      if (value.starts_with(space)) return "gs1:" + std::string(value.substr(space.size()));
    }
    return std::string(value);
  }

  void ids(std::string_view name, const std::vector<std::string>& list, bool always = false) {
    if (list.empty() && !always) return;
    out_.key(name);
    out_.begin_array();
    for (const std::string& one : formatted(list, options_)) out_.string(one);
    out_.end_array();
  }
  void quantities(std::string_view name, const std::vector<QuantityElement>& list) {
    if (list.empty()) return;
    out_.key(name);
    out_.begin_array();
    for (const QuantityElement& element : list) {
      out_.begin_object();
      id("epcClass", element.epc_class);
      number("quantity", element.quantity);
      text("uom", element.uom);
      out_.end_object();
    }
    out_.end_array();
  }
  void typed_ids(std::string_view name, std::string_view item, const std::vector<TypedId>& list) {
    if (list.empty()) return;
    out_.key(name);
    out_.begin_array();
    for (const TypedId& one : list) {
      out_.begin_object();
      word("type", one.type);
      id(item, one.id);
      out_.end_object();
    }
    out_.end_array();
  }
  void location(std::string_view name, const std::optional<Location>& value) {
    if (!value) return;
    out_.key(name);
    out_.begin_object();
    id("id", value->id);
    write_extensions(value->extensions, prefixes_, out_);
    out_.end_object();
  }
  void words(std::string_view name, const std::vector<Word>& list) {
    if (list.empty()) return;
    out_.key(name);
    out_.begin_array();
    for (const Word& one : list) out_.string(json_word(one.value));
    out_.end_array();
  }
  void error_declaration(const ErrorDeclaration& value) {
    out_.key("errorDeclaration");
    out_.begin_object();
    out_.member("declarationTime", value.declaration_time.text);
    word("reason", value.reason);
    if (!value.corrective_event_ids.empty()) {
      out_.key("correctiveEventIDs");
      out_.begin_array();
      for (const std::string& one : value.corrective_event_ids) out_.string(one);
      out_.end_array();
    }
    write_extensions(value.extensions, prefixes_, out_);
    out_.end_object();
  }

  void source(const SensorSource& value) {
    time("time", value.time);
    id("deviceID", value.device_id);
    id("deviceMetadata", value.device_metadata);
    id("rawData", value.raw_data);
    id("dataProcessingMethod", value.data_processing_method);
    id("bizRules", value.biz_rules);
  }
  void report(const SensorReport& value) {
    out_.begin_object();
    word("type", value.type);
    word("exception", value.exception);
    source(value.source);
    text("microorganism", value.microorganism);
    text("chemicalSubstance", value.chemical_substance);
    text("coordinateReferenceSystem", value.coordinate_reference_system);
    number("value", value.value);
    word("component", value.component);
    if (value.string_value) out_.member("stringValue", *value.string_value);
    if (value.boolean_value) {
      out_.key("booleanValue");
      out_.literal(*value.boolean_value ? "true" : "false");
    }
    text("hexBinaryValue", value.hex_binary_value);
    text("uriValue", value.uri_value);
    number("minValue", value.min_value);
    number("maxValue", value.max_value);
    number("meanValue", value.mean_value);
    number("sDev", value.s_dev);
    number("percRank", value.perc_rank);
    number("percValue", value.perc_value);
    text("uom", value.uom);
    write_extensions(value.extensions, prefixes_, out_);
    out_.end_object();
  }
  void sensor_elements(const std::vector<SensorElement>& list) {
    if (list.empty()) return;
    out_.key("sensorElementList");
    out_.begin_array();
    for (const SensorElement& element : list) {
      out_.begin_object();
      if (element.metadata) {
        out_.key("sensorMetadata");
        out_.begin_object();
        source(element.metadata->source);
        time("startTime", element.metadata->start_time);
        time("endTime", element.metadata->end_time);
        write_extensions(element.metadata->extensions, prefixes_, out_);
        out_.end_object();
      }
      out_.key("sensorReport");
      out_.begin_array();
      for (const SensorReport& one : element.reports) report(one);
      out_.end_array();
      write_extensions(element.extensions, prefixes_, out_);
      out_.end_object();
    }
    out_.end_array();
  }

  void write_field(Field field, const Event& event) {
    const std::string_view name = name_of(field);
    switch (field) {
      case Field::kEventTime:
        return out_.member(name, event.event_time.text);
      case Field::kRecordTime:
        return time(name, event.record_time);
      case Field::kEventTimeZoneOffset:
        return out_.member(name, event.time_zone_offset);
      case Field::kEventId:
        return text(name, event.event_id);
      case Field::kErrorDeclaration:
        if (event.error_declaration) error_declaration(*event.error_declaration);
        return;
      case Field::kCertificationInfo:
        if (event.certification_info.size() == 1) {
          return text(name, event.certification_info.front());
        }
        return certification(event.certification_info);
      case Field::kParentId:
        return id(name, event.parent_id);
      case Field::kEpcList:
        // The schema wants to see that nothing was listed where there is no read point.
        return ids(name, event.epcs, event.quantities.empty() && !event.read_point);
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
      case Field::kTransformationId:
        return id(name, event.transformation_id);
      case Field::kAction:
        if (event.action) out_.member(name, name_of(*event.action));
        return;
      case Field::kBizStep:
        return word(name, event.biz_step);
      case Field::kDisposition:
        return word(name, event.disposition);
      case Field::kReadPoint:
        return location(name, event.read_point);
      case Field::kBizLocation:
        return location(name, event.biz_location);
      case Field::kBizTransactionList:
        return typed_ids(name, "bizTransaction", event.biz_transactions);
      case Field::kSourceList:
        return typed_ids(name, "source", event.sources);
      case Field::kDestinationList:
        return typed_ids(name, "destination", event.destinations);
      case Field::kSensorElementList:
        return sensor_elements(event.sensor_elements);
      case Field::kPersistentDisposition:
        if (!event.persistent_disposition) return;
        out_.key(name);
        out_.begin_object();
        words("set", event.persistent_disposition->set);
        words("unset", event.persistent_disposition->unset);
        return out_.end_object();
      case Field::kIlmd:
        if (event.ilmd.empty()) return;
        out_.key(name);
        out_.begin_object();
        write_extensions(event.ilmd, prefixes_, out_);
        return out_.end_object();
    }
  }
  void certification(const std::vector<std::string>& list) {
    if (list.empty()) return;
    out_.key("certificationInfo");
    out_.begin_array();
    for (const std::string& one : list) out_.string(one);
    out_.end_array();
  }

  const Prefixes& prefixes_;
  const WriteOptions& options_;
  JsonWriter& out_;
};

std::string json_name(std::string_view ns, std::string_view name, const Prefixes& prefixes) {
  if (ns.empty()) return std::string(name);
  return std::string(prefixes.of(ns)) + ":" + std::string(name);
}

void write_scalar(Scalar type, std::string_view text, JsonWriter& out) {
  const bool number =
      type == Scalar::kInteger || type == Scalar::kDecimal || type == Scalar::kDouble;
  const bool literal =
      type == Scalar::kBoolean ? text == "true" || text == "false" : number && is_json_number(text);
  if (literal) {
    out.literal(text);
  } else {
    out.string(text);
  }
}

}  // namespace

std::string formatted(std::string_view identifier, const WriteOptions& options) {
  switch (options.epcs) {
    case EpcFormat::kAsIs:
      return std::string(identifier);
    case EpcFormat::kDigitalLink:
      return as_link(identifier);
    case EpcFormat::kUrn:
      return as_urn(identifier, options.prefix_length ? options.prefix_length(identifier) : 0);
  }
  return std::string(identifier);
}

std::vector<std::string> formatted(const std::vector<std::string>& list,
                                   const WriteOptions& options) {
  if (options.epcs == EpcFormat::kAsIs) return list;
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const std::string& one : list) {
    std::string text = formatted(one, options);
    if (seen.insert(text).second) out.push_back(std::move(text));
  }
  return out;
}

void write_event_members(const Event& event, const Prefixes& prefixes, const WriteOptions& options,
                         JsonWriter& out) {
  EventWriter(prefixes, options, out).write(event);
}

void write_extensions(const std::vector<Element>& extensions, const Prefixes& prefixes,
                      JsonWriter& out) {
  // Positions by name, names in order of appearance.
  std::map<std::pair<std::string_view, std::string_view>, std::vector<const Element*>> groups;
  std::vector<std::vector<const Element*>*> order;
  for (const Element& element : extensions) {
    auto [group, fresh] = groups.try_emplace({element.ns, element.name});
    if (fresh) order.push_back(&group->second);
    group->second.push_back(&element);
  }
  for (const auto* group : order) {
    const Element& first = *group->front();
    out.key(json_name(first.ns, first.name, prefixes));
    if (group->size() == 1) {
      write_extension_value(first, prefixes, out);
      continue;
    }
    out.begin_array();
    for (const Element* element : *group) write_extension_value(*element, prefixes, out);
    out.end_array();
  }
}

void write_extension_value(const Element& element, const Prefixes& prefixes, JsonWriter& out) {
  if (element.children.empty() && element.attributes.empty()) {
    return write_scalar(element.type, element.text, out);
  }
  out.begin_object();
  if (const std::string_view text = trimmed(element.text); !text.empty()) {
    out.key("#text");
    write_scalar(element.type, text, out);
  }
  if (element.attributes.empty()) {
    write_extensions(element.children, prefixes, out);
  } else {
    // Attributes are members as children are, and may share a name with one.
    std::vector<Element> members;
    for (const Attribute& attribute : element.attributes) {
      members.push_back({.ns = attribute.ns, .name = attribute.name, .text = attribute.value});
    }
    members.insert(members.end(), element.children.begin(), element.children.end());
    write_extensions(members, prefixes, out);
  }
  out.end_object();
}

}  // namespace theriac::epcis
