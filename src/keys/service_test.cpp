#include "keys/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keys/outbox.hpp"
#include "keys/test_support.hpp"

namespace theriac::keys {
namespace {

using seal::Purpose;

class ServiceTest : public testing::Test {
 protected:
  Status revoke(const std::string& name, bool restore = false) {
    THERIAC_TRY(bench_.service().revoke(bench_.admin(), {name, restore, "test"}));
    return {};
  }
  std::vector<Version> versions_of(const std::string& name) {
    for (auto& one : *bench_.service().list(bench_.admin())) {
      if (one.name == name) return std::move(one.versions);
    }
    return {};
  }
  Version newest(const std::string& name, Purpose purpose = Purpose::kData) {
    Version found;
    for (auto& v : versions_of(name)) {
      if (v.purpose == purpose) found = v;
    }
    return found;
  }

  ManualClock clock_;
  Bench bench_{clock_};
};

TEST_F(ServiceTest, FirstLeaseMakesItsClasses) {
  const auto grant = bench_.lease(bench_.gateway(), {"contact", "formula"});
  ASSERT_TRUE(grant) << grant.error().message();
  EXPECT_EQ(grant->keys.size(), 6U);
  for (const auto& key : grant->keys) {
    EXPECT_TRUE(key.active);
    EXPECT_EQ(seal::commit_key(key.suite, key.purpose, key.material), key.id);
  }
  EXPECT_EQ(grant->expires_ms, clock_.wall_ms() + kLeaseMsDefault);
  EXPECT_TRUE(grant->revoked.empty());
  EXPECT_EQ(bench_.audit.count("key.create"), 2U);
  EXPECT_EQ(bench_.audit.count("lease.issue"), 1U);
}

TEST_F(ServiceTest, RenewalGivesTheSameKeysAndANewToken) {
  const auto first = bench_.lease(bench_.gateway(), {"contact"});
  clock_.advance_ms(30'000);
  const auto second = bench_.lease(bench_.gateway(), {"contact"}, first->token);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->lease, first->lease);
  EXPECT_NE(second->token, first->token);
  ASSERT_EQ(second->keys.size(), first->keys.size());
  for (std::size_t i = 0; i < first->keys.size(); ++i) {
    EXPECT_EQ(second->keys[i].material, first->keys[i].material);
  }
  EXPECT_EQ(second->expires_ms, clock_.wall_ms() + kLeaseMsDefault);
}

TEST_F(ServiceTest, ALeaseNeverOutlivesTheCertificate) {
  auto caller = bench_.gateway();
  caller.not_after_ms = clock_.wall_ms() + 7'000;
  EXPECT_EQ(bench_.lease(caller, {"contact"})->expires_ms, caller.not_after_ms);
}

TEST_F(ServiceTest, RolesAreKeptApart) {
  for (const auto role :
       {pki::Role::kAdmin, pki::Role::kAuditor, pki::Role::kKeyd, pki::Role::kTraceAdmin,
        pki::Role::kTraceLine, pki::Role::kTracePartner}) {
    EXPECT_EQ(bench_.lease(bench_.caller("x", role), {"contact"}).error().code, Code::kDenied);
  }
  EXPECT_EQ(bench_.audit.count("lease.refused"), 6U);
  auto& service = bench_.service();
  for (const auto role :
       {pki::Role::kGateway, pki::Role::kProtector, pki::Role::kAuditor, pki::Role::kKeyd}) {
    const auto caller = bench_.caller("x", role);
    EXPECT_EQ(service.create_class(caller, {"a", seal::Suite::kXaes256Gcm, ""}).error().code,
              Code::kDenied);
    EXPECT_EQ(service.rotate(caller, {"a", ""}).error().code, Code::kDenied);
    EXPECT_EQ(service.revoke(caller, {"a", false, ""}).error().code, Code::kDenied);
    EXPECT_EQ(service.revoke(caller, {"", true, ""}).error().code, Code::kDenied);
    EXPECT_EQ(service.clear_fence(caller, {"a", ""}).error().code, Code::kDenied);
    EXPECT_EQ(service.revoke_certificate(caller, {"a", ""}).error().code, Code::kDenied);
    const bool reads = role == pki::Role::kAuditor;
    EXPECT_EQ(service.list(caller).has_value(), reads);
    EXPECT_EQ(service.status(caller).has_value(), reads);
  }
}

TEST_F(ServiceTest, AnotherTenantIsDenied) {
  auto& service = bench_.service();
  EXPECT_EQ(service.lease(bench_.gateway(), {"other", {"contact"}, {}, {}}, {}).error().code,
            Code::kDenied);
  auto foreign = bench_.gateway();
  foreign.tenant = "other";
  EXPECT_EQ(service.lease(foreign, {"other", {"contact"}, {}, {}}, {}).error().code,
            Code::kNotFound);
}

TEST_F(ServiceTest, RevocationTakesTheClassOutOfTheNextRenewal) {
  auto grant = bench_.lease(bench_.gateway(), {"contact", "formula"});
  ASSERT_TRUE(revoke("contact"));
  grant = bench_.lease(bench_.gateway(), {"contact", "formula"}, grant->token);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->revoked, std::vector<std::string>{"contact"});
  EXPECT_EQ(active_of(*grant, "contact"), nullptr);
  EXPECT_NE(active_of(*grant, "formula"), nullptr);
  ASSERT_TRUE(revoke("contact")) << "repeating it is no error";
  ASSERT_TRUE(revoke("contact", true));
  grant = bench_.lease(bench_.gateway(), {"contact", "formula"}, grant->token);
  EXPECT_NE(active_of(*grant, "contact"), nullptr);
  EXPECT_EQ(bench_.audit.count("key.revoke"), 2U);
  EXPECT_EQ(bench_.audit.count("key.restore"), 1U);
  EXPECT_EQ(revoke("nothing").error().code, Code::kNotFound);
}

// Two tenants that use one name for their gateways, their classes and their administrators.
TEST_F(ServiceTest, TenantsDoNotMeet) {
  Folder folder;
  {
    Bench one(clock_, {.path = folder.file("db")});
    auto database = store::Database::open({.path = folder.file("db")}, kSchema);
    Tenant other;
    other.id = one.random().uuid<TenantId>();
    other.name = "other";
    KeyTable table(*database, one.random());
    ASSERT_TRUE(table.add_tenant(Bench::root(), other));
  }
  Bench bench(clock_, {.path = folder.file("db")});
  auto theirs = bench.gateway();
  theirs.tenant = "other";
  auto their_admin = bench.admin();
  their_admin.tenant = "other";
  const auto ours = bench.lease(bench.gateway(), {"contact"});
  const auto lease = bench.lease(theirs, {"contact"});
  ASSERT_TRUE(ours && lease) << "one living holder a name and tenant";
  EXPECT_NE(ours->tenant, lease->tenant);
  EXPECT_FALSE(active_of(*ours, "contact")->material == active_of(*lease, "contact")->material);
  EXPECT_EQ(bench.lease(theirs, {"contact"}, ours->token).error().code, Code::kDenied);

  ASSERT_TRUE(bench.service().revoke(their_admin, {"contact", false, ""}));
  const auto renewed = bench.lease(bench.gateway(), {"contact"}, ours->token);
  EXPECT_TRUE(renewed->revoked.empty());
  EXPECT_EQ(bench.lease(bench.gateway(), {"contact"}, ours->token).error().code,
            Code::kLeaseReplayed);
  EXPECT_TRUE(bench.lease(theirs, {"contact"}, lease->token)) << "not their fence";
  EXPECT_EQ(bench.service().clear_fence(their_admin, {"gateway-1", ""}).error().code,
            Code::kNotFound);
  EXPECT_TRUE(bench.service().status(their_admin)->fences.empty());
  const auto status = bench.service().status(bench.admin());
  ASSERT_EQ(status->fences.size(), 1U);
  EXPECT_EQ(status->fences[0].holder, "gateway-1");
  EXPECT_TRUE(bench.service().clear_fence(bench.admin(), {"gateway-1", ""}));
}

TEST_F(ServiceTest, RestoreBringsBackWhatEachVersionWas) {
  auto grant = bench_.lease(bench_.gateway(), {"contact"});
  ASSERT_TRUE(bench_.service().rotate(bench_.admin(), {"contact", ""}));
  grant = bench_.lease(bench_.gateway(), {"contact"}, grant->token);
  const auto before = versions_of("contact");
  ASSERT_TRUE(revoke("contact"));
  for (const auto& v : versions_of("contact")) EXPECT_EQ(v.state, State::kSuspended);
  ASSERT_TRUE(revoke("contact", true));
  const auto after = versions_of("contact");
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].state, before[i].state);
}

TEST_F(ServiceTest, WholeTenant) {
  auto grant = bench_.lease(bench_.gateway(), {"contact"});
  ASSERT_TRUE(bench_.service().revoke(bench_.admin(), {"", false, "breach"}));
  grant = bench_.lease(bench_.gateway(), {"contact", "new-one"}, grant->token);
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->keys.empty());
  EXPECT_EQ(grant->revoked, (std::vector<std::string>{"contact", "new-one"}));
  EXPECT_TRUE(versions_of("new-one").empty()) << "no key is made while the tenant is revoked";
  EXPECT_EQ(bench_.service()
                .create_class(bench_.admin(), {"c", seal::Suite::kXaes256Gcm, ""})
                .error()
                .code,
            Code::kRevoked);
  EXPECT_EQ(bench_.service().rotate(bench_.admin(), {"contact", ""}).error().code, Code::kRevoked);
  ASSERT_TRUE(bench_.service().revoke(bench_.admin(), {"", true, "over"}));
  grant = bench_.lease(bench_.gateway(), {"contact", "new-one"}, grant->token);
  EXPECT_EQ(grant->keys.size(), 6U);
}

TEST_F(ServiceTest, RotationWithoutHoldersIsActiveAtOnce) {
  ASSERT_TRUE(
      bench_.service().create_class(bench_.admin(), {"contact", seal::Suite::kXaes256Gcm, ""}));
  const auto index = newest("contact", Purpose::kIndex);
  const auto made = bench_.service().rotate(bench_.admin(), {"contact", "yearly"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->size(), 2U);
  EXPECT_EQ(newest("contact").version, 2U);
  EXPECT_EQ(newest("contact").state, State::kActive);
  EXPECT_EQ(newest("contact", Purpose::kStream).version, 2U);
  EXPECT_EQ(newest("contact", Purpose::kIndex).id, index.id) << "index keys are not rotated";
  const auto grant = bench_.lease(bench_.gateway(), {"contact"});
  EXPECT_EQ(active_of(*grant, "contact")->version, 2U);
  EXPECT_EQ(grant->keys.size(), 5U) << "older versions still open";
  EXPECT_EQ(bench_.audit.count("key.promote"), 2U);
}

TEST_F(ServiceTest, TheOnlyHolderGetsTheNewVersionActiveInOneReply) {
  auto grant = bench_.lease(bench_.gateway(), {"contact"});
  clock_.advance_ms(1);
  ASSERT_TRUE(bench_.service().rotate(bench_.admin(), {"contact", ""}));
  EXPECT_EQ(newest("contact").state, State::kPending) << "the holder does not have it yet";
  clock_.advance_ms(1);
  grant = bench_.lease(bench_.gateway(), {"contact"}, grant->token);
  EXPECT_EQ(active_of(*grant, "contact")->version, 2U);
}

TEST_F(ServiceTest, NobodySealsBeforeEverybodyCanOpen) {
  const auto one = bench_.gateway();
  const auto two = bench_.caller("gateway-2", pki::Role::kGateway);
  auto lease_one = bench_.lease(one, {"contact"});
  auto lease_two = bench_.lease(two, {"contact"});
  const auto step = [&](const pki::Identity& who, Result<Grant>& grant) {
    clock_.advance_ms(10'000);
    grant = bench_.lease(who, {"contact"}, grant->token);
    ASSERT_TRUE(grant);
  };
  clock_.advance_ms(1);
  ASSERT_TRUE(bench_.service().rotate(bench_.admin(), {"contact", ""}));
  EXPECT_EQ(bench_.service().rotate(bench_.admin(), {"contact", ""}).error().code, Code::kConflict)
      << "one rotation at a time";
  step(one, lease_one);  // has it, unproven
  EXPECT_EQ(active_of(*lease_one, "contact")->version, 1U);
  EXPECT_EQ(lease_one->keys.size(), 5U);
  step(two, lease_two);
  step(one, lease_one);  // proven
  EXPECT_EQ(active_of(*lease_one, "contact")->version, 1U) << "gateway-2 has not proved it";
  step(two, lease_two);  // proven: active from this reply on
  EXPECT_EQ(active_of(*lease_two, "contact")->version, 2U);
  step(one, lease_one);
  EXPECT_EQ(active_of(*lease_one, "contact")->version, 2U);
}

TEST_F(ServiceTest, AHolderThatDiedHoldsNothingUp) {
  auto one = bench_.lease(bench_.gateway(), {"contact"});
  ASSERT_TRUE(bench_.lease(bench_.caller("gateway-2", pki::Role::kGateway), {"contact"}));
  clock_.advance_ms(1);
  ASSERT_TRUE(bench_.service().rotate(bench_.admin(), {"contact", ""}));
  ASSERT_TRUE(bench_.service().tick());
  EXPECT_EQ(newest("contact").state, State::kPending);
  clock_.advance_ms(kLeaseMsDefault + kPromotionMarginMs);
  ASSERT_TRUE(bench_.service().tick());
  EXPECT_EQ(newest("contact").state, State::kActive);
}

TEST_F(ServiceTest, LostReplyIsRepeatedWithTheSameToken) {
  const crypto::Digest hash{1};
  const auto first = bench_.lease(bench_.gateway(), {"contact"}, {}, hash);
  clock_.advance_ms(500);
  const auto again = bench_.lease(bench_.gateway(), {"contact"}, {}, hash);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->lease, first->lease);
  EXPECT_EQ(again->token, first->token);
  const crypto::Digest renewal{2};
  const auto second = bench_.lease(bench_.gateway(), {"contact"}, first->token, renewal);
  const auto repeated = bench_.lease(bench_.gateway(), {"contact"}, first->token, renewal);
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->token, second->token);
  EXPECT_TRUE(bench_.lease(bench_.gateway(), {"contact"}, second->token));
}

TEST_F(ServiceTest, TokenUsedTwiceFencesBothUntilCleared) {
  const auto first = bench_.lease(bench_.gateway(), {"contact"});
  const auto original = bench_.lease(bench_.gateway(), {"contact"}, first->token);
  const auto copy = bench_.lease(bench_.gateway(), {"contact"}, first->token);
  EXPECT_EQ(copy.error().code, Code::kLeaseReplayed);
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}, original->token).error().code,
            Code::kLeaseReplayed);
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}).error().code, Code::kLeaseReplayed);
  clock_.advance_ms(10 * kLeaseMsDefault);
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}).error().code, Code::kLeaseReplayed)
      << "time does not heal it";
  EXPECT_EQ(bench_.audit.count("lease.fence"), 1U);
  EXPECT_EQ(bench_.service().status(bench_.admin())->fences.size(), 1U);
  // Others are not concerned.
  EXPECT_TRUE(bench_.lease(bench_.caller("gateway-2", pki::Role::kGateway), {"contact"}));

  ASSERT_TRUE(bench_.service().clear_fence(bench_.admin(), {"gateway-1", "copy removed"}));
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}, original->token).error().code,
            Code::kNotFound)
      << "old tokens are forgotten";
  EXPECT_TRUE(bench_.lease(bench_.gateway(), {"contact"}));
  EXPECT_EQ(bench_.service().clear_fence(bench_.admin(), {"gateway-1", ""}).error().code,
            Code::kNotFound);
}

TEST_F(ServiceTest, RenewalAfterALongSilenceIsNoSecondHolder) {
  const auto first = bench_.lease(bench_.gateway(), {"contact"});
  clock_.advance_ms(24 * 3'600'000);
  EXPECT_TRUE(bench_.lease(bench_.gateway(), {"contact"}, first->token));
}

TEST_F(ServiceTest, GatewaysHaveOneLivingHolder) {
  const auto first = bench_.lease(bench_.gateway(), {"contact"});
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}).error().code, Code::kConflict);
  clock_.advance_ms(kLeaseMsDefault - 1);
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}).error().code, Code::kConflict);
  clock_.advance_ms(1);
  const auto second = bench_.lease(bench_.gateway(), {"contact"});
  ASSERT_TRUE(second);
  // The first holder comes back: now there are two.
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}, first->token).error().code,
            Code::kLeaseReplayed);
}

TEST_F(ServiceTest, ReleasedLeaseMakesRoomAtOnce) {
  const auto first = bench_.lease(bench_.gateway(), {"contact"});
  ASSERT_TRUE(bench_.service().release(bench_.gateway(), {first->token}));
  ASSERT_TRUE(bench_.service().release(bench_.gateway(), {first->token})) << "once more is fine";
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}, first->token).error().code,
            Code::kNotFound);
  const auto second = bench_.lease(bench_.gateway(), {"contact"});
  ASSERT_TRUE(second);
  EXPECT_EQ(bench_.service()
                .release(bench_.caller("gateway-2", pki::Role::kGateway), {second->token})
                .error()
                .code,
            Code::kDenied);
}

TEST_F(ServiceTest, ToolsHoldSeveralLeasesAtOnceUpToTheLimit) {
  const auto tool = bench_.caller("tool", pki::Role::kProtector);
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < kSharedLeasesPerNameMax; ++i) {
    const auto grant = bench_.lease(tool, {"files"});
    ASSERT_TRUE(grant) << i;
    tokens.push_back(grant->token);
  }
  EXPECT_EQ(bench_.lease(tool, {"files"}).error().code, Code::kBusy);
  ASSERT_TRUE(bench_.service().release(tool, {tokens[3]}));
  EXPECT_TRUE(bench_.lease(tool, {"files"}));
  EXPECT_TRUE(bench_.lease(tool, {"files"}, tokens[0]));
  EXPECT_EQ(bench_.lease(tool, {"files"}, tokens[0]).error().code, Code::kLeaseReplayed);
}

TEST_F(ServiceTest, ForgedTokenIsDeniedAndFencesNobody) {
  const auto first = bench_.lease(bench_.gateway(), {"contact"});
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}, "forged").error().code, Code::kDenied);
  EXPECT_EQ(bench_.lease(bench_.caller("gateway-2", pki::Role::kGateway), {"contact"}, first->token)
                .error()
                .code,
            Code::kDenied)
      << "another name's token";
  EXPECT_TRUE(bench_.lease(bench_.gateway(), {"contact"}, first->token));
}

TEST_F(ServiceTest, ClockSetBackStopsLeases) {
  const auto first = bench_.lease(bench_.gateway(), {"contact"});
  const auto now = clock_.wall_ms();
  clock_.set_wall_ms(now - kClockToleranceMs);
  const auto second = bench_.lease(bench_.gateway(), {"contact"}, first->token);
  EXPECT_TRUE(second) << "inside the tolerance";
  clock_.set_wall_ms(now - kClockToleranceMs - 1);
  EXPECT_EQ(bench_.lease(bench_.gateway(), {"contact"}, second->token).error().code,
            Code::kClockMoved);
  const auto tool = bench_.caller("tool", pki::Role::kProtector);
  EXPECT_EQ(bench_.lease(tool, {"files"}).error().code, Code::kClockMoved);
  EXPECT_EQ(bench_.audit.events().back().error, "ClockMoved");
  clock_.set_wall_ms(now);
  EXPECT_TRUE(bench_.lease(bench_.gateway(), {"contact"}, second->token)) << "no token was used up";
}

TEST_F(ServiceTest, SuiteIsTheClassesOwn) {
  auto& service = bench_.service();
  const auto grant = service.lease(
      bench_.gateway(), {"demo", {"formula"}, {{"formula", seal::Suite::kSm4Gcm}}, {}}, {});
  ASSERT_TRUE(grant);
  EXPECT_EQ(active_of(*grant, "formula")->suite, seal::Suite::kSm4Gcm);
  crypto::Digest other{3};
  EXPECT_EQ(service
                .lease(bench_.gateway(),
                       {"demo", {"formula"}, {{"formula", seal::Suite::kXaes256Gcm}}, grant->token},
                       other)
                .error()
                .code,
            Code::kMismatch);
}

TEST_F(ServiceTest, ClassesHaveALimit) {
  for (std::size_t i = 0; i < kClassesPerTenantMax; ++i) {
    ASSERT_TRUE(bench_.service().create_class(
        bench_.admin(), {"c" + std::to_string(i), seal::Suite::kXaes256Gcm, ""}));
  }
  EXPECT_EQ(bench_.service()
                .create_class(bench_.admin(), {"more", seal::Suite::kXaes256Gcm, ""})
                .error()
                .code,
            Code::kTooLarge);
  EXPECT_EQ(bench_.service()
                .create_class(bench_.admin(), {"c1", seal::Suite::kXaes256Gcm, ""})
                .error()
                .code,
            Code::kAlreadyExists);
}

TEST_F(ServiceTest, CertificatesOfStrangersAndRevokedOnesAreNotAdmitted) {
  auto& service = bench_.service();
  EXPECT_EQ(service.admit(bench_.gateway()).error(),
            (Error{Code::kBadCertificate, "not issued here"}));

  const auto key = pki::PrivateKey::generate();
  const auto request = pki::make_signing_request(key);
  const auto pem = service.renew_certificate(bench_.gateway(), {request});
  ASSERT_TRUE(pem);
  const auto made = pki::Certificate::from_pem(*pem);
  EXPECT_TRUE(made->matches(key));
  const auto identity = *made->identity();
  EXPECT_EQ(identity.name, "gateway-1");
  EXPECT_EQ(identity.role, pki::Role::kGateway);
  ASSERT_TRUE(service.admit(identity));
  auto altered = identity;
  altered.fingerprint[0] = altered.fingerprint[0] == '0' ? '1' : '0';
  EXPECT_FALSE(service.admit(altered)) << "same serial, other bytes";

  clock_.set_wall_ms(identity.not_after_ms);
  EXPECT_EQ(service.admit(identity).error().where, "expired");
  clock_.set_wall_ms(identity.not_before_ms + 60'000);
  ASSERT_TRUE(service.admit(identity));
  ASSERT_TRUE(service.revoke_certificate(bench_.admin(), {"gateway-1", "lost"}));
  EXPECT_EQ(service.admit(identity).error().where, "revoked");
  EXPECT_EQ(service.revoke_certificate(bench_.admin(), {"gateway-1", ""}).error().code,
            Code::kNotFound);
  EXPECT_EQ(service.renew_certificate(bench_.admin(), {request}).error().code, Code::kDenied)
      << "people's certificates are made by hand";
}

TEST_F(ServiceTest, FloodOfRefusalsIsSummedUp) {
  for (int i = 0; i < 1000; ++i) {
    bench_.service().record_refusal("connection.refused", "", "",
                                    {Code::kBadCertificate, "foreign"});
  }
  EXPECT_EQ(bench_.audit.count("connection.refused"), kRefusalEntriesBurst);
  clock_.advance_ms(5'000);
  bench_.service().record_refusal("connection.refused", "", "", {Code::kBadCertificate, "foreign"});
  EXPECT_EQ(bench_.audit.events().back().details["refusals_not_listed"],
            1000 - kRefusalEntriesBurst);
}

TEST_F(ServiceTest, AnActThatFailedAfterItsEntrySaysSo) {
  EXPECT_EQ(bench_.service().revoke_certificate(bench_.admin(), {"nobody", ""}).error().code,
            Code::kNotFound);
  const auto events = bench_.audit.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].outcome, "ok");
  EXPECT_EQ(events[1].outcome, "failed");
  EXPECT_EQ(events[1].error, "NotFound");
  EXPECT_EQ(events[1].action, events[0].action);
}

TEST_F(ServiceTest, AnAlteredRowDoesNotKeepTheOthersFromBeingRevoked) {
  Folder folder;
  Bench bench(clock_, {.path = folder.file("db")});
  ASSERT_TRUE(bench.lease(bench.gateway(), {"contact"}));
  auto other = store::Database::open({.path = folder.file("db")}, kSchema);
  ASSERT_TRUE(other->exec("UPDATE key_versions SET person = 'x' WHERE purpose = 2"));
  EXPECT_EQ(bench.lease(bench.caller("g2", pki::Role::kGateway), {"contact"}).error().code,
            Code::kNotAuthentic);
  EXPECT_EQ(*bench.service().revoke(bench.admin(), {"contact", false, ""}), 2U);
}

TEST_F(ServiceTest, ARowRemovedFromTheFileIsNoticed) {
  Folder folder;
  Bench bench(clock_, {.path = folder.file("db")});
  const auto grant = bench.lease(bench.gateway(), {"contact"});
  auto other = store::Database::open({.path = folder.file("db")}, kSchema);
  ASSERT_TRUE(other->exec("DELETE FROM key_versions WHERE purpose = 1"));
  EXPECT_EQ(bench.lease(bench.gateway(), {"contact"}, grant->token).error().code,
            Code::kNotAuthentic);
}

TEST_F(ServiceTest, StatusTellsWhatThereIs) {
  ASSERT_TRUE(bench_.lease(bench_.gateway(), {"contact"}));
  const auto status = bench_.service().status(bench_.caller("eve", pki::Role::kAuditor));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->tenant.name, "demo");
  EXPECT_EQ(status->classes, 1U);
  ASSERT_EQ(status->leases.size(), 1U);
  EXPECT_EQ(status->leases[0].holder, "gateway-1");
  EXPECT_EQ(status->audit_entries, bench_.audit.size());
}

}  // namespace
}  // namespace theriac::keys
