#include "pgwire/text_expression.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "pgwire/text_scan.hpp"
#include "pgwire/utf8.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::array<std::string_view, 4> kNames{"lower", "upper", "left", "right"};

tl::unexpected<Error> bad() { return fail(Code::kMalformed, "expression"); }

bool has_count(TextExpression::Function function) {
  return function == TextExpression::Function::kLeft ||
         function == TextExpression::Function::kRight;
}

bool take(std::string_view& rest, char c) {
  skip_spaces(rest);
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  skip_spaces(rest);
  return true;
}

/// The first `count` characters, or without the last ones.
std::string_view leading(std::string_view text, std::int32_t count) {
  const auto all = static_cast<std::int64_t>(count_characters(text));
  const auto kept = std::clamp<std::int64_t>(count < 0 ? all + count : count, 0, all);
  return text.substr(0, position_after(text, static_cast<std::size_t>(kept)));
}

std::string_view trailing(std::string_view text, std::int32_t count) {
  const auto all = static_cast<std::int64_t>(count_characters(text));
  const auto skipped =
      std::clamp<std::int64_t>(count < 0 ? -std::int64_t{count} : all - count, 0, all);
  return text.substr(position_after(text, static_cast<std::size_t>(skipped)));
}

}  // namespace

Result<TextExpression> TextExpression::parse(std::string_view text) {
  auto rest = trimmed(text);
  std::vector<Step> outside_in;
  for (;;) {
    const auto word = to_lower(take_while(rest, is_letter));
    if (word == "value") break;
    const auto* found = std::find(kNames.begin(), kNames.end(), word);
    if (found == kNames.end() || outside_in.size() == kTextExpressionDepthMax) return bad();
    outside_in.push_back({static_cast<Function>(found - kNames.begin()), 0});
    if (!take(rest, '(')) return bad();
  }
  TextExpression made;
  for (auto step = outside_in.rbegin(); step != outside_in.rend(); ++step) {
    if (has_count(step->function)) {
      if (!take(rest, ',')) return bad();
      const auto [end, error] =
          std::from_chars(rest.data(), rest.data() + rest.size(), step->count);
      if (error != std::errc{}) return bad();
      rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    }
    if (!take(rest, ')')) return bad();
    made.wrap(*step);
  }
  if (!rest.empty() || made.empty()) return bad();
  return made;
}

std::string TextExpression::text() const {
  std::string out = "value";
  for (const auto& step : steps_) {
    const std::string name(kNames.at(static_cast<std::size_t>(step.function)));
    const auto count = has_count(step.function) ? ", " + std::to_string(step.count) : std::string();
    out = name + "(" + out + count + ")";
  }
  return out;
}

bool TextExpression::needs_case() const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [](const Step& step) { return !has_count(step.function); });
}

std::string TextExpression::apply(std::string_view value, const CaseMap* map) const {
  std::string out(value);
  for (const auto& step : steps_) {
    switch (step.function) {
      case Function::kLower:
        out = map->lower(out);
        break;
      case Function::kUpper:
        out = map->upper(out);
        break;
      case Function::kLeft:
        out = std::string(leading(out, step.count));
        break;
      case Function::kRight:
        out = std::string(trailing(out, step.count));
        break;
    }
  }
  return out;
}

}  // namespace theriac::pgwire
