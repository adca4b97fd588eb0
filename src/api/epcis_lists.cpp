// EPCIS 2.0 section 12.5: what there is to ask for, page by page.
#include "api/epcis_page.hpp"
#include "api/epcis_reply.hpp"
#include "api/limits.hpp"
#include "epcis/epc_form.hpp"
#include "trace/events_names.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using epcis::Vocabulary;
using trace::NameField;

Json collection(Json members) {
  return {{"@context", epcis::kStandardContext},
          {"type", "Collection"},
          {"member", std::move(members)}};
}

/// As GS1-EPC-Format wants it.
std::string as_wanted(const epcis::WriteOptions& options, std::string id) {
  if (options.epcs == epcis::EpcFormat::kDigitalLink) return epcis::as_link(id);
  if (options.epcs == epcis::EpcFormat::kUrn) return epcis::as_urn(id, options.prefix_length(id));
  return id;
}

/// Words of the CBV, and those of others in events: their places in the list follow the CBV's.
Result<Answer> list_words(Call& call, NameField field, Vocabulary vocabulary) {
  const auto limit = per_page(call.request);
  if (!limit) return refuse(call, kBadQuery, "perPage");
  THERIAC_ASSIGN(const auto place, page_place(call));
  if (!place) return refuse(call, kBadQuery, "nextPageToken");
  const auto words = epcis::words_of(vocabulary);
  const auto known = static_cast<std::int64_t>(words.size());
  auto members = Json::array();
  auto done = place->after;
  for (; done < known && static_cast<std::int64_t>(members.size()) < *limit; ++done) {
    members.push_back(words[static_cast<std::size_t>(done)]);
  }
  const auto left = *limit - static_cast<std::int64_t>(members.size());
  // Even of a full page it is asked whether something follows.
  THERIAC_ASSIGN(const auto page, trace::list_names(*call.work, field, {call.who.partner},
                                                    std::max<std::int64_t>(0, place->after - known),
                                                    std::max<std::int64_t>(left, 1)));
  std::optional<std::int64_t> next;
  if (left > 0) {
    for (const auto& name : page.names) members.push_back(name);
    if (page.next) next = known + *page.next;
  } else if (done < known || !page.names.empty()) {
    next = done;
  }
  auto said = say_json(call, collection(std::move(members)));
  if (next && said.status == 200) THERIAC_TRY(add_next_page(call, *said.file, {.after = *next}));
  return said;
}

Result<Answer> list_ids(Call& call, NameField field) {
  const auto limit = per_page(call.request);
  if (!limit) return refuse(call, kBadQuery, "perPage");
  THERIAC_ASSIGN(const auto place, page_place(call));
  if (!place) return refuse(call, kBadQuery, "nextPageToken");
  const auto options =
      write_options(*call.work, call.request.field("GS1-EPC-Format").value_or(""), "");
  if (!options) return refuse(call, kNotAcceptable, "GS1-EPC-Format");
  THERIAC_ASSIGN(const auto page,
                 trace::list_names(*call.work, field, {call.who.partner}, place->after, *limit));
  auto members = Json::array();
  for (const auto& name : page.names) members.push_back(as_wanted(*options, name));
  auto said = say_json(call, collection(std::move(members)));
  if (page.next && said.status == 200) {
    THERIAC_TRY(add_next_page(call, *said.file, {.after = *page.next}));
  }
  return said;
}

}  // namespace

Result<Answer> list_resources(Call& call) {
  return say_json(call, collection({"capture", "events", "eventTypes", "epcs", "bizSteps",
                                    "bizLocations", "readPoints", "dispositions", "queries"}));
}

Result<Answer> list_event_types(Call& call) {
  auto members = Json::array();
  for (std::size_t i = 0; i < epcis::kEventTypes; ++i) {
    members.push_back(epcis::name_of(static_cast<epcis::EventType>(i)));
  }
  return say_json(call, collection(std::move(members)));
}

Result<Answer> get_event_type(Call& call) {
  if (!epcis::event_type_of(call.request.path_part("value"))) return fail(Code::kNotFound, "type");
  return say_json(call, collection({"events"}));
}

Result<Answer> list_epcs(Call& call) {
  const auto limit = per_page(call.request);
  if (!limit) return refuse(call, kBadQuery, "perPage");
  THERIAC_ASSIGN(const auto place, page_place(call));
  if (!place) return refuse(call, kBadQuery, "nextPageToken");
  const auto options =
      write_options(*call.work, call.request.field("GS1-EPC-Format").value_or(""), "");
  if (!options) return refuse(call, kNotAcceptable, "GS1-EPC-Format");
  THERIAC_ASSIGN(const auto page, trace::list_epcs(*call.work, {call.who.partner},
                                                   {place->after, place->detail}, *limit));
  auto members = Json::array();
  for (const auto& epc : page.epcs) members.push_back(as_wanted(*options, epc));
  auto said = say_json(call, collection(std::move(members)));
  if (page.next && said.status == 200) {
    THERIAC_TRY(add_next_page(call, *said.file, {page.next->seq, page.next->behind}));
  }
  return said;
}

Result<Answer> list_steps(Call& call) {
  return list_words(call, NameField::kBizStep, Vocabulary::kBizStep);
}
Result<Answer> list_dispositions(Call& call) {
  return list_words(call, NameField::kDisposition, Vocabulary::kDisposition);
}
Result<Answer> list_locations(Call& call) { return list_ids(call, NameField::kBizLocation); }
Result<Answer> list_points(Call& call) { return list_ids(call, NameField::kReadPoint); }

/// A token is nowhere but with its caller: there is nothing to forget.
Result<Answer> end_page_token(Call& call) { return refuse(call, kNotServed, "nextPageToken"); }

}  // namespace theriac::api
