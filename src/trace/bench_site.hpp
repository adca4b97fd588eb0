// A maker whose store is measured: a product with a pool, a released lot, a plant. For benchmarks,
// never part of the library.
//
// Threading: one thread at a time.
#pragma once

#include <fmt/format.h>
#include <chrono>
#include <random>

#include "codec/time.hpp"
#include "crypto/random.hpp"
#include "gs1/element_string.hpp"
#include "trace/capture.hpp"
#include "trace/pools.hpp"
#include "trace/schema.hpp"
#include "trace/test_support.hpp"

namespace theriac::trace {

class BenchSite {
 public:
  static constexpr std::string_view kGtin = "09506000134352";
  static constexpr std::string_view kPlant = "9506000140018";

  /// In a durable transaction of its own; a failure ends the program.
  template <typename F>
  auto done(F work_of) {
    std::optional<std::remove_cvref_t<decltype(*work_of(std::declval<Work&>()))>> made;
    const auto status = session_->transact([&](store::Session& session) -> Status {
      Work work{session, vault_, clock_.wall_ms()};
      THERIAC_ASSIGN(made, work_of(work));
      return {};
    });
    THERIAC_ASSERT(status.has_value());
    return std::move(*made);
  }
  template <typename F>
  auto seen(F work_of) {
    std::optional<std::remove_cvref_t<decltype(*work_of(std::declval<Work&>()))>> made;
    const auto status = session_->snapshot([&](store::Session& session) -> Status {
      Work work{session, vault_, clock_.wall_ms()};
      THERIAC_ASSIGN(made, work_of(work));
      return {};
    });
    THERIAC_ASSERT(status.has_value());
    return std::move(*made);
  }

  /// Finds what an earlier run has made.
  explicit BenchSite(const std::string& where) {
    engine_ = store::open_engine({.where = where}, kTraceSchema).value();
    session_ = engine_->connect().value();
    done([&](Work& work) -> Result<bool> {
      THERIAC_ASSIGN(const auto known, find_product(work, kGtin));
      return known ? find_master(work, known->id) : make_master(work);
    });
  }

  std::string link(const std::string& serial) const {
    return Identity{{}, product_, std::string(kGtin), serial}.link();
  }
  /// Numbers of a new allocation, as links.
  std::vector<std::string> issue(std::int64_t count) {
    const auto serials = done([&](Work& work) -> Result<std::vector<std::string>> {
      THERIAC_ASSIGN(const auto issued, allocate(work, pool_, count, lot_, plant_, who_));
      return numbers_of(work, issued);
    });
    std::vector<std::string> links;
    for (const auto& serial : serials) links.push_back(link(serial));
    return links;
  }
  std::int64_t issued() {
    return seen([&](Work& work) { return pool(work, pool_); }).issued;
  }
  /// The numbers behind these counters, as links.
  std::vector<std::string> links_of(std::span<const std::int64_t> counters) {
    return seen([&](Work& work) -> Result<std::vector<std::string>> {
      THERIAC_ASSIGN(const auto of, pool(work, pool_));
      THERIAC_ASSIGN(auto numbers, work.vault.numbers(of.rule, of.number_key, of.uid));
      std::vector<std::string> serials, links;
      for (const auto one : counters) {
        THERIAC_TRY(numbers.draw(static_cast<std::uint64_t>(one), 1, serials));
        links.push_back(link(serials.back()));
      }
      return links;
    });
  }

  ActRequest request(Act act, std::vector<std::string> items, std::string container = {}) {
    return {.act = act,
            .place = plant_,
            .when_ms = clock_.wall_ms(),
            .items = std::move(items),
            .container = std::move(container),
            .lot = lot_,
            .who = who_};
  }
  void must(const ActRequest& request) {
    const auto outcome = done([&](Work& work) { return act(work, request); });
    THERIAC_ASSERT(outcome.refused.empty());
  }
  static std::string sscc(std::int64_t number) {
    const auto digits = fmt::format("09506000{:09}", number);
    return "https://id.gs1.org/00/" + digits + *gs1::check_digit(digits);
  }

  /// Commissionings of `of_one` items each.
  epcis::Document commissionings(std::span<const std::string> links, std::size_t of_one) {
    epcis::Document document;
    document.namespaces = {{"cbvmda", "urn:epcglobal:cbv:mda"}};
    const auto now = clock_.wall_ms();
    for (std::size_t at = 0; at < links.size(); at += of_one) {
      epcis::Event event;
      event.event_time = {codec::rfc3339_utc(now), now};
      event.time_zone_offset = "+08:00";
      event.action = epcis::Action::kAdd;
      event.biz_step.value = "commissioning";
      event.disposition.value = "active";
      const auto some = links.subspan(at, std::min(of_one, links.size() - at));
      event.epcs.assign(some.begin(), some.end());
      event.read_point =
          epcis::Location{.id = fmt::format("https://id.gs1.org/414/{}", kPlant), .extensions = {}};
      event.ilmd = {{.ns = "urn:epcglobal:cbv:mda", .name = "lotNumber", .text = "LOT1A"}};
      document.events.push_back(std::move(event));
    }
    return document;
  }
  void must_capture(const epcis::Document& document) {
    const auto all = done([&](Work& work) {
      return capture(work, document, document.events, EventFormat::kJson, false, who_);
    });
    for (const auto& one : all) THERIAC_ASSERT(one.act == Act::kCommission && one.work == 0);
  }

 private:
  Result<bool> find_master(Work& work, std::int64_t product) {
    product_ = product;
    THERIAC_ASSIGN(const auto lot, find_lot(work, product_, "LOT1A"));
    THERIAC_ASSIGN(const auto plant, find_place(work, kPlant, ""));
    THERIAC_ASSIGN(const auto pools, pools_of(work, product_));
    lot_ = lot->id;
    plant_ = plant->id;
    pool_ = pools.front().id;
    return true;
  }
  Result<bool> make_master(Work& work) {
    Product product;
    product.gtin = kGtin;
    product.name = "Stent 3.0 x 18";
    product.level = "each";
    product.prefix_length = 7;
    product.kind = "device";
    THERIAC_ASSIGN(product_, add(work, product, who_));
    Lot lot;
    lot.product = product_;
    lot.number = "LOT1A";
    lot.made = "2025-10-01";
    lot.expires = "2099-10-01";
    lot.certificate = "CoA-17";
    lot.certificate_sha256 = std::string(64, 'a');
    THERIAC_ASSIGN(lot_, add(work, lot, who_));
    THERIAC_TRY(set_state(work, lot_, LotState::kReleased, who_));
    THERIAC_ASSIGN(plant_, add(work, Place{0, std::string(kPlant), "", "Plant", 0, 7}, who_));
    const NumberRule rule{14, std::string(kClearCharacters), "", "", 1'000'000'000};
    THERIAC_ASSIGN(pool_, make_pool(work, product_, rule, who_));
    return true;
  }

  const SystemClock clock_;
  testing_support::SwitchedKeys keys_{testing_support::fixed_ring()};
  crypto::SystemRandom random_;
  Vault vault_{keys_, random_};
  std::unique_ptr<store::Engine> engine_;
  std::unique_ptr<store::Session> session_;
  Who who_{"bench", "bench", 0, "measured"};
  std::int64_t product_ = 0, lot_ = 0, plant_ = 0, pool_ = 0;
};

}  // namespace theriac::trace
