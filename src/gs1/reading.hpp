// What the readers of the several forms share: elements collected with the places where they stood,
// so that a fault points into the text as it was given. Internal to gs1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gs1/ai_table.hpp"
#include "gs1/element_string.hpp"

namespace theriac::gs1 {

/// How a value is written where it stands.
enum class Escapes : std::uint8_t {
  kNone,
  kBracket,  ///< "\(" for "("
  kPercent,  ///< "%2F"
};

/// The place in `text` of the character `index` of a value that stands at `value_at`.
std::size_t place_of(std::string_view text, std::size_t value_at, std::size_t index,
                     Escapes escapes);

/// nullptr if the AI is not there.
const Element* find_element(std::span<const Element> elements, std::string_view ai);

/// Rules over a whole (GS1 General Specifications 4.14 and 4.15). `at` is the element's number.
std::optional<Fault> check_associations(const std::vector<Element>& elements,
                                        Strictness strictness);

class Collector {
 public:
  explicit Collector(std::string_view text) : text_(text) {}

  /// Takes an element after checking its value. The first `unwritten` characters of the value are
  /// not in the text: zeros that a GTIN was filled up with.
  std::optional<Fault> add(const AiEntry& entry, std::string_view ai, std::string value,
                           std::size_t ai_at, std::size_t value_at, Escapes escapes,
                           std::size_t unwritten = 0);
  [[nodiscard]] const std::vector<Element>& elements() const { return elements_; }
  /// Everything, after checking it as a whole. The collector is empty after it.
  Checked<ElementString> finish(Strictness strictness);

 private:
  std::string_view text_;
  std::vector<Element> elements_;
  std::vector<std::size_t> places_;
};

/// Elements with separators from `from` to the end of the text.
std::optional<Fault> read_raw(Collector& collector, std::string_view text, std::size_t from,
                              char separator);

}  // namespace theriac::gs1
