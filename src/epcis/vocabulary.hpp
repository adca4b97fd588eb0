// The words of the Core Business Vocabulary (CBV 2.0 sections 7 and 8) and of the GS1 Web
// Vocabulary that events use. One word has up to four spellings:
//
//   shipping                                     bare: JSON
//   urn:epcglobal:cbv:bizstep:shipping           URN: XML, and EPCIS 1.x
//   https://ref.gs1.org/cbv/BizStep-shipping     Web URI: XML, JSON-LD after expansion, event
//   hashes cbv:BizStep-shipping, gs1:Temperature        compact URI: XML
//
// Threading: values and free functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace theriac::epcis {

enum class Vocabulary : std::uint8_t {
  kBizStep,
  kDisposition,
  kBizTransactionType,
  kSourceDestinationType,
  kErrorReason,
  kMeasurementType,
  kSensorAlert,
  kComponent
};

enum class Spelling : std::uint8_t { kBare, kUrn, kWebUri, kCompact };

/// A word of a vocabulary. `value` is the bare word when it is one of the standard's, else the URI
/// as it was given; empty: there is none. The spelling is only how it came, and not compared.
struct Word {
  std::string value;
  Spelling spelling = Spelling::kBare;

  [[nodiscard]] bool empty() const { return value.empty(); }
  friend bool operator==(const Word& a, const Word& b) { return a.value == b.value; }
};

/// Every bare word, in the order of the standard's JSON schema.
std::span<const std::string_view> words_of(Vocabulary vocabulary);
bool is_standard(Vocabulary vocabulary, std::string_view bare);

struct WordReading {
  Word word;
  bool standard = false;   ///< one of the vocabulary's words
  bool reserved = false;   ///< not, though in a namespace that GS1 keeps for them
  bool irregular = false;  ///< known, but spelled as no release of the standard has it
  bool renamed = false;    ///< a word of CBV 1.x under the name it has had since
};
/// Understands every spelling, older namespaces and names; never fails.
WordReading read_word(Vocabulary vocabulary, std::string_view text);

/// Empty if the vocabulary has no URNs (measurement types, alerts, components). Words that are not
/// the standard's are returned as they are.
std::string urn_of(Vocabulary vocabulary, std::string_view value);
std::string web_uri_of(Vocabulary vocabulary, std::string_view value);
/// "gs1:Temperature", "cbv:Comp-x".
std::string compact_of(Vocabulary vocabulary, std::string_view value);

}  // namespace theriac::epcis
