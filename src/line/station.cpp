#include "line/station.hpp"

#include <algorithm>

#include "codec/time.hpp"
#include "line/limits.hpp"

namespace theriac::line {
namespace {

using codec::Json;

constexpr std::size_t kShortMarkDigits = 8;

std::int64_t items_of(const Order& order) {
  std::size_t items = 0;
  for (const auto& one : order.events) items += one.serials.size() + one.ssccs.size();
  return static_cast<std::int64_t>(items);
}

/// One event as calls to the server, each of at most kCallItemsMax items.
std::vector<Json> calls_of(const Order& order, const Event& event, std::int64_t when_ms) {
  std::vector<std::string> items;
  for (const auto& serial : event.serials) items.push_back(link_of(order.gtin, serial));
  for (const auto& sscc : event.ssccs) items.push_back(link_of_sscc(sscc));
  std::vector<Json> calls;
  for (std::size_t at = 0; at == 0 || at < items.size(); at += kCallItemsMax) {
    const auto end = std::min(at + kCallItemsMax, items.size());
    Json call{
        {"act", server_name_of(event.act)},
        {"gtin", order.gtin},
        {"lot", order.lot},
        {"when", when_ms},
        {"items", std::vector<std::string>(items.begin() + static_cast<std::ptrdiff_t>(at),
                                           items.begin() + static_cast<std::ptrdiff_t>(end))}};
    if (!event.container.empty()) call["container"] = link_of_sscc(event.container);
    calls.push_back(std::move(call));
  }
  return calls;
}

}  // namespace

Station::Station(const Parts& parts, Book book)
    : parts_(parts), book_(std::move(book)), stock_(book_, *parts.holder, *parts.random) {}

Result<std::unique_ptr<Station>> Station::make(const Parts& parts) {
  THERIAC_ASSIGN(auto book, Book::open(parts.config->path("state/line.db")));
  std::unique_ptr<Station> made(new Station(parts, std::move(book)));
  THERIAC_TRY(made->open_mark_key());
  THERIAC_TRY(made->book_.forget(parts.clock->wall_ms() - kRememberMs));
  return made;
}

/// A plain digest of a short report could be guessed, and so the serial in it.
Status Station::open_mark_key() {
  THERIAC_ASSIGN(const auto sealed, book_.bytes("mark-key"));
  std::array<std::uint8_t, 32> key{};
  if (sealed.empty()) {
    parts_.random->fill(key);
    THERIAC_ASSIGN(const auto fresh, parts_.holder->seal(text_of(key)));
    THERIAC_TRY(book_.set_bytes("mark-key", fresh));
  } else {
    THERIAC_ASSIGN(const auto plain, parts_.holder->open(sealed));
    if (plain.size() != key.size()) return fail(Code::kNotAuthentic, "mark-key");
    std::ranges::copy(view_of(plain), key.begin());
  }
  mark_key_.emplace(crypto::HashKind::kSha256, Key256(key));
  wipe(key);
  return {};
}

Result<bool> Station::look() {
  // What this clock has shown: see clock_moved().
  const auto now = parts_.clock->wall_ms();
  constexpr std::int64_t kMinuteMs = 60'000;
  THERIAC_ASSIGN(const auto seen, book_.number("seen_ms"));
  if (now > seen + kMinuteMs) THERIAC_TRY(book_.set_number("seen_ms", now));
  THERIAC_ASSIGN(const auto names,
                 parts_.folders->arrived(parts_.clock->monotonic_ms(), parts_.config->settle_ms));
  bool any = false;
  for (const auto& name : names) {
    const auto outcome = take(name);
    if (!outcome) {
      // A full disk, for example: told once, and tried again. Those behind it wait: order is kept.
      if (trouble_ != outcome.error()) parts_.log->error("line.trouble", outcome.error());
      trouble_ = outcome.error();
      return any;
    }
    trouble_.reset();
    if (*outcome == Outcome::kWaits) return any;
    any = true;
  }
  return any;
}

Result<Station::Outcome> Station::take(const std::string& name) {
  auto read = parts_.folders->read(name);
  // Its owner took it back.
  if (!read && read.error().code == Code::kNotFound) return Outcome::kDone;
  THERIAC_ASSIGN(auto bytes, std::move(read));
  if (!bytes) {
    THERIAC_TRY(parts_.folders->refuse_unread(name, reason_text(bytes.error())));
    parts_.log->write(Level::kWarning, "line.refused", {{"reason", name_of(bytes.error().reason)}});
    return Outcome::kDone;
  }
  Taken taken{.name = name, .mark = {}, .short_mark = {}, .form = {}, .order = {}};
  auto marked = bytes_of(name);
  marked.push_back(0);
  append(marked, *bytes);
  const auto mark = mark_key_->mac(marked);
  taken.mark.assign(mark.begin(), mark.end());
  taken.short_mark = to_hex(mark).substr(0, kShortMarkDigits);
  if (name.ends_with(".json")) {
    taken.form = Form::kJson;
  } else if (name.ends_with(".csv")) {
    taken.form = Form::kCsv;
  } else {
    return refuse(taken, *bytes, {Reason::kUnknownForm});
  }
  auto order = read_order(text_of(*bytes), taken.form);
  if (!order) return refuse(taken, *bytes, order.error());
  taken.order = std::move(*order);
  return handle(taken, *bytes);
}

Result<Station::Outcome> Station::handle(const Taken& taken, ByteView bytes) {
  if (taken.order.ask == Ask::kNumbers) return give_numbers(taken, bytes);
  THERIAC_ASSIGN(const auto known, book_.answer(taken.mark));
  if (!known && taken.order.ask == Ask::kReport) {
    THERIAC_ASSIGN(const auto fault, keep_report(taken));
    if (fault) return refuse(taken, bytes, *fault);
  } else if (!known) {
    THERIAC_TRY(open_or_close(taken));
  }
  THERIAC_TRY(remove_reported());
  THERIAC_TRY(finish(taken));
  parts_.uplink->nudge();
  return Outcome::kDone;
}

// --- numbers ---

Result<Station::Outcome> Station::give_numbers(const Taken& taken, ByteView bytes) {
  THERIAC_ASSIGN(const auto known, book_.answer(taken.mark));
  auto state = AnswerState::kDrawn;
  if (known) {
    state = known->state;
  } else {
    if (parts_.folders->answer_lies(taken.name)) return refuse(taken, bytes, {Reason::kNameTaken});
    bool waits = false;
    THERIAC_ASSIGN(const auto reason, draw(taken, waits));
    if (waits) return Outcome::kWaits;
    waits_since_ms_.erase(taken.mark);
    if (reason == Reason::kLotUnknown) THERIAC_TRY(forget_lot(taken));
    if (reason) return refuse(taken, bytes, {*reason});
    parts_.uplink->nudge();
  }
  THERIAC_TRY(answer_numbers(taken, state));
  THERIAC_TRY(finish(taken));
  return Outcome::kDone;
}

/// The states of book.hpp, from wherever a kill left them.
Status Station::answer_numbers(const Taken& taken, AnswerState state) {
  if (state == AnswerState::kDrawn) {
    THERIAC_ASSIGN(const auto pieces, book_.pieces_of(taken.mark));
    THERIAC_ASSIGN(const auto serials, stock_.serials_of(pieces));
    THERIAC_TRY(
        parts_.folders->write_part(taken.name, write_numbers(taken.order, serials, taken.form)));
    THERIAC_TRY(book_.set_answer(taken.mark, AnswerState::kWritten));
    state = AnswerState::kWritten;
  }
  if (state != AnswerState::kWritten) return {};
  THERIAC_TRY(parts_.folders->publish(taken.name));
  return book_.set_answer(taken.mark, AnswerState::kDone);
}

Result<std::optional<Reason>> Station::draw(const Taken& taken, bool& waits) {
  THERIAC_ASSIGN(const bool moved, clock_moved());
  if (moved) return Reason::kClockMoved;
  const auto now = parts_.clock->wall_ms();
  THERIAC_ASSIGN(const auto lot, book_.lot(taken.order.gtin, taken.order.lot));
  bool drawn = false;
  THERIAC_TRY(book_.together([&]() -> Status {
    THERIAC_ASSIGN(const auto pieces, stock_.draw(lot.id, taken.order.count, now));
    if (!pieces) return {};
    THERIAC_TRY(book_.settle_answers(taken.name));
    THERIAC_TRY(book_.add_answer({taken.mark, taken.name, AnswerState::kDrawn}, now));
    for (const auto& one : *pieces) THERIAC_TRY(book_.add_piece(taken.mark, one));
    THERIAC_TRY(book_.want(lot.id, parts_.config->stock, 0));
    drawn = true;
    return {};
  }));
  if (drawn) {
    parts_.log->write(Level::kInfo, "line.gave",
                      {{"file", taken.name}, {"numbers", taken.order.count}});
    return std::nullopt;
  }
  return cannot_draw(taken, lot, waits);
}

/// The server is asked once more; what it says, or that it says nothing, decides.
Result<std::optional<Reason>> Station::cannot_draw(const Taken& taken, const LotRow& lot,
                                                   bool& waits) {
  const auto mono = parts_.clock->monotonic_ms();
  const auto [since, fresh] = waits_since_ms_.emplace(taken.mark, mono);
  if (fresh) {
    THERIAC_TRY(book_.want(lot.id, parts_.config->stock, taken.order.count));
    THERIAC_TRY(book_.set_refusal(lot.id, ""));
    parts_.uplink->nudge();
    waits = true;
    return std::nullopt;
  }
  if (lot.refusal == "NotFound") return Reason::kLotUnknown;
  if (!lot.refusal.empty()) return Reason::kServerGivesNone;
  const bool failed = parts_.uplink->failed_at_ms() > since->second;
  if (!failed && mono - since->second < parts_.config->patience_ms) {
    waits = true;
    return std::nullopt;
  }
  THERIAC_ASSIGN(const auto level, stock_.level(lot.id, parts_.clock->wall_ms()));
  return level.aged > 0 ? Reason::kStockTooOld : Reason::kStockEmpty;
}

/// Nothing is kept for a lot that nobody knows.
Status Station::forget_lot(const Taken& taken) {
  THERIAC_ASSIGN(const auto lot, book_.lot(taken.order.gtin, taken.order.lot));
  return book_.want(lot.id, 0, 0);
}

/// Behind what it showed before, or what the server said: the age of the stock cannot be judged.
Result<bool> Station::clock_moved() {
  THERIAC_ASSIGN(const auto seen, book_.number("seen_ms"));
  return parts_.clock->wall_ms() < seen - kClockBackMs;
}

// --- reports ---

Status Station::open_or_close(const Taken& taken) {
  const auto now = parts_.clock->wall_ms();
  THERIAC_ASSIGN(const auto lot, book_.lot(taken.order.gtin, taken.order.lot));
  std::int64_t withdrawn = 0;
  THERIAC_TRY(book_.together([&]() -> Status {
    THERIAC_TRY(book_.add_answer({taken.mark, taken.name, AnswerState::kDone}, now));
    if (taken.order.ask == Ask::kOpen) return book_.want(lot.id, parts_.config->stock, 0);
    THERIAC_TRY(book_.want(lot.id, 0, 0));
    THERIAC_ASSIGN(withdrawn, stock_.withdraw(lot.id, std::nullopt, now));
    return {};
  }));
  parts_.log->write(Level::kInfo, taken.order.ask == Ask::kOpen ? "line.opened" : "line.closed",
                    {{"file", taken.name}, {"given-back", withdrawn}});
  return {};
}

/// Written down with all its calls, or not at all.
Result<std::optional<Fault>> Station::keep_report(const Taken& taken) {
  const auto& order = taken.order;
  const auto now = parts_.clock->wall_ms();
  THERIAC_ASSIGN(const auto lot, book_.lot(order.gtin, order.lot));
  std::vector<Json> calls;
  std::vector<Position> reported;
  for (std::size_t i = 0; i < order.events.size(); ++i) {
    const auto& event = order.events[i];
    THERIAC_ASSIGN(const auto found, stock_.find(lot.id, event.serials));
    std::map<std::int64_t, std::vector<std::string>> given_back;
    for (std::size_t at = 0; at < found.size(); ++at) {
      if (!found[at] && event.act == Act::kReturn) return Fault{Reason::kNotOurs, i + 1};
      if (!found[at]) continue;
      reported.push_back(*found[at]);
      given_back[found[at]->allocation].push_back(event.serials[at]);
    }
    if (event.act != Act::kReturn) {
      std::ranges::move(calls_of(order, event, event.when_ms.value_or(now)),
                        std::back_inserter(calls));
      continue;
    }
    for (const auto& [allocation, serials] : given_back) {
      calls.push_back({{"return", allocation}, {"serials", serials}});
    }
  }
  THERIAC_TRY(book_.together([&]() -> Status {
    THERIAC_TRY(book_.add_answer({taken.mark, taken.name, AnswerState::kDone}, now));
    for (const auto& one : calls) THERIAC_TRY(stock_.enqueue(taken.name, one, now));
    return stock_.note_reported(reported);
  }));
  parts_.log->write(
      Level::kInfo, "line.reported",
      {{"file", taken.name}, {"events", order.events.size()}, {"items", items_of(order)}});
  return std::nullopt;
}

/// An answer whose numbers were all reported need not lie about.
Status Station::remove_reported() {
  THERIAC_ASSIGN(const auto answers, book_.answers_out());
  for (const auto& one : answers) {
    THERIAC_ASSIGN(const auto pieces, book_.pieces_of(one.mark));
    THERIAC_ASSIGN(const bool all, stock_.all_reported(pieces));
    if (parts_.folders->answer_lies(one.file)) {
      if (!all) continue;
      THERIAC_TRY(parts_.folders->remove_answer(one.file));
    }
    THERIAC_TRY(book_.set_answer(one.mark, AnswerState::kReported));
  }
  return {};
}

Status Station::finish(const Taken& taken) {
  const Json receipt{{"file", taken.name},
                     {"taken", codec::rfc3339_utc(parts_.clock->wall_ms())},
                     {"gtin", taken.order.gtin},
                     {"lot", taken.order.lot},
                     {"numbers", taken.order.count},
                     {"events", taken.order.events.size()},
                     {"items", items_of(taken.order)}};
  return parts_.folders->finish(taken.name, taken.short_mark, receipt.dump(2) + "\n");
}

Result<Station::Outcome> Station::refuse(const Taken& taken, ByteView bytes, const Fault& fault) {
  THERIAC_ASSIGN(const auto sealed, parts_.holder->seal(text_of(bytes)));
  THERIAC_TRY(parts_.folders->refuse(taken.name, taken.short_mark, sealed, reason_text(fault)));
  parts_.log->write(Level::kWarning, "line.refused",
                    {{"file", taken.name}, {"reason", name_of(fault.reason)}, {"at", fault.at}});
  return Outcome::kDone;
}

}  // namespace theriac::line
