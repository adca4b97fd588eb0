#include "trace/events.hpp"

#include <algorithm>
#include <deque>

#include "codec/time.hpp"
#include "epcis/event_hash.hpp"
#include "epcis/write.hpp"
#include "trace/events_names.hpp"
#include "trace/events_parts.hpp"
#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using epcis::Term;
using store::Param;

/// A term that finds more events than this does not narrow a search.
constexpr std::int64_t kSelective = 10'000;
constexpr std::int64_t kScanRows = 512;

/// What tells an event from others. An error declaration repeats the ID of what it declares.
Result<seal::IndexToken> id_index(Work& work, const epcis::Event& event) {
  auto id = event.event_id;
  if (event.error_declaration) id += "\nerror";
  return work.vault.index(Domain::kEventId, id);
}

epcis::Document bare(const epcis::Document& from, const epcis::Event& event) {
  epcis::Document one;
  one.kind = epcis::DocumentKind::kBareEvent;
  one.contexts = from.contexts;
  one.namespaces = from.namespaces;
  one.events.push_back(event);
  return one;
}

/// As it is kept: EPCIS 2.0 section 7.4.1 has the repository say when it was recorded, and an event
/// that came without an ID is known by its hash.
bool is_as_kept(const epcis::Event& event) { return !event.event_id.empty() && !event.record_time; }
epcis::Event as_kept(epcis::Event event) {
  event.record_time.reset();
  if (event.event_id.empty()) event.event_id = epcis::event_hash(event);
  return event;
}

/// Whether two events of one ID say the same. Types of extensions, and how words and identifiers
/// are written, are the format's: the hash of CBV 2.0 section 8.9 does not count them.
bool say_same(const epcis::Event& a, const epcis::Event& b) {
  if (a == b) return true;
  if (a.error_declaration.has_value() != b.error_declaration.has_value()) return false;
  if (a.error_declaration) {
    const auto& one = *a.error_declaration;
    const auto& other = *b.error_declaration;
    if (one.declaration_time.ms != other.declaration_time.ms || one.reason != other.reason ||
        one.corrective_event_ids != other.corrective_event_ids) {
      return false;
    }
  }
  return epcis::event_hash(a) == epcis::event_hash(b);
}

/// One storing of many.
class Keeper {
 public:
  Keeper(Work& work, const epcis::Document& document, EventFormat format, const Who& who)
      : work_(work),
        document_(document),
        format_(format),
        who_(who),
        parties_(work),
        names_(work) {}

  Result<std::vector<KeptEvent>> keep(std::span<const epcis::Event> events) {
    std::vector<const epcis::Event*> all;
    std::vector<seal::IndexToken> ids;
    for (const auto& event : events) {
      all.push_back(is_as_kept(event) ? &event : &changed_.emplace_back(as_kept(event)));
      THERIAC_ASSIGN(const auto id, id_index(work_, *all.back()));
      ids.push_back(id);
    }
    THERIAC_TRY(look_up(ids));
    std::set<seal::IndexToken> fresh;
    for (const auto& id : ids) {
      if (!seq_of_.contains(id)) fresh.insert(id);
    }
    if (!fresh.empty()) {
      THERIAC_ASSIGN(next_, next_ids(work_, "events", static_cast<std::int64_t>(fresh.size())));
    }
    std::vector<KeptEvent> kept;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto there = seq_of_.find(ids[i]);
      if (there != seq_of_.end()) {
        THERIAC_ASSIGN(const bool same, is_same(there->second, *all[i]));
        kept.push_back({same ? Kept::kRepeated : Kept::kIdTaken, there->second});
        continue;
      }
      THERIAC_ASSIGN(const auto seq, add(*all[i], ids[i]));
      kept.push_back({Kept::kStored, seq});
    }
    THERIAC_TRY(write());
    return kept;
  }

 private:
  Status look_up(const std::vector<seal::IndexToken>& ids) {
    const std::set<seal::IndexToken> each(ids.begin(), ids.end());
    std::vector<Param> asked;
    for (const auto& id : each) asked.emplace_back(ByteView(id));
    if (asked.empty()) return {};
    constexpr std::array<std::string_view, 1> kSeq{"seq"};
    THERIAC_ASSIGN(auto rows, work_.session.look_up("events", "id", kSeq, asked));
    for (;;) {
      THERIAC_ASSIGN(const bool found, rows->next());
      if (!found) return {};
      seal::IndexToken id{};
      std::ranges::copy(rows->bytes(0), id.begin());
      seq_of_.emplace(id, rows->integer(1));
    }
  }

  /// Of an event stored before, or in this call.
  Result<bool> is_same(std::int64_t seq, const epcis::Event& event) {
    const auto fresh = fresh_.find(seq);
    if (fresh != fresh_.end()) return say_same(*fresh->second, event);
    THERIAC_ASSIGN(const auto stored, read_event(work_, seq));
    return say_same(stored.event(), event);
  }

  Result<std::string> text_of_event(const epcis::Event& event) const {
    const auto one = bare(document_, event);
    const auto text = [&](EventFormat format) {
      return format == EventFormat::kXml ? epcis::write_xml(one, {.checked = true})
                                         : epcis::write_json(one, {.checked = true});
    };
    auto made = text(format_);
    if (made || made.error().code != Code::kUnsupported) return made;
    return text(format_ == EventFormat::kXml ? EventFormat::kJson : EventFormat::kXml);
  }

  Result<std::int64_t> add(const epcis::Event& event, const seal::IndexToken& id) {
    const auto seq = next_++;
    THERIAC_ASSIGN(const auto text, text_of_event(event));
    THERIAC_ASSIGN(auto sealed,
                   work_.vault.seal(Record::kEvent, row_of(Record::kEvent, seq), text));
    auto terms = epcis::terms_of(event);
    THERIAC_ASSIGN(const auto parties, parties_.of(event, who_.partner));
    for (const auto partner : parties) terms.push_back(party_term(partner));
    THERIAC_TRY(names_.note(event, parties));
    std::set<std::int64_t> indexes;
    for (const auto& term : terms) {
      THERIAC_ASSIGN(const auto index, term_index(work_, term));
      indexes.insert(index);
    }
    for (const auto index : indexes) terms_.insert(terms_.end(), {index, seq});
    rows_.push_back({seq, id, &event, std::move(sealed)});
    fresh_.emplace(seq, &event);
    seq_of_.emplace(id, seq);
    return seq;
  }

  Status write() {
    if (rows_.empty()) return {};
    std::vector<Param> values;
    for (const auto& one : rows_) {
      values.insert(values.end(),
                    {one.seq, ByteView(one.id), static_cast<std::int64_t>(one.event->type),
                     who_.partner, one.event->event_time.ms, work_.now_ms, ByteView(one.sealed)});
    }
    constexpr std::array<std::string_view, 7> kEvents{"seq",      "id",        "type",  "partner",
                                                      "event_ms", "record_ms", "sealed"};
    THERIAC_TRY(work_.session.insert("events", kEvents, values, ""));
    constexpr std::array<std::string_view, 2> kTerms{"term", "seq"};
    THERIAC_TRY(work_.session.insert("terms", kTerms, terms_, ""));
    return names_.keep();
  }

  struct Row {
    std::int64_t seq;
    seal::IndexToken id;
    const epcis::Event* event;
    Bytes sealed;
  };
  Work& work_;
  const epcis::Document& document_;
  EventFormat format_;
  const Who& who_;
  Parties parties_;
  std::int64_t next_ = 0;  ///< number of the next event that is new
  NewNames names_;
  std::deque<epcis::Event> changed_;  // does not move what it holds
  std::map<seal::IndexToken, std::int64_t> seq_of_;
  std::map<std::int64_t, const epcis::Event*> fresh_;
  std::vector<Row> rows_;
  std::vector<Param> terms_;
};

/// Where a query may find what it looks for.
class Search {
 public:
  Search(Work& work, const epcis::Query& query, const epcis::MasterDataLookup& lookup,
         const Viewer& viewer)
      : work_(work), query_(query), lookup_(lookup), parties_(work) {
    wanted_ = query.terms(lookup);
    if (viewer.partner != 0) wanted_.push_back({party_term(viewer.partner)});
    party_ = viewer.partner;
  }

  /// Up to `most` that match, behind `after` in the order of storing.
  Result<EventPage> run(std::int64_t after, std::int64_t most) {
    THERIAC_TRY(narrow(after));
    EventPage page;
    for (std::int64_t looked = 0; looked < kQueryScanEvents;) {
      THERIAC_ASSIGN(auto some, next_candidates(after));
      if (some.empty()) return page;
      after = some.back().seq;
      looked += static_cast<std::int64_t>(some.size());
      for (auto& one : some) {
        THERIAC_ASSIGN(const bool matches, is_wanted(one));
        if (!matches) continue;
        if (static_cast<std::int64_t>(page.events.size()) == most) {
          page.next = page.events.back().seq;
          return page;
        }
        page.events.push_back(std::move(one));
      }
    }
    page.next = after;
    return page;
  }

 private:
  /// The events of the lists that few events have something of; nothing if all lists are common.
  Status narrow(std::int64_t after) {
    for (const auto& any : wanted_) {
      std::set<std::int64_t> seqs;
      bool is_selective = true;
      for (const auto& term : any) {
        THERIAC_ASSIGN(const auto index, term_index(work_, term));
        THERIAC_ASSIGN(auto rows,
                       work_.session.query_all("SELECT seq FROM terms WHERE term = $1 AND seq > $2 "
                                               "ORDER BY seq LIMIT $3",
                                               index, after, kSelective + 1));
        std::int64_t count = 0;
        for (;;) {
          THERIAC_ASSIGN(const bool found, rows->next());
          if (!found) break;
          seqs.insert(rows->integer(0));
          ++count;
        }
        is_selective = is_selective && count <= kSelective;
        if (!is_selective) break;
      }
      if (!is_selective) continue;
      if (!candidates_) {
        candidates_ = std::move(seqs);
      } else {
        std::erase_if(*candidates_, [&](std::int64_t seq) { return !seqs.contains(seq); });
      }
      if (candidates_->empty()) return {};
    }
    return {};
  }

  Result<std::vector<StoredEvent>> next_candidates(std::int64_t after) {
    if (!candidates_) {
      constexpr auto kFirst = std::numeric_limits<std::int64_t>::min();
      constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
      const auto& event = query_.event_time();
      const auto& record = query_.record_time();
      THERIAC_ASSIGN(auto rows,
                     work_.session.query_all(
                         "SELECT seq, partner, record_ms, sealed FROM events WHERE seq > $1 "
                         "AND event_ms >= $2 AND event_ms < $3 AND record_ms >= $4 AND "
                         "record_ms < $5 ORDER BY seq LIMIT $6",
                         after, event.from_ms.value_or(kFirst), event.to_ms.value_or(kLast),
                         record.from_ms.value_or(kFirst), record.to_ms.value_or(kLast), kScanRows));
      return events_at(work_, std::move(rows));
    }
    std::vector<std::int64_t> seqs;
    for (auto at = candidates_->upper_bound(after);
         at != candidates_->end() && static_cast<std::int64_t>(seqs.size()) < kScanRows; ++at) {
      seqs.push_back(*at);
    }
    if (seqs.empty()) return std::vector<StoredEvent>();
    std::vector<Param> asked(seqs.begin(), seqs.end());
    constexpr std::array<std::string_view, 3> kColumns{"partner", "record_ms", "sealed"};
    THERIAC_ASSIGN(auto rows, work_.session.look_up("events", "seq", kColumns, asked));
    THERIAC_ASSIGN(auto some, events_at(work_, std::move(rows)));
    std::ranges::sort(some, {}, &StoredEvent::seq);
    return some;
  }

  /// The first bytes of an index may agree where terms do not.
  Result<bool> is_wanted(StoredEvent& one) {
    if (party_ != 0) {
      THERIAC_ASSIGN(const auto concerned, parties_.of(one.event(), one.partner));
      if (!concerned.contains(party_)) return false;
    }
    auto& event = one.document.events.front();
    event.record_time = epcis::Time{codec::rfc3339_utc(one.record_ms), one.record_ms};
    return query_.matches(event, lookup_);
  }

  Work& work_;
  const epcis::Query& query_;
  const epcis::MasterDataLookup& lookup_;
  Parties parties_;
  std::vector<std::vector<Term>> wanted_;
  std::optional<std::set<std::int64_t>> candidates_;
  std::int64_t party_ = 0;
};

}  // namespace

Result<std::vector<KeptEvent>> keep_events(Work& work, const epcis::Document& document,
                                           std::span<const epcis::Event> events, EventFormat format,
                                           const Who& who) {
  return Keeper(work, document, format, who).keep(events);
}

Result<StoredEvent> read_event(Work& work, std::int64_t seq) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all(
                     "SELECT seq, partner, record_ms, sealed FROM events WHERE seq = $1", seq));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "events");
  return event_at(work, *rows);
}

Result<std::optional<StoredEvent>> find_event(Work& work, std::string_view event_id) {
  THERIAC_ASSIGN(const auto id, work.vault.index(Domain::kEventId, event_id));
  THERIAC_ASSIGN(auto rows, work.session.query_all(
                                "SELECT seq, partner, record_ms, sealed FROM events WHERE id = $1",
                                ByteView(id)));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return std::nullopt;
  THERIAC_ASSIGN(auto one, event_at(work, *rows));
  return one;
}

Result<EventPage> find_events(Work& work, const epcis::Query& query,
                              const epcis::MasterDataLookup& lookup, const Viewer& viewer,
                              std::int64_t after, std::int64_t limit) {
  limit = std::clamp<std::int64_t>(limit, 1, kPageRowsMax);
  Search search(work, query, lookup, viewer);
  if (!query.ordered()) return search.run(after, limit);
  EventPage page;
  THERIAC_ASSIGN(auto found, search.run(0, kOrderedEventsMax));
  if (found.next) return fail(Code::kTooLarge, "events in order");
  auto& all = found.events;
  std::ranges::sort(all, [&](const StoredEvent& a, const StoredEvent& b) {
    if (query.before(a.event(), b.event())) return true;
    return !query.before(b.event(), a.event()) && a.seq < b.seq;
  });
  const auto count = static_cast<std::int64_t>(all.size());
  const auto first = std::clamp<std::int64_t>(after, 0, count);
  const auto last = std::min(first + limit, count);
  page.events.assign(std::make_move_iterator(all.begin() + first),
                     std::make_move_iterator(all.begin() + last));
  if (last < count) page.next = last;
  return page;
}

Result<std::vector<StoredEvent>> history_of(Work& work, std::string_view epc, const Viewer& viewer,
                                            std::int64_t limit) {
  const std::vector<epcis::Parameter> parameters{{"MATCH_anyEPC", {std::string(epc)}}};
  const auto query = epcis::Query::parse(parameters);
  if (!query) return fail(Code::kMalformed, "epc");
  THERIAC_ASSIGN(
      auto page,
      Search(work, *query, {}, viewer).run(0, std::clamp<std::int64_t>(limit, 1, kPageRowsMax)));
  return std::move(page.events);
}

}  // namespace theriac::trace
