#include "trace/events_parts.hpp"

#include "epcis/read.hpp"
#include "gs1/epc.hpp"
#include "trace/master.hpp"

namespace theriac::trace {

Result<std::int64_t> term_index(Work& work, const epcis::Term& term) {
  THERIAC_ASSIGN(const auto token, work.vault.index(Domain::kTerm, term.field + '\0' + term.value));
  return static_cast<std::int64_t>(load_be<std::uint64_t>(token.data()));
}

epcis::Term party_term(std::int64_t partner) { return {"party", std::to_string(partner)}; }

Result<std::set<std::int64_t>> Parties::of(const epcis::Event& event, std::int64_t captured_by) {
  std::set<std::int64_t> all;
  if (captured_by != 0) all.insert(captured_by);
  std::vector<std::string_view> ids;
  for (const auto& one : event.sources) ids.push_back(one.id);
  for (const auto& one : event.destinations) ids.push_back(one.id);
  if (event.read_point) ids.push_back(event.read_point->id);
  if (event.biz_location) ids.push_back(event.biz_location->id);
  for (const auto id : ids) {
    THERIAC_ASSIGN(const auto partner, partner_of(id));
    if (partner != 0) all.insert(partner);
  }
  return all;
}

Result<std::int64_t> Parties::partner_of(std::string_view id) {
  const auto known = known_.find(id);
  if (known != known_.end()) return known->second;
  std::int64_t partner = 0;
  const auto epc = gs1::parse_epc(id);
  const auto* gln = epc && epc->key == gs1::Key::kSgln   ? epc->elements.find("414")
                    : epc && epc->key == gs1::Key::kPgln ? epc->elements.find("417")
                                                         : nullptr;
  if (gln != nullptr) {
    const auto* extension = epc->elements.find("254");
    THERIAC_ASSIGN(const auto at, find_place(*work_, *gln, extension == nullptr ? "" : *extension));
    THERIAC_ASSIGN(const auto named, find_partner(*work_, *gln));
    partner = at ? at->partner : named ? named->id : 0;
  }
  known_.emplace(id, partner);
  return partner;
}

Result<StoredEvent> event_at(Work& work, const store::Rows& rows) {
  StoredEvent one;
  one.seq = rows.integer(0);
  one.partner = rows.integer(1);
  one.record_ms = rows.integer(2);
  THERIAC_ASSIGN(const auto text,
                 work.vault.open(Record::kEvent, row_of(Record::kEvent, one.seq), rows.bytes(3)));
  THERIAC_ASSIGN(auto read, text.starts_with('<') ? epcis::read_xml(text) : epcis::read_json(text));
  if (read.refused || read.document.events.size() != 1) {
    return fail(Code::kInternal, "a stored event");
  }
  one.document = std::move(read.document);
  return one;
}

Result<std::vector<StoredEvent>> events_at(Work& work, std::unique_ptr<store::Rows> rows) {
  std::vector<StoredEvent> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    THERIAC_ASSIGN(auto one, event_at(work, *rows));
    all.push_back(std::move(one));
  }
}

}  // namespace theriac::trace
