// Codes as they are read and drawn; nothing of it needs the store.
#include "api/limits.hpp"
#include "api/parts.hpp"
#include "codec/time.hpp"
#include "gs1/digital_link.hpp"
#include "gs1/epc.hpp"
#include "gs1/scan.hpp"
#include "label/layout.hpp"
#include "label/pdf.hpp"
#include "label/png.hpp"
#include "label/svg.hpp"
#include "label/zpl.hpp"

namespace theriac::api {
namespace {

using codec::Json;

template <typename T, std::size_t N>
Result<T> named(const std::array<std::pair<std::string_view, T>, N>& all, std::string_view name,
                const char* member) {
  for (const auto& [known, value] : all) {
    if (known == name) return value;
  }
  return fail(Code::kMalformed, member);
}

constexpr std::array<std::pair<std::string_view, label::Carrier>, 4> kCarriers{
    {{"datamatrix", label::Carrier::kDataMatrix},
     {"gs1-128", label::Carrier::kGs1128},
     {"qr-link", label::Carrier::kQrLink},
     {"gs1-qr", label::Carrier::kGs1Qr}}};
constexpr std::array<std::pair<std::string_view, label::TextForm>, 4> kForms{
    {{"bracketed", label::TextForm::kBracketed},
     {"eu-medicine", label::TextForm::kEuMedicine},
     {"device", label::TextForm::kDevice},
     {"china-device", label::TextForm::kChinaDevice}}};
constexpr std::array<std::pair<std::string_view, gs1::ScanForm>, 7> kScanForms{
    {{"bracketed", gs1::ScanForm::kBracketed},
     {"raw", gs1::ScanForm::kRaw},
     {"scan", gs1::ScanForm::kScan},
     {"digital-link", gs1::ScanForm::kDigitalLink},
     {"epc-urn", gs1::ScanForm::kEpcUrn},
     {"ma", gs1::ScanForm::kMa},
     {"drug-code", gs1::ScanForm::kDrugCode}}};

Json show(const gs1::ElementString& elements) {
  auto all = Json::array();
  for (const auto& one : elements.elements()) {
    all.push_back({{"ai", one.ai}, {"value", one.value}});
  }
  return all;
}

Json explain(const gs1::Scan& scan) {
  Json json{{"read", true}};
  for (const auto& [name, form] : kScanForms) {
    if (form == scan.form) json["form"] = name;
  }
  const auto* elements = std::get_if<gs1::ElementString>(&scan.code);
  if (elements == nullptr) return json;
  json["elements"] = show(*elements);
  json["bracketed"] = gs1::bracketed(*elements);
  if (const auto link = gs1::digital_link(*elements)) json["link"] = *link;
  if (const auto epc = gs1::epc_of(*elements)) {
    json["identifies"] = gs1::name_of(epc->key);
    json["item"] = gs1::epc_link(*epc);
  }
  return json;
}

Json fault_json(const gs1::Fault& fault, Language language) {
  return {{"read", false},
          {"fault",
           {{"code", gs1::name_of(fault.code)},
            {"at", fault.at},
            {"ai", fault.ai},
            {"text", gs1::explain(fault, language)}}}};
}

struct LabelOrder {
  std::vector<gs1::ElementString> codes;
  std::vector<std::string> names;
  label::Carrier carrier{};
  label::TextForm form{};
  std::string output;
  label::Design design;
  label::Printer printer;
  int dpi = 300;
};

Result<LabelOrder> read_order(const Call& call) {
  Body body(call.body);
  LabelOrder order;
  THERIAC_ASSIGN(const auto codes, body.texts("codes"));
  if (codes.empty()) return fail(Code::kMalformed, "codes");
  if (codes.size() > kLabelsOfOneCallMax) return fail(Code::kTooLarge, "codes");
  THERIAC_ASSIGN(order.names, body.texts_or_none("names"));
  THERIAC_ASSIGN(const auto carrier, body.text_or("carrier", "datamatrix"));
  THERIAC_ASSIGN(order.carrier, named(kCarriers, carrier, "carrier"));
  THERIAC_ASSIGN(const auto form, body.text_or("form", "bracketed"));
  THERIAC_ASSIGN(order.form, named(kForms, form, "form"));
  THERIAC_ASSIGN(order.output, body.text("output"));
  THERIAC_ASSIGN(order.design.width_mm, body.number_or("width_mm", order.design.width_mm));
  THERIAC_ASSIGN(order.design.height_mm, body.number_or("height_mm", order.design.height_mm));
  THERIAC_ASSIGN(const auto dots, body.integer_or("dots_per_mm", 8));
  THERIAC_ASSIGN(const auto dpi, body.integer_or("dpi", 300));
  THERIAC_TRY(body.end());
  if (dots < 1 || dots > 100) return fail(Code::kMalformed, "dots_per_mm");
  if (dpi < 1 || dpi > 100'000) return fail(Code::kMalformed, "dpi");
  order.printer.dots_per_mm = static_cast<int>(dots);
  order.dpi = static_cast<int>(dpi);
  if (order.output == "zpl") order.design.grid = label::grid_of(order.printer);
  for (const auto& text : codes) {
    const auto scan = gs1::read_scan(text);
    if (!scan) return fail(gs1::error_of(scan.error()));
    const auto* elements = std::get_if<gs1::ElementString>(&scan->code);
    if (elements == nullptr) return fail(Code::kUnsupported, "codes");
    order.codes.push_back(*elements);
  }
  if (codes.size() > 1 && (order.output == "svg" || order.output == "png")) {
    return fail(Code::kOutOfRange, "codes: one for svg and png");
  }
  return order;
}

Result<std::vector<label::Drawing>> draw(const LabelOrder& order, int year_now) {
  std::vector<label::Drawing> all;
  for (const auto& elements : order.codes) {
    THERIAC_ASSIGN(const auto symbol, label::make_symbol(elements, order.carrier));
    const label::LabelText text{order.names, label::human_text(elements, order.form, year_now)};
    THERIAC_ASSIGN(auto drawing, label::lay_out(symbol, text, order.design));
    all.push_back(std::move(drawing));
  }
  return all;
}

Answer say_file(std::string type, Bytes bytes) {
  Answer answer;
  answer.file = http::Response{200, {{"Content-Type", std::move(type)}}, std::move(bytes)};
  return answer;
}

}  // namespace

Result<Answer> read_code(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto text, body.text("text"));
  THERIAC_TRY(body.end());
  const auto scan = gs1::read_scan(text);
  return say(scan ? explain(*scan) : fault_json(scan.error(), call.language));
}

Result<Answer> make_labels(Call& call) {
  THERIAC_ASSIGN(const auto order, read_order(call));
  if (order.output == "png") {
    THERIAC_ASSIGN(const auto symbol, label::make_symbol(order.codes.front(), order.carrier));
    const auto size = label::specification(order.carrier, label::Application::kHealthcare);
    THERIAC_ASSIGN(auto picture,
                   label::png(symbol, size.x_target_mm, order.dpi, size.bar_height_mm));
    return say_file("image/png", std::move(picture));
  }
  int year_now = 0;
  const auto now = codec::rfc3339_utc(call.now_ms);
  for (std::size_t i = 0; i < 4; ++i) year_now = year_now * 10 + (now[i] - '0');
  THERIAC_ASSIGN(const auto drawings, draw(order, year_now));
  if (order.output == "svg") {
    THERIAC_ASSIGN(const auto text, label::svg(drawings.front()));
    return say_file("image/svg+xml", bytes_of(text));
  }
  if (order.output == "pdf") {
    THERIAC_ASSIGN(const auto text, label::pdf(drawings));
    return say_file("application/pdf", bytes_of(text));
  }
  if (order.output != "zpl") return fail(Code::kMalformed, "output");
  std::string all;
  for (const auto& drawing : drawings) {
    THERIAC_ASSIGN(const auto text, label::zpl(drawing, order.printer));
    all += text;
  }
  return say_file("application/zpl", bytes_of(all));
}

Result<Answer> describe(Call&) {
  Answer answer;
  answer.file = http::Response::json(200, openapi_document());
  return answer;
}

}  // namespace theriac::api
