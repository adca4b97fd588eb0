// Files of a packaging line: whatever is read keeps the limits, and numbers written for it can be
// read again.
#include "codec/json.hpp"
#include "line/csv.hpp"
#include "line/limits.hpp"
#include "line/order.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  using namespace theriac::line;
  const auto text = text_of({data, size});
  for (const auto form : {Form::kJson, Form::kCsv}) {
    const auto order = read_order(text, form);
    if (!order) {
      THERIAC_ASSERT(!reason_text(order.error()).empty());
      continue;
    }
    std::vector<std::string> serials;
    for (const auto& event : order->events) {
      for (const auto& one : event.serials) {
        THERIAC_ASSERT(link_of(order->gtin, one).starts_with("https://id.gs1.org/01/"));
        serials.push_back(one);
      }
      for (const auto& one : event.ssccs) THERIAC_ASSERT(one.size() == 18);
    }
    THERIAC_ASSERT(serials.size() <= static_cast<std::size_t>(kOrderItemsMax));
    const auto table = parse_csv(write_numbers(*order, serials, Form::kCsv));
    THERIAC_ASSERT(table.has_value() && table->rows.size() == serials.size());
    const auto json = codec::parse_json(write_numbers(*order, serials, Form::kJson));
    THERIAC_ASSERT(json.has_value() && json->at("serials") == codec::Json(serials));
  }
  return 0;
}
