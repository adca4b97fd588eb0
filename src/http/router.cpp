#include "http/router.hpp"

#include <algorithm>

namespace theriac::http {
namespace {

struct PatternPart {
  enum class Kind : std::uint8_t { kLiteral, kAny, kRest };
  Kind kind;
  std::string_view text;  // literal, or name
};

Result<std::vector<PatternPart>> parse_pattern(std::string_view pattern) {
  using Kind = PatternPart::Kind;
  std::vector<PatternPart> parts;
  if (!pattern.starts_with('/')) return fail(Code::kUsage, "route pattern");
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    if (!parts.empty() && parts.back().kind == Kind::kRest) {
      return fail(Code::kUsage, "route pattern");
    }
    const auto end = std::min(pattern.find('/'), pattern.size());
    auto text = pattern.substr(0, end);
    pattern.remove_prefix(end);
    auto kind = Kind::kLiteral;
    if (text.starts_with('{') && text.ends_with('}')) {
      text = text.substr(1, text.size() - 2);
      kind = text.ends_with("...") ? Kind::kRest : Kind::kAny;
      if (kind == Kind::kRest) text.remove_suffix(3);
      if (text.empty()) return fail(Code::kUsage, "route pattern");
    }
    if (text.find_first_of("{}") != std::string_view::npos) {
      return fail(Code::kUsage, "route pattern");
    }
    parts.push_back({kind, text});
  }
  return parts;
}

}  // namespace

Status Router::add(Route route) {
  THERIAC_ASSIGN(const auto parts, parse_pattern(route.pattern));
  const bool one_handler = (route.handler != nullptr) != (route.async != nullptr);
  if (!is_token(route.method) || !one_handler || (route.streams_body && route.async == nullptr) ||
      (route.idempotent && route.handler == nullptr) ||
      (route.async != nullptr && route.runs == Runs::kInPool)) {
    return fail(Code::kUsage, "route " + route.method + " " + route.pattern);
  }
  Node* node = &root_;
  auto* ending = &root_.ending;
  for (const auto& part : parts) {
    if (part.kind == PatternPart::Kind::kRest) {
      ending = &node->ending_rest;
      break;
    }
    auto& next =
        part.kind == PatternPart::Kind::kAny ? node->any : node->literals[std::string(part.text)];
    if (next == nullptr) next = std::make_unique<Node>();
    node = next.get();
    ending = &node->ending;
  }
  for (const auto other : *ending) {
    if (routes_[other]->method == route.method) {
      return fail(Code::kAlreadyExists, "route " + route.method + " " + route.pattern);
    }
  }
  ending->push_back(routes_.size());
  routes_.push_back(std::make_unique<Route>(std::move(route)));
  return {};
}

struct Router::Search {
  std::string_view method;
  const std::vector<Segment>* segments;
  bool slashes;  // any segment has one
  Match match;
  std::vector<std::string_view> allowed;
};

bool Router::choose(const std::vector<std::size_t>& candidates, Search& search) const {
  const Route* get = nullptr;
  for (const auto index : candidates) {
    const auto& route = *routes_[index];
    if (search.slashes && !route.encoded_slashes) continue;
    if (std::ranges::find(search.allowed, route.method) == search.allowed.end()) {
      search.allowed.emplace_back(route.method);
    }
    const bool as_get = search.method == "HEAD" && route.method == "GET" && get == nullptr;
    if (route.method == search.method || as_get) {
      search.match.route = &route;
      search.match.index = index;
      if (as_get) get = &route;
      if (!as_get) return true;
    }
  }
  return search.match.route != nullptr;
}

void Router::visit(const Node& node, Search& search, std::size_t depth) const {
  const auto& segments = *search.segments;
  if (depth == segments.size()) {
    choose(node.ending, search);
    return;
  }
  const auto& text = segments[depth].text;
  if (const auto next = node.literals.find(text); next != node.literals.end()) {
    visit(*next->second, search, depth + 1);
  }
  if (search.match.route == nullptr && node.any != nullptr && !text.empty()) {
    visit(*node.any, search, depth + 1);
  }
  if (search.match.route == nullptr && !text.empty()) choose(node.ending_rest, search);
}

void Router::fill(Match& match, const std::vector<Segment>& segments) const {
  if (match.route->pattern.find('{') == std::string::npos) return;
  const auto parts = *parse_pattern(match.route->pattern);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind == PatternPart::Kind::kLiteral) continue;
    std::string value = segments[i].text;
    if (parts[i].kind == PatternPart::Kind::kRest) {
      for (std::size_t j = i + 1; j < segments.size(); ++j) value += "/" + segments[j].text;
    }
    match.path.emplace_back(parts[i].text, std::move(value));
  }
}

Match Router::find(std::string_view method, const std::vector<Segment>& segments) const {
  Search search{method, &segments, std::ranges::any_of(segments, &Segment::has_slash), {}, {}};
  visit(root_, search, 0);
  if (search.match.route != nullptr) {
    fill(search.match, segments);
    return std::move(search.match);
  }
  if (search.allowed.empty()) return {};
  const auto has = [&](std::string_view name) {
    return std::ranges::find(search.allowed, name) != search.allowed.end();
  };
  if (has("GET") && !has("HEAD")) search.allowed.emplace_back("HEAD");
  if (!has("OPTIONS")) search.allowed.emplace_back("OPTIONS");
  std::ranges::sort(search.allowed);
  for (const auto& one : search.allowed) {
    if (!search.match.allow.empty()) search.match.allow += ", ";
    search.match.allow += one;
  }
  return std::move(search.match);
}

}  // namespace theriac::http
