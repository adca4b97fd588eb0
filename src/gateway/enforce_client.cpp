// What the client sends in an enforce session: taken one message at a time, held while we wait.
#include "gateway/enforce_session.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;

EnforceSession::EnforceSession(EnforceService& service, std::shared_ptr<Database> database,
                               std::shared_ptr<Ciphers> ciphers, std::string user, Waker waker)
    : service_(service),
      database_(std::move(database)),
      ciphers_(std::move(ciphers)),
      user_(std::move(user)),
      role_(user_),
      waker_(std::move(waker)),
      correlation_(to_hex(service.random().id<KeyId>().view())) {}

void EnforceSession::expect(Expect entry) {
  // While the server skips to the next Sync it answers nothing but that Sync.
  if (skipping_ && entry.kind != Expecting::kSync) {
    if (entry.kind == Expecting::kParse) undo_parse(entry);
    undo_names(entry);
    return;
  }
  if (entry.kind == Expecting::kSync) skipping_ = refused_ = false;
  const bool ends = entry.effect == rewrite::Effect::kTransaction ||
                    entry.kind == Expecting::kSync || entry.kind == Expecting::kQuery;
  if (entry.effect == rewrite::Effect::kSetting || entry.effect == rewrite::Effect::kSchema ||
      entry.schema || entry.kind == Expecting::kFunction ||
      (ends && settings_in_transaction_ && !entry.own)) {
    settings_unsure_ = true;
  }
  expects_.push_back(std::move(entry));
}

void EnforceSession::fatal(const ErrorReport& report, Io& io) {
  auto last = report;
  last.severity = "FATAL";
  tell(last, io);
  io.finished = true;
  phase_ = Phase::kEnded;
  close_grants();
}

bool EnforceSession::holds_client() const {
  return waiting_ || phase_ == Phase::kSettling || copy_holds_client() ||
         (holding_ && client_in_.size() > kHeldBytesMax);
}

void EnforceSession::from_client(ByteView bytes, Io& io) {
  if (phase_ == Phase::kEnded) return;
  append(client_in_, bytes);
  pump(io);
}

void EnforceSession::resume(Io& io) {
  if (phase_ == Phase::kEnded) return;
  if (phase_ == Phase::kSettling) finish_sign_in(io);
  if (waiting_ && !continuation_ && durable_->outstanding.load() == 0) {
    waiting_ = false;
    if (durable_->failed.load()) {
      // The message at hand finds the failure again and is refused with it.
    } else {
      for (const auto& [name, until] : pending_grants_) grants_[name] = until;
      pending_grants_.clear();
    }
  }
  pump(io);
}

void EnforceSession::pump(Io& io) {
  std::size_t done = 0;
  holding_ = false;
  while (!waiting_ && phase_ != Phase::kEnded) {
    const auto rest = ByteView(client_in_).subspan(done);
    if (client_body_left_ > 0) {
      if (rest.empty()) break;
      done += take_copy_body(rest, io);
      continue;
    }
    if (copy_in_) {
      if (copy_in_->phase != CopyIn::Phase::kData) break;
      const auto taken = take_copy_message(rest, io);
      if (taken == 0) break;
      done += taken;
      continue;
    }
    if (batch_) {
      run_batch(io);
      continue;
    }
    holding_ = expects_.size() > kExpectsMax;
    if (phase_ == Phase::kSettling || holding_) break;
    const auto limit =
        phase_ == Phase::kSignIn ? pgwire::kAuthMessageBytesMax : pgwire::kMessageBytesMax;
    const auto frame = pgwire::cut_message(rest, limit);
    if (!frame) {
      fatal(pgwire::report_of(frame.error()), io);
      break;
    }
    if (!*frame) break;
    if (!reading_known((*frame)->tag, io)) {
      holding_ = true;
      break;
    }
    if (!take_message(**frame, io)) {
      waiting_ = true;
      break;
    }
    note_taken((*frame)->tag);
    strict_done_ = looked_ = false;
    done += (*frame)->raw.size();
  }
  client_in_.erase(client_in_.begin(), client_in_.begin() + static_cast<std::ptrdiff_t>(done));
}

bool EnforceSession::take(const pgwire::Frame& frame, Io& io) {
  waiting_for_answers_ = false;
  if (phase_ == Phase::kSignIn) {
    if (frame.tag != 'p' && frame.tag != 'X') {
      fatal(pgwire::report_of(Error{Code::kProtocol, "message before sign-in"}), io);
      return true;
    }
    append(io.to_server, frame.raw);
    return true;
  }
  // What the server would skip is not sent. A Bind behind a refused Parse holds values in clear.
  if ((skipping_ || refused_) && frame.tag != 'S' && frame.tag != 'X') return true;
  switch (frame.tag) {
    case 'Q':
      return take_query(frame, io);
    case 'P':
      return take_parse(frame, io);
    case 'B':
      return take_bind(frame, io);
    case 'D':
      return take_describe(frame, io);
    case 'E':
      return take_execute(frame, io);
    case 'C':
      return take_close(frame, io);
    case 'S':
      append(io.to_server, frame.raw);
      in_pipeline_ = false;
      expect({.kind = Expecting::kSync});
      return true;
    case 'H':
      append(io.to_server, frame.raw);
      return true;
    case 'd':
    case 'c':
    case 'f':
      return true;  // of a COPY that has failed: PostgreSQL ignores them as well
    case 'F':
      append(io.to_server, frame.raw);
      expect({.kind = Expecting::kFunction});
      return true;
    case 'X':
      append(io.to_server, frame.raw);
      close_grants();
      return true;
    default:
      fatal(pgwire::report_of(Error{Code::kProtocol, "message type"}), io);
      return true;
  }
}

}  // namespace theriac::gateway
