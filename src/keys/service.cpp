// Admission, administration and certificates; leases are in service_lease.cpp.
#include "keys/service.hpp"

#include <algorithm>

#include "keys/outbox.hpp"

namespace theriac::keys {
namespace {

constexpr std::int64_t kCleaningEveryMs = 3'600'000;

Key256 token_key(const Key256& root) {
  return crypto::hkdf(crypto::HashKind::kSha256, root, {}, view_of("theriac/lease-token/v1"));
}

std::string version_text(const Version& version) {
  return version.class_name + "/" + std::string(purpose_name(version.purpose)) + "/" +
         std::to_string(version.version);
}

}  // namespace

KeyService::KeyService(Options options, store::Database database, Key256 root,
                       pki::Authority authority, audit::AuditLog& audit, Clock& clock,
                       Random& random, Log& log)
    : options_(options),
      database_(std::move(database)),
      root_(std::move(root)),
      authority_(std::move(authority)),
      audit_(audit),
      clock_(clock),
      random_(random),
      log_(log),
      keys_(database_, random),
      leases_(database_),
      certificates_(database_),
      tokens_(token_key(root_)) {
  refusals_refilled_ms_ = clock.monotonic_ms();
}

Act KeyService::act_of(const pki::Identity& caller, const std::string& reason) const {
  return {caller.name, reason, clock_.wall_ms()};
}

Status KeyService::record(const pki::Identity& caller, const Entry& entry, const Error* failure) {
  audit::Event event;
  event.action = entry.action;
  event.actor = caller.name;
  event.role = pki::role_name(caller.role);
  event.object = entry.object;
  event.reason = entry.reason;
  event.key_version = entry.key_version;
  event.correlation = entry.correlation;
  event.details = entry.details;
  event.details["tenant"] = caller.tenant;
  event.details["certificate"] = caller.serial;
  if (failure != nullptr) {
    event.outcome = "failed";
    event.error = info_of(failure->code).name;
  }
  THERIAC_TRY(audit_.append_durable(std::move(event)));
  return {};
}

void KeyService::record_refusal(std::string_view action, std::string_view actor,
                                std::string_view role, const Error& error) {
  log_.write(Level::kWarning, "refused",
             {{"action", action},
              {"actor", actor},
              {"code", info_of(error.code).name},
              {"where", error.where}});
  const auto now = clock_.monotonic_ms();
  if (const auto refills = (now - refusals_refilled_ms_) / kRefusalEntryEveryMs; refills > 0) {
    refusals_left_ = static_cast<std::uint32_t>(
        std::min<std::int64_t>(kRefusalEntriesBurst, refusals_left_ + refills));
    refusals_refilled_ms_ += refills * kRefusalEntryEveryMs;
  }
  if (refusals_left_ == 0) {
    ++refusals_summed_;
    return;
  }
  --refusals_left_;
  audit::Event event;
  event.action = action;
  event.actor = actor.empty() ? "unknown" : std::string(actor);
  event.role = role;
  event.outcome = "denied";
  event.error = info_of(error.code).name;
  event.details["where"] = error.where;
  if (refusals_summed_ > 0) event.details["refusals_not_listed"] = refusals_summed_;
  if (const auto written = audit_.append_durable(std::move(event))) {
    refusals_summed_ = 0;
  } else {
    log_.error("audit of a refusal failed", written.error());
  }
}

tl::unexpected<Error> KeyService::refuse(std::string_view action, const pki::Identity& caller,
                                         Error error) {
  record_refusal(action, caller.name, pki::role_name(caller.role), error);
  return fail(std::move(error));
}

Status KeyService::admit(const pki::Identity& caller) {
  if (clock_.wall_ms() >= caller.not_after_ms) {
    return refuse("certificate.refused", caller, {Code::kBadCertificate, "expired"});
  }
  if (auto known = certificates_.check(caller); !known) {
    return refuse("certificate.refused", caller, known.error());
  }
  return {};
}

Status KeyService::check_role(const pki::Identity& caller,
                              std::initializer_list<pki::Role> allowed) {
  if (std::find(allowed.begin(), allowed.end(), caller.role) != allowed.end()) return {};
  return refuse("request.refused", caller,
                {Code::kDenied, "role " + std::string(pki::role_name(caller.role))});
}

Result<OpenTenant> KeyService::tenant_of(const pki::Identity& caller) {
  return keys_.open_tenant(root_, caller.tenant);
}

Result<std::vector<ClassStatus>> KeyService::list(const pki::Identity& caller) {
  THERIAC_TRY(check_role(caller, {pki::Role::kAdmin, pki::Role::kAuditor}));
  THERIAC_ASSIGN(const auto tenant, tenant_of(caller));
  THERIAC_TRY(promote_due(tenant, nullptr));
  THERIAC_ASSIGN(auto versions, keys_.versions(tenant.tenant.id, ""));
  std::vector<ClassStatus> classes;
  for (auto& version : versions) {
    if (classes.empty() || classes.back().name != version.class_name) {
      classes.push_back({version.class_name, tenant.tenant.state == State::kSuspended, {}});
    }
    auto& status = classes.back();
    status.suspended = status.suspended || version.state == State::kSuspended;
    status.versions.push_back(std::move(version));
  }
  return classes;
}

Result<ServiceStatus> KeyService::status(const pki::Identity& caller) {
  THERIAC_TRY(check_role(caller, {pki::Role::kAdmin, pki::Role::kAuditor}));
  THERIAC_ASSIGN(const auto tenant, tenant_of(caller));
  ServiceStatus status;
  status.now_ms = clock_.wall_ms();
  status.lease_ms = options_.lease_ms;
  status.audit_entries = audit_.size();
  THERIAC_ASSIGN(status.classes, keys_.count_classes(tenant.tenant.id));
  THERIAC_ASSIGN(status.leases, leases_.live(status.now_ms));
  THERIAC_ASSIGN(status.fences, leases_.fences());
  THERIAC_ASSIGN(status.certificates, certificates_.list(status.now_ms));
  // Only this tenant's, and by the names its own people know.
  const auto own = holder_name(caller.tenant, "");
  std::erase_if(status.fences, [&](const auto& f) { return !f.holder.starts_with(own); });
  for (auto& fence : status.fences) fence.holder.erase(0, own.size());
  std::erase_if(status.leases, [&](const Lease& l) { return l.tenant != tenant.tenant.id; });
  for (auto& lease : status.leases) lease.holder.erase(0, own.size());
  std::erase_if(status.certificates,
                [&](const auto& c) { return c.identity.tenant != caller.tenant; });
  status.tenant = tenant.tenant;
  return status;
}

Result<std::vector<Version>> KeyService::make_class(const pki::Identity& caller,
                                                    const OpenTenant& tenant,
                                                    const std::string& name, seal::Suite suite,
                                                    const std::string& reason) {
  THERIAC_ASSERT(suite == seal::Suite::kXaes256Gcm || suite == seal::Suite::kSm4Gcm);
  THERIAC_ASSIGN(const auto count, keys_.count_classes(tenant.tenant.id));
  if (count >= kClassesPerTenantMax) return fail(Code::kTooLarge, "classes of a tenant");
  const Entry entry{.action = "key.create",
                    .object = name,
                    .reason = reason,
                    .details = {{"suite", suite_name(suite)}, {"version", 1}}};
  const auto by = act_of(caller, reason);
  return act(caller, entry, [&]() -> Result<std::vector<Version>> {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    std::vector<Version> made;
    for (const auto purpose :
         {seal::Purpose::kData, seal::Purpose::kIndex, seal::Purpose::kStream}) {
      Version version;
      version.class_name = name;
      version.purpose = purpose;
      version.version = 1;
      version.suite = suite;
      version.state = State::kActive;
      THERIAC_ASSIGN(version, keys_.add_version(tenant, std::move(version), by));
      made.push_back(std::move(version));
    }
    THERIAC_TRY(transaction.commit());
    log_.write(Level::kInfo, "class made", {{"class", name}, {"suite", suite_name(suite)}});
    return made;
  });
}

Result<std::vector<Version>> KeyService::create_class(const pki::Identity& caller,
                                                      const CreateClassAsk& ask) {
  THERIAC_TRY(check_role(caller, {pki::Role::kAdmin}));
  THERIAC_ASSIGN(const auto tenant, tenant_of(caller));
  if (tenant.tenant.state != State::kActive) return fail(Code::kRevoked, "tenant");
  THERIAC_ASSIGN(const auto present, keys_.versions(tenant.tenant.id, ask.class_name));
  if (!present.empty()) return fail(Code::kAlreadyExists, "class " + ask.class_name);
  return make_class(caller, tenant, ask.class_name, ask.suite, ask.reason);
}

Result<std::vector<Version>> KeyService::rotate(const pki::Identity& caller, const RotateAsk& ask) {
  THERIAC_TRY(check_role(caller, {pki::Role::kAdmin}));
  THERIAC_ASSIGN(const auto tenant, tenant_of(caller));
  if (tenant.tenant.state != State::kActive) return fail(Code::kRevoked, "tenant");
  THERIAC_ASSIGN(const auto present, keys_.versions(tenant.tenant.id, ask.class_name));
  if (present.empty()) return fail(Code::kNotFound, "class " + ask.class_name);
  std::map<seal::Purpose, std::uint32_t> last;
  for (const auto& version : present) {
    if (version.state == State::kSuspended) return fail(Code::kRevoked, "class " + ask.class_name);
    if (version.state == State::kPending) return fail(Code::kConflict, "a rotation is under way");
    last[version.purpose] = std::max(last[version.purpose], version.version);
  }
  // Index keys stay: changing one changes every stored blind index of the equality domain, which is
  // a migration of the tables, not an act on keys.
  last.erase(seal::Purpose::kIndex);
  for (const auto& [purpose, version] : last) {
    if (version >= kVersionsPerClassMax) return fail(Code::kTooLarge, "versions of a class");
  }
  const Entry entry{.action = "key.rotate",
                    .object = ask.class_name,
                    .reason = ask.reason,
                    .details = {{"data", last[seal::Purpose::kData] + 1},
                                {"stream", last[seal::Purpose::kStream] + 1}}};
  const auto by = act_of(caller, ask.reason);
  THERIAC_TRY(act(caller, entry, [&]() -> Status {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    for (const auto& [purpose, number] : last) {
      Version version;
      version.class_name = ask.class_name;
      version.purpose = purpose;
      version.version = number + 1;
      version.suite = present.front().suite;
      version.state = State::kPending;
      THERIAC_TRY(keys_.add_version(tenant, std::move(version), by));
    }
    return transaction.commit();
  }));
  THERIAC_TRY(promote_due(tenant, nullptr));
  THERIAC_ASSIGN(auto now, keys_.versions(tenant.tenant.id, ask.class_name));
  std::erase_if(now, [&](const Version& v) {
    const auto known = last.find(v.purpose);
    return known == last.end() || v.version <= known->second;
  });
  return now;
}

Result<std::size_t> KeyService::revoke(const pki::Identity& caller, const RevokeAsk& ask) {
  THERIAC_TRY(check_role(caller, {pki::Role::kAdmin}));
  THERIAC_ASSIGN(auto tenant, tenant_of(caller));
  const bool whole = ask.class_name.empty();
  std::vector<Version> versions;
  if (!whole) {
    THERIAC_ASSIGN(versions, keys_.versions(tenant.tenant.id, ask.class_name));
    if (versions.empty()) return fail(Code::kNotFound, "class " + ask.class_name);
  }
  const Entry entry{.action = ask.restore ? "key.restore" : "key.revoke",
                    .object = whole ? "tenant " + tenant.tenant.name : ask.class_name,
                    .reason = ask.reason};
  const auto by = act_of(caller, ask.reason);
  const auto wanted = ask.restore ? State::kActive : State::kSuspended;
  return act(caller, entry, [&]() -> Result<std::size_t> {
    std::size_t changed = 0;
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    if (whole && tenant.tenant.state != wanted) {
      THERIAC_TRY(keys_.restate_tenant(root_, tenant, wanted, by));
      ++changed;
    }
    for (auto& version : versions) {
      THERIAC_ASSIGN(const bool done, suspend_or_resume(tenant, version, ask.restore, by));
      changed += done ? 1 : 0;
    }
    THERIAC_TRY(transaction.commit());
    log_.write(Level::kWarning, ask.restore ? "restored" : "revoked",
               {{"object", entry.object}, {"versions", changed}});
    return changed;
  });
}

Result<bool> KeyService::suspend_or_resume(const OpenTenant& tenant, Version& version, bool resume,
                                           const Act& by) {
  if ((version.state == State::kSuspended) != resume) return false;
  if (resume) {
    THERIAC_TRY(keys_.restate(tenant, version, version.resume, version.resume, by));
    return true;
  }
  const auto done = keys_.restate(tenant, version, State::kSuspended, version.state, by);
  if (!done && done.error().code == Code::kNotAuthentic) {
    // An altered row cannot be leased; it must not keep the others from being revoked.
    log_.write(Level::kError, "ALARM: key row altered", {{"key", version_text(version)}});
    return false;
  }
  THERIAC_TRY(done);
  return true;
}

Status KeyService::clear_fence(const pki::Identity& caller, const ClearFenceAsk& ask) {
  THERIAC_TRY(check_role(caller, {pki::Role::kAdmin}));
  const auto holder = holder_name(caller.tenant, ask.name);
  THERIAC_ASSIGN(const bool fenced, leases_.is_fenced(holder));
  if (!fenced) return fail(Code::kNotFound, "no fence on " + ask.name);
  const Entry entry{.action = "lease.clear_fence", .object = ask.name, .reason = ask.reason};
  return act(caller, entry, [&]() -> Status {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    THERIAC_TRY(leases_.clear_fence(holder));
    THERIAC_TRY(leases_.forget_holder(holder));
    return transaction.commit();
  });
}

Status KeyService::revoke_certificate(const pki::Identity& caller,
                                      const RevokeCertificateAsk& ask) {
  THERIAC_TRY(check_role(caller, {pki::Role::kAdmin}));
  const Entry entry{
      .action = "certificate.revoke", .object = ask.serial_or_name, .reason = ask.reason};
  return act(caller, entry, [&]() -> Status {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    THERIAC_TRY(
        certificates_.revoke(ask.serial_or_name, caller.tenant, act_of(caller, ask.reason)));
    return transaction.commit();
  });
}

Result<std::string> KeyService::renew_certificate(const pki::Identity& caller,
                                                  const CertificateAsk& ask) {
  THERIAC_TRY(check_role(caller, {pki::Role::kGateway, pki::Role::kProtector, pki::Role::kServer}));
  THERIAC_ASSIGN(const bool fenced, leases_.is_fenced(holder_of(caller)));
  if (fenced) {
    return refuse("certificate.refused", caller, {Code::kLeaseReplayed, caller.name});
  }
  const auto now = clock_.wall_ms();
  const pki::IssueRequest wanted{
      caller.name, caller.role, caller.tenant,
      std::clamp(caller.not_after_ms - caller.not_before_ms - pki::kBackdateMs, std::int64_t{1'000},
                 pki::kLeafLifeMsMax)};
  THERIAC_ASSIGN(const auto made, authority_.issue_for(wanted, ask.signing_request, now, random_));
  THERIAC_ASSIGN(const auto identity, made.identity());
  const Entry entry{.action = "certificate.renew",
                    .object = identity.name,
                    .details = {{"serial", identity.serial},
                                {"fingerprint", identity.fingerprint},
                                {"not_after_ms", identity.not_after_ms}}};
  return act(caller, entry, [&]() -> Result<std::string> {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    THERIAC_TRY(certificates_.add(identity, caller.name));
    THERIAC_TRY(transaction.commit());
    return made.to_pem();
  });
}

Result<pki::Certificate> KeyService::issue_own(const pki::PrivateKey& key) {
  THERIAC_ASSIGN(auto made,
                 authority_.issue({"theriac-keyd", pki::Role::kKeyd, "theriac", pki::kDayMs}, key,
                                  clock_.wall_ms(), random_));
  THERIAC_ASSIGN(const auto identity, made.identity());
  audit::Event event;
  event.action = "certificate.issue";
  event.actor = "system";
  event.object = identity.name;
  event.details = {{"serial", identity.serial}, {"fingerprint", identity.fingerprint}};
  THERIAC_TRY(audit_.append_durable(std::move(event)));
  return made;
}

Status KeyService::tick() {
  THERIAC_TRY(drain_outbox(database_, audit_));
  THERIAC_ASSIGN(const auto tenants, keys_.tenants());
  for (const auto& tenant : tenants) {
    THERIAC_ASSIGN(const auto open, keys_.open_tenant(root_, tenant.name));
    THERIAC_TRY(promote_due(open, nullptr));
  }
  const auto now = clock_.wall_ms();
  if (now >= next_cleaning_ms_) {
    next_cleaning_ms_ = now + kCleaningEveryMs;
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    THERIAC_TRY(leases_.forget_ended(now - kLeaseRecordKeepMs));
    THERIAC_TRY(certificates_.forget_ended(now - kLeaseRecordKeepMs));
    THERIAC_TRY(transaction.commit());
  }
  return {};
}

}  // namespace theriac::keys
