// The key service's state directory:
//
//   custody.json   the root key under the passphrase        (0600)
//   keyd.db        tenants, key versions, leases, certificates, wrapped secrets
//   audit/         the audit log, written by one process at a time
//   ca.pem         the authority's certificate, for copying  (0644)
//   lock           held by the process that writes the audit log
//
// Threading: blocking, start-up code.
#pragma once

#include <memory>
#include <string>

#include "audit/log.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "crypto/password.hpp"
#include "pki/certificate.hpp"
#include "store/sqlite.hpp"

namespace theriac::keys {

/// The right to write the audit log; released at destruction or death.
class DirectoryLock {
 public:
  /// Code::kBusy when another process keeps it for `wait_ms`.
  static Result<DirectoryLock> take(const std::string& directory, std::int64_t wait_ms);

 private:
  explicit DirectoryLock(Descriptor held) : held_(std::move(held)) {}
  Descriptor held_;
};

/// What stands behind the passphrase.
struct Unlocked {
  store::Database database;
  Key256 root;
  pki::Authority authority;
};

struct Environment {
  Clock& clock;
  Random& random;
  Log& log;
};

bool is_initialised(const std::string& directory);

/// Root key, tenant, authority and audit key, with their audit entries. Repeating a call that was
/// cut short goes on where it stopped, with the same passphrase. Code::kAlreadyExists when
/// complete; kNotAuthentic when there is a database but its custody file is gone.
Status initialise(const std::string& directory, const SecretBytes& passphrase,
                  const std::string& tenant, const crypto::Argon2Cost& cost,
                  const Environment& environment);

/// Code::kNotFound before initialise(), kWrongPassphrase.
Result<Unlocked> unlock(const std::string& directory, const SecretBytes& passphrase);

/// The lock must be held.
Result<std::unique_ptr<audit::AuditLog>> open_audit(const std::string& directory,
                                                    Unlocked& unlocked, const DirectoryLock& lock,
                                                    const Environment& environment);

struct Enrolment {
  std::string name;
  pki::Role role = pki::Role::kGateway;
  std::string tenant;  ///< empty: the only one
  std::int64_t life_ms = pki::kDayMs;
  std::string out_directory;
  std::string person;
};
/// Makes a key and a certificate and writes cert.pem, key.pem (0600), ca.pem. Works while the
/// service runs. The act is durable in the outbox before the files are written, and on the audit
/// log too when nobody else holds it. Returns what was issued.
Result<pki::Identity> enrol(const std::string& directory, Unlocked& unlocked,
                            const Enrolment& enrolment, const Environment& environment);

/// The root key under another passphrase. The old custody file no longer counts, but a copy of it
/// still opens with the old passphrase.
Status change_passphrase(const std::string& directory, const SecretBytes& old_passphrase,
                         const SecretBytes& new_passphrase, const crypto::Argon2Cost& cost,
                         const std::string& person, const std::string& reason,
                         const Environment& environment);

/// Accepts the present time as the last one seen, after a clock that had run ahead was corrected.
Status accept_clock(const std::string& directory, Unlocked& unlocked, const std::string& person,
                    const std::string& reason, const Environment& environment);

}  // namespace theriac::keys
