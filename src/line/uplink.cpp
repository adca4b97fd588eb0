#include "line/uplink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "codec/time.hpp"
#include "line/limits.hpp"

namespace theriac::line {
namespace {

using codec::Json;

/// RFC 9110, section 5.6.7, in the one form that servers send.
std::optional<std::int64_t> parse_http_date(std::string_view text) {
  std::tm parts{};
  const auto* end = ::strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr) return std::nullopt;
  return std::int64_t{::timegm(&parts)} * 1000;
}

/// It is not said of the request but of the state of things: the same may go through later. A
/// conflict is of two requests at once, one of which may be our own, given up too early.
bool is_for_now(int status, const std::string& code) {
  return status >= 500 || status == 401 || status == 403 || status == 429 || code == "Conflict";
}

Json without_refused(const Json& serials, const Json& refused) {
  std::set<std::size_t> gone;
  for (const auto& one : refused) {
    if (one.contains("at") && one.at("at").is_number_unsigned()) {
      gone.insert(one.at("at").get<std::size_t>());
    }
  }
  auto rest = Json::array();
  for (std::size_t i = 0; i < serials.size(); ++i) {
    if (!gone.contains(i)) rest.push_back(serials[i]);
  }
  return rest;
}

std::string why_of(const Json& one) {
  const auto why = one.find("why");
  return why != one.end() && why->is_string() ? why->get<std::string>() : std::string();
}

}  // namespace

std::string Uplink::Reply::code() const {
  if (!json.is_object()) return "Protocol";
  const auto found = json.find("code");
  return found != json.end() && found->is_string() ? found->get<std::string>() : "Protocol";
}

Uplink::Uplink(const Parts& parts, Book book)
    : parts_(parts), book_(std::move(book)), stock_(book_, *parts.holder, *parts.random) {}

Result<std::unique_ptr<Uplink>> Uplink::make(const Parts& parts) {
  THERIAC_ASSIGN(auto book, Book::open(parts.config->path("state/line.db")));
  std::unique_ptr<Uplink> made(new Uplink(parts, std::move(book)));
  const auto paths = pki::CredentialPaths::in(parts.config->cert);
  runtime::TlsClientOptions tls{.authority_file = parts.config->server_ca,
                                .certificate_file = paths.certificate,
                                .key_file = paths.key};
  THERIAC_ASSIGN(made->client_,
                 http::BlockingClient::make({.server = parts.config->server,
                                             .tls = std::move(tls),
                                             .connect = kConnect,
                                             .idle = kReply},
                                            *parts.clock, *parts.random, *parts.log));
  return made;
}

void Uplink::run() {
  auto pause = kRetryMin;
  std::optional<bool> failing;
  for (;;) {
    const auto done = step();
    if (failing != !done.has_value()) note_trouble(done);
    failing = !done.has_value();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (!done) failed_at_ms_ = parts_.clock->monotonic_ms();
    if (done && *done) continue;
    pause = done ? kHeartbeat : std::min(pause * 2, kRetryMax);
    // Somebody who waits for numbers is answered by one attempt more, not by many.
    wake_.wait_for(lock, pause, [this] { return stopping_ || nudged_; });
    nudged_ = false;
    if (stopping_) return;
    if (done) pause = kRetryMin;
  }
}

/// For the log and for `theriac line status`.
void Uplink::note_trouble(const Result<bool>& done) {
  if (done) {
    parts_.log->write(Level::kInfo, "line.server-reached");
  } else {
    parts_.log->error("line.server", done.error());
  }
  const auto text = done ? std::string() : done.error().message();
  if (const auto kept = book_.set_bytes("trouble", view_of(text)); !kept) {
    parts_.log->error("line.book", kept.error());
  }
}

void Uplink::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void Uplink::nudge() {
  const std::lock_guard lock(mutex_);
  nudged_ = true;
  wake_.notify_all();
}

std::int64_t Uplink::failed_at_ms() {
  const std::lock_guard lock(mutex_);
  return failed_at_ms_;
}

Result<bool> Uplink::step() {
  const auto now = parts_.clock->monotonic_ms();
  if (place_ == 0 || now - heard_at_ms_ >= kHeartbeat.count()) THERIAC_TRY(find_place());
  THERIAC_ASSIGN(const bool drew, finish_draw());
  if (drew) return true;
  THERIAC_ASSIGN(const bool asked, refill());
  if (asked) return true;
  THERIAC_ASSIGN(const bool aged, withdraw_aged());
  if (aged) return true;
  return send_first();
}

// --- the server ---

Result<Uplink::Reply> Uplink::ask(const std::string& path, const Json& body,
                                  const std::string& key) {
  http::ClientRequest request{
      .method = "POST", .target = path, .fields = {}, .body = {}, .download = {}};
  request.fields.push_back({"Content-Type", "application/json"});
  if (!key.empty()) request.fields.push_back({"Idempotency-Key", key});
  request.body = bytes_of(codec::canonical_json(body));
  THERIAC_ASSIGN(auto answered, client_->ask(std::move(request)));
  THERIAC_TRY(note_contact(answered));
  Reply reply{.status = answered.status, .json = nullptr, .body = std::move(answered.body)};
  const auto type = answered.field("Content-Type").value_or("");
  if (type.contains("json")) {
    THERIAC_ASSIGN(reply.json, codec::parse_json(text_of(reply.body)));
  }
  return reply;
}

/// The server's clock is the one that ages are judged by.
Status Uplink::note_contact(const http::ClientReply& reply) {
  heard_at_ms_ = parts_.clock->monotonic_ms();
  const auto date = parse_http_date(reply.field("Date").value_or(""));
  if (!date) return {};
  server_ms_ = *date;
  const auto known = book_.number("contact_ms");
  if (known && *known / 1000 == *date / 1000) return {};
  return book_.together([&]() -> Status {
    THERIAC_TRY(book_.set_number("contact_ms", *date));
    return book_.set_number("seen_ms", *date);
  });
}

Status Uplink::find_place() {
  const auto& config = *parts_.config;
  THERIAC_ASSIGN(const auto reply, ask("/api/trace/places/find",
                                       {{"gln", config.gln}, {"extension", config.extension}}));
  if (reply.status != 200) return fail(Code::kUpstream, "place: " + reply.code());
  const auto id = reply.json.find("id");
  if (id == reply.json.end() || !id->is_number_integer()) return fail(Code::kProtocol, "place");
  place_ = id->get<std::int64_t>();
  return {};
}

/// 0: the server does not know it.
Result<std::int64_t> Uplink::server_lot(const LotRow& lot) {
  if (lot.server_lot != 0) return lot.server_lot;
  const auto id_of = [](const Reply& reply) -> Result<std::int64_t> {
    if (reply.status == 404) return 0;
    if (reply.status != 200 || !reply.json.is_object() || !reply.json.contains("id") ||
        !reply.json.at("id").is_number_integer()) {
      return fail(Code::kUpstream, "lot");
    }
    return reply.json.at("id").get<std::int64_t>();
  };
  THERIAC_ASSIGN(const auto product, ask("/api/trace/products/find", {{"gtin", lot.gtin}}));
  THERIAC_ASSIGN(const auto product_id, id_of(product));
  if (product_id == 0) return 0;
  THERIAC_ASSIGN(const auto found,
                 ask("/api/trace/lots/find", {{"product", product_id}, {"number", lot.number}}));
  THERIAC_ASSIGN(const auto id, id_of(found));
  if (id != 0) THERIAC_TRY(book_.set_server_lot(lot.id, id));
  return id;
}

// --- the stock ---

/// Decides on a draw for the first lot that needs one.
Result<bool> Uplink::refill() {
  THERIAC_ASSIGN(const auto lots, book_.lots());
  for (const auto& one : lots) {
    if (one.wanted == 0) continue;
    const auto refused = refused_at_ms_.find(one.id);
    const bool wait = !one.refusal.empty() && refused != refused_at_ms_.end() &&
                      parts_.clock->monotonic_ms() - refused->second < kHeartbeat.count();
    if (wait) continue;
    THERIAC_ASSIGN(const auto level, stock_.level(one.id, server_ms_));
    const auto enough = std::max(one.wanted / 2, one.needed);
    if (level.left >= enough && level.left > 0) continue;
    const bool small = refused != refused_at_ms_.end() && one.needed > 0;
    const auto most = small ? one.needed : std::max(one.wanted, one.needed);
    const auto count = std::min(most - level.left, kDrawMax);
    if (count < 1) continue;
    std::array<std::uint8_t, 16> key{};
    parts_.random->fill(key);
    THERIAC_TRY(book_.add_draw({to_hex(key), one.id, count}));
    return true;
  }
  return false;
}

Result<bool> Uplink::finish_draw() {
  THERIAC_ASSIGN(const auto draw, book_.first_draw());
  if (!draw) return false;
  THERIAC_ASSIGN(const auto lot, book_.lot(draw->lot));
  THERIAC_ASSIGN(const auto id, server_lot(lot));
  if (id == 0) {
    THERIAC_TRY(give_up_draw(*draw, lot, "NotFound"));
    return true;
  }
  THERIAC_ASSIGN(const auto made,
                 ask("/api/trace/lines/draw",
                     {{"lot", id}, {"place", place_}, {"count", draw->count}}, draw->key));
  if (made.status != 200) {
    // A pool that is empty is a refusal, whatever its status; a server in trouble is not.
    const auto code = made.code();
    // A lot that is blocked says so again.
    const bool again = code == "Conflict" && conflicts_++ == 0;
    if (again || (made.status >= 500 && code != "KeyExhausted")) {
      return fail(Code::kUpstream, "draw: " + code);
    }
    conflicts_ = 0;
    THERIAC_TRY(give_up_draw(*draw, lot, code));
    return true;
  }
  conflicts_ = 0;
  refused_at_ms_.erase(lot.id);
  THERIAC_TRY(keep_draw(*draw, lot, made.json));
  return true;
}

Status Uplink::keep_draw(const DrawRow& draw, const LotRow& lot, const Json& made) {
  const auto id = made.find("id");
  const auto when = made.find("when");
  if (id == made.end() || !id->is_number_integer() || when == made.end() || !when->is_string()) {
    return fail(Code::kProtocol, "draw");
  }
  StockRow row{.allocation = id->get<std::int64_t>(), .lot = lot.id, .count = draw.count};
  THERIAC_ASSIGN(row.issued_ms, codec::parse_rfc3339(when->get<std::string>()));
  constexpr std::int64_t kHourMs = 3'600'000;
  row.expires_ms = row.issued_ms + parts_.config->stock_hours * kHourMs;
  THERIAC_ASSIGN(
      const auto file,
      ask(fmt::format("/api/trace/allocations/{}/handover", row.allocation), {{"format", "json"}}));
  if (file.status != 200) return fail(Code::kUpstream, "hand-over: " + file.code());
  THERIAC_TRY(book_.together([&]() -> Status {
    THERIAC_TRY(book_.add_stock(row, file.body));
    THERIAC_TRY(book_.set_refusal(lot.id, ""));
    return book_.remove_draw(draw.key);
  }));
  // A stock that does not open is found now, and not when the line waits.
  THERIAC_TRY(stock_.serials_of({{row.allocation, 0, row.count}}));
  parts_.log->write(Level::kInfo, "line.stocked",
                    {{"allocation", row.allocation}, {"numbers", row.count}});
  return {};
}

/// A pool that has not so many left, or a line that has too many, may do for what is waited for.
Status Uplink::give_up_draw(const DrawRow& draw, const LotRow& lot, const std::string& code) {
  const bool smaller = (code == "KeyExhausted" || code == "TooLarge") && lot.needed > 0 &&
                       !refused_at_ms_.contains(lot.id);
  refused_at_ms_[lot.id] = parts_.clock->monotonic_ms();
  parts_.log->write(Level::kWarning, "line.no-numbers", {{"lot", lot.id}, {"code", code}});
  return book_.together([&]() -> Status {
    if (!smaller) THERIAC_TRY(book_.set_refusal(lot.id, code));
    return book_.remove_draw(draw.key);
  });
}

/// By the server's clock alone: a wrong one here would throw a good stock away.
Result<bool> Uplink::withdraw_aged() {
  THERIAC_ASSIGN(const auto lots, book_.lots());
  std::int64_t withdrawn = 0;
  for (const auto& one : lots) {
    THERIAC_ASSIGN(const auto level, stock_.level(one.id, server_ms_));
    // Of a closed lot a draw may have come late.
    const bool all = one.wanted == 0 && level.left > 0;
    if (level.aged == 0 && !all) continue;
    THERIAC_TRY(book_.together([&]() -> Status {
      THERIAC_ASSIGN(
          const auto count,
          stock_.withdraw(one.id, all ? std::nullopt : std::optional(server_ms_), server_ms_));
      withdrawn += count;
      return {};
    }));
  }
  if (withdrawn > 0) parts_.log->write(Level::kInfo, "line.aged", {{"numbers", withdrawn}});
  return withdrawn > 0;
}

// --- reports ---

Result<bool> Uplink::send_first() {
  THERIAC_ASSIGN(const auto row, book_.first_waiting());
  if (!row) return false;
  THERIAC_ASSIGN(const auto plain, parts_.holder->open(row->sealed));
  THERIAC_ASSIGN(const auto call, codec::parse_json(plain));
  if (!call.is_object()) return fail(Code::kMalformed, "waiting");
  THERIAC_ASSIGN(const auto reply, send(*row, call));
  if (reply.status != 200 && is_for_now(reply.status, reply.code()))
    return fail(Code::kUpstream, "report: " + reply.code());
  THERIAC_TRY(cross_out(*row, call, reply));
  return true;
}

Result<Uplink::Reply> Uplink::send(const WaitingRow& row, const Json& call) {
  if (call.contains("return")) {
    return ask(
        fmt::format("/api/trace/allocations/{}/return", call.at("return").get<std::int64_t>()),
        {{"serials", call.at("serials")}}, row.key);
  }
  THERIAC_ASSIGN(const auto lot,
                 book_.lot(call.at("gtin").get<std::string>(), call.at("lot").get<std::string>()));
  THERIAC_ASSIGN(const auto id, server_lot(lot));
  if (id == 0) return Reply{.status = 404, .json = {{"code", "NotFound"}}, .body = {}};
  Json body{{"act", call.at("act")},
            {"place", place_},
            {"when", codec::rfc3339_utc(call.at("when").get<std::int64_t>())},
            {"items", call.at("items")},
            {"report", true}};
  if (call.at("act") == "commission") body["lot"] = id;
  if (call.contains("container")) body["container"] = call.at("container");
  return ask("/api/trace/acts", body, row.key);
}

/// What was refused is put aside first: should this stop in between, the same is asked again and
/// answered alike.
Status Uplink::cross_out(const WaitingRow& row, const Json& call, const Reply& reply) {
  const bool is_return = call.contains("return");
  const auto& named = is_return ? call.at("serials") : call.at("items");
  auto refused = Json::array();
  if (reply.json.is_object() && reply.json.contains("refused")) {
    refused = reply.json.at("refused");
  } else if (reply.status >= 400) {
    refused.push_back({{"why", reply.code()}});
  }
  // Nothing of a return is done when a part of it is refused: the rest is asked for again.
  const auto rest = is_return && reply.status >= 400 && reply.json.contains("refused")
                        ? without_refused(named, refused)
                        : Json::array();
  if (!refused.empty()) {
    std::string text = reason_text({Reason::kRefusedByServer});
    std::size_t lines = 0;
    for (const auto& one : refused) {
      if (++lines > kReasonLinesMax) break;
      const auto at = one.find("at");
      if (at != one.end() && at->is_number_unsigned()) {
        text += fmt::format("item {}: ", at->get<std::size_t>() + 1);
      }
      text += server_reason_text(why_of(one)) + "\n";
    }
    Json aside = call;
    aside["refused"] = refused;
    THERIAC_ASSIGN(const auto sealed, parts_.holder->seal(codec::canonical_json(aside)));
    THERIAC_TRY(parts_.folders->refuse_call(row.file, row.seq, sealed, text));
    parts_.log->write(Level::kWarning, "line.refused-by-server",
                      {{"file", row.file}, {"items", refused.size()}});
  }
  THERIAC_TRY(book_.together([&]() -> Status {
    if (!rest.empty()) {
      THERIAC_TRY(stock_.enqueue(row.file, {{"return", call.at("return")}, {"serials", rest}},
                                 row.made_ms));
    }
    return book_.remove_waiting(row.seq);
  }));
  parts_.log->write(Level::kInfo, "line.sent",
                    {{"file", row.file}, {"items", named.size()}, {"refused", refused.size()}});
  return {};
}

}  // namespace theriac::line
