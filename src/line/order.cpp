#include "line/order.hpp"

#include <algorithm>
#include <array>

#include "codec/json.hpp"
#include "codec/time.hpp"
#include "gs1/epc.hpp"
#include "http/target.hpp"
#include "line/csv.hpp"
#include "line/limits.hpp"

namespace theriac::line {
namespace {

using codec::Json;
using Read = tl::expected<Order, Fault>;

tl::unexpected<Fault> refuse(Reason reason, std::size_t at = 0) {
  return tl::unexpected(Fault{reason, at});
}

bool fits(std::string_view ai, const std::string& value) {
  return gs1::check({{std::string(ai), value}}, {.required = false}).has_value();
}

std::optional<Ask> ask_named(std::string_view name) {
  if (name == "numbers") return Ask::kNumbers;
  if (name == "open") return Ask::kOpen;
  if (name == "close") return Ask::kClose;
  if (name == "report") return Ask::kReport;
  return std::nullopt;
}

constexpr std::array<std::string_view, 7> kActs{"commission", "reject", "sample", "destroy",
                                                "pack",       "unpack", "return"};

std::optional<Act> act_named(std::string_view name) {
  const auto at = std::ranges::find(kActs, name);
  if (at == kActs.end()) return std::nullopt;
  return static_cast<Act>(at - kActs.begin());
}

/// What an event must be, whatever form it came in.
std::optional<Reason> wrong(const Event& event) {
  if (event.serials.empty() && event.ssccs.empty() && event.act != Act::kUnpack) {
    return Reason::kNoItems;
  }
  const bool wants_container = event.act == Act::kPack || event.act == Act::kUnpack;
  if (wants_container == event.container.empty()) return Reason::kNoContainer;
  if (event.act == Act::kReturn && !event.ssccs.empty()) return Reason::kBadSscc;
  if (!std::ranges::all_of(event.serials, [](const auto& one) { return fits("21", one); })) {
    return Reason::kBadSerial;
  }
  const auto is_sscc = [](const std::string& one) { return fits("00", one); };
  if (!std::ranges::all_of(event.ssccs, is_sscc)) return Reason::kBadSscc;
  if (!event.container.empty() && !is_sscc(event.container)) return Reason::kBadSscc;
  return std::nullopt;
}

/// `places`: where each event stands in the file.
Read checked(Order order, const std::vector<std::size_t>& places) {
  if (!fits("01", order.gtin)) return refuse(Reason::kBadGtin);
  if (!fits("10", order.lot)) return refuse(Reason::kBadLot);
  if (order.ask == Ask::kNumbers && (order.count < 1 || order.count > kOrderItemsMax)) {
    return refuse(Reason::kBadCount);
  }
  if (order.ask == Ask::kReport && order.events.empty()) return refuse(Reason::kNoItems);
  std::size_t items = 0;
  for (std::size_t i = 0; i < order.events.size(); ++i) {
    const auto& event = order.events[i];
    if (const auto no = wrong(event)) return refuse(*no, places[i]);
    items += event.serials.size() + event.ssccs.size();
  }
  if (items > static_cast<std::size_t>(kOrderItemsMax)) return refuse(Reason::kTooManyItems);
  return order;
}

// --- JSON ---

bool take(const Json& json, const char* name, std::string& into) {
  const auto at = json.find(name);
  if (at == json.end()) return true;
  if (!at->is_string()) return false;
  at->get_to(into);
  return true;
}

bool take(const Json& json, const char* name, std::vector<std::string>& into) {
  const auto at = json.find(name);
  if (at == json.end()) return true;
  if (!at->is_array() || !std::ranges::all_of(*at, [](const Json& one) { return one.is_string(); }))
    return false;
  at->get_to(into);
  return true;
}

bool has_only(const Json& json, std::initializer_list<std::string_view> names) {
  return std::ranges::all_of(json.items(), [&](const auto& member) {
    return std::ranges::find(names, member.key()) != names.end();
  });
}

tl::expected<Event, Reason> read_event(const Json& json) {
  if (!json.is_object() || !has_only(json, {"act", "serials", "ssccs", "container", "when"})) {
    return tl::unexpected(Reason::kBadMember);
  }
  Event event;
  std::string act;
  std::string when;
  if (!take(json, "act", act) || !take(json, "serials", event.serials) ||
      !take(json, "ssccs", event.ssccs) || !take(json, "container", event.container) ||
      !take(json, "when", when)) {
    return tl::unexpected(Reason::kBadMember);
  }
  const auto named = act_named(act);
  if (!named) return tl::unexpected(Reason::kBadAct);
  event.act = *named;
  if (json.contains("when")) {
    const auto time = codec::parse_rfc3339(when);
    if (!time) return tl::unexpected(Reason::kBadTime);
    event.when_ms = *time;
  }
  return event;
}

Read read_json(std::string_view text) {
  const auto json = codec::parse_json(text, kOrderBytesMax);
  if (!json) {
    return refuse(json.error().code == Code::kTooLarge ? Reason::kTooLarge : Reason::kBadJson);
  }
  if (!json->is_object()) return refuse(Reason::kBadJson);
  Order order;
  std::string ask;
  if (!take(*json, "ask", ask) || !take(*json, "gtin", order.gtin) ||
      !take(*json, "lot", order.lot)) {
    return refuse(Reason::kBadMember);
  }
  const auto named = ask_named(ask);
  if (!named) return refuse(Reason::kBadAsk);
  order.ask = *named;
  std::vector<std::size_t> places;
  if (order.ask == Ask::kNumbers) {
    if (!has_only(*json, {"ask", "gtin", "lot", "count"})) return refuse(Reason::kBadMember);
    const auto count = json->find("count");
    if (count == json->end() || !count->is_number_integer()) return refuse(Reason::kBadCount);
    order.count = count->get<std::int64_t>();
  } else if (order.ask == Ask::kReport) {
    if (!has_only(*json, {"ask", "gtin", "lot", "events"})) return refuse(Reason::kBadMember);
    const auto events = json->find("events");
    if (events == json->end() || !events->is_array()) return refuse(Reason::kBadMember);
    for (const auto& one : *events) {
      places.push_back(places.size() + 1);
      auto event = read_event(one);
      if (!event) return refuse(event.error(), places.back());
      order.events.push_back(std::move(*event));
    }
  } else if (!has_only(*json, {"ask", "gtin", "lot"})) {
    return refuse(Reason::kBadMember);
  }
  return checked(std::move(order), places);
}

// --- CSV ---

/// A row by the names of its columns.
class Row {
 public:
  Row(const CsvTable& table, const CsvRow& row) : table_(&table), row_(&row) {}
  [[nodiscard]] std::string get(std::string_view column) const {
    const auto at = std::ranges::find(table_->columns, column);
    if (at == table_->columns.end()) return {};
    return row_->cells[static_cast<std::size_t>(at - table_->columns.begin())];
  }

 private:
  const CsvTable* table_;
  const CsvRow* row_;
};

bool knows(const CsvTable& table, std::initializer_list<std::string_view> columns) {
  return std::ranges::all_of(table.columns, [&](const auto& one) {
    return std::ranges::find(columns, one) != columns.end() &&
           std::ranges::count(table.columns, one) == 1;
  });
}

Read read_csv_request(const CsvTable& table) {
  if (!knows(table, {"ask", "gtin", "lot", "count"})) return refuse(Reason::kBadCsv, 1);
  if (table.rows.size() != 1) return refuse(Reason::kBadCsv);
  const Row row(table, table.rows[0]);
  const auto ask = ask_named(row.get("ask"));
  if (!ask || *ask == Ask::kReport) return refuse(Reason::kBadAsk, table.rows[0].line);
  Order order{.ask = *ask, .gtin = row.get("gtin"), .lot = row.get("lot")};
  const auto count = row.get("count");
  if (count.empty() != (*ask != Ask::kNumbers)) return refuse(Reason::kBadCount, 2);
  for (const char c : count) {
    if (c < '0' || c > '9' || order.count > kOrderItemsMax) return refuse(Reason::kBadCount, 2);
    order.count = order.count * 10 + (c - '0');
  }
  return checked(std::move(order), {});
}

tl::expected<Event, Reason> read_event(const Row& row) {
  Event event;
  const auto act = act_named(row.get("act"));
  if (!act) return tl::unexpected(Reason::kBadAct);
  event.act = *act;
  if (auto serial = row.get("serial"); !serial.empty()) event.serials.push_back(std::move(serial));
  if (auto sscc = row.get("sscc"); !sscc.empty()) event.ssccs.push_back(std::move(sscc));
  event.container = row.get("container");
  if (const auto when = row.get("when"); !when.empty()) {
    const auto time = codec::parse_rfc3339(when);
    if (!time) return tl::unexpected(Reason::kBadTime);
    event.when_ms = *time;
  }
  if (const auto no = wrong(event)) return tl::unexpected(*no);
  return event;
}

/// Rows that follow each other and differ in the item alone are one event.
bool joins(const Event& event, const Event& last) {
  return event.act == last.act && event.container == last.container &&
         event.when_ms == last.when_ms && !(event.serials.empty() && event.ssccs.empty()) &&
         !(last.serials.empty() && last.ssccs.empty());
}

Read read_csv_report(const CsvTable& table) {
  if (!knows(table, {"act", "gtin", "lot", "serial", "sscc", "container", "when"})) {
    return refuse(Reason::kBadCsv, 1);
  }
  Order order{.ask = Ask::kReport};
  std::vector<std::size_t> places;
  for (const auto& one : table.rows) {
    const Row row(table, one);
    if (places.empty()) {
      order.gtin = row.get("gtin");
      order.lot = row.get("lot");
    } else if (row.get("gtin") != order.gtin || row.get("lot") != order.lot) {
      return refuse(Reason::kBadLot, one.line);
    }
    auto event = read_event(row);
    if (!event) return refuse(event.error(), one.line);
    if (!order.events.empty() && joins(*event, order.events.back())) {
      auto& last = order.events.back();
      std::ranges::move(event->serials, std::back_inserter(last.serials));
      std::ranges::move(event->ssccs, std::back_inserter(last.ssccs));
    } else {
      order.events.push_back(std::move(*event));
      places.push_back(one.line);
    }
  }
  return checked(std::move(order), places);
}

Read read_csv(std::string_view text) {
  const auto table = parse_csv(text);
  if (!table) return refuse(Reason::kBadCsv, table.error());
  const bool asks = std::ranges::find(table->columns, "ask") != table->columns.end();
  return asks ? read_csv_request(*table) : read_csv_report(*table);
}

}  // namespace

std::string_view server_name_of(Act act) {
  return act == Act::kReject ? "decommission" : kActs.at(static_cast<std::size_t>(act));
}

tl::expected<Order, Fault> read_order(std::string_view text, Form form) {
  if (text.size() > kOrderBytesMax) return refuse(Reason::kTooLarge);
  if (!http::is_utf8(text)) return refuse(Reason::kNotUtf8);
  return form == Form::kJson ? read_json(text) : read_csv(text);
}

std::string write_numbers(const Order& order, const std::vector<std::string>& serials, Form form) {
  if (form == Form::kJson) {
    return codec::canonical_json({{"gtin", order.gtin}, {"lot", order.lot}, {"serials", serials}});
  }
  std::string text = "gtin,lot,serial\r\n";
  for (const auto& serial : serials) {
    text += order.gtin + ',' + csv_cell(order.lot) + ',' + csv_cell(serial) + "\r\n";
  }
  return text;
}

std::string link_of(std::string_view gtin, std::string_view serial) {
  return gs1::epc_link({gs1::Key::kSgtin, gs1::ElementString({{"01", std::string(gtin)},
                                                              {"21", std::string(serial)}})});
}
std::string link_of_sscc(std::string_view sscc) {
  return gs1::epc_link({gs1::Key::kSscc, gs1::ElementString({{"00", std::string(sscc)}})});
}

}  // namespace theriac::line
