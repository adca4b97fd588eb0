#include "pki/frame.hpp"

#include <gtest/gtest.h>

namespace theriac::pki {
namespace {

TEST(Frame, PrefixIsTheSize) {
  const auto made = frame(view_of("abc"));
  EXPECT_EQ(made, (Bytes{0, 0, 0, 3, 'a', 'b', 'c'}));
  EXPECT_EQ(frame_size(ByteView(made).first(4)), 3U);
}

TEST(Frame, LimitIsTheLimit) {
  Bytes prefix;
  append_be(prefix, static_cast<std::uint32_t>(kFrameBytesMax));
  EXPECT_EQ(frame_size(prefix), kFrameBytesMax);
  prefix.clear();
  append_be(prefix, static_cast<std::uint32_t>(kFrameBytesMax + 1));
  EXPECT_EQ(frame_size(prefix).error().code, Code::kTooLarge);
  EXPECT_EQ(frame_size(Bytes{0, 0, 0, 0}).error().code, Code::kProtocol);
  EXPECT_EQ(frame_size(Bytes{255, 255, 255, 255}).error().code, Code::kTooLarge);
}

TEST(Frame, OnlyTheCanonicalFormIsRead) {
  EXPECT_EQ((*parse_frame(view_of(R"({"a":1,"b":"x"})")))["b"], "x");
  for (const char* text :
       {R"({"b":"x","a":1})", R"({ "a":1})", R"({"a":1.0})", R"({"a":1,"a":1})",
        R"({"a":"\u0078"})", "{\"a\":1}\n", "[1]", "1", "null", "", "{", "\xff", R"({"a":1e0})"}) {
    EXPECT_EQ(parse_frame(view_of(text)).error().code, Code::kProtocol) << text;
  }
}

TEST(Frame, JsonGoesThereAndBack) {
  const codec::Json json = {{"z", 1}, {"a", "张\n"}, {"list", {1, true, nullptr}}};
  const auto made = json_frame(json);
  ASSERT_TRUE(made);
  EXPECT_EQ(*parse_frame(ByteView(*made).subspan(kFramePrefixBytes)), json);
  EXPECT_EQ(json_frame({{"a", std::string(kFrameBytesMax, 'x')}}).error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace theriac::pki
