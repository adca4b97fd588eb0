#include "http/metrics.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace theriac::http {
namespace {

constexpr std::array<std::string_view, kRefusedCount> kWhy{"connection_limit", "handshake",
                                                           "malformed", "slow", "rate_limit"};

/// Label values escape backslash, quote and line feed; patterns have nothing else to escape.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string labels_of(std::string_view route) {
  const auto space = std::min(route.find(' '), route.size());
  const auto pattern = route.substr(std::min(space + 1, route.size()));
  return fmt::format(R"(method="{}",route="{}")", escaped(route.substr(0, space)),
                     escaped(pattern));
}

}  // namespace

Metrics::Metrics(const std::vector<std::string>& routes) {
  for (const auto& route : routes) {
    routes_.push_back(std::make_unique<OfRoute>());
    routes_.back()->labels = labels_of(route);
  }
  routes_.push_back(std::make_unique<OfRoute>());
  routes_.back()->labels = R"(method="",route="none")";
}

void Metrics::count(std::size_t route, int status, std::int64_t took_us) {
  auto& of = *routes_[std::min(route, routes_.size() - 1)];
  const auto relaxed = std::memory_order_relaxed;
  const auto status_class = static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1);
  of.by_class[status_class].fetch_add(1, relaxed);
  const auto* bucket = std::ranges::lower_bound(kBuckets_us, took_us);
  of.by_time[static_cast<std::size_t>(bucket - kBuckets_us.begin())].fetch_add(1, relaxed);
  of.sum_us.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(took_us, 0)), relaxed);
}

std::uint64_t Metrics::replies(int status_class) const {
  std::uint64_t sum = 0;
  for (const auto& of : routes_) sum += of->by_class[static_cast<std::size_t>(status_class - 1)];
  return sum;
}

std::string Metrics::prometheus() const {
  std::string out;
  const auto line = [&out](std::string_view text) { out.append(text).append("\n"); };
  line("# HELP theriac_http_requests_total Replies by route and class of status.");
  line("# TYPE theriac_http_requests_total counter");
  for (const auto& of : routes_) {
    for (std::size_t i = 0; i < of->by_class.size(); ++i) {
      if (of->by_class[i] == 0) continue;
      line(fmt::format(R"(theriac_http_requests_total{{{},class="{}xx"}} {})", of->labels, i + 1,
                       of->by_class[i].load()));
    }
  }
  line(
      "# HELP theriac_http_request_seconds From the first byte of a request to the last of its "
      "reply.");
  line("# TYPE theriac_http_request_seconds histogram");
  for (const auto& of : routes_) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBuckets_us.size(); ++i) {
      sum += of->by_time[i];
      line(fmt::format(R"(theriac_http_request_seconds_bucket{{{},le="{}"}} {})", of->labels,
                       static_cast<double>(kBuckets_us[i]) / 1e6, sum));
    }
    sum += of->by_time.back();
    line(fmt::format(R"(theriac_http_request_seconds_bucket{{{},le="+Inf"}} {})", of->labels, sum));
    line(fmt::format("theriac_http_request_seconds_sum{{{}}} {}", of->labels,
                     static_cast<double>(of->sum_us.load()) / 1e6));
    line(fmt::format("theriac_http_request_seconds_count{{{}}} {}", of->labels, sum));
  }
  line("# HELP theriac_http_refused_total Connections and requests that were turned away.");
  line("# TYPE theriac_http_refused_total counter");
  for (std::size_t i = 0; i < kRefusedCount; ++i) {
    line(fmt::format(R"(theriac_http_refused_total{{why="{}"}} {})", kWhy[i], refused_[i].load()));
  }
  line("# HELP theriac_http_connections Open connections.");
  line("# TYPE theriac_http_connections gauge");
  line(fmt::format("theriac_http_connections {}", connections()));
  return out;
}

}  // namespace theriac::http
