// A small maker for the tests of this folder: a store, keys, a product with its case, a lot,
// places.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "crypto/random.hpp"
#include "trace/master.hpp"
#include "trace/pools.hpp"
#include "trace/schema.hpp"
#include "trace/test_support.hpp"
#include "trace/tracker.hpp"

namespace theriac::trace::testing_support {

constexpr std::int64_t kDay = 24LL * 60 * 60 * 1000;

class Site : public ::testing::Test {
 protected:
  static constexpr std::string_view kGtin = "09506000134352", kCaseGtin = "19506000134359";

  Site() {
    std::filesystem::create_directories(folder_);
    auto engine =
        store::open_engine({.where = "sqlite:" + (folder_ / "trace.db").string()}, kTraceSchema);
    THERIAC_ASSERT(engine.has_value());
    engine_ = std::move(*engine);
    session_ = std::move(*engine_->connect());
    make_master();
  }
  ~Site() override {
    session_.reset();
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// In a transaction of its own.
  template <typename F>
  auto done(F work_of) -> decltype(work_of(std::declval<Work&>())) {
    decltype(work_of(std::declval<Work&>())) result = fail(Code::kInternal, "not run");
    const auto status = session_->transact([&](store::Session& session) -> Status {
      Work work{session, vault_, now_ms_};
      result = work_of(work);
      if (!result) return fail(result.error());
      return {};
    });
    if (!status && result) return fail(status.error());
    return result;
  }

  ActOutcome must(const ActRequest& request) {
    auto outcome = done([&](Work& work) { return act(work, request); });
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message());
    return outcome ? std::move(*outcome) : ActOutcome{};
  }
  /// Refusals as "0:IsPacked 3:Cycle", or "" when all was done.
  std::string refusals(const ActRequest& request) {
    std::string out;
    for (const auto& one : must(request).refused) {
      out +=
          (out.empty() ? "" : " ") + std::to_string(one.at) + ":" + std::string(name_of(one.why));
    }
    return out;
  }
  ActRequest request(Act what, std::vector<std::string> items, std::string container = {}) {
    now_ms_ += 1000;
    ActRequest one{.act = what,
                   .place = plant_,
                   .when_ms = now_ms_,
                   .items = std::move(items),
                   .container = std::move(container),
                   .lot = lot_,
                   .who = who_};
    if (what == Act::kShip) one.to = shop_;
    return one;
  }

  std::string link(std::string_view serial, std::string_view gtin = kGtin) {
    return Identity{{}, 1, std::string(gtin), std::string(serial)}.link();
  }
  static std::string sscc(int number) {
    const auto digits = fmt::format("09506000{:09}", number);
    return "https://id.gs1.org/00/" + digits + *gs1::check_digit(digits);
  }

  /// Numbers of a new allocation, as links.
  std::vector<std::string> issue(std::int64_t count, bool cases = false) {
    const auto drawn = done([&](Work& work) -> Result<std::vector<std::string>> {
      THERIAC_ASSIGN(const auto issued, allocate(work, cases ? case_pool_ : pool_, count,
                                                 cases ? case_lot_ : lot_, plant_, who_));
      last_allocation_ = issued;
      return numbers_of(work, issued);
    });
    EXPECT_TRUE(drawn) << (drawn ? "" : drawn.error().message());
    std::vector<std::string> links;
    for (const auto& serial : *drawn) links.push_back(link(serial, cases ? kCaseGtin : kGtin));
    return links;
  }
  std::vector<std::string> commissioned(std::int64_t count) {
    auto links = issue(count);
    EXPECT_EQ(refusals(request(Act::kCommission, links)), "");
    return links;
  }
  void release() {
    EXPECT_TRUE(done([&](Work& work) { return set_state(work, lot_, LotState::kReleased, who_); }));
  }
  /// Every byte that is stored.
  std::string stored() {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::ifstream file(entry.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }
  State state_of(const std::string& text) {
    auto found = done([&](Work& work) -> Result<std::optional<ItemRow>> {
      Identifier identifier(work);
      THERIAC_ASSIGN(const auto one, identifier.identify(text));
      return read_item(work, one->key);
    });
    return found && *found ? (*found)->state : State::kAllocated;
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      fmt::format("theriac-trace-{}-{}", ::getpid(),
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::int64_t now_ms_ = 20'000 * kDay;
  SwitchedKeys keys_{fixed_ring()};
  crypto::SystemRandom random_;
  Vault vault_{keys_, random_};
  std::unique_ptr<store::Engine> engine_;
  std::unique_ptr<store::Session> session_;
  Who who_{"operator-1", "line-1", 0, "test"};
  Allocation last_allocation_;
  std::int64_t product_ = 0, case_ = 0, lot_ = 0, case_lot_ = 0, plant_ = 0, shop_ = 0,
               partner_ = 0, pool_ = 0, case_pool_ = 0;

  Product a_product() {
    Product one;
    one.gtin = kGtin;
    one.name = "Stent 3.0 x 18";
    one.name_zh = "支架";
    one.level = "each";
    one.prefix_length = 7;
    one.kind = "device";
    return one;
  }
  Lot a_lot(std::int64_t product, std::string number) {
    Lot one;
    one.product = product;
    one.number = std::move(number);
    one.made = "2024-10-01";
    one.expires = "2027-10-01";
    one.certificate = "CoA-17";
    one.certificate_sha256 = std::string(64, 'a');
    return one;
  }

 private:
  void make_master() {
    const auto made = done([&](Work& work) -> Status {
      THERIAC_ASSIGN(product_, add(work, a_product(), who_));
      auto box = a_product();
      box.gtin = kCaseGtin;
      box.level = "case";
      box.inner = product_;
      box.inner_count = 10;
      THERIAC_ASSIGN(case_, add(work, box, who_));
      THERIAC_ASSIGN(lot_, add(work, a_lot(product_, "LOT1A"), who_));
      THERIAC_ASSIGN(case_lot_, add(work, a_lot(case_, "LOT1A"), who_));
      THERIAC_ASSIGN(
          partner_,
          add(work, Partner{0, "Hospital", "9506000140001", "hospital", {"shop-1"}}, who_));
      THERIAC_ASSIGN(plant_, add(work, Place{0, "9506000140018", "", "Plant", 0, 7}, who_));
      THERIAC_ASSIGN(shop_,
                     add(work, Place{0, "9506000140001", "", "Hospital", partner_, 7}, who_));
      const NumberRule rule{12, std::string(kClearCharacters), "", "", 1'000'000};
      THERIAC_ASSIGN(pool_, make_pool(work, product_, rule, who_));
      THERIAC_ASSIGN(case_pool_, make_pool(work, case_, rule, who_));
      return {};
    });
    THERIAC_ASSERT(made.has_value());
  }
};

}  // namespace theriac::trace::testing_support
