#include "pgwire/array_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "pgwire/cursor.hpp"
#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

tl::unexpected<Error> bad() { return fail(Code::kMalformed, "array"); }

class Reader {
 public:
  Reader(std::string_view text, char delimiter) : rest_(text), delimiter_(delimiter) {}

  Result<ArrayValue> read() {
    skip_spaces(rest_);
    if (rest_.starts_with('[')) THERIAC_TRY(bounds());
    const auto written = std::move(made_.bounds);
    made_.bounds.clear();
    auto look = rest_;
    if (!look.starts_with('{')) return bad();
    look.remove_prefix(1);
    skip_spaces(look);
    if (look.starts_with('}')) {
      rest_ = look.substr(1);
    } else {
      THERIAC_TRY(level(0));
    }
    skip_spaces(rest_);
    if (!rest_.empty()) return bad();
    if (!written.empty()) THERIAC_TRY(agree(written));
    return std::move(made_);
  }

 private:
  Result<std::int32_t> whole() {
    std::int32_t value = 0;
    auto digits = rest_;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{}) return bad();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  Status bounds() {
    while (rest_.starts_with('[')) {
      rest_.remove_prefix(1);
      THERIAC_ASSIGN(const auto low, whole());
      if (!rest_.starts_with(':')) return bad();
      rest_.remove_prefix(1);
      THERIAC_ASSIGN(const auto high, whole());
      if (!rest_.starts_with(']') || made_.bounds.size() == kArrayDimensionsMax) return bad();
      rest_.remove_prefix(1);
      const auto size = std::int64_t{high} - low + 1;
      if (size < 1 || size > std::numeric_limits<std::int32_t>::max()) return bad();
      made_.bounds.push_back({low, static_cast<std::int32_t>(size)});
      skip_spaces(rest_);
    }
    if (!rest_.starts_with('=')) return bad();
    rest_.remove_prefix(1);
    skip_spaces(rest_);
    return {};
  }
  Status agree(const std::vector<ArrayValue::Bound>& written) {
    if (written.size() != made_.bounds.size()) return bad();
    for (std::size_t i = 0; i < written.size(); ++i) {
      if (written[i].size != made_.bounds[i].size) return bad();
      constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
      if (std::int64_t{written[i].low} + written[i].size > kMax) {
        return fail(Code::kTooLarge, "array");
      }
    }
    made_.bounds = written;
    return {};
  }
  /// One pair of braces; `depth` counts those around it.
  Status level(std::size_t depth) {
    if (depth == kArrayDimensionsMax) return fail(Code::kTooLarge, "array");
    rest_.remove_prefix(1);
    const bool first = depth == made_.bounds.size();
    if (first) {
      if (leaf_) return bad();  // braces where elements stood before
      made_.bounds.push_back({1, 0});
    }
    std::int32_t count = 0;
    for (;;) {
      skip_spaces(rest_);
      if (rest_.starts_with('{')) {
        THERIAC_TRY(level(depth + 1));
      } else {
        if (depth + 1 != made_.bounds.size()) return bad();
        leaf_ = true;
        THERIAC_TRY(element());
      }
      ++count;
      skip_spaces(rest_);
      if (rest_.empty()) return bad();
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '}') break;
      if (c != delimiter_) return bad();
    }
    auto& bound = made_.bounds[depth];
    if (bound.size == 0) bound.size = count;
    return bound.size == count ? Status{} : bad();
  }
  Status element() {
    if (made_.elements.size() == kArrayElementsMax) return fail(Code::kTooLarge, "array");
    std::string text;
    if (rest_.starts_with('"')) {
      rest_.remove_prefix(1);
      for (;;) {
        if (rest_.empty()) return bad();
        char c = rest_[0];
        rest_.remove_prefix(1);
        if (c == '"') break;
        if (c == '\\') {
          if (rest_.empty()) return bad();
          c = rest_[0];
          rest_.remove_prefix(1);
        }
        text.push_back(c);
      }
      made_.elements.emplace_back(std::move(text));
      return {};
    }
    bool escaped = false;
    std::size_t kept = 0;  // white space at the end does not count, unless escaped
    while (!rest_.empty() && rest_[0] != delimiter_ && rest_[0] != '}') {
      char c = rest_[0];
      if (c == '{' || c == '"') return bad();
      rest_.remove_prefix(1);
      if (c == '\\') {
        if (rest_.empty()) return bad();
        c = rest_[0];
        rest_.remove_prefix(1);
        escaped = true;
        text.push_back(c);
        kept = text.size();
        continue;
      }
      text.push_back(c);
      if (!is_space(c)) kept = text.size();
    }
    text.resize(kept);
    if (text.empty()) return bad();
    if (!escaped && equals_ignoring_case(text, "null")) {
      made_.elements.emplace_back();
    } else {
      made_.elements.emplace_back(std::move(text));
    }
    return {};
  }

  std::string_view rest_;
  char delimiter_;
  ArrayValue made_;
  bool leaf_ = false;
};

void add_element(std::string& out, const std::optional<std::string>& element, char delimiter) {
  if (!element) {
    out += "NULL";
    return;
  }
  const bool plain =
      !element->empty() && !equals_ignoring_case(*element, "null") &&
      std::none_of(element->begin(), element->end(), [delimiter](char c) {
        return c == '"' || c == '\\' || c == '{' || c == '}' || c == delimiter || is_space(c);
      });
  if (plain) {
    out += *element;
    return;
  }
  out.push_back('"');
  for (const char c : *element) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

Result<ArrayValue> ArrayValue::parse(std::string_view text, char delimiter) {
  return Reader(text, delimiter).read();
}

Result<ArrayValue> ArrayValue::from_binary(ByteView value, std::uint32_t element_oid) {
  Cursor in(value);
  ArrayValue made;
  const auto dimensions = in.take_i32();
  const auto flags = in.take_i32();
  const auto oid = in.take<std::uint32_t>();
  if (!in.good() || dimensions < 0 || (flags != 0 && flags != 1) || oid != element_oid) {
    return bad();
  }
  if (static_cast<std::size_t>(dimensions) > kArrayDimensionsMax) {
    return fail(Code::kTooLarge, "array");
  }
  std::size_t count = dimensions == 0 ? 0 : 1;
  for (std::int32_t i = 0; i < dimensions; ++i) {
    Bound bound;
    bound.size = in.take_i32();
    bound.low = in.take_i32();
    if (!in.good() || bound.size < 0) return bad();
    constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
    if (std::int64_t{bound.low} + bound.size > kMax) return fail(Code::kTooLarge, "array");
    count *= static_cast<std::size_t>(bound.size);
    if (count > kArrayElementsMax) return fail(Code::kTooLarge, "array");
    made.bounds.push_back(bound);
  }
  for (std::size_t i = 0; i < count; ++i) {
    ByteView bytes;
    const bool is_null = in.value(bytes);
    if (!in.good()) return bad();
    if (is_null) {
      made.elements.emplace_back();
    } else {
      made.elements.emplace_back(std::string(text_of(bytes)));
    }
  }
  if (!in.at_end()) return bad();
  if (count == 0) made.bounds.clear();
  return made;
}

std::string ArrayValue::text(char delimiter) const {
  if (bounds.empty()) return "{}";
  std::string out;
  const bool moved =
      std::any_of(bounds.begin(), bounds.end(), [](const Bound& each) { return each.low != 1; });
  if (moved) {
    for (const auto& each : bounds) {
      const auto high = std::int64_t{each.low} + each.size - 1;
      fmt::format_to(std::back_inserter(out), "[{}:{}]", each.low, high);
    }
    out.push_back('=');
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    // Braces open where the element is the first of its part, and close where it is the last.
    if (i > 0) out.push_back(delimiter);
    std::size_t part = elements.size();
    std::size_t closing = 0;
    for (const auto& bound : bounds) {
      if (i % part == 0) out.push_back('{');
      if ((i + 1) % part == 0) ++closing;
      part /= static_cast<std::size_t>(bound.size);
    }
    add_element(out, elements[i], delimiter);
    out.append(closing, '}');
  }
  return out;
}

void ArrayValue::append_binary(Bytes& out, std::uint32_t element_oid) const {
  append_be(out, static_cast<std::uint32_t>(bounds.size()));
  const bool has_null = std::any_of(elements.begin(), elements.end(),
                                    [](const auto& each) { return !each.has_value(); });
  append_be(out, std::uint32_t{has_null ? 1U : 0U});
  append_be(out, element_oid);
  for (const auto& bound : bounds) {
    append_be(out, static_cast<std::uint32_t>(bound.size));
    append_be(out, static_cast<std::uint32_t>(bound.low));
  }
  for (const auto& element : elements) {
    if (!element) {
      append_be(out, ~std::uint32_t{0});
      continue;
    }
    append_be(out, static_cast<std::uint32_t>(element->size()));
    append(out, view_of(*element));
  }
}

}  // namespace theriac::pgwire
