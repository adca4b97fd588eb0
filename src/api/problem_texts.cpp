#include "api/api.hpp"

namespace theriac::api {
namespace {

class ChineseTexts final : public http::ProblemTexts {
 public:
  [[nodiscard]] std::vector<std::string> languages() const override { return {"zh"}; }
  [[nodiscard]] std::optional<Text> find(Code code, std::string_view language) const override {
    if (language != "zh") return std::nullopt;
    switch (code) {
#define THERIAC_CHINESE(name, title, detail) \
  case Code::k##name:                        \
    return Text{title, detail};
#include "api/problem_texts.inc"
#undef THERIAC_CHINESE
      default:
        return std::nullopt;
    }
  }
};

}  // namespace

const http::ProblemTexts& problem_texts() {
  static const ChineseTexts kTexts;
  return kTexts;
}

Language language_of(const http::Request& request) {
  const auto asked = request.field("Accept-Language").value_or("");
  return http::choose_language(asked, problem_texts().languages()) == "zh" ? Language::kChinese
                                                                           : Language::kEnglish;
}

}  // namespace theriac::api
