// How the client's texts read in an enforce session: its encoding. The server is left in the
// client's own, so that what is not rewritten passes byte for byte and means what the server says
// it means; everything that is analysed, and every text of ours, is UTF-8 inside the session and
// converted at its edges. With standard_conforming_strings off literals get the E that says how
// they read; what we send means the same in both ways.
//
// A statement that may change the encoding is waited for before the next text is read: PostgreSQL
// reads it by the new one.
#include <charconv>

#include "gateway/enforce_scrub.hpp"
#include "gateway/enforce_session.hpp"
#include "pgwire/utf8.hpp"
#include "rewrite/escape_strings.hpp"
#include "rewrite/positions.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;

namespace {

constexpr std::size_t kHeadBytes = 5;

/// Texts ending in a zero byte at the beginning of a client's message, behind `skip` bytes.
struct Texts {
  std::size_t skip = 0, count = 0;
};
Texts texts_of(char tag) {
  switch (tag) {
    case 'Q':
    case 'E':
      return {0, 1};
    case 'P':
    case 'B':
      return {0, 2};
    case 'D':
    case 'C':
      return {1, 1};
    default:
      return {};
  }
}

ErrorReport changed_by_code(std::string_view setting) {
  return {.sqlstate = "0A000",
          .message = "theriac: " + std::string(setting) +
                     " was changed by code in the server while more was sent"};
}

}  // namespace

Refusable<pgwire::Frame> EnforceSession::in_utf8(const pgwire::Frame& frame) {
  const auto [skip, count] = texts_of(frame.tag);
  std::size_t end = std::min(skip, frame.body.size());
  for (std::size_t i = 0; i < count && end < frame.body.size(); ++i) {
    while (end < frame.body.size() && frame.body[end] != 0) ++end;
    end = std::min(end + 1, frame.body.size());
  }
  frame_in_utf8_.clear();
  append(frame_in_utf8_, frame.body.first(std::min(skip, end)));
  const auto sent = frame.body.first(end).subspan(std::min(skip, end));
  auto texts = settings_.encoding ? settings_.encoding->to_utf8(sent)
                                  : Result<std::string>(std::string(text_of(sent)));
  const auto name = "encoding \"" + std::string(encoding_name()) + "\"";
  if (!texts && settings_.encoding->is_well_formed(sent)) {
    return refuse(
        {.sqlstate = "22P05",
         .message = "a character in " + name + " has no equivalent in encoding \"UTF8\""});
  }
  if (!texts) {
    return refuse({.sqlstate = "22021", .message = "invalid byte sequence for " + name});
  }
  if (escape_strings_ && (frame.tag == 'Q' || frame.tag == 'P')) {
    // The SQL is the last of the texts.
    const auto sql_at = frame.tag == 'P' ? texts->find('\0') + 1 : 0;
    const auto sql = std::string_view(*texts).substr(sql_at);
    auto standard = rewrite::with_escape_strings(sql);
    if (!standard) {
      return refuse({.sqlstate = "0A000",
                     .message = "unsafe use of string constant with Unicode escapes",
                     .detail = "String constants with Unicode escapes cannot be used when "
                               "standard_conforming_strings is off.",
                     .position = pgwire::count_characters(sql.substr(0, standard.error())) + 1});
    }
    texts->replace(sql_at, std::string::npos, *standard);
  }
  append(frame_in_utf8_, *texts);
  append(frame_in_utf8_, frame.body.subspan(end));
  return pgwire::Frame{frame.tag, frame_in_utf8_, frame.raw};
}

bool EnforceSession::take_message(const pgwire::Frame& frame, Io& io) {
  const bool has_texts = texts_of(frame.tag).count > 0;
  const bool as_it_is = !settings_.encoding && !escape_strings_;
  if (!has_texts || phase_ != Phase::kReady || as_it_is) return take(frame, io);
  auto read = in_utf8(frame);
  if (read) {
    const bool taken = take(*read, io);
    if (frame_in_utf8_.capacity() > kHeldBytesMax) frame_in_utf8_ = Bytes();
    return taken;
  }
  if (frame.tag == 'Q') {
    refuse_query(std::move(read.error()), io);
  } else {
    refuse_extended(std::move(read.error()), io);
  }
  return true;
}

bool EnforceSession::reading_known(char tag, Io& io) {
  if (!reading_stale_ || phase_ != Phase::kReady || texts_of(tag).count == 0 || skipping_) {
    return true;
  }
  if (!in_pipeline_) return false;  // until the server is ready, and has said what changed
  ask_settings(io);
  return false;
}

void EnforceSession::note_reading(const rewrite::Statement& statement) {
  if (skipping_) return;
  if (statement.prepared && statement.prepared->kind == rewrite::PreparedUse::Kind::kExecute) {
    const auto at = prepared_.find(statement.prepared->name);
    const bool known = at != prepared_.end() && !at->second->plan->statements.empty();
    if (known && at->second->statement().changes_reading) {
      reading_stale_ = reading_in_transaction_ = true;
    }
    return;
  }
  if (!statement.changes_reading) return;
  reading_stale_ = reading_in_transaction_ = true;
}

void EnforceSession::note_taken(char tag) {
  // The end of a transaction, a savepoint or an error may bring the old encoding back.
  if (reading_in_transaction_ && (tag == 'Q' || tag == 'E' || tag == 'S')) reading_stale_ = true;
}

Status EnforceSession::set_encoding(std::string_view name) {
  std::shared_ptr<const pgwire::Encoding> found;
  if (pgwire::encoding_kind(name) == pgwire::EncodingKind::kSame) {
    // SQL_ASCII leaves texts in the database's encoding.
    const bool utf8 = name != "SQL_ASCII" || server_encoding_.empty() || server_encoding_ == "UTF8";
    if (!utf8) return fail(Code::kUnsupported, "client_encoding SQL_ASCII");
  } else {
    THERIAC_ASSIGN(found, pgwire::Encoding::find(name));
    if (!server_encoding_.empty() && server_encoding_ != "UTF8") {
      return fail(Code::kUnsupported, "client_encoding of a database whose encoding is not UTF8");
    }
  }
  settings_.encoding = std::move(found);
  return {};
}

std::string_view EnforceSession::encoding_name() const {
  return settings_.encoding ? std::string_view(settings_.encoding->name()) : std::string_view();
}

Refusable<void> EnforceSession::can_be_sent(const Planned& planned) const {
  if (!settings_.encoding) return {};
  const auto good = [&](const std::string& sql, const std::optional<rewrite::SqlTemplate>& holes) {
    const auto text = rewrite::text_with(sql, holes, planned.literals.get());
    return settings_.encoding->from_utf8(text).has_value();
  };
  for (const auto& statement : planned.plan->statements) {
    if (good(statement.sql, statement.holes) &&
        (!statement.gather || good(statement.gather->sql, statement.gather->holes))) {
      continue;
    }
    return refuse({.sqlstate = "22P05",
                   .message = "theriac: a name in the rewritten statement has no equivalent in "
                              "encoding \"" +
                              settings_.encoding->name() + "\"",
                   .hint = "name the columns, or use UTF8"});
  }
  return {};
}

std::string EnforceSession::encoded(std::string_view text, Io& io) {
  if (!settings_.encoding) return std::string(text);
  auto made = settings_.encoding->from_utf8(text);
  if (made) return std::move(*made);
  // can_be_sent() was asked before: nothing that the client can bring about.
  fatal(pgwire::report_of(Error{Code::kInternal, "client_encoding"}), io);
  return {};
}

void EnforceSession::put_parse(std::string_view name, std::string_view sql,
                               const std::vector<std::uint32_t>& types, Io& io) {
  pgwire::write_parse(io.to_server, encoded(name, io), encoded(sql, io), types);
}

void EnforceSession::put_describe(const pgwire::Target& target, Io& io) {
  const auto name = encoded(target.name, io);
  pgwire::write_describe(io.to_server, {target.kind, name});
}

void EnforceSession::put_close(const pgwire::Target& target, Io& io) {
  const auto name = encoded(target.name, io);
  pgwire::write_close(io.to_server, {target.kind, name});
}

void EnforceSession::put_bind(pgwire::Bind bind, Io& io) {
  const auto portal = encoded(bind.portal, io);
  const auto statement = encoded(bind.statement, io);
  bind.portal = portal;
  bind.statement = statement;
  pgwire::write_bind(io.to_server, bind);
}

std::string EnforceSession::shown(std::string_view text) const {
  if (!settings_.encoding) return std::string(text);
  Bytes out;
  while (!text.empty()) {
    // Characters one by one: what the client's encoding lacks becomes a question mark.
    std::size_t size = 1;
    while (size < text.size() && (static_cast<std::uint8_t>(text[size]) & 0xc0U) == 0x80) ++size;
    const auto used = settings_.encoding->encode(view_of(text.substr(0, size)), out);
    if (!used || *used != size) out.push_back('?');
    text.remove_prefix(size);
  }
  return std::string(text_of(out));
}

void EnforceSession::tell(const ErrorReport& report, Io& io) {
  if (!settings_.encoding) return pgwire::write_error(io.to_client, report);
  auto told = report;
  told.message = shown(report.message);
  told.detail = shown(report.detail);
  told.hint = shown(report.hint);
  told.context = shown(report.context);
  pgwire::write_error(io.to_client, told);
}

void EnforceSession::tell_scrubbed(const pgwire::Frame& frame, bool rewritten, Io& io,
                                   std::optional<std::size_t> position) {
  if (!settings_.encoding || !is_scrubbed(frame.body, rewritten)) {
    return write_scrubbed(io.to_client, frame.tag, frame.body, *catalogue(), rewritten, position);
  }
  const auto body = settings_.encoding->to_utf8(frame.body);
  if (!body) {
    return tell(pgwire::report_of(Error{Code::kBadEncoding, "a message of the server"}), io);
  }
  Bytes scrubbed;
  write_scrubbed(scrubbed, frame.tag, view_of(*body), *catalogue(), rewritten, position);
  const auto told = shown(text_of(ByteView(scrubbed).subspan(kHeadBytes)));
  pgwire::write_message(io.to_client, frame.tag, view_of(told));
}

Result<std::string> EnforceSession::collected_text(ByteView value) const {
  if (settings_.encoding) return settings_.encoding->to_utf8(value);
  return std::string(text_of(value));
}

void EnforceSession::on_parameter_status(const pgwire::Frame& frame, Io& io) {
  const auto status = pgwire::read_parameter_status(frame.body);
  if (!status) return;
  const auto& [name, value] = *status;
  if (auto changed = pgwire::with_setting(settings_, name, value)) settings_ = std::move(*changed);
  if (name == "server_encoding") server_encoding_ = value;
  if (name == "standard_conforming_strings") {
    const bool off = value == "off";
    if (off != escape_strings_ && phase_ == Phase::kReady && !reading_in_transaction_ &&
        expects_.size() > 1) {
      fatal(changed_by_code(name), io);
    }
    escape_strings_ = off;
  }
  if (name == "client_encoding") {
    const auto before = settings_.encoding;
    if (const auto good = set_encoding(value); !good) {
      auto report = pgwire::report_of(good.error());
      report.hint = "set client_encoding to UTF8";
      fatal(report, io);
    } else if (before != settings_.encoding && phase_ == Phase::kReady &&
               !reading_in_transaction_ && expects_.size() > 1) {
      // What was sent after the function that did this was read in the old encoding.
      fatal(changed_by_code(name), io);
    }
  }
  if (name == "is_superuser") {
    superuser_ = value == "on";
  } else if (name == "session_authorization") {
    settings_stale_ = true;
  }
}

std::optional<std::size_t> EnforceSession::client_position(const pgwire::Frame& frame,
                                                           const Expect& entry) {
  if (entry.sent.empty()) return std::nullopt;
  for (const auto& field : pgwire::read_notice(frame.body)) {
    if (field.code != 'P') continue;
    std::size_t position = 0;
    const auto* end = field.text.data() + field.text.size();
    if (std::from_chars(field.text.data(), end, position).ptr != end) return std::nullopt;
    return rewrite::position_in_text(entry.sent, position, entry.text);
  }
  return std::nullopt;
}

}  // namespace theriac::gateway
