// A neutral tree for what the standard leaves open: extensions, instance and lot master data,
// values of master data attributes, the business document header. It is what JSON and XML have in
// common, so that an event read from one can be written as the other and read back equal:
//
//   JSON                                   tree                            XML
//   "ext:a": "x"                           a, text x                       <ext:a>x</ext:a>
//   "ext:a": 5, 5.5, true                  a, typed text                   <ext:a xsi:type="xsd:…">
//   "ext:a": ["x", "y"]                    a, a                            <ext:a/><ext:a/>
//   "ext:a": {"ext:b": "x"}                a with child b                  <ext:a><ext:b>x…
//   "ext:a": {"ext:u": "x", "#text": "y"}  (from XML) attribute u, text y  <ext:a ext:u="x">y…
//
// As in JSON-LD an array of one is its member, and null and the empty array are no value at all.
//
// Threading: values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace theriac::epcis {

/// What a text is known to be; the names of XML Schema's types.
enum class Scalar : std::uint8_t {
  kText,  ///< a JSON string, or an element without xsi:type
  kString,
  kInteger,
  kDecimal,
  kDouble,
  kBoolean,
  kDateTime,
  kDate,
  kTime,
  kAnyUri,
  // While JSON is read; never in a finished tree.
  kNull,
  kObject,
  kArray
};

struct Attribute {
  std::string ns;
  std::string name;
  std::string value;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct Element {
  std::string ns;    ///< namespace URI, or empty
  std::string name;  ///< local name
  Scalar type = Scalar::kText;
  std::string text;
  std::vector<Attribute> attributes;
  std::vector<Element> children;
  friend bool operator==(const Element&, const Element&) = default;
};

/// "integer" for kInteger; empty for kText and the kinds of JSON.
std::string_view name_of(Scalar type);
/// By the name in XML Schema's namespace; kText for others.
Scalar scalar_of(std::string_view name);

/// Whether `text` can be a name in XML: an NCName, XML 1.0 fifth edition.
bool is_xml_name(std::string_view text);
/// Whether `text` is a number as JSON writes it (RFC 8259 section 6).
bool is_json_number(std::string_view text);
/// An absolute URI: a scheme, a colon and more, without spaces, quotes or control characters. (RFC
/// 3986 loosely: GS1's own examples have characters that it would have escaped.)
bool is_uri(std::string_view text);
/// Without white space (XML's four) at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace theriac::epcis
