// Writes that may be sent again: a reply is kept under its Idempotency-Key (IETF draft
// "The Idempotency-Key HTTP Header Field", revision 06) and given again instead of doing the work
// twice. A durable store implements the interface elsewhere.
//
// Threading: a store is called from any thread, also from several at once.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "crypto/hash.hpp"
#include "http/message.hpp"

namespace theriac::http {

inline constexpr std::size_t kIdempotencyKeyBytesMax = 128;

struct StoredResponse {
  int status = 200;
  std::vector<Field> fields;
  Bytes body;
  friend bool operator==(const StoredResponse&, const StoredResponse&) = default;
};

class IdempotencyStore {
 public:
  /// The key is new: the caller does the work, then finish() or abandon().
  struct Fresh {};
  /// Somebody else is at it now.
  struct Running {};
  /// The key was used for another request.
  struct Mismatch {};
  using Begun = std::variant<Fresh, Running, Mismatch, StoredResponse>;

  virtual ~IdempotencyStore() = default;
  /// `key` is scoped already (client and route). `request`: a digest of what is asked. Code::kBusy
  /// when there is no room: then the work is not done.
  virtual Result<Begun> begin(const std::string& key, const crypto::Digest& request,
                              std::int64_t now_ms) = 0;
  virtual Status finish(const std::string& key, StoredResponse response) = 0;
  /// Nothing was done: the key may be used again.
  virtual void abandon(const std::string& key) = 0;
};

struct IdempotencyLimits {
  std::size_t entries_max = 10'000;
  std::size_t bytes_max = 64U << 20U;  ///< of all kept replies
  std::int64_t keep_ms = 24LL * 3600 * 1000;
};

/// Forgets at restart, and the oldest finished replies when it is full.
class MemoryIdempotencyStore final : public IdempotencyStore {
 public:
  explicit MemoryIdempotencyStore(IdempotencyLimits limits = {}) : limits_(limits) {}
  Result<Begun> begin(const std::string& key, const crypto::Digest& request,
                      std::int64_t now_ms) override;
  Status finish(const std::string& key, StoredResponse response) override;
  void abandon(const std::string& key) override;
  [[nodiscard]] std::size_t entries() const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    crypto::Digest request;
    std::int64_t began_ms;
    bool finished = false;
    StoredResponse response;
    std::list<std::string>::iterator age;  // in finished_
  };
  void forget(std::map<std::string, Entry>::iterator entry);
  static std::size_t size_of(const StoredResponse& response);
  IdempotencyLimits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> finished_;  // oldest first
  std::size_t bytes_ = 0;
};

/// Runs `handler` once for a key. Without a key in the request it just runs. 400 for a key that is
/// none, 409 while the first is under way, 422 for another request under the same key. Replies of
/// 5xx and streams are not kept: the key is free again.
Response answer_once(IdempotencyStore& store, Request& request, std::string_view route,
                     std::int64_t now_ms, const std::function<Response(Request&)>& handler);

}  // namespace theriac::http
