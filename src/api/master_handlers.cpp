// Products, lots, partners and places.
#include "api/parts.hpp"
#include "codec/base64.hpp"
#include "codec/time.hpp"
#include "trace/lot_certificate.hpp"
#include "trace/master.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using trace::Lot;
using trace::LotState;
using trace::Partner;
using trace::Place;
using trace::Product;
using trace::Record;

Json show(const Product& one) {
  return {{"id", one.id},
          {"gtin", one.gtin},
          {"name", one.name},
          {"name_zh", one.name_zh},
          {"level", one.level},
          {"inner", one.inner},
          {"inner_count", one.inner_count},
          {"prefix_length", one.prefix_length},
          {"market", one.market},
          {"kind", one.kind},
          {"udi_ma", one.udi_ma},
          {"drug_code", one.drug_code},
          {"national", one.national},
          {"mixed_lots", one.mixed_lots},
          {"active", one.active}};
}
Json show(const Lot& one) {
  return {{"id", one.id},
          {"product", one.product},
          {"number", one.number},
          {"made", one.made},
          {"expires", one.expires},
          {"state", trace::name_of(one.state)},
          {"recall", one.recall},
          {"certificate", one.certificate},
          {"certificate_sha256", one.certificate_sha256}};
}
Json show(const Partner& one) {
  return {{"id", one.id},
          {"name", one.name},
          {"gln", one.gln},
          {"kind", one.kind},
          {"certificates", one.certificates}};
}
Json show(const Place& one) {
  return {{"id", one.id},      {"gln", one.gln},         {"extension", one.extension},
          {"name", one.name},  {"partner", one.partner}, {"prefix_length", one.prefix_length},
          {"lines", one.lines}};
}

Status read(Body& body, Product& one) {
  THERIAC_ASSIGN(one.gtin, body.text("gtin"));
  THERIAC_ASSIGN(one.name, body.text("name"));
  THERIAC_ASSIGN(one.name_zh, body.text_or("name_zh", ""));
  THERIAC_ASSIGN(one.level, body.text("level"));
  THERIAC_ASSIGN(one.inner, body.integer_or("inner", 0));
  THERIAC_ASSIGN(one.inner_count, body.integer_or("inner_count", 0));
  THERIAC_ASSIGN(const auto prefix, body.integer("prefix_length"));
  if (prefix < 0 || prefix > 14) return fail(Code::kMalformed, "prefix_length");
  one.prefix_length = static_cast<int>(prefix);
  THERIAC_ASSIGN(one.market, body.text_or("market", ""));
  THERIAC_ASSIGN(one.kind, body.text("kind"));
  THERIAC_ASSIGN(one.udi_ma, body.text_or("udi_ma", ""));
  THERIAC_ASSIGN(one.drug_code, body.text_or("drug_code", ""));
  THERIAC_ASSIGN(one.national, body.text_or("national", ""));
  THERIAC_ASSIGN(one.mixed_lots, body.flag_or("mixed_lots", false));
  THERIAC_ASSIGN(one.active, body.flag_or("active", true));
  return {};
}
Status read(Body& body, Lot& one) {
  // Of a change: the row's own product stands.
  THERIAC_ASSIGN(one.product, body.integer("product"));
  THERIAC_ASSIGN(one.number, body.text("number"));
  THERIAC_ASSIGN(one.made, body.text_or("made", ""));
  THERIAC_ASSIGN(one.expires, body.text_or("expires", ""));
  THERIAC_ASSIGN(one.certificate, body.text_or("certificate", ""));
  THERIAC_ASSIGN(one.certificate_sha256, body.text_or("certificate_sha256", ""));
  return {};
}
Status read(Body& body, Partner& one) {
  THERIAC_ASSIGN(one.name, body.text("name"));
  THERIAC_ASSIGN(one.gln, body.text("gln"));
  THERIAC_ASSIGN(one.kind, body.text("kind"));
  THERIAC_ASSIGN(one.certificates, body.texts_or_none("certificates"));
  return {};
}
Status read(Body& body, Place& one) {
  THERIAC_ASSIGN(one.gln, body.text("gln"));
  THERIAC_ASSIGN(one.extension, body.text_or("extension", ""));
  THERIAC_ASSIGN(one.name, body.text("name"));
  THERIAC_ASSIGN(one.partner, body.integer_or("partner", 0));
  THERIAC_ASSIGN(const auto prefix, body.integer("prefix_length"));
  if (prefix < 0 || prefix > 14) return fail(Code::kMalformed, "prefix_length");
  one.prefix_length = static_cast<int>(prefix);
  THERIAC_ASSIGN(one.lines, body.texts_or_none("lines"));
  return {};
}

template <typename T>
Result<Answer> add_row(Call& call, std::string_view table) {
  Body body(call.body);
  T one;
  THERIAC_TRY(read(body, one));
  THERIAC_ASSIGN(call.who.reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  THERIAC_ASSIGN(const auto id, trace::add(*call.work, one, call.who));
  return say_row(call, table, id);
}

template <typename T>
Result<Answer> change_row(Call& call, std::string_view table) {
  Body body(call.body);
  T one;
  THERIAC_TRY(read(body, one));
  THERIAC_ASSIGN(call.who.reason, reason_of(body));
  THERIAC_TRY(body.end());
  one.id = call.id();
  THERIAC_TRY(trace::change(*call.work, one, call.who));
  return say_row(call, table, one.id);
}

Result<Answer> history(Call& call, Record record) {
  THERIAC_ASSIGN(const auto notes, trace::changes_of(*call.work, record, call.id()));
  if (notes.empty()) return fail(Code::kNotFound, "history");
  auto items = Json::array();
  for (const auto& note : notes) {
    items.push_back({{"when", codec::rfc3339_utc(note.when_ms)},
                     {"person", note.who.person},
                     {"station", note.who.station},
                     {"partner", note.who.partner},
                     {"reason", note.who.reason},
                     {"before", note.before}});
  }
  return say({{"items", std::move(items)}});
}

template <typename T>
Result<Answer> say_one(Result<T> found) {
  if (!found) return fail(std::move(found.error()));
  return say(show(*found));
}
template <typename T>
Result<Answer> say_found(Result<std::optional<T>> found, const char* table) {
  if (!found) return fail(std::move(found.error()));
  if (!*found) return fail(Code::kNotFound, table);
  return say(show(**found));
}
template <typename T>
Result<Answer> say_rows(Result<std::vector<T>> rows, std::int64_t limit) {
  if (!rows) return fail(std::move(rows.error()));
  return say_page(*rows, limit, [](const T& one) { return show(one); });
}

Result<Answer> move_lot(Call& call, LotState to) {
  Body body(call.body);
  THERIAC_ASSIGN(call.who.reason, reason_of(body));
  THERIAC_TRY(body.end());
  THERIAC_TRY(trace::set_state(*call.work, call.id(), to, call.who));
  return say_row(call, "lot", call.id());
}

}  // namespace

Result<Answer> list_products(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  return say_rows(trace::products(*call.work, page.after, page.limit), page.limit);
}
Result<Answer> add_product(Call& call) { return add_row<Product>(call, "product"); }
Result<Answer> find_product(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto gtin, body.text("gtin"));
  THERIAC_TRY(body.end());
  return say_found(trace::find_product(*call.work, gtin), "product");
}
Result<Answer> get_product(Call& call) { return say_one(trace::product(*call.work, call.id())); }
Result<Answer> change_product(Call& call) { return change_row<Product>(call, "product"); }
Result<Answer> product_levels(Call& call) {
  THERIAC_ASSIGN(const auto rows, trace::levels_of(*call.work, call.id()));
  auto items = Json::array();
  for (const auto& one : rows) items.push_back(show(one));
  return say({{"items", std::move(items)}});
}
Result<Answer> product_history(Call& call) { return history(call, Record::kProduct); }

Result<Answer> list_lots(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  return say_rows(trace::lots_of(*call.work, call.id(), page.after, page.limit), page.limit);
}
Result<Answer> add_lot(Call& call) { return add_row<Lot>(call, "lot"); }
Result<Answer> find_lot(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto product, body.integer("product"));
  THERIAC_ASSIGN(const auto number, body.text("number"));
  THERIAC_TRY(body.end());
  return say_found(trace::find_lot(*call.work, product, number), "lot");
}
Result<Answer> get_lot(Call& call) { return say_one(trace::lot(*call.work, call.id())); }
Result<Answer> change_lot(Call& call) { return change_row<Lot>(call, "lot"); }
Result<Answer> lot_history(Call& call) { return history(call, Record::kLot); }
Result<Answer> release_lot(Call& call) { return move_lot(call, LotState::kReleased); }
Result<Answer> block_lot(Call& call) { return move_lot(call, LotState::kBlocked); }

Result<Answer> put_certificate(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto name, body.text("name"));
  THERIAC_ASSIGN(const auto text, body.text("file"));
  THERIAC_ASSIGN(call.who.reason, reason_of(body));
  THERIAC_TRY(body.end());
  const auto bytes = codec::from_base64(text);
  if (!bytes) return fail(Code::kMalformed, "file");
  THERIAC_TRY(trace::keep_certificate(*call.work, call.id(), {name, std::string(text_of(*bytes))},
                                      call.who));
  return say_row(call, "lot", call.id());
}
Result<Answer> get_certificate(Call& call) {
  THERIAC_ASSIGN(const auto file, trace::certificate_of(*call.work, call.id()));
  call.event.object = "lot " + std::to_string(call.id());
  // Its name is a person's text, and its type is what its makers say: neither is a field here.
  auto response = http::Response::with(200, "application/octet-stream", file.bytes);
  response.fields.push_back({"Content-Disposition", "attachment; filename=\"certificate\""});
  response.fields.push_back({"X-Content-Type-Options", "nosniff"});
  return Answer{.body = nullptr, .file = std::move(response)};
}

Result<Answer> list_partners(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  return say_rows(trace::partners(*call.work, page.after, page.limit), page.limit);
}
Result<Answer> add_partner(Call& call) { return add_row<Partner>(call, "partner"); }
Result<Answer> get_partner(Call& call) { return say_one(trace::partner(*call.work, call.id())); }
Result<Answer> change_partner(Call& call) { return change_row<Partner>(call, "partner"); }
Result<Answer> partner_history(Call& call) { return history(call, Record::kPartner); }

Result<Answer> list_places(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  return say_rows(trace::places(*call.work, page.after, page.limit), page.limit);
}
Result<Answer> add_place(Call& call) { return add_row<Place>(call, "place"); }
Result<Answer> find_place(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto gln, body.text("gln"));
  THERIAC_ASSIGN(const auto extension, body.text_or("extension", ""));
  THERIAC_TRY(body.end());
  return say_found(trace::find_place(*call.work, gln, extension), "place");
}
Result<Answer> get_place(Call& call) { return say_one(trace::place(*call.work, call.id())); }
Result<Answer> change_place(Call& call) { return change_row<Place>(call, "place"); }
Result<Answer> place_history(Call& call) { return history(call, Record::kPlace); }

// What is master data's for others' rows.
Result<Answer> pool_history(Call& call) { return history(call, Record::kPool); }
Result<Answer> recall_history(Call& call) { return history(call, Record::kRecall); }

}  // namespace theriac::api
