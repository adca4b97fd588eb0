#include "line/order.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "codec/json.hpp"
#include "line/csv.hpp"
#include "line/limits.hpp"

namespace theriac::line {
namespace {

using codec::Json;

constexpr const char* kGtin = "09506000134352";
constexpr const char* kSscc = "095060000000000015";

Json body(const char* ask) { return {{"ask", ask}, {"gtin", kGtin}, {"lot", "LOT1A"}}; }
Json report(Json event) {
  auto json = body("report");
  json["events"] = Json::array({std::move(event)});
  return json;
}

std::string fault_of(std::string_view text, Form form = Form::kJson) {
  const auto order = read_order(text, form);
  if (order) return "read";
  return std::string(name_of(order.error().reason)) + ":" + std::to_string(order.error().at);
}
std::string fault_in(const Json& json) { return fault_of(json.dump()); }

TEST(Order, RequestsAreRead) {
  auto json = body("numbers");
  json["count"] = 500;
  const auto order = read_order(json.dump(), Form::kJson);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->ask, Ask::kNumbers);
  EXPECT_EQ(order->gtin, kGtin);
  EXPECT_EQ(order->lot, "LOT1A");
  EXPECT_EQ(order->count, 500);
  EXPECT_EQ(read_order(body("open").dump(), Form::kJson)->ask, Ask::kOpen);
  EXPECT_EQ(read_order(body("close").dump(), Form::kJson)->ask, Ask::kClose);
  EXPECT_EQ(read_order("ask,gtin,lot,count\r\nnumbers,09506000134352,LOT1A,500\r\n", Form::kCsv),
            order);
  EXPECT_EQ(read_order("\xEF\xBB\xBFlot,gtin,ask\nLOT1A,09506000134352,close", Form::kCsv)->ask,
            Ask::kClose);
}

TEST(Order, ReportsAreReadAlikeInBothForms) {
  auto json = body("report");
  json["events"] = {{{"act", "commission"}, {"serials", {"A1", "B,\"2"}}},
                    {{"act", "pack"},
                     {"serials", {"A1", "B,\"2"}},
                     {"container", kSscc},
                     {"when", "2026-11-21T10:30:00Z"}},
                    {{"act", "unpack"}, {"container", kSscc}},
                    {{"act", "destroy"}, {"ssccs", {kSscc}}}};
  const auto order = read_order(json.dump(), Form::kJson);
  ASSERT_TRUE(order) << fault_in(json);
  ASSERT_EQ(order->events.size(), 4U);
  EXPECT_EQ(order->events[1].when_ms, 1'795'257'000'000);
  const std::string csv =
      "act,gtin,lot,serial,sscc,container,when\n"
      "commission,09506000134352,LOT1A,A1,,,\n"
      "commission,09506000134352,LOT1A,\"B,\"\"2\",,,\n"
      "pack,09506000134352,LOT1A,A1,,095060000000000015,2026-11-21T10:30:00Z\n"
      "pack,09506000134352,LOT1A,\"B,\"\"2\",,095060000000000015,2026-11-21T10:30:00Z\n"
      "unpack,09506000134352,LOT1A,,,095060000000000015,\n"
      "destroy,09506000134352,LOT1A,,095060000000000015,,\n";
  EXPECT_EQ(read_order(csv, Form::kCsv), order) << fault_of(csv, Form::kCsv);
}

TEST(Order, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_EQ(fault_of(""), "BadJson:0");
  EXPECT_EQ(fault_of("[]"), "BadJson:0");
  EXPECT_EQ(fault_of("{}"), "BadAsk:0");
  EXPECT_EQ(fault_of(R"({"ask":"open","ask":"open"})"), "BadJson:0");
  EXPECT_EQ(fault_of("\xff"), "NotUtf8:0");
  EXPECT_EQ(fault_in(body("steal")), "BadAsk:0");
  auto json = body("open");
  json["more"] = 1;
  EXPECT_EQ(fault_in(json), "BadMember:0");
  json = body("open");
  json["gtin"] = 9506000134352;
  EXPECT_EQ(fault_in(json), "BadMember:0");
  json["gtin"] = "09506000134353";
  EXPECT_EQ(fault_in(json), "BadGtin:0");
  json = body("open");
  json["lot"] = "";
  EXPECT_EQ(fault_in(json), "BadLot:0");
  EXPECT_EQ(fault_in(report("commission")), "BadMember:1");
  EXPECT_EQ(fault_in(report({{"act", "ship"}, {"serials", {"A"}}})), "BadAct:1");
  EXPECT_EQ(fault_in(report({{"act", "sample"}})), "NoItems:1");
  EXPECT_EQ(fault_in(report({{"act", "sample"}, {"serials", {1}}})), "BadMember:1");
  EXPECT_EQ(fault_in(report({{"act", "sample"}, {"serials", {"A B"}}})), "BadSerial:1");
  EXPECT_EQ(fault_in(report({{"act", "sample"}, {"serials", {std::string(21, 'A')}}})),
            "BadSerial:1");
  EXPECT_EQ(fault_in(report({{"act", "pack"}, {"serials", {"A"}}})), "NoContainer:1");
  EXPECT_EQ(fault_in(report({{"act", "sample"}, {"serials", {"A"}}, {"container", kSscc}})),
            "NoContainer:1");
  EXPECT_EQ(fault_in(report({{"act", "destroy"}, {"ssccs", {"095060000000000014"}}})), "BadSscc:1");
  EXPECT_EQ(fault_in(report({{"act", "return"}, {"ssccs", {kSscc}}})), "BadSscc:1");
  EXPECT_EQ(fault_in(report({{"act", "sample"}, {"serials", {"A"}}, {"when", "yesterday"}})),
            "BadTime:1");
  json = body("report");
  json["events"] = Json::array();
  EXPECT_EQ(fault_in(json), "NoItems:0");
}

TEST(Order, CsvIsWrongWhereItIsWrong) {
  const auto csv = [](std::string_view text) { return fault_of(text, Form::kCsv); };
  EXPECT_EQ(csv(""), "BadCsv:1");
  EXPECT_EQ(csv("ask,gtin\nx"), "BadCsv:2");
  EXPECT_EQ(csv("ask,gtin,lot,price\nopen,09506000134352,LOT1A,1"), "BadCsv:1");
  EXPECT_EQ(csv("ask,ask,gtin,lot\nopen,open,09506000134352,LOT1A"), "BadCsv:1");
  EXPECT_EQ(csv("ask,gtin,lot\nreport,09506000134352,LOT1A"), "BadAsk:2");
  EXPECT_EQ(csv("ask,gtin,lot,count\nnumbers,09506000134352,LOT1A,-1"), "BadCount:2");
  EXPECT_EQ(csv("ask,gtin,lot,count\nopen,09506000134352,LOT1A,1"), "BadCount:2");
  EXPECT_EQ(csv("act,gtin,lot,serial\nsample,09506000134352,LOT1A,A\nsample,09506000134352,B,A"),
            "BadLot:3");
  EXPECT_EQ(csv("act,gtin,lot,serial\nsample,09506000134352,LOT1A,A\nsample,09506000134352,LOT1A,"),
            "NoItems:3");
  EXPECT_EQ(csv("act,gtin,lot,serial\nsample,09506000134352,LOT1A,\"A"), "BadCsv:2");
  EXPECT_EQ(csv("act,gtin,lot,serial\nsample,09506000134352,LOT1A,A\"B"), "BadCsv:2");
  EXPECT_EQ(csv("act,gtin,lot,serial\nsample,09506000134352,LOT1A,\"A\"B"), "BadCsv:2");
}

TEST(Order, LimitsHold) {
  auto json = body("numbers");
  json["count"] = kOrderItemsMax;
  EXPECT_EQ(fault_in(json), "read");
  json["count"] = kOrderItemsMax + 1;
  EXPECT_EQ(fault_in(json), "BadCount:0");
  const auto items = [](std::int64_t count) {
    return report({{"act", "sample"},
                   {"serials", std::vector<std::string>(static_cast<std::size_t>(count), "A")}});
  };
  EXPECT_EQ(fault_in(items(kOrderItemsMax)), "read");
  EXPECT_EQ(fault_in(items(kOrderItemsMax + 1)), "TooManyItems:0");
  auto text = body("open").dump();
  text.resize(kOrderBytesMax, ' ');
  EXPECT_EQ(fault_of(text), "read");
  text += ' ';
  EXPECT_EQ(fault_of(text), "TooLarge:0");
}

TEST(Order, AnswersComeBackAsTheyWere) {
  const Order order{.ask = Ask::kNumbers, .gtin = kGtin, .lot = "L,1\"", .count = 2};
  const std::vector<std::string> serials{"A,1", "\"", "plain"};
  EXPECT_EQ(Json::parse(write_numbers(order, serials, Form::kJson)).at("serials"), Json(serials));
  const auto table = parse_csv(write_numbers(order, serials, Form::kCsv));
  ASSERT_TRUE(table);
  ASSERT_EQ(table->rows.size(), 3U);
  for (std::size_t i = 0; i < serials.size(); ++i) {
    EXPECT_EQ(table->rows[i].cells, (std::vector<std::string>{kGtin, "L,1\"", serials[i]}));
  }
  EXPECT_EQ(link_of(kGtin, "A/1"), "https://id.gs1.org/01/09506000134352/21/A%2F1");
  EXPECT_EQ(link_of_sscc(kSscc), "https://id.gs1.org/00/095060000000000015");
}

TEST(Csv, AnyCellsComeBack) {
  EXPECT_TRUE(rc::check("what csv_cell writes parse_csv reads", [](std::vector<std::string> cells) {
    RC_PRE(!cells.empty());
    std::string text = "c";
    for (std::size_t i = 1; i < cells.size(); ++i) text += ",c";
    text += "\r\n";
    for (std::size_t i = 0; i < cells.size(); ++i) text += (i == 0 ? "" : ",") + csv_cell(cells[i]);
    const auto table = parse_csv(text);
    RC_ASSERT(table.has_value());
    // One empty cell alone is no line.
    if (cells.size() == 1 && cells[0].empty()) {
      RC_ASSERT(table->rows.empty());
      return;
    }
    RC_ASSERT(table->rows.size() == 1U);
    RC_ASSERT(table->rows[0].cells == cells);
  }));
}

TEST(Reasons, AreInBothLanguages) {
  const auto text = reason_text({Reason::kBadSerial, 3});
  EXPECT_TRUE(text.starts_with("BadSerial\nentry 3: "));
  EXPECT_NE(text.find("第 3 项"), std::string::npos);
  EXPECT_EQ(explain(Reason::kClockMoved, Language::kChinese), "时钟被调回，请校正");
  EXPECT_NE(server_reason_text("NeverIssued").find("该编码从未发放"), std::string::npos);
  EXPECT_NE(server_reason_text("NotFound").find("nothing is there"), std::string::npos);
  EXPECT_EQ(server_reason_text("<script>"), "refused");
}

}  // namespace
}  // namespace theriac::line
