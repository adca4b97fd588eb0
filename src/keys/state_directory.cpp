#include "keys/state_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <thread>

#include "base/files.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/sign.hpp"
#include "keys/certificate_table.hpp"
#include "keys/custody.hpp"
#include "keys/key_table.hpp"
#include "keys/outbox.hpp"
#include "keys/schema.hpp"
#include "keys/secret_access.hpp"
#include "keys/wrap.hpp"
#include "pki/credentials.hpp"

namespace theriac::keys {
namespace {

constexpr std::string_view kAuthoritySecret = "authority";
constexpr std::string_view kAuditSecret = "audit";
constexpr std::int64_t kEnrolLockWaitMs = 0;

std::string custody_path(const std::string& directory) { return directory + "/custody.json"; }
std::string database_path(const std::string& directory) { return directory + "/keyd.db"; }

bool exists(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0;
}

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return file_error(path);
}

Result<store::Database> open_database(const std::string& directory, bool create) {
  store::DatabaseOptions options;
  options.path = database_path(directory);
  options.create = create;
  return store::Database::open(options, kSchema);
}

Bytes secret_aad(std::string_view name, ByteView public_part) {
  auto aad = bytes_of("theriac/secret/v1");
  aad.push_back(0);
  append(aad, name);
  aad.push_back(0);
  append(aad, public_part);
  return aad;
}

Status put_secret(store::Database& database, const Key256& root, std::string_view name,
                  ByteView public_part, const SecretBytes& secret, Random& random) {
  const auto wrapped = wrap_bytes(root, secret, secret_aad(name, public_part), random);
  return database.run("INSERT INTO secrets VALUES(?,?,?)", name, public_part, ByteView(wrapped));
}

struct StoredSecret {
  Bytes public_part;
  SecretBytes secret;
};

Result<StoredSecret> get_secret(store::Database& database, const Key256& root,
                                std::string_view name) {
  THERIAC_ASSIGN(auto row, database.prepare("SELECT public, wrapped FROM secrets WHERE name = ?"));
  THERIAC_ASSIGN(const bool found, row.bind_all(name).step());
  if (!found) return fail(Code::kNotFound, std::string(name));
  const auto view = row.bytes(0);
  StoredSecret stored{Bytes(view.begin(), view.end()), {}};
  THERIAC_ASSIGN(stored.secret,
                 unwrap_bytes(root, row.bytes(1), secret_aad(name, stored.public_part)));
  return stored;
}

audit::Event local_event(std::string action, std::string person, std::string object) {
  audit::Event event;
  event.action = std::move(action);
  event.actor = std::move(person);
  event.role = "local";
  event.object = std::move(object);
  return event;
}

Result<std::unique_ptr<audit::AuditLog>> open_audit_with(const std::string& directory,
                                                         store::Database& database,
                                                         const Key256& root,
                                                         const Environment& environment) {
  THERIAC_ASSIGN(const auto stored, get_secret(database, root, kAuditSecret));
  const auto raw = stored.secret.reveal(KeysSecretAccess::get());
  if (raw.size() != Key256::kSize) return fail(Code::kNotAuthentic, "audit key");
  audit::Options options;
  options.directory = directory + "/audit";
  options.origin = "theriac.local/keyd";
  options.producer = "keyd";
  return audit::open_log(std::move(options),
                         crypto::Ed25519Key(Key256(std::span<const std::uint8_t, 32>(raw))),
                         environment.clock, environment.random, environment.log);
}

std::string person_here() { return "uid-" + std::to_string(::getuid()); }

/// Tenant and authority, in one transaction: the last step of initialise().
Status make_tenant_and_authority(const std::string& directory, store::Database& database,
                                 const Key256& root, const std::string& name,
                                 audit::AuditLog& audit, const Environment& environment) {
  const auto now = environment.clock.wall_ms();
  const auto id = environment.random.uuid<TenantId>();
  const auto authority = pki::Authority::create(
      "Theriac internal authority " + to_hex(id.view().first(4)), now, environment.random);
  const auto pem = authority.certificate().to_pem();

  auto root_event = local_event("root.create", person_here(), "root key");
  THERIAC_TRY(audit.append_durable(std::move(root_event)));
  auto tenant_event = local_event("tenant.create", person_here(), name);
  tenant_event.new_ref = to_uuid_text(id.view());
  THERIAC_TRY(audit.append_durable(std::move(tenant_event)));
  auto authority_event = local_event("authority.create", person_here(), "internal authority");
  authority_event.new_ref = authority.certificate().fingerprint();
  THERIAC_TRY(audit.append_durable(std::move(authority_event)));

  Tenant tenant;
  tenant.id = id;
  tenant.name = name;
  tenant.created_ms = tenant.changed_ms = now;
  tenant.person = person_here();
  tenant.reason = "first start";
  THERIAC_TRY(replace_file(directory + "/ca.pem", view_of(pem), 0644));
  THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database));
  KeyTable keys(database, environment.random);
  THERIAC_TRY(keys.add_tenant(root, tenant));
  THERIAC_TRY(put_secret(database, root, kAuthoritySecret, view_of(pem), authority.key_pem(),
                         environment.random));
  return transaction.commit();
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::string& directory, std::int64_t wait_ms) {
  for (std::int64_t waited = 0;; waited += 50) {
    auto held = lock_file(directory + "/lock");
    if (held) return DirectoryLock(std::move(*held));
    if (held.error().code != Code::kBusy) return fail(held.error());
    if (waited >= wait_ms) return fail(Code::kBusy, "another process uses " + directory);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

bool is_initialised(const std::string& directory) {
  if (!exists(custody_path(directory)) || !exists(database_path(directory))) return false;
  auto database = open_database(directory, false);
  if (!database) return true;  // something is there that must not be made anew
  auto row = database->prepare("SELECT count(*) FROM tenants");
  if (!row) return true;
  const auto stepped = row->step();
  return !stepped || row->integer(0) > 0;
}

Status initialise(const std::string& directory, const SecretBytes& passphrase,
                  const std::string& tenant, const crypto::Argon2Cost& cost,
                  const Environment& environment) {
  if (!pki::is_valid_name(tenant)) return fail(Code::kUsage, "tenant name");
  THERIAC_TRY(make_directory(directory));
  THERIAC_ASSIGN(const auto lock, DirectoryLock::take(directory, 0));
  if (is_initialised(directory)) return fail(Code::kAlreadyExists, directory);
  const auto custody = custody_path(directory);
  if (!exists(custody) && exists(database_path(directory))) {
    // Without its root key nothing in the database opens: never make a new root beside it.
    return fail(Code::kNotAuthentic, "keyd.db without custody.json in " + directory);
  }
  THERIAC_ASSIGN(const auto root,
                 exists(custody) ? open_custody(custody, passphrase)
                                 : create_custody(custody, passphrase, cost, environment.random));
  THERIAC_ASSIGN(auto database, open_database(directory, true));
  if (auto present = get_secret(database, root, kAuditSecret); !present) {
    if (present.error().code != Code::kNotFound) return fail(present.error());
    const auto key = crypto::Ed25519Key::generate();
    THERIAC_TRY(put_secret(database, root, kAuditSecret, key.public_key(),
                           SecretBytes(key.seed().reveal(KeysSecretAccess::get())),
                           environment.random));
  }
  THERIAC_TRY(make_directory(directory + "/audit"));
  THERIAC_ASSIGN(const auto audit, open_audit_with(directory, database, root, environment));
  THERIAC_TRY(make_tenant_and_authority(directory, database, root, tenant, *audit, environment));
  return audit->flush();
}

Result<Unlocked> unlock(const std::string& directory, const SecretBytes& passphrase) {
  if (!is_initialised(directory)) return fail(Code::kNotFound, "key service state in " + directory);
  THERIAC_ASSIGN(auto root, open_custody(custody_path(directory), passphrase));
  THERIAC_ASSIGN(auto database, open_database(directory, false));
  THERIAC_ASSIGN(const auto stored, get_secret(database, root, kAuthoritySecret));
  THERIAC_ASSIGN(auto authority,
                 pki::Authority::load(text_of(stored.public_part),
                                      stored.secret.reveal(KeysSecretAccess::get())));
  return Unlocked{std::move(database), std::move(root), std::move(authority)};
}

Result<std::unique_ptr<audit::AuditLog>> open_audit(const std::string& directory,
                                                    Unlocked& unlocked, const DirectoryLock&,
                                                    const Environment& environment) {
  return open_audit_with(directory, unlocked.database, unlocked.root, environment);
}

namespace {

/// Moves the outbox to the audit log when nobody else holds it; else whoever holds it does.
Status move_to_log(const std::string& directory, Unlocked& unlocked,
                   const Environment& environment) {
  const auto lock = DirectoryLock::take(directory, kEnrolLockWaitMs);
  if (!lock && lock.error().code == Code::kBusy) return {};
  if (!lock) return fail(lock.error());
  THERIAC_ASSIGN(const auto audit, open_audit(directory, unlocked, *lock, environment));
  THERIAC_TRY(drain_outbox(unlocked.database, *audit));
  return audit->flush();
}

}  // namespace

Result<pki::Identity> enrol(const std::string& directory, Unlocked& unlocked,
                            const Enrolment& enrolment, const Environment& environment) {
  if (enrolment.role == pki::Role::kKeyd) return fail(Code::kUsage, "role keyd is not enrolled");
  KeyTable keys(unlocked.database, environment.random);
  auto tenant = enrolment.tenant;
  if (tenant.empty()) {
    THERIAC_ASSIGN(const auto all, keys.tenants());
    if (all.size() != 1) return fail(Code::kUsage, "name the tenant");
    tenant = all.front().name;
  }
  THERIAC_TRY(keys.open_tenant(unlocked.root, tenant));
  const auto key = pki::PrivateKey::generate();
  THERIAC_ASSIGN(const auto made, unlocked.authority.issue(
                                      {enrolment.name, enrolment.role, tenant, enrolment.life_ms},
                                      key, environment.clock.wall_ms(), environment.random));
  THERIAC_ASSIGN(const auto identity, made.identity());
  THERIAC_TRY(make_directory(enrolment.out_directory));

  auto event = local_event("certificate.issue", enrolment.person, identity.name);
  event.details = {{"role", pki::role_name(identity.role)},
                   {"tenant", tenant},
                   {"serial", identity.serial},
                   {"fingerprint", identity.fingerprint},
                   {"not_after_ms", identity.not_after_ms}};
  {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(unlocked.database));
    CertificateTable certificates(unlocked.database);
    THERIAC_TRY(certificates.add(identity, enrolment.person));
    THERIAC_TRY(put_in_outbox(unlocked.database, std::move(event), environment.random));
    THERIAC_TRY(transaction.commit());
  }
  THERIAC_TRY(move_to_log(directory, unlocked, environment));
  const auto paths = pki::CredentialPaths::in(enrolment.out_directory);
  const auto key_pem = key.to_pem();
  THERIAC_TRY(
      replace_file(paths.authority, view_of(unlocked.authority.certificate().to_pem()), 0644));
  THERIAC_TRY(
      pki::replace_credentials(paths, made.to_pem(), key_pem.reveal(KeysSecretAccess::get())));
  return identity;
}

Status accept_clock(const std::string& directory, Unlocked& unlocked, const std::string& person,
                    const std::string& reason, const Environment& environment) {
  auto event = local_event("clock.accept", person, "last time seen");
  event.reason = reason;
  event.details = {{"wall_ms", environment.clock.wall_ms()}};
  {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(unlocked.database));
    THERIAC_TRY(put_in_outbox(unlocked.database, std::move(event), environment.random));
    THERIAC_TRY(unlocked.database.run("DELETE FROM meta WHERE name = 'last_wall_ms'"));
    THERIAC_TRY(transaction.commit());
  }
  return move_to_log(directory, unlocked, environment);
}

Status change_passphrase(const std::string& directory, const SecretBytes& old_passphrase,
                         const SecretBytes& new_passphrase, const crypto::Argon2Cost& cost,
                         const std::string& person, const std::string& reason,
                         const Environment& environment) {
  THERIAC_ASSIGN(auto unlocked, unlock(directory, old_passphrase));
  auto event = local_event("root.passphrase", person, "root key");
  event.reason = reason;
  {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(unlocked.database));
    THERIAC_TRY(put_in_outbox(unlocked.database, std::move(event), environment.random));
    THERIAC_TRY(transaction.commit());
  }
  THERIAC_TRY(move_to_log(directory, unlocked, environment));
  return change_passphrase(custody_path(directory), old_passphrase, new_passphrase, cost,
                           environment.random);
}

}  // namespace theriac::keys
