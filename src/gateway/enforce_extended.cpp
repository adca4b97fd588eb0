// Parse, Bind, Describe, Execute and Close of an enforce session.
#include "gateway/enforce_session.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;
using rewrite::Action;

namespace {
/// A statement that no PostgreSQL parses; it takes a refused message's place.
constexpr std::string_view kRefusedSql = "refused by theriac";
constexpr std::string_view kRefusedName = "theriac_refused";

const ErrorReport kNoStatement{.sqlstate = "26000",
                               .message = "the prepared statement does not exist"};

constexpr std::uint32_t kOidUuid = 2950, kOidByteaArray = 1001;
}  // namespace

void EnforceSession::refuse_extended(ErrorReport report, Io& io) {
  ++service_.counters().refused;
  pgwire::write_parse(io.to_server, kRefusedName, kRefusedSql, {});
  in_pipeline_ = true;
  refused_ = true;
  Expect entry{.kind = Expecting::kParse, .own = true};
  entry.refusal = std::move(report);
  entry.name = kRefusedName;
  expect(std::move(entry));
}

/// Helpers are bytea, passed parameters keep what the client said.
std::vector<std::uint32_t> EnforceSession::server_types(
    const std::vector<rewrite::Slot>& slots, const std::vector<std::uint32_t>& declared) {
  std::vector<std::uint32_t> types;
  for (const auto& slot : slots) {
    switch (slot.fill) {
      case rewrite::Slot::Fill::kPass: {
        const std::size_t index = std::get<rewrite::ClientParameter>(slot.source).number - 1U;
        types.push_back(index < declared.size() ? declared[index] : 0);
        break;
      }
      case rewrite::Slot::Fill::kRowId:
        types.push_back(kOidUuid);
        break;
      case rewrite::Slot::Fill::kCompareList:
        types.push_back(kOidByteaArray);
        break;
      default:
        types.push_back(pgwire::kOidBytea);
    }
  }
  return types;
}

std::vector<std::uint32_t> EnforceSession::server_types(
    const rewrite::Statement& statement, const std::vector<std::uint32_t>& declared) {
  auto types = server_types(statement.slots, declared);
  if (!statement.gather) return types;
  const auto arrays = array_types(*statement.gather);
  types.insert(types.end(), arrays.begin(), arrays.end());
  return types;
}

Refusable<Filled> EnforceSession::fill_gathered(const rewrite::Statement& statement,
                                                const rewrite::Catalogue& catalogue,
                                                const ClientValues& values) {
  if (collected_too_many_) {
    return refuse(report_about(Error{Code::kTooLarge, "rows of one statement"}, {}));
  }
  auto kept = kept_identities(*statement.gather, collected_);
  if (!kept) return refuse(std::move(kept.error()));
  auto filled = fill(statement.slots, catalogue, values, settings_, *ciphers_, service_.random(),
                     std::move(*kept));
  if (!filled) return filled;
  GatherInput input{*statement.gather, collected_, {}, catalogue, values, settings_};
  for (const auto& column : statement.gather->columns) {
    auto& rule = input.rules.emplace_back();
    if (column.kind != rewrite::Gather::Column::Kind::kSealed) continue;
    auto made = output_rule(column.output, catalogue, role_, service_.policy(), nullptr);
    if (!made) return refuse(std::move(made.error()));
    rule = std::move(*made);
  }
  auto done = fill_arrays(input, *ciphers_, service_.random(), *filled);
  if (!done) return refuse(std::move(done.error()));
  return filled;
}

void EnforceSession::send_prepared(const std::string& name,
                                   const std::shared_ptr<Prepared>& prepared, bool own, Io& io,
                                   std::string_view says) {
  const auto& statement = prepared->statement();
  const auto types =
      statement.copy ? std::vector<std::uint32_t>() : server_types(statement, prepared->declared);
  if (statement.gather) {
    const auto& gather = *statement.gather;
    prepared->gather_name = "theriac_gather_" + std::to_string(++gather_names_);
    const auto gather_types = server_types(gather.slots, prepared->declared);
    put_parse(prepared->gather_name,
              rewrite::text_with(gather.sql, gather.holes, prepared->literals.get()), gather_types,
              io);
    Expect locating{.kind = Expecting::kParse, .own = true};
    locating.rewritten = true;
    locating.name = prepared->gather_name;
    expect(std::move(locating));
    // A parameter that stands in the condition only has its type here.
    pgwire::write_describe(io.to_server, {'S', prepared->gather_name});
    Expect describing{.kind = Expecting::kDescribeStatement, .own = true, .prepared = prepared};
    describing.rewritten = true;
    describing.locating = true;
    expect(std::move(describing));
  }
  put_parse(name,
            statement.copy ? copy_sql_without_values(statement) : sent_text(statement, *prepared),
            types, io);
  Expect parsing{.kind = Expecting::kParse, .own = own, .prepared = prepared};
  parsing.rewritten = true;
  parsing.name = name;
  if (!own && !statement.copy && !escape_strings_) {
    parsing.sent = sent_text(statement, *prepared);
    parsing.text = prepared->sql;
  }
  if (const auto before = prepared_.find(name); before != prepared_.end()) {
    parsing.previous = before->second;
  }
  prepared_[name] = prepared;
  expect(std::move(parsing));
  // Our own description, once for a plan: rows may come without the client ever asking for one.
  const bool known = !statement.gather && prepared->verified && prepared->verified->load();
  if (known && says.empty()) return;
  put_describe({'S', name}, io);
  Expect describing{.kind = Expecting::kDescribeStatement, .own = true, .prepared = prepared};
  describing.rewritten = true;
  describing.says = says;
  expect(std::move(describing));
}

/// A Parse of the unnamed statement that fails has dropped the old one.
void EnforceSession::refuse_parse(std::string_view name, ErrorReport report, Io& io) {
  if (name.empty()) {
    Expect closing{.kind = Expecting::kClose, .own = true};
    if (const auto at = prepared_.find(name); at != prepared_.end()) {
      closing.previous = at->second;
      prepared_.erase(at);
    }
    pgwire::write_close(io.to_server, {'S', ""});
    expect(std::move(closing));
  }
  refuse_extended(std::move(report), io);
}

bool EnforceSession::take_parse(const pgwire::Frame& frame, Io& io) {
  const auto parse = pgwire::read_parse(frame.body);
  if (!parse) {
    fatal(pgwire::report_of(parse.error()), io);
    return true;
  }
  if (!catalogue_fresh(parse->sql, io)) return false;
  const auto catalogue = this->catalogue();
  if (!settings_fresh(parse->sql, *catalogue, io)) return false;
  if (auto failure = planning_failure()) {
    refuse_parse(parse->statement, std::move(*failure), io);
    return true;
  }
  auto planned = plan_of(parse->sql, catalogue);
  if (!planned) {
    refuse_parse(parse->statement, std::move(planned.error()), io);
    return true;
  }
  if (look_for_awaited(*planned->plan, io)) return false;
  in_pipeline_ = true;
  if (prepared_.size() >= kPreparedMax) {
    refuse_parse(parse->statement, pgwire::report_of(Error{Code::kBusy, "prepared statements"}),
                 io);
    return true;
  }
  if (planned->plan->statements.size() == 1) {
    const auto& statement = planned->plan->statements.front();
    const bool executes = statement.prepared && uses_names(statement) &&
                          (statement.prepared->kind == rewrite::PreparedUse::Kind::kExecute ||
                           statement.prepared->kind == rewrite::PreparedUse::Kind::kWithin);
    if (executes) {
      ErrorReport report;
      const auto leave = ready_to_execute(*statement.prepared, report, io);
      if (leave == Leave::kWait) return false;
      if (leave == Leave::kRefused) refuse_parse(parse->statement, std::move(report), io);
      if (leave != Leave::kGo) return true;
      if (parse_execute(*parse, *statement.prepared, io)) return true;
    }
  }
  auto prepared = make_prepared(parse->sql, *planned, catalogue);
  prepared->declared = parse->parameter_types;
  const std::string name{parse->statement};
  const auto& statements = prepared->plan->statements;
  if (statements.size() > 1 && !prepared->plan->all_forward()) {
    refuse_parse(parse->statement,
                 {.sqlstate = "42601",
                  .message = "cannot insert multiple commands into a prepared statement"},
                 io);
    return true;
  }
  if (statements.empty() || statements.front().action == Action::kForward) {
    ++service_.counters().forwarded;
    append(io.to_server, frame.raw);
    Expect parsing{.kind = Expecting::kParse, .prepared = prepared};
    parsing.name = name;
    if (const auto before = prepared_.find(name); before != prepared_.end()) {
      parsing.previous = before->second;
    }
    prepared_[name] = prepared;
    expect(std::move(parsing));
    return true;
  }
  if (statements.front().action == Action::kRefuse) {
    const auto report = report_of_refusal(*statements.front().refusal);
    service_.statements().refused(statements.front().refusal->construct);
    deny(statements.front().refusal->column, report);
    refuse_parse(parse->statement, report, io);
    return true;
  }
  ++service_.counters().rewritten;
  service_.statements().rewritten(statements.front().tag);
  send_prepared(name, prepared, false, io);
  return true;
}

bool EnforceSession::is_current(const Prepared& prepared) const {
  return catalogue()->epoch() == prepared.plan->epoch && prepared.search_path == search_path_key_;
}

bool EnforceSession::refresh_plan(const std::string& name, std::shared_ptr<Prepared>& prepared,
                                  Io& io) {
  if (is_current(*prepared)) return true;
  const auto catalogue = this->catalogue();
  auto planned = plan_known(prepared->sql, catalogue);
  if (!planned) {
    refuse_extended(std::move(planned.error()), io);
    return false;
  }
  if (!prepared->touched() && planned->plan->all_forward()) {
    auto renewed = std::make_shared<Prepared>(*prepared);
    renewed->plan = planned->plan;
    renewed->literals = planned->literals;
    renewed->verified = planned->verified;
    renewed->catalogue = catalogue;
    renewed->search_path = search_path_key_;
    prepared = prepared_[name] = renewed;
    return true;
  }
  // The statement means something else now: prepare it anew under the same name.
  const auto& statements = planned->plan->statements;
  if (statements.size() != 1 || statements.front().action == Action::kRefuse) {
    refuse_extended(statements.size() == 1 ? report_of_refusal(*statements.front().refusal)
                                           : pgwire::report_of(Error{Code::kUnsupported, {}}),
                    io);
    return false;
  }
  auto renewed = make_prepared(prepared->sql, *planned, catalogue);
  renewed->declared = prepared->declared;
  renewed->arguments = prepared->arguments;
  put_close({'S', name}, io);
  expect({.kind = Expecting::kClose, .own = true});
  if (renewed->touched()) {
    send_prepared(name, renewed, true, io);
  } else {
    put_parse(name, renewed->sql, renewed->declared, io);
    Expect parsing{.kind = Expecting::kParse, .own = true, .prepared = renewed};
    parsing.name = name;
    parsing.previous = prepared;
    prepared_[name] = renewed;
    expect(std::move(parsing));
  }
  prepared = renewed;
  return true;
}

void EnforceSession::send_bind(std::string_view portal_name, std::string_view statement_name,
                               const std::shared_ptr<Portal>& portal, const Filled& filled,
                               bool own, Io& io) {
  pgwire::Bind bind;
  bind.portal = portal_name;
  bind.statement = statement_name;
  bind.parameter_formats = filled.formats;
  bind.parameters = filled.parameters;
  portal->server_formats =
      portal->rows && portal->statement
          ? portal->rows->server_formats(portal->result_formats, portal->statement->result_columns)
          : portal->result_formats;
  bind.result_formats = portal->server_formats;
  put_bind(bind, io);
  Expect binding{.kind = Expecting::kBind, .own = own, .portal = portal};
  binding.rewritten = true;
  expect(std::move(binding));
}

bool EnforceSession::take_bind(const pgwire::Frame& frame, Io& io) {
  const auto bind = pgwire::read_bind(frame.body);
  if (!bind) {
    fatal(pgwire::report_of(bind.error()), io);
    return true;
  }
  const std::string portal_name{bind->portal};
  const std::string statement_name{bind->statement};
  const auto found = prepared_.find(statement_name);
  if (found == prepared_.end()) {
    // What took the name away may yet be skipped.
    if (!expects_.empty()) return wait_for_answers(io);
    in_pipeline_ = true;
    if (statement_name.empty()) {
      refuse_extended(kNoStatement, io);  // the server may still have one of ours
      return true;
    }
    portals_.erase(portal_name);
    // Not of a statement that is known: its values stay here. A statement that is there after all
    // misses them loudly.
    auto empty = *bind;
    empty.parameter_formats.clear();
    empty.parameters.clear();
    put_bind(empty, io);
    expect({.kind = Expecting::kBind});
    return true;
  }
  auto prepared = found->second;
  if (!catalogue_fresh(prepared->sql, io)) return false;
  if (!settings_fresh(prepared->sql, *this->catalogue(), io)) return false;
  if (auto failure = planning_failure()) {
    refuse_extended(std::move(*failure), io);
    return true;
  }
  in_pipeline_ = true;
  if (!refresh_plan(statement_name, prepared, io)) return true;
  auto portal = std::make_shared<Portal>();
  portal->prepared = prepared;
  portal->result_formats = bind->result_formats;
  const bool empty = prepared->plan->statements.empty();
  auto fetch_rows = empty ? nullptr : cursor_rows(prepared->statement());
  if (!prepared->touched() && !fetch_rows) {
    if (!empty) portal->cursor = remember_cursor(prepared->statement(), nullptr);
    portals_[portal_name] = portal;
    append(io.to_server, frame.raw);
    expect({.kind = Expecting::kBind, .portal = portal});
    return true;
  }
  const auto& statement = prepared->statement();
  portal->statement = prepared->shared_statement();
  if (fetch_rows) {
    portal->rows = std::move(fetch_rows);
    portal->server_formats = portal->result_formats;
    portals_[portal_name] = portal;
    append(io.to_server, frame.raw);
    expect({.kind = Expecting::kBind, .portal = portal});
    return true;
  }
  ErrorReport report;
  const auto leave = may_run(portal->statement, *prepared->catalogue, report);
  if (leave == Leave::kWait) return false;
  if (leave == Leave::kRefused) {
    refuse_extended(std::move(report), io);
    return true;
  }
  const auto& given = prepared->arguments ? prepared->arguments->bind : *bind;
  if (bind->parameters.size() != (prepared->arguments ? 0 : statement.client_parameters)) {
    refuse_extended(pgwire::report_of(Error{Code::kProtocol, "Bind: number of parameters"}), io);
    return true;
  }
  if (statement.gather) {
    gather(prepared, given, portal_name, statement_name, portal, io);
    return true;
  }
  const ClientValues values{&given, &prepared->declared, prepared->literals.get()};
  const auto filled =
      fill(statement.slots, *prepared->catalogue, values, settings_, *ciphers_, service_.random());
  if (!filled) {
    refuse_extended(filled.error(), io);
    return true;
  }
  if (statement.copy) {
    bind_copy(statement_name, portal_name, portal, *filled, io);
    return true;
  }
  auto rows = rows_of(portal->statement, prepared->catalogue, &*filled);
  if (!rows) {
    refuse_extended(rows.error(), io);
    return true;
  }
  portal->rows = *rows;
  portal->sealed = filled->sealed;
  portals_[portal_name] = portal;
  portal->cursor = remember_cursor(statement, *rows);
  send_bind(portal_name, statement_name, portal, *filled, false, io);
  return true;
}

void EnforceSession::gather(const std::shared_ptr<Prepared>& prepared, const pgwire::Bind& bind,
                            const std::string& portal_name, const std::string& statement_name,
                            const std::shared_ptr<Portal>& portal, Io& io) {
  const auto& statement = prepared->statement();
  // The Bind's bytes must outlive the wait for the rows.
  struct Kept {
    Bytes body;
    pgwire::Bind bind;
  };
  auto kept = std::make_shared<Kept>();
  pgwire::write_bind(kept->body, bind);
  const auto body_at = ByteView(kept->body).subspan(5);
  kept->bind = *pgwire::read_bind(body_at);
  const ClientValues values{&kept->bind, &prepared->declared, prepared->literals.get()};
  auto located = fill(statement.gather->slots, *prepared->catalogue, values, settings_, *ciphers_,
                      service_.random());
  if (!located) {
    refuse_extended(located.error(), io);
    return;
  }
  auto asking = std::make_shared<Portal>();
  asking->result_formats = {1};
  send_bind("theriac_gather", prepared->gather_name, asking, *located, true, io);
  pgwire::write_execute(io.to_server, {"theriac_gather", 0});
  Expect rows{.kind = Expecting::kExecute, .own = true};
  rows.collect = true;
  rows.rewritten = true;
  expect(std::move(rows));
  pgwire::write_close(io.to_server, {'P', "theriac_gather"});
  expect({.kind = Expecting::kClose, .own = true});
  pgwire::write_flush(io.to_server);
  if (skipping_) return;
  waiting_ = true;
  continuation_ = [this, prepared, kept, portal_name, statement_name, portal](bool failed,
                                                                              Io& later) {
    if (failed) return;  // the server's error went to the client in the Bind's place
    const ClientValues again{&kept->bind, &prepared->declared, prepared->literals.get()};
    auto filled = fill_gathered(prepared->statement(), *prepared->catalogue, again);
    if (!filled) {
      refuse_extended(filled.error(), later);
      return;
    }
    auto map = rows_of(portal->statement, prepared->catalogue, &*filled);
    if (!map) {
      refuse_extended(map.error(), later);
      return;
    }
    portal->rows = *map;
    portal->sealed = filled->sealed;
    portals_[portal_name] = portal;
    send_bind(portal_name, statement_name, portal, *filled, false, later);
  };
}

bool EnforceSession::take_describe(const pgwire::Frame& frame, Io& io) {
  const auto target = pgwire::read_target(frame.body);
  if (!target) {
    fatal(pgwire::report_of(target.error()), io);
    return true;
  }
  in_pipeline_ = true;
  if (target->kind == 'S' && target->name.empty() && !prepared_.contains(target->name)) {
    if (!expects_.empty()) return wait_for_answers(io);
    refuse_extended(kNoStatement, io);  // the server may still have one of ours
    return true;
  }
  append(io.to_server, frame.raw);
  if (target->kind == 'S') {
    Expect describing{.kind = Expecting::kDescribeStatement};
    if (const auto at = prepared_.find(target->name); at != prepared_.end()) {
      describing.prepared = at->second;
      describing.rewritten = at->second->touched();
    }
    expect(std::move(describing));
    return true;
  }
  Expect describing{.kind = Expecting::kDescribePortal};
  if (const auto at = portals_.find(target->name); at != portals_.end()) {
    describing.portal = at->second;
    describing.prepared = at->second->prepared;
  } else if (const auto cursor = cursors_.find(target->name); cursor != cursors_.end()) {
    // What DECLARE made is a portal to the server: drivers ask it for the columns.
    describing.portal = std::make_shared<Portal>();
    describing.portal->rows = cursor->second;
  }
  expect(std::move(describing));
  return true;
}

bool EnforceSession::take_execute(const pgwire::Frame& frame, Io& io) {
  const auto execute = pgwire::read_execute(frame.body);
  if (!execute) {
    fatal(pgwire::report_of(execute.error()), io);
    return true;
  }
  in_pipeline_ = true;
  Expect executing{.kind = Expecting::kExecute};
  if (const auto at = portals_.find(execute->portal); at != portals_.end()) {
    const auto& portal = at->second;
    executing.portal = portal;
    executing.prepared = portal->prepared;
    if (portal->prepared && !portal->prepared->plan->statements.empty()) {
      executing.effect = effect_of(portal->prepared->statement());
      if (portal->prepared->statement().follow && !skipping_) {
        follow_execute(frame, portal, io);
        return true;
      }
      if (portal->prepared->statement().action == Action::kPrepare && !skipping_) {
        prepare_name(*portal->prepared->statement().prepared, [](bool, Io&) {}, io);
        return true;
      }
    }
    if (portal->statement && (portal->rows || portal->statement->copy)) {
      executing.rewritten = true;
      // A portal may be fetched from long after it was bound: ask again each time.
      ErrorReport report;
      const auto leave = may_run(portal->statement, *portal->prepared->catalogue, report);
      if (leave == Leave::kWait) return false;
      if (leave == Leave::kRefused) {
        refuse_extended(std::move(report), io);
        return true;
      }
    }
  }
  if (!executing.portal && cursors_.contains(execute->portal)) {
    refuse_extended({.sqlstate = "0A000",
                     .message = "theriac: Execute of a cursor that DECLARE made",
                     .hint = "FETCH from it"},
                    io);
    return true;
  }
  const auto portal = executing.portal;
  const bool copies_in = portal && portal->prepared &&
                         !portal->prepared->plan->statements.empty() &&
                         portal->prepared->statement().copies_in;
  if (copies_in) {
    if (auto ready = begin_copy_in(portal, portal->prepared->catalogue); !ready) {
      refuse_extended(ready.error(), io);
      return true;
    }
  }
  append(io.to_server, frame.raw);
  if (copies_in) pgwire::write_flush(io.to_server);
  const auto prepared = executing.prepared;
  if (prepared && !prepared->plan->statements.empty() && !prepared->touched()) {
    note_names(prepared->statement(), prepared->catalogue, executing);
  }
  expect(std::move(executing));
  if (prepared && !prepared->plan->statements.empty()) note_reading(prepared->statement());
  return true;
}

bool EnforceSession::take_close(const pgwire::Frame& frame, Io& io) {
  const auto target = pgwire::read_target(frame.body);
  if (!target) {
    fatal(pgwire::report_of(target.error()), io);
    return true;
  }
  in_pipeline_ = true;
  const std::string name{target->name};
  Expect closing{.kind = Expecting::kClose, .name = name};
  if (target->kind == 'S') {
    if (const auto at = prepared_.find(name); at != prepared_.end()) {
      // The server skips it behind an error: the name then still means what it meant.
      closing.previous = at->second;
      if (!at->second->gather_name.empty()) {
        pgwire::write_close(io.to_server, {'S', at->second->gather_name});
        expect({.kind = Expecting::kClose, .own = true});
      }
      prepared_.erase(at);
    }
  } else {
    portals_.erase(name);
  }
  append(io.to_server, frame.raw);
  expect(std::move(closing));
  return true;
}

}  // namespace theriac::gateway
