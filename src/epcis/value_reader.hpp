// How single values are read out of a tree, the same for JSON and XML: texts, URIs, times, numbers,
// words, lists, extensions. Each says what is wrong with it in the report and returns an empty
// value.
//
// Threading: one reader's own.
#pragma once

#include <deque>
#include <functional>

#include "epcis/context.hpp"

namespace theriac::epcis {

enum class Format : std::uint8_t {
  kJson,
  kXml,  ///< 2.0
  kXml1  ///< 1.0 to 1.2: fields stand inside <extension> and <baseExtension>
};

/// A member of an object, or a child or attribute of an element, its name resolved.
struct Member {
  std::string_view ns;
  std::string_view name;
  const Element* value;
  bool wrapped = false;    ///< came out of an <extension>
  bool attribute = false;  ///< in XML
};

/// The members of one object; attributes become elements that it owns.
class Members {
 public:
  [[nodiscard]] const std::vector<Member>& all() const { return list_; }
  [[nodiscard]] const Element* find(std::string_view name) const;

 private:
  friend class ValueReader;
  std::deque<Element> attributes_;
  std::vector<Member> list_;
};

class ValueReader {
 public:
  ValueReader(Format format, const Context& context, Report& report)
      : format_(format), context_(&context), report_(report) {}

  [[nodiscard]] bool json() const { return format_ == Format::kJson; }
  [[nodiscard]] Format format() const { return format_; }
  [[nodiscard]] Report& report() const { return report_; }

  Members members(const Element& value);
  /// Members of a place without extensions: others than `names` are refused, as are repeated ones.
  /// In XML out of order: a deviation.
  Members members(const Element& value, std::initializer_list<std::string_view> names);

  std::string text(const Element& value);
  std::string uri(const Element& value);
  std::optional<Time> time(const Element& value);
  std::optional<double> number(const Element& value);
  std::optional<bool> boolean(const Element& value);
  Word word(Vocabulary vocabulary, const Element& value);

  /// Each item of a list: of a JSON array, or of the elements that XML calls `item`.
  void items(const Element& list, std::string_view item,
             const std::function<void(const Element&)>& read);
  /// Each in a list of URIs, once.
  std::vector<std::string> uris(const Element& list, std::string_view item);

  /// An extension becomes one element, or several (a JSON array), or none (null).
  void extension(const Member& member, std::vector<Element>& out);

 private:
  void collect(const Element& value, bool wrapped, Members& out);
  bool scalar(const Element& value);
  void json_extension(const Element& value, std::string_view ns, std::string_view name,
                      std::vector<Element>& out, bool in_list);
  void json_object(const Element& value, Element& out);

  Format format_;
  const Context* context_;
  Report& report_;
};

/// A number of XML Schema (decimal, double) or JSON; only finite ones.
std::optional<double> number_of(std::string_view text);

}  // namespace theriac::epcis
