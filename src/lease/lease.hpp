// The key service as its clients see it: a lease of the keys of some classes, for 60 seconds, kept
// alive in the background, ended by wall clock or monotonic clock, whichever comes first.
//
// Keyring is an immutable snapshot; LeaseClient swaps it. A session asks for the current one before
// each use and gets Code::kLeaseExpired or kRevoked when there is none it may use.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "seal/keys.hpp"

namespace theriac::lease {

/// One answer of the key service. Shared by sessions of one process (hence shared_ptr<const>).
struct Keyring {
  std::uint64_t generation = 0;  ///< grows with every renewal that changed keys
  TenantId tenant;
  std::vector<seal::LeasedKey> keys;
  std::vector<std::string> revoked;  ///< classes asked for and refused
  /// Serial numbers of the tenant's certificates that are not to be believed, ordered; told to
  /// servers only, anew with every renewal.
  std::vector<std::string> revoked_certificates;
  std::int64_t issued_wall_ms = 0;
  std::int64_t expires_wall_ms = 0;
  std::int64_t expires_monotonic_ms = 0;

  [[nodiscard]] const seal::LeasedKey* active(std::string_view class_name,
                                              seal::Purpose purpose) const;
  [[nodiscard]] bool is_revoked(std::string_view class_name) const;
  [[nodiscard]] bool is_revoked_certificate(std::string_view serial) const;
};

/// Where sessions get keys. Thread-safe.
class KeySource {
 public:
  virtual ~KeySource() = default;
  /// The ring if the class may be used now: inside the lease; or, when the key service cannot be
  /// reached and `reading`, inside the class's grace. kRevoked, kLeaseExpired or kClockMoved else.
  virtual Result<std::shared_ptr<const Keyring>> ring(std::string_view class_name,
                                                      bool reading) const = 0;
  /// Grows whenever keys or revocations changed: sessions then drop opened-value caches.
  [[nodiscard]] virtual std::uint64_t generation() const = 0;
};

struct ClientOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 7750;
  std::string certificate_file;  ///< PEM, client certificate of the internal CA
  std::string key_file;          ///< PEM
  std::string ca_file;           ///< PEM
  std::string state_file;        ///< renewal token; empty: kept in memory only
  std::string tenant;
  /// Classes wanted, with each one's grace in seconds.
  std::vector<std::pair<std::string, std::uint32_t>> classes;
  /// Suite of classes that this client's first lease makes; the default is suite 1. A class that
  /// exists with another suite is Code::kMismatch.
  std::map<std::string, seal::Suite> suites;
};

/// What happened, for audit and alarms, told on the client's thread: "lease.renewed",
/// "lease.unreachable", "lease.grace" (reading goes on without the service), "lease.lost",
/// "lease.refused", "lease.replayed" (fenced), "lease.state" (the state file could not be written),
/// "certificate.renewed", "certificate.failed".
using Notify = std::function<void(std::string_view event, const Error* error)>;

/// Connects, leases, and renews at half time on a thread of its own; renews its certificate at half
/// its life. With a state file a restarted program goes on with its lease; without one a program
/// that was killed waits for its old lease's end (gateways: one living holder a name). The
/// destructor gives the lease back.
class LeaseClient : public KeySource {
 public:
  /// Blocks for the first lease, at most 10 s.
  static Result<std::unique_ptr<LeaseClient>> start(ClientOptions options, Clock& clock,
                                                    Random& random, Log& log, Notify notify);
};

/// A ring made by hand, for tests and benchmarks.
class FixedKeys : public KeySource {
 public:
  explicit FixedKeys(Keyring ring) : ring_(std::make_shared<const Keyring>(std::move(ring))) {}
  Result<std::shared_ptr<const Keyring>> ring(std::string_view class_name, bool) const override {
    if (ring_->is_revoked(class_name)) return fail(Code::kRevoked, std::string(class_name));
    return ring_;
  }
  [[nodiscard]] std::uint64_t generation() const override { return ring_->generation; }

 private:
  std::shared_ptr<const Keyring> ring_;
};

}  // namespace theriac::lease
