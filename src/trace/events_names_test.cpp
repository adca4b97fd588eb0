#include "trace/events_names.hpp"

#include <algorithm>

#include "trace/limits.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

using epcis::Event;

class NamesTest : public testing_support::Site {
 protected:
  static Event seen(std::vector<std::string> epcs, const std::string& where = {}) {
    Event event;
    event.type = epcis::EventType::kObject;
    event.event_time = *epcis::time_of("2026-11-20T10:00:00Z");
    event.time_zone_offset = "+00:00";
    event.action = epcis::Action::kObserve;
    event.epcs = std::move(epcs);
    if (!where.empty()) event.biz_location = epcis::Location{where, {}};
    return event;
  }
  void keep(std::vector<Event> events) {
    for (auto& one : events) {
      one.event_id = "urn:uuid:00000000-0000-4000-8000-" + fmt::format("{:012}", ++made_);
    }
    EXPECT_TRUE(
        done([&](Work& work) { return keep_events(work, {}, events, EventFormat::kJson, who_); }));
  }
  std::vector<std::string> epcs(std::int64_t limit, std::int64_t partner = 0) {
    std::vector<std::string> all;
    std::optional<EpcPlace> from = EpcPlace{};
    while (from) {
      const auto page =
          done([&](Work& work) { return list_epcs(work, Viewer{partner}, *from, limit); });
      EXPECT_TRUE(page);
      if (!page) break;
      EXPECT_LE(page->epcs.size(), static_cast<std::size_t>(limit));
      all.insert(all.end(), page->epcs.begin(), page->epcs.end());
      from = page->next;
    }
    return all;
  }
  std::vector<std::string> places(std::int64_t limit, std::int64_t partner = 0) {
    std::vector<std::string> all;
    std::optional<std::int64_t> after = 0;
    while (after) {
      const auto page = done([&](Work& work) {
        return list_names(work, NameField::kBizLocation, Viewer{partner}, *after, limit);
      });
      EXPECT_TRUE(page);
      if (!page) break;
      all.insert(all.end(), page->names.begin(), page->names.end());
      after = page->next;
    }
    return all;
  }
  int made_ = 0;
};

TEST_F(NamesTest, EachOnceHoweverOftenNamed) {
  const std::string shop = "https://id.gs1.org/414/9506000140001";
  keep({seen({link("A"), link("B"), link("A")}, shop), seen({link("B"), link("C")}, shop),
        seen({"urn:epc:id:sgtin:9506000.013435.C", link("D")}, "https://example.com/elsewhere")});
  keep({seen({link("A"), link("E")}, shop)});
  const std::vector<std::string> all{link("A"), link("B"), link("C"), link("D"), link("E")};
  for (const std::int64_t limit : {1, 2, 3, 4, 5, 100}) {
    EXPECT_EQ(epcs(limit), all) << limit;
    EXPECT_EQ(places(limit), (std::vector<std::string>{shop, "https://example.com/elsewhere"}));
    // The hospital sees what happened at its place.
    EXPECT_EQ(epcs(limit, partner_),
              (std::vector<std::string>{link("A"), link("B"), link("C"), link("E")}));
    EXPECT_EQ(places(limit, partner_), std::vector<std::string>{shop});
    EXPECT_EQ(epcs(limit, partner_ + 1), std::vector<std::string>());
  }
  EXPECT_EQ(stored().find("example.com"), std::string::npos);
}

TEST_F(NamesTest, OnePageLooksAtSoManyEvents) {
  std::vector<Event> same(static_cast<std::size_t>(kEpcScanEvents) + 1, seen({link("A")}));
  keep(std::move(same));
  keep({seen({link("B")})});
  const auto first = done([&](Work& work) { return list_epcs(work, Viewer{}, {}, 10); });
  ASSERT_TRUE(first);
  EXPECT_EQ(first->epcs, std::vector<std::string>{link("A")});
  ASSERT_TRUE(first->next);
  EXPECT_EQ(epcs(10), (std::vector<std::string>{link("A"), link("B")}));
}

}  // namespace
}  // namespace theriac::trace
