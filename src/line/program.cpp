#include "line/program.hpp"

#include <optional>
#include <thread>

#include "base/files.hpp"
#include "codec/time.hpp"
#include "line/limits.hpp"
#include "line/station.hpp"

namespace theriac::line {
namespace {

using codec::Json;

/// Ends the uplink's thread when it goes.
class Running {
 public:
  explicit Running(Uplink& uplink) : uplink_(&uplink), thread_([&uplink] { uplink.run(); }) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    uplink_->stop();
    thread_.join();
  }

 private:
  Uplink* uplink_;
  std::thread thread_;
};

std::string time_or_none(std::int64_t ms) { return ms == 0 ? "" : codec::rfc3339_utc(ms); }

Result<Json> lots_of(Book& book, std::int64_t now_ms) {
  auto lots = Json::array();
  THERIAC_ASSIGN(const auto all, book.lots());
  for (const auto& lot : all) {
    THERIAC_ASSIGN(const auto stock, book.stock_of(lot.id));
    std::int64_t left = 0, aged = 0, oldest = 0, expires = 0;
    for (const auto& one : stock) {
      const auto rest = one.count - one.drawn;
      (one.expires_ms > now_ms ? left : aged) += rest;
      if (rest == 0) continue;
      oldest = oldest == 0 ? one.issued_ms : std::min(oldest, one.issued_ms);
      expires = expires == 0 ? one.expires_ms : std::min(expires, one.expires_ms);
    }
    lots.push_back({{"gtin", lot.gtin},
                    {"lot", lot.number},
                    {"open", lot.wanted > 0},
                    {"left", left},
                    {"too-old", aged},
                    {"issued", time_or_none(oldest)},
                    {"expires", time_or_none(expires)},
                    {"refusal", lot.refusal}});
  }
  return lots;
}

}  // namespace

Status run(const Config& config, const Clock& clock, Random& random, Log& log,
           const std::function<bool()>& goes_on) {
  THERIAC_ASSIGN(auto folders, Folders::make(config.folder));
  THERIAC_ASSIGN(const auto lock, lock_file(config.path("state/lock")));
  THERIAC_ASSIGN(const auto holder, Holder::load(config.cert));
  THERIAC_ASSIGN(auto uplink, Uplink::make({.config = &config,
                                            .holder = &holder,
                                            .folders = &folders,
                                            .clock = &clock,
                                            .random = &random,
                                            .log = &log}));
  THERIAC_ASSIGN(auto station, Station::make({.config = &config,
                                              .holder = &holder,
                                              .folders = &folders,
                                              .uplink = uplink.get(),
                                              .clock = &clock,
                                              .random = &random,
                                              .log = &log}));
  const Running running(*uplink);
  log.write(Level::kInfo, "line.started", {{"server", config.server.text()}});
  std::optional<Error> told;
  while (goes_on()) {
    const auto looked = station->look();
    if (!looked && told != looked.error()) log.error("line.trouble", looked.error());
    told = looked ? std::nullopt : std::optional(looked.error());
  }
  log.write(Level::kInfo, "line.stopped");
  return {};
}

Result<Json> status(const Config& config, std::int64_t now_ms) {
  const auto path = config.path("state/line.db");
  THERIAC_ASSIGN(auto book, Book::open(path, false));
  THERIAC_ASSIGN(const auto contact, book.number("contact_ms"));
  THERIAC_ASSIGN(const auto waiting, book.waiting());
  THERIAC_ASSIGN(const auto trouble, book.bytes("trouble"));
  THERIAC_ASSIGN(auto lots, lots_of(book, now_ms));
  return Json{{"contact", time_or_none(contact)},
              {"trouble", text_of(trouble)},
              {"waiting", waiting.count},
              {"waiting-since", time_or_none(waiting.oldest_ms)},
              {"lots", std::move(lots)}};
}

}  // namespace theriac::line
