// For this folder's tests: GS1's examples where they are, their schemas, and what a reading told.
#pragma once

#include <libxml/xmlschemas.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "epcis/read.hpp"

namespace theriac::epcis {

namespace fs = std::filesystem;

inline const fs::path& data_folder() {
  static const fs::path folder = fs::path(THERIAC_SOURCE_DIR) / "../shared/data/epcis";
  return folder;
}

inline std::string text_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<fs::path> files_under(const fs::path& folder, const std::string& ending) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ending) out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

/// "MissingField creationDate", "3: BadUom quantityList[0].uom", each in its line.
inline std::string told(const Reading& reading) {
  std::string out;
  for (const Problem& one : reading.problems) {
    out += std::string(name_of(one.code)) + " " + one.path + "\n";
  }
  for (const EventReading& event : reading.events) {
    for (const Problem& one : event.problems) {
      out += std::to_string(event.index) + ": " + std::string(name_of(one.code)) + " " + one.path +
             "\n";
    }
  }
  return out;
}

inline std::size_t refused_events(const Reading& reading) {
  return static_cast<std::size_t>(std::ranges::count_if(
      reading.events, [](const EventReading& event) { return !event.event; }));
}

/// An XML schema of GS1's; `valid` gives libxml2's first complaint, or nothing.
class XmlSchema {
 public:
  explicit XmlSchema(const fs::path& path) {
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(path.c_str());
    schema_ = xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
  }
  ~XmlSchema() { xmlSchemaFree(schema_); }
  XmlSchema(const XmlSchema&) = delete;
  XmlSchema& operator=(const XmlSchema&) = delete;

  std::string complaint(const std::string& text) const {
    xmlDocPtr document = xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                                       XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (document == nullptr) return "not well formed";
    std::string out;
    xmlSchemaValidCtxtPtr context = xmlSchemaNewValidCtxt(schema_);
    xmlSchemaSetValidStructuredErrors(
        context,
        [](void* told, xmlErrorPtr error) {
          auto& first = *static_cast<std::string*>(told);
          if (first.empty()) first = error->message;
        },
        &out);
    const int code = xmlSchemaValidateDoc(context, document);
    if (code != 0 && out.empty()) out = "schema";
    xmlSchemaFreeValidCtxt(context);
    xmlFreeDoc(document);
    return out;
  }

 private:
  xmlSchemaPtr schema_;
};

/// The schema of a document of this kind.
inline const XmlSchema& schema_of(DocumentKind kind) {
  static const XmlSchema events(data_folder() / "XSD/EPCglobal-epcis-2_0.xsd");
  static const XmlSchema results(data_folder() / "XSD/EPCglobal-epcis-query-2_0.xsd");
  static const XmlSchema master(data_folder() / "XSD/EPCglobal-epcis-masterdata-2_0.xsd");
  return kind == DocumentKind::kQueryResult  ? results
         : kind == DocumentKind::kMasterData ? master
                                             : events;
}

}  // namespace theriac::epcis
