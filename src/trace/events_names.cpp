#include "trace/events_names.hpp"

#include <algorithm>

#include "trace/events_parts.hpp"
#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using store::Param;

constexpr std::int64_t kScanRows = 512;

std::string_view field_name(NameField field) {
  switch (field) {
    case NameField::kBizStep:
      return "bizStep";
    case NameField::kDisposition:
      return "disposition";
    case NameField::kBizLocation:
      return "bizLocation";
    case NameField::kReadPoint:
      return "readPoint";
  }
  return {};
}

/// Identifiers of an event, each once, and the terms that find them.
std::vector<std::string> epcs_of(const epcis::Event& event) {
  std::vector<std::string> all;
  std::set<std::string> seen;
  const auto add = [&](const std::string& id) {
    if (!id.empty() && seen.insert(epcis::canonical_id(id)).second) all.push_back(id);
  };
  add(event.parent_id);
  std::ranges::for_each(event.epcs, add);
  std::ranges::for_each(event.input_epcs, add);
  std::ranges::for_each(event.output_epcs, add);
  return all;
}

/// One listing of identifiers.
class Listing {
 public:
  Listing(Work& work, const Viewer& viewer) : work_(work), partner_(viewer.partner) {}

  Result<EpcPage> run(EpcPlace from, std::int64_t limit) {
    if (partner_ != 0) {
      THERIAC_ASSIGN(party_, term_index(work_, party_term(partner_)));
    }
    EpcPage page;
    for (std::int64_t looked = 0; looked < kEpcScanEvents;) {
      THERIAC_ASSIGN(const auto events, visible_from(from.seq));
      for (const auto& one : events) {
        const auto done = from.seq == one.seq ? from.behind : 0;
        THERIAC_ASSIGN(const auto left, take(one, done, limit, page.epcs));
        if (left) {
          page.next = EpcPlace{one.seq, *left};
          return page;
        }
        from = {one.seq + 1, 0};
      }
      looked += kScanRows;
      if (static_cast<std::int64_t>(events.size()) < kScanRows) return page;
    }
    page.next = from;
    return page;
  }

 private:
  Result<std::vector<StoredEvent>> visible_from(std::int64_t seq) {
    if (partner_ == 0) {
      THERIAC_ASSIGN(auto rows, work_.session.query_all(
                                    "SELECT seq, partner, record_ms, sealed FROM events WHERE "
                                    "seq >= $1 ORDER BY seq LIMIT $2",
                                    seq, kScanRows));
      return events_at(work_, std::move(rows));
    }
    THERIAC_ASSIGN(auto rows,
                   work_.session.query_all(
                       "SELECT e.seq, e.partner, e.record_ms, e.sealed FROM terms t JOIN events e "
                       "ON e.seq = t.seq WHERE t.term = $1 AND t.seq >= $2 ORDER BY t.seq LIMIT $3",
                       party_, seq, kScanRows));
    return events_at(work_, std::move(rows));
  }

  /// Adds those of the event that no event before it names. Where it stopped because there were
  /// enough: behind so many.
  Result<std::optional<std::int64_t>> take(const StoredEvent& one, std::int64_t done,
                                           std::int64_t limit, std::vector<std::string>& into) {
    const auto epcs = epcs_of(one.event());
    const auto count = static_cast<std::int64_t>(epcs.size());
    for (auto i = std::min(done, count); i < count; ++i) {
      const auto& epc = epcs[static_cast<std::size_t>(i)];
      THERIAC_ASSIGN(const bool is_first, first_at(epc, one.seq));
      if (!is_first) continue;
      if (static_cast<std::int64_t>(into.size()) == limit) return i;
      into.push_back(epc);
    }
    return std::nullopt;
  }

  Result<bool> first_at(const std::string& epc, std::int64_t seq) {
    for (const auto* field : {"epc", "parentID", "inputEPC", "outputEPC"}) {
      THERIAC_ASSIGN(const auto index, term_index(work_, {field, epcis::canonical_id(epc)}));
      THERIAC_ASSIGN(const auto first, first_of(index));
      if (first != 0 && first < seq) return false;
    }
    return true;
  }
  /// The first visible event with a term; 0: none.
  Result<std::int64_t> first_of(std::int64_t term) {
    THERIAC_ASSIGN(
        auto rows,
        partner_ == 0
            ? work_.session.query_all("SELECT seq FROM terms WHERE term = $1 ORDER BY seq LIMIT 1",
                                      term)
            : work_.session.query_all("SELECT t.seq FROM terms t JOIN terms p ON p.seq = t.seq AND "
                                      "p.term = $2 WHERE t.term = $1 ORDER BY t.seq LIMIT 1",
                                      term, party_));
    THERIAC_ASSIGN(const bool found, rows->next());
    return found ? rows->integer(0) : 0;
  }

  Work& work_;
  std::int64_t partner_;
  std::int64_t party_ = 0;
};

}  // namespace

Status NewNames::note(const epcis::Event& event, const std::set<std::int64_t>& parties) {
  using epcis::Vocabulary;
  const auto word = [&](NameField field, Vocabulary vocabulary, const epcis::Word& one) -> Status {
    if (one.empty() || epcis::is_standard(vocabulary, one.value)) return {};
    return note(field, one.value, parties);
  };
  THERIAC_TRY(word(NameField::kBizStep, Vocabulary::kBizStep, event.biz_step));
  THERIAC_TRY(word(NameField::kDisposition, Vocabulary::kDisposition, event.disposition));
  if (event.persistent_disposition) {
    for (const auto* list :
         {&event.persistent_disposition->set, &event.persistent_disposition->unset}) {
      for (const auto& one : *list) {
        THERIAC_TRY(word(NameField::kDisposition, Vocabulary::kDisposition, one));
      }
    }
  }
  if (event.biz_location) {
    THERIAC_TRY(note(NameField::kBizLocation, event.biz_location->id, parties));
  }
  if (event.read_point) THERIAC_TRY(note(NameField::kReadPoint, event.read_point->id, parties));
  return {};
}

Status NewNames::note(NameField field, const std::string& text,
                      const std::set<std::int64_t>& parties) {
  const auto note_for = [&](std::int64_t viewer) -> Status {
    const auto canonical = epcis::canonical_id(text);
    if (!seen_.emplace(field, viewer, canonical).second) return {};
    std::string name = "name\n";
    name += field_name(field);
    name += '\n' + std::to_string(viewer) + '\n' + canonical;
    THERIAC_ASSIGN(const auto key, work_->vault.index(Domain::kTerm, name));
    names_.emplace(key, Name{field, viewer, text, names_.size()});
    return {};
  };
  THERIAC_TRY(note_for(0));
  for (const auto partner : parties) THERIAC_TRY(note_for(partner));
  return {};
}

Status NewNames::keep() {
  if (names_.empty()) return {};
  std::vector<Param> asked;
  for (const auto& [key, name] : names_) asked.emplace_back(ByteView(key));
  {
    constexpr std::array<std::string_view, 1> kId{"id"};
    THERIAC_ASSIGN(auto rows, work_->session.look_up("names", "key", kId, asked));
    for (;;) {
      THERIAC_ASSIGN(const bool found, rows->next());
      if (!found) break;
      seal::IndexToken key{};
      std::ranges::copy(rows->bytes(0), key.begin());
      names_.erase(key);
    }
  }
  if (names_.empty()) return {};
  THERIAC_ASSIGN(auto id, next_ids(*work_, "names", static_cast<std::int64_t>(names_.size())));
  std::vector<std::pair<const seal::IndexToken*, const Name*>> fresh;
  for (const auto& [key, name] : names_) fresh.emplace_back(&key, &name);
  std::ranges::sort(fresh, {}, [](const auto& one) { return one.second->order; });
  std::vector<Bytes> sealed;
  std::vector<Param> values;
  sealed.reserve(fresh.size());
  for (const auto& [key, name] : fresh) {
    THERIAC_ASSIGN(auto one, work_->vault.seal(Record::kName, row_of(*key), name->text));
    sealed.push_back(std::move(one));
    values.insert(values.end(), {ByteView(*key), id++, static_cast<std::int64_t>(name->field),
                                 name->viewer, ByteView(sealed.back())});
  }
  // The counter above is locked until the end: no other capture adds the same meanwhile.
  constexpr std::array<std::string_view, 5> kColumns{"key", "id", "field", "viewer", "sealed"};
  THERIAC_TRY(work_->session.insert("names", kColumns, values, "ON CONFLICT DO NOTHING"));
  return {};
}

Result<NamePage> list_names(Work& work, NameField field, const Viewer& viewer, std::int64_t after,
                            std::int64_t limit) {
  limit = std::clamp<std::int64_t>(limit, 1, kPageRowsMax);
  THERIAC_ASSIGN(
      auto rows,
      work.session.query_all("SELECT key, id, sealed FROM names WHERE field = $1 AND "
                             "viewer = $2 AND id > $3 ORDER BY id LIMIT $4",
                             static_cast<std::int64_t>(field), viewer.partner, after, limit + 1));
  NamePage page;
  std::int64_t last = 0;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return page;
    if (static_cast<std::int64_t>(page.names.size()) == limit) {
      page.next = last;
      return page;
    }
    ItemKey key{};
    std::ranges::copy(rows->bytes(0), key.begin());
    THERIAC_ASSIGN(auto name, work.vault.open(Record::kName, row_of(key), rows->bytes(2)));
    page.names.push_back(std::move(name));
    last = rows->integer(1);
  }
}

Result<EpcPage> list_epcs(Work& work, const Viewer& viewer, EpcPlace from, std::int64_t limit) {
  return Listing(work, viewer).run(from, std::clamp<std::int64_t>(limit, 1, kPageRowsMax));
}

}  // namespace theriac::trace
