#include "lease/holder.hpp"

#include <gtest/gtest.h>

namespace theriac::lease {
namespace {

using Step = Holder::Step;

const std::string kBoot(32, 'b');
const std::string kNonce(32, '1');
const std::string kOther(32, '2');

Holder make(Memory memory = {}) {
  return {Wanted{"demo", {"contact"}, {}}, kBoot, std::move(memory)};
}
codec::Json json(const std::string& text) { return *codec::parse_json(text); }

TEST(Holder, FirstALeaseThenRenewals) {
  auto holder = make();
  const auto first = json(holder.next(kNonce));
  EXPECT_EQ(first["op"], "lease");
  EXPECT_EQ(first["boot"], kBoot);
  EXPECT_EQ(first["nonce"], kNonce);
  EXPECT_EQ(first["classes"], codec::Json::array({"contact"}));
  EXPECT_FALSE(first.contains("token"));
  EXPECT_EQ(holder.granted("t1"), Step::kDone);
  EXPECT_FALSE(holder.repeats());
  const auto second = json(holder.next(kOther));
  EXPECT_EQ(second["op"], "renew");
  EXPECT_EQ(second["token"], "t1");
  EXPECT_EQ(second["nonce"], kOther);
}

TEST(Holder, TheSameBytesUntilAnswered) {
  auto holder = make({"t1", ""});
  const auto request = holder.next(kNonce);
  for (const auto code :
       {Code::kClosed, Code::kTimeout, Code::kIo, Code::kDiskFull, Code::kInternal, Code::kBusy,
        Code::kBadCertificate, Code::kClockMoved, Code::kNotAuthentic, Code::kRevoked}) {
    EXPECT_TRUE(is_unclear(code));
    EXPECT_EQ(holder.failed(code), Step::kDone);
    EXPECT_TRUE(holder.repeats());
    EXPECT_EQ(holder.next(kOther), request);
  }
  // Also by the next run of the program, whatever it wants.
  Holder next({"demo", {"formula"}, {}}, std::string(32, 'c'), holder.memory());
  EXPECT_EQ(next.next(kOther), request);
  EXPECT_EQ(next.granted("t2"), Step::kAgain) << "it asked for other classes";
  EXPECT_EQ(json(next.next(kNonce))["token"], "t2");
  EXPECT_EQ(json(next.next(kNonce))["classes"], codec::Json::array({"formula"}));
  EXPECT_EQ(next.granted("t3"), Step::kDone);
}

TEST(Holder, ALostTokenIsForgotten) {
  for (const auto code : {Code::kNotFound, Code::kConflict, Code::kLeaseReplayed, Code::kDenied}) {
    EXPECT_FALSE(is_unclear(code));
    auto holder = make({"t1", ""});
    holder.next(kNonce);
    EXPECT_EQ(holder.failed(code), code == Code::kNotFound ? Step::kAgain : Step::kDone);
    EXPECT_EQ(holder.memory().token, "");
    EXPECT_EQ(holder.memory().pending, "");
    EXPECT_EQ(json(holder.next(kNonce))["op"], "lease");
  }
}

TEST(Holder, ABadRequestKeepsATokenThatWasNotUsed) {
  for (const auto code : {Code::kProtocol, Code::kMismatch, Code::kTooLarge}) {
    auto holder = make({"t1", ""});
    holder.next(kNonce);
    EXPECT_EQ(holder.failed(code), Step::kDone);
    EXPECT_EQ(holder.memory().token, "t1");
    EXPECT_FALSE(holder.repeats());
  }
}

// It may have been carried out when it was first sent; with another request the token would then
// look like a copy's.
TEST(Holder, ABadRequestThatWasRepeatedTakesItsTokenAlong) {
  for (const auto code : {Code::kProtocol, Code::kMismatch, Code::kTooLarge}) {
    auto holder = make({"t1", ""});
    holder.next(kNonce);
    holder.failed(Code::kClosed);
    holder.next(kOther);
    EXPECT_EQ(holder.failed(code), Step::kAgain);
    EXPECT_EQ(holder.memory().token, "");
    EXPECT_EQ(json(holder.next(kOther))["op"], "lease");
  }
}

TEST(Holder, NoTokenAndNotFoundIsNotAskedTwice) {
  auto holder = make();
  holder.next(kNonce);
  EXPECT_EQ(holder.failed(Code::kNotFound), Step::kDone);
}

TEST(Holder, SuitesStandInTheRequest) {
  Holder holder({"demo", {"a", "b"}, {{"b", seal::Suite::kSm4Gcm}}}, kBoot, {});
  EXPECT_EQ(json(holder.next(kNonce))["suites"], (codec::Json{{"b", 2}}));
}

}  // namespace
}  // namespace theriac::lease
