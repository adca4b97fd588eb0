#include "audit/entry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "audit/limits.hpp"

namespace theriac::audit {
namespace {

constexpr std::string_view kBoot = "11111111-2222-4333-8444-555555555555";
constexpr std::string_view kTime = "2026-11-21T18:30:00.123+08:00";

std::string entry_of(const Event& event, std::string_view producer, std::uint64_t sequence,
                     const tlog::Digest& previous = {}) {
  Bytes out;
  finish_entry(out, draft_entry(event, kBoot), {json_text(producer), sequence, previous, kTime});
  return std::string(text_of(out));
}

TEST(Entry, TextIsAsDocumented) {
  Event event;
  event.action = "key.revoke";
  event.actor = "zhang.wei";
  event.role = "custodian";
  event.object = "key:0011223344556677";
  event.reason = "lost \"station\"";
  event.approver = "li.na";
  event.details["classes"] = {"patient", "formula"};
  tlog::Digest previous;
  previous.fill(0xab);
  EXPECT_EQ(entry_of(event, "keyd-1", 41, previous),
            "{\"action\":\"key.revoke\",\"actor\":\"zhang.wei\",\"approver\":\"li.na\","
            "\"boot_id\":\"11111111-2222-4333-8444-555555555555\","
            "\"details\":{\"classes\":[\"patient\",\"formula\"]},"
            "\"object\":\"key:0011223344556677\",\"outcome\":\"ok\","
            "\"prev\":\"abababababababababababababababababababababababababababababababab\","
            "\"producer\":\"keyd-1\",\"producer_seq\":41,\"reason\":\"lost \\\"station\\\"\","
            "\"role\":\"custodian\",\"time\":\"2026-11-21T18:30:00.123+08:00\",\"v\":1}");
}

TEST(Entry, EveryFieldIsCanonicalJson) {
  EXPECT_TRUE(rc::check("RFC 8785", [] {
    Event event;
    const auto text = [] { return *rc::gen::arbitrary<std::string>(); };
    event.action = text();
    event.actor = text();
    event.role = text();
    event.object = text();
    event.outcome = text();
    event.error = text();
    event.reason = text();
    event.approver = text();
    event.policy_hash = text();
    event.key_version = text();
    event.correlation = text();
    event.old_ref = text();
    event.new_ref = text();
    if (*rc::gen::arbitrary<bool>()) {
      event.details["a"] = text();
      event.details["b"] = {{"c", *rc::gen::arbitrary<int>()}, {"d", {1, 2, text()}}};
    }
    const std::string producer = text() + "p";
    const std::uint64_t sequence = *rc::gen::inRange<std::uint64_t>(0, kSequenceMax + 1);
    const std::string entry = entry_of(event, producer, sequence);
    const auto parsed = codec::parse_json(entry);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(codec::canonical_json(*parsed) == entry);
    const auto links = read_links(view_of(entry));
    RC_ASSERT(links.has_value());
    RC_ASSERT(links->sequence == sequence);
    RC_ASSERT("\"" + std::string(links->producer) + "\"" == json_text(producer));
    RC_ASSERT(entry.size() <= entry_bytes_max(draft_entry(event, kBoot), json_text(producer)));
  }));
}

TEST(Entry, BytesThatAreNotTextDoNotLoseTheEntry) {
  Event event;
  event.action = "sign.in";
  event.actor = "bad\xff\xfename";
  const auto parsed = codec::parse_json(entry_of(event, "p", 0));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at("actor"), "bad\xef\xbf\xbd\xef\xbf\xbdname");
}

TEST(Links, OnlyWholeSortedObjects) {
  const std::string good = entry_of(Event{.action = "a", .actor = "b"}, "p", 3);
  ASSERT_TRUE(read_links(view_of(good)));
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(read_links(view_of(std::string_view(good).substr(0, cut)))) << cut;
  }
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {good + " ", " " + good, good + "{}", "[" + good + "]", std::string("{}"),
        changed("\"action\"", "\"zction\""),  // not sorted
        changed("\"actor\"", "\"action\""),   // repeated
        changed("\"producer_seq\":3", "\"producer_seq\":-3"),
        changed("\"producer_seq\":3", "\"producer_seq\":03"),
        changed("\"producer_seq\":3", "\"producer_seq\":3.0"),
        changed("\"producer_seq\":3", "\"producer_seq\":\"\""),
        changed("\"producer_seq\":3", "\"producer_seq\":9007199254740992"),
        changed("\"producer_seq\":3,", ""), changed("\"producer\":\"p\",", ""),
        changed("\"time\"", "\"tims\""), changed("\"prev\":\"0", "\"prev\":\""),
        changed("\"prev\"", "\"preu\""), changed(",\"v\":1", ","), changed(":1}", ":1]")}) {
    EXPECT_FALSE(read_links(view_of(bad))) << bad;
  }
}

TEST(Links, NestedValuesAndEscapesAreSkipped) {
  Event event{.action = "a\\", .actor = "\"}{\""};
  event.details["x"] = {{"prev", "no"}, {"y", {"]", "}", "\\\"", {{"z", "\\\\"}}}}};
  const std::string entry = entry_of(event, "pro\"ducer", 5);
  const auto links = read_links(view_of(entry));
  ASSERT_TRUE(links);
  EXPECT_EQ(links->sequence, 5U);
  EXPECT_EQ(links->producer, "pro\\\"ducer");
  EXPECT_EQ(links->time, kTime);
}

TEST(ChainOfEntries, FollowsEachProducer) {
  Chain chain(true);
  tlog::Digest last_a{}, last_b{};
  std::uint64_t index = 0;
  const auto put = [&](std::string_view producer, std::uint64_t sequence, tlog::Digest& last) {
    const std::string entry = entry_of(Event{.action = "x"}, producer, sequence, last);
    const auto leaf = tlog::leaf_hash(view_of(entry));
    const auto problem = chain.check(index++, view_of(entry), leaf);
    if (problem == Chain::Problem::kNone) last = leaf;
    return problem;
  };
  EXPECT_EQ(put("a", 1, last_a), Chain::Problem::kGap);  // not its first
  EXPECT_EQ(put("a", 0, last_a), Chain::Problem::kNone);
  EXPECT_EQ(put("b", 0, last_b), Chain::Problem::kNone);
  EXPECT_EQ(put("a", 1, last_a), Chain::Problem::kNone);
  EXPECT_EQ(put("a", 3, last_a), Chain::Problem::kGap);
  EXPECT_EQ(put("a", 1, last_a), Chain::Problem::kRepeat);
  EXPECT_EQ(put("a", 2, last_b), Chain::Problem::kPrevious);
  EXPECT_EQ(chain.previous_index(), 3U);
  EXPECT_EQ(put("a", 2, last_a), Chain::Problem::kNone);
  EXPECT_EQ(put("b", 1, last_b), Chain::Problem::kNone);
  EXPECT_EQ(put("c", 0, last_b), Chain::Problem::kPrevious);  // a first entry has none before it
  ASSERT_NE(chain.find("b"), nullptr);
  EXPECT_EQ(chain.find("b")->next_sequence, 2U);
  EXPECT_EQ(chain.find("c"), nullptr);
  EXPECT_EQ(chain.check(99, view_of("{}"), {}), Chain::Problem::kNotAnEntry);
}

}  // namespace
}  // namespace theriac::audit
