#include "epcis/terms.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "epcis/epc_form.hpp"

namespace theriac::epcis {

namespace {

class Collector {
 public:
  void add(std::string_view field, std::string value) {
    if (!value.empty()) terms_.push_back({std::string(field), std::move(value)});
  }
  void id(std::string_view field, std::string_view value) {
    if (!value.empty()) add(field, canonical_id(value));
  }
  void ids(std::string_view field, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      id(field, value);
      add(std::string(field) + ".class", class_of(value));
    }
  }
  void classes(std::string_view field, const std::vector<QuantityElement>& values) {
    for (const QuantityElement& value : values) id(field, value.epc_class);
  }
  void typed(std::string_view field, const std::vector<TypedId>& values) {
    for (const TypedId& value : values) add(field, typed_value(value.type, value.id));
  }
  std::vector<Term> take() {
    std::ranges::sort(terms_);
    const auto twice = std::ranges::unique(terms_);
    terms_.erase(twice.begin(), twice.end());
    return std::move(terms_);
  }

 private:
  std::vector<Term> terms_;
};

void add_source(Collector& out, const SensorSource& source) {
  out.id("deviceID", source.device_id);
  out.id("dataProcessingMethod", source.data_processing_method);
  out.id("bizRules", source.biz_rules);
}

void add_sensors(Collector& out, const Event& event) {
  if (!event.sensor_elements.empty()) out.add("sensorElementList", "yes");
  for (const SensorElement& element : event.sensor_elements) {
    if (element.metadata) add_source(out, element.metadata->source);
    for (const SensorReport& report : element.reports) {
      add_source(out, report.source);
      out.add("sensorType", report.type.value);
      out.id("microorganism", report.microorganism);
      out.id("chemicalSubstance", report.chemical_substance);
    }
  }
}

}  // namespace

std::string canonical_id(std::string_view id) { return as_link(id); }

std::string class_of(std::string_view id) {
  const std::string link = as_link(id);
  constexpr std::string_view kStem = "https://id.gs1.org/";
  if (!link.starts_with(kStem)) return {};
  // Digits of the key that name the class.
  constexpr std::array<std::pair<std::string_view, std::size_t>, 5> kKeys{
      {{"01/", 14}, {"8003/", 14}, {"253/", 13}, {"255/", 13}, {"8006/", 18}}};
  const std::string_view rest = std::string_view(link).substr(kStem.size());
  for (const auto& [key, digits] : kKeys) {
    if (rest.starts_with(key)) return link.substr(0, kStem.size() + key.size() + digits);
  }
  if (rest.starts_with("8010/")) return link.substr(0, link.find('/', kStem.size() + 5));
  return {};
}

std::string typed_value(const Word& type, std::string_view id) {
  return type.value + " " + canonical_id(id);
}

std::vector<Term> terms_of(const Event& event) {
  Collector out;
  out.add("type", std::string(name_of(event.type)));
  if (event.action) out.add("action", std::string(name_of(*event.action)));
  out.add("bizStep", event.biz_step.value);
  out.add("disposition", event.disposition.value);
  if (event.persistent_disposition) {
    for (const Word& word : event.persistent_disposition->set) {
      out.add("persistentDisposition.set", word.value);
    }
    for (const Word& word : event.persistent_disposition->unset) {
      out.add("persistentDisposition.unset", word.value);
    }
  }
  if (event.read_point) out.id("readPoint", event.read_point->id);
  if (event.biz_location) out.id("bizLocation", event.biz_location->id);
  out.add("eventID", event.event_id);
  out.id("transformationID", event.transformation_id);
  out.ids("epc", event.epcs);
  if (!event.parent_id.empty()) out.ids("parentID", {event.parent_id});
  out.ids("inputEPC", event.input_epcs);
  out.ids("outputEPC", event.output_epcs);
  out.classes("epcClass", event.quantities);
  out.classes("inputEPCClass", event.input_quantities);
  out.classes("outputEPCClass", event.output_quantities);
  out.typed("bizTransaction", event.biz_transactions);
  out.typed("source", event.sources);
  out.typed("destination", event.destinations);
  if (event.error_declaration) {
    out.add("errorDeclaration", "yes");
    out.add("errorReason", event.error_declaration->reason.value);
    for (const std::string& id : event.error_declaration->corrective_event_ids) {
      out.add("correctiveEventID", id);
    }
  }
  add_sensors(out, event);
  return out.take();
}

}  // namespace theriac::epcis
