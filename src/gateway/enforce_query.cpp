// The simple Query of an enforce session. A string in which nothing touches protected columns goes
// as it is; any other runs as one extended batch with one Sync, so that its statements stay one
// implicit transaction, and the client sees the answers of a simple Query.
#include <algorithm>

#include "gateway/enforce_session.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;
using rewrite::Action;
using rewrite::Effect;

namespace {
constexpr std::string_view kRefusedQuery = "refused by theriac";

bool executes(const rewrite::Statement& statement) {
  using Kind = rewrite::PreparedUse::Kind;
  return statement.prepared &&
         (statement.prepared->kind == Kind::kExecute || statement.prepared->kind == Kind::kWithin);
}

/// The names in it may mean other tables by then.
ErrorReport behind_a_setting(std::string_view what) {
  return {
      .sqlstate = "0A000",
      .message = fmt::format("theriac: {} is refused behind a statement of the same string that "
                             "may change settings",
                             what),
      .hint = "send it as a statement of its own"};
}

/// BEGIN and the like, which undo nothing. What is not recognised (behind a comment) is not.
bool only_begins(std::string_view sql) {
  constexpr std::array<std::string_view, 4> kWords{"begin", "start", "savepoint", "release"};
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    return std::ranges::equal(sql.substr(0, word.size()), word, [](char c, char wanted) {
      return (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == wanted;
    });
  });
}

bool ends_transaction_before_last(const rewrite::Plan& plan) {
  for (std::size_t i = 0; i + 1 < plan.statements.size(); ++i) {
    const auto& statement = plan.statements[i];
    if (statement.effect == Effect::kTransaction && !only_begins(statement.text)) return true;
  }
  return false;
}

}  // namespace

void EnforceSession::refuse_query(ErrorReport report, Io& io) {
  ++service_.counters().refused;
  pgwire::write_query(io.to_server, kRefusedQuery);
  Expect entry{.kind = Expecting::kQuery};
  entry.refusal = std::move(report);
  expect(std::move(entry));
  in_pipeline_ = false;
}

bool EnforceSession::take_query(const pgwire::Frame& frame, Io& io) {
  const auto sql = pgwire::read_query(frame.body);
  if (!sql) {
    fatal(pgwire::report_of(sql.error()), io);
    return true;
  }
  if (!catalogue_fresh(*sql, io)) return false;
  const auto catalogue = this->catalogue();
  if (!settings_fresh(*sql, *catalogue, io)) return false;
  if (auto failure = planning_failure()) {
    refuse_query(std::move(*failure), io);
    return true;
  }
  auto planned = plan_of(*sql, catalogue);
  if (!planned) {
    refuse_query(std::move(planned.error()), io);
    return true;
  }
  const auto& plan = planned->plan;
  if (settings_in_transaction_ && ends_transaction_before_last(*plan) &&
      catalogue->may_concern(*sql)) {
    refuse_query({.sqlstate = "0A000",
                  .message = "theriac: the end of a transaction with SET before a statement on "
                             "protected columns in one string is refused, since the names after it "
                             "could mean other tables",
                  .hint = "send COMMIT or ROLLBACK as a statement of its own"},
                 io);
    return true;
  }
  if (look_for_awaited(*plan, io)) return false;
  bool touched = false, schema = false, copies_in = false, set = false, behind = false;
  auto effect = Effect::kNone;
  for (const auto& statement : plan->statements) {
    const bool names =
        uses_names(statement) && (plan->statements.size() > 1 || executes(statement));
    touched = touched || statement.action != Action::kForward || cursor_rows(statement) ||
              statement.follow || names;
    copies_in = copies_in || statement.copies_in;
    schema = schema || statement.effect == Effect::kSchema;
    const auto does = effect_of(statement);
    if (does != Effect::kNone && effect != Effect::kSetting) effect = does;
    behind = behind || (set && catalogue->may_concern(statement.text));
    set = set || (executes(statement) && does == Effect::kSetting);
  }
  // A batch has a Sync of its own, which would end what the client's errors make the server skip.
  if (touched && !expects_.empty() && expects_.back().kind != Expecting::kSync) {
    return wait_for_answers(io);
  }
  // A simple Query ends the unnamed statement and portal.
  const auto unnamed = prepared_.find("");
  const auto previous = unnamed == prepared_.end() ? nullptr : unnamed->second;
  prepared_.erase("");
  portals_.erase("");
  if (!touched && behind) {
    refuse_query(behind_a_setting("a statement on protected tables"), io);
    return true;
  }
  if (!touched) {
    ++service_.counters().forwarded;
    append(io.to_server, frame.raw);
    Expect query{.kind = Expecting::kQuery};
    query.effect = effect;
    query.schema = schema;
    for (const auto& statement : plan->statements) note_names(statement, catalogue, query);
    for (const auto& statement : plan->statements) {
      if (auto change = remember_cursor(statement, nullptr)) {
        query.cursors.push_back(std::move(*change));
      }
    }
    query.previous = previous;
    expect(std::move(query));
    for (const auto& statement : plan->statements) note_reading(statement);
    in_pipeline_ = false;
    if (copies_in && !skipping_) {
      copy_in_.emplace();
      copy_in_->query = true;
    }
    return true;
  }
  bool setting_before = false;
  const auto& statements = plan->statements;
  if (std::any_of(statements.begin(), statements.end() - 1,
                  [](const auto& one) { return one.changes_reading; })) {
    refuse_query({.sqlstate = "0A000",
                  .message = "theriac: a statement that may change client_encoding is refused "
                             "before others in one string",
                  .hint = "send it as a statement of its own"},
                 io);
    return true;
  }
  for (const auto& statement : plan->statements) {
    if (setting_before && statement.action != Action::kForward && !statement.only_catalogues) {
      refuse_query({.sqlstate = "0A000",
                    .message = "theriac: SET before a statement on protected columns in one string "
                               "is refused, since the names after it could mean other tables",
                    .hint = "send SET as a statement of its own"},
                   io);
      return true;
    }
    setting_before = setting_before || statement.effect == Effect::kSetting;
    if (statement.action == Action::kRefuse || statement.action == Action::kForward) continue;
    ErrorReport report;
    const auto leave = may_run({plan, &statement}, *catalogue, report);
    if (leave == Leave::kWait) return false;
    if (leave == Leave::kRefused) {
      refuse_query(std::move(report), io);
      return true;
    }
  }
  batch_ = Batch{std::string(*sql), *planned, catalogue};
  return true;
}

void EnforceSession::run_batch(Io& io) {
  for (;;) {
    if (batch_->plan_again && !plan_rest(io)) return;
    const auto plan = batch_->plan();
    if (batch_->next >= plan->statements.size()) break;
    const auto& statement = plan->statements[batch_->next];
    if (batch_->ask_first && statement.action != Action::kRefuse &&
        statement.action != Action::kForward) {
      ErrorReport report;
      const auto leave = may_run({plan, &statement}, *batch_->catalogue, report);
      if (leave == Leave::kWait) {
        waiting_ = true;
        return;
      }
      if (leave == Leave::kRefused) {
        refuse_extended(std::move(report), io);
        break;
      }
    }
    if (executes(statement) && uses_names(statement)) {
      ErrorReport report;
      const auto leave = ready_to_execute(*statement.prepared, report, io);
      if (leave == Leave::kWait) {
        waiting_ = true;
        return;
      }
      if (leave == Leave::kRefused) refuse_extended(std::move(report), io);
      if (leave != Leave::kGo) break;
    }
    ++batch_->next;
    strict_done_ = false;
    if (!run_statement(statement, io)) break;  // refused: the rest of the string does not run
    if (waiting_ || copy_in_) return;
  }
  batch_.reset();
  // Ours; the client has none after a simple Query.
  pgwire::write_close(io.to_server, {'S', ""});
  expect({.kind = Expecting::kClose, .own = true});
  pgwire::write_sync(io.to_server);
  expect({.kind = Expecting::kSync});
  in_pipeline_ = false;
}

bool EnforceSession::run_statement(const rewrite::Statement& statement, Io& io) {
  in_pipeline_ = true;
  if (statement.action == Action::kRefuse) {
    const auto report = report_of_refusal(*statement.refusal);
    service_.statements().refused(statement.refusal->construct);
    deny(statement.refusal->column, report);
    refuse_extended(report, io);
    return false;
  }
  if (statement.client_parameters > 0) {
    refuse_extended({.sqlstate = "42P02", .message = "a simple query has no parameters"}, io);
    return false;
  }
  if (batch_->setting && batch_->catalogue->may_concern(statement.text)) {
    refuse_extended(behind_a_setting("a statement on protected tables"), io);
    return false;
  }
  if (statement.action == Action::kPrepare) {
    const auto done = [this](bool failed, Io&) {
      if (failed) batch_->next = batch_->plan()->statements.size();
    };
    prepare_name(*statement.prepared, done, io);
    return true;
  }
  if (executes(statement)) {
    const auto at = prepared_.find(statement.prepared->name);
    if (at != prepared_.end() && at->second->touched()) {
      if (!batch_->setting) return execute_in_batch(*statement.prepared, io);
      refuse_extended(behind_a_setting("EXECUTE on protected columns"), io);
      return false;
    }
  }
  batch_->setting = batch_->setting || effect_of(statement) == Effect::kSetting;
  auto prepared = std::make_shared<Prepared>();
  prepared->plan = batch_->plan();
  prepared->literals = batch_->planned.literals;
  prepared->catalogue = batch_->catalogue;
  auto portal = std::make_shared<Portal>();
  portal->prepared = prepared;
  portal->statement = {batch_->plan(), &statement};
  if (statement.gather) {
    gather_in_batch(prepared, portal, nullptr, {}, io);
    return true;
  }
  if (statement.follow) {
    follow_in_batch(statement, prepared, portal, io);
    return true;
  }
  const bool forward = statement.action == Action::kForward;
  const auto filled = forward ? Refusable<Filled>(Filled{})
                              : fill(statement.slots, *batch_->catalogue,
                                     {nullptr, nullptr, prepared->literals.get()}, settings_,
                                     *ciphers_, service_.random());
  if (!filled) {
    refuse_extended(filled.error(), io);
    return false;
  }
  std::string copy_text;
  if (forward) {
    portal->rows = cursor_rows(statement);
    portal->cursor = remember_cursor(statement, nullptr);
  } else if (statement.copy) {
    auto sql = copy_sql(statement, *filled);
    auto ready = sql ? Refusable<void>() : refuse(sql.error());
    if (ready && !statement.copies_in) ready = begin_copy_out(*portal, batch_->catalogue, *filled);
    if (!ready) {
      refuse_extended(ready.error(), io);
      return false;
    }
    copy_text = std::move(*sql);
  } else {
    auto rows = rows_of(portal->statement, batch_->catalogue, &*filled);
    if (!rows) {
      refuse_extended(rows.error(), io);
      return false;
    }
    portal->rows = *rows;
    portal->cursor = remember_cursor(statement, *rows);
  }
  portal->sealed = filled->sealed;
  if (statement.copies_in) {
    if (auto ready = begin_copy_in(portal, batch_->catalogue); !ready) {
      refuse_extended(ready.error(), io);
      return false;
    }
  }
  const auto types = statement.copy ? std::vector<std::uint32_t>() : server_types(statement, {});
  const auto text = forward          ? statement.text
                    : statement.copy ? copy_text
                                     : sent_text(statement, *prepared);
  put_parse("", text, types, io);
  Expect parsing{.kind = Expecting::kParse, .own = true};
  parsing.rewritten = !forward;
  // Positions are counted in the whole string; with escape strings it is not the client's.
  if (!forward && batch_->plan()->statements.size() == 1 && !escape_strings_) {
    parsing.sent = text;
    parsing.text = batch_->sql;
  }
  expect(std::move(parsing));
  ++(forward ? service_.counters().forwarded : service_.counters().rewritten);
  if (!forward) service_.statements().rewritten(statement.tag);
  const Filled none;
  bind_statement(prepared, portal, statement.copy ? none : *filled, io);
  if (statement.copies_in) pgwire::write_flush(io.to_server);
  return true;
}

bool EnforceSession::run_bound(const std::shared_ptr<Portal>& portal,
                               const std::shared_ptr<const Bound>& bound, const std::string& name,
                               Io& io) {
  const auto& prepared = portal->prepared;
  const auto& statement = *portal->statement;
  if (statement.gather) {
    gather_in_batch(prepared, portal, bound, name, io);
    return true;
  }
  const ClientValues values{&bound->bind, &prepared->declared, prepared->literals.get()};
  const auto filled =
      fill(statement.slots, *prepared->catalogue, values, settings_, *ciphers_, service_.random());
  auto rows =
      filled ? rows_of(portal->statement, prepared->catalogue, &*filled) : refuse(filled.error());
  if (!rows) {
    refuse_extended(rows.error(), io);
    return false;
  }
  portal->rows = *rows;
  portal->sealed = filled->sealed;
  ++service_.counters().rewritten;
  service_.statements().rewritten(statement.tag);
  bind_statement(prepared, portal, *filled, io, name);
  return true;
}

void EnforceSession::bind_statement(const std::shared_ptr<Prepared>& prepared,
                                    const std::shared_ptr<Portal>& portal, const Filled& filled,
                                    Io& io, std::string_view name) {
  const bool rewritten = portal->statement->action != Action::kForward;
  send_bind("", name, portal, filled, true, io);
  pgwire::write_describe(io.to_server, {'P', ""});
  Expect describing{.kind = Expecting::kDescribePortal, .simple = true, .portal = portal};
  describing.rewritten = rewritten;
  expect(std::move(describing));
  pgwire::write_execute(io.to_server, {"", 0});
  Expect executing{
      .kind = Expecting::kExecute, .simple = true, .prepared = prepared, .portal = portal};
  executing.effect = effect_of(*portal->statement);
  executing.rewritten = rewritten;
  if (!rewritten) note_names(*portal->statement, prepared->catalogue, executing);
  expect(std::move(executing));
  note_reading(*portal->statement);
  if (portal->statement->copies_in) return;
  // The portal of a simple Query ends with it; left open, its tables could not be altered.
  pgwire::write_close(io.to_server, {'P', ""});
  expect({.kind = Expecting::kClose, .own = true});
}

void EnforceSession::gather_in_batch(const std::shared_ptr<Prepared>& prepared,
                                     const std::shared_ptr<Portal>& portal,
                                     const std::shared_ptr<const Bound>& bound,
                                     const std::string& name, Io& io) {
  const auto& statement = *portal->statement;
  const auto& gather = *statement.gather;
  const auto catalogue = prepared->catalogue;
  const auto values_of = [](const Prepared& one, const Bound* given) {
    return ClientValues{given != nullptr ? &given->bind : nullptr,
                        given != nullptr ? &one.declared : nullptr, one.literals.get()};
  };
  const auto located = fill(gather.slots, *catalogue, values_of(*prepared, bound.get()), settings_,
                            *ciphers_, service_.random());
  if (!located) {
    refuse_extended(located.error(), io);
    batch_->next = batch_->plan()->statements.size();
    return;
  }
  const auto parse_unnamed = [this, bound](const std::string& sql,
                                           const std::vector<std::uint32_t>& types, Io& now) {
    if (bound) return;  // the server knows the statement by a name
    put_parse("", sql, types, now);
    Expect parsing{.kind = Expecting::kParse, .own = true};
    parsing.rewritten = true;
    expect(std::move(parsing));
  };
  parse_unnamed(rewrite::text_with(gather.sql, gather.holes, prepared->literals.get()),
                server_types(gather.slots, {}), io);
  auto asking = std::make_shared<Portal>();
  asking->result_formats = {1};
  send_bind("", bound ? prepared->gather_name : std::string(), asking, *located, true, io);
  pgwire::write_execute(io.to_server, {"", 0});
  Expect rows{.kind = Expecting::kExecute, .own = true};
  rows.collect = true;
  rows.rewritten = true;
  expect(std::move(rows));
  pgwire::write_flush(io.to_server);
  waiting_ = true;
  continuation_ = [this, prepared, portal, catalogue, bound, name, values_of, parse_unnamed](
                      bool failed, Io& later) {
    const auto stop = [this] { batch_->next = batch_->plan()->statements.size(); };
    if (failed) return stop();
    const auto& done = *portal->statement;
    auto filled = fill_gathered(done, *catalogue, values_of(*prepared, bound.get()));
    auto map = filled ? rows_of(portal->statement, catalogue, &*filled) : refuse(filled.error());
    if (!map) {
      refuse_extended(map.error(), later);
      return stop();
    }
    portal->rows = *map;
    portal->sealed = filled->sealed;
    parse_unnamed(sent_text(done, *prepared), server_types(done, {}), later);
    ++service_.counters().rewritten;
    service_.statements().rewritten(done.tag);
    bind_statement(prepared, portal, *filled, later, name);
  };
}

}  // namespace theriac::gateway
