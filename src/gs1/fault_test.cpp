#include "gs1/fault.hpp"

#include <set>

#include "gs1/testing.hpp"

namespace theriac::gs1 {
namespace {

TEST(Fault, SentencesAreFilledIn) {
  const Fault fault{FaultCode::kValueTooLong, 16, "10", {}, 20, 24};
  EXPECT_EQ(explain(fault, Language::kEnglish),
            "Character 17: the value of (10) is too long: 24 characters where 20 are allowed");
  EXPECT_EQ(explain(fault, Language::kChinese), "第 17 个字符：(10) 的内容过长：24 位，最多 20 位");
}

TEST(Fault, AlternativesAreReadable) {
  const Fault fault{FaultCode::kRequiredMissing, 1, "250", "01+21,8006+21,37", 0, 0};
  EXPECT_EQ(explain(fault, Language::kEnglish),
            "(250) needs (01) with (21), or (8006) with (21), or (37) beside it");
  EXPECT_EQ(explain(fault, Language::kChinese),
            "(250) 必须与 (01) 加 (21)，或 (8006) 加 (21)，或 (37) 同时出现");
}

TEST(Fault, EveryCodeHasWordsInBothLanguages) {
  std::set<std::string> sentences;
  for (std::size_t i = 0; i < kFaultCodeCount; ++i) {
    const Fault fault{static_cast<FaultCode>(i), 4, "AI", "OTHER", 77, 88};
    for (const auto language : {Language::kEnglish, Language::kChinese}) {
      const auto sentence = explain(fault, language);
      EXPECT_EQ(sentence.find_first_of("{}"), std::string::npos) << sentence;
      EXPECT_TRUE(sentences.insert(sentence).second) << "said twice: " << sentence;
    }
    EXPECT_FALSE(name_of(fault.code).empty());
  }
}

TEST(Fault, AsAnErrorItNamesThePlace) {
  const auto error = error_of({FaultCode::kCheckDigit, 16, "01", {}, 1, 2});
  EXPECT_EQ(error.code, Code::kMalformed);
  EXPECT_EQ(error.where, "CheckDigit in (01) at character 17");
  EXPECT_EQ(error_of({FaultCode::kEmpty, 0, {}, {}, 0, 0}).where, "Empty at character 1");
}

}  // namespace
}  // namespace theriac::gs1
