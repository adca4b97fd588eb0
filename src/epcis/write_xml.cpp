// The part of an XML document around its events.
#include <algorithm>

#include "epcis/business_header.hpp"
#include "epcis/event_writer.hpp"
#include "epcis/event_xml.hpp"
#include "epcis/rules.hpp"
#include "epcis/write.hpp"

namespace theriac::epcis {

namespace {

class DocumentWriter {
 public:
  DocumentWriter(const Document& document, const WriteOptions& options)
      : document_(document),
        options_(options),
        prefixes_(document.namespaces, {"xml", "xmlns", "xsi", "xsd", "epcis", "epcisq", "epcismd"},
                  {}),
        out_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {
    prefixes_.cover(document);
    const bool addressed = !document.sender.empty() || !document.receiver.empty() ||
                           !document.instance_identifier.empty();
    if (document.business_header) {
      business_header_ = *document.business_header;
    } else if (addressed) {
      business_header_ = business_header_of(document);
    }
    if (business_header_) prefixes_.cover(*business_header_);
  }

  std::string write() {
    if (document_.kind == DocumentKind::kBareEvent) {
      write_event_xml(document_.events.front(), prefixes_, options_, out_, true);
      return out_.take();
    }
    root();
    header();
    out_.begin("EPCISBody");
    switch (document_.kind) {
      case DocumentKind::kMasterData:
        master_data();
        break;
      case DocumentKind::kQueryResult:
        out_.begin("epcisq:QueryResults");
        out_.leaf("queryName", document_.query_name);
        if (!document_.subscription_id.empty()) {
          out_.leaf("subscriptionID", document_.subscription_id);
        }
        out_.begin("resultsBody");
        if (document_.events.empty() && !document_.master_data.empty()) {
          master_data();
        } else {
          events();
        }
        out_.end();
        out_.end();
        break;
      default:
        events();
    }
    out_.end();
    for (const Element& element : document_.extensions) write_element(element, prefixes_, out_);
    out_.end();
    return out_.take();
  }
  [[nodiscard]] bool impossible() const { return out_.impossible(); }

 private:
  void root() {
    switch (document_.kind) {
      case DocumentKind::kQueryResult:
        out_.begin("epcisq:EPCISQueryDocument");
        out_.attribute("xmlns:epcisq", "urn:epcglobal:epcis-query:xsd:2");
        break;
      case DocumentKind::kMasterData:
        out_.begin("epcismd:EPCISMasterDataDocument");
        out_.attribute("xmlns:epcismd", "urn:epcglobal:epcis-masterdata:xsd:2");
        break;
      default:
        out_.begin("epcis:EPCISDocument");
        out_.attribute("xmlns:epcis", "urn:epcglobal:epcis:xsd:2");
    }
    write_declarations(prefixes_, out_);
    out_.attribute("schemaVersion", "2.0");
    out_.attribute("creationDate", document_.creation_date->text);
    // The schema lets any attribute stand here; JSON's document id has no other place.
    if (!document_.id.empty()) out_.attribute("id", document_.id);
  }

  void header() {
    const bool data = !document_.master_data.empty() &&
                      document_.kind != DocumentKind::kMasterData &&
                      document_.kind != DocumentKind::kQueryResult;
    if (!business_header_ && !data) return;
    out_.begin("EPCISHeader");
    if (business_header_) write_element(*business_header_, prefixes_, out_);
    if (data) {
      out_.begin("extension");
      out_.begin("EPCISMasterData");
      master_data();
      out_.end();
      out_.end();
    }
    out_.end();
  }

  void events() {
    out_.begin("EventList");
    for (const Event& event : document_.events) {
      write_event_xml(event, prefixes_, options_, out_);
    }
    out_.end();
  }

  void master_data() {
    out_.begin("VocabularyList");
    for (const MasterData& vocabulary : document_.master_data) {
      out_.begin("Vocabulary");
      out_.attribute("type", vocabulary.type);
      if (!vocabulary.elements.empty()) {
        out_.begin("VocabularyElementList");
        for (const VocabularyElement& element : vocabulary.elements) vocabulary_element(element);
        out_.end();
      }
      out_.end();
    }
    out_.end();
  }

  void vocabulary_element(const VocabularyElement& element) {
    out_.begin("VocabularyElement");
    out_.attribute("id", formatted(element.id, options_));
    for (const MasterDataAttribute& attribute : element.attributes) {
      out_.begin("attribute");
      out_.attribute("id", attribute.id);
      write_content(attribute.value, prefixes_, out_);
      out_.end();
    }
    if (!element.children.empty()) {
      out_.begin("children");
      for (const std::string& child : element.children) {
        out_.leaf("id", formatted(child, options_));
      }
      out_.end();
    }
    out_.end();
  }

  const Document& document_;
  const WriteOptions& options_;
  Prefixes prefixes_;
  std::optional<Element> business_header_;
  XmlWriter out_;
};

}  // namespace

Result<std::string> write_xml(const Document& document, const WriteOptions& options) {
  const bool bare = document.kind == DocumentKind::kBareEvent;
  if (bare && document.events.size() != 1) {
    return fail(Code::kMalformed, "EPCIS: a bare event is one event");
  }
  if (!bare && !document.creation_date) return fail(Code::kMalformed, "EPCIS: creationDate");
  if (document.kind == DocumentKind::kQueryResult && document.query_name.empty()) {
    return fail(Code::kMalformed, "EPCIS: queryName");
  }
  for (std::size_t i = 0; i < document.events.size(); ++i) {
    const Event& event = document.events[i];
    const std::string place = "EPCIS: event " + std::to_string(i);
    if (!options.checked) THERIAC_TRY(check_writable(event, place));
    if (event.certification_info.size() > 1) {
      return fail(Code::kUnsupported, place + ": more than one certificationInfo");
    }
  }
  DocumentWriter writer(document, options);
  std::string text = writer.write();
  if (writer.impossible()) return fail(Code::kUnsupported, "EPCIS: not possible in XML");
  return text;
}

}  // namespace theriac::epcis
