// Acts on items, and what is known of them.
#include <fmt/format.h>

#include "api/limits.hpp"
#include "api/parts.hpp"
#include "codec/time.hpp"
#include "trace/limits.hpp"
#include "trace/lines.hpp"
#include "trace/master.hpp"
#include "trace/pools.hpp"
#include "trace/tracker.hpp"

namespace theriac::api {
namespace {

using codec::Json;

/// What a role may do to items; who it is and where it may be are looked at elsewhere.
bool may_act(pki::Role role, trace::Act act) {
  using enum trace::Act;
  switch (act) {
    case kEncode:
    case kCommission:
      return role != pki::Role::kTracePartner;
    case kShip:
    case kReceive:
    case kDispense:
    case kReturn:
    case kRestock:
      return role != pki::Role::kTraceLine;
    case kSample:
    case kPack:
    case kUnpack:
    case kDecommission:
    case kDestroy:
    case kReportStolen:
    case kUndo:
      return true;
  }
  return false;
}

/// Who takes an item out of use, or back into it, says why; a line rejects what it cannot read.
bool needs_reason(pki::Role role, trace::Act act) {
  using enum trace::Act;
  if (role == pki::Role::kTraceLine) return false;
  return act == kDecommission || act == kDestroy || act == kReportStolen || act == kUndo;
}

/// A line reports what has happened: what can be done is done, and the rest is not forgotten.
struct AskedAct {
  trace::ActRequest act;
  bool report = false;
};

Result<AskedAct> read_act(Call& call) {
  Body body(call.body);
  AskedAct all;
  auto& asked = all.act;
  THERIAC_ASSIGN(const auto name, body.text("act"));
  const auto act = trace::act_named(name);
  if (!act) return fail(Code::kMalformed, "act");
  asked.act = *act;
  if (!may_act(call.caller.identity.role, asked.act)) return fail(Code::kDenied, "act");
  THERIAC_ASSIGN(asked.place, body.integer_or("place", trace::kNowhere));
  THERIAC_ASSIGN(asked.to, body.integer_or("to", trace::kNowhere));
  THERIAC_ASSIGN(asked.when_ms, body.time_or("when", call.now_ms));
  THERIAC_ASSIGN(asked.to_market, body.flag_or("to_market", true));
  THERIAC_ASSIGN(asked.proceed, body.flag_or("proceed", false));
  THERIAC_ASSIGN(asked.items, body.texts_or_none("items"));
  THERIAC_ASSIGN(asked.container, body.text_or("container", ""));
  THERIAC_ASSIGN(asked.lot, body.integer_or("lot", 0));
  THERIAC_ASSIGN(all.report, body.flag_or("report", false));
  THERIAC_ASSIGN(call.who.reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  asked.proceed = asked.proceed || all.report;
  if (call.who.reason.size() > kReasonBytesMax) return fail(Code::kTooLarge, "reason");
  if (needs_reason(call.caller.identity.role, asked.act) && call.who.reason.empty())
    return fail(Code::kMalformed, "reason");
  asked.who = call.who;
  return all;
}

/// What a line could not do, or somebody reports as done, is a person's work. The refused items are
/// kept, as many as there is room for.
void raise_refusal(Call& call, const AskedAct& all,
                   const std::vector<trace::RefusedItem>& refused) {
  if (refused.empty()) return;
  if (!all.report && call.caller.identity.role != pki::Role::kTraceLine) return;
  const auto& asked = all.act;
  auto same =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", call.caller.identity.name, trace::name_of(asked.act),
                  asked.place, asked.to, asked.lot, asked.container);
  auto kept = Json::array();
  for (const auto& one : refused) {
    Json json{{"why", trace::name_of(one.why)}};
    if (one.at < asked.items.size()) {
      json["item"] = asked.items[one.at];
      same += '\n' + asked.items[one.at];
    }
    if (kept.size() < kWorkItemsMax) kept.push_back(std::move(json));
  }
  const auto left_out = refused.size() - kept.size();
  call.exception = {trace::WorkKind::kLineRefused,
                    std::move(same),
                    0,
                    {{"by", call.caller.identity.name},
                     {"act", trace::name_of(asked.act)},
                     {"place", asked.place},
                     {"to", asked.to},
                     {"lot", asked.lot},
                     {"container", asked.container},
                     {"to_market", asked.to_market},
                     {"when_ms", asked.when_ms},
                     {"reason", asked.who.reason},
                     {"refused", std::move(kept)},
                     {"left_out", left_out}}};
}

/// Counts and rows; a container by its blind index.
void note(audit::Event& event, const trace::ActRequest& asked, const trace::ActOutcome& outcome) {
  event.action = "trace." + std::string(trace::name_of(asked.act));
  event.object = "items";
  event.details = {{"items", asked.items.size()},
                   {"done", outcome.done.size()},
                   {"refused", outcome.refused.size()},
                   {"place", asked.place}};
  if (asked.to != trace::kNowhere) event.details["to"] = asked.to;
  if (asked.lot != 0) event.details["lot"] = asked.lot;
  if (asked.who.partner != 0) event.details["partner"] = asked.who.partner;
  if (outcome.container) event.details["container"] = to_hex(outcome.container->key);
  const auto never_issued = static_cast<std::size_t>(std::ranges::count(
      outcome.refused, trace::LifeRefusal::kNeverIssued, &trace::RefusedItem::why));
  if (never_issued == 0) return;
  event.details["never_issued"] = never_issued;
  if (never_issued >= kNeverIssuedAlarm) event.outcome = "denied";
}

/// A partner sees what is at its places, on its way to them, or was there last.
Result<bool> is_theirs(const Call& call, const trace::Whereabouts& seen) {
  for (const auto key : {seen.view.place, seen.view.last_place}) {
    if (key == trace::kNowhere) continue;
    THERIAC_ASSIGN(const auto place, trace::place(*call.work, key));
    if (place.partner == call.who.partner) return true;
  }
  return false;
}

/// Of the rest a partner does not learn that it is there, or it could try which numbers are real;
/// who tries is on the log.
Status check_view(Call& call, const trace::Whereabouts& seen) {
  if (call.who.partner == 0) return {};
  THERIAC_ASSIGN(const bool theirs, is_theirs(call, seen));
  if (theirs) return {};
  call.event.outcome = "denied";
  return fail(Code::kNotFound, "item");
}

/// Whether a partner may learn why this item was refused.
Result<bool> may_know(const Call& call, trace::Identifier& identifier, const std::string& text) {
  THERIAC_ASSIGN(const auto named, identifier.identify(text));
  if (!named) return false;
  THERIAC_ASSIGN(const auto row, trace::read_item(*call.work, named->key));
  if (!row) return false;
  THERIAC_ASSIGN(const auto seen, trace::whereabouts(*call.work, identifier, *row));
  return is_theirs(call, seen);
}

/// To a partner items elsewhere are as unknown as those that do not exist, whatever it does to
/// them.
Status hide_others(const Call& call, const trace::ActRequest& asked,
                   std::vector<trace::RefusedItem>& refused) {
  if (call.caller.identity.role != pki::Role::kTracePartner) return {};
  trace::Identifier identifier(*call.work);
  for (auto& one : refused) {
    // These tell of the text alone.
    if (one.why == trace::LifeRefusal::kNotAnIdentifier || one.why == trace::LifeRefusal::kTwice) {
      continue;
    }
    const auto& text = one.at < asked.items.size() ? asked.items[one.at] : asked.container;
    THERIAC_ASSIGN(const bool known, may_know(call, identifier, text));
    if (!known) one.why = trace::LifeRefusal::kUnknownItem;
  }
  return {};
}

/// A number that was issued and that nothing bears yet.
Result<Answer> say_issued(Call& call, const trace::Identity& named) {
  if (named.is_logistic_unit() || call.who.partner != 0) return fail(Code::kNotFound, "item");
  trace::Origins origins(*call.work, named.product);
  THERIAC_ASSIGN(const auto origin, origins.find(named.serial));
  if (!origin) return fail(Code::kNotFound, "item");
  return say({{"item", named.link()},
              {"product", named.product},
              {"lot", origin->allocation.lot},
              {"allocation", origin->allocation.id},
              {"state", origin->returned ? "number-returned" : "allocated"},
              {"place", origin->allocation.place}});
}

Result<Json> links_of(trace::Identifier& identifier, const std::vector<trace::ItemRow>& rows) {
  auto all = Json::array();
  for (const auto& row : rows) {
    THERIAC_ASSIGN(const auto one, identifier.of_row(row.key, row.product, row.sealed));
    all.push_back(one.link());
  }
  return all;
}

Result<std::optional<trace::ItemKey>> key_of_cursor(const std::string& cursor) {
  if (cursor.empty()) return std::nullopt;
  const auto bytes = from_hex(cursor);
  trace::ItemKey key{};
  if (!bytes || bytes->size() != key.size()) return fail(Code::kMalformed, "cursor");
  std::ranges::copy(*bytes, key.begin());
  return key;
}

}  // namespace

Result<Answer> act(Call& call) {
  THERIAC_ASSIGN(const auto all, read_act(call));
  const auto& asked = all.act;
  THERIAC_ASSIGN(auto outcome, trace::act(*call.work, asked));
  note(call.event, asked, outcome);
  raise_refusal(call, all, outcome.refused);
  THERIAC_TRY(hide_others(call, asked, outcome.refused));
  auto refused = show_refused(outcome.refused, call.language);
  if (!all.report && outcome.done.empty() && !outcome.refused.empty()) {
    return refuse_all(call, std::move(refused));
  }
  return say({{"act", trace::name_of(asked.act)},
              {"done", outcome.done.size()},
              {"refused", std::move(refused)}});
}

Result<Answer> find_item(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto text, body.text("item"));
  THERIAC_TRY(body.end());
  trace::Identifier identifier(*call.work);
  THERIAC_ASSIGN(const auto named, identify(identifier, text));
  THERIAC_ASSIGN(const auto row, trace::read_item(*call.work, named.key));
  if (!row) return say_issued(call, named);
  THERIAC_ASSIGN(const auto seen, trace::whereabouts(*call.work, identifier, *row));
  THERIAC_TRY(check_view(call, seen));
  THERIAC_ASSIGN(auto containers, links_of(identifier, seen.containers));
  THERIAC_ASSIGN(const auto count, trace::count_of(*call.work, named.key));
  Json json{{"item", named.link()},
            {"product", named.product},
            {"lot", row->lot},
            {"allocation", row->allocation},
            {"state", trace::name_of(seen.view.state)},
            {"place", seen.view.place},
            {"in_transit", seen.view.in_transit},
            {"recalled", seen.view.recalled},
            {"released", seen.view.released},
            {"containers", std::move(containers)},
            {"contents", count},
            {"changed", codec::rfc3339_utc(seen.view.changed_ms)}};
  if (seen.view.expires_ms) json["expires"] = codec::rfc3339_utc(*seen.view.expires_ms);
  return say(std::move(json));
}

Result<Answer> list_contents(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto text, body.text("container"));
  THERIAC_ASSIGN(const auto cursor, body.text_or("cursor", ""));
  THERIAC_ASSIGN(const auto limit, body.integer_or("limit", kPageRows));
  THERIAC_TRY(body.end());
  if (limit < 1 || limit > trace::kPageRowsMax) return fail(Code::kMalformed, "limit");
  THERIAC_ASSIGN(const auto after, key_of_cursor(cursor));
  auto& work = *call.work;
  trace::Identifier identifier(work);
  THERIAC_ASSIGN(const auto named, identify(identifier, text));
  THERIAC_ASSIGN(const auto row, trace::read_item(work, named.key));
  if (!row) return fail(Code::kNotFound, "item");
  THERIAC_ASSIGN(const auto seen, trace::whereabouts(work, identifier, *row));
  THERIAC_TRY(check_view(call, seen));
  THERIAC_ASSIGN(const auto rows, trace::contents_of(work, named.key, after, limit));
  auto items = Json::array();
  for (const auto& one : rows) {
    THERIAC_ASSIGN(const auto inside, identifier.of_row(one.key, one.product, one.sealed));
    items.push_back({{"item", inside.link()},
                     {"product", one.product},
                     {"lot", one.lot},
                     {"state", trace::name_of(one.state)}});
  }
  Json page{{"items", std::move(items)}};
  if (static_cast<std::int64_t>(rows.size()) == limit) page["next"] = to_hex(rows.back().key);
  return say(std::move(page));
}

}  // namespace theriac::api
