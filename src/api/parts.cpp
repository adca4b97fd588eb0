#include "api/parts.hpp"

#include <charconv>

#include "api/limits.hpp"
#include "trace/limits.hpp"

namespace theriac::api {

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::int64_t Call::id() const { return number_of(request.path_part("id")).value_or(0); }

Result<Page> page_of(const Call& call) {
  Page page{.after = 0, .limit = kPageRows};
  if (const auto cursor = call.request.query.find("cursor")) {
    const auto after = number_of(*cursor);
    if (!after || *after < 0) return fail(Code::kMalformed, "cursor");
    page.after = *after;
  }
  if (const auto limit = call.request.query.find("limit")) {
    const auto rows = number_of(*limit);
    if (!rows || *rows < 1 || *rows > trace::kPageRowsMax) return fail(Code::kMalformed, "limit");
    page.limit = *rows;
  }
  return page;
}

Status check_ours(const Call& call) {
  if (call.who.partner != 0) return fail(Code::kDenied, "not for partners");
  return {};
}

Result<std::string> reason_of(Body& body) {
  THERIAC_ASSIGN(auto reason, body.text("reason"));
  if (reason.empty()) return fail(Code::kMalformed, "reason");
  if (reason.size() > kReasonBytesMax) return fail(Code::kTooLarge, "reason");
  return reason;
}

codec::Json show_refused(const std::vector<trace::RefusedItem>& refused, Language language) {
  auto all = codec::Json::array();
  for (const auto& one : refused) {
    all.push_back({{"at", one.at},
                   {"why", trace::name_of(one.why)},
                   {"text", trace::explain(one.why, language)}});
  }
  return all;
}

Answer refuse_all(const Call& call, codec::Json refused) {
  const bool zh = call.language == Language::kChinese;
  return {.status = 409,
          .body = {{"type", "urn:theriac:trace:refused"},
                   {"title", zh ? "部分物品被拒绝" : "some of the items are refused"},
                   {"detail", zh ? "未作任何更改" : "nothing was changed"},
                   {"status", 409},
                   {"code", "Refused"},
                   {"refused", std::move(refused)}},
          .file = {}};
}

Result<trace::Identity> identify(trace::Identifier& identifier, std::string_view text) {
  THERIAC_ASSIGN(auto found, identifier.identify(text));
  if (found) return std::move(*found);
  if (found.error() == trace::LifeRefusal::kUnknownProduct) return fail(Code::kNotFound, "product");
  return fail(Code::kMalformed, "item");
}

}  // namespace theriac::api
