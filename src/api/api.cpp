#include "api/api.hpp"

#include <algorithm>
#include <condition_variable>
#include <future>

#include "api/limits.hpp"
#include "api/replies.hpp"
#include "trace/known.hpp"
#include "trace/limits.hpp"
#include "trace/lines.hpp"
#include "trace/master.hpp"

namespace theriac::api {
namespace {

/// Ends the transaction of a request that was answered without doing anything.
constexpr const char* kNothingDone = "nothing was done";

std::string action_of(const Operation& operation) {
  std::string action = "trace." + std::string(operation.name);
  std::ranges::replace(action, '_', '-');
  return action;
}

bool is_audited(Kind kind) {
  return kind == Kind::kExport || kind == Kind::kWrite || kind == Kind::kCapture;
}

}  // namespace

struct Api::Workplace {
  std::unique_ptr<store::Session> session;
  trace::Vault vault;
  trace::Known known = {};
  /// For a transaction that has just begun.
  Result<trace::Work> begin(store::Session& inside, std::int64_t now_ms) {
    trace::Work work{inside, vault, now_ms, &known};
    THERIAC_TRY(known.begin(work));
    return work;
  }
};

/// Given back when it goes.
class Api::Borrowed {
 public:
  Borrowed(Api& api, std::unique_ptr<Workplace> place) : api_(&api), place_(std::move(place)) {}
  Borrowed(Borrowed&&) noexcept = default;
  Borrowed& operator=(Borrowed&&) = delete;
  ~Borrowed() {
    if (!place_) return;
    const std::lock_guard lock(api_->mutex_);
    api_->free_.push_back(std::move(place_));
  }
  Workplace* operator->() { return place_.get(); }
  Workplace& operator*() { return *place_; }

 private:
  Api* api_;
  std::unique_ptr<Workplace> place_;
};

/// The audit entry of one attempt of a write.
class Api::Recording {
 public:
  Recording(Api& api, const audit::Event& event) : api_(&api), event_(event) {}
  Status begin() {
    const auto said = std::make_shared<std::promise<Status>>();
    durable_ = said->get_future();
    auto queued = api_->parts_.trail->append(event_, [said](Result<std::uint64_t> done) {
      said->set_value(done ? Status{} : Status(fail(std::move(done.error()))));
    });
    begun_ = queued.has_value();
    return note(std::move(queued));
  }
  Status wait() { return note(durable_.get()); }
  /// The transaction did not commit after all.
  void undo(const Error& why) {
    if (begun_) api_->record(event_, why);
    begun_ = false;
  }

 private:
  Status note(Status done) {
    api_->audit_fails_ = !done.has_value();
    if (!done) api_->parts_.log->error("audit.append", done.error());
    return done;
  }
  Api* api_;
  audit::Event event_;
  std::future<Status> durable_;
  bool begun_ = false;
};

Api::Api(Parts parts) : parts_(std::move(parts)), callers_(parts_.tenant) {}
Api::~Api() = default;

Status Api::open(std::unique_ptr<store::Engine> engine, std::size_t sessions) {
  std::vector<std::unique_ptr<Workplace>> made;
  for (std::size_t i = 0; i < sessions + 1; ++i) {
    THERIAC_ASSIGN(auto session, engine->connect());
    made.push_back(std::make_unique<Workplace>(std::move(session),
                                               trace::Vault(*parts_.keys, *parts_.random)));
  }
  sightings_place_ = std::move(made.back());
  made.pop_back();
  const std::lock_guard lock(mutex_);
  engine_ = std::move(engine);
  free_ = std::move(made);
  open_ = true;
  sightings_writer_ = std::jthread([this](const std::stop_token& stop) { write_sightings(stop); });
  return {};
}

void Api::write_sightings(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  bool fails = false;
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, kWriteSightings, [] { return false; });
    }
    last = stop.stop_requested();
    if (!sightings_.waiting()) continue;
    const auto done = write_sightings_once();
    if (!done && !fails) parts_.log->error("sightings", done.error());
    fails = !done;
  }
}

Status Api::write_sightings_once() {
  auto& place = *sightings_place_;
  THERIAC_TRY(place.session->transact([&](store::Session& session) -> Status {
    trace::Work work{session, place.vault, parts_.clock->wall_ms()};
    return sightings_.write(work);
  }));
  sightings_.written();
  return {};
}

Result<Api::Borrowed> Api::borrow() {
  const std::lock_guard lock(mutex_);
  if (!open_) return fail(Code::kClosed, "store");
  if (free_.empty()) return fail(Code::kBusy, "store");
  Borrowed one(*this, std::move(free_.back()));
  free_.pop_back();
  return one;
}

/// What was denied or failed, without waiting for the disk.
void Api::record(audit::Event event, const Error& error) {
  const bool denied = error.code == Code::kDenied || error.code == Code::kBadCertificate ||
                      event.outcome == "denied";
  event.outcome = denied ? "denied" : "failed";
  event.error = info_of(error.code).name;
  if (const auto queued = parts_.trail->append(std::move(event)); !queued) {
    audit_fails_ = true;
    parts_.log->error("audit.append", queued.error());
  }
}

Result<http::Response> Api::answer(const Operation& operation, http::Request& request) {
  const auto now = parts_.clock->wall_ms();
  audit::Event event;
  event.action = action_of(operation);
  event.correlation = request.id;
  const auto known = callers_.of(request, now);
  if (!known) {
    event.actor = "unknown";
    if (request.certificate != nullptr) event.details["sha256"] = request.certificate->fingerprint;
    record(std::move(event), known.error());
    return fail(known.error());
  }
  const auto& caller = *known;
  event.actor = caller->identity.name;
  if (const auto valid = check_revoked(caller->identity); !valid) {
    record(std::move(event), valid.error());
    return fail(valid.error());
  }
  event.role = pki::role_name(caller->identity.role);
  if (!may(operation, caller->identity.role)) {
    const Error denied{Code::kDenied, "role"};
    record(std::move(event), denied);
    return fail(denied);
  }
  if (operation.is_epcis()) {
    if (auto refused = refused_version(request)) return std::move(*refused);
  }
  codec::Json body;
  if (!operation.body.empty() && !operation.takes_documents()) {
    THERIAC_ASSIGN(body, codec::parse_json(text_of(request.body), kListBodyBytesMax));
  }
  Call call{.operation = operation,
            .caller = *caller,
            .body = body,
            .request = request,
            .language = language_of(request),
            .now_ms = now,
            .who = {.person = caller->identity.name, .station = std::string(request.peer)},
            .authority = parts_.authority,
            .random = parts_.random,
            .event = event};
  auto done = dispatch(call);
  if (!done) {
    // Reads that fail are nobody's concern, those that are denied are.
    if (is_audited(operation.kind) || done.error().code == Code::kDenied ||
        event.outcome == "denied") {
      record(std::move(event), done.error());
    }
    return fail(std::move(done.error()));
  }
  if (done->file) return std::move(*done->file);
  return http::Response::with(done->status,
                              done->status < 400 ? "application/json" : "application/problem+json",
                              codec::canonical_json(done->body));
}

/// Of each request, so that it holds on connections that were open before. What needs no store
/// needs no lease either, and tells nothing of anybody's.
Status Api::check_revoked(const pki::Identity& caller) const {
  const auto ring = parts_.keys->ring("serial", true);
  if (ring && (*ring)->is_revoked_certificate(caller.serial)) {
    return fail(Code::kBadCertificate, "revoked");
  }
  return {};
}

Result<Answer> Api::dispatch(Call& call) {
  switch (call.operation.kind) {
    case Kind::kPure:
      return call.operation.handler(call);
    case Kind::kWrite:
      return write(call);
    case Kind::kExport: {
      auto read_out = read(call);
      if (!read_out) return read_out;
      const auto noted = parts_.trail->append_durable(call.event);
      audit_fails_ = !noted.has_value();
      if (!noted) return fail(noted.error());
      return read_out;
    }
    case Kind::kCapture: {
      auto done = write(call);
      if (done || done.error().code != Code::kAlreadyExists ||
          call.operation.name != "capture_events") {
        return done;
      }
      call.taken = true;
      return write(call);
    }
    case Kind::kCheck:
      return check(call);
    case Kind::kRead:
      return read(call);
  }
  return fail(Code::kInternal, "kind");
}

/// A partner's certificate must be a partner's; anybody's else may be, of a contract maker's line
/// for example, and then it is bound to that partner's places. A line is bound to the places that
/// name it.
Status Api::bind_caller(Call& call) {
  const auto& name = call.caller.identity.name;
  THERIAC_ASSIGN(const auto found, trace::partner_of_certificate(*call.work, name));
  if (call.caller.identity.role == pki::Role::kTraceLine) {
    THERIAC_ASSIGN(call.who.line, trace::bound_line(*call.work, name));
  }
  if (found) {
    call.who.partner = found->id;
    return {};
  }
  if (call.caller.identity.role == pki::Role::kTracePartner) {
    return fail(Code::kDenied, "no partner has this certificate");
  }
  return {};
}

Result<Answer> Api::read(Call& call) {
  THERIAC_ASSIGN(auto place, borrow());
  std::optional<Answer> made;
  THERIAC_TRY(place->session->snapshot([&](store::Session& session) -> Status {
    THERIAC_ASSIGN(auto work, place->begin(session, call.now_ms));
    call.work = &work;
    THERIAC_TRY(bind_caller(call));
    THERIAC_ASSIGN(made, call.operation.handler(call));
    return {};
  }));
  return std::move(*made);
}

Result<Answer> Api::write(Call& call) {
  THERIAC_ASSIGN(auto place, borrow());
  const auto fresh = call.event;
  const bool before_effect = call.operation.name != "act" && call.operation.kind != Kind::kCapture;
  std::optional<Answer> made;
  std::optional<Recording> recording;
  // Run again on kBusy, so it starts from the beginning each time.
  const auto done = place->session->transact([&](store::Session& session) -> Status {
    if (recording) recording->undo({Code::kBusy, {}});
    recording.reset();
    made.reset();
    call.event = fresh;
    call.exception.reset();
    THERIAC_TRY(place->vault.check(false));
    THERIAC_ASSIGN(auto work, place->begin(session, call.now_ms));
    call.work = &work;
    THERIAC_TRY(bind_caller(call));
    std::optional<ReplyKey> key;
    if (call.operation.kind == Kind::kWrite) {
      THERIAC_ASSIGN(key, reply_key(call));
      THERIAC_ASSIGN(made, kept_reply(work, *key));
      if (made) return fail(Code::kInterrupted, kNothingDone);
    }
    THERIAC_ASSIGN(made, call.operation.handler(call));
    call.event.reason = call.who.reason;
    if (made->status >= 400) {
      if (call.event.outcome == "ok") call.event.outcome = "failed";
      recording.emplace(*this, call.event);
      THERIAC_TRY(recording->begin());
      return fail(Code::kInterrupted, kNothingDone);
    }
    if (call.exception) {
      THERIAC_ASSIGN(const auto id, trace::raise(work, *call.exception));
      call.event.details["work"] = id;
    }
    if (key) THERIAC_TRY(keep_reply(work, *key, *made));
    recording.emplace(*this, call.event);
    THERIAC_TRY(recording->begin());
    return before_effect ? recording->wait() : Status{};
  });
  const bool nothing_done =
      !done && made && done.error() == Error{Code::kInterrupted, kNothingDone};
  if (!done && !nothing_done) {
    // The caller of this puts the failure on the log.
    call.event = fresh;
    return fail(done.error());
  }
  if (recording && (nothing_done || !before_effect)) THERIAC_TRY(recording->wait());
  if (nothing_done && call.exception) raise_apart(call, *place);
  return std::move(*made);
}

/// A caller who has guessed too often waits for the end of the hour.
Result<Answer> Api::check(Call& call) {
  bool may_ask = true;
  {
    const std::lock_guard lock(mutex_);
    may_ask = guesses_.may_ask(call.caller.identity.name, call.now_ms);
  }
  if (!may_ask) {
    Answer wait{.status = 429, .body = nullptr, .file = http::problem_of_status(429)};
    wait.file->fields.push_back({"Retry-After", std::to_string(trace::kGuessWindowMs / 1000)});
    return wait;
  }
  THERIAC_ASSIGN(auto place, borrow());
  std::optional<Answer> made;
  THERIAC_TRY(place->session->snapshot([&](store::Session& session) -> Status {
    THERIAC_ASSIGN(auto work, place->begin(session, call.now_ms));
    call.work = &work;
    call.sightings = &sightings_;
    THERIAC_TRY(bind_caller(call));
    THERIAC_ASSIGN(made, call.operation.handler(call));
    return {};
  }));
  THERIAC_TRY(note_check(call, *place));
  return std::move(*made);
}

/// In a transaction of its own, since the call's own was undone or is over. That it fails (reading
/// goes on without the key service, this does not) takes no answer away: the audit log has it.
void Api::raise_apart(const Call& call, Workplace& place) {
  const auto raised = place.session->transact([&](store::Session& session) -> Status {
    trace::Work work{session, place.vault, call.now_ms};
    THERIAC_TRY(trace::raise(work, *call.exception));
    return {};
  });
  if (!raised) parts_.log->error("work.raise", raised.error());
}

/// What alarms is on the log before it is told: copies and stolen packs, and who guesses.
Status Api::note_check(Call& call, Workplace& place) {
  THERIAC_ASSERT(call.verified.has_value());
  bool guesses = false;
  {
    const std::lock_guard lock(mutex_);
    guesses = guesses_.note(call.caller.identity.name, *call.verified, call.now_ms);
  }
  if (!guesses && !call.verified->alarming()) return {};
  if (call.exception) raise_apart(call, place);
  if (guesses) {
    const auto& name = call.caller.identity.name;
    call.exception = {trace::WorkKind::kGuessing, name, 0, {{"caller", name}}};
    raise_apart(call, place);
  }
  auto event = call.event;
  event.outcome = "denied";
  event.details["verdict"] = trace::name_of(call.verified->verdict);
  if (guesses) event.details["guesses"] = kUnknownOfOneHourMax;
  const auto noted = parts_.trail->append_durable(std::move(event));
  audit_fails_ = !noted.has_value();
  if (!noted) return fail(noted.error());
  return {};
}

Api::Readiness Api::readiness() {
  Readiness now;
  const auto ring = parts_.keys->ring("serial", false);
  if (!ring) now.keys = fail(ring.error());
  if (audit_fails_) now.audit = fail(Code::kIo, "audit");
  auto place = borrow();
  if (!place) {
    // All at work is a sign of life.
    if (place.error().code != Code::kBusy) now.store = fail(place.error());
    return now;
  }
  now.store = (*place)->session->snapshot([](store::Session& session) -> Status {
    THERIAC_ASSIGN(auto rows, session.query_all("SELECT next FROM counters LIMIT 1"));
    THERIAC_ASSIGN(const bool ignored, rows->next());
    static_cast<void>(ignored);
    return {};
  });
  return now;
}

}  // namespace theriac::api
