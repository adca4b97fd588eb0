// How often one client may ask, and how many connections there may be: what all loops share.
//
// Threading: thread-safe; every call takes a mutex for well under a microsecond.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace theriac::http {

/// A token bucket for each key, kept as the one time at which it will be full again. Bounded: past
/// `keys_max` the key unseen for longest is forgotten, and so has a full bucket.
class RateLimiter {
 public:
  /// `per_second` 0: everything is allowed.
  RateLimiter(double per_second, double burst, std::size_t keys_max);
  /// Takes `cost` tokens; nullopt, or after how long there will be enough.
  std::optional<std::chrono::milliseconds> take(std::string_view key, double cost,
                                                std::int64_t now_ms);
  [[nodiscard]] std::size_t keys() const;

 private:
  struct Entry {
    std::string key;
    double full_at_ms;
  };
  double ms_per_token_;
  double burst_;
  std::size_t keys_max_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the last seen first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

/// An address as limits count it: IPv6 by its first 64 bits, since one customer has them all.
std::string limit_key(std::string_view address);

class ConnectionCensus {
 public:
  ConnectionCensus(std::size_t total_max, std::size_t per_address_max)
      : total_max_(total_max), per_address_max_(per_address_max) {}
  /// True: leave() must follow.
  bool enter(const std::string& key);
  void leave(const std::string& key);
  [[nodiscard]] std::size_t total() const;

 private:
  std::size_t total_max_;
  std::size_t per_address_max_;
  mutable std::mutex mutex_;
  std::size_t total_ = 0;
  std::unordered_map<std::string, std::size_t> counts_;
};

}  // namespace theriac::http
