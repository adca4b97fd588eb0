// DDL of an enforce session: what the database is to this session until its transaction has ended
// and everybody sees it, and statements that are settled after they ran (rewrite::FollowedDdl).
//
// A session that changed the schema plans with a catalogue of its own, loaded over its own
// connection in its own transaction, until the shared one was loaded after that transaction's end.
#include <algorithm>

#include "gateway/enforce_session.hpp"
#include "protect/adoption.hpp"
#include "store/pg.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;
using rewrite::Effect;

namespace {

constexpr std::string_view kWhere =
    "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_current_xact_id()";
constexpr std::string_view kAsk = "theriac_ask";
/// Looks at the catalogue before what does not fit together is believed.
constexpr int kLooksMax = 4;

/// BEGIN, COMMIT and the like: no table is named.
bool is_transaction_control(std::string_view sql) {
  if (sql.find(';') < sql.size() - 1) return false;
  std::string word;
  for (const char c : sql) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter) break;
    word.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  constexpr std::array<std::string_view, 8> kWords{"begin",    "start", "commit",    "end",
                                                   "rollback", "abort", "savepoint", "release"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

}  // namespace

std::shared_ptr<const rewrite::Catalogue> EnforceSession::catalogue() const {
  return own_.active && own_.catalogue ? own_.catalogue : database_->catalogue();
}

bool EnforceSession::may_look() const {
  // Without the key the registry cannot be read over this connection.
  return database_->key() != nullptr || !database_->catalogue()->has_protected();
}

void EnforceSession::note_schema(bool followed) {
  if (!may_look()) {
    static_cast<void>(database_->request_reload(followed));
    return;
  }
  own_.active = true;
  own_.changed = true;
  own_.followed = own_.followed || followed;
  own_.stale = std::max(own_.stale, followed ? OwnView::Stale::kAll : OwnView::Stale::kConcerned);
  own_.ticket.reset();
}

void EnforceSession::note_transaction(char status) {
  if (!own_.active) return;
  // A rollback undoes what was seen.
  if (own_.followed && status != 'T') own_.stale = OwnView::Stale::kAll;
  if (status != 'I') return;
  // Before the client hears of the end: who acts upon it finds the request.
  if (own_.changed || !own_.ticket) own_.ticket = database_->request_reload(own_.followed);
  own_.changed = own_.followed = false;
}

bool EnforceSession::catalogue_fresh(std::string_view sql, Io& io) {
  if (skipping_ || transaction_ == 'E' || own_.failed || is_transaction_control(sql)) return true;
  // What another session changed and committed is waited for.
  if (!own_.active) return !database_->is_behind(catalogue()->may_concern(sql), waker_);
  if (!own_.changed && own_.ticket && database_->caught_up(*own_.ticket)) {
    own_ = OwnView{};
    return true;
  }
  if (own_.stale == OwnView::Stale::kNo) return true;
  if (own_.stale == OwnView::Stale::kConcerned && !catalogue()->may_concern(sql)) return true;
  look(io);
  return false;
}

bool EnforceSession::look_for_awaited(const rewrite::Plan& plan, Io& io) {
  // What this transaction has changed it sees already, and nobody else changes it meanwhile.
  const bool seen = own_.active && own_.changed && own_.stale == OwnView::Stale::kNo;
  const bool awaits = std::any_of(
      plan.statements.begin(), plan.statements.end(),
      [&](const auto& one) { return one.awaits && (!seen || one.effect != Effect::kSchema); });
  if (!awaits || looked_ || skipping_ || transaction_ == 'E' || !may_look()) return false;
  looked_ = true;
  own_.active = true;
  if (!own_.changed) own_.ticket = database_->request_reload(false);
  look(io);
  return true;
}

void EnforceSession::ask(std::string_view sql, std::function<void(bool, Io&)> then, Io& io) {
  // One whose answer was an error was never closed.
  pgwire::write_close(io.to_server, {'S', kAsk});
  put_parse(kAsk, sql, {}, io);
  pgwire::write_bind(io.to_server, {.portal = kAsk, .statement = kAsk});
  pgwire::write_execute(io.to_server, {kAsk, 0});
  pgwire::write_close(io.to_server, {'P', kAsk});
  pgwire::write_close(io.to_server, {'S', kAsk});
  pgwire::write_flush(io.to_server);
  expect({.kind = Expecting::kClose, .own = true});
  Expect parsing{.kind = Expecting::kParse, .own = true};
  parsing.name = kAsk;
  parsing.quiet = look_alone_;
  parsing.rewritten = true;
  expect(std::move(parsing));
  Expect binding{.kind = Expecting::kBind, .own = true};
  binding.quiet = look_alone_;
  expect(std::move(binding));
  Expect rows{.kind = Expecting::kExecute, .own = true};
  rows.collect = true;
  rows.rewritten = true;
  rows.quiet = look_alone_;
  expect(std::move(rows));
  expect({.kind = Expecting::kClose, .own = true});
  expect({.kind = Expecting::kClose, .own = true});
  waiting_ = true;
  continuation_ = std::move(then);
}

void EnforceSession::look(Io& io) {
  // Outside a pipeline of the client's the questions are one of our own, with a Sync at its end.
  look_alone_ = look_alone_ || !in_pipeline_;
  const auto key = database_->key();
  const auto begin = [this](std::string registry, Io& now) {
    reading_ = std::make_unique<protect::CatalogueReading>(
        service_.policy(), service_.databases().next_epoch(), std::move(registry));
    look_on(now);
  };
  if (!key) return begin({}, io);
  const auto then = [this, key, begin](bool failed, Io& later) {
    const auto where = failed ? std::nullopt : backend_and_transaction();
    if (!where) return looked(fail(Code::kUpstream, "catalogue"), later);
    begin("SELECT * FROM theriac.registered(E'\\\\x" +
              key->digest(where->first, where->second, "registered", "") + "')",
          later);
  };
  ask(kWhere, then, io);
}

std::optional<EnforceSession::Where> EnforceSession::backend_and_transaction() const {
  if (collected_.size() != 1 || collected_[0].size() != 2 || !collected_[0][0] ||
      !collected_[0][1]) {
    return std::nullopt;
  }
  return Where{std::string(text_of(*collected_[0][0])), std::string(text_of(*collected_[0][1]))};
}

Result<protect::Rows> EnforceSession::collected_rows() const {
  std::vector<protect::Rows::Row> rows;
  rows.reserve(collected_.size());
  for (const auto& row : collected_) {
    auto& made = rows.emplace_back();
    for (const auto& value : row) {
      if (!value) {
        made.emplace_back();
        continue;
      }
      THERIAC_ASSIGN(auto text, collected_text(*value));
      made.emplace_back(std::move(text));
    }
  }
  return protect::Rows(std::move(rows));
}

void EnforceSession::look_on(Io& io) {
  const auto question = reading_->next();
  if (!question) return looked(reading_->finish(), io);
  const auto then = [this](bool failed, Io& later) {
    if (failed || collected_too_many_) return looked(fail(Code::kUpstream, "catalogue"), later);
    auto rows = collected_rows();
    if (!rows) return looked(fail(Code::kUpstream, "catalogue"), later);
    if (const auto taken = reading_->take(std::move(*rows)); !taken) {
      return looked(fail(taken.error()), later);
    }
    look_on(later);
  };
  ask(*question, then, io);
}

void EnforceSession::looked(Result<std::shared_ptr<const rewrite::Catalogue>> found, Io& io) {
  reading_.reset();
  // The questions are not of one moment: what others change between two of them does not fit.
  if (!found && found.error().code != Code::kUpstream && ++looks_ < kLooksMax) return look(io);
  looks_ = 0;
  if (found) {
    own_.catalogue = std::move(*found);
    own_.plans = std::make_unique<PlanCache>(service_.databases().plan_counts());
    own_.stale = OwnView::Stale::kNo;
    own_.failed.reset();
  } else {
    own_.failed = found.error();
  }
  if (!look_alone_) return;
  look_alone_ = false;
  pgwire::write_sync(io.to_server);
  expect({.kind = Expecting::kSync, .own = true});
  waiting_ = true;
  continuation_ = [](bool, Io&) {};
}

std::optional<ErrorReport> EnforceSession::look_failure() {
  if (!own_.failed) return std::nullopt;
  auto report = report_about(*own_.failed, "database " + database_->name());
  if (own_.failed->code == Code::kPolicyInvalid) report.sqlstate = "55000";
  own_.failed.reset();
  own_.stale = OwnView::Stale::kAll;
  return report;
}

std::string EnforceSession::settle_sql(const rewrite::FollowedDdl& follow,
                                       const rewrite::Catalogue& catalogue) const {
  protect::SettleArguments arguments;
  arguments.role = role_;
  arguments.relations = follow.relations;
  arguments.members = follow.members;
  arguments.parents = follow.parents;
  arguments.acts = follow.acts;
  for (const auto& one : service_.policy().columns) {
    const bool wanted =
        follow.every_awaited ||
        std::find(follow.awaited.begin(), follow.awaited.end(), one.table) != follow.awaited.end();
    const bool protects =
        std::any_of(follow.relations.begin(), follow.relations.end(), [&](std::uint32_t oid) {
          const auto* relation = catalogue.find(oid);
          return relation != nullptr && relation->name == one.table;
        });
    if (wanted || protects) arguments.awaited.push_back(&one);
  }
  return protect::settle_json(arguments, service_.policy()).dump();
}

std::string EnforceSession::settle_call(const AdoptionKey& key, const Where& where,
                                        const std::string& arguments) {
  return "SELECT theriac.settle(" + store::pg_quote_literal(arguments) + ", E'\\\\x" +
         key.digest(where.first, where.second, "settle", arguments) + "')";
}

void EnforceSession::run_followed(const std::shared_ptr<const rewrite::Statement>& statement,
                                  const std::function<void(Io&)>& send,
                                  const std::function<void(bool, Io&)>& done, Io& io) {
  const auto key = database_->key();
  if (!key) {
    refuse_extended(report_about(Error{Code::kNotProtected, "provision"}, {}), io);
    return done(true, io);
  }
  if (escape_strings_) {
    // The functions that settle it build statements with backslashes.
    refuse_extended({.sqlstate = "0A000",
                     .message = "theriac: DDL on protected tables is refused while "
                                "standard_conforming_strings is off",
                     .hint = "SET standard_conforming_strings = on"},
                    io);
    return done(true, io);
  }
  if (const auto& denied = ruling(statement, *catalogue()).refused) {
    deny(denied->subject, denied->report);
    refuse_extended(denied->report, io);
    return done(true, io);
  }
  const auto text = settle_sql(*statement->follow, *catalogue());
  ++service_.counters().rewritten;
  held_done_.clear();
  const auto finished = [this, done](bool failed, Io& later) {
    if (!failed) {
      append(later.to_client, held_done_);
      note_schema(true);
    }
    done(failed, later);
  };
  const auto settled = [this, statement, finished](const Where& where, bool failed, Io& later) {
    if (failed || !statement->follow->view) return finished(failed, later);
    form_view(*statement->follow->view, where, finished, later);
  };
  const auto run = [this, key, text, statement, send, settled](const Where& where, Io& later) {
    if (statement->follow->replaced) {
      pgwire::write_message(held_done_, 'C', bytes_of(std::string("ALTER TABLE") + '\0'));
    } else {
      send(later);
    }
    const auto then = [settled, where](bool failed, Io& still_later) {
      settled(where, failed, still_later);
    };
    ask(settle_call(*key, where, text), then, later);
  };
  const auto then = [this, key, statement, done, run](bool failed, Io& later) {
    const auto where = failed ? std::nullopt : backend_and_transaction();
    if (!where) return done(true, later);
    if (statement->follow->before.empty()) return run(*where, later);
    rewrite::FollowedDdl before;
    before.acts = statement->follow->before;
    const auto prepared = [run, done, where = *where](bool refused, Io& still_later) {
      if (refused) return done(true, still_later);
      run(where, still_later);
    };
    ask(settle_call(*key, *where, settle_sql(before, *catalogue())), prepared, later);
  };
  ask(kWhere, then, io);
}

void EnforceSession::follow_execute(const pgwire::Frame& frame,
                                    const std::shared_ptr<Portal>& portal, Io& io) {
  const auto raw = std::make_shared<Bytes>(frame.raw.begin(), frame.raw.end());
  const std::shared_ptr<const rewrite::Statement> statement(portal->prepared->plan,
                                                            &portal->prepared->statement());
  const auto send = [this, raw, portal](Io& later) {
    append(later.to_server, *raw);
    Expect executing{.kind = Expecting::kExecute, .prepared = portal->prepared, .portal = portal};
    executing.hold = true;
    expect(std::move(executing));
  };
  run_followed(statement, send, [](bool, Io&) {}, io);
}

void EnforceSession::follow_in_batch(const rewrite::Statement& statement,
                                     const std::shared_ptr<Prepared>& prepared,
                                     const std::shared_ptr<Portal>& portal, Io& io) {
  const std::shared_ptr<const rewrite::Statement> kept(batch_->plan(), &statement);
  const auto send = [this, kept, prepared, portal](Io& later) {
    put_parse("", kept->text, {}, later);
    expect({.kind = Expecting::kParse, .own = true});
    send_bind("", "", portal, Filled{}, true, later);
    pgwire::write_execute(later.to_server, {"", 0});
    Expect executing{
        .kind = Expecting::kExecute, .simple = true, .prepared = prepared, .portal = portal};
    executing.hold = true;
    expect(std::move(executing));
  };
  const auto done = [this](bool failed, Io&) {
    if (failed) {
      batch_->next = batch_->plan()->statements.size();
    } else {
      batch_->plan_again = true;
    }
  };
  run_followed(kept, send, done, io);
}

bool EnforceSession::plan_rest(Io& io) {
  if (batch_->next >= batch_->plan()->statements.size()) return true;
  if (own_.stale == OwnView::Stale::kAll && !own_.failed) {
    look(io);
    return false;
  }
  const auto stop = [&](ErrorReport report) {
    refuse_extended(std::move(report), io);
    batch_->next = batch_->plan()->statements.size();
    return true;
  };
  if (skipping_) return batch_->next = batch_->plan()->statements.size(), true;
  if (auto failure = look_failure()) return stop(std::move(*failure));
  std::string rest;
  for (auto i = batch_->next; i < batch_->plan()->statements.size(); ++i) {
    rest += batch_->plan()->statements[i].text + ";\n";
  }
  auto plan = plan_of(rest, catalogue());
  if (!plan) return stop(std::move(plan.error()));
  batch_->planned = *plan;
  batch_->catalogue = catalogue();
  batch_->next = 0;
  batch_->plan_again = false;
  batch_->ask_first = true;
  return true;
}

}  // namespace theriac::gateway
