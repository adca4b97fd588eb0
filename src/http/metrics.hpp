// What a server counts, as Prometheus text (exposition format 0.0.4). Routes are named by their
// patterns, never by paths: those can hold serial numbers.
//
// Threading: thread-safe, without locks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace theriac::http {

enum class Refused : std::uint8_t {
  kConnectionLimit,
  kHandshake,
  kMalformed,  ///< no request could be read
  kSlow,       ///< head, body or reading of the reply timed out
  kRateLimit
};
inline constexpr std::size_t kRefusedCount = 5;

class Metrics {
 public:
  /// Upper ends of the latency buckets, in microseconds.
  static constexpr std::array<std::int64_t, 14> kBuckets_us{
      250,    500,     1'000,   2'500,   5'000,     10'000,    25'000,
      50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000};

  /// "METHOD /pattern" for each route; requests that met none are counted under "none".
  explicit Metrics(const std::vector<std::string>& routes);
  static constexpr std::size_t kNoRoute = SIZE_MAX;
  void count(std::size_t route, int status, std::int64_t took_us);
  void refused(Refused why) { ++refused_[static_cast<std::size_t>(why)]; }
  void connection_opened() { ++opened_; }
  void connection_closed() { ++closed_; }
  [[nodiscard]] std::uint64_t connections() const { return opened_ - closed_; }
  [[nodiscard]] std::uint64_t refusals(Refused why) const {
    return refused_[static_cast<std::size_t>(why)];
  }
  /// Replies of one status class (2 for 2xx) over all routes.
  [[nodiscard]] std::uint64_t replies(int status_class) const;
  [[nodiscard]] std::string prometheus() const;

 private:
  using Count = std::atomic<std::uint64_t>;
  struct OfRoute {
    std::string labels;  // method="GET",route="/a"
    std::array<Count, 5> by_class{};
    std::array<Count, kBuckets_us.size() + 1> by_time{};  // the last: longer than all
    Count sum_us{0};
  };
  std::vector<std::unique_ptr<OfRoute>> routes_;  // the last: none
  std::array<Count, kRefusedCount> refused_{};
  Count opened_{0};
  Count closed_{0};
};

}  // namespace theriac::http
