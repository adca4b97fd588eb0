#include "trace/master.hpp"

#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class MasterTest : public testing_support::Site {
 protected:
  template <typename T>
  std::string refusal(const T& one) {
    const auto added = done([&](Work& work) { return add(work, one, who_); });
    return added ? "added" : added.error().where;
  }
};

TEST_F(MasterTest, WhatWasAddedIsFound) {
  const auto found = done([&](Work& work) { return find_product(work, kGtin); });
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->id, product_);
  EXPECT_EQ((*found)->name_zh, "支架");
  EXPECT_EQ((*found)->prefix_length, 7);
  const auto lot = done([&](Work& work) { return find_lot(work, product_, "LOT1A"); });
  ASSERT_TRUE(lot && *lot);
  EXPECT_EQ((*lot)->id, lot_);
  EXPECT_EQ((*lot)->state, LotState::kOpen);
  EXPECT_EQ((*lot)->expires, "2027-10-01");
  EXPECT_FALSE(*done([&](Work& work) { return find_lot(work, product_, "LOT1B"); }));
  EXPECT_FALSE(*done([&](Work& work) { return find_product(work, "09506000134369"); }));
  const auto partner = done([&](Work& work) { return partner_of_certificate(work, "shop-1"); });
  ASSERT_TRUE(partner && *partner);
  EXPECT_EQ((*partner)->id, partner_);
  EXPECT_FALSE(*done([&](Work& work) { return partner_of_certificate(work, "shop-2"); }));
  EXPECT_EQ(done([&](Work& work) { return products(work, 0, 10); })->size(), 2U);
  EXPECT_EQ(done([&](Work& work) { return products(work, product_, 10); })->size(), 1U);
  EXPECT_EQ(done([&](Work& work) { return places(work, 0, 1); })->size(), 1U);
  EXPECT_EQ(done([&](Work& work) { return place(work, 99); }).error().code, Code::kNotFound);
}

TEST_F(MasterTest, WhatIsRefused) {
  auto product = a_product();
  EXPECT_EQ(refusal(product), "products");  // there already
  product.gtin = "09506000134353";
  EXPECT_EQ(refusal(product), "gtin");
  product.gtin = "09506000134369";
  product.level = "box";
  EXPECT_EQ(refusal(product), "level");
  product.level = "case";
  product.inner = 99;
  product.inner_count = 5;
  EXPECT_EQ(refusal(product), "products");
  product.inner = product_;
  product.inner_count = 0;
  EXPECT_EQ(refusal(product), "inner");
  product.inner_count = 5;
  product.prefix_length = 13;
  EXPECT_EQ(refusal(product), "prefixLength");
  product.prefix_length = 7;
  product.drug_code = "123456";
  EXPECT_EQ(refusal(product), "drugCode");
  product.drug_code = "1234567";
  EXPECT_EQ(refusal(product), "added");

  auto lot = a_lot(product_, "a lot");
  EXPECT_EQ(refusal(lot), "number");
  lot.number = "LOT1A";
  EXPECT_EQ(refusal(lot), "lots");
  lot.number = "LOT1B";
  lot.expires = "2027-02-30";
  EXPECT_EQ(refusal(lot), "expires");
  lot.expires = "2024-09-30";
  EXPECT_EQ(refusal(lot), "expires");
  lot.expires = "2027-09-30";
  lot.certificate_sha256 = "ab";
  EXPECT_EQ(refusal(lot), "certificateSha256");

  EXPECT_EQ(refusal(Partner{0, "", "9506000140018", "hospital", {}}), "name");
  EXPECT_EQ(refusal(Partner{0, "X", "9506000140019", "hospital", {}}), "gln");
  EXPECT_EQ(refusal(Partner{0, "X", "9506000140018", "friend", {}}), "kind");
  EXPECT_EQ(refusal(Partner{0, "X", "9506000140018", "hospital", {"shop-1"}}), "certificates");
  EXPECT_EQ(refusal(Place{0, "9506000140018", "", "again", 0, 7}), "places");
  EXPECT_EQ(refusal(Place{0, "9506000140018", "12", "dock", 0, 7}), "added");
}

TEST_F(MasterTest, ChangesKeepOldValuePersonAndReason) {
  auto product = a_product();
  product.id = product_;
  product.name = "Stent 3.0 x 20";
  const Who who{"regulatory-2", "desk", 0, "new length"};
  ASSERT_TRUE(done([&](Work& work) { return change(work, product, who); }));
  EXPECT_EQ(done([&](Work& work) { return trace::product(work, product_); })->name,
            "Stent 3.0 x 20");
  const auto notes = done([&](Work& work) { return changes_of(work, Record::kProduct, product_); });
  ASSERT_TRUE(notes);
  ASSERT_EQ(notes->size(), 2U);
  EXPECT_TRUE((*notes)[0].before.is_null());
  EXPECT_EQ((*notes)[1].before.at("name"), "Stent 3.0 x 18");
  EXPECT_EQ((*notes)[1].who.person, "regulatory-2");
  EXPECT_EQ((*notes)[1].who.reason, "new length");
  product.gtin = "09506000134369";
  EXPECT_EQ(done([&](Work& work) { return change(work, product, who); }).error().code,
            Code::kConflict);
}

TEST_F(MasterTest, LotsAreReleasedWithACertificate) {
  const auto set = [&](std::int64_t lot, LotState state) {
    const auto done_so = done([&](Work& work) { return set_state(work, lot, state, who_); });
    return done_so ? "done" : done_so.error().where;
  };
  auto bare = a_lot(product_, "LOT2");
  bare.certificate.clear();
  const auto id = done([&](Work& work) { return add(work, bare, who_); });
  ASSERT_TRUE(id);
  EXPECT_EQ(set(*id, LotState::kReleased), "the lot has no release certificate");
  EXPECT_EQ(set(*id, LotState::kBlocked), "done");
  EXPECT_EQ(set(*id, LotState::kOpen), "a lot is not opened again");
  EXPECT_EQ(set(lot_, LotState::kReleased), "done");
  EXPECT_EQ(set(lot_, LotState::kBlocked), "done");
  EXPECT_EQ(set(lot_, LotState::kReleased), "done");
  // A change of other members does not touch the state.
  auto changed = a_lot(product_, "LOT1A");
  changed.id = lot_;
  changed.made = "2024-10-02";
  ASSERT_TRUE(done([&](Work& work) { return change(work, changed, who_); }));
  EXPECT_EQ(done([&](Work& work) { return trace::lot(work, lot_); })->state, LotState::kReleased);
}

TEST_F(MasterTest, NothingReadableIsStored) {
  session_.reset();
  engine_.reset();
  const auto all = stored();
  EXPECT_GT(all.size(), 10'000U);
  EXPECT_NE(all.find("CREATE TABLE"), std::string::npos);  // the control
  for (const auto* secret :
       {"Stent", "支架", "LOT1A", "Hospital", "shop-1", "9506000134352", "CoA-17"}) {
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace theriac::trace
