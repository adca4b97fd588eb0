#include "epcis/rules.hpp"

#include <algorithm>

#include "epcis/event_reader.hpp"
#include "epcis/event_writer.hpp"
#include "epcis/json_tree.hpp"
#include "epcis/units.hpp"

namespace theriac::epcis {

namespace {

using enum ProblemCode;

void check_objects(const Event& event, Report& report) {
  const bool ends = event.action == Action::kDelete;
  const bool any = !event.epcs.empty() || !event.quantities.empty();
  switch (event.type) {
    case EventType::kObject:
      // Section 7.4.2: without objects the event tells what sensors found at a place.
      if (!any && (event.sensor_elements.empty() || !(event.read_point || event.biz_location))) {
        report.add(kNothingObserved);
      }
      return;
    case EventType::kAggregation:
      if (event.parent_id.empty() && event.action != Action::kObserve) {
        report.add(kParentMissing, "parentID");
      }
      if (!any && !ends) report.add(kChildrenMissing, "childEPCs");
      return;
    case EventType::kAssociation:  // TCR-54 steps 3 and 4
      if (event.parent_id.empty()) report.add(kParentMissing, "parentID");
      if (!any && !ends) report.add(kChildrenMissing, "childEPCs");
      return;
    case EventType::kTransaction:
      if (event.biz_transactions.empty()) report.add(kTransactionMissing, "bizTransactionList");
      if (!any && event.parent_id.empty() && !ends) report.add(kNothingObserved);
      return;
    case EventType::kTransformation: {
      const bool in = !event.input_epcs.empty() || !event.input_quantities.empty();
      const bool out = !event.output_epcs.empty() || !event.output_quantities.empty();
      const bool enough = event.transformation_id.empty() ? in && out : in || out;
      if (!enough) report.add(kInputOrOutputMissing);
      return;
    }
  }
}

void check_times(const SensorMetadata& metadata, Report& report) {
  if (metadata.start_time && metadata.end_time && metadata.end_time->ms < metadata.start_time->ms) {
    report.add(kEndBeforeStart, "endTime");
  }
}

/// TCR-53 step 29: what is said of the whole element is not said again of a report. GS1's own
/// examples do, in the same words, and with a time for each; what contradicts is another matter.
void check_once(const SensorSource& element, const SensorSource& one, Report& report) {
  if (element.time && one.time) report.add(kSensorFieldTwice, "time");
  const auto both = [&](const std::string& a, const std::string& b, std::string_view name) {
    if (!a.empty() && !b.empty())
      report.add(a == b ? kSensorFieldTwice : kSensorFieldDiffers, name);
  };
  both(element.device_id, one.device_id, "deviceID");
  both(element.device_metadata, one.device_metadata, "deviceMetadata");
  both(element.raw_data, one.raw_data, "rawData");
  both(element.data_processing_method, one.data_processing_method, "dataProcessingMethod");
  both(element.biz_rules, one.biz_rules, "bizRules");
}

void check_sensors(const Event& event, Report& report) {
  for (std::size_t i = 0; i < event.sensor_elements.size(); ++i) {
    const SensorElement& element = event.sensor_elements[i];
    const At at(report, "sensorElementList", i);
    if (element.metadata) {
      const At inner(report, "sensorMetadata");
      check_times(*element.metadata, report);
    }
    if (element.reports.empty()) report.add(kReportMissing, "sensorReport");
    for (std::size_t j = 0; j < element.reports.size(); ++j) {
      const At inner(report, "sensorReport", j);
      const SensorReport& one = element.reports[j];
      if (one.type.empty()) {
        report.add(one.exception.empty() ? kReportWithoutType : kReportWithoutTypeButException,
                   "type");
      }
      if (!one.uom.empty() && !unit_of(one.uom)) report.add(kUnknownUnit, "uom");
      if (element.metadata) check_once(element.metadata->source, one.source, report);
    }
  }
}

void check_quantities(const std::vector<QuantityElement>& list, std::string_view name,
                      Report& report) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].uom.empty() && !list[i].quantity) {
      const At at(report, name, i);
      report.add(kUomWithoutQuantity, "uom");
    }
  }
}

}  // namespace

void check_rules(const Event& event, Report& report) {
  if (!event.action && event.type != EventType::kTransformation) {
    report.add(kMissingField, "action");
  }
  check_objects(event, report);
  check_quantities(event.quantities, "quantityList", report);
  check_quantities(event.input_quantities, "inputQuantityList", report);
  check_quantities(event.output_quantities, "outputQuantityList", report);
  if (!event.ilmd.empty() && event.type != EventType::kTransformation &&
      (event.type != EventType::kObject || event.action != Action::kAdd)) {
    report.add(kIlmdNotAllowed, "ilmd");
  }
  if (event.persistent_disposition && event.persistent_disposition->set.empty() &&
      event.persistent_disposition->unset.empty()) {
    report.add(kEmptyDisposition, "persistentDisposition");
  }
  check_sensors(event, report);
}

std::vector<Problem> problems_of(const Event& event) {
  // Written and read: whatever the reader would refuse is found, and nothing is said twice.
  Prefixes prefixes({}, {}, {});
  prefixes.cover(event);
  Context context;
  Report report(ProblemCodes{});
  JsonWriter out;
  out.begin_object();
  out.key("@context");
  out.begin_object();
  for (const Namespace& one : prefixes.declarations()) out.member(one.prefix, one.uri);
  out.end_object();
  write_event_members(event, prefixes, {}, out);
  out.end_object();
  const auto tree = scan_json_document(out.take());
  if (!tree) return {{kWrongType, {}}};  // not UTF-8, or beyond a limit
  read_event(*tree, Format::kJson, context, report);
  return std::move(report.problems());
}

Status check_writable(const Event& event, const std::string& place) {
  for (const Problem& problem : problems_of(event)) {
    if (kind_of(problem.code) != Kind::kRefusal) continue;
    return fail(Code::kMalformed, place + ": " + problem.path + ": " +
                                      std::string(words_of(problem.code, Language::kEnglish)));
  }
  return {};
}

}  // namespace theriac::epcis
