// Recalls: searched for, opened, told to partners, followed.
#include "api/parts.hpp"
#include "api/report.hpp"
#include "codec/time.hpp"
#include "trace/effectiveness.hpp"
#include "trace/master.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using trace::Effectiveness;
using trace::Recalled;
using trace::RecallNotice;

Json show(const trace::Recall& one) {
  Json json{
      {"id", one.id},       {"open", one.open},     {"opened", codec::rfc3339_utc(one.opened_ms)},
      {"level", one.level}, {"reason", one.reason}, {"lots", one.lots},
      {"items", one.items}};
  if (!one.open) json["closed"] = codec::rfc3339_utc(one.closed_ms);
  if (!one.search.is_null()) json["search"] = one.search;
  return json;
}

Json show(const RecallNotice& one) {
  Json json{{"partner", one.partner}, {"told", one.told_ms != 0}};
  if (one.told_ms != 0) {
    json["told_at"] = codec::rfc3339_utc(one.told_ms);
    json["how"] = one.how;
  }
  if (one.answered_ms != 0) {
    json["answered_at"] = codec::rfc3339_utc(one.answered_ms);
    json["answer"] = one.answer;
    json["missing"] = one.missing;
  }
  return json;
}

Result<trace::RecallSearch> read_search(const Json& json) {
  Body body(json);
  trace::RecallSearch search;
  THERIAC_ASSIGN(search.product, body.integer("product"));
  THERIAC_ASSIGN(search.lots, body.integers_or_none("lots"));
  THERIAC_ASSIGN(search.expires_from, body.text_or("expires_from", ""));
  THERIAC_ASSIGN(search.expires_until, body.text_or("expires_until", ""));
  THERIAC_ASSIGN(search.place, body.integer_or("place", trace::kNowhere));
  THERIAC_ASSIGN(search.made_from_ms, body.time_or_none("made_from"));
  THERIAC_ASSIGN(search.made_until_ms, body.time_or_none("made_until"));
  THERIAC_ASSIGN(search.received_by, body.integer_or("received_by", 0));
  THERIAC_TRY(body.end());
  return search;
}

Result<Answer> open_by_search(Call& call, std::string_view level, const Json& json,
                              std::optional<std::int64_t> expected) {
  if (!expected) return fail(Code::kMalformed, "expected");
  THERIAC_ASSIGN(const auto search, read_search(json));
  THERIAC_ASSIGN(const auto id, trace::open_recall(*call.work, level, search, *expected, call.who));
  call.event.details = {{"level", level}, {"search", trace::json_of(search)}, {"items", *expected}};
  return say_row(call, "recalls", id);
}

/// A partner knows of the recalls it was told of.
Status check_told(const Call& call) {
  if (call.who.partner == 0) return {};
  THERIAC_ASSIGN(const bool told, trace::was_told(*call.work, call.id(), call.who.partner));
  if (!told) return fail(Code::kNotFound, "recalls");
  return {};
}

std::string count(std::int64_t number) { return std::to_string(number); }

struct Words {
  Language language;
  std::string operator()(std::string_view english, std::string_view chinese) const {
    return std::string(language == Language::kChinese ? chinese : english);
  }
};

std::string name_in(Recalled what, const Words& say) {
  switch (what) {
    case Recalled::kInStock:
      return say("in stock", "库存");
    case Recalled::kShipped:
      return say("on its way", "在途");
    case Recalled::kDispensed:
      return say("dispensed", "已发放");
    case Recalled::kReturned:
      return say("returned", "已退回");
    case Recalled::kSetAside:
      return say("set aside", "已隔离");
    case Recalled::kDestroyed:
      return say("destroyed", "已销毁");
    case Recalled::kNotFound:
      return say("not found", "未找到");
  }
  return {};
}

/// Names of places and partners for a page.
class Names {
 public:
  explicit Names(trace::Work& work) : work_(work) {}
  Result<std::string> of_place(std::int64_t id) {
    if (id == trace::kNowhere) return std::string();
    THERIAC_ASSIGN(const auto found, trace::place(work_, id));
    return found.name;
  }
  Result<std::string> of_partner(std::int64_t id) {
    THERIAC_ASSIGN(const auto found, trace::partner(work_, id));
    return found.name;
  }

 private:
  trace::Work& work_;
};

void add_sums(Report& report, const Effectiveness& sum, const Words& say) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < trace::kRecalledStates; ++i) {
    const auto what = static_cast<Recalled>(i);
    rows.push_back({name_in(what, say), count(sum[what])});
  }
  rows.push_back({say("items in all", "物品合计"), count(sum.items)});
  rows.push_back({say("recovered", "已收回"), count(sum.recovered)});
  rows.push_back({say("outstanding", "未收回"), count(sum.outstanding)});
  report.table(say("Items", "物品"), {say("state", "状态"), say("count", "数量")}, rows);
}

Status add_places(Report& report, const Effectiveness& sum, const Words& say, Names& names) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : sum.lines) {
    THERIAC_ASSIGN(auto place, names.of_place(line.place));
    rows.push_back({std::move(place), name_in(trace::recalled_as(line.state, line.in_transit), say),
                    count(line.count)});
  }
  report.table(say("By place", "按地点"),
               {say("place", "地点"), say("state", "状态"), say("count", "数量")}, rows);
  if (sum.devices.empty()) return {};
  rows.clear();
  for (const auto& line : sum.devices) {
    THERIAC_ASSIGN(auto place, names.of_place(line.place));
    rows.push_back({std::move(place), std::string(trace::name_of(line.state)), count(line.count)});
  }
  report.table(say("Devices with users", "在用器械"),
               {say("place", "地点"), say("state", "状态"), say("count", "数量")}, rows);
  return {};
}

Status add_partners(Report& report, const Effectiveness& sum, const Words& say, Names& names) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : sum.partners) {
    THERIAC_ASSIGN(auto partner, names.of_partner(one.partner));
    rows.push_back({std::move(partner),
                    one.told_ms != 0 ? codec::rfc3339_utc(one.told_ms) : say("not yet", "尚未"),
                    one.how,
                    one.answered_ms != 0 ? codec::rfc3339_utc(one.answered_ms) : std::string(),
                    one.answered_ms != 0 ? count(one.missing) : std::string()});
  }
  report.table(say("Partners", "合作方"),
               {say("partner", "合作方"), say("told", "通知时间"), say("how", "通知方式"),
                say("answered", "答复时间"), say("missing", "缺失数量")},
               rows);
  return {};
}

}  // namespace

Result<Answer> preview_recall(Call& call) {
  THERIAC_TRY(check_ours(call));
  THERIAC_ASSIGN(const auto search, read_search(call.body));
  THERIAC_ASSIGN(const auto found, trace::find_for_recall(*call.work, search));
  auto lots = Json::array();
  for (const auto& one : found.lots) lots.push_back({{"lot", one.lot}, {"items", one.items}});
  return say({{"items", found.items}, {"whole_lots", !search.is_of_items()}, {"lots", lots}});
}

Result<Answer> open_recall(Call& call) {
  THERIAC_TRY(check_ours(call));
  Body body(call.body);
  THERIAC_ASSIGN(const auto level, body.text("level"));
  THERIAC_ASSIGN(call.who.reason, reason_of(body));
  THERIAC_ASSIGN(const auto lots, body.integers_or_none("lots"));
  THERIAC_ASSIGN(const auto items, body.texts_or_none("items"));
  THERIAC_ASSIGN(const auto* search, body.object_or_none("search"));
  THERIAC_ASSIGN(const auto expected, body.integer_or_none("expected"));
  THERIAC_TRY(body.end());
  if (search != nullptr) {
    if (!lots.empty() || !items.empty()) return fail(Code::kMalformed, "search");
    return open_by_search(call, level, *search, expected);
  }
  if (expected) return fail(Code::kMalformed, "expected");
  THERIAC_ASSIGN(const auto opened, trace::open_recall(*call.work, level, lots, items, call.who));
  call.event.details = {{"level", level},
                        {"lots", lots},
                        {"items", items.size()},
                        {"refused", opened.refused.size()}};
  if (!opened.refused.empty()) {
    return refuse_all(call, show_refused(opened.refused, call.language));
  }
  return say_row(call, "recalls", opened.id);
}

Result<Answer> list_recalls(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  THERIAC_ASSIGN(const auto rows,
                 trace::recalls(*call.work, page.after, page.limit, call.who.partner));
  return say_page(rows, page.limit, [](const trace::Recall& one) { return show(one); });
}

Result<Answer> get_recall(Call& call) {
  THERIAC_TRY(check_told(call));
  THERIAC_ASSIGN(const auto one, trace::recall(*call.work, call.id()));
  return say(show(one));
}

Result<Answer> close_recall(Call& call) {
  THERIAC_TRY(check_ours(call));
  Body body(call.body);
  THERIAC_ASSIGN(call.who.reason, reason_of(body));
  THERIAC_TRY(body.end());
  THERIAC_TRY(trace::close_recall(*call.work, call.id(), call.who));
  return say_row(call, "recalls", call.id());
}

Result<Answer> notify_recall(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto partner, body.integer("partner"));
  THERIAC_ASSIGN(const auto how, body.text("how"));
  THERIAC_TRY(body.end());
  THERIAC_TRY(check_ours(call));
  THERIAC_TRY(trace::note_told(*call.work, call.id(), partner, how, call.who));
  call.event.details = {{"partner", partner}};
  return say_row(call, "recalls", call.id());
}

Result<Answer> answer_recall(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(auto partner, body.integer_or("partner", call.who.partner));
  THERIAC_ASSIGN(const auto missing, body.integer("missing"));
  THERIAC_ASSIGN(const auto text, body.text_or("answer", ""));
  THERIAC_TRY(body.end());
  if (call.who.partner != 0 && partner != call.who.partner) return fail(Code::kDenied, "partner");
  THERIAC_TRY(trace::note_answer(*call.work, call.id(), partner, missing, text, call.who));
  call.event.details = {{"partner", partner}, {"missing", missing}};
  return say_row(call, "recalls", call.id());
}

Result<Answer> recall_effectiveness(Call& call) {
  THERIAC_TRY(check_ours(call));
  THERIAC_ASSIGN(const auto sum, trace::effectiveness(*call.work, call.id()));
  auto lines = Json::array();
  for (const auto& line : sum.lines) {
    lines.push_back({{"state", trace::name_of(line.state)},
                     {"is", trace::name_of(trace::recalled_as(line.state, line.in_transit))},
                     {"place", line.place},
                     {"partner", line.partner},
                     {"in_transit", line.in_transit},
                     {"count", line.count}});
  }
  auto devices = Json::array();
  for (const auto& line : sum.devices) {
    devices.push_back(
        {{"state", trace::name_of(line.state)}, {"place", line.place}, {"count", line.count}});
  }
  auto partners = Json::array();
  std::int64_t told = 0, missing = 0;
  for (const auto& one : sum.partners) {
    partners.push_back(show(one));
    told += one.told_ms != 0 ? 1 : 0;
    missing += one.missing;
  }
  return say({{"items", sum.items},
              {"recovered", sum.recovered},
              {"outstanding", sum.outstanding},
              {"in_stock", sum[Recalled::kInStock]},
              {"shipped", sum[Recalled::kShipped]},
              {"dispensed", sum[Recalled::kDispensed]},
              {"returned", sum[Recalled::kReturned]},
              {"set_aside", sum[Recalled::kSetAside]},
              {"destroyed", sum[Recalled::kDestroyed]},
              {"not_found", sum[Recalled::kNotFound]},
              {"reported_missing", missing},
              {"notified", told},
              {"to_notify", static_cast<std::int64_t>(sum.partners.size()) - told},
              {"partners", std::move(partners)},
              {"devices", std::move(devices)},
              {"lines", std::move(lines)}});
}

Result<Answer> recall_page(Call& call) {
  THERIAC_TRY(check_ours(call));
  THERIAC_ASSIGN(const auto one, trace::recall(*call.work, call.id()));
  THERIAC_ASSIGN(const auto sum, trace::effectiveness(*call.work, call.id()));
  const Words say{call.language};
  Names names(*call.work);
  Report report(say("Recall ", "召回 ") + count(one.id), call.language);
  report.line(say("Level ", "级别 ") + one.level + " · " + codec::rfc3339_utc(one.opened_ms) +
              (one.open ? "" : " – " + codec::rfc3339_utc(one.closed_ms)));
  report.line(one.reason);
  report.line(say("As of ", "截至 ") + codec::rfc3339_utc(call.now_ms));
  add_sums(report, sum, say);
  THERIAC_TRY(add_places(report, sum, say, names));
  THERIAC_TRY(add_partners(report, sum, say, names));
  return Answer{.body = nullptr, .file = std::move(report).response()};
}

}  // namespace theriac::api
