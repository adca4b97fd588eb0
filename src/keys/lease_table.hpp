// Leases as the key service remembers them, and the rule that tells a retry from a second holder.
// docs/design/lease-protocol.md, section "Tokens".
//
//   token = base64(lease id (16) | counter (8) | HMAC-SHA-256(token key, lease id | counter |
//   holder))
//
// Writes expect a transaction of the caller. Threading: as the Database; judge() is pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "crypto/hash.hpp"
#include "pki/identity.hpp"
#include "store/sqlite.hpp"

namespace theriac::keys {

using LeaseId = Id<struct LeaseTag, 16>;

/// The name of a lease's holder: "tenant/name", since two tenants may use one name.
std::string holder_name(std::string_view tenant, std::string_view name);
inline std::string holder_of(const pki::Identity& caller) {
  return holder_name(caller.tenant, caller.name);
}

enum class LeaseState : std::uint8_t { kLive, kSuperseded, kReleased };

struct Lease {
  LeaseId id;
  std::string holder;  ///< holder_name()
  pki::Role role = pki::Role::kGateway;
  TenantId tenant;
  std::string serial;
  std::vector<std::string> classes;
  LeaseState state = LeaseState::kLive;
  std::uint64_t counter = 0;      ///< of the one token that may be used next
  crypto::Digest request_hash{};  ///< of the request that made it
  std::int64_t issued_ms = 0;
  std::int64_t expires_ms = 0;
  /// When the newest reply was made that the holder proved to have received.
  std::int64_t proven_ms = 0;

  [[nodiscard]] bool covers(std::string_view class_name) const;
};

struct Token {
  LeaseId lease;
  std::uint64_t counter = 0;
};

class TokenMaker {
 public:
  explicit TokenMaker(const Key256& key) : hmac_(crypto::HashKind::kSha256, key) {}
  std::string make(const Token& token, std::string_view holder);
  /// Code::kDenied when we did not make it for this holder.
  Result<Token> read(std::string_view text, std::string_view holder);

 private:
  crypto::Digest mac(const Token& token, std::string_view holder);
  crypto::HmacKey hmac_;
};

enum class Verdict : std::uint8_t {
  kRenew,       ///< the token that may be used next
  kRepeat,      ///< the very request whose reply made the next token: the reply was lost
  kReplayed,    ///< a token used a second time by a different request: two holders
  kRolledBack,  ///< a token newer than our memory: this service was set back
  kOver,        ///< released: make a new lease
};
/// What a genuine token means for the lease it belongs to.
Verdict judge(const Lease& lease, std::uint64_t token_counter, const crypto::Digest& request_hash);

class LeaseTable {
 public:
  explicit LeaseTable(store::Database& database) : database_(database) {}

  Result<std::optional<Lease>> find(const LeaseId& id);
  Result<std::vector<Lease>> of_holder(std::string_view holder);
  /// Live and not ended before `after_ms`.
  Result<std::vector<Lease>> live(std::int64_t after_ms);
  Status add(const Lease& lease);
  Status update(const Lease& lease);
  Status forget_holder(std::string_view holder);
  /// Drops leases that ended before `before_ms`, but the last one of a gateway, whose token is what
  /// tells the next holder from a copy.
  Status forget_ended(std::int64_t before_ms);

  struct Fence {
    std::string holder;
    std::int64_t since_ms = 0;
  };
  Result<std::vector<Fence>> fences();
  Result<bool> is_fenced(std::string_view holder);
  Status fence(const Lease& lease, std::int64_t now_ms);
  /// Code::kNotFound when there was none.
  Status clear_fence(std::string_view holder);

 private:
  Result<std::vector<Lease>> read_all(store::Statement& row);
  store::Database& database_;
};

}  // namespace theriac::keys
