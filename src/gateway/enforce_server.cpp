// Server messages of an enforce session.
#include <algorithm>

#include "gateway/enforce_scrub.hpp"
#include "gateway/enforce_session.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;
using rewrite::Effect;

void EnforceSession::from_server(ByteView bytes, Io& io) {
  if (phase_ == Phase::kEnded) return;
  append(server_in_, bytes);
  std::size_t done = 0;
  while (phase_ != Phase::kEnded) {
    const auto frame =
        pgwire::cut_message(ByteView(server_in_).subspan(done), pgwire::kMessageBytesMax);
    if (!frame) {
      fatal(pgwire::report_of(Error{Code::kProtocol, "server message"}), io);
      break;
    }
    if (!*frame) break;
    if (phase_ == Phase::kSignIn) {
      on_sign_in(**frame, io);
    } else {
      on_server(**frame, io);
    }
    done += (*frame)->raw.size();
  }
  server_in_.erase(server_in_.begin(), server_in_.begin() + static_cast<std::ptrdiff_t>(done));
  if (waiting_for_answers_ && expects_.empty()) waiting_ = waiting_for_answers_ = false;
  if (!waiting_) pump(io);
}

void EnforceSession::on_sign_in(const pgwire::Frame& frame, Io& io) {
  switch (frame.tag) {
    case 'S':
      on_parameter_status(frame, io);
      if (phase_ != Phase::kEnded) append(io.to_client, frame.raw);
      return;
    case 'E':
    case 'N':
      tell_scrubbed(frame, false, io);
      return;
    case 'Z':
      break;
    default:
      append(io.to_client, frame.raw);
      return;
  }
  if (superuser_) {
    deny("superuser session", {.sqlstate = "28000"});
    fatal({.sqlstate = "28000",
           .message = "theriac: superusers are refused here: no right on a protected column would "
                      "hold them",
           .hint = "sign in as an ordinary role, or connect to the database itself for "
                   "administration"},
          io);
    return;
  }
  held_ready_.assign(frame.raw.begin(), frame.raw.end());
  phase_ = Phase::kSettling;
  settings_stale_ = true;
  pgwire::write_query(io.to_server, kAskSettings);
  Expect rows{.kind = Expecting::kQuery, .own = true};
  rows.collect = true;
  expect(std::move(rows));
  continuation_ = [this](bool failed, Io& later) {
    after_settings(failed, later);
    settled_ = true;
    finish_sign_in(later);
  };
}

void EnforceSession::finish_sign_in(Io& io) {
  if (!settled_) return;
  switch (database_->state()) {
    case Database::State::kLoading:
      return;
    case Database::State::kFailed: {
      const auto error = database_->error();
      auto report = report_about(error, "database " + database_->name());
      report.sqlstate = "57P03";
      if (error.code == Code::kPolicyInvalid || error.code == Code::kNotProtected) {
        report.hint = "protect it first: theriac protect --database ...";
      }
      deny("database", report);
      return fatal(report, io);
    }
    case Database::State::kReady:
      break;
  }
  append(io.to_client, held_ready_);
  phase_ = Phase::kReady;
}

void EnforceSession::on_server(const pgwire::Frame& frame, Io& io) {
  switch (frame.tag) {
    case 'N':
      tell_scrubbed(frame, !expects_.empty() && expects_.front().rewritten, io);
      return;
    case 'S':
      on_parameter_status(frame, io);
      if (phase_ != Phase::kEnded) append(io.to_client, frame.raw);
      return;
    case 'A':
      append(io.to_client, frame.raw);
      return;
    case 'E':
      return on_error(frame, io);
    case 'Z':
      return on_ready(frame, io);
    default:
      break;
  }
  if (expects_.empty()) {
    fatal(pgwire::report_of(Error{Code::kProtocol, "server spoke unasked"}), io);
    return;
  }
  switch (frame.tag) {
    case '1':
      return pop_simple_response(frame, Expecting::kParse, io);
    case '2':
      return pop_simple_response(frame, Expecting::kBind, io);
    case '3':
      return pop_simple_response(frame, Expecting::kClose, io);
    case 'V':
      if (!poisoned_) append(io.to_client, frame.raw);
      return;  // ReadyForQuery follows and ends it
    case 't':
      return on_parameter_types(frame, io);
    case 'T':
    case 'n':
      return on_fields(frame, io);
    case 'D':
      return on_row(frame, io);
    case 'C':
    case 'I':
    case 's':
      return on_done(frame, io);
    case 'G':
      return on_copy_in(frame, io);
    case 'H':
    case 'd':
    case 'c':
      return on_copy_out(frame, io);
    default:
      fatal(pgwire::report_of(Error{Code::kProtocol, "server message type"}), io);
  }
}

void EnforceSession::pop_simple_response(const pgwire::Frame& frame, Expecting kind, Io& io) {
  const auto front = std::move(expects_.front());
  if (front.kind != kind || front.refusal) {
    // Also if a statement made to fail did not: nothing may go on from there.
    fatal(pgwire::report_of(Error{Code::kProtocol, "order of server messages"}), io);
    return;
  }
  expects_.pop_front();
  if (!front.own && !poisoned_) append(io.to_client, frame.raw);
}

void EnforceSession::on_parameter_types(const pgwire::Frame& frame, Io& io) {
  const auto& front = expects_.front();
  if (front.kind != Expecting::kDescribeStatement) {
    fatal(pgwire::report_of(Error{Code::kProtocol, "order of server messages"}), io);
    return;
  }
  const auto prepared = front.prepared;
  if (!prepared || !prepared->touched()) {
    if (!front.own && !poisoned_) append(io.to_client, frame.raw);
    return;
  }
  auto types = pgwire::read_parameter_description(frame.body);
  if (!types) {
    fatal(pgwire::report_of(types.error()), io);
    return;
  }
  (front.locating ? prepared->gather_types : prepared->server_types) = std::move(*types);
  if (front.locating) return;
  const auto& statement = prepared->statement();
  std::vector<std::uint32_t> shown(statement.client_parameters, pgwire::kOidText);
  const auto note = [&](const rewrite::ValueSource& source, std::uint32_t oid) {
    const auto* parameter = std::get_if<rewrite::ClientParameter>(&source);
    if (parameter == nullptr || parameter->number > shown.size()) return;
    const std::size_t index = parameter->number - 1U;
    const bool declared = index < prepared->declared.size() && prepared->declared[index] != 0;
    shown[index] = declared ? prepared->declared[index] : oid;
  };
  const auto note_all = [&](const std::vector<rewrite::Slot>& slots,
                            const std::vector<std::uint32_t>& server) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto& slot = slots[i];
      if (slot.fill == rewrite::Slot::Fill::kPass) {
        if (i < server.size()) note(slot.source, server[i]);
      } else if (const auto column =
                     column_of(*prepared->catalogue, slot.relation_oid, slot.attribute)) {
        const auto& type = column->column->type;
        if (slot.fill == rewrite::Slot::Fill::kCompareList) {
          const bool text = type.oid == pgwire::kOidVarchar;
          note(slot.source, pgwire::builtin_array_of(text ? pgwire::kOidText : type.oid));
          continue;
        }
        // `=` of varchar is text's.
        const bool compare = slot.fill == rewrite::Slot::Fill::kCompare;
        const bool text = slot.index > 0 || type.oid == pgwire::kOidVarchar;
        note(slot.source, compare && text ? pgwire::kOidText
                          : compare       ? type.oid
                                          : type.declared_oid());
      }
    }
  };
  note_all(statement.slots, prepared->server_types);
  if (statement.gather) {
    note_all(statement.gather->slots, prepared->gather_types);
    for (const auto& array : statement.gather->arrays) {
      const auto* source = std::get_if<rewrite::ValueSource>(&array.source);
      if (source == nullptr) continue;
      if (const auto column =
              column_of(*prepared->catalogue, array.relation_oid, array.attribute)) {
        note(*source, column->column->type.declared_oid());
      }
    }
  }
  prepared->client_types = shown;
  prepared->described = true;
  if (front.own || poisoned_) return;
  if (prepared->arguments) shown.clear();
  pgwire::write_parameter_description(io.to_client, shown);
}

void EnforceSession::described(const Expect& entry, Io& io) {
  note_verified(entry);
  if (!entry.says.empty() && !poisoned_) {
    // A CommandComplete is its tag and a zero byte.
    pgwire::write_message(io.to_client, 'C', view_of({entry.says.c_str(), entry.says.size() + 1}));
  }
  if (entry.collect) finish_collected(false, io);
}

void EnforceSession::note_verified(const Expect& entry) {
  if (entry.kind == Expecting::kDescribeStatement && entry.prepared && entry.prepared->verified) {
    entry.prepared->verified->store(true);
  }
}

void EnforceSession::on_fields(const pgwire::Frame& frame, Io& io) {
  auto& front = expects_.front();
  const bool query = front.kind == Expecting::kQuery;
  const bool own = front.own;
  const bool hide = own || poisoned_;
  if (!query && front.kind != Expecting::kDescribeStatement &&
      front.kind != Expecting::kDescribePortal) {
    fatal(pgwire::report_of(Error{Code::kProtocol, "order of server messages"}), io);
    return;
  }
  Expect kept;
  if (!query) {
    kept = std::move(front);
    expects_.pop_front();
  }
  const auto& entry = query ? front : kept;
  if (entry.locating) return;
  if (frame.tag == 'n') {
    described(entry, io);
    if (!hide && !entry.simple) append(io.to_client, frame.raw);
    return;
  }
  // Which rules apply: the portal's, or (statement) the outputs alone.
  auto rows = entry.portal ? entry.portal->rows : nullptr;
  const bool touched = entry.prepared && entry.prepared->touched();
  if (!rows && touched) {
    if (auto made =
            rows_of(entry.prepared->shared_statement(), entry.prepared->catalogue, nullptr)) {
      rows = *made;
    }
  }
  // FETCH is not rewritten: what it gives is the cursor's.
  if (!rows && entry.kind == Expecting::kDescribeStatement && entry.prepared &&
      !entry.prepared->plan->statements.empty()) {
    rows = cursor_rows(entry.prepared->statement());
  }
  const bool opens = touched || rows != nullptr;
  if (!rows) {
    // Not analysed as touching anything: a helper in its result would be a hole, so look.
    rows = std::make_shared<RowMap>(catalogue(), std::vector<OutputRule>{});
  }
  fields_.clear();
  const auto shown = rows->describe(
      frame.body, entry.portal ? entry.portal->result_formats : std::vector<std::int16_t>{},
      fields_);
  if (!shown && shown.error().code == Code::kUnsupported) {
    deny("result description", pgwire::report_of(shown.error()));
    poison(pgwire::report_of(shown.error()), io);
    return;
  }
  if (!shown) {
    fatal(pgwire::report_of(shown.error()), io);
    return;
  }
  if (query) {
    note_verified(entry);
  } else {
    described(entry, io);
  }
  if (!hide) append(io.to_client, opens ? ByteView(fields_) : frame.raw);
}

void EnforceSession::on_row(const pgwire::Frame& frame, Io& io) {
  auto& front = expects_.front();
  if (front.kind != Expecting::kExecute && front.kind != Expecting::kQuery) {
    fatal(pgwire::report_of(Error{Code::kProtocol, "order of server messages"}), io);
    return;
  }
  if (front.collect) {
    std::vector<pgwire::DataColumn> columns;
    if (!pgwire::read_data_row(frame.body, columns) || collected_.size() >= kLocatedRowsMax) {
      collected_too_many_ = true;
      return;
    }
    auto& row = collected_.emplace_back();
    for (const auto& column : columns) {
      if (column.is_null) {
        row.emplace_back();
      } else {
        row.emplace_back(Bytes(column.value.begin(), column.value.end()));
      }
    }
    return;
  }
  if (poisoned_ || front.own) return;
  if (!front.portal || !front.portal->rows) {
    append(io.to_client, frame.raw);
    return;
  }
  const auto& statement = front.portal->statement;
  const std::size_t columns = frame.body.size() < 2 ? 0 : frame.body[0] * 256U + frame.body[1];
  if (statement && statement->result_columns > 0 && statement->result_columns != columns) {
    poison(pgwire::report_of(Error{Code::kUnsupported, "result columns"}), io);
    return;
  }
  const auto before = io.to_client.size();
  const auto shown = front.portal->rows->row(frame.body, front.portal->result_formats,
                                             front.portal->server_formats, settings_, *ciphers_,
                                             io.to_client, front.opened);
  if (shown) return;
  io.to_client.resize(before);
  auto report = pgwire::report_of(shown.error());
  if (shown.error().code == Code::kBadEncoding) report.sqlstate = "22P05";
  deny(shown.error().where, report);
  poison(report, io);
}

void EnforceSession::poison(const ErrorReport& report, Io& io) {
  if (poisoned_) return;
  poisoned_ = true;
  tell(report, io);
}

void EnforceSession::on_done(const pgwire::Frame& frame, Io& io) {
  auto& front = expects_.front();
  const bool query = front.kind == Expecting::kQuery;
  if (!query && front.kind != Expecting::kExecute) {
    fatal(pgwire::report_of(Error{Code::kProtocol, "order of server messages"}), io);
    return;
  }
  if (front.effect == Effect::kSetting) {
    settings_stale_ = true;
    settings_in_transaction_ = true;
  }
  if (front.effect == Effect::kTransaction) {
    // The end of a transaction or of a savepoint undoes what was SET in it.
    settings_stale_ = settings_stale_ || settings_in_transaction_;
    // It has not failed any more; the next ReadyForQuery says what it is.
    if (transaction_ == 'E') transaction_ = 'T';
  }
  if (front.effect == Effect::kSchema || front.schema) note_schema(false);
  // A savepoint rolled back to may have undone what was seen.
  if ((front.effect == Effect::kTransaction || front.schema) && own_.followed) {
    own_.stale = OwnView::Stale::kAll;
  }
  Expect kept;
  if (!query) {
    kept = std::move(front);
    expects_.pop_front();
  }
  const auto& entry = query ? front : kept;
  if (expects_.empty()) copy_in_done(entry.portal.get());
  if (entry.portal) entry.portal->cursor.reset();
  if (entry.hold) {
    held_done_.assign(frame.raw.begin(), frame.raw.end());
    return;
  }
  if (!entry.own && !poisoned_) {
    if (entry.portal && entry.portal->statement && !entry.portal->statement->complete_as.empty()) {
      // A CommandComplete is its tag and a zero byte.
      const auto& tag = entry.portal->statement->complete_as;
      pgwire::write_message(io.to_client, 'C', view_of({tag.c_str(), tag.size() + 1}));
    } else {
      append(io.to_client, frame.raw);
    }
  }
  if (entry.portal && entry.rewritten) {
    count_statement(*entry.portal, entry.opened, io);
    entry.portal->sealed = 0;  // a portal fetched from again seals nothing again
  }
  if (entry.collect && !query) finish_collected(false, io);
}

void EnforceSession::finish_collected(bool failed, Io& io) {
  if (!continuation_) return;
  waiting_ = false;
  auto go_on = std::move(continuation_);
  continuation_ = nullptr;
  go_on(failed, io);
  collected_.clear();
  collected_too_many_ = false;
}

void EnforceSession::undo_parse(const Expect& entry) {
  if (entry.name.starts_with("theriac_")) return;
  const auto at = prepared_.find(entry.name);
  const auto now = at == prepared_.end() ? nullptr : at->second;
  if (now != entry.prepared) {
    // Behind the next Sync the client has parsed the name anew.
    for (auto& later : expects_) {
      if (later.kind != Expecting::kParse || later.name != entry.name) continue;
      if (later.previous == entry.prepared) later.previous = entry.previous;
      return;
    }
    return;
  }
  if (entry.previous) {
    prepared_[entry.name] = entry.previous;
  } else if (now) {
    prepared_.erase(at);
  }
}

void EnforceSession::drop_until_sync(Io& io) {
  // The server skips to the next Sync: what was sent before it is never answered.
  std::vector<Expect> dropped;
  while (!expects_.empty() && expects_.front().kind != Expecting::kSync) {
    dropped.push_back(std::move(expects_.front()));
    expects_.pop_front();
  }
  skipping_ = expects_.empty();
  bool collecting = false;
  for (auto at = dropped.rbegin(); at != dropped.rend(); ++at) {
    const bool changed = at->kind == Expecting::kParse || at->kind == Expecting::kClose ||
                         at->kind == Expecting::kQuery;
    if (changed) undo_parse(*at);
    undo_names(*at);
    if (at->portal && at->portal->cursor) {
      undo_cursor(*at->portal->cursor);
      at->portal->cursor.reset();
    }
    collecting = collecting || at->collect;
  }
  if (collecting) finish_collected(true, io);
}

void EnforceSession::on_error(const pgwire::Frame& frame, Io& io) {
  const auto show = [&](const Expect* entry) {
    if (poisoned_ || (entry != nullptr && (entry->abort_after || entry->quiet))) return;
    if (entry != nullptr && entry->own && entry->kind == Expecting::kQuery) return;
    if (const auto* failure = copy_failure(frame)) {
      tell(*failure, io);
      return;
    }
    if (entry != nullptr && entry->refusal) {
      tell(*entry->refusal, io);
      return;
    }
    if (entry != nullptr && entry->portal && entry->portal->statement &&
        meets_new_row(*entry->portal->statement, frame.body)) {
      tell(kRowAppeared, io);
      return;
    }
    const auto position = entry != nullptr ? client_position(frame, *entry) : std::nullopt;
    tell_scrubbed(frame, entry != nullptr && entry->rewritten, io, position);
  };
  if (expects_.empty()) {
    // Unasked: the server ends the session (57P01 and the like).
    show(nullptr);
    return;
  }
  auto& front = expects_.front();
  show(&front);
  switch (front.kind) {
    case Expecting::kQuery:
      std::for_each(front.cursors.rbegin(), front.cursors.rend(),
                    [&](const CursorChange& change) { undo_cursor(change); });
      front.cursors.clear();
      if (front.collect) {
        collected_.clear();
        collected_too_many_ = true;
      }
      undo_names(front);
      front.undo.clear();
      if (expects_.size() == 1) copy_in_failed();
      return;  // ReadyForQuery follows
    case Expecting::kFunction:
    case Expecting::kSync:
      return;
    default:
      break;
  }
  // A failed Parse of the unnamed statement has already dropped the old one.
  if (front.kind == Expecting::kParse && front.name.empty()) front.previous = nullptr;
  drop_until_sync(io);
  // A COPY is the last that was sent: if nothing is left it was among what the server skips.
  if (expects_.empty()) copy_in_failed();
}

void EnforceSession::on_ready(const pgwire::Frame& frame, Io& io) {
  const char status = frame.body.size() == 1 ? static_cast<char>(frame.body[0]) : 'I';
  if (expects_.empty() ||
      (expects_.front().kind != Expecting::kSync && expects_.front().kind != Expecting::kQuery &&
       expects_.front().kind != Expecting::kFunction)) {
    fatal(pgwire::report_of(Error{Code::kProtocol, "order of server messages"}), io);
    return;
  }
  const auto entry = std::move(expects_.front());
  expects_.pop_front();
  if (expects_.empty()) copy_in_.reset();
  skipping_ = false;
  if (expects_.empty()) {
    // What changed was reported before this.
    reading_stale_ = false;
    if (status == 'I') reading_in_transaction_ = false;
  }
  transaction_ = status;
  if (entry.kind == Expecting::kSync && entry.own) {
    finish_collected(false, io);
    return;
  }
  note_transaction(status);
  if (status == 'I' && expects_.empty()) forget_cursors();
  // The function may have been set_config.
  if (entry.kind == Expecting::kFunction) settings_stale_ = settings_in_transaction_ = true;
  if (status == 'I') {
    portals_.clear();
    // SET in a transaction that rolled back, and SET LOCAL, are undone now.
    if (settings_in_transaction_) settings_stale_ = true;
    settings_in_transaction_ = false;
  }
  if (entry.collect) {
    finish_collected(collected_too_many_, io);
    return;
  }
  if (poisoned_) {
    poisoned_ = false;
    if (status == 'T') {
      // The client was told of an error: its transaction must fail here too. What it already sent
      // after the failed part would still run, so then only the end of the session is safe.
      if (!expects_.empty()) {
        fatal(pgwire::report_of(Error{Code::kNotAuthentic, "in a pipelined transaction"}), io);
        return;
      }
      pgwire::write_query(io.to_server, "refused by theriac");
      Expect aborting{.kind = Expecting::kQuery};
      aborting.abort_after = true;
      expects_.push_back(std::move(aborting));
      return;
    }
  }
  append(io.to_client, frame.raw);
}

void EnforceSession::client_closed(Io& io) {
  close_grants();
  io.finished = true;
  phase_ = Phase::kEnded;
}

void EnforceSession::server_closed(Io& io) {
  close_grants();
  io.finished = true;
  phase_ = Phase::kEnded;
}

}  // namespace theriac::gateway
