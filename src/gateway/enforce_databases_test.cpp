// The databases of a gateway: loaded when somebody comes, looked at while somebody is there.
#include "gateway/enforce_databases.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <thread>
#include <utility>

namespace theriac::gateway {
namespace {

/// Waits for what the watcher does; the test fails by its time-out, not by ours.
class Awaited : public std::enable_shared_from_this<Awaited> {
 public:
  /// May be called after the test has stopped to wait.
  Waker waker() {
    return [self = shared_from_this()] {
      {
        const std::lock_guard lock(self->mutex_);
        ++self->calls_;
      }
      self->changed_.notify_all();
    };
  }
  void wait(int calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_ >= calls; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int calls_ = 0;
};

class DatabasesTest : public testing::Test {
 protected:
  void start() {
    Databases::Parts parts;
    parts.load = [this](const std::string& name, std::uint64_t epoch) -> Result<Snapshot> {
      ++loads_[name];
      if (name == broken_) return fail(Code::kPolicyInvalid, "public.people.name is not protected");
      std::vector<rewrite::Relation> relations(1);
      relations.front().name = name;
      return Snapshot{std::make_shared<rewrite::Catalogue>(epoch, relations), nullptr};
    };
    parts.fingerprint = [this](const std::string& name) -> Result<std::uint64_t> {
      if (name == gone_) return fail(Code::kUpstream, "SQLSTATE 08006");
      if (const auto act = name == "erp" ? taken_meanwhile() : nullptr) act();
      return fingerprint_.load();
    };
    parts.log = &log_;
    parts.poll_ms = 600'000;
    databases_ = std::make_unique<Databases>(std::move(parts));
    ASSERT_TRUE(databases_->load_first("first"));
    databases_->start();
  }
  std::shared_ptr<Database> loaded(const std::string& name) {
    const auto done = std::make_shared<Awaited>();
    auto found = databases_->attach(name, done->waker()).value();
    if (found->state() == Database::State::kLoading) done->wait(1);
    return found;
  }

  NullLog log_;
  std::map<std::string, int> loads_;
  std::string broken_, gone_;
  std::function<void()> taken_meanwhile() {
    const std::lock_guard lock(mutex_);
    return std::exchange(meanwhile_, nullptr);
  }
  std::mutex mutex_;
  std::function<void()> meanwhile_;  ///< once, while erp's fingerprint is asked for
  std::atomic<std::uint64_t> fingerprint_{1};
  std::unique_ptr<Databases> databases_;
};

TEST_F(DatabasesTest, EachHasItsOwnSnapshotLoadedOnce) {
  start();
  EXPECT_EQ(loaded("first")->catalogue()->relations().front().name, "first");
  const auto erp = loaded("erp");
  ASSERT_EQ(erp->state(), Database::State::kReady);
  EXPECT_EQ(erp->catalogue()->relations().front().name, "erp");
  EXPECT_NE(erp->catalogue()->epoch(), loaded("first")->catalogue()->epoch());
  EXPECT_EQ(loaded("erp"), erp);
  EXPECT_EQ(loads_["erp"], 1);
}

TEST_F(DatabasesTest, OneThatFailedSaysWhyAndIsTriedAgain) {
  broken_ = "erp";
  start();
  const auto first = loaded("erp");
  ASSERT_EQ(first->state(), Database::State::kFailed);
  EXPECT_EQ(first->error().where, "public.people.name is not protected");
  EXPECT_TRUE(first->catalogue()->relations().empty());
  broken_.clear();
  EXPECT_EQ(loaded("erp")->state(), Database::State::kReady);
  EXPECT_EQ(first->state(), Database::State::kFailed);
}

TEST_F(DatabasesTest, OneThatNobodyHeldIsLookedAtFirst) {
  start();
  auto erp = loaded("erp");
  const auto epoch = erp->catalogue()->epoch();
  erp.reset();
  erp = loaded("erp");
  EXPECT_EQ(erp->catalogue()->epoch(), epoch);
  EXPECT_EQ(loads_["erp"], 1);
  erp.reset();
  fingerprint_ = 2;  // dropped, and another one made of that name
  erp = loaded("erp");
  EXPECT_EQ(erp->state(), Database::State::kReady);
  EXPECT_GT(erp->catalogue()->epoch(), epoch);
  erp.reset();
  gone_ = broken_ = "erp";
  EXPECT_EQ(loaded("erp")->state(), Database::State::kFailed);
}

TEST_F(DatabasesTest, WhoeverIsConcernedWaitsForACommittedChange) {
  start();
  const auto erp = loaded("erp");
  const auto seen = std::make_shared<Awaited>();
  EXPECT_FALSE(erp->is_behind(true, seen->waker()));
  const auto epoch = erp->catalogue()->epoch();
  fingerprint_ = 2;
  const auto ticket = erp->request_reload(true);
  int calls = 0;
  while (erp->is_behind(false, seen->waker())) seen->wait(++calls);
  EXPECT_TRUE(erp->caught_up(ticket));
  EXPECT_GT(erp->catalogue()->epoch(), epoch);
}

TEST_F(DatabasesTest, AServerThatIsAwayHoldsNobodyUpAndKeepsTheSnapshot) {
  start();
  const auto erp = loaded("erp");
  gone_ = "erp";
  const auto seen = std::make_shared<Awaited>();
  const auto ticket = erp->request_reload(true);
  int calls = 0;
  while (erp->is_behind(true, seen->waker())) seen->wait(++calls);
  EXPECT_FALSE(erp->caught_up(ticket));
  EXPECT_EQ(erp->catalogue()->relations().front().name, "erp");
}

TEST_F(DatabasesTest, NoMoreThanTheLimitAtOnce) {
  start();
  std::vector<std::shared_ptr<Database>> held;
  for (std::size_t i = 1; i < kDatabasesMax; ++i) {
    held.push_back(databases_->attach("d" + std::to_string(i), [] {}).value());
  }
  const auto refused = databases_->attach("one more", [] {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kBusy);
  EXPECT_TRUE(databases_->attach("d1", [] {}));
}

TEST_F(DatabasesTest, WhoComesDuringALookIsWokenWhenItIsReady) {
  start();
  auto first = loaded("erp");
  const auto looking = std::make_shared<Awaited>(), done = std::make_shared<Awaited>();
  std::optional<Database::State> seen;
  std::shared_ptr<Database> second;
  {
    // The last session goes and another comes while the watcher looks at the database.
    const std::lock_guard lock(mutex_);
    meanwhile_ = [&, weak = std::weak_ptr(first), look = looking->waker()] {
      look();
      while (!weak.expired()) std::this_thread::yield();
      const auto woken = [&, wake = done->waker()] {
        seen = second->state();
        wake();
      };
      second = databases_->attach("erp", woken).value();
    };
  }
  static_cast<void>(first->request_reload(false));
  looking->wait(1);
  first.reset();
  done->wait(1);
  EXPECT_EQ(seen, Database::State::kReady);
}

}  // namespace
}  // namespace theriac::gateway
