#include "trace/capture.hpp"

#include <algorithm>
#include <set>

#include "gs1/epc.hpp"
#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using codec::Json;
using epcis::Event;
using epcis::EventType;

bool is_step(const Event& event, std::initializer_list<std::string_view> steps) {
  return std::ranges::find(steps, event.biz_step.value) != steps.end();
}

std::optional<Act> of_object(const Event& event) {
  if (event.disposition.value == "stolen") return Act::kReportStolen;
  if (event.disposition.value == "returned") return Act::kReturn;
  if (event.action == epcis::Action::kAdd) {
    if (is_step(event, {"encoding"})) return Act::kEncode;
    if (is_step(event, {"commissioning"})) return Act::kCommission;
    return std::nullopt;
  }
  if (is_step(event, {"destroying"})) return Act::kDestroy;
  if (is_step(event, {"dispensing", "retail_selling"})) return Act::kDispense;
  if (is_step(event, {"decommissioning"})) return Act::kDecommission;
  if (is_step(event, {"sampling"})) return Act::kSample;
  if (is_step(event, {"shipping", "departing"})) return Act::kShip;
  if (is_step(event, {"receiving", "accepting"})) return Act::kReceive;
  return std::nullopt;
}

std::optional<Act> of_aggregation(const Event& event) {
  if (event.action == epcis::Action::kAdd) return Act::kPack;
  if (event.action == epcis::Action::kDelete) return Act::kUnpack;
  return std::nullopt;
}

/// The text of an extension by its local name: lotNumber of CBV master data.
std::string text_of_extension(const std::vector<epcis::Element>& all, std::string_view name);

/// One capture.
class Capturing {
 public:
  /// `only`: the places of the items that are looked at; none: all.
  Capturing(Work& work, const Who& who, std::set<std::size_t> only = {})
      : work_(work),
        who_(who),
        only_(std::move(only)),
        acts_(work),
        identifier_(acts_.identifier) {}

  Result<CapturedEvent> run(const Event& event, const KeptEvent& kept) {
    CapturedEvent done{.kept = kept};
    if (kept.what == Kept::kIdTaken) {
      THERIAC_ASSIGN(done.work, raise(WorkKind::kIdTaken, kept.seq, Json::object()));
      return done;
    }
    // What declares an event wrong, and what came before, changes nothing.
    if (kept.what == Kept::kRepeated || event.error_declaration) return done;
    const auto told = act_of(event);
    if (!told) return done;
    THERIAC_ASSIGN(const auto ours, ours_of(*told));
    if (!ours) return done;
    done.act = told->act;
    THERIAC_ASSIGN(const auto request, request_of(event, *ours));
    if (request.place == kNowhere) {
      THERIAC_ASSIGN(done.work,
                     raise(WorkKind::kUnknownPlace, kept.seq, {{"act", name_of(told->act)}}));
      return done;
    }
    auto tried = act(acts_, request);
    if (!tried && (tried.error().code == Code::kDenied || tried.error().code == Code::kTooLarge)) {
      THERIAC_ASSIGN(done.work, raise(WorkKind::kRefusedAct, kept.seq,
                                      {{"act", name_of(told->act)},
                                       {"error", info_of(tried.error().code).name}}));
      return done;
    }
    THERIAC_ASSIGN(auto outcome, std::move(tried));
    for (auto& one : outcome.refused) {
      if (one.at < ours->at.size()) one.at = ours->at[one.at];
    }
    done.refused = std::move(outcome.refused);
    if (done.refused.empty()) return done;
    auto refusals = Json::array();
    for (const auto& one : done.refused) {
      refusals.push_back({{"item", one.at}, {"why", name_of(one.why)}});
    }
    THERIAC_ASSIGN(done.work, raise(WorkKind::kRefusedAct, kept.seq,
                                    {{"act", name_of(told->act)}, {"refused", refusals}}));
    return done;
  }

 private:
  /// What an event says of our own.
  struct Ours {
    EventAct told;
    std::vector<std::size_t> at;  ///< where each item stands in the event
  };
  /// nullopt: nothing of it is of a product of ours or a container that we know.
  Result<std::optional<Ours>> ours_of(const EventAct& told) {
    Ours ours{{told.act, {}, told.container}, {}};
    bool any = false;
    const auto look = [&](const std::string& text) -> Result<bool> {
      THERIAC_ASSIGN(const auto one, identifier_.identify(text));
      if (!one) return false;
      if (!one->is_logistic_unit()) {
        any = true;
        return true;
      }
      THERIAC_ASSIGN(const auto row, read_item(work_, one->key));
      any = any || row.has_value();
      return true;
    };
    for (std::size_t i = 0; i < told.items.size(); ++i) {
      if (!only_.empty() && !only_.contains(i)) continue;
      THERIAC_ASSIGN(const bool may_be_ours, look(told.items[i]));
      if (!may_be_ours) continue;
      ours.told.items.push_back(told.items[i]);
      ours.at.push_back(i);
    }
    if (!told.container.empty()) THERIAC_TRY(look(told.container));
    if (!any || (ours.told.items.empty() && !told.items.empty())) return std::nullopt;
    return ours;
  }

  Result<PlaceKey> place_of(std::string_view id) {
    const auto epc = gs1::parse_epc(id);
    if (!epc || epc->key != gs1::Key::kSgln) return kNowhere;
    const auto* extension = epc->elements.find("254");
    THERIAC_ASSIGN(const auto found,
                   find_place(work_, *epc->elements.find("414"),
                              extension == nullptr ? std::string_view() : *extension));
    return found ? found->id : kNowhere;
  }

  Result<ActRequest> request_of(const Event& event, const Ours& ours) {
    const auto& told = ours.told;
    ActRequest request{.act = told.act,
                       .when_ms = event.event_time.ms,
                       .proceed = true,
                       .items = told.items,
                       .container = told.container,
                       .who = who_};
    // The business location is where things are afterwards, the read point where it happened.
    if (event.read_point) {
      THERIAC_ASSIGN(request.place, place_of(event.read_point->id));
    }
    if (request.place == kNowhere && event.biz_location) {
      THERIAC_ASSIGN(request.place, place_of(event.biz_location->id));
    }
    for (const auto& one : event.destinations) {
      if (one.type.value != "location" && request.to != kNowhere) continue;
      THERIAC_ASSIGN(const auto to, place_of(one.id));
      if (to != kNowhere) request.to = to;
    }
    if (told.act == Act::kEncode || told.act == Act::kCommission) {
      THERIAC_ASSIGN(request.lot, lot_of(event, told));
    }
    return request;
  }

  /// The lot that ilmd names, of the product of the first item.
  Result<std::int64_t> lot_of(const Event& event, const EventAct& told) {
    const auto number = text_of_extension(event.ilmd, "lotNumber");
    if (number.empty() || told.items.empty()) return 0;
    THERIAC_ASSIGN(const auto first, identifier_.identify(told.items.front()));
    if (!first || first->is_logistic_unit()) return 0;
    THERIAC_ASSIGN(const auto found, find_lot(work_, first->product, number));
    return found ? found->id : 0;
  }

  Result<std::int64_t> raise(WorkKind kind, std::int64_t seq, const Json& details) {
    return trace::raise(work_, {kind, "event " + std::to_string(seq), seq, details});
  }

  Work& work_;
  const Who& who_;
  std::set<std::size_t> only_;
  ActsOfOneWork acts_;
  Identifier& identifier_;
};

std::string text_of_extension(const std::vector<epcis::Element>& all, std::string_view name) {
  const auto at = std::ranges::find(all, name, &epcis::Element::name);
  return at == all.end() ? std::string() : at->text;
}

}  // namespace

std::optional<EventAct> act_of(const Event& event) {
  std::optional<Act> act;
  if (event.type == EventType::kObject) act = of_object(event);
  if (event.type == EventType::kAggregation) act = of_aggregation(event);
  if (!act) return std::nullopt;
  return EventAct{*act, event.epcs, event.type == EventType::kAggregation ? event.parent_id : ""};
}

Result<std::vector<CapturedEvent>> capture(Work& work, const epcis::Document& document,
                                           std::span<const Event> events, EventFormat format,
                                           bool proceed, const Who& who) {
  THERIAC_ASSIGN(const auto kept, keep_events(work, document, events, format, who));
  if (!proceed &&
      std::ranges::any_of(kept, [](const KeptEvent& one) { return one.what == Kept::kIdTaken; })) {
    return fail(Code::kAlreadyExists, "eventID");
  }
  Capturing capturing(work, who);
  std::vector<CapturedEvent> all;
  for (std::size_t i = 0; i < events.size(); ++i) {
    THERIAC_ASSIGN(auto one, capturing.run(events[i], kept[i]));
    all.push_back(std::move(one));
  }
  return all;
}

Result<CapturedEvent> retry_event(Work& work, const WorkItem& item, const Who& who) {
  THERIAC_ASSIGN(const auto stored, read_event(work, item.seq));
  std::set<std::size_t> only;
  if (const auto refused = item.details.find("refused"); refused != item.details.end()) {
    for (const auto& one : *refused) only.insert(one.at("item").get<std::size_t>());
  }
  return Capturing(work, who, std::move(only)).run(stored.event(), {Kept::kStored, item.seq});
}

}  // namespace theriac::trace
