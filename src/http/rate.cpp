#include "http/rate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/bytes.hpp"

namespace theriac::http {

RateLimiter::RateLimiter(double per_second, double burst, std::size_t keys_max)
    : ms_per_token_(per_second > 0 ? 1000 / per_second : 0),
      burst_(std::max(burst, 1.0)),
      keys_max_(std::max<std::size_t>(keys_max, 1)) {}

std::optional<std::chrono::milliseconds> RateLimiter::take(std::string_view key, double cost,
                                                           std::int64_t now_ms) {
  if (ms_per_token_ <= 0 || cost <= 0) return std::nullopt;
  const auto now = static_cast<double>(now_ms);
  const std::lock_guard lock(mutex_);
  auto found = index_.find(key);
  if (found == index_.end()) {
    if (entries_.size() == keys_max_) {
      index_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({std::string(key), now});
    found = index_.emplace(entries_.front().key, entries_.begin()).first;
  } else {
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  auto& entry = entries_.front();
  // More than the bucket holds is taken as all of it: otherwise it could never be had.
  const double full_at = std::max(entry.full_at_ms, now) + std::min(cost, burst_) * ms_per_token_;
  const double wait = full_at - now - burst_ * ms_per_token_;
  if (wait > 0) return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(wait)));
  entry.full_at_ms = full_at;
  return std::nullopt;
}

std::size_t RateLimiter::keys() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::string limit_key(std::string_view address) {
  std::array<std::uint8_t, 16> bytes{};
  std::string text(address);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return to_hex(bytes);
  return to_hex(ByteView(bytes).first(8));
}

bool ConnectionCensus::enter(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (total_ >= total_max_) return false;
  auto& count = counts_[key];
  if (count >= per_address_max_) {
    if (count == 0) counts_.erase(key);
    return false;
  }
  ++count;
  ++total_;
  return true;
}

void ConnectionCensus::leave(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(key);
  if (found == counts_.end()) return;
  --total_;
  if (--found->second == 0) counts_.erase(found);
}

std::size_t ConnectionCensus::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace theriac::http
