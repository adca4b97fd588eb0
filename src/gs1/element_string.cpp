#include "gs1/element_string.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gs1/digital_link.hpp"
#include "gs1/limits.hpp"
#include "gs1/reading.hpp"

namespace theriac::gs1 {
namespace {

constexpr char kGroupSeparator = '\x1d';

/// Symbology identifiers of ISO/IEC 15424 that a GS1 symbol may come with, and those of the same
/// symbols without FNC1 in first position.
enum class Content : std::uint8_t { kElements, kEan13, kEan8, kItf14, kPlain };
struct Identifier {
  std::string_view text;
  Content content;
};
constexpr auto kIdentifiers = std::to_array<Identifier>({
    {"]C1", Content::kElements},
    {"]d2", Content::kElements},
    {"]e0", Content::kElements},
    {"]Q3", Content::kElements},
    {"]J1", Content::kElements},
    {"]E0", Content::kEan13},
    {"]E4", Content::kEan8},
    {"]I1", Content::kItf14},
    {"]C0", Content::kPlain},
    {"]d1", Content::kPlain},
    {"]Q1", Content::kPlain},
    {"]J0", Content::kPlain},
});

constexpr std::string_view identifier_of(Symbology symbology) {
  switch (symbology) {
    case Symbology::kDataMatrix:
      return "]d2";
    case Symbology::kGs1128:
      return "]C1";
    case Symbology::kQr:
      return "]Q3";
    case Symbology::kDataBar:
      return "]e0";
    case Symbology::kDotCode:
      return "]J1";
  }
  return "]d2";
}

std::optional<Fault> check_size(std::string_view text) {
  if (text.empty()) return Fault{FaultCode::kEmpty, 0, {}, {}, 0, 0};
  if (text.size() <= kTextBytesMax) return {};
  return Fault{FaultCode::kTextTooLong, kTextBytesMax, {}, {}, kTextBytesMax, text.size()};
}

Checked<ElementString> raw_from(std::string_view text, std::size_t from, char separator,
                                Strictness strictness) {
  if (from == text.size()) return fault(FaultCode::kEmpty, from);
  Collector collector(text);
  if (auto fault = read_raw(collector, text, from, separator)) {
    return tl::unexpected<Fault>(std::move(*fault));
  }
  return collector.finish(strictness);
}

/// A GTIN in a symbol that holds nothing else, as fourteen digits.
Checked<ElementString> gtin_from(std::string_view text, std::size_t from, std::size_t digits,
                                 Strictness strictness) {
  const auto gtin = text.substr(from);
  if (gtin.size() != digits) {
    const auto code = gtin.size() < digits ? FaultCode::kValueTooShort : FaultCode::kValueTooLong;
    return tl::unexpected<Fault>(
        Fault{code, from + std::min(gtin.size(), digits), "01", {}, digits, gtin.size()});
  }
  const auto zeros = 14 - digits;
  Collector collector(text);
  if (auto fault = collector.add(*find_ai("01"), "01", std::string(zeros, '0').append(gtin), from,
                                 from, Escapes::kNone, zeros)) {
    return tl::unexpected<Fault>(std::move(*fault));
  }
  return collector.finish(strictness);
}

bool same_but_for_case(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, lower, lower);
}

}  // namespace

const std::string* ElementString::find(std::string_view ai) const {
  const auto* element = find_element(elements_, ai);
  return element == nullptr ? nullptr : &element->value;
}

Checked<ElementString> parse_bracketed(std::string_view text, Strictness strictness) {
  if (auto fault = check_size(text)) return tl::unexpected<Fault>(std::move(*fault));
  Collector collector(text);
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '(') return fault(FaultCode::kBracket, at);
    const auto close = text.find(')', at);
    if (close == std::string_view::npos) return fault(FaultCode::kBracket, at);
    const auto ai = text.substr(at + 1, close - at - 1);
    const auto* entry = find_ai(ai);
    if (entry == nullptr) return fault(FaultCode::kUnknownAi, at + 1);
    std::string value;
    std::size_t end = close + 1;
    for (; end < text.size() && text[end] != '('; ++end) {
      const bool escaped = text[end] == '\\' && end + 1 < text.size() && text[end + 1] == '(';
      if (escaped) ++end;
      value.push_back(text[end]);
    }
    if (auto fault =
            collector.add(*entry, ai, std::move(value), at + 1, close + 1, Escapes::kBracket)) {
      return tl::unexpected<Fault>(std::move(*fault));
    }
    at = end;
  }
  return collector.finish(strictness);
}

Checked<ElementString> parse_raw(std::string_view text, Strictness strictness) {
  if (auto fault = check_size(text)) return tl::unexpected<Fault>(std::move(*fault));
  // FNC1 in first position, as some show it.
  if (text.front() == '^') return raw_from(text, 1, '^', strictness);
  return raw_from(text, text.front() == kGroupSeparator ? 1 : 0, kGroupSeparator, strictness);
}

Checked<ElementString> parse_scan(std::string_view text, Strictness strictness) {
  if (auto fault = check_size(text)) return tl::unexpected<Fault>(std::move(*fault));
  const auto begin = text.substr(0, 3);
  const auto* identifier = std::ranges::find(kIdentifiers, begin, &Identifier::text);
  if (identifier == kIdentifiers.end()) {
    const bool case_swapped = std::ranges::any_of(
        kIdentifiers, [&](const auto& known) { return same_but_for_case(known.text, begin); });
    return case_swapped ? fault(FaultCode::kCapsLock, 1) : fault(FaultCode::kUnknownSymbology, 0);
  }
  const auto from = begin.size();
  switch (identifier->content) {
    case Content::kElements:
      return raw_from(text, from, kGroupSeparator, strictness);
    case Content::kEan13:
      return gtin_from(text, from, 13, strictness);
    case Content::kEan8:
      return gtin_from(text, from, 8, strictness);
    case Content::kItf14:
      return gtin_from(text, from, 14, strictness);
    case Content::kPlain:
      break;
  }
  auto link = parse_digital_link(text.substr(from), strictness);
  if (!link) {
    if (link.error().code == FaultCode::kNotALink) return fault(FaultCode::kNotGs1Symbol, from);
    link.error().at += from;
  }
  return link;
}

Checked<ElementString> check(std::vector<Element> elements, Strictness strictness) {
  Collector collector({});
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto* entry = find_ai(elements[i].ai);
    if (entry == nullptr) return fault(FaultCode::kUnknownAi, i);
    if (auto fault = collector.add(*entry, elements[i].ai, std::move(elements[i].value), i, 0,
                                   Escapes::kNone)) {
      fault->at = i;
      return tl::unexpected<Fault>(std::move(*fault));
    }
  }
  return collector.finish(strictness);
}

std::string bracketed(const ElementString& elements) {
  std::string text;
  for (const auto& element : elements.elements()) {
    text.append("(").append(element.ai).append(")");
    for (const char c : element.value) {
      if (c == '(') text.push_back('\\');
      text.push_back(c);
    }
  }
  return text;
}

std::string raw(const ElementString& elements) {
  std::string text;
  bool open = false;  // a value stands at the end that only a separator ends
  for (const bool predefined : {true, false}) {
    for (const auto& element : elements.elements()) {
      const auto* entry = find_ai(element.ai);
      if ((entry != nullptr && entry->predefined_length) != predefined) continue;
      if (open) text.push_back(kGroupSeparator);
      text.append(element.ai).append(element.value);
      open = !predefined;
    }
  }
  return text;
}

std::string scan(const ElementString& elements, Symbology symbology) {
  return std::string(identifier_of(symbology)).append(raw(elements));
}

Checked<char> check_digit(std::string_view digits) {
  if (digits.empty()) return fault(FaultCode::kEmpty, 0);
  const auto other = std::ranges::find_if_not(digits, is_digit);
  if (other != digits.end()) {
    return fault(FaultCode::kNotDigits, static_cast<std::size_t>(other - digits.begin()));
  }
  return check_digit_of(digits);
}

Checked<std::string> iso_date(std::string_view yymmdd, int year_now) {
  if (auto fault = lint(Linter::kDateDay0, yymmdd)) {
    return tl::unexpected<Fault>(std::move(*fault));
  }
  const auto two = [&](std::size_t at) { return (yymmdd[at] - '0') * 10 + (yymmdd[at + 1] - '0'); };
  // 7.12: at most 50 years ahead of this one and at most 49 behind it.
  const int ahead = two(0) - year_now % 100;
  int year = year_now - year_now % 100 + two(0);
  if (ahead >= 51) year -= 100;
  if (ahead <= -50) year += 100;
  const int month = two(2);
  const int last = days_in_month(year, month);
  if (two(4) > last) return fault(FaultCode::kDay, 4);
  return fmt::format("{:04}-{:02}-{:02}", year, month, two(4) == 0 ? last : two(4));
}

}  // namespace theriac::gs1
