#include "trace/known.hpp"

#include "trace/limits.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class KnownTest : public testing_support::Site {
 protected:
  /// In a snapshot that begins with `known_`.
  template <typename F>
  auto seen(F work_of) -> decltype(work_of(std::declval<Work&>())) {
    decltype(work_of(std::declval<Work&>())) result = fail(Code::kInternal, "not run");
    const auto status = session_->snapshot([&](store::Session& session) -> Status {
      Work work{session, vault_, now_ms_, &known_};
      THERIAC_TRY(known_.begin(work));
      result = work_of(work);
      return {};
    });
    if (!status) return fail(status.error());
    return result;
  }
  LotState state_of_lot() {
    return seen([&](Work& work) { return lot(work, lot_); })->state;
  }
  /// Behind its back: no number is taken, so what is known stays.
  void change_unseen() {
    EXPECT_TRUE(session_->run_all("UPDATE lots SET state = $2 WHERE id = $1", lot_,
                                  static_cast<std::int64_t>(LotState::kBlocked)));
  }

  Known known_;
};

TEST_F(KnownTest, IsReadOnceUntilSomebodyChangesIt) {
  EXPECT_EQ(state_of_lot(), LotState::kOpen);
  change_unseen();
  EXPECT_EQ(state_of_lot(), LotState::kOpen);  // known: not read again
  const auto by_number = seen([&](Work& work) { return find_lot(work, product_, "LOT1A"); });
  EXPECT_EQ((*by_number)->state, LotState::kOpen);
  // Any change of master data, whoever makes it.
  EXPECT_TRUE(done(
      [&](Work& work) { return add(work, Place{0, "9506000140025", "", "Depot", 0, 7}, who_); }));
  EXPECT_EQ(state_of_lot(), LotState::kBlocked);
}

TEST_F(KnownTest, ACertificateIsTakenAwayAtOnce) {
  const auto partner = [&] {
    const auto found = seen([&](Work& work) { return partner_of_certificate(work, "shop-1"); });
    return *found ? (*found)->id : 0;
  };
  EXPECT_EQ(partner(), partner_);
  EXPECT_EQ(partner(), partner_);
  EXPECT_TRUE(done([&](Work& work) {
    return change(work, Partner{partner_, "Hospital", "9506000140001", "hospital", {}}, who_);
  }));
  EXPECT_EQ(partner(), 0);
}

TEST_F(KnownTest, NothingIsRememberedOfAChangeThatIsUndone) {
  EXPECT_EQ(state_of_lot(), LotState::kOpen);
  const auto undone = session_->transact([&](store::Session& session) -> Status {
    Work work{session, vault_, now_ms_, &known_};
    THERIAC_TRY(known_.begin(work));
    THERIAC_TRY(set_state(work, lot_, LotState::kReleased, who_));
    THERIAC_ASSIGN(const auto changed, lot(work, lot_));
    EXPECT_EQ(changed.state, LotState::kReleased);
    return fail(Code::kConflict, "undone");
  });
  EXPECT_FALSE(undone);
  EXPECT_EQ(state_of_lot(), LotState::kOpen);
}

TEST_F(KnownTest, IsForgottenWithTheKeys) {
  EXPECT_EQ(state_of_lot(), LotState::kOpen);
  change_unseen();
  keys_.refuse({Code::kRevoked, "serial"});
  const auto refused = seen([&](Work& work) { return lot(work, lot_); });
  EXPECT_EQ(refused.error().code, Code::kRevoked);
  keys_.allow();
  EXPECT_EQ(state_of_lot(), LotState::kBlocked);  // read anew
}

TEST_F(KnownTest, BeginsAnewAtItsLimit) {
  const auto put = [&](std::int64_t from, std::int64_t to) {
    EXPECT_TRUE(seen([&](Work&) -> Status {
      for (auto id = from; id < to; ++id) {
        Lot one;
        one.id = id;
        known_.put(one, std::to_string(id));
      }
      return {};
    }));
  };
  constexpr auto kMax = static_cast<std::int64_t>(kKnownRowsMax);
  put(0, kMax);
  EXPECT_NE(known_.find<Lot>(0), nullptr);
  EXPECT_NE(known_.find<Lot>("0"), nullptr);
  put(kMax, kMax + 1);
  EXPECT_EQ(known_.find<Lot>(0), nullptr);
  EXPECT_EQ(known_.find<Lot>("0"), nullptr);
  EXPECT_NE(known_.find<Lot>(kMax), nullptr);
}

}  // namespace
}  // namespace theriac::trace
