// A thousand commissionings: read, written, hashed and queried, in events a second.
#include <benchmark/benchmark.h>

#include "epcis/event_hash.hpp"
#include "epcis/query.hpp"
#include "epcis/read.hpp"
#include "epcis/write.hpp"

#pragma clang diagnostic ignored "-Wc2y-extensions"  // __COUNTER__ in BENCHMARK

namespace {

using namespace theriac::epcis;  // NOLINT: one file, one subject

constexpr int kEvents = 1'000;

const Document& document() {
  static const Document made = [] {
    Document out;
    out.creation_date = time_of("2026-11-21T10:31:00Z");
    out.namespaces = {{"ext", "https://example.com/ext/"}};
    for (int i = 0; i < kEvents; ++i) {
      Event event;
      event.event_time = *time_of("2026-11-21T10:30:00+08:00");
      event.time_zone_offset = "+08:00";
      event.action = Action::kAdd;
      event.biz_step.value = "commissioning";
      event.disposition.value = "active";
      event.epcs = {"urn:epc:id:sgtin:4012345.011111." + std::to_string(100'000 + i)};
      event.read_point = Location{.id = "urn:epc:id:sgln:4012345.00005.0", .extensions = {}};
      event.ilmd = {{.ns = "https://example.com/ext/", .name = "lot", .text = "LOT1A"}};
      out.events.push_back(std::move(event));
    }
    return out;
  }();
  return made;
}
const std::string& json() {
  static const std::string text = write_json(document()).value();
  return text;
}
const std::string& xml() {
  static const std::string text = write_xml(document()).value();
  return text;
}

template <typename Work>
void events(benchmark::State& state, Work work) {
  for (auto _ : state) work();
  state.SetItemsProcessed(state.iterations() * kEvents);
}
BENCHMARK_CAPTURE(events, read_json, [] { benchmark::DoNotOptimize(read_json(json())); });
BENCHMARK_CAPTURE(events, read_xml, [] { benchmark::DoNotOptimize(read_xml(xml())); });
BENCHMARK_CAPTURE(events, write_json,
                  [] { benchmark::DoNotOptimize(write_json(document(), {.checked = true})); });
BENCHMARK_CAPTURE(events, write_json_checked,
                  [] { benchmark::DoNotOptimize(write_json(document())); });
BENCHMARK_CAPTURE(events, write_xml,
                  [] { benchmark::DoNotOptimize(write_xml(document(), {.checked = true})); });
BENCHMARK_CAPTURE(events, hash, [] {
  for (const Event& event : document().events) benchmark::DoNotOptimize(event_hash(event));
});
BENCHMARK_CAPTURE(events, terms, [] {
  for (const Event& event : document().events) benchmark::DoNotOptimize(terms_of(event));
});
BENCHMARK_CAPTURE(events, query, [] {
  static const Query query =
      Query::parse(std::vector<Parameter>{{"EQ_bizStep", {"commissioning"}},
                                          {"MATCH_epc", {"urn:epc:idpat:sgtin:4012345.011111.*"}}})
          .value();
  for (const Event& event : document().events) benchmark::DoNotOptimize(query.matches(event));
});

}  // namespace
