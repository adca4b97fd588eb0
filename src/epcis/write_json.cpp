// The part of a JSON document around its events.
#include <algorithm>

#include "epcis/context.hpp"
#include "epcis/event_writer.hpp"
#include "epcis/rules.hpp"
#include "epcis/write.hpp"

namespace theriac::epcis {

namespace {

/// Of the standard's context, in whichever version or place.
std::vector<Namespace> known_prefixes(const std::vector<std::string>& contexts) {
  std::vector<Namespace> out;
  const auto standard = [](const std::string& address) {
    return address.find("epcis-context") != std::string::npos;
  };
  if (!contexts.empty() && std::ranges::none_of(contexts, standard)) return out;
  for (const auto& [prefix, uri] : standard_prefixes()) {
    out.push_back({std::string(prefix), std::string(uri)});
  }
  return out;
}

class DocumentWriter {
 public:
  DocumentWriter(const Document& document, const WriteOptions& options)
      : document_(document),
        options_(options),
        prefixes_(document.namespaces, {}, known_prefixes(document.contexts)) {
    prefixes_.cover(document);
  }

  std::string write() {
    out_.begin_object();
    context();
    if (document_.kind == DocumentKind::kBareEvent) {
      if (!document_.events.empty()) {
        write_event_members(document_.events.front(), prefixes_, options_, out_);
      }
    } else {
      head();
      body();
      write_extensions(document_.extensions, prefixes_, out_);
    }
    out_.end_object();
    return out_.take();
  }

 private:
  void text(std::string_view name, const std::string& value) {
    if (!value.empty()) out_.member(name, value);
  }

  void context() {
    out_.key("@context");
    out_.begin_array();
    if (document_.contexts.empty()) out_.string(kStandardContext);
    std::vector<std::string_view> written;  // the schema wants each once
    for (const std::string& address : document_.contexts) {
      if (std::ranges::find(written, address) != written.end()) continue;
      out_.string(address);
      written.push_back(address);
    }
    for (const Namespace& one : prefixes_.declarations()) {
      out_.begin_object();
      out_.member(one.prefix, one.uri);
      out_.end_object();
    }
    out_.end_array();
  }

  void head() {
    text("id", document_.id);
    const bool results = document_.kind == DocumentKind::kQueryResult;
    out_.member("type", results ? "EPCISQueryDocument" : "EPCISDocument");
    out_.member("schemaVersion", "2.0");
    if (document_.creation_date) out_.member("creationDate", document_.creation_date->text);
    if (results) return;  // its schema knows no header
    text("instanceIdentifier", document_.instance_identifier);
    text("sender", document_.sender);
    text("receiver", document_.receiver);
    if (document_.master_data.empty()) return;
    out_.key("epcisHeader");
    out_.begin_object();
    out_.key("epcisMasterData");
    out_.begin_object();
    master_data();
    out_.end_object();
    out_.end_object();
  }

  void body() {
    out_.key("epcisBody");
    out_.begin_object();
    if (document_.kind == DocumentKind::kQueryResult) {
      out_.key("queryResults");
      out_.begin_object();
      text("subscriptionID", document_.subscription_id);
      out_.member("queryName", document_.query_name);
      out_.key("resultsBody");
      out_.begin_object();
      if (!document_.master_data.empty()) master_data();
      events();
      out_.end_object();
      out_.end_object();
    } else {
      events();
    }
    out_.end_object();
  }

  void events() {
    out_.key("eventList");
    out_.begin_array();
    for (const Event& event : document_.events) {
      out_.begin_object();
      write_event_members(event, prefixes_, options_, out_);
      out_.end_object();
    }
    out_.end_array();
  }

  void master_data() {
    out_.key("vocabularyList");
    out_.begin_array();
    for (const MasterData& vocabulary : document_.master_data) {
      out_.begin_object();
      out_.member("type", vocabulary.type);
      if (!vocabulary.elements.empty()) {
        out_.key("vocabularyElementList");
        out_.begin_array();
        for (const VocabularyElement& element : vocabulary.elements) vocabulary_element(element);
        out_.end_array();
      }
      out_.end_object();
    }
    out_.end_array();
  }

  void vocabulary_element(const VocabularyElement& element) {
    out_.begin_object();
    out_.member("id", formatted(element.id, options_));
    if (!element.attributes.empty()) {
      out_.key("attributes");
      out_.begin_array();
      for (const MasterDataAttribute& attribute : element.attributes) {
        out_.begin_object();
        out_.member("id", attribute.id);
        out_.key("attribute");
        write_extension_value(attribute.value, prefixes_, out_);
        out_.end_object();
      }
      out_.end_array();
    }
    if (!element.children.empty()) {
      out_.key("children");
      out_.begin_array();
      for (const std::string& child : element.children) out_.string(formatted(child, options_));
      out_.end_array();
    }
    out_.end_object();
  }

  const Document& document_;
  const WriteOptions& options_;
  Prefixes prefixes_;
  JsonWriter out_;
};

}  // namespace

Result<std::string> write_json(const Document& document, const WriteOptions& options) {
  if (document.kind == DocumentKind::kBareEvent && document.events.size() != 1) {
    return fail(Code::kMalformed, "EPCIS: a bare event is one event");
  }
  if (document.kind == DocumentKind::kQueryResult && document.query_name.empty()) {
    return fail(Code::kMalformed, "EPCIS: queryName");
  }
  const bool dated = document.kind == DocumentKind::kQueryResult ||
                     document.kind == DocumentKind::kBareEvent || document.creation_date;
  if (!dated) return fail(Code::kMalformed, "EPCIS: creationDate");
  for (std::size_t i = 0; i < document.events.size(); ++i) {
    const Event& event = document.events[i];
    const std::string place = "EPCIS: event " + std::to_string(i);
    if (!options.checked) THERIAC_TRY(check_writable(event, place));
    for (const SensorElement& element : event.sensor_elements) {
      if (std::ranges::any_of(element.reports, [](const auto& one) { return one.type.empty(); })) {
        return fail(Code::kUnsupported, place + ": a sensor report without a type");
      }
    }
  }
  return DocumentWriter(document, options).write();
}

}  // namespace theriac::epcis
