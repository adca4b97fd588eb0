// Pools, allocations and what becomes of their numbers.
#include "api/parts.hpp"
#include "codec/time.hpp"
#include "pki/sealed_file.hpp"
#include "trace/limits.hpp"
#include "trace/lines.hpp"
#include "trace/master.hpp"
#include "trace/pools.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using trace::Allocation;
using trace::Pool;

Json show(const Pool& one) {
  Json json{{"id", one.id},
            {"product", one.product},
            {"drawn", one.drawn},
            {"open", one.open},
            {"issued", one.issued}};
  if (one.drawn) {
    json["length"] = one.rule.length;
    json["alphabet"] = one.rule.alphabet;
    json["prefix"] = one.rule.prefix;
    json["market"] = one.rule.market;
    json["capacity"] = one.rule.capacity;
  }
  return json;
}
Json show(const Allocation& one) {
  return {{"id", one.id},
          {"pool", one.pool},
          {"count", one.count},
          {"lot", one.lot},
          {"place", one.place},
          {"partner", one.partner},
          {"when", codec::rfc3339_utc(one.when_ms)},
          {"returned", one.returned}};
}

Json show(const std::vector<trace::ListedRefusal>& refused) {
  auto all = Json::array();
  for (const auto& one : refused) {
    all.push_back({{"at", one.at}, {"why", info_of(one.code).name}});
  }
  return all;
}

Result<trace::NumberRule> read_rule(Body& body) {
  trace::NumberRule rule;
  THERIAC_ASSIGN(const auto length, body.integer("length"));
  if (length < 0 || length > 100) return fail(Code::kMalformed, "length");
  rule.length = static_cast<int>(length);
  THERIAC_ASSIGN(rule.alphabet, body.text_or("alphabet", trace::kClearCharacters));
  THERIAC_ASSIGN(rule.prefix, body.text_or("prefix", ""));
  THERIAC_ASSIGN(rule.market, body.text_or("market", ""));
  THERIAC_ASSIGN(const auto capacity, body.integer("capacity"));
  if (capacity < 1) return fail(Code::kMalformed, "capacity");
  rule.capacity = static_cast<std::uint64_t>(capacity);
  return rule;
}

/// A partner's people see what is theirs only; there is nothing else for them.
Status check_owner(const Call& call, const Allocation& of) {
  if (call.who.line) THERIAC_TRY(trace::check_allocation(*call.work, *call.who.line, of));
  if (call.who.partner == 0 || call.who.partner == of.partner) return {};
  return fail(Code::kDenied, "the allocation is another's");
}

/// Nor is an allocation handed to a line that may not have it.
Status check_recipient(const Call& call, const pki::Certificate& recipient, const Allocation& of) {
  THERIAC_ASSIGN(const auto identity, recipient.identity());
  THERIAC_ASSIGN(const auto line, trace::bound_line(*call.work, identity.name));
  return trace::check_allocation(*call.work, line, of);
}

std::string write_numbers(const std::vector<std::string>& serials, const std::string& gtin,
                          const Allocation& of, bool as_csv) {
  if (!as_csv) {
    return codec::canonical_json(
        {{"allocation", of.id}, {"gtin", gtin}, {"lot", of.lot}, {"serials", serials}});
  }
  std::string text = "gtin,serial\r\n";
  for (const auto& serial : serials) {
    // RFC 4180: GS1's 82 characters have quotes and commas.
    std::string quoted;
    for (const char c : serial) quoted += c == '"' ? "\"\"" : std::string(1, c);
    text += gtin + ",\"" + quoted + "\"\r\n";
  }
  return text;
}

/// Whom a hand-over is for: the line that asks, or the one whose certificate is given.
Result<pki::Certificate> recipient_of(const Call& call, const std::string& pem) {
  if (pem.empty()) {
    if (call.caller.identity.role != pki::Role::kTraceLine) {
      return fail(Code::kMalformed, "certificate");
    }
    return pki::certificate_of_der(call.caller.certificate);
  }
  THERIAC_ASSIGN(auto certificate, pki::Certificate::from_pem(pem));
  if (call.authority == nullptr) return fail(Code::kInternal, "authority");
  THERIAC_TRY(pki::check_issued(certificate, *call.authority, call.now_ms));
  THERIAC_ASSIGN(const auto identity, certificate.identity());
  if (identity.role != pki::Role::kTraceLine || identity.tenant != call.caller.identity.tenant) {
    return fail(Code::kDenied, "the certificate is no line's");
  }
  return certificate;
}

}  // namespace

Result<Answer> list_pools(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  THERIAC_ASSIGN(const auto rows, trace::pools_of(*call.work, call.id(), page.after, page.limit));
  return say_page(rows, page.limit, [](const Pool& one) { return show(one); });
}
Result<Answer> get_pool(Call& call) {
  THERIAC_ASSIGN(const auto one, trace::pool(*call.work, call.id()));
  return say(show(one));
}
Result<Answer> make_pool(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto product, body.integer("product"));
  THERIAC_ASSIGN(const auto rule, read_rule(body));
  THERIAC_ASSIGN(call.who.reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  THERIAC_ASSIGN(const auto id, trace::make_pool(*call.work, product, rule, call.who));
  call.event.details["product"] = product;
  call.event.details["capacity"] = rule.capacity;
  return say_row(call, "pool", id);
}
Result<Answer> close_pool(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(call.who.reason, reason_of(body));
  THERIAC_TRY(body.end());
  THERIAC_TRY(trace::close_pool(*call.work, call.id(), call.who));
  return say_row(call, "pool", call.id());
}

Result<Answer> allocate(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto pool, body.integer("pool"));
  THERIAC_ASSIGN(const auto count, body.integer("count"));
  THERIAC_ASSIGN(const auto lot, body.integer("lot"));
  THERIAC_ASSIGN(const auto place, body.integer("place"));
  THERIAC_ASSIGN(const auto line, body.text_or("line", ""));
  THERIAC_ASSIGN(call.who.reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  THERIAC_ASSIGN(const auto made, trace::allocate(*call.work, pool, count, lot, place, call.who));
  say_row(call, "allocation", made.id);
  call.event.details = {{"pool", pool}, {"count", count}, {"lot", lot}, {"place", place}};
  if (!line.empty()) {
    THERIAC_TRY(trace::give_to_line(*call.work, made, line));
    call.event.details["line"] = line;
  }
  return say(show(made));
}
Result<Answer> draw_numbers(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto count, body.integer("count"));
  THERIAC_ASSIGN(const auto lot, body.integer("lot"));
  THERIAC_ASSIGN(const auto place, body.integer("place"));
  THERIAC_TRY(body.end());
  THERIAC_ASSIGN(const auto made, trace::draw_for_line(*call.work, lot, place, count, call.who));
  say_row(call, "allocation", made.id);
  call.event.details = {{"pool", made.pool}, {"count", count}, {"lot", lot}, {"place", place}};
  auto json = show(made);
  json["expires"] = codec::rfc3339_utc(made.when_ms + trace::kLineStockMs);
  return say(std::move(json));
}
Result<Answer> get_allocation(Call& call) {
  THERIAC_ASSIGN(const auto one, trace::allocation(*call.work, call.id()));
  return say(show(one));
}
Result<Answer> list_allocations(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  THERIAC_ASSIGN(const auto rows,
                 trace::allocations_of(*call.work, call.id(), page.after, page.limit));
  return say_page(rows, page.limit, [](const Allocation& one) { return show(one); });
}

Result<Answer> hand_over(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto format, body.text_or("format", "json"));
  THERIAC_ASSIGN(const auto pem, body.text_or("certificate", ""));
  THERIAC_TRY(body.end());
  if (format != "json" && format != "csv") return fail(Code::kMalformed, "format");
  THERIAC_ASSIGN(const auto recipient, recipient_of(call, pem));
  auto& work = *call.work;
  THERIAC_ASSIGN(const auto of, trace::allocation(work, call.id()));
  THERIAC_TRY(check_owner(call, of));
  THERIAC_TRY(check_recipient(call, recipient, of));
  THERIAC_ASSIGN(const auto pool, trace::pool(work, of.pool));
  THERIAC_ASSIGN(const auto product, trace::product(work, pool.product));
  THERIAC_ASSIGN(const auto serials, trace::numbers_of(work, of));
  const auto plain = write_numbers(serials, product.gtin, of, format == "csv");
  THERIAC_ASSIGN(auto sealed, pki::seal_file(view_of(plain), recipient));
  call.event.object = "allocation " + std::to_string(of.id);
  call.event.details = {{"count", serials.size()}, {"recipient_sha256", recipient.fingerprint()}};
  Answer answer;
  answer.file =
      http::Response{200,
                     {{"Content-Type", "application/pkcs7-mime; smime-type=authEnveloped-data"},
                      {"Content-Disposition", "attachment; filename=\"allocation-" +
                                                  std::to_string(of.id) + "." + format + ".p7m\""}},
                     std::move(sealed)};
  return answer;
}

Result<Answer> return_numbers(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto serials, body.texts("serials"));
  THERIAC_ASSIGN(call.who.reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  THERIAC_ASSIGN(const auto of, trace::allocation(*call.work, call.id()));
  THERIAC_TRY(check_owner(call, of));
  THERIAC_ASSIGN(const auto refused, trace::return_unused(*call.work, of.id, serials, call.who));
  call.event.object = "allocation " + std::to_string(of.id);
  call.event.details = {{"count", serials.size()}, {"refused", refused.size()}};
  if (!refused.empty()) return refuse_all(call, show(refused));
  return say({{"returned", serials.size()}});
}

Result<Answer> bring_list(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto product, body.integer("product"));
  THERIAC_ASSIGN(const auto lot, body.integer("lot"));
  THERIAC_ASSIGN(const auto place, body.integer("place"));
  THERIAC_ASSIGN(const auto serials, body.texts("serials"));
  THERIAC_ASSIGN(const auto proceed, body.flag_or("proceed", false));
  THERIAC_ASSIGN(call.who.reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  THERIAC_ASSIGN(const auto listed,
                 trace::bring_list(*call.work, product, serials, lot, place, proceed, call.who));
  call.event.object = "allocation " + std::to_string(listed.allocation);
  call.event.details = {{"product", product},
                        {"lot", lot},
                        {"taken", listed.taken},
                        {"refused", listed.refused.size()}};
  if (listed.taken == 0) return refuse_all(call, show(listed.refused));
  return say({{"pool", listed.pool},
              {"allocation", listed.allocation},
              {"taken", listed.taken},
              {"refused", show(listed.refused)}});
}

}  // namespace theriac::api
