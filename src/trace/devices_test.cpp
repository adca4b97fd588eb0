#include "trace/devices.hpp"

#include "trace/effectiveness.hpp"
#include "trace/limits.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class DevicesTest : public testing_support::Site {
 protected:
  DeviceReport report(DeviceAct act, const std::string& device) {
    now_ms_ += 1000;
    DeviceReport one{.act = act,
                     .device = device,
                     .unit = {},
                     .place = shop_,
                     .when_ms = now_ms_,
                     .person = "Nurse Wang",
                     .software = {},
                     .due_ms = {},
                     .fields = {{"patient", "PATIENT-4711"}},
                     .who = who_};
    one.who.reason = "REASON-0815";
    if (act == DeviceAct::kSoftware) one.software = "2.0";
    return one;
  }
  std::string tried(const DeviceReport& one) {
    const auto made = done([&](Work& work) { return record_device(work, one); });
    if (!made) return std::string(info_of(made.error().code).name);
    return std::string(*made ? name_of((*made)->state) : name_of(made->error()));
  }
  std::string tried(DeviceAct act, const std::string& device) { return tried(report(act, device)); }
  std::vector<DeviceRecord> records(std::int64_t id) {
    return *done([&](Work& work) { return records_of(work, id, 0, 100); });
  }
};

// The whole table, written down apart from the code.
TEST(DeviceActs, EveryActInEveryState) {
  struct Line {
    DeviceAct act;
    std::array<const char*, 4> outcome;  // nobody knows it, taken out, placed, in use
  };
  const auto np = "NotPlaced", ap = "AlreadyPlaced";
  const std::array<Line, kDeviceActs> lines{
      {{DeviceAct::kPlace, {"placed", "placed", ap, ap}},
       {DeviceAct::kInstall, {np, np, "in-use", "AlreadyInstalled"}},
       {DeviceAct::kMove, {np, np, "placed", "in-use"}},
       {DeviceAct::kService, {np, np, "placed", "in-use"}},
       {DeviceAct::kCalibrate, {np, np, "placed", "in-use"}},
       {DeviceAct::kSoftware, {np, np, "placed", "in-use"}},
       {DeviceAct::kTakeOut, {np, np, "taken-out", "taken-out"}}}};
  const std::array<std::optional<DeviceState>, 4> states{std::nullopt, DeviceState::kTakenOut,
                                                         DeviceState::kPlaced, DeviceState::kInUse};
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < states.size(); ++i) {
      const auto made = decide(states[i], line.act);
      EXPECT_EQ(made ? name_of(*made) : name_of(made.error()), line.outcome[i])
          << name_of(line.act) << " " << i;
    }
  }
  for (std::size_t i = 0; i < kDeviceActs; ++i) {
    EXPECT_EQ(device_act_named(name_of(static_cast<DeviceAct>(i))), static_cast<DeviceAct>(i));
  }
  EXPECT_EQ(device_act_named("explode"), std::nullopt);
  EXPECT_EQ(device_state_named("in-use"), DeviceState::kInUse);
}

TEST_F(DevicesTest, ALifeWithItsUsers) {
  const auto item = commissioned(1)[0];
  release();
  EXPECT_EQ(tried(DeviceAct::kInstall, item), "NotPlaced");
  EXPECT_EQ(tried(DeviceAct::kPlace, item), "placed");
  EXPECT_EQ(tried(DeviceAct::kInstall, item), "in-use");
  auto calibrated = report(DeviceAct::kCalibrate, item);
  calibrated.due_ms = now_ms_ + 300 * testing_support::kDay;
  calibrated.software = "1.9";
  EXPECT_EQ(tried(calibrated), "in-use");
  EXPECT_EQ(tried(DeviceAct::kSoftware, item), "in-use");
  auto moved = report(DeviceAct::kMove, item);
  moved.place = plant_;
  EXPECT_EQ(tried(moved), "in-use");
  EXPECT_EQ(tried(DeviceAct::kService, item), "OtherPlace");
  auto out = report(DeviceAct::kTakeOut, item);
  out.place = plant_;
  EXPECT_EQ(tried(out), "taken-out");
  EXPECT_EQ(tried(DeviceAct::kPlace, item), "placed");  // refurbished, at another user's

  const auto found = *done([&](Work& work) { return find_device(work, item, ""); });
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->software, "2.0");
  EXPECT_EQ((*found)->lot, lot_);
  EXPECT_EQ((*found)->due_ms, *calibrated.due_ms);
  EXPECT_EQ((*found)->link(), item);
  const auto all = records((*found)->id);
  ASSERT_EQ(all.size(), 7U);
  EXPECT_TRUE(all[0].before.is_null());
  EXPECT_EQ(all[3].act, DeviceAct::kSoftware);
  EXPECT_EQ(all[3].before.at("software"), "1.9");
  EXPECT_EQ(all[3].software, "2.0");
  EXPECT_EQ(all[3].person, "Nurse Wang");
  EXPECT_EQ(all[3].by, "operator-1");
  EXPECT_EQ(all[3].reason, "REASON-0815");
  EXPECT_EQ(all[3].fields.at("patient"), "PATIENT-4711");
  EXPECT_EQ(all[4].before.at("place"), shop_);
  EXPECT_EQ(all[5].before.at("state"), "in-use");

  // Of all that nothing stands in the store.
  const auto bytes = stored();
  for (const auto* text : {"PATIENT-4711", "Nurse Wang", "REASON-0815"}) {
    EXPECT_EQ(bytes.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(bytes.find(item.substr(item.rfind('/') + 1)), std::string::npos);
}

TEST_F(DevicesTest, WhatMayNotBeWithAUser) {
  const auto items = commissioned(5);
  release();
  EXPECT_EQ(refusals(request(Act::kDecommission, {items[0]})), "");
  EXPECT_EQ(tried(DeviceAct::kPlace, items[0]), "IsDecommissioned");
  EXPECT_EQ(refusals(request(Act::kReportStolen, {items[1]})), "");
  EXPECT_EQ(tried(DeviceAct::kPlace, items[1]), "IsStolen");
  EXPECT_EQ(tried(DeviceAct::kPlace, issue(1)[0]), "UnknownItem");
  EXPECT_EQ(tried(DeviceAct::kPlace, "(01)09506000134352(21)NOBODY"), "UnknownItem");
  EXPECT_EQ(tried(DeviceAct::kPlace, "(01)09506000134369(21)NOBODY"), "UnknownProduct");
  EXPECT_EQ(tried(DeviceAct::kPlace, sscc(1)), "NotAnIdentifier");
  EXPECT_EQ(tried(DeviceAct::kPlace, "?"), "NotAnIdentifier");
  auto future = report(DeviceAct::kPlace, items[2]);
  future.when_ms = now_ms_ + kFutureMs + 1;
  EXPECT_EQ(tried(future), "InTheFuture");
  future.when_ms = now_ms_ + kFutureMs;
  EXPECT_EQ(tried(future), "placed");
  auto early = report(DeviceAct::kService, items[2]);
  EXPECT_EQ(tried(early), "BeforeLastAct");
  auto nowhere = report(DeviceAct::kPlace, items[3]);
  nowhere.place = kNowhere;
  EXPECT_EQ(tried(nowhere), "NoPlace");
  nowhere.place = 99;
  EXPECT_EQ(tried(nowhere), "NotFound");
  // Expired: its first use is past, to take it out is not.
  EXPECT_EQ(tried(DeviceAct::kPlace, items[4]), "placed");
  now_ms_ += 4000 * testing_support::kDay;
  EXPECT_EQ(tried(DeviceAct::kInstall, items[4]), "IsExpired");
  EXPECT_EQ(tried(DeviceAct::kTakeOut, items[4]), "taken-out");
  EXPECT_EQ(tried(DeviceAct::kPlace, items[4]), "IsExpired");
}

TEST_F(DevicesTest, WhatIsSaidHasLimits) {
  const auto item = commissioned(1)[0];
  const auto without = [&](auto change) {
    auto one = report(DeviceAct::kPlace, item);
    change(one);
    return done([&](Work& work) { return record_device(work, one); }).error();
  };
  EXPECT_EQ(without([](DeviceReport& one) { one.person.clear(); }).where, "person");
  EXPECT_EQ(without([](DeviceReport& one) { one.person.assign(kNameBytesMax + 1, 'x'); }).code,
            Code::kTooLarge);
  EXPECT_EQ(without([](DeviceReport& one) { one.unit.assign(kNameBytesMax + 1, 'x'); }).where,
            "unit");
  EXPECT_EQ(without([](DeviceReport& one) { one.act = DeviceAct::kSoftware; }).where, "software");
  EXPECT_EQ(
      without([](DeviceReport& one) { one.act = DeviceAct::kTakeOut, one.who.reason = ""; }).where,
      "reason");
  EXPECT_EQ(without([](DeviceReport& one) { one.due_ms = -1; }).where, "due");
  EXPECT_EQ(without([](DeviceReport& one) { one.fields[""] = "x"; }).code, Code::kMalformed);
  EXPECT_EQ(without([](DeviceReport& one) {
              one.fields["x"].assign(kDeviceFieldBytesMax + 1, 'x');
            }).code,
            Code::kTooLarge);
  EXPECT_EQ(without([](DeviceReport& one) {
              for (std::size_t i = 0; i < kDeviceFieldsMax; ++i) one.fields[std::to_string(i)] = "";
            }).code,
            Code::kTooLarge);  // and the patient's
  auto most = report(DeviceAct::kPlace, item);
  most.person.assign(kNameBytesMax, 'x');
  most.fields.clear();
  for (std::size_t i = 0; i < kDeviceFieldsMax; ++i) {
    most.fields[std::to_string(i)].assign(kDeviceFieldBytesMax, 'x');
  }
  EXPECT_EQ(tried(most), "placed");
}

TEST_F(DevicesTest, OneWithoutSerialIsKnownByItsUnit) {
  commissioned(1);
  const std::string udi = "(01)09506000134352(10)LOT1A";
  EXPECT_EQ(tried(DeviceAct::kPlace, udi), "NoUnit");
  auto one = report(DeviceAct::kPlace, udi);
  one.unit = "bed 7";
  EXPECT_EQ(tried(one), "placed");
  EXPECT_EQ(tried(one), "AlreadyPlaced");
  one.unit = "bed 8";
  EXPECT_EQ(tried(one), "placed");
  one.device = "(01)09506000134352(10)NOLOT";
  EXPECT_EQ(tried(one), "NoLot");
  one.device = "urn:epc:class:lgtin:9506000.013435.LOT1A";  // the same, in another form
  EXPECT_EQ(tried(one), "AlreadyPlaced");
  const auto found = *done([&](Work& work) { return find_device(work, udi, "bed 7"); });
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->unit, "bed 7");
  EXPECT_EQ((*found)->lot, lot_);
  EXPECT_FALSE(*(*done([&](Work& work) { return find_device(work, udi, "bed 9"); })));
}

TEST_F(DevicesTest, APartnerReportsOnItsOwn) {
  const auto items = commissioned(2);
  release();
  auto theirs = report(DeviceAct::kPlace, items[0]);
  theirs.who.partner = partner_;
  EXPECT_EQ(tried(theirs), "UnknownItem");  // it is at the plant
  EXPECT_EQ(refusals(request(Act::kShip, {items[0]})), "");
  theirs.when_ms = now_ms_;
  EXPECT_EQ(tried(theirs), "placed");
  auto elsewhere = report(DeviceAct::kMove, items[0]);
  elsewhere.who.partner = partner_;
  elsewhere.place = plant_;
  EXPECT_EQ(tried(elsewhere), "Denied");
  // Another's device is as unknown as one that is not there.
  auto ours = report(DeviceAct::kPlace, items[1]);
  ours.place = plant_;
  EXPECT_EQ(tried(ours), "placed");
  auto spied = report(DeviceAct::kService, items[1]);
  spied.who.partner = partner_;
  EXPECT_EQ(tried(spied), "UnknownItem");
}

TEST_F(DevicesTest, ListsAndRecallsFindThem) {
  const auto items = commissioned(4);
  release();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(tried(DeviceAct::kPlace, items[i]), "placed");
  EXPECT_EQ(tried(DeviceAct::kInstall, items[1]), "in-use");
  auto due = report(DeviceAct::kService, items[2]);
  due.due_ms = now_ms_ + 10;
  EXPECT_EQ(tried(due), "placed");
  const auto listed = [&](const DeviceFilter& filter) {
    return done([&](Work& work) { return devices(work, filter, 0, 10); })->size();
  };
  EXPECT_EQ(listed({}), 3U);
  EXPECT_EQ(listed({.lot = lot_}), 3U);
  EXPECT_EQ(listed({.lot = lot_ + 50}), 0U);
  EXPECT_EQ(listed({.product = product_}), 3U);
  EXPECT_EQ(listed({.product = case_}), 0U);
  EXPECT_EQ(listed({.partner = partner_}), 3U);
  EXPECT_EQ(listed({.place = plant_}), 0U);
  EXPECT_EQ(listed({.state = DeviceState::kInUse}), 1U);
  EXPECT_EQ(listed({.due_until_ms = *due.due_ms}), 1U);
  EXPECT_EQ(listed({.due_until_ms = *due.due_ms - 1}), 0U);
  EXPECT_EQ(done([&](Work& work) { return devices(work, {}, 1, 1); })->size(), 1U);

  auto who = who_;
  who.reason = "broken tips";
  const std::vector<std::string> list{items[1]};
  const auto opened = done([&](Work& work) { return open_recall(work, "I", {}, list, who); });
  ASSERT_TRUE(opened);
  const auto sum = done([&](Work& work) { return effectiveness(work, opened->id); });
  ASSERT_TRUE(sum) << sum.error().message();
  ASSERT_EQ(sum->devices.size(), 1U);
  EXPECT_EQ(sum->devices[0].state, DeviceState::kInUse);
  EXPECT_EQ(sum->devices[0].place, shop_);
  EXPECT_EQ(sum->devices[0].count, 1);
  const std::vector<std::int64_t> lots{lot_};
  const auto whole = done([&](Work& work) { return open_recall(work, "I", lots, {}, who); });
  const auto all = done([&](Work& work) { return effectiveness(work, whole->id); });
  ASSERT_EQ(all->devices.size(), 2U);
  EXPECT_EQ(all->devices[0].count + all->devices[1].count, 3);
  EXPECT_EQ(tried(DeviceAct::kPlace, items[3]), "IsRecalled");
  EXPECT_EQ(tried(DeviceAct::kInstall, items[0]), "IsRecalled");
  EXPECT_EQ(tried(DeviceAct::kTakeOut, items[0]), "taken-out");
}

}  // namespace
}  // namespace theriac::trace
