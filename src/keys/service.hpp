// The key service without sockets: leases, key acts, certificates. Every act that changes something
// is durable on the audit log before it takes effect, and refused when the log refuses it.
//
// Errors: kDenied (role), kRevoked, kLeaseReplayed, kClockMoved, kConflict (a living lease of that
// name, a rotation under way), kBadCertificate, kNotFound, kBusy, and those of store and audit. An
// error other than kIo, kDiskFull and kInternal means that nothing was changed; after those three
// the same request may be sent again.
//
// Threading: one thread at a time (the server's worker). Blocks on disk.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/log.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "keys/certificate_table.hpp"
#include "keys/key_table.hpp"
#include "keys/lease_table.hpp"
#include "keys/limits.hpp"
#include "keys/request.hpp"
#include "pki/certificate.hpp"

namespace theriac::keys {

/// What a lease hands out. Times are this service's wall clock.
struct Grant {
  LeaseId lease;
  std::string token;
  TenantId tenant;
  std::int64_t issued_ms = 0;
  std::int64_t expires_ms = 0;
  std::vector<seal::LeasedKey> keys;
  std::vector<std::string> revoked;
  /// Of the tenant, by serial number; told to servers, whose callers have such certificates.
  std::optional<std::vector<std::string>> revoked_certificates;
};

struct ClassStatus {
  std::string name;
  bool suspended = false;
  std::vector<Version> versions;  ///< metadata only
};

struct ServiceStatus {
  Tenant tenant;
  std::int64_t now_ms = 0;
  std::int64_t lease_ms = 0;
  std::size_t classes = 0;
  std::uint64_t audit_entries = 0;
  std::vector<Lease> leases;
  std::vector<LeaseTable::Fence> fences;
  std::vector<IssuedCertificate> certificates;
};

class KeyService {
 public:
  struct Options {
    std::int64_t lease_ms = kLeaseMsDefault;
  };
  KeyService(Options options, store::Database database, Key256 root, pki::Authority authority,
             audit::AuditLog& audit, Clock& clock, Random& random, Log& log);

  /// The peer's certificate was issued here and is not revoked. Before every request.
  Status admit(const pki::Identity& caller);

  /// `request_hash`: SHA-256 of the request's frame, which tells a repeated request from a new one.
  Result<Grant> lease(const pki::Identity& caller, const LeaseAsk& ask,
                      const crypto::Digest& request_hash);
  Status release(const pki::Identity& caller, const ReleaseAsk& ask);
  /// PEM of the new certificate: same name, role, tenant and length of life.
  Result<std::string> renew_certificate(const pki::Identity& caller, const CertificateAsk& ask);

  Result<std::vector<ClassStatus>> list(const pki::Identity& caller);
  Result<ServiceStatus> status(const pki::Identity& caller);
  Result<std::vector<Version>> create_class(const pki::Identity& caller, const CreateClassAsk& ask);
  /// New versions of the data and stream keys: pending until every holder of a lease proved that it
  /// has them (at most two renewals), then active; at once when nobody holds one.
  Result<std::vector<Version>> rotate(const pki::Identity& caller, const RotateAsk& ask);
  /// Takes effect with the next renewal of each lease, hence within one lease. Repeating it is no
  /// error. Answers how many versions (or tenants) changed.
  Result<std::size_t> revoke(const pki::Identity& caller, const RevokeAsk& ask);
  Status clear_fence(const pki::Identity& caller, const ClearFenceAsk& ask);
  Status revoke_certificate(const pki::Identity& caller, const RevokeCertificateAsk& ask);

  /// A refusal by somebody else (the TLS layer): audited, many in a row summed up.
  void record_refusal(std::string_view action, std::string_view actor, std::string_view role,
                      const Error& error);
  /// Once a second: moves the acts of local commands to the audit log, promotes what is due, drops
  /// old records.
  Status tick();

  [[nodiscard]] const pki::Authority& authority() const { return authority_; }
  [[nodiscard]] std::int64_t lease_ms() const { return options_.lease_ms; }
  /// A certificate for this service itself, kept in memory only.
  Result<pki::Certificate> issue_own(const pki::PrivateKey& key);

 private:
  struct Entry {
    std::string action;
    std::string object;
    std::string reason;
    std::string key_version;
    std::string correlation;
    codec::Json details = codec::Json::object();
  };
  Status record(const pki::Identity& caller, const Entry& entry, const Error* failure = nullptr);
  /// The entry durable, then the effect; when that fails after all, a second entry says so.
  template <typename Effect>
  auto act(const pki::Identity& caller, const Entry& entry, Effect effect) -> decltype(effect()) {
    THERIAC_TRY(record(caller, entry));
    auto result = effect();
    if (!result) {
      if (auto noted = record(caller, entry, &result.error()); !noted) {
        log_.error("audit of a failed act", noted.error());
      }
    }
    return result;
  }
  tl::unexpected<Error> refuse(std::string_view action, const pki::Identity& caller, Error error);
  Status check_clock(std::int64_t now);
  Status check_role(const pki::Identity& caller, std::initializer_list<pki::Role> allowed);
  Result<OpenTenant> tenant_of(const pki::Identity& caller);
  Act act_of(const pki::Identity& caller, const std::string& reason) const;

  Result<Grant> try_lease(const pki::Identity& caller, const LeaseAsk& ask,
                          const crypto::Digest& request_hash);
  Result<Lease> fresh_lease(const pki::Identity& caller, const LeaseAsk& ask,
                            const OpenTenant& tenant, const crypto::Digest& request_hash);
  Result<Lease> renewed_lease(const pki::Identity& caller, const LeaseAsk& ask,
                              const crypto::Digest& request_hash);
  tl::unexpected<Error> fence(const pki::Identity& caller, const Lease& lease);
  Status make_classes(const pki::Identity& caller, const LeaseAsk& ask, const OpenTenant& tenant);
  Result<std::vector<Version>> make_class(const pki::Identity& caller, const OpenTenant& tenant,
                                          const std::string& name, seal::Suite suite,
                                          const std::string& reason);
  Result<bool> suspend_or_resume(const OpenTenant& tenant, Version& version, bool resume,
                                 const Act& by);
  Status promote_due(const OpenTenant& tenant, const Lease* requester);
  Status promote(const OpenTenant& tenant, std::vector<Version>& of_class, Version& pending);
  Status collect_keys(const OpenTenant& tenant, const Lease& lease, Grant& grant);
  Status save_lease(const Lease& lease, bool fresh, std::int64_t now);

  Options options_;
  store::Database database_;
  Key256 root_;
  pki::Authority authority_;
  audit::AuditLog& audit_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  KeyTable keys_;
  LeaseTable leases_;
  CertificateTable certificates_;
  TokenMaker tokens_;
  // Refusals that wait to be summed up.
  std::uint32_t refusals_left_ = kRefusalEntriesBurst;
  std::uint64_t refusals_summed_ = 0;
  std::int64_t refusals_refilled_ms_ = 0;
  std::int64_t next_cleaning_ms_ = 0;
};

}  // namespace theriac::keys
