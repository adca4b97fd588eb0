#include "trace/verification.hpp"

#include "gs1/scan.hpp"
#include "trace/limits.hpp"
#include "trace/pools.hpp"

namespace theriac::trace {
namespace {

/// What a code says beside the number.
struct Claims {
  std::optional<std::string> lot, expires;  ///< AI 10; AI 17 as an ISO date
};

Claims claims_of(std::string_view scan, std::int64_t now_ms) {
  Claims claims;
  const auto read = gs1::read_scan(scan, {.required = false});
  if (!read) return claims;
  const auto* elements = std::get_if<gs1::ElementString>(&read->code);
  if (elements == nullptr) return claims;
  if (const auto* lot = elements->find("10")) claims.lot = *lot;
  if (const auto* expires = elements->find("17")) {
    constexpr std::int64_t kYearMs = 31'556'952'000;
    const auto date = gs1::iso_date(*expires, 1970 + static_cast<int>(now_ms / kYearMs));
    if (date) claims.expires = *date;
  }
  return claims;
}

Verified answer(Verdict verdict, Reason reason) {
  Verified made;
  made.verdict = verdict;
  made.reason = reason;
  return made;
}

Verified unknown(Reason reason) { return answer(Verdict::kUnknown, reason); }

/// Where else an item was scanned a short while ago; and notes that it is here now.
Result<std::optional<PlaceKey>> sighted_elsewhere(Work& work, const ItemKey& key,
                                                  const VerifyAt& at, Sightings& sightings) {
  if (at.place == kNowhere) return std::nullopt;
  THERIAC_ASSIGN(const auto last, sightings.note(work, key, {at.place, at.when_ms}));
  if (!last || last->place == at.place || at.when_ms - last->when_ms >= kTravelMs) {
    return std::nullopt;
  }
  return last->place;
}

Result<Verified> never_commissioned(Work& work, const Identity& identity) {
  if (identity.is_logistic_unit()) return unknown(Reason::kNeverIssued);
  Origins origins(work, identity.product);
  THERIAC_ASSIGN(const auto origin, origins.find(identity.serial));
  return origin ? answer(Verdict::kSuspicious, Reason::kNeverMade) : unknown(Reason::kNeverIssued);
}

Result<bool> claims_differ(Identifier& identifier, const ItemRow& row, const Claims& claims) {
  if (row.lot == 0) return false;
  THERIAC_ASSIGN(const auto* lot, identifier.lot(row.lot));
  return (claims.lot && *claims.lot != lot->number) ||
         (claims.expires && !lot->expires.empty() && *claims.expires != lot->expires);
}

Result<Verified> judge(Work& work, Identifier& identifier, const ItemRow& row, const Claims& claims,
                       const VerifyAt& at, Sightings& sightings) {
  THERIAC_ASSIGN(const auto seen, whereabouts(work, identifier, row));
  const auto& view = seen.view;
  THERIAC_ASSIGN(const auto other, sighted_elsewhere(work, row.key, at, sightings));
  THERIAC_ASSIGN(const bool differ, claims_differ(identifier, row, claims));
  if (differ) return answer(Verdict::kSuspicious, Reason::kDataDiffer);
  if (view.state == State::kAllocated || view.state == State::kEncoded) {
    return answer(Verdict::kSuspicious, Reason::kNeverMade);
  }
  if (view.state == State::kDispensed && at.place != kNowhere && at.place != view.last_place) {
    auto twice = answer(Verdict::kSuspicious, Reason::kDispensedTwice);
    twice.other_place = view.last_place;
    return twice;
  }
  if (view.state != State::kCommissioned) return answer(Verdict::kWrongState, Reason::kState);
  if (other) {
    auto two = answer(Verdict::kSuspicious, Reason::kTwoPlaces);
    two.other_place = other;
    return two;
  }
  if (view.recalled) return answer(Verdict::kRecalled, Reason::kNone);
  if (view.expires_ms && at.when_ms > *view.expires_ms) {
    return answer(Verdict::kExpired, Reason::kNone);
  }
  if (row.lot != 0 && !view.released) return answer(Verdict::kWrongState, Reason::kNotReleased);
  return answer(Verdict::kGenuine, Reason::kNone);
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGenuine:
      return "genuine";
    case Verdict::kUnknown:
      return "unknown";
    case Verdict::kWrongState:
      return "wrong-state";
    case Verdict::kExpired:
      return "expired";
    case Verdict::kRecalled:
      return "recalled";
    case Verdict::kSuspicious:
      return "suspicious";
  }
  return {};
}

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "";
    case Reason::kNotACode:
      return "not-a-code";
    case Reason::kUnknownProduct:
      return "unknown-product";
    case Reason::kNeverIssued:
      return "never-issued";
    case Reason::kState:
      return "state";
    case Reason::kNotReleased:
      return "not-released";
    case Reason::kNeverMade:
      return "never-made";
    case Reason::kDataDiffer:
      return "data-differ";
    case Reason::kTwoPlaces:
      return "two-places";
    case Reason::kDispensedTwice:
      return "dispensed-twice";
  }
  return {};
}

Result<Verified> verify(Work& work, std::string_view scan, const VerifyAt& at,
                        Sightings& sightings) {
  Identifier identifier(work);
  THERIAC_ASSIGN(const auto identity, identifier.identify(scan));
  if (!identity) {
    return unknown(identity.error() == LifeRefusal::kUnknownProduct ? Reason::kUnknownProduct
                                                                    : Reason::kNotACode);
  }
  THERIAC_ASSIGN(const auto row, read_item(work, identity->key));
  Verified made;
  if (row) {
    THERIAC_ASSIGN(made,
                   judge(work, identifier, *row, claims_of(scan, work.now_ms), at, sightings));
    made.state = row->state;
    made.lot = row->lot;
  } else {
    THERIAC_ASSIGN(made, never_commissioned(work, *identity));
  }
  made.identity = *identity;
  return made;
}

bool Guesses::may_ask(std::string_view client, std::int64_t now_ms) const {
  const auto at = counts_.find(client);
  return at == counts_.end() || now_ms - at->second.since_ms >= kGuessWindowMs ||
         at->second.unknown < unknown_max_;
}

bool Guesses::note(std::string_view client, const Verified& answer, std::int64_t now_ms) {
  const bool is_guess = answer.verdict == Verdict::kUnknown || answer.reason == Reason::kNeverMade;
  if (!is_guess) return false;
  auto at = counts_.find(client);
  if (at == counts_.end()) {
    if (counts_.size() >= clients_max_) {
      std::erase_if(
          counts_, [&](const auto& one) { return now_ms - one.second.since_ms >= kGuessWindowMs; });
    }
    // More clients than are remembered: the first of them is forgotten.
    if (counts_.size() >= clients_max_) counts_.erase(counts_.begin());
    at = counts_.emplace(client, Count{now_ms, 0}).first;
  }
  auto& count = at->second;
  if (now_ms - count.since_ms >= kGuessWindowMs) count = {now_ms, 0};
  return ++count.unknown == unknown_max_;
}

}  // namespace theriac::trace
