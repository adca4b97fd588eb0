// The part of a JSON document around its events.
#include "epcis/event_reader.hpp"
#include "epcis/json_tree.hpp"
#include "epcis/master_data.hpp"
#include "epcis/read.hpp"

namespace theriac::epcis {

namespace {

using enum ProblemCode;

class DocumentReader {
 public:
  DocumentReader(const Element& tree, Context& context, Report& report)
      : tree_(tree), in_(Format::kJson, context, report), context_(context), report_(report) {}

  Document read() {
    if (tree_.type != Scalar::kObject) {
      report_.add(kWrongType);
      return std::move(document_);
    }
    read_context();
    read_kind();
    if (report_.fatal() || document_.kind == DocumentKind::kBareEvent) return std::move(document_);
    for (const Member& member : in_.members(tree_).all()) read_member(member);
    require("creationDate");
    require("schemaVersion");
    require("epcisBody");
    return std::move(document_);
  }

 private:
  void require(std::string_view name) {
    // Section 10: a query's result may leave version and date out.
    const bool optional = document_.kind == DocumentKind::kQueryResult && name != "epcisBody";
    if (!optional && member(tree_, name) == nullptr) report_.add(kMissingField, name);
  }

  void read_context() {
    const Element* value = member(tree_, "@context");
    if (value == nullptr) return report_.add(kBadContext, "@context");
    const At at(report_, "@context");
    context_.add(*value, report_, &document_.contexts, &document_.namespaces);
  }

  void read_kind() {
    const Element* type = member(tree_, "type");
    if (type == nullptr || type->type != Scalar::kText) return report_.add(kMissingField, "type");
    if (type->text == "EPCISDocument") {
      document_.kind = DocumentKind::kEvents;
    } else if (type->text == "EPCISQueryDocument") {
      document_.kind = DocumentKind::kQueryResult;
    } else if (event_type_of(type->text)) {
      document_.kind = DocumentKind::kBareEvent;
    } else {
      report_.add(kUnknownDocument, "type");
    }
  }

  void read_member(const Member& member) {
    if (!member.ns.empty()) return in_.extension(member, document_.extensions);
    const Element& value = *member.value;
    const std::string_view name = member.name;
    if (name == "type") return;
    if (name == "id") return set(document_.id, "id", value);
    if (name == "sender") return set(document_.sender, "sender", value);
    if (name == "receiver") return set(document_.receiver, "receiver", value);
    if (name == "instanceIdentifier") {
      return set(document_.instance_identifier, "instanceIdentifier", value);
    }
    if (name == "creationDate") {
      const At at(report_, "creationDate");
      document_.creation_date = in_.time(value);
    } else if (name == "schemaVersion") {
      const At at(report_, "schemaVersion");
      document_.schema_version = in_.text(value);
      if (!is_version_2(document_.schema_version)) report_.add(kUnknownVersion);
    } else if (name == "epcisHeader") {
      read_header(value);
    } else if (name == "epcisBody") {
      read_body(value);
    } else {
      report_.add(kUnknownField);
    }
  }

  static bool is_version_2(std::string_view text) {
    return text == "2" || (text.starts_with("2.") && text.size() > 2 && text.back() != '.' &&
                           text.find_first_not_of("0123456789.") == std::string_view::npos);
  }

  void set(std::string& out, std::string_view name, const Element& value) {
    const At at(report_, name);
    out = in_.text(value);
  }

  void read_header(const Element& value) {
    const At at(report_, "epcisHeader");
    for (const Member& member : in_.members(value).all()) {
      if (!member.ns.empty()) {
        in_.extension(member, document_.extensions);
      } else if (member.name == "epcisMasterData") {
        const At inner(report_, "epcisMasterData");
        if (const Element* list =
                in_.members(*member.value, {"vocabularyList"}).find("vocabularyList")) {
          document_.master_data = read_master_data(*list, in_);
        }
      } else {
        report_.add(kUnknownField);
      }
    }
  }

  void read_body(const Element& value) {
    const At at(report_, "epcisBody");
    const bool results = document_.kind == DocumentKind::kQueryResult;
    const std::string_view wanted = results ? "queryResults" : "eventList";
    const Element* found = nullptr;
    for (const Member& member : in_.members(value).all()) {
      if (!member.ns.empty()) {
        in_.extension(member, document_.extensions);
      } else if (member.name == wanted) {
        found = member.value;
      } else {
        report_.add(kUnknownField);
      }
    }
    if (found == nullptr) return report_.add(kMissingField, wanted);
    const At inner(report_, wanted);
    if (results) return read_results(*found);
    if (found->type != Scalar::kArray) report_.add(kWrongType);
  }

  void read_results(const Element& value) {
    const Element* body = nullptr;
    for (const Member& member : in_.members(value).all()) {
      if (!member.ns.empty()) {
        in_.extension(member, document_.extensions);
      } else if (member.name == "queryName") {
        set(document_.query_name, "queryName", *member.value);
      } else if (member.name == "subscriptionID") {
        set(document_.subscription_id, "subscriptionID", *member.value);
      } else if (member.name == "resultsBody") {
        body = member.value;
      } else {
        report_.add(kUnknownField);
      }
    }
    if (document_.query_name.empty()) report_.add(kMissingField, "queryName");
    if (body == nullptr) return report_.add(kMissingField, "resultsBody");
    const At at(report_, "resultsBody");
    bool any = false;
    for (const Member& member : in_.members(*body).all()) {
      if (!member.ns.empty()) {
        in_.extension(member, document_.extensions);
      } else if (member.name == "vocabularyList") {
        any = true;
        document_.master_data = read_master_data(*member.value, in_);
      } else if (member.name == "eventList") {
        any = true;
        if (member.value->type != Scalar::kArray) report_.add(kWrongType, "eventList");
      } else {
        report_.add(kUnknownField);
      }
    }
    if (!any) report_.add(kMissingField, "eventList");
  }

  const Element& tree_;
  ValueReader in_;
  Context& context_;
  Report& report_;
  Document document_;
};

}  // namespace

Result<Reading> read_json(std::string_view text, const ReadOptions& options,
                          const OnEvent& on_event) {
  THERIAC_ASSIGN(const Element tree, scan_json_document(text));
  Reading reading;
  Context context;
  Report report(options.refused);
  reading.document = DocumentReader(tree, context, report).read();
  reading.refused = report.fatal();
  reading.problems = std::move(report.problems());
  if (reading.refused) return reading;
  std::size_t index = 0;
  const auto deliver = [&](const Element& event) {
    Report event_report(options.refused);
    EventReading one{index++, read_event(event, Format::kJson, context, event_report), {}};
    one.problems = std::move(event_report.problems());
    return on_event(std::move(one));
  };
  if (reading.document.kind == DocumentKind::kBareEvent) {
    deliver(tree);
    return reading;
  }
  THERIAC_TRY(scan_json_events(text, deliver));
  return reading;
}

namespace {

/// Gathers what a reader delivers.
template <typename Read>
Result<Reading> gather(Read read) {
  std::vector<Event> events;
  std::vector<EventReading> told;
  const OnEvent keep = [&](EventReading&& one) {
    const bool tell = !one.event || !one.problems.empty();
    if (one.event) events.push_back(std::move(*one.event));
    if (tell) {
      EventReading& kept = told.emplace_back(std::move(one));
      if (kept.event) kept.event = Event{};
    }
    return true;
  };
  Result<Reading> reading = read(keep);
  if (reading) {
    reading->document.events = std::move(events);
    reading->events = std::move(told);
  }
  return reading;
}

}  // namespace

Result<Reading> read_json(std::string_view text, const ReadOptions& options) {
  return gather([&](const OnEvent& keep) { return read_json(text, options, keep); });
}

Result<Reading> read_xml(std::string_view text, const ReadOptions& options) {
  return gather([&](const OnEvent& keep) { return read_xml(text, options, keep); });
}

}  // namespace theriac::epcis
