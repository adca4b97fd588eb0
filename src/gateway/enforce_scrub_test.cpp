// What of the server's texts reaches the client: no helper, and a kept view under its own name.
#include "gateway/enforce_scrub.hpp"

#include <gtest/gtest.h>

#include "pgwire/messages.hpp"
#include "rewrite/test_catalogue.hpp"

namespace theriac::gateway {
namespace {

std::string scrubbed(std::string_view detail, bool rewritten = false) {
  std::string body("SERROR");
  body += '\0';
  body += "C2BP01";
  body += '\0';
  body += "D" + std::string(detail);
  body += '\0';
  body += '\0';
  Bytes out;
  write_scrubbed(out, 'E', view_of(body), rewrite::testing::test_catalogue(), rewritten);
  for (const auto& field : pgwire::read_notice(ByteView(out).subspan(5))) {
    if (field.code == 'D') return std::string(field.text);
  }
  return "none";
}

TEST(Scrub, KeptViewsGoByTheViewsName) {
  EXPECT_EQ(scrubbed("view theriac.view_known depends on column name of table party"),
            "view known depends on column name of table party");
  EXPECT_EQ(scrubbed("view theriac.\"view_My View\" depends on table party"),
            "view \"My View\" depends on table party");
  EXPECT_EQ(scrubbed("view known depends on table party\n"
                     "view theriac.view_known depends on table party\n"
                     "view lots depends on view known"),
            "view known depends on table party\nview lots depends on view known");
}

TEST(Scrub, HelpersAndRewrittenDetailsAreNotTold) {
  EXPECT_EQ(scrubbed("column theriac_sealed_1 of table customers"), "none");
  EXPECT_EQ(scrubbed("view theriac.view_known depends on table party", true), "none");
  EXPECT_EQ(scrubbed("Key (id)=(7) already exists."), "Key (id)=(7) already exists.");
  EXPECT_EQ(without_helper_names("null value in column \"theriac_sealed_1\"",
                                 rewrite::testing::test_catalogue()),
            "null value in column \"name\"");
  EXPECT_EQ(without_helper_names("theriac_rows", rewrite::testing::test_catalogue()),
            "theriac_rows");
  for (const std::string_view helper : {"theriac_row", "theriac_index_q12"}) {
    EXPECT_EQ(without_helper_names("column \"t." + std::string(helper) + "\" must appear",
                                   rewrite::testing::test_catalogue()),
              "column \"t.(protected)\" must appear");
  }
}

}  // namespace
}  // namespace theriac::gateway
