// Leases: who gets which keys for how long, and what a token used twice means.
#include <algorithm>

#include "keys/service.hpp"

namespace theriac::keys {
namespace {

codec::Json strings(const std::vector<std::string>& all) { return codec::Json(all); }

}  // namespace

Status KeyService::check_clock(std::int64_t now) {
  THERIAC_ASSIGN(auto row, database_.prepare("SELECT value FROM meta WHERE name = 'last_wall_ms'"));
  THERIAC_ASSIGN(const bool found, row.step());
  if (found && now < row.integer(0) - kClockToleranceMs) {
    return fail(Code::kClockMoved, "the key service's clock");
  }
  return {};
}

Result<Grant> KeyService::lease(const pki::Identity& caller, const LeaseAsk& ask,
                                const crypto::Digest& request_hash) {
  auto grant = try_lease(caller, ask, request_hash);
  if (grant) return grant;
  // A fence and a wrong role were recorded where they were found.
  if (grant.error().code == Code::kDenied || grant.error().code == Code::kClockMoved ||
      grant.error().code == Code::kConflict || grant.error().code == Code::kNotAuthentic) {
    record_refusal("lease.refused", caller.name, pki::role_name(caller.role), grant.error());
  }
  return grant;
}

Result<Grant> KeyService::try_lease(const pki::Identity& caller, const LeaseAsk& ask,
                                    const crypto::Digest& request_hash) {
  const auto now = clock_.wall_ms();
  THERIAC_TRY(check_clock(now));
  if (!pki::leases_keys(caller.role)) {
    return fail(Code::kDenied, "role " + std::string(pki::role_name(caller.role)));
  }
  if (ask.tenant != caller.tenant) return fail(Code::kDenied, "another tenant");
  THERIAC_ASSIGN(const auto tenant, tenant_of(caller));
  THERIAC_ASSIGN(const bool fenced, leases_.is_fenced(holder_of(caller)));
  if (fenced) return refuse("lease.refused", caller, {Code::kLeaseReplayed, caller.name});

  THERIAC_ASSIGN(auto lease, ask.token ? renewed_lease(caller, ask, request_hash)
                                       : fresh_lease(caller, ask, tenant, request_hash));
  const bool fresh = lease.counter == 0;
  if (lease.request_hash != request_hash) {
    lease.counter += 1;
    lease.request_hash = request_hash;
  }
  lease.serial = caller.serial;
  lease.classes = ask.classes;
  lease.issued_ms = now;
  lease.expires_ms = std::min(now + options_.lease_ms, caller.not_after_ms);

  THERIAC_TRY(make_classes(caller, ask, tenant));
  THERIAC_TRY(promote_due(tenant, &lease));
  Grant grant;
  THERIAC_TRY(collect_keys(tenant, lease, grant));
  if (caller.role == pki::Role::kServer) {
    THERIAC_ASSIGN(grant.revoked_certificates, certificates_.revoked(caller.tenant, now));
  }
  const Entry entry{.action = fresh ? "lease.issue" : "lease.renew",
                    .object = "lease",
                    .correlation = to_hex(lease.id.view()),
                    .details = {{"classes", strings(lease.classes)},
                                {"revoked", strings(grant.revoked)},
                                {"keys", grant.keys.size()},
                                {"counter", lease.counter},
                                {"expires_ms", lease.expires_ms}}};
  THERIAC_TRY(act(caller, entry, [&] { return save_lease(lease, fresh, now); }));
  grant.lease = lease.id;
  grant.token = tokens_.make({lease.id, lease.counter}, lease.holder);
  grant.tenant = tenant.tenant.id;
  grant.issued_ms = now;
  grant.expires_ms = lease.expires_ms;
  return grant;
}

Result<Lease> KeyService::fresh_lease(const pki::Identity& caller, const LeaseAsk&,
                                      const OpenTenant& tenant,
                                      const crypto::Digest& request_hash) {
  const auto now = clock_.wall_ms();
  THERIAC_ASSIGN(const auto others, leases_.of_holder(holder_of(caller)));
  std::size_t living = 0;
  for (const auto& other : others) {
    if (other.state != LeaseState::kLive) continue;
    // The very request that made this lease: its reply was lost.
    if (other.counter == 1 && other.request_hash == request_hash) return other;
    if (other.expires_ms > now) ++living;
  }
  if (pki::is_exclusive(caller.role) && living > 0) {
    log_.write(Level::kError, "ALARM: a second holder asks for a lease", {{"name", caller.name}});
    return fail(Code::kConflict, "a living lease of " + caller.name);
  }
  if (living >= kSharedLeasesPerNameMax) return fail(Code::kBusy, "leases of " + caller.name);
  Lease lease;
  lease.id = random_.id<LeaseId>();
  lease.holder = holder_of(caller);
  lease.role = caller.role;
  lease.tenant = tenant.tenant.id;
  return lease;
}

Result<Lease> KeyService::renewed_lease(const pki::Identity& caller, const LeaseAsk& ask,
                                        const crypto::Digest& request_hash) {
  THERIAC_ASSIGN(const auto token, tokens_.read(*ask.token, holder_of(caller)));
  THERIAC_ASSIGN(auto found, leases_.find(token.lease));
  // Forgotten with its fence, or long ended: nobody holds it.
  if (!found || found->holder != holder_of(caller)) return fail(Code::kNotFound, "lease");
  switch (judge(*found, token.counter, request_hash)) {
    case Verdict::kRenew:
      // The holder has the reply that carried this token.
      found->proven_ms = found->issued_ms;
      return std::move(*found);
    case Verdict::kRepeat:
      return std::move(*found);
    case Verdict::kOver:
      return fail(Code::kNotFound, "lease");
    case Verdict::kRolledBack:
      log_.write(Level::kError, "ALARM: a token is newer than this service's memory",
                 {{"name", caller.name}});
      return fail(Code::kConflict, "this service's state is older than the token");
    case Verdict::kReplayed:
      break;
  }
  return fence(caller, *found);
}

tl::unexpected<Error> KeyService::fence(const pki::Identity& caller, const Lease& lease) {
  log_.write(Level::kError, "ALARM: a renewal token was used twice, the name is fenced",
             {{"name", caller.name}, {"lease", to_hex(lease.id.view())}});
  // Fencing takes rights away, so it does not wait for the log to have room; but it is tried first.
  if (auto recorded = record(caller, {.action = "lease.fence",
                                      .object = caller.name,
                                      .reason = "a renewal token was used twice",
                                      .correlation = to_hex(lease.id.view())});
      !recorded) {
    log_.error("audit of a fence failed", recorded.error());
  }
  const auto written = [&]() -> Status {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    THERIAC_TRY(leases_.fence(lease, clock_.wall_ms()));
    return transaction.commit();
  }();
  if (!written) log_.error("fence not stored", written.error());
  return fail(Code::kLeaseReplayed, caller.name);
}

Status KeyService::make_classes(const pki::Identity& caller, const LeaseAsk& ask,
                                const OpenTenant& tenant) {
  for (const auto& name : ask.classes) {
    THERIAC_ASSIGN(const auto present, keys_.versions(tenant.tenant.id, name));
    const auto wanted = ask.suites.find(name);
    if (!present.empty()) {
      if (wanted != ask.suites.end() && wanted->second != present.front().suite) {
        return fail(Code::kMismatch, "suite of class " + name);
      }
      continue;
    }
    if (tenant.tenant.state != State::kActive) continue;
    const auto suite = wanted != ask.suites.end() ? wanted->second : seal::Suite::kXaes256Gcm;
    THERIAC_TRY(make_class(caller, tenant, name, suite, "first lease"));
  }
  return {};
}

Status KeyService::collect_keys(const OpenTenant& tenant, const Lease& lease, Grant& grant) {
  for (const auto& name : lease.classes) {
    THERIAC_ASSIGN(const auto versions, keys_.versions(tenant.tenant.id, name));
    const bool suspended = tenant.tenant.state != State::kActive || versions.empty() ||
                           std::any_of(versions.begin(), versions.end(), [](const Version& v) {
                             return v.state == State::kSuspended;
                           });
    if (suspended) {
      grant.revoked.push_back(name);
      continue;
    }
    std::map<seal::Purpose, int> active;
    for (const auto& version : versions) {
      seal::LeasedKey key;
      key.id = version.id;
      key.suite = version.suite;
      key.purpose = version.purpose;
      key.class_name = name;
      key.version = version.version;
      key.active = version.state == State::kActive;
      THERIAC_ASSIGN(key.material, keys_.material(tenant, version));
      if (key.active) ++active[version.purpose];
      grant.keys.push_back(std::move(key));
    }
    // A row removed from the file shows here.
    for (const auto purpose :
         {seal::Purpose::kData, seal::Purpose::kIndex, seal::Purpose::kStream}) {
      if (active[purpose] != 1) return fail(Code::kNotAuthentic, "versions of class " + name);
    }
  }
  if (grant.keys.size() > kKeysPerReplyMax) return fail(Code::kTooLarge, "keys of one lease");
  return {};
}

Status KeyService::promote_due(const OpenTenant& tenant, const Lease* requester) {
  THERIAC_ASSIGN(auto versions, keys_.versions(tenant.tenant.id, ""));
  const bool any = std::any_of(versions.begin(), versions.end(),
                               [](const Version& v) { return v.state == State::kPending; });
  if (!any) return {};
  THERIAC_ASSIGN(auto holders, leases_.live(clock_.wall_ms() - kPromotionMarginMs));
  for (auto& pending : versions) {
    if (pending.state != State::kPending) continue;
    const auto lacks = [&](const Lease& holder) {
      return holder.tenant == tenant.tenant.id && holder.covers(pending.class_name) &&
             holder.proven_ms <= pending.created_ms;
    };
    // A requester who is the only holder gets the version active in this very reply.
    std::size_t waiting = 0;
    bool others = false;
    for (const auto& holder : holders) {
      if (requester != nullptr && holder.id == requester->id) continue;
      others = others || (holder.tenant == tenant.tenant.id && holder.covers(pending.class_name));
      if (lacks(holder)) ++waiting;
    }
    if (requester != nullptr && others && lacks(*requester)) ++waiting;
    if (waiting == 0) THERIAC_TRY(promote(tenant, versions, pending));
  }
  return {};
}

Status KeyService::promote(const OpenTenant& tenant, std::vector<Version>& versions,
                           Version& pending) {
  const Act act{"system", "every holder has it", clock_.wall_ms()};
  audit::Event event;
  event.action = "key.promote";
  event.actor = act.person;
  event.object = pending.class_name;
  event.reason = act.reason;
  event.key_version =
      std::string(purpose_name(pending.purpose)) + "/" + std::to_string(pending.version);
  event.details["tenant"] = tenant.tenant.name;
  THERIAC_TRY(audit_.append_durable(std::move(event)));
  THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
  for (auto& old : versions) {
    if (old.class_name == pending.class_name && old.purpose == pending.purpose &&
        old.state == State::kActive) {
      THERIAC_TRY(keys_.restate(tenant, old, State::kDeactivated, State::kDeactivated, act));
    }
  }
  THERIAC_TRY(keys_.restate(tenant, pending, State::kActive, State::kActive, act));
  THERIAC_TRY(transaction.commit());
  log_.write(Level::kInfo, "key version active",
             {{"class", pending.class_name}, {"version", pending.version}});
  return {};
}

Status KeyService::save_lease(const Lease& lease, bool fresh, std::int64_t now) {
  THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
  if (fresh) {
    if (pki::is_exclusive(lease.role)) {
      THERIAC_TRY(database_.run(
          "UPDATE leases SET state = 'superseded' WHERE holder = ? AND state = 'live'",
          lease.holder));
    }
    THERIAC_TRY(leases_.add(lease));
  } else {
    THERIAC_TRY(leases_.update(lease));
  }
  THERIAC_TRY(
      database_.run("INSERT INTO meta VALUES('last_wall_ms', ?1) ON CONFLICT(name) "
                    "DO UPDATE SET value = max(value, ?1)",
                    now));
  return transaction.commit();
}

Status KeyService::release(const pki::Identity& caller, const ReleaseAsk& ask) {
  THERIAC_TRY(check_role(caller, {pki::Role::kGateway, pki::Role::kProtector, pki::Role::kServer}));
  THERIAC_ASSIGN(const auto token, tokens_.read(ask.token, holder_of(caller)));
  THERIAC_ASSIGN(auto found, leases_.find(token.lease));
  if (!found || found->holder != holder_of(caller)) return fail(Code::kNotFound, "lease");
  if (found->state != LeaseState::kLive) return {};
  if (token.counter != found->counter) {
    // Somebody renewed it meanwhile: not ours to end.
    return fail(Code::kConflict, "lease");
  }
  const Entry entry{
      .action = "lease.release", .object = "lease", .correlation = to_hex(found->id.view())};
  found->state = LeaseState::kReleased;
  found->expires_ms = clock_.wall_ms();
  return act(caller, entry, [&]() -> Status {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    THERIAC_TRY(leases_.update(*found));
    return transaction.commit();
  });
}

}  // namespace theriac::keys
