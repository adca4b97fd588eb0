#include "rewrite/positions.hpp"

#include <gtest/gtest.h>

namespace theriac::rewrite {
namespace {

std::optional<std::size_t> at(const std::string& sent, std::string_view token,
                              const std::string& text) {
  return position_in_text(sent, sent.find(token) + 1, text);
}

TEST(Positions, FindTheSameTokenInTheClientsText) {
  const std::string sent = "SELECT a, nope FROM theriac_catalog.pg_class pg_class WHERE b = 'x'";
  const std::string text = "select a , NOPE\nfrom pg_class where b='x'";
  EXPECT_EQ(at(sent, "nope", text), text.find("NOPE") + 1);
  EXPECT_EQ(at(sent, "'x'", text), text.find("'x'") + 1);
  EXPECT_EQ(at("SELECT \"A b\", \"A b\"", "\"A b\"", "SELECT \"A b\" , \"A b\""), 8U);
}

TEST(Positions, CountCharacters) {
  EXPECT_EQ(position_in_text("SELECT '\u00e4', nope", 13, "SELECT  '\u00e4' ,nope"), 14U);
}

TEST(Positions, SayNothingThatIsNotCertain) {
  const std::string sent = "SELECT x FROM theriac_catalog.pg_class pg_class";
  const std::string text = "SELECT x FROM pg_class";
  EXPECT_EQ(at(sent, "pg_class", text), std::nullopt);  // twice there, once here
  EXPECT_EQ(position_in_text(sent, 0, text), std::nullopt);
  EXPECT_EQ(position_in_text(sent, 9, text), std::nullopt);  // no token begins there
  EXPECT_EQ(position_in_text(sent, 900, text), std::nullopt);
  EXPECT_EQ(position_in_text("SELECT 'open", 8, "SELECT 'open"), std::nullopt);
}

}  // namespace
}  // namespace theriac::rewrite
