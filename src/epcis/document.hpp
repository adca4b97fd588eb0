// A document that carries events, a query's results or master data: EPCIS 2.0 sections 9.5 and 10.
//
// Threading: values.
#pragma once

#include "epcis/event.hpp"

namespace theriac::epcis {

enum class DocumentKind : std::uint8_t {
  kEvents,       ///< EPCISDocument
  kQueryResult,  ///< EPCISQueryDocument
  kMasterData,   ///< EPCISMasterDataDocument; as JSON an EPCISDocument without events
  kBareEvent     ///< one event without a document around it
};

/// Where a prefix in JSON's @context, or xmlns in XML, leads.
struct Namespace {
  std::string prefix;
  std::string uri;
  friend bool operator==(const Namespace&, const Namespace&) = default;
};

/// An attribute of a master data element. `value` has no name: a text, or children.
struct MasterDataAttribute {
  std::string id;
  Element value;
  friend bool operator==(const MasterDataAttribute&, const MasterDataAttribute&) = default;
};
struct VocabularyElement {
  std::string id;
  std::vector<MasterDataAttribute> attributes;
  std::vector<std::string> children;
  friend bool operator==(const VocabularyElement&, const VocabularyElement&) = default;
};
struct MasterData {
  std::string type;  ///< "urn:epcglobal:epcis:vtype:BusinessLocation", …
  std::vector<VocabularyElement> elements;
  friend bool operator==(const MasterData&, const MasterData&) = default;
};

struct Document {
  DocumentKind kind = DocumentKind::kEvents;
  std::string id;
  std::string schema_version = "2.0";  ///< of the document that was read; written is always 2.0
  std::optional<Time> creation_date;
  // The business document header, as far as JSON has it, and the whole of it if it says more.
  std::string sender;
  std::string receiver;
  std::string instance_identifier;
  std::optional<Element> business_header;  ///< sbdh:StandardBusinessDocumentHeader

  std::vector<MasterData> master_data;
  std::vector<std::string> contexts;  ///< addresses in @context, in order
  std::vector<Namespace> namespaces;  ///< prefixes that the document declares
  std::vector<Element> extensions;    ///< of the document itself

  std::string query_name;  ///< kQueryResult
  std::string subscription_id;

  std::vector<Event> events;
  friend bool operator==(const Document&, const Document&) = default;
};

/// The context that the standard publishes; what it declares needs no declaration of its own.
inline constexpr std::string_view kStandardContext =
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";
/// Of CBV master data: "cbvmda:lotNumber". XML has it as here; the standard's context for JSON, and
/// senders who declare it, have a colon at the end. Event hashes tell the two apart, queries do
/// not.
inline constexpr std::string_view kCbvMasterData = "urn:epcglobal:cbv:mda";
/// Given to extensions that came without a namespace.
inline constexpr std::string_view kUnqualified = "urn:theriac:unqualified";

}  // namespace theriac::epcis
