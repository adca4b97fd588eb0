// Application identifiers: what each may hold, beside what it may stand, and where it goes in a
// Digital Link. Source: GS1 General Specifications section 3, in the notation of the GS1 Barcode
// Syntax Dictionary.
//
// Threading: constant data and free functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gs1/lint.hpp"

namespace theriac::gs1 {

struct Component {
  Charset charset = Charset::kDigits;
  std::uint8_t shortest = 0, longest = 0;
  bool optional = false;  ///< may be left out; only at the end
  std::array<Linter, 3> linters{};
};

inline constexpr std::size_t kComponentsMax = 6;

struct AiEntry {
  std::string_view first, last;    ///< "3100" and "3105"; the same twice for a single AI
  bool predefined_length = false;  ///< needs no separator behind it (7.8.5)
  bool link_attribute = false;     ///< may stand in the query of a Digital Link
  bool link_key = false;           ///< may begin the identifying part of one
  std::uint8_t component_count = 0;
  std::array<Component, kComponentsMax> component_list{};
  std::string_view required;    ///< "01+21,02": one of the groups; 'n' is any digit; or empty
  std::string_view excluded;    ///< "01,394n": none of these
  std::string_view qualifiers;  ///< "22,10,21|235": alternatives, each in this order
  std::string_view title;

  [[nodiscard]] constexpr std::span<const Component> components() const {
    return std::span(component_list).first(component_count);
  }
  [[nodiscard]] std::size_t shortest() const;
  [[nodiscard]] std::size_t longest() const;
};

/// All entries, in order of their AIs.
std::span<const AiEntry> ai_table();

/// The entry of an AI, or nullptr.
const AiEntry* find_ai(std::string_view ai);
/// The entry whose AI a text begins with, or nullptr: no AI is the beginning of another.
const AiEntry* leading_ai(std::string_view text);

/// Length, characters and linters of a value; `at` from its start, `ai` not filled in.
std::optional<Fault> check_value(const AiEntry& entry, std::string_view value);

/// Does "310n" or "01" mean this AI?
bool matches(std::string_view pattern, std::string_view ai);

}  // namespace theriac::gs1
