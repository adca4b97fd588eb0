#include "api/epcis_query.hpp"

#include "api/epcis_lookup.hpp"
#include "api/epcis_page.hpp"
#include "api/epcis_reply.hpp"
#include "trace/limits.hpp"

namespace theriac::api {
namespace {

/// Whether more than `most` events match.
Result<bool> has_more(Call& call, const epcis::Query& query, const epcis::MasterDataLookup& lookup,
                      std::int64_t most) {
  std::int64_t count = 0, after = 0;
  for (;;) {
    THERIAC_ASSIGN(const auto page,
                   trace::find_events(*call.work, query, lookup, {call.who.partner}, after,
                                      std::min(most - count + 1, trace::kPageRowsMax)));
    count += static_cast<std::int64_t>(page.events.size());
    if (count > most) return true;
    if (!page.next) return false;
    after = *page.next;
  }
}

/// Events by the query of the address, and by one more condition.
Result<Answer> by_address(Call& call, std::string_view name, std::string_view value) {
  std::vector<epcis::Parameter> parameters;
  if (!name.empty()) parameters.push_back({std::string(name), {std::string(value)}});
  for (const auto& [key, text] : call.request.query.pairs()) {
    parameters.push_back({key, epcis::split_values(text)});
  }
  const auto query = epcis::Query::parse(parameters, extensions_of(call.request));
  if (!query) return refuse(call, query.error());
  return answer_query(call, *query, "SimpleEventQuery");
}

Result<Answer> by_path(Call& call, std::string_view parameter) {
  return by_address(call, parameter, call.request.path_part("value"));
}

/// What there is below a word or identifier of some event that the caller may see: section 12.5.
Result<Answer> resource(Call& call, std::string_view parameter) {
  const std::vector<epcis::Parameter> parameters{
      {std::string(parameter), {std::string(call.request.path_part("value"))}}};
  const auto query = epcis::Query::parse(parameters, extensions_of(call.request));
  if (!query) return fail(Code::kNotFound, "resource");
  THERIAC_ASSIGN(const auto page,
                 trace::find_events(*call.work, *query, {}, {call.who.partner}, 0, 1));
  if (page.events.empty()) return fail(Code::kNotFound, "resource");
  return say_json(
      call,
      {{"@context", epcis::kStandardContext}, {"type", "Collection"}, {"member", {"events"}}});
}

}  // namespace

Answer refuse(const Call& call, const epcis::QueryError& error) {
  return refuse(call, error.fault == epcis::QueryFault::kTooComplex ? kTooComplex : kBadQuery,
                error.parameter);
}

Result<Answer> answer_query(Call& call, const epcis::Query& query, std::string query_name) {
  const auto limit = per_page(call.request);
  if (!limit) return refuse(call, kBadQuery, "perPage");
  THERIAC_ASSIGN(const auto place, page_place(call));
  if (!place) return refuse(call, kBadQuery, "nextPageToken");
  const auto lookup = master_lookup(*call.work);
  const bool first = place->after == 0;
  if (query.max_event_count() && first) {
    constexpr auto kMost = static_cast<std::uint64_t>(trace::kOrderedEventsMax);
    if (*query.max_event_count() > kMost) return refuse(call, kTooComplex, "maxEventCount");
    THERIAC_ASSIGN(
        const bool too_many,
        has_more(call, query, lookup, static_cast<std::int64_t>(*query.max_event_count())));
    if (too_many) return refuse(call, kTooLargeResult, "maxEventCount");
  }
  // Of an eventCountLimit the token tells what is left.
  std::optional<std::int64_t> left;
  if (query.event_count_limit()) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    left = first ? static_cast<std::int64_t>(std::min(*query.event_count_limit(), kMost))
                 : place->detail;
  }
  auto found = trace::find_events(*call.work, query, lookup, {call.who.partner}, place->after,
                                  std::min(*limit, left.value_or(*limit)));
  if (!found && found.error().code == Code::kTooLarge) {
    return refuse(call, kTooComplex, "orderBy: too many events match");
  }
  THERIAC_ASSIGN(auto page, std::move(found));
  if (left) *left -= static_cast<std::int64_t>(page.events.size());
  THERIAC_ASSIGN(auto said, say_events(call, std::move(query_name), page.events));
  if (page.next && said.status == 200 && left.value_or(1) > 0) {
    THERIAC_TRY(add_next_page(call, *said.file, {*page.next, left.value_or(0)}));
  }
  return said;
}

Result<Answer> find_events(Call& call) { return by_address(call, "", ""); }

/// The event, and what declares it wrong.
Result<Answer> get_event(Call& call) {
  const std::vector<epcis::Parameter> parameters{
      {"EQ_eventID", {std::string(call.request.path_part("value"))}}};
  const auto query = epcis::Query::parse(parameters);
  if (!query) return fail(Code::kNotFound, "event");
  THERIAC_ASSIGN(auto page, trace::find_events(*call.work, *query, {}, {call.who.partner}, 0, 2));
  if (page.events.empty()) return fail(Code::kNotFound, "event");
  return say_events(call, "SimpleEventQuery", page.events);
}

Result<Answer> events_of_type(Call& call) { return by_path(call, "eventType"); }
Result<Answer> events_of_epc(Call& call) { return by_path(call, "MATCH_anyEPC"); }
Result<Answer> events_of_step(Call& call) { return by_path(call, "EQ_bizStep"); }
Result<Answer> events_of_location(Call& call) { return by_path(call, "EQ_bizLocation"); }
Result<Answer> events_of_point(Call& call) { return by_path(call, "EQ_readPoint"); }
Result<Answer> events_of_disposition(Call& call) { return by_path(call, "EQ_disposition"); }

Result<Answer> get_epc(Call& call) { return resource(call, "MATCH_anyEPC"); }
Result<Answer> get_step(Call& call) { return resource(call, "EQ_bizStep"); }
Result<Answer> get_location(Call& call) { return resource(call, "EQ_bizLocation"); }
Result<Answer> get_point(Call& call) { return resource(call, "EQ_readPoint"); }
Result<Answer> get_disposition(Call& call) { return resource(call, "EQ_disposition"); }

}  // namespace theriac::api
