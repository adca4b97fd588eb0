#include "gs1/ai_table.hpp"

#include <algorithm>

namespace theriac::gs1 {
namespace {

constexpr unsigned kFixed = 1;  ///< AiEntry::predefined_length
constexpr unsigned kData = 2;   ///< AiEntry::link_attribute
constexpr unsigned kKey = 4;    ///< AiEntry::link_key

template <typename... L>
consteval Component component(Charset charset, unsigned shortest, unsigned longest, L... linters) {
  return {charset,
          static_cast<std::uint8_t>(shortest),
          static_cast<std::uint8_t>(longest),
          false,
          {linters...}};
}
// As the dictionary writes them: n(6) is N6, x_to(20) is X..20, opt(...) is [...].
consteval Component n(unsigned length, auto... linters) {
  return component(Charset::kDigits, length, length, linters...);
}
consteval Component n_to(unsigned longest, auto... linters) {
  return component(Charset::kDigits, 1, longest, linters...);
}
consteval Component x(unsigned length, auto... linters) {
  return component(Charset::kCset82, length, length, linters...);
}
consteval Component x_to(unsigned longest, auto... linters) {
  return component(Charset::kCset82, 1, longest, linters...);
}
consteval Component y_to(unsigned longest, auto... linters) {
  return component(Charset::kCset39, 1, longest, linters...);
}
consteval Component z_to(unsigned longest) { return component(Charset::kCset64, 1, longest); }
consteval Component opt(Component component) {
  component.optional = true;
  return component;
}

/// A line of the table as it is written.
struct Row {
  std::string_view first, last;
  unsigned flags = 0;
  std::array<Component, kComponentsMax> components{};
  std::string_view required, excluded, qualifiers, title;
};

using enum Linter;
constexpr auto kRows = std::to_array<Row>({
#include "gs1/ai_table.inc"
});

constexpr std::array<AiEntry, kRows.size()> kTable = [] {
  std::array<AiEntry, kRows.size()> table;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Row& row = kRows[i];
    std::uint8_t count = 0;
    while (count < kComponentsMax && row.components[count].longest != 0) ++count;
    table[i] = {row.first,
                row.last,
                (row.flags & kFixed) != 0,
                (row.flags & kData) != 0,
                (row.flags & kKey) != 0,
                count,
                row.components,
                row.required,
                row.excluded,
                row.qualifiers,
                row.title};
  }
  return table;
}();

constexpr std::size_t prefix_of(std::string_view ai) {
  return static_cast<std::size_t>(ai[0] - '0') * 10 + static_cast<std::size_t>(ai[1] - '0');
}

/// Where the entries of each pair of leading digits begin; their AIs all have the same length.
constexpr std::array<std::uint8_t, 101> kByPrefix = [] {
  std::array<std::uint8_t, 101> starts{};
  std::size_t entry = 0;
  for (std::size_t prefix = 0; prefix < starts.size(); ++prefix) {
    while (entry < kTable.size() && prefix_of(kTable[entry].last) < prefix) ++entry;
    starts[prefix] = static_cast<std::uint8_t>(entry);
  }
  return starts;
}();
static_assert(kTable.size() < 256);
// What leading_ai rests on: order, and one length of AI for each pair of leading digits.
static_assert([] {
  for (std::size_t i = 1; i < kTable.size(); ++i) {
    const auto &before = kTable[i - 1], &entry = kTable[i];
    if (before.last >= entry.first) return false;
    const bool same_prefix = prefix_of(before.last) == prefix_of(entry.first);
    if (same_prefix && before.last.size() != entry.first.size()) return false;
  }
  return true;
}());

}  // namespace

std::size_t AiEntry::shortest() const {
  std::size_t sum = 0;
  for (const auto& component : components()) sum += component.optional ? 0 : component.shortest;
  return sum;
}

std::size_t AiEntry::longest() const {
  std::size_t sum = 0;
  for (const auto& component : components()) sum += component.longest;
  return sum;
}

std::span<const AiEntry> ai_table() { return kTable; }

const AiEntry* leading_ai(std::string_view text) {
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return nullptr;
  const auto prefix = prefix_of(text);
  // A range such as 91-99 spans several prefixes, and then is the only entry of each.
  for (std::size_t i = kByPrefix.at(prefix); i < kTable.size(); ++i) {
    const AiEntry& entry = kTable.at(i);
    if (prefix_of(entry.first) > prefix) return nullptr;
    const auto ai = text.substr(0, entry.first.size());
    if (ai.size() == entry.first.size() && all_digits(ai) && entry.first <= ai &&
        ai <= entry.last) {
      return &entry;
    }
  }
  return nullptr;
}

const AiEntry* find_ai(std::string_view ai) {
  const AiEntry* entry = leading_ai(ai);
  return entry != nullptr && entry->first.size() == ai.size() ? entry : nullptr;
}

std::optional<Fault> check_value(const AiEntry& entry, std::string_view value) {
  const auto fault = [](FaultCode code, std::size_t at, std::size_t wanted, std::size_t found) {
    return Fault{code, at, {}, {}, wanted, found};
  };
  const auto shortest = entry.shortest();
  const auto longest = entry.longest();
  if (value.empty()) return fault(FaultCode::kValueMissing, 0, 0, 0);
  if (value.size() < shortest) {
    return fault(FaultCode::kValueTooShort, value.size() - 1, shortest, value.size());
  }
  if (value.size() > longest) {
    return fault(FaultCode::kValueTooLong, longest, longest, value.size());
  }
  std::size_t at = 0;
  for (const auto& component : entry.components()) {
    const auto text = value.substr(at, component.longest);
    if (text.empty() && component.optional) break;
    if (text.size() < component.shortest) {
      return fault(FaultCode::kValueTooShort, value.size() - 1,
                   value.size() - text.size() + component.shortest, value.size());
    }
    auto finding = lint_charset(component.charset, text);
    for (std::size_t i = 0; i < component.linters.size() && !finding; ++i) {
      finding = lint(component.linters.at(i), text);
    }
    if (finding) {
      finding->at += at;
      return finding;
    }
    at += text.size();
  }
  return {};
}

bool matches(std::string_view pattern, std::string_view ai) {
  return pattern.size() == ai.size() &&
         std::ranges::equal(pattern, ai, [](char p, char c) { return p == 'n' || p == c; });
}

}  // namespace theriac::gs1
