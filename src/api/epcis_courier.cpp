#include "api/epcis_courier.hpp"

#include <condition_variable>
#include <mutex>

#include "api/epcis_lookup.hpp"
#include "api/epcis_reply.hpp"
#include "api/epcis_standing.hpp"
#include "api/limits.hpp"
#include "codec/time.hpp"
#include "crypto/hash.hpp"
#include "trace/master.hpp"

namespace theriac::api {
namespace {

constexpr std::chrono::seconds kRound{1};

http::ClientRequest request_of(const trace::Subscription& to, const std::string& text) {
  http::ClientRequest request{.method = "POST", .target = {}, .body = bytes_of(text)};
  request.fields = {{"Content-Type", "application/json"},
                    {"GS1-EPCIS-Version", "2.0.0"},
                    {"GS1-CBV-Version", "2.0.0"}};
  const auto token = to.details.at("signatureToken").get<std::string>();
  if (!token.empty()) {
    crypto::HmacKey key(crypto::HashKind::kSha256, SecretBytes(view_of(token)));
    request.fields.push_back({"GS1-Signature", to_hex(key.mac(request.body))});
  }
  return request;
}

std::int64_t pause_after(std::int64_t failures) {
  constexpr std::int64_t kDoublings = 12;
  return std::min(kDeliveryRetryMs << std::min(failures, kDoublings), kDeliveryRetryMsMax);
}

}  // namespace

/// What one subscription is to be sent.
struct Courier::Parcel {
  std::string text;  ///< the document; empty: nothing
  std::int64_t events = 0;
  std::int64_t after = 0;  ///< how far it reaches
  bool more = false;       ///< something may follow
  std::int64_t partner = 0;
};

Courier::Courier(Parts parts, std::unique_ptr<store::Session> session, Send send)
    : parts_(parts),
      session_(std::move(session)),
      vault_(*parts.keys, *parts.random),
      send_(std::move(send)) {}

Status Courier::work(bool writes, const std::function<Status(trace::Work&)>& what) {
  const auto inside = [&](store::Session& session) -> Status {
    trace::Work work{session, vault_, parts_.clock->wall_ms()};
    return what(work);
  };
  return writes ? session_->transact(inside) : session_->snapshot(inside);
}

void Courier::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::optional<Error> told;
  while (!stop.stop_requested()) {
    const auto done = deliver_due(stop);
    if (!done && told != done.error()) {
      parts_.log->error("epcis.deliver", done.error());
      told = done.error();
    }
    if (done) told.reset();
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, kRound, [] { return false; });
  }
}

Result<int> Courier::deliver_due(const std::stop_token& stop) {
  std::vector<trace::Subscription> due;
  THERIAC_TRY(work(false, [&](trace::Work& work) -> Status {
    THERIAC_ASSIGN(due, trace::due_subscriptions(work, kDeliveriesOfOneRound));
    return {};
  }));
  int begun = 0;
  for (auto& one : due) {
    if (stop.stop_requested()) break;
    THERIAC_ASSIGN(const bool ours, claim(one));
    if (!ours) continue;
    THERIAC_ASSIGN(const int sent, deliver(std::move(one)));
    begun += sent;
  }
  return begun;
}

Result<bool> Courier::claim(trace::Subscription& subscription) {
  bool ours = false;
  THERIAC_TRY(work(true, [&](trace::Work& work) -> Status {
    auto tried = subscription;
    THERIAC_ASSIGN(ours, trace::claim(work, tried, kDeliveryClaimMs));
    return {};
  }));
  return ours;
}

Result<Courier::Parcel> Courier::pack(const trace::Subscription& to) {
  Parcel parcel;
  THERIAC_TRY(work(false, [&](trace::Work& work) -> Status {
    parcel = {};
    parcel.partner = to.details.at("partner").get<std::int64_t>();
    const auto owner = to.details.at("owner").get<std::string>();
    THERIAC_ASSIGN(const auto speaks_for, trace::partner_of_certificate(work, owner));
    if ((speaks_for ? speaks_for->id : 0) != parcel.partner) return fail(Code::kDenied, "owner");
    THERIAC_ASSIGN(const auto query, trace::query_of(work, to.query));
    THERIAC_ASSIGN(const auto parsed, trace::parsed(query));
    THERIAC_ASSIGN(const auto last, trace::last_event(work));
    THERIAC_ASSIGN(const auto since,
                   codec::parse_rfc3339(to.details.at("initialRecordTime").get<std::string>()));
    THERIAC_ASSIGN(auto page, trace::find_events(work, parsed, master_lookup(work),
                                                 {parcel.partner}, to.after_seq, to.batch));
    std::erase_if(page.events, [&](const auto& one) { return one.record_ms < since; });
    parcel.after = page.next.value_or(last);
    parcel.more = page.next.has_value();
    parcel.events = static_cast<std::int64_t>(page.events.size());
    if (page.events.empty() &&
        (parcel.more || !to.scheduled || !to.details.at("reportIfEmpty").get<bool>())) {
      return {};
    }
    auto document = results_of(query.name, work.now_ms, page.events);
    document.subscription_id = to.uid;
    const auto options = write_options(work, to.details.at("epcFormat").get<std::string>(), "");
    if (!options) return fail(Code::kInternal, "epcFormat");
    THERIAC_ASSIGN(parcel.text, epcis::write_json(document, *options));
    return {};
  }));
  return parcel;
}

/// The audit log has it first.
Status Courier::post(const trace::Subscription& to, const Parcel& parcel) {
  THERIAC_ASSIGN(auto destination, parse_destination(to.details.at("dest").get<std::string>()));
  audit::Event event;
  event.action = "trace.deliver-events";
  event.actor = to.details.at("owner").get<std::string>();
  event.object = "subscriptions " + std::to_string(to.id);
  event.details = {{"events", parcel.events}, {"to", destination.server.text()}};
  if (parcel.partner != 0) event.details["partner"] = parcel.partner;
  THERIAC_TRY(parts_.trail->append_durable(std::move(event)));
  auto request = request_of(to, parcel.text);
  request.target = destination.target;
  THERIAC_ASSIGN(const int status, send_(destination, std::move(request)));
  if (status / 100 == 2) return {};
  return fail(status == 413 ? Code::kTooLarge : Code::kUpstream,
              "status " + std::to_string(status));
}

void Courier::note_failure(trace::Subscription& one, const Error& why) {
  const auto now = parts_.clock->wall_ms();
  parts_.log->write(Level::kWarning, "epcis.deliver",
                    {{"subscription", one.id},
                     {"error", info_of(why.code).name},
                     {"failures", one.failures + 1}});
  if (why.code == Code::kTooLarge && one.batch > 1) {
    one.batch /= 2;  // the standard's 413: in smaller batches
    one.due_ms = now;
    return;
  }
  one.due_ms = now + pause_after(one.failures);
  ++one.failures;
}

Result<int> Courier::deliver(trace::Subscription one) {
  const auto parcel = pack(one);
  int begun = 0;
  Status sent;
  if (!parcel) {
    // Of keys and store it is the round's error; the claim ends by itself.
    if (parcel.error().code != Code::kDenied) return fail(parcel.error());
    sent = fail(parcel.error());
  } else if (!parcel->text.empty()) {
    begun = 1;
    sent = post(one, *parcel);
  }
  if (!sent) {
    note_failure(one, sent.error());
  } else {
    const auto now = parts_.clock->wall_ms();
    if (begun != 0) one.notified_ms = now;
    one.failures = 0;
    one.after_seq = parcel->after;
    one.due_ms = parcel->more ? now : next_due(schedule_of(one.details), now);
  }
  THERIAC_TRY(work(true, [&](trace::Work& work) { return trace::put_back(work, one); }));
  return begun;
}

}  // namespace theriac::api
