#include "trace/events.hpp"

#include <algorithm>

#include "epcis/event_hash.hpp"
#include "epcis/read.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

using epcis::Event;

class EventsTest : public testing_support::Site {
 protected:
  static Event shipping(std::string_view serial, std::string_view to = "9506000140001") {
    Event event;
    event.type = epcis::EventType::kObject;
    event.event_time = *epcis::time_of("2026-11-20T10:00:00Z");
    event.time_zone_offset = "+00:00";
    event.action = epcis::Action::kObserve;
    event.epcs = {"https://id.gs1.org/01/09506000134352/21/" + std::string(serial)};
    event.biz_step = epcis::Word{"shipping"};
    event.disposition = epcis::Word{"in_transit"};
    event.destinations = {{epcis::Word{"location"}, "https://id.gs1.org/414/" + std::string(to)}};
    return event;
  }
  std::vector<KeptEvent> keep(const std::vector<Event>& events,
                              const epcis::Document& document = {}, std::int64_t partner = 0,
                              EventFormat format = EventFormat::kJson) {
    auto who = who_;
    who.partner = partner;
    const auto kept =
        done([&](Work& work) { return keep_events(work, document, events, format, who); });
    EXPECT_TRUE(kept) << (kept ? "" : kept.error().message());
    return kept ? *kept : std::vector<KeptEvent>();
  }
  /// Numbers of what matches.
  std::vector<std::int64_t> found(const std::vector<epcis::Parameter>& parameters,
                                  std::int64_t partner = 0) {
    const auto query = epcis::Query::parse(parameters);
    EXPECT_TRUE(query);
    std::vector<std::int64_t> seqs;
    std::optional<std::int64_t> after = 0;
    while (after) {
      const auto page = done(
          [&](Work& work) { return find_events(work, *query, {}, Viewer{partner}, *after, 3); });
      EXPECT_TRUE(page) << (page ? "" : page.error().message());
      if (!page) break;
      for (const auto& one : page->events) seqs.push_back(one.seq);
      after = page->next;
    }
    return seqs;
  }
};

TEST_F(EventsTest, ComeBackAsTheyWere) {
  const auto kept = keep({shipping("A1"), shipping("A2")});
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].what, Kept::kStored);
  const auto back = done([&](Work& work) { return read_event(work, kept[1].seq); });
  ASSERT_TRUE(back);
  auto as_kept = shipping("A2");
  as_kept.event_id = epcis::event_hash(as_kept);
  EXPECT_EQ(back->event(), as_kept);
  EXPECT_EQ(back->record_ms, now_ms_);
  EXPECT_EQ(done([&](Work& work) { return read_event(work, 99); }).error().code, Code::kNotFound);
}

TEST_F(EventsTest, TheSameEventIsKeptOnce) {
  auto named = shipping("A1");
  named.event_id = "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8";
  EXPECT_EQ(keep({named})[0].what, Kept::kStored);
  EXPECT_EQ(keep({named})[0].what, Kept::kRepeated);
  auto other = shipping("A2");
  other.event_id = named.event_id;
  const auto taken = keep({other, other, shipping("A3"), shipping("A3")});
  EXPECT_EQ(taken[0].what, Kept::kIdTaken);
  EXPECT_EQ(taken[0].seq, 1);
  EXPECT_EQ(taken[2].what, Kept::kStored);
  EXPECT_EQ(taken[3].what, Kept::kRepeated);
  EXPECT_EQ(taken[3].seq, taken[2].seq);
  // What declares an event wrong has its ID.
  auto error = named;
  error.error_declaration = epcis::ErrorDeclaration{};
  error.error_declaration->declaration_time = *epcis::time_of("2026-11-21T10:00:00Z");
  EXPECT_EQ(keep({error})[0].what, Kept::kStored);
  const auto first = done([&](Work& work) { return find_event(work, named.event_id); });
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->seq, 1);
}

TEST_F(EventsTest, AreFoundAsThoughEachWereLookedAt) {
  std::vector<Event> events;
  for (int i = 0; i < 40; ++i) {
    auto one =
        shipping("S" + std::to_string(i % 7), i % 3 == 0 ? "9506000140001" : "9506000140018");
    one.event_time = *epcis::time_of(fmt::format("2026-11-{:02}T10:00:00Z", 1 + i % 20));
    one.biz_step = epcis::Word{i % 4 == 0 ? "receiving" : "shipping"};
    one.event_id = "urn:uuid:00000000-0000-4000-8000-" + fmt::format("{:012}", i);
    events.push_back(std::move(one));
  }
  keep(events);
  const std::vector<std::vector<epcis::Parameter>> queries{
      {},
      {{"EQ_bizStep", {"receiving"}}},
      {{"EQ_bizStep", {"receiving", "shipping"}},
       {"MATCH_epc", {"urn:epc:id:sgtin:9506000.013435.S3"}}},
      {{"MATCH_anyEPC", {"https://id.gs1.org/01/09506000134352/21/S5"}},
       {"EQ_bizStep", {"shipping"}}},
      {{"GE_eventTime", {"2026-11-15T00:00:00Z"}}},
      {{"GE_eventTime", {"2026-11-05T00:00:00Z"}}, {"LT_eventTime", {"2026-11-06T00:00:00Z"}}},
      {{"EQ_destination_location", {"https://id.gs1.org/414/9506000140001"}}},
      {{"EQ_eventID", {"urn:uuid:00000000-0000-4000-8000-000000000007"}}},
      {{"EQ_disposition", {"active"}}},
      {{"MATCH_epc", {"https://id.gs1.org/01/09506000134352/21/NONE"}}}};
  for (std::size_t k = 0; k < queries.size(); ++k) {
    const auto query = epcis::Query::parse(queries[k]);
    ASSERT_TRUE(query);
    std::vector<std::int64_t> wanted;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (query->matches(events[i])) wanted.push_back(static_cast<std::int64_t>(i) + 1);
    }
    EXPECT_EQ(found(queries[k]), wanted) << k;
  }
  // In an order of the query's.
  const auto ordered = found({{"orderBy", {"eventTime"}}, {"orderDirection", {"DESC"}}});
  EXPECT_EQ(ordered.size(), events.size());
  EXPECT_EQ(ordered.front() % 20, 0);
}

TEST_F(EventsTest, PartnersSeeTheirOwn) {
  keep({shipping("A1")});                                 // to the hospital's place
  keep({shipping("A2", "9506000140018")});                // to our plant
  keep({shipping("A3", "9506000140018")}, {}, partner_);  // captured by the hospital
  EXPECT_EQ(found({}), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(found({}, partner_), (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(found({{"EQ_bizStep", {"shipping"}}}, partner_ + 1), std::vector<std::int64_t>());
  const auto history = done([&](Work& work) {
    return history_of(work, "urn:epc:id:sgtin:9506000.013435.A2", Viewer{partner_}, 10);
  });
  ASSERT_TRUE(history);
  EXPECT_TRUE(history->empty());
}

TEST_F(EventsTest, NothingReadableIsStored) {
  auto one = shipping("SECRET-SERIAL-1");
  one.event_id = "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8";
  keep({one});
  const auto all = stored();
  for (const auto* secret :
       {"SECRET-SERIAL-1", "374d95fc", "shipping", "9506000134352", "in_transit"}) {
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  }
}

// GS1's examples: all that the reader takes are kept and come back.
TEST_F(EventsTest, ExamplesOfTheStandard) {
  const std::filesystem::path folder = THERIAC_SOURCE_DIR "/../shared/data/epcis";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no ../shared/data/epcis";
  std::size_t documents = 0, events = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    const bool is_json = extension == ".jsonld";
    const auto path = entry.path().string();
    if ((!is_json && extension != ".xml") || path.contains("Context") || path.contains("simple"))
      continue;
    if (!is_json && !path.contains("/XML/")) continue;
    std::ifstream file(path);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto read = is_json ? epcis::read_json(text) : epcis::read_xml(text);
    if (!read || read->refused) continue;
    ++documents;
    const auto kept = keep(read->document.events, read->document, 0,
                           is_json ? EventFormat::kJson : EventFormat::kXml);
    ASSERT_EQ(kept.size(), read->document.events.size()) << path;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (kept[i].what == Kept::kIdTaken) continue;
      const auto back = done([&](Work& work) { return read_event(work, kept[i].seq); });
      ASSERT_TRUE(back) << path << (back ? "" : back.error().message());
      EXPECT_EQ(epcis::event_hash(back->event()), epcis::event_hash(read->document.events[i]))
          << path;
      if (kept[i].what == Kept::kStored) {
        auto as_kept = read->document.events[i];
        as_kept.record_time.reset();
        if (as_kept.event_id.empty()) as_kept.event_id = epcis::event_hash(as_kept);
        EXPECT_EQ(back->event(), as_kept) << path;
      }
      ++events;
    }
  }
  EXPECT_GE(documents, 70U);
  EXPECT_GE(events, 90U);
}

}  // namespace
}  // namespace theriac::trace
