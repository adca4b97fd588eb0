// The log or the disk fails at the Nth call, for N = 1, 2, ... until it does not: what the service
// knows afterwards is what it was before the act or what it is after it, never something between,
// and nothing is in effect that is not on the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keys/test_support.hpp"
#include "store/fault_vfs.hpp"

namespace theriac::keys {
namespace {

/// Everything about the keys that matters, as text.
std::string state_of(KeyService& service, const pki::Identity& admin) {
  std::string text;
  const auto classes = service.list(admin);
  if (!classes) return "unreadable: " + classes.error().message();
  for (const auto& one : *classes) {
    for (const auto& v : one.versions) {
      text += one.name + "/" + std::string(purpose_name(v.purpose)) + "/" +
              std::to_string(v.version) + "=" + std::string(state_name(v.state)) + " ";
    }
  }
  return text;
}

struct ActCase {
  const char* name;
  const char* before;
  const char* after;
  const char* action;  ///< that must be on the log when the act is in effect
  Status (*act)(Bench& bench);
};

constexpr const char* kFresh =
    "contact/data/1=active contact/index/1=active contact/stream/1=active ";

template <typename T>
Status done(Result<T> result) {
  THERIAC_TRY(std::move(result));
  return {};
}

const ActCase kActs[] = {
    {"create", kFresh,
     "contact/data/1=active contact/index/1=active contact/stream/1=active "
     "formula/data/1=active formula/index/1=active formula/stream/1=active ",
     "key.create",
     [](Bench& b) {
       return done(b.service().create_class(b.admin(), {"formula", seal::Suite::kXaes256Gcm, ""}));
     }},
    {"revoke", kFresh,
     "contact/data/1=suspended contact/index/1=suspended contact/stream/1=suspended ", "key.revoke",
     [](Bench& b) { return done(b.service().revoke(b.admin(), {"contact", false, ""})); }},
};

class FaultTest : public testing::TestWithParam<ActCase> {
 protected:
  /// A database with the class "contact".
  void prepare(const std::string& path) {
    Bench bench(clock_, {.path = path});
    ASSERT_TRUE(
        bench.service().create_class(bench.admin(), {"contact", seal::Suite::kXaes256Gcm, ""}));
  }
  std::string look(const std::string& path) {
    Bench bench(clock_, {.path = path});
    return state_of(bench.service(), bench.admin());
  }
  ManualClock clock_;
  Folder folder_;
};

TEST_P(FaultTest, StoreFails) {
  const auto& act = GetParam();
  bool succeeded = false;
  for (int nth = 1; !succeeded; ++nth) {
    ASSERT_LT(nth, 300);
    const auto path = folder_.file(std::to_string(nth));
    prepare(path);
    store::FaultVfs vfs;
    Status result;
    bool logged = false;
    {
      Bench bench(clock_, {.path = path, .vfs = store::FaultVfs::kName});
      ASSERT_EQ(state_of(bench.service(), bench.admin()), act.before);
      vfs.fail_at(nth, nth % 2 == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE);
      result = act.act(bench);
      succeeded = !vfs.failed();
      logged = bench.audit.count(act.action) > 0;
      if (succeeded) {
        ASSERT_TRUE(result) << result.error().message();
      }
    }
    const auto after = look(path);
    EXPECT_THAT(after, testing::AnyOf(act.before, act.after)) << "call " << nth;
    if (result) {
      EXPECT_EQ(after, act.after) << "acknowledged and lost at call " << nth;
    }
    if (after == act.after) {
      EXPECT_TRUE(logged);
    }
  }
}

TEST_P(FaultTest, LogFails) {
  const auto& act = GetParam();
  bool succeeded = false;
  int refused = 0;
  for (int nth = 1; !succeeded; ++nth) {
    ASSERT_LT(nth, 20);
    const auto path = folder_.file("log-" + std::to_string(nth));
    prepare(path);
    {
      Bench bench(clock_, {.path = path});
      bench.audit.start_failing_at(nth);
      const auto result = act.act(bench);
      succeeded = result.has_value();
      if (!succeeded) {
        ++refused;
        EXPECT_EQ(result.error().code, Code::kDiskFull);
      }
    }
    EXPECT_EQ(look(path), succeeded ? act.after : act.before) << "entry " << nth;
  }
  EXPECT_GE(refused, 1) << "the act must have asked the log";
}

INSTANTIATE_TEST_SUITE_P(Acts, FaultTest, testing::ValuesIn(kActs),
                         [](const auto& test) { return std::string(test.param.name); });

class LeaseFaultTest : public testing::Test {
 protected:
  ManualClock clock_;
  Folder folder_;
};

// Rotation and promotion are two transactions: pending is a state of its own, and safe. What must
// hold at every point: one active version of each purpose, and no version lost.
TEST_F(LeaseFaultTest, RotationNeverLosesTheActiveVersion) {
  bool succeeded = false;
  for (int nth = 1; !succeeded; ++nth) {
    ASSERT_LT(nth, 300);
    const auto path = folder_.file(std::to_string(nth));
    {
      Bench bench(clock_, {.path = path});
      ASSERT_TRUE(
          bench.service().create_class(bench.admin(), {"contact", seal::Suite::kXaes256Gcm, ""}));
    }
    store::FaultVfs vfs;
    {
      Bench bench(clock_, {.path = path, .vfs = store::FaultVfs::kName});
      vfs.fail_at(nth);
      const auto rotated = bench.service().rotate(bench.admin(), {"contact", ""});
      succeeded = !vfs.failed();
      ASSERT_EQ(rotated.has_value(), succeeded)
          << nth << (rotated ? "" : rotated.error().message());
    }
    vfs.fail_at(0);
    Bench bench(clock_, {.path = path});
    std::map<seal::Purpose, int> active;
    std::map<seal::Purpose, std::uint32_t> newest;
    auto listed = bench.service().list(bench.admin());  // promotes what waits
    ASSERT_TRUE(listed);
    for (const auto& v : listed->front().versions) {
      active[v.purpose] += v.state == State::kActive ? 1 : 0;
      newest[v.purpose] = std::max(newest[v.purpose], v.version);
      EXPECT_NE(v.state, State::kPending) << "nobody holds a lease, so nothing may wait";
    }
    EXPECT_EQ(active[seal::Purpose::kData], 1) << nth;
    EXPECT_EQ(active[seal::Purpose::kStream], 1) << nth;
    EXPECT_EQ(active[seal::Purpose::kIndex], 1) << nth;
    EXPECT_EQ(newest[seal::Purpose::kData], newest[seal::Purpose::kStream])
        << "both or neither at call " << nth;
  }
}

// A renewal that failed anywhere may be sent again, the same bytes, and is never taken for a copy.
TEST_F(LeaseFaultTest, RenewalCanAlwaysBeRepeated) {
  bool succeeded = false;
  for (int nth = 1; !succeeded; ++nth) {
    ASSERT_LT(nth, 300);
    const auto path = folder_.file(std::to_string(nth));
    std::string token;
    {
      Bench bench(clock_, {.path = path});
      token = bench.lease(bench.gateway(), {"contact"})->token;
    }
    const crypto::Digest renewal{42};
    {
      store::FaultVfs vfs;
      Bench bench(clock_, {.path = path, .vfs = store::FaultVfs::kName});
      vfs.fail_at(nth);
      const auto result = bench.lease(bench.gateway(), {"contact"}, token, renewal);
      succeeded = !vfs.failed();
      if (!succeeded && !result) {
        EXPECT_THAT(result.error().code, testing::AnyOf(Code::kIo, Code::kDiskFull, Code::kBusy))
            << nth;
      }
    }
    Bench bench(clock_, {.path = path});
    const auto again = bench.lease(bench.gateway(), {"contact"}, token, renewal);
    ASSERT_TRUE(again) << "call " << nth << ": " << again.error().message();
    EXPECT_TRUE(bench.lease(bench.gateway(), {"contact"}, again->token)) << nth;
    EXPECT_EQ(bench.audit.count("lease.fence"), 0U);
  }
}

// Durable before effect, for every entry a first lease writes.
TEST_F(LeaseFaultTest, NoLeaseWithoutItsEntries) {
  bool succeeded = false;
  int refused = 0;
  for (int nth = 1; !succeeded; ++nth) {
    ASSERT_LT(nth, 20);
    Bench bench(clock_);
    bench.audit.start_failing_at(nth);
    const auto result = bench.lease(bench.gateway(), {"contact", "formula"});
    succeeded = result.has_value();
    if (succeeded) break;
    ++refused;
    EXPECT_EQ(result.error().code, Code::kDiskFull);
    bench.audit.start_failing_at(0);
    EXPECT_TRUE(bench.service().status(bench.admin())->leases.empty());
  }
  EXPECT_EQ(refused, 3) << "two classes made, one lease issued";
}

}  // namespace
}  // namespace theriac::keys
