// JSON documents: whatever is read can be written, and what was written reads as the same events.
#include <algorithm>

#include "base/bytes.hpp"
#include "epcis/event_hash.hpp"
#include "epcis/read.hpp"
#include "epcis/write.hpp"

namespace {

using namespace theriac;
using namespace theriac::epcis;

bool none_refused(const Reading& reading) {
  return !reading.refused && std::ranges::all_of(reading.events, [](const EventReading& event) {
    return event.event.has_value();
  });
}

void same_events(const Document& a, const Document& b) {
  THERIAC_ASSERT(a.events.size() == b.events.size());
  for (std::size_t i = 0; i < a.events.size(); ++i) {
    THERIAC_ASSERT(pre_hash(a.events[i]) == pre_hash(b.events[i]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto reading = read_json(text_of({data, size}));
  if (!reading || reading->refused) return 0;
  const Document& document = reading->document;
  const auto json = write_json(document);
  if (json) {
    const auto again = read_json(*json);
    THERIAC_ASSERT(again.has_value() && none_refused(*again));
    same_events(again->document, document);
    // From the second time on the text stays as it is. (Prefixes find their order in the first.)
    const std::string second = write_json(again->document).value();
    THERIAC_ASSERT(write_json(read_json(second)->document).value() == second);
  } else {
    THERIAC_ASSERT(json.error().code == Code::kUnsupported ||
                   json.error().code == Code::kMalformed);
  }
  if (const auto xml = write_xml(document)) {
    const auto again = read_xml(*xml);
    THERIAC_ASSERT(again.has_value() && none_refused(*again));
    same_events(again->document, document);
  }
  return 0;
}
