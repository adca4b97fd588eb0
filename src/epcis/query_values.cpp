#include "epcis/query_values.hpp"

#include <algorithm>
#include <cmath>

#include "epcis/epc_form.hpp"
#include "epcis/value_reader.hpp"

namespace theriac::epcis {

namespace {

constexpr double kRelativeError = 1e-9;

template <typename T>
bool compare_ordered(T left, Comparison comparison, T right) {
  switch (comparison) {
    case Comparison::kEqual:
      return left == right;
    case Comparison::kGreater:
      return left > right;
    case Comparison::kGreaterOrEqual:
      return left >= right;
    case Comparison::kLess:
      return left < right;
    case Comparison::kLessOrEqual:
      return left <= right;
  }
  return false;
}

constexpr std::string_view kPattern = "urn:epc:idpat:";
constexpr std::string_view kIdentity = "urn:epc:id:";

/// Parts at dots; the last takes the rest, since a serial may have dots.
std::vector<std::string> split(std::string_view text, std::size_t count) {
  std::vector<std::string> out;
  while (out.size() + 1 < count) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) break;
    out.emplace_back(text.substr(0, dot));
    text.remove_prefix(dot + 1);
  }
  out.emplace_back(text);
  return out;
}

}  // namespace

bool compare(double left, Comparison comparison, double right) {
  return compare_ordered(left, comparison, right);
}

bool compare_measured(double left, Comparison comparison, double right) {
  const double size = std::max(std::fabs(left), std::fabs(right));
  if (std::fabs(left - right) <= size * kRelativeError) left = right;
  return compare_ordered(left, comparison, right);
}

bool compare(std::int64_t left, Comparison comparison, std::int64_t right) {
  return compare_ordered(left, comparison, right);
}

Operand operand_of(std::string_view text) {
  return {.text = std::string(text), .number = number_of(text), .time = time_of(trimmed(text))};
}

bool compare(std::string_view text, Comparison comparison, const std::vector<Operand>& operands) {
  const Operand value = operand_of(trimmed(text));
  return std::ranges::any_of(operands, [&](const Operand& operand) {
    if (operand.time) {
      return value.time && compare_ordered(value.time->ms, comparison, operand.time->ms);
    }
    if (operand.number) {
      return value.number && compare_ordered(*value.number, comparison, *operand.number);
    }
    return comparison == Comparison::kEqual &&
           (value.text == operand.text || as_link(value.text) == as_link(operand.text));
  });
}

std::optional<EpcPattern> EpcPattern::parse(std::string_view text) {
  if (!text.starts_with(kPattern)) return std::nullopt;
  const std::string_view rest = text.substr(kPattern.size());
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == rest.size()) {
    return std::nullopt;
  }
  EpcPattern out;
  out.scheme_ = rest.substr(0, colon);
  out.parts_ = split(rest.substr(colon + 1), 5);
  // "*.*.1" is no pattern: what is open is at the end.
  const auto open = std::ranges::find(out.parts_, "*");
  if (std::any_of(open, out.parts_.end(), [](const std::string& part) { return part != "*"; })) {
    return std::nullopt;
  }
  const std::string link = as_link(text);
  if (link != text) out.class_link_ = link;
  return out;
}

bool EpcPattern::matches(std::string_view id) const {
  std::string urn(id);
  if (id.starts_with("http")) {
    // The pattern's own company prefix tells where to part the digits of a link.
    // (Where that is open, any will do.)
    const std::size_t digits = parts_.front() == "*" ? 7 : parts_.front().size();
    urn = as_urn(id, static_cast<int>(digits));
  }
  if (!is_well_formed_epc(urn)) return false;
  std::string_view rest = urn;
  if (rest.starts_with(kIdentity)) {
    rest.remove_prefix(kIdentity.size());
  } else if (rest.starts_with(kPattern)) {
    rest.remove_prefix(kPattern.size());
  } else {
    return false;
  }
  if (!rest.starts_with(scheme_ + ":")) return false;
  const auto parts = split(rest.substr(scheme_.size() + 1), parts_.size());
  if (parts.size() != parts_.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts_[i] != "*" && parts_[i] != parts[i]) return false;
  }
  return true;
}

}  // namespace theriac::epcis
