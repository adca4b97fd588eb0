#include "cli/policy_explain.hpp"

#include <gtest/gtest.h>

namespace theriac::cli {
namespace {

policy::Policy a_policy() {
  return policy::parse_policy(
             "version: 1\ntenant: t\nclasses: {contact: {}, price: {}}\ncolumns:\n"
             "  - {table: public.c, column: name, class: contact, searchable: true}\n"
             "  - {table: public.c, column: phone, class: contact}\n"
             "  - {table: public.c, column: cost, class: price}\n"
             "roles:\n"
             "  shop:\n"
             "    contact:\n"
             "      mask: pseudonym\n"
             "      recipient: r\n"
             "      search: allowed\n"
             "      columns:\n"
             "        public.c.phone: {mask: phone}\n"
             "    price: {mask: band, size: 100}\n"
             "  owner: {contact: clear}\n",
             "p")
      .value();
}

TEST(PolicyExplain, SaysWhatARoleSeesAndWhy) {
  const auto rows = explain(a_policy(), {.role = "shop"}).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["sees"], "pseudonym");
  EXPECT_EQ(rows[0]["shown"].get<std::string>().size(), policy::kPseudonymCharacters);
  EXPECT_TRUE(rows[0]["search"].get<bool>());
  EXPECT_EQ(rows[0]["line"], 11);
  EXPECT_EQ(rows[1]["shown"], "138****5678");
  EXPECT_EQ(rows[1]["line"], 15);
  EXPECT_FALSE(rows[1]["write"].get<bool>());
  EXPECT_EQ(rows[2]["shown"], "12300.00");
}

TEST(PolicyExplain, TakesASampleAndOneColumn) {
  const auto rows =
      explain(a_policy(), {.role = "shop", .column = "public.c.cost", .sample = "-5"}).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["shown"], "-100");
  EXPECT_EQ(explain(a_policy(), {.role = "shop", .column = "public.c.none"}).error().code,
            Code::kNotFound);
  EXPECT_FALSE(explain(a_policy(), {.role = "shop", .column = "public.c.cost", .sample = "five"}));
}

TEST(PolicyExplain, WhoHasNoRuleIsDenied) {
  const auto rows = explain(a_policy(), {.role = "nobody"}).value();
  for (const auto& row : rows) {
    EXPECT_EQ(row["sees"], "denied");
    EXPECT_EQ(row["line"], 0);
    EXPECT_FALSE(row.contains("shown"));
  }
  const auto owner = explain(a_policy(), {.role = "owner"}).value();
  EXPECT_EQ(owner[0]["sees"], "clear");
  EXPECT_EQ(owner[2]["sees"], "denied");
}

}  // namespace
}  // namespace theriac::cli
