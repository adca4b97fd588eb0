#include "epcis/query_input.hpp"

#include <algorithm>
#include <charconv>

#include "epcis/limits.hpp"
#include "epcis/value_reader.hpp"

namespace theriac::epcis {

bool is_query_uom(std::string_view text) {
  return text.size() >= 2 && text.size() <= 4 && std::ranges::all_of(text, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

Parsed<std::vector<std::string>> texts_of(const Input& input) {
  std::vector<std::string> out;
  for (const Value& value : input.values) {
    if (value.type && *value.type != Scalar::kText) return bad();
    if (value.text.empty() || value.text.size() > kUriBytesMax) return bad();
    out.push_back(value.text);
  }
  if (out.empty()) return bad();
  return out;
}
Parsed<std::vector<std::string>> uris_of(const Input& input) {
  auto texts = texts_of(input);
  if (texts && !std::ranges::all_of(*texts, is_uri)) return bad();
  return texts;
}
Parsed<std::string> one_text(const Input& input) {
  auto texts = texts_of(input);
  if (!texts || texts->size() != 1) return bad();
  return std::move(texts->front());
}
Parsed<std::vector<double>> numbers_of(const Input& input) {
  std::vector<double> out;
  for (const Value& value : input.values) {
    const bool number =
        !value.type || *value.type == Scalar::kInteger || *value.type == Scalar::kDouble;
    const auto parsed = number ? number_of(value.text) : std::nullopt;
    if (!parsed) return bad();
    out.push_back(*parsed);
  }
  if (out.empty()) return bad();
  return out;
}
Parsed<std::int64_t> time_of_input(const Input& input) {
  const auto text = one_text(input);
  const auto time = text ? time_of(*text) : std::nullopt;
  if (!time) return bad();
  return time->ms;
}
Parsed<std::uint64_t> count_of(const Input& input) {
  if (input.values.size() != 1) return bad();
  const Value& value = input.values.front();
  if (value.type && *value.type != Scalar::kInteger) return bad();
  std::uint64_t out = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stop, error] = std::from_chars(value.text.data(), end, out);
  if (error != std::errc() || stop != end || out == 0) return bad();
  return out;
}
Parsed<bool> asked(const Input& input) {
  if (input.values.empty()) return true;
  if (input.values.size() > 1) return bad();
  const Value& value = input.values.front();
  if (value.type == Scalar::kText && !value.text.empty()) return bad();
  if (value.text == "false") return false;
  const bool good = value.text.empty() || value.text == "true" || number_of(value.text);
  if (!good) return bad();
  return true;
}

}  // namespace theriac::epcis
