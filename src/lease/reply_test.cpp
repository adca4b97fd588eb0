#include "lease/reply.hpp"

#include <gtest/gtest.h>

#include "lease/limits.hpp"

namespace theriac::lease {
namespace {

using codec::Json;

Answer answer(const Json& more) {
  Answer made;
  made.body = {{"token", "t"},
               {"ttl_ms", 60'000},
               {"tenant", "00000000-0000-0000-0000-000000000001"},
               {"revoked", Json::array()},
               {"keys", Json::array()}};
  made.body.update(more);
  return made;
}

TEST(LeaseReply, RevokedCertificatesAreKnownByTheirSerials) {
  const auto without = read_lease(answer(Json::object()), 1, 1);
  ASSERT_TRUE(without) << without.error().message();
  EXPECT_FALSE(without->ring.is_revoked_certificate("0a"));
  const auto with = read_lease(answer({{"revoked_certificates", {"0c", "0a"}}}), 1, 1);
  ASSERT_TRUE(with) << with.error().message();
  EXPECT_TRUE(with->ring.is_revoked_certificate("0a"));
  EXPECT_TRUE(with->ring.is_revoked_certificate("0c"));
  EXPECT_FALSE(with->ring.is_revoked_certificate("0b"));
  EXPECT_FALSE(with->ring.is_revoked_certificate(""));
}

TEST(LeaseReply, AListThatIsNoneIsNotBelieved) {
  auto many = Json::array();
  for (std::size_t i = 0; i < kRevokedCertificatesMax; ++i) many.push_back("0a");
  EXPECT_TRUE(read_lease(answer({{"revoked_certificates", many}}), 1, 1));
  many.push_back("0a");
  for (const auto& wrong : {Json("0a"), Json(1), Json::object(), Json::array({1}), many}) {
    EXPECT_EQ(read_lease(answer({{"revoked_certificates", wrong}}), 1, 1).error().code,
              Code::kProtocol);
  }
}

}  // namespace
}  // namespace theriac::lease
