// COPY in an enforce session: whose turn it is, and what happens to the data between.
//
// While a COPY FROM STDIN is under way the client is held until the server has asked for data (or
// has failed), so that what each side takes for data is always the same bytes. A COPY that has to
// be given up is given up with CopyFail, whose error the server sends in its place; PostgreSQL's
// own error, if it found one before, wins. Nothing of a failed COPY stays in the table.
#include "gateway/enforce_session.hpp"
#include "rewrite/slot_text.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;

namespace {

constexpr std::size_t kHeadBytes = 5;
/// A held client may send this much ahead.
constexpr std::size_t kAheadBytesMax = 256U * 1024U;
/// CopyFail's reason is all that tells our own end of a COPY from another's.
constexpr std::string_view kGivenUp = "refused by theriac";

/// A CopyData being appended to `out`; gone again if nothing is put into it.
class DataMessage {
 public:
  explicit DataMessage(Bytes& out) : out_(out), start_(out.size()) {
    out_.resize(start_ + kHeadBytes);
    out_[start_] = 'd';
  }
  void finish() {
    const auto size = out_.size() - start_;
    if (size == kHeadBytes) return cancel();
    store_be(out_.data() + start_ + 1, static_cast<std::uint32_t>(size - 1));
  }
  void cancel() { out_.resize(start_); }

 private:
  Bytes& out_;
  std::size_t start_;
};

}  // namespace

Refusable<std::string> EnforceSession::copy_sql(const rewrite::Statement& statement,
                                                const Filled& filled) {
  std::vector<std::optional<ByteView>> values;
  for (const auto& parameter : filled.parameters) {
    values.push_back(parameter.is_null ? std::nullopt : std::optional(parameter.value));
  }
  auto sql = rewrite::with_literals(statement.sql, statement.slots, values);
  if (!sql) return refuse(pgwire::report_of(sql.error()));
  return std::move(*sql);
}

std::string EnforceSession::copy_sql_without_values(const rewrite::Statement& statement) {
  const std::vector<std::optional<ByteView>> nothing(statement.slots.size());
  return rewrite::with_literals(statement.sql, statement.slots, nothing).value_or(std::string());
}

void EnforceSession::bind_copy(const std::string& statement_name, const std::string& portal_name,
                               const std::shared_ptr<Portal>& portal, const Filled& filled,
                               Io& io) {
  const auto& statement = *portal->statement;
  if (!statement.copies_in) {
    if (auto ready = begin_copy_out(*portal, portal->prepared->catalogue, filled); !ready) {
      return refuse_extended(std::move(ready.error()), io);
    }
  }
  std::string name = statement_name;
  if (!statement.slots.empty()) {
    // Sealed again for each Bind: equal bytes in two rows would show equality.
    name = "theriac_copy";
    const auto sql = copy_sql(statement, filled);
    if (!sql) return refuse_extended(sql.error(), io);
    put_close({'S', name}, io);
    expect({.kind = Expecting::kClose, .own = true});
    put_parse(name, *sql, {}, io);
    Expect parsing{.kind = Expecting::kParse, .own = true};
    parsing.rewritten = true;
    parsing.name = name;
    expect(std::move(parsing));
  }
  portal->sealed = filled.sealed;
  portals_[portal_name] = portal;
  send_bind(portal_name, name, portal, Filled{}, false, io);
}

Refusable<void> EnforceSession::begin_copy_out(
    Portal& portal, const std::shared_ptr<const rewrite::Catalogue>& catalogue,
    const Filled& filled) {
  auto rows = rows_of(portal.statement, catalogue, &filled);
  if (!rows) return refuse(std::move(rows.error()));
  auto made = CopyOpener::make(portal.statement, *rows, settings_, *ciphers_);
  if (!made) return refuse(std::move(made.error()));
  portal.copy_out = std::move(*made);
  return {};
}

Refusable<void> EnforceSession::begin_copy_in(
    const std::shared_ptr<Portal>& portal,
    const std::shared_ptr<const rewrite::Catalogue>& catalogue) {
  CopyIn copy;
  if (portal->statement && portal->statement->copy) {
    auto made =
        CopySealer::make(portal->statement, catalogue, settings_, *ciphers_, service_.random());
    if (!made) return refuse(std::move(made.error()));
    copy.sealer = std::move(*made);
  }
  // While the server skips to the next Sync it will not ask for data.
  if (!skipping_) copy_in_ = std::move(copy);
  return {};
}

bool EnforceSession::copy_holds_client() const {
  return copy_in_ && copy_in_->phase != CopyIn::Phase::kData && client_in_.size() > kAheadBytesMax;
}

std::size_t EnforceSession::take_copy_body(ByteView bytes, Io& io) {
  const auto part = bytes.first(std::min(bytes.size(), client_body_left_));
  client_body_left_ -= part.size();
  if (client_body_passes_) {
    append(io.to_server, part);
  } else if (copy_in_ && copy_in_->phase == CopyIn::Phase::kData && copy_in_->sealer) {
    copy_data(part, io);
  }
  return part.size();
}

void EnforceSession::copy_data(ByteView bytes, Io& io) {
  DataMessage message(io.to_server);
  auto done = copy_in_->sealer->feed(bytes, io.to_server);
  message.finish();
  if (!done) give_up_copy(std::move(done.error()), io);
}

void EnforceSession::give_up_copy(ErrorReport report, Io& io) {
  pgwire::write_copy_fail(io.to_server, kGivenUp);
  copy_in_->phase = CopyIn::Phase::kEnded;
  copy_in_->failure = std::move(report);
}

std::size_t EnforceSession::take_copy_message(ByteView bytes, Io& io) {
  constexpr std::size_t kReasonBytesMax = 64U * 1024U;
  if (bytes.size() < kHeadBytes) return 0;
  const auto length = load_be<std::uint32_t>(bytes.data() + 1);
  const char tag = static_cast<char>(bytes[0]);
  const auto limit = tag == 'd' ? std::size_t{pgwire::kMessageBytesMax} : kReasonBytesMax;
  if (length < 4 || length - 4 > limit) {
    fatal(pgwire::report_of(Error{Code::kProtocol, "length of a message in COPY"}), io);
    return bytes.size();
  }
  if (tag == 'd') {
    client_body_left_ = length - 4;
    client_body_passes_ = copy_in_->sealer == nullptr;
    if (client_body_passes_) append(io.to_server, bytes.first(kHeadBytes));
    return kHeadBytes;
  }
  if (bytes.size() < length + 1U) return 0;
  const auto frame = bytes.first(length + 1U);
  switch (tag) {
    case 'c':
      end_copy_data(frame, io);
      break;
    case 'f':
      fail_copy_data(frame, io);
      break;
    case 'H':
    case 'S':
      break;  // PostgreSQL takes them for sent too early, and no answer is due
    case 'X':
      append(io.to_server, frame);
      close_grants();
      break;
    default:
      fatal(pgwire::report_of(Error{Code::kProtocol, "message type in COPY"}), io);
      return bytes.size();
  }
  return frame.size();
}

void EnforceSession::end_copy_data(ByteView frame, Io& io) {
  auto& copy = *copy_in_;
  if (copy.sealer) {
    DataMessage message(io.to_server);
    auto done = copy.sealer->finish(io.to_server);
    message.finish();
    if (!done) return give_up_copy(std::move(done.error()), io);
  }
  append(io.to_server, frame);
  // The answer would wait for a Sync that the client only sends when it has it: the Flush after
  // Execute was taken for one sent too early.
  if (!copy.query) pgwire::write_flush(io.to_server);
  // A string of several statements may ask for more.
  copy.phase = copy.query ? CopyIn::Phase::kAsked : CopyIn::Phase::kEnded;
}

void EnforceSession::fail_copy_data(ByteView frame, Io& io) {
  auto& copy = *copy_in_;
  if (!copy.sealer) {
    append(io.to_server, frame);
    copy.phase = copy.query ? CopyIn::Phase::kAsked : CopyIn::Phase::kEnded;
    return;
  }
  const auto sent = pgwire::read_copy_fail(frame.subspan(kHeadBytes));
  const auto reason = sent ? collected_text(view_of(*sent)) : Result<std::string>(std::string());
  // The reason may quote what it was about: the server, and its log, do not get it.
  give_up_copy({.sqlstate = "57014", .message = "COPY from stdin failed: " + reason.value_or("")},
               io);
}

void EnforceSession::on_copy_in(const pgwire::Frame& frame, Io& io) {
  const auto response = pgwire::read_copy_response(frame.body);
  if (!response || !copy_in_ || copy_in_->phase != CopyIn::Phase::kAsked) {
    fatal(pgwire::report_of(Error{Code::kProtocol, "CopyInResponse"}), io);
    return;
  }
  copy_in_->phase = CopyIn::Phase::kData;
  const auto* sealer = copy_in_->sealer.get();
  if (sealer == nullptr) {
    append(io.to_client, frame.raw);
    return;
  }
  if (response->columns != sealer->server_columns() || response->binary != sealer->is_binary()) {
    fatal(pgwire::report_of(Error{Code::kUnsupported, "CopyInResponse"}), io);
    return;
  }
  pgwire::write_copy_in(io.to_client, sealer->client_columns(), sealer->is_binary());
}

void EnforceSession::on_copy_out(const pgwire::Frame& frame, Io& io) {
  auto* opener = expects_.front().portal ? expects_.front().portal->copy_out.get() : nullptr;
  if (poisoned_) return;
  if (opener == nullptr) {
    if (expects_.front().rewritten) {
      fatal(pgwire::report_of(Error{Code::kProtocol, "COPY out"}), io);
    } else {
      append(io.to_client, frame.raw);
    }
    return;
  }
  const auto before = io.to_client.size();
  const auto work = [&]() -> Status {
    if (frame.tag == 'H') {
      THERIAC_ASSIGN(const auto response, pgwire::read_copy_response(frame.body));
      return opener->begin(response);
    }
    DataMessage message(io.to_client);
    const auto done =
        frame.tag == 'd' ? opener->feed(frame.body, io.to_client) : opener->finish(io.to_client);
    message.finish();
    return done;
  };
  const auto done = work();
  expects_.front().opened = opener->opened();
  if (!done) {
    io.to_client.resize(before);
    auto report = pgwire::report_of(done.error());
    if (done.error().code == Code::kBadEncoding) report.sqlstate = "22P05";
    deny(done.error().where, report);
    poison(report, io);
    return;
  }
  if (frame.tag != 'd') append(io.to_client, frame.raw);
}

void EnforceSession::copy_in_done(Portal* portal) {
  if (!copy_in_ || copy_in_->query) return;
  if (portal != nullptr && copy_in_->sealer) portal->sealed += copy_in_->sealer->sealed();
  copy_in_.reset();
}

const ErrorReport* EnforceSession::copy_failure(const pgwire::Frame& frame) const {
  if (!copy_in_ || !copy_in_->failure) return nullptr;
  std::string_view state;
  std::string_view message;
  for (const auto& field : pgwire::read_notice(frame.body)) {
    if (field.code == 'C') state = field.text;
    if (field.code == 'M') message = field.text;
  }
  const bool told = state == "57014" && message.contains(kGivenUp);
  // The other: of the row that was cut where our error is.
  return told || state == pgwire::kCopySqlstate ? &*copy_in_->failure : nullptr;
}

void EnforceSession::copy_in_failed() {
  if (!copy_in_) return;
  copy_in_.reset();
  // The rest of the string does not run.
  if (batch_) batch_->next = batch_->plan()->statements.size();
}

}  // namespace theriac::gateway
