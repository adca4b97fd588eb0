// What became of a lot's numbers, and what others counted.
#include "api/parts.hpp"
#include "api/report.hpp"
#include "codec/time.hpp"
#include "trace/master.hpp"
#include "trace/reconciliation.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using trace::Fate;
using trace::Reconciliation;

Json show(const Reconciliation& sum) {
  Json json{{"issued", sum.issued}, {"adds_up", sum.adds_up()}};
  for (std::size_t i = 0; i < trace::kFates; ++i) {
    json[std::string(trace::name_of(static_cast<Fate>(i)))] = sum.counts[i];
  }
  return json;
}

Json show(const std::vector<trace::Difference>& all) {
  auto json = Json::array();
  for (const auto& one : all) {
    json.push_back(
        {{"what", trace::name_of(one.fate)}, {"here", one.here}, {"counted", one.counted}});
  }
  return json;
}

std::string name_in(Fate fate, Language language) {
  if (language == Language::kEnglish) return std::string(trace::name_of(fate));
  switch (fate) {
    case Fate::kCommissioned:
      return "已激活";
    case Fate::kRejected:
      return "已剔除";
    case Fate::kSampled:
      return "已抽样";
    case Fate::kDestroyed:
      return "已销毁";
    case Fate::kReturned:
      return "已退回";
    case Fate::kUnused:
      return "未使用";
  }
  return {};
}

}  // namespace

Result<Answer> reconcile_lot(Call& call) {
  THERIAC_TRY(trace::lot(*call.work, call.id()));
  THERIAC_ASSIGN(const auto sum, trace::reconcile(*call.work, call.id()));
  return say(show(sum));
}

Result<Answer> count_lot(Call& call) {
  Body body(call.body);
  trace::Counted counted{};
  for (std::size_t i = 0; i < trace::kFates; ++i) {
    const std::string name(trace::name_of(static_cast<Fate>(i)));
    THERIAC_ASSIGN(counted[i], body.integer_or_none(name.c_str()));
    if (counted[i] && *counted[i] < 0) return fail(Code::kMalformed, name);
  }
  THERIAC_ASSIGN(call.who.reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  THERIAC_TRY(check_ours(call));
  THERIAC_TRY(trace::lot(*call.work, call.id()));
  THERIAC_ASSIGN(const auto sum, trace::reconcile(*call.work, call.id()));
  const auto differ = trace::compare(sum, counted);
  call.event.object = "lot " + std::to_string(call.id());
  call.event.details = {{"differences", show(differ)}, {"adds_up", sum.adds_up()}};
  auto json = show(sum);
  json["differences"] = show(differ);
  if (!differ.empty() || !sum.adds_up()) {
    call.exception = {trace::WorkKind::kNotBalanced,
                      "lot " + std::to_string(call.id()),
                      0,
                      {{"lot", call.id()},
                       {"counted_by", call.who.person},
                       {"adds_up", sum.adds_up()},
                       {"differences", json.at("differences")}}};
  }
  return say(std::move(json));
}

Result<Answer> reconciliation_page(Call& call) {
  THERIAC_ASSIGN(const auto lot, trace::lot(*call.work, call.id()));
  THERIAC_ASSIGN(const auto product, trace::product(*call.work, lot.product));
  THERIAC_ASSIGN(const auto sum, trace::reconcile(*call.work, call.id()));
  const bool zh = call.language == Language::kChinese;
  Report report((zh ? "批次核对 " : "Reconciliation of lot ") + lot.number, call.language);
  report.line((zh && !product.name_zh.empty() ? product.name_zh : product.name) + " · " +
              product.gtin);
  report.line((zh ? "截至 " : "As of ") + codec::rfc3339_utc(call.now_ms));
  std::vector<std::vector<std::string>> rows{
      {zh ? "已发放编码" : "issued", std::to_string(sum.issued)}};
  for (std::size_t i = 0; i < trace::kFates; ++i) {
    rows.push_back({name_in(static_cast<Fate>(i), call.language), std::to_string(sum.counts[i])});
  }
  report.table(zh ? "编码去向" : "Numbers", {zh ? "去向" : "what", zh ? "数量" : "count"}, rows);
  report.line(sum.adds_up() ? (zh ? "核对一致" : "It adds up.")
                            : (zh ? "核对不一致" : "It does not add up."));
  return Answer{.body = nullptr, .file = std::move(report).response()};
}

}  // namespace theriac::api
