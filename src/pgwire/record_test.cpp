#include "pgwire/record.hpp"

#include <gtest/gtest.h>

namespace theriac::pgwire {
namespace {

std::string again(std::string_view text) {
  const auto row = RecordValue::parse(view_of(text));
  if (!row) return "malformed";
  Bytes out;
  row->append_text(out);
  return std::string(text_of(out));
}

// As PostgreSQL 15 prints them.
TEST(Record, PrintsWhatPostgresPrints) {
  for (const auto* text :
       {"()", "(1)", "(,)", "(1,,x)", R"((""))", R"(("","a b"))", R"(("a""b","c\\d"))",
        R"x(("(x)","a,b"))x", "(\"a\tb\",Ünïcode)", R"x(("(1,""x y"")",2))x", R"(("\\x00ff",))"}) {
    EXPECT_EQ(again(text), text);
  }
}

TEST(Record, FieldsAreWhatTheyWere) {
  const auto row = RecordValue::parse(view_of(R"((1,,"","a""b\\c"))"));
  ASSERT_TRUE(row);
  ASSERT_EQ(row->fields.size(), 4U);
  EXPECT_EQ(text_of(*row->fields[0].value), "1");
  EXPECT_FALSE(row->fields[1].value);
  EXPECT_EQ(text_of(*row->fields[2].value), "");
  EXPECT_EQ(text_of(*row->fields[3].value), "a\"b\\c");
}

TEST(Record, WhatIsNotARowIsMalformed) {
  for (const auto* text : {"", "(", ")", "1", "(1", "1)", "(1)2)", R"x(("a))x", R"x(("a"b))x",
                           R"x((a"b"))x", R"x(("a\b"))x", "((1))", R"x((a\b))x"}) {
    EXPECT_EQ(again(text), "malformed") << text;
  }
}

TEST(Record, BinaryThereAndBack) {
  RecordValue row;
  row.fields.push_back({23, Bytes{0, 0, 0, 1}});
  row.fields.push_back({25, std::nullopt});
  row.fields.push_back({25, Bytes{}});
  Bytes sent;
  row.append_binary(sent);
  EXPECT_EQ(sent.size(), 4U + 12U + 8U + 8U);
  const auto read = RecordValue::from_binary(sent);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->fields.size(), 3U);
  EXPECT_EQ(read->fields[0].type_oid, 23U);
  EXPECT_EQ(read->fields[0].value, (Bytes{0, 0, 0, 1}));
  EXPECT_FALSE(read->fields[1].value);
  EXPECT_EQ(read->fields[2].value, Bytes{});
  // Every shorter or longer text is refused.
  for (std::size_t size = 0; size < sent.size(); ++size) {
    EXPECT_FALSE(RecordValue::from_binary(ByteView(sent).first(size))) << size;
  }
  sent.push_back(0);
  EXPECT_FALSE(RecordValue::from_binary(sent));
}

}  // namespace
}  // namespace theriac::pgwire
