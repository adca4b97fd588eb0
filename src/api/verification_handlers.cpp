// Verification of packs.
#include "api/parts.hpp"
#include "codec/time.hpp"
#include "trace/limits.hpp"
#include "trace/master.hpp"
#include "trace/verification.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using trace::Reason;
using trace::Verdict;

struct Words {
  std::string_view english, chinese;
  [[nodiscard]] std::string_view in(Language language) const {
    return language == Language::kChinese ? chinese : english;
  }
};

Words words_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGenuine:
      return {"genuine: it may be given to a patient", "真品：可以发放"};
    case Verdict::kUnknown:
      return {"unknown: nobody here made it; keep it apart", "未知：此处没有该物品；请隔离存放"};
    case Verdict::kWrongState:
      return {"not to be given to anybody", "不得发放"};
    case Verdict::kExpired:
      return {"expired: not to be given to anybody", "已过有效期：不得发放"};
    case Verdict::kRecalled:
      return {"recalled: keep it apart and send it back", "已召回：请隔离存放并退回"};
    case Verdict::kSuspicious:
      return {"suspicious: keep it apart and report it", "可疑：请隔离存放并上报"};
  }
  return {};
}

Words words_of(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return {};
    case Reason::kNotACode:
      return {"this is no code of an item", "这不是物品编码"};
    case Reason::kUnknownProduct:
      return {"the product is not known here", "此处没有该产品"};
    case Reason::kNeverIssued:
      return {"the number was never issued", "该序列号从未发放"};
    case Reason::kState:
      return {"its state forbids it", "物品当前状态不允许"};
    case Reason::kNotReleased:
      return {"its lot is not released", "所属批次尚未放行"};
    case Reason::kNeverMade:
      return {"the number was issued, and nothing was made with it", "该序列号已发放但从未启用"};
    case Reason::kDataDiffer:
      return {"lot or expiry of the code are not the item's", "编码中的批号或有效期与记录不符"};
    case Reason::kTwoPlaces:
      return {"it was at another place a short while ago", "该物品不久前出现在另一地点"};
    case Reason::kDispensedTwice:
      return {"it was dispensed elsewhere", "该物品已在别处发放"};
  }
  return {};
}

/// A partner scans at its own places.
Status check_place(Call& call, trace::PlaceKey key) {
  if (key == trace::kNowhere) return {};
  THERIAC_ASSIGN(const auto place, trace::place(*call.work, key));
  if (call.who.partner != 0 && place.partner != call.who.partner) {
    return fail(Code::kDenied, "place");
  }
  return {};
}

/// A copy or a stolen pack is a person's work.
void raise_alarm(Call& call, const trace::Verified& found, const trace::VerifyAt& at) {
  const auto item = found.identity ? found.identity->link() : std::string();
  Json details{{"item", item},
               {"reason", trace::name_of(found.reason)},
               {"place", at.place},
               {"when", codec::rfc3339_utc(at.when_ms)},
               {"by", call.caller.identity.name}};
  if (found.lot != 0) details["lot"] = found.lot;
  if (found.state) details["state"] = trace::name_of(*found.state);
  if (found.other_place) details["other_place"] = *found.other_place;
  call.exception = {trace::WorkKind::kAlarm,
                    item + "\n" + std::string(trace::name_of(found.reason)), 0, std::move(details)};
}

}  // namespace

Result<Answer> verify(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto scan, body.text("scan"));
  trace::VerifyAt at;
  THERIAC_ASSIGN(at.place, body.integer_or("place", trace::kNowhere));
  THERIAC_ASSIGN(at.when_ms, body.time_or("when", call.now_ms));
  THERIAC_TRY(body.end());
  if (at.when_ms > call.now_ms + trace::kFutureMs) return fail(Code::kOutOfRange, "when");
  THERIAC_TRY(check_place(call, at.place));
  THERIAC_ASSIGN(const auto found, trace::verify(*call.work, scan, at, *call.sightings));
  call.verified = found;
  call.exception.reset();
  call.event.object = "items";
  call.event.details = {{"place", at.place}, {"reason", trace::name_of(found.reason)}};
  if (found.lot != 0) call.event.details["lot"] = found.lot;
  if (found.other_place) call.event.details["other_place"] = *found.other_place;
  if (found.alarming()) raise_alarm(call, found, at);
  std::string text(words_of(found.verdict).in(call.language));
  Json json{{"verdict", trace::name_of(found.verdict)}, {"text", text}};
  if (call.who.partner != 0) return say(std::move(json));
  if (found.reason != Reason::kNone) {
    text += call.language == Language::kChinese ? "；" : "; ";
    json["text"] = text + std::string(words_of(found.reason).in(call.language));
    json["reason"] = trace::name_of(found.reason);
  }
  json["alarm"] = found.alarming();
  if (found.state) json["state"] = trace::name_of(*found.state);
  if (found.lot != 0) json["lot"] = found.lot;
  if (found.other_place) json["other_place"] = *found.other_place;
  return say(std::move(json));
}

}  // namespace theriac::api
