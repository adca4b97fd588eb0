// What a statement needs before it may run: plan, true settings, a policy decision, keys, and a
// session grant that is durable before the first plaintext (architecture section 6).
#include <algorithm>

#include "gateway/enforce_session.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;

namespace {

/// The tables whose protected columns come out: "public.people,public.calls".
std::string tables_of(const RowMap& rows) {
  std::set<std::string> names;
  for (const auto& rule : rows.rules()) {
    for (const auto& [column, decision, with_row_id] : rule.origins) {
      names.insert(column.relation->schema + "." + column.relation->name);
    }
  }
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

}  // namespace

Refusable<Planned> EnforceSession::plan_of(
    std::string_view sql, const std::shared_ptr<const rewrite::Catalogue>& catalogue) {
  const auto& known = service_.known();
  if (known && catalogue->may_concern(sql) && !known->knows(sql)) {
    service_.statements().refused("a statement that is not known");
    ErrorReport report{
        .sqlstate = "0A000",
        .message = "theriac: a statement that is not known is refused in strict mode",
        .hint = "have it added to the gateway's file of known statements"};
    deny("unknown statement", report);
    return refuse(std::move(report));
  }
  return plan_known(sql, catalogue);
}

Refusable<Planned> EnforceSession::plan_known(
    std::string_view sql, const std::shared_ptr<const rewrite::Catalogue>& catalogue) {
  auto& plans = own_.active && own_.catalogue ? *own_.plans : database_->plans();
  auto plan = plans.plan(sql, catalogue, context());
  if (plan) {
    if (auto good = can_be_sent(*plan); !good) return refuse(std::move(good.error()));
    return *plan;
  }
  // SQL that does not parse is answered here, never forwarded.
  return refuse(pgwire::report_of(plan.error()));
}

bool EnforceSession::settings_fresh(std::string_view sql, const rewrite::Catalogue& catalogue,
                                    Io& io) {
  settings_unsure_ = settings_unsure_ && !expects_.empty();
  if ((!settings_stale_ && !settings_unsure_) || skipping_) return true;
  if (!catalogue.may_concern(sql) && !catalogue.may_read_overlaid(sql, true)) return true;
  // The names in `sql` mean what search_path and role say when it runs: what was sent before it may
  // still change them.
  if (settings_unsure_) return wait_for_answers(io);
  if (transaction_ == 'E') {
    settings_unknown_ = true;
    return true;
  }
  ask_settings(io);
  return false;
}

void EnforceSession::ask_settings(Io& io) {
  if (in_pipeline_) {
    pgwire::write_parse(io.to_server, "theriac_settings", kAskSettings, {});
    pgwire::write_bind(io.to_server,
                       {.portal = "theriac_settings", .statement = "theriac_settings"});
    pgwire::write_execute(io.to_server, {"theriac_settings", 0});
    pgwire::write_close(io.to_server, {'P', "theriac_settings"});
    pgwire::write_close(io.to_server, {'S', "theriac_settings"});
    pgwire::write_flush(io.to_server);
    Expect parsing{.kind = Expecting::kParse, .own = true};
    parsing.name = "theriac_settings";
    expect(std::move(parsing));
    expect({.kind = Expecting::kBind, .own = true});
    Expect rows{.kind = Expecting::kExecute, .own = true};
    rows.collect = true;
    expect(std::move(rows));
    expect({.kind = Expecting::kClose, .own = true});
    expect({.kind = Expecting::kClose, .own = true});
  } else {
    pgwire::write_query(io.to_server, kAskSettings);
    Expect rows{.kind = Expecting::kQuery, .own = true};
    rows.collect = true;
    expect(std::move(rows));
  }
  waiting_ = true;
  continuation_ = [this](bool failed, Io& later) { after_settings(failed, later); };
}

bool EnforceSession::wait_for_answers(Io& io) {
  pgwire::write_flush(io.to_server);
  waiting_for_answers_ = true;
  return false;
}

std::optional<ErrorReport> EnforceSession::planning_failure() {
  if (std::exchange(settings_unknown_, false)) {
    return ErrorReport{.sqlstate = "25P02",
                       .message =
                           "current transaction is aborted, commands ignored until end of "
                           "transaction block"};
  }
  return look_failure();
}

void EnforceSession::after_settings(bool failed, Io& io) {
  // What the server does not report by itself, or only when it is ready.
  constexpr std::array<std::string_view, 5> kPrinting{"bytea_output", "extra_float_digits",
                                                      "DateStyle", "TimeZone", "IntervalStyle"};
  constexpr std::size_t kFirst = 4, kAnswers = kFirst + kPrinting.size();
  if (failed || collected_.size() != 1 || collected_[0].size() != 1 || !collected_[0][0]) {
    return;  // stays stale: what concerns protected tables asks again
  }
  const auto digits = from_hex(text_of(*collected_[0][0]));
  const auto answer = digits ? codec::parse_json(text_of(*digits)) : fail(digits.error());
  if (!answer || !answer->is_array() || answer->size() != kAnswers || !answer->at(0).is_array()) {
    return;
  }
  for (std::size_t i = 1; i < kAnswers; ++i) {
    if (!answer->at(i).is_string()) return;
  }
  for (std::size_t i = 0; i < kPrinting.size(); ++i) {
    auto changed =
        pgwire::with_setting(settings_, kPrinting[i], answer->at(kFirst + i).get<std::string>());
    if (changed) settings_ = std::move(*changed);
  }
  if (auto good = set_encoding(answer->at(2).get<std::string>()); !good) {
    fatal(pgwire::report_of(good.error()), io);
    return;
  }
  escape_strings_ = answer->at(3).get<std::string>() == "off";
  reading_stale_ = false;
  search_path_.clear();
  search_path_key_.clear();
  for (const auto& schema : answer->at(0)) {
    if (!schema.is_string()) return;
    search_path_.push_back(schema.get<std::string>());
    search_path_key_.append(search_path_.back()).push_back('\0');
  }
  role_ = answer->at(1).get<std::string>();
  settings_stale_ = false;
}

EnforceSession::Leave EnforceSession::may_run(const SharedStatement& statement,
                                              const rewrite::Catalogue& catalogue,
                                              ErrorReport& report) {
  const auto& settled = ruling(statement, catalogue);
  if (settled.refused) {
    report = settled.refused->report;
    deny(settled.refused->subject, report);
    return Leave::kRefused;
  }
  for (const auto& used : settled.classes) {
    if (const auto usable = ciphers_->check(used.name, !used.writes); !usable) {
      report = report_about(usable.error(), "class " + used.name);
      deny("class " + used.name, report);
      return Leave::kRefused;
    }
  }
  if (durable_->failed.load()) {
    report = report_about(Error{static_cast<Code>(durable_->code.load()), "audit log"}, {});
    return Leave::kRefused;
  }
  const auto now = service_.clock().monotonic_ms();
  std::string wanted;
  for (const auto& used : settled.classes) {
    const auto at = grants_.find(used.name);
    if (at != grants_.end() && at->second > now) continue;
    if (!wanted.empty()) wanted += ",";
    wanted += used.name;
    pending_grants_[used.name] = now + kGrantMs;
  }
  const bool strict = settled.strict && !strict_done_;
  if (wanted.empty() && !strict) return Leave::kGo;
  audit::Event event;
  event.actor = user_;
  event.role = role_;
  event.policy_hash = service_.policy().hash;
  event.correlation = correlation_;
  if (!wanted.empty()) {
    event.action = "session.grant";
    event.object = "class " + wanted;
    event.details["seconds"] = kGrantMs / 1000;
  } else {
    event.action = "statement.intent";
    event.object = statement->tag;
    strict_done_ = true;
  }
  durable_->outstanding.fetch_add(1);
  const auto queued = service_.audit().append(
      std::move(event), [durable = durable_, waker = waker_](const Result<std::uint64_t>& result) {
        if (!result) {
          durable->code.store(static_cast<int>(result.error().code));
          durable->failed.store(true);
        }
        durable->outstanding.fetch_sub(1);
        waker();
      });
  if (!queued) {
    durable_->outstanding.fetch_sub(1);
    pending_grants_.clear();
    report = report_about(queued.error(), "audit log");
    return Leave::kRefused;
  }
  return Leave::kWait;
}

Refusable<std::shared_ptr<RowMap>> EnforceSession::rows_of(
    const SharedStatement& statement, const std::shared_ptr<const rewrite::Catalogue>& catalogue,
    const Filled* filled) {
  if (!is_same_for_all_values(*statement)) {
    return row_map(*statement, catalogue, role_, service_.policy(), filled);
  }
  auto& settled = ruling(statement, *catalogue);
  if (!settled.rows) {
    auto made = row_map(*statement, catalogue, role_, service_.policy(), filled);
    if (!made) return made;
    settled.rows = std::move(*made);
  }
  return settled.rows;
}

std::shared_ptr<RowMap> EnforceSession::cursor_rows(const rewrite::Statement& statement) const {
  if (statement.cursor.empty() || statement.tag != "FETCH") return nullptr;
  if (const auto at = cursors_.find(statement.cursor); at != cursors_.end()) return at->second;
  // PostgreSQL's cursors are its portals: one that Bind made can be fetched from by name.
  const auto portal = portals_.find(statement.cursor);
  return portal == portals_.end() ? nullptr : portal->second->rows;
}

std::optional<EnforceSession::CursorChange> EnforceSession::remember_cursor(
    const rewrite::Statement& statement, std::shared_ptr<RowMap> rows) {
  const bool declares = statement.tag == "DECLARE";
  if (statement.cursor.empty() || (!declares && statement.tag != "CLOSE")) return std::nullopt;
  const auto at = cursors_.find(statement.cursor);
  CursorChange change{statement.cursor, at == cursors_.end() ? nullptr : at->second};
  if (rows) {
    cursors_[statement.cursor] = std::move(rows);
    if (statement.cursor_holds) held_cursors_.insert(statement.cursor);
  } else {
    cursors_.erase(statement.cursor);  // the name means an unprotected cursor now, or none
  }
  return change;
}

void EnforceSession::undo_cursor(const CursorChange& change) {
  if (change.before) {
    cursors_[change.name] = change.before;
  } else {
    cursors_.erase(change.name);
  }
}

void EnforceSession::forget_cursors() {
  std::erase_if(cursors_, [&](const auto& one) { return !held_cursors_.contains(one.first); });
  std::erase_if(held_cursors_, [&](const auto& name) { return !cursors_.contains(name); });
}

void EnforceSession::count_statement(const Portal& portal, std::uint64_t opened, Io& io) {
  opened_ += opened;
  sealed_ += portal.sealed;
  ++statements_;
  service_.counters().opened += opened;
  service_.counters().sealed += portal.sealed;
  if (!portal.statement) return;
  if (portal.statement->only_catalogues || !portal.statement->complete_as.empty()) return;
  const auto* rows = portal.copy_out ? &portal.copy_out->map() : portal.rows.get();
  const bool exports =
      rows != nullptr && !rows->rules().empty() && service_.policy().exports.contains(role_);
  // Like statements within one group commit are one entry.
  auto& settled = ruling(portal.statement, *portal.prepared->catalogue);
  if (settled.tally && settled.exports == exports &&
      settled.tally->add({1, opened, portal.sealed})) {
    return;
  }
  settled.exports = exports;
  settled.tally = std::make_shared<audit::Tally>(std::vector<audit::Tally::Count>{
      {"statements", 1}, {"opened", opened}, {"sealed", portal.sealed}});
  audit::Event event;
  event.action = exports ? "export" : "statement";
  event.actor = user_;
  event.role = role_;
  event.object = exports ? tables_of(*rows) : portal.statement->tag;
  event.correlation = correlation_;
  event.details["read"] = portal.statement->classes_read;
  event.details["written"] = portal.statement->classes_written;
  event.tally = settled.tally;
  const auto queued = service_.audit().append(
      std::move(event), [durable = durable_](const Result<std::uint64_t>& result) {
        if (result) return;
        durable->code.store(static_cast<int>(result.error().code));
        durable->failed.store(true);
      });
  // A session whose statements cannot be recorded does not go on.
  if (!queued) fatal(report_about(queued.error(), "audit log"), io);
}

void EnforceSession::deny(const std::string& what, const ErrorReport& report) {
  ++service_.counters().denied;
  audit::Event event;
  event.action = "statement.refused";
  event.actor = user_;
  event.role = role_;
  event.object = what;
  event.outcome = "denied";
  event.error = report.sqlstate;
  event.correlation = correlation_;
  event.policy_hash = service_.policy().hash;
  if (const auto queued = service_.audit().append(std::move(event)); !queued) {
    service_.log().error("audit.append", queued.error());
  }
}

void EnforceSession::close_grants() {
  if (grants_.empty()) return;
  grants_.clear();
  audit::Event event;
  event.action = "session.close";
  event.actor = user_;
  event.role = role_;
  event.correlation = correlation_;
  event.details["statements"] = statements_;
  event.details["opened"] = opened_;
  event.details["sealed"] = sealed_;
  if (const auto queued = service_.audit().append(std::move(event)); !queued) {
    service_.log().error("audit.append", queued.error());
  }
}

}  // namespace theriac::gateway
