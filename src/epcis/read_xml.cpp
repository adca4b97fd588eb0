// The part of an XML document around its events.
#include <algorithm>

#include "epcis/business_header.hpp"
#include "epcis/event_reader.hpp"
#include "epcis/master_data.hpp"
#include "epcis/read.hpp"
#include "epcis/xml_tree.hpp"

namespace theriac::epcis {

namespace {

using enum ProblemCode;

constexpr std::string_view kQueryNamespaces[] = {"urn:epcglobal:epcis-query:xsd:2",
                                                 "urn:epcglobal:epcis-query:xsd:1"};

struct Root {
  std::string_view ns;
  std::string_view name;
  DocumentKind kind;
  Format format;
};
constexpr Root kRoots[] = {
    {"urn:epcglobal:epcis:xsd:2", "EPCISDocument", DocumentKind::kEvents, Format::kXml},
    {"urn:epcglobal:epcis:xsd:1", "EPCISDocument", DocumentKind::kEvents, Format::kXml1},
    {"urn:epcglobal:epcis-query:xsd:2", "EPCISQueryDocument", DocumentKind::kQueryResult,
     Format::kXml},
    {"urn:epcglobal:epcis-query:xsd:1", "EPCISQueryDocument", DocumentKind::kQueryResult,
     Format::kXml1},
    {"urn:epcglobal:epcis-masterdata:xsd:2", "EPCISMasterDataDocument", DocumentKind::kMasterData,
     Format::kXml},
    {"urn:epcglobal:epcis-masterdata:xsd:1", "EPCISMasterDataDocument", DocumentKind::kMasterData,
     Format::kXml1},
};

/// Declared by every document for the format's own sake.
bool is_own_namespace(std::string_view uri) {
  return uri.starts_with("urn:epcglobal:epcis") || uri.starts_with("urn:epcglobal:xsd:") ||
         uri.starts_with("http://www.w3.org/2001/XMLSchema") || uri == kBusinessHeaderNamespace;
}

/// What the document declares for its extensions.
std::vector<Namespace> own_namespaces(const XmlDocument& source) {
  std::vector<Namespace> out;
  for (const Namespace& one : source.namespaces) {
    if (one.prefix.empty() || is_own_namespace(one.uri) || !is_uri(one.uri)) continue;
    Namespace declaration{one.prefix, one.uri};
    if (!is_standard_prefix(declaration)) out.push_back(std::move(declaration));
  }
  return out;
}

class DocumentReader {
 public:
  DocumentReader(const XmlDocument& source, const Root& root, const Context& context,
                 Report& report)
      : source_(source), root_(root), in_(root.format, context, report), report_(report) {}

  Document read() {
    document_.kind = root_.kind;
    if (source_.doctype) report_.add(kDoctype);
    document_.namespaces = own_namespaces(source_);
    bool body = false;
    for (const Member& member : in_.members(source_.root).all()) {
      if (member.attribute) {
        read_attribute(member);
      } else if (!member.ns.empty() || member.wrapped) {
        in_.extension(member, document_.extensions);
      } else if (member.name == "EPCISHeader") {
        read_header(*member.value);
      } else if (member.name == "EPCISBody") {
        body = true;
        read_body(*member.value);
      } else {
        report_.add(kUnknownField);
      }
    }
    if (!body) report_.add(kMissingField, "EPCISBody");
    if (!document_.creation_date) report_.add(kMissingField, "creationDate");
    if (!versioned_) report_.add(kMissingField, "schemaVersion");
    return std::move(document_);
  }

 private:
  void read_attribute(const Member& member) {
    if (!member.ns.empty()) return in_.extension(member, document_.extensions);
    if (member.name == "schemaVersion") {
      const At at(report_, "schemaVersion");
      versioned_ = true;
      document_.schema_version = in_.text(*member.value);
      const bool first =
          document_.schema_version == "1" || document_.schema_version.starts_with("1.");
      const bool second =
          document_.schema_version == "2" || document_.schema_version.starts_with("2.");
      if (!first && !second) {
        report_.add(kUnknownVersion);
      } else if (root_.format == Format::kXml1 ? second : first) {
        report_.add(kOtherVersion);  // drafts of 2.0 had the namespace of 1.x
      }
    } else if (member.name == "creationDate") {
      const At at(report_, "creationDate");
      read_date(in_.text(*member.value));
    } else if (member.name == "id") {
      document_.id = in_.text(*member.value);
    } else {
      report_.add(kDroppedExtension);
    }
  }

  /// xsd:dateTime may lack the zone.
  void read_date(const std::string& text) {
    document_.creation_date = time_of(text);
    if (document_.creation_date) return;
    document_.creation_date = time_of(text + "Z");
    report_.add(document_.creation_date ? kDateWithoutZone : kBadTime);
  }

  void read_header(const Element& value) {
    const At at(report_, "EPCISHeader");
    for (const Member& member : in_.members(value).all()) {
      if (member.ns == kBusinessHeaderNamespace &&
          member.name == "StandardBusinessDocumentHeader") {
        business_header_ = member.value;
      } else if (!member.ns.empty()) {
        in_.extension(member, document_.extensions);
      } else if (member.name == "EPCISMasterData") {
        const At inner(report_, "EPCISMasterData");
        read_vocabularies(*member.value);
      } else {
        report_.add(kDroppedExtension);
      }
    }
    // Compared with the creation date, which may come after it only in JSON.
    if (business_header_ != nullptr) set_business_header(document_, *business_header_);
  }

  void read_vocabularies(const Element& value) {
    for (const Member& member : in_.members(value).all()) {
      if (member.ns.empty() && member.name == "VocabularyList") {
        document_.master_data = read_master_data(*member.value, in_);
      } else {
        report_.add(kDroppedExtension);
      }
    }
  }

  void read_body(const Element& value) {
    const At at(report_, "EPCISBody");
    bool results = false;
    for (const Member& member : in_.members(value).all()) {
      const bool query =
          std::ranges::find(kQueryNamespaces, member.ns) != std::end(kQueryNamespaces);
      if ((query || member.ns.empty()) && member.name == "QueryResults" &&
          root_.kind == DocumentKind::kQueryResult) {
        if (!query) report_.add(kUnqualifiedResults);
        results = true;
        read_results(*member.value);
      } else if (query) {
        report_.add(kUnknownDocument);  // a query or an answer of another kind
      } else if (!member.ns.empty() || member.wrapped) {
        in_.extension(member, document_.extensions);
      } else if (member.name == "VocabularyList" && root_.kind == DocumentKind::kMasterData) {
        document_.master_data = read_master_data(*member.value, in_);
      } else if (member.name != "EventList" || root_.kind != DocumentKind::kEvents) {
        report_.add(kUnknownField);
      }
    }
    if (root_.kind == DocumentKind::kQueryResult && !results && !report_.fatal()) {
      report_.add(kMissingField, "QueryResults");
    }
  }

  void read_results(const Element& value) {
    const At at(report_, "QueryResults");
    bool body = false;
    for (const Member& member : in_.members(value).all()) {
      if (!member.ns.empty() || member.wrapped) {
        in_.extension(member, document_.extensions);
      } else if (member.name == "queryName") {
        const At inner(report_, "queryName");
        document_.query_name = in_.text(*member.value);
      } else if (member.name == "subscriptionID") {
        const At inner(report_, "subscriptionID");
        document_.subscription_id = in_.text(*member.value);
      } else if (member.name == "resultsBody") {
        body = true;
        for (const Member& inner : in_.members(*member.value).all()) {
          if (inner.ns.empty() && inner.name == "VocabularyList") {
            document_.master_data = read_master_data(*inner.value, in_);
          } else if (!inner.ns.empty() || inner.name != "EventList") {
            report_.add(kUnknownField, "resultsBody");
          }
        }
      } else {
        report_.add(kUnknownField);
      }
    }
    if (!body) report_.add(kMissingField, "resultsBody");
    if (document_.query_name.empty()) {
      report_.add(kUnnamedQuery, "queryName");
      document_.query_name = "SimpleEventQuery";
    }
  }

  const XmlDocument& source_;
  const Root& root_;
  ValueReader in_;
  Report& report_;
  Document document_;
  const Element* business_header_ = nullptr;
  bool versioned_ = false;
};

/// A bare event's root has the attributes of a document in some senders' XML.
Element bare_event(Element root) {
  std::erase_if(root.attributes, [](const Attribute& one) {
    return one.ns.empty() && (one.name == "creationDate" || one.name == "schemaVersion");
  });
  return root;
}

bool is_bare_event(const Element& root) {
  return event_type_of(root.name) && (root.ns.empty() || root.ns == "urn:epcglobal:epcis:xsd:2");
}

}  // namespace

Result<Reading> read_xml(std::string_view text, const ReadOptions& options,
                         const OnEvent& on_event) {
  THERIAC_ASSIGN(const XmlDocument source, scan_xml_document(text));
  Reading reading;
  Report report(options.refused);
  const Context context;
  const auto root = std::ranges::find_if(kRoots, [&](const Root& one) {
    return one.ns == source.root.ns && one.name == source.root.name;
  });
  const bool bare = is_bare_event(source.root);
  if (bare) {
    reading.document.kind = DocumentKind::kBareEvent;
    reading.document.namespaces = own_namespaces(source);
  } else if (root == std::end(kRoots)) {
    report.add(kUnknownDocument);
  } else {
    reading.document = DocumentReader(source, *root, context, report).read();
  }
  reading.refused = report.fatal();
  reading.problems = std::move(report.problems());
  if (reading.refused) return reading;
  std::size_t index = 0;
  const Format format = bare ? Format::kXml : root->format;
  const auto deliver = [&](const Element& tree) {
    Report event_report(options.refused);
    EventReading one{index++, read_event(tree, format, context, event_report), {}};
    one.problems = std::move(event_report.problems());
    return on_event(std::move(one));
  };
  if (bare) {
    deliver(bare_event(source.root));
  } else {
    THERIAC_TRY(scan_xml_events(text, deliver));
  }
  return reading;
}

}  // namespace theriac::epcis
