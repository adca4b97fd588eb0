#include "http/problem.hpp"

#include <algorithm>
#include <charconv>

#include "codec/json.hpp"

namespace theriac::http {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The weight after ";q=", in thousandths; 0 for what is not one (RFC 9110, section 12.4.2).
int weight_of(std::string_view parameter) {
  parameter = trim(parameter);
  if (parameter.empty()) return 1000;
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return 0;
  double value = 0;
  const auto text = parameter.substr(2);
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || !(value >= 0 && value <= 1)) return 0;
  return static_cast<int>(value * 1000);
}

Response problem(int status, const codec::Json& body, std::string_view language) {
  Response response =
      Response::with(status, "application/problem+json", codec::canonical_json(body));
  response.fields.push_back({"Content-Language", std::string(language)});
  return response;
}

void add_instance(codec::Json& body, std::string_view instance) {
  if (!instance.empty()) body["instance"] = "urn:theriac:request:" + std::string(instance);
}

}  // namespace

std::string choose_language(std::string_view accept_language,
                            const std::vector<std::string>& offered) {
  std::string best = "en";
  int best_weight = 0;
  while (!accept_language.empty()) {
    const auto end = std::min(accept_language.find(','), accept_language.size());
    const auto range = accept_language.substr(0, end);
    accept_language.remove_prefix(std::min(end + 1, accept_language.size()));
    const auto parameters = std::min(range.find(';'), range.size());
    const auto tag = trim(range.substr(0, parameters));
    const auto primary = tag.substr(0, tag.find('-'));
    const int weight = weight_of(range.substr(std::min(parameters + 1, range.size())));
    if (weight <= best_weight) continue;
    const auto same = [primary](const std::string& one) { return same_token(one, primary); };
    const auto found = std::ranges::find_if(offered, same);
    if (found == offered.end() && !same("en") && primary != "*") continue;
    best = found == offered.end() ? "en" : *found;
    best_weight = weight;
  }
  return best;
}

Response problem_of(const Error& error, const ProblemContext& context) {
  const auto& info = info_of(error.code);
  std::string language = "en";
  ProblemTexts::Text text{std::string(info.what), std::string(info.remedy)};
  if (context.texts != nullptr) {
    language = choose_language(context.accept_language, context.texts->languages());
    auto found = language == "en" ? std::nullopt : context.texts->find(error.code, language);
    if (found) text = std::move(*found);
    if (!found) language = "en";
  }
  if (info.http < 500 && !error.where.empty()) text.detail = error.where + ": " + text.detail;
  codec::Json body{{"type", "urn:theriac:error:" + std::string(info.name)},
                   {"title", text.title},
                   {"status", info.http},
                   {"detail", text.detail},
                   {"code", std::string(info.name)}};
  add_instance(body, context.instance);
  auto response = problem(info.http, body, language);
  if (context.texts != nullptr) response.fields.push_back({"Vary", "Accept-Language"});
  if (info.http == 503) response.fields.push_back({"Retry-After", "1"});
  return response;
}

Response problem_of_status(int status, std::string_view detail, const ProblemContext& context) {
  codec::Json body{
      {"type", "about:blank"}, {"title", std::string(reason_phrase(status))}, {"status", status}};
  if (!detail.empty()) body["detail"] = std::string(detail);
  add_instance(body, context.instance);
  return problem(status, body, "en");
}

}  // namespace theriac::http
