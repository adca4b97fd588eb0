// SQL's own PREPARE, EXECUTE and DEALLOCATE in an enforce session.
//
// A PREPARE whose query must be rewritten becomes a Parse of the protocol under its name: the names
// are one space in PostgreSQL, so clashes, DEALLOCATE and what survives a ROLLBACK are the
// server's. EXECUTE of such a name binds that statement. Its arguments take the place of a Bind's
// parameters: those for protected columns must be constants, since nothing of them may reach the
// server; others that are more than a constant are evaluated by the server first, once. Names whose
// query is not rewritten are remembered as well: a change of the schema or of search_path can make
// one of them concern a protected table.
#include <algorithm>

#include "gateway/enforce_session.hpp"
#include "store/pg.hpp"

namespace theriac::gateway {

using pgwire::ErrorReport;
using rewrite::Action;
using rewrite::Effect;
using rewrite::PreparedUse;

namespace {

constexpr std::string_view kArguments = "theriac_arguments";

/// The constant reads as the parameter's type just as its input function reads the text.
bool reads_as(const PreparedUse::Argument& argument, std::uint32_t type) {
  if (!argument.constant) return false;
  if (argument.is_null || argument.oid == 0 || argument.oid == type) return true;
  const auto is_integer = [](std::uint32_t oid) {
    return oid == pgwire::kOidInt2 || oid == pgwire::kOidInt4 || oid == pgwire::kOidInt8;
  };
  const auto is_text = [](std::uint32_t oid) {
    return oid == pgwire::kOidText || oid == pgwire::kOidVarchar;
  };
  if (is_text(argument.oid)) return is_text(type);
  return is_integer(argument.oid) &&
         (is_integer(type) || type == pgwire::kOidNumeric || is_text(type));
}

/// Whether a value of the client's $number is sealed or indexed anywhere.
bool is_protected(const rewrite::Statement& statement, std::uint16_t number) {
  const auto is = [&](const rewrite::ValueSource& source) {
    const auto* parameter = std::get_if<rewrite::ClientParameter>(&source);
    return parameter != nullptr && parameter->number == number;
  };
  const auto any = [&](const std::vector<rewrite::Slot>& slots) {
    return std::any_of(slots.begin(), slots.end(), [&](const rewrite::Slot& slot) {
      return slot.fill != rewrite::Slot::Fill::kPass && is(slot.source);
    });
  };
  if (any(statement.slots)) return true;
  if (!statement.gather) return false;
  const auto& arrays = statement.gather->arrays;
  return any(statement.gather->slots) ||
         std::any_of(arrays.begin(), arrays.end(), [&](const rewrite::Gather::Array& array) {
           const auto* source = std::get_if<rewrite::ValueSource>(&array.source);
           return source != nullptr && is(*source);
         });
}

}  // namespace

bool EnforceSession::uses_names(const rewrite::Statement& statement) const {
  if (!statement.prepared) return false;
  const bool executes = statement.prepared->kind == PreparedUse::Kind::kExecute ||
                        statement.prepared->kind == PreparedUse::Kind::kWithin;
  return !executes || prepared_.contains(statement.prepared->name);
}

Effect EnforceSession::effect_of(const rewrite::Statement& statement) const {
  if (!statement.prepared || statement.prepared->kind != PreparedUse::Kind::kExecute) {
    return statement.effect;
  }
  const auto at = prepared_.find(statement.prepared->name);
  if (at == prepared_.end()) return Effect::kSetting;
  return at->second->plan->statements.empty() ? Effect::kNone : at->second->statement().effect;
}

void EnforceSession::forget_names(const PreparedUse& use, Expect& entry) {
  using Kind = PreparedUse::Kind;
  const auto forget = [&](auto at) {
    entry.undo.emplace_back(at->first, at->second);
    return prepared_.erase(at);
  };
  if (use.kind == Kind::kDeallocate) {
    if (const auto at = prepared_.find(use.name); at != prepared_.end()) forget(at);
  } else if (use.kind == Kind::kDeallocateAll) {
    for (auto at = prepared_.begin(); at != prepared_.end();) {
      at = at->first.empty() ? std::next(at) : forget(at);
    }
  }
}

void EnforceSession::remember_name(const PreparedUse& use,
                                   const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                                   Expect& entry) {
  auto planned = plan_known(use.query, catalogue);
  if (!planned) return;
  const auto before = prepared_.find(use.name);
  entry.undo.emplace_back(use.name, before == prepared_.end() ? nullptr : before->second);
  auto prepared = make_prepared(use.query, *planned, catalogue);
  prepared->types_unknown = !use.types.empty();
  prepared_[use.name] = std::move(prepared);
}

void EnforceSession::note_names(const rewrite::Statement& statement,
                                const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                                Expect& entry) {
  if (!statement.prepared || skipping_) return;
  if (statement.prepared->kind == PreparedUse::Kind::kPrepare) {
    remember_name(*statement.prepared, catalogue, entry);
  } else {
    forget_names(*statement.prepared, entry);
  }
}

void EnforceSession::undo_names(const Expect& entry) {
  for (auto at = entry.undo.rbegin(); at != entry.undo.rend(); ++at) {
    if (at->second) {
      prepared_[at->first] = at->second;
    } else {
      prepared_.erase(at->first);
    }
  }
}

std::shared_ptr<EnforceSession::Prepared> EnforceSession::make_prepared(
    std::string_view sql, const Planned& planned,
    const std::shared_ptr<const rewrite::Catalogue>& catalogue) const {
  auto made = std::make_shared<Prepared>();
  made->sql = sql;
  made->plan = planned.plan;
  made->literals = planned.literals;
  made->verified = planned.verified;
  made->catalogue = catalogue;
  made->search_path = search_path_key_;
  return made;
}

void EnforceSession::prepare_name(const PreparedUse& use, std::function<void(bool, Io&)> done,
                                  Io& io) {
  const auto now = catalogue();
  auto planned = plan_known(use.query, now);
  if (planned && planned->plan->statements.size() == 1 &&
      planned->plan->statements.front().action == Action::kRefuse) {
    planned = refuse(report_of_refusal(*planned->plan->statements.front().refusal));
  }
  if (planned && prepared_.size() >= kPreparedMax) {
    planned = refuse(pgwire::report_of(Error{Code::kBusy, "prepared statements"}));
  }
  if (!planned) {
    refuse_extended(std::move(planned.error()), io);
    return done(true, io);
  }
  const auto prepared = make_prepared(use.query, *planned, now);
  const auto send = [this, prepared, name = use.name, done](Io& later) {
    ++service_.counters().rewritten;
    service_.statements().rewritten("PREPARE");
    send_prepared(name, prepared, true, later, "PREPARE");
    done(false, later);
  };
  if (use.types.empty()) return send(io);
  // What the names of types mean is the server's to say.
  std::string question;
  for (const auto& type : use.types) {
    question += (question.empty() ? "SELECT " : ", ") + store::pg_quote_literal(type) +
                "::pg_catalog.regtype::pg_catalog.oid::pg_catalog.text";
  }
  ask(
      question,
      [this, prepared, send, done, count = use.types.size()](bool failed, Io& later) {
        if (failed || collected_.size() != 1 || collected_[0].size() != count) {
          return done(true, later);
        }
        for (const auto& oid : collected_[0]) {
          prepared->declared.push_back(
              oid ? static_cast<std::uint32_t>(std::stoul(std::string(text_of(*oid)))) : 0U);
        }
        send(later);
      },
      io);
}

EnforceSession::Leave EnforceSession::ready_to_execute(const PreparedUse& use, ErrorReport& report,
                                                       Io& io) {
  auto at = prepared_.find(use.name);
  if (at == prepared_.end()) return Leave::kGo;
  auto prepared = at->second;
  if (!catalogue_fresh(prepared->sql, io)) return Leave::kWait;
  if (!settings_fresh(prepared->sql, *catalogue(), io)) return Leave::kWait;
  if (auto failure = planning_failure()) {
    report = std::move(*failure);
    return Leave::kRefused;
  }
  if (prepared->types_unknown && !is_current(*prepared)) {
    auto planned = plan_known(prepared->sql, catalogue());
    if (!planned || !planned->plan->all_forward()) {
      report = {.sqlstate = "0A000",
                .message = "theriac: the prepared statement concerns a protected table by now",
                .hint = "prepare it again"};
      return Leave::kRefused;
    }
  }
  in_pipeline_ = true;
  const bool refused = !refresh_plan(use.name, prepared, io);
  if (refused) return Leave::kStop;
  if (!prepared->touched()) return Leave::kGo;
  if (use.kind == PreparedUse::Kind::kWithin) {
    report = {.sqlstate = "0A000",
              .message =
                  "theriac: EXECUTE of a statement on protected columns inside another "
                  "statement is refused",
              .hint = "write its query in the place of EXECUTE"};
    return Leave::kRefused;
  }
  if (!prepared->described) {
    // The types of its parameters, once.
    put_describe({'S', use.name}, io);
    Expect describing{.kind = Expecting::kDescribeStatement, .own = true, .prepared = prepared};
    describing.rewritten = true;
    describing.collect = true;
    expect(std::move(describing));
    pgwire::write_flush(io.to_server);
    if (skipping_) return Leave::kGo;
    waiting_ = true;
    continuation_ = [](bool, Io&) {};
    return Leave::kWait;
  }
  return may_run(prepared->shared_statement(), *prepared->catalogue, report);
}

Refusable<std::vector<std::size_t>> EnforceSession::check_arguments(const PreparedUse& use,
                                                                    const Prepared& prepared) {
  const auto wanted =
      std::max<std::size_t>(prepared.statement().client_parameters, prepared.declared.size());
  if (use.arguments.size() != wanted) {
    return refuse(
        {.sqlstate = "42601",
         .message = "wrong number of parameters for prepared statement \"" + use.name + "\"",
         .detail =
             fmt::format("Expected {} parameters but got {}.", wanted, use.arguments.size())});
  }
  std::vector<std::size_t> evaluated;
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto& argument = use.arguments[i];
    const auto type = i < prepared.client_types.size() ? prepared.client_types[i] : 0U;
    if (reads_as(argument, type)) continue;
    const auto number = static_cast<std::uint16_t>(i + 1);
    if (is_protected(prepared.statement(), number) || argument.sql.empty()) {
      return refuse({.sqlstate = "0A000",
                     .message = "theriac: EXECUTE with an expression for a protected column is "
                                "refused, since the server would see its value",
                     .hint = "write the value as a plain literal"});
    }
    evaluated.push_back(i);
  }
  return evaluated;
}

std::shared_ptr<EnforceSession::Bound> EnforceSession::bind_arguments(
    const PreparedUse& use, std::size_t count,
    const std::map<std::size_t, std::optional<Bytes>>& evaluated, Io& io) {
  pgwire::Bind bind;
  std::vector<std::string> texts(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& argument = use.arguments[i];
    if (const auto at = evaluated.find(i); at != evaluated.end()) {
      bind.parameter_formats.push_back(1);
      bind.parameters.push_back({!at->second, at->second ? ByteView(*at->second) : ByteView{}});
      continue;
    }
    bind.parameter_formats.push_back(0);
    texts[i] = encoded(argument.text, io);
    bind.parameters.push_back({argument.is_null, view_of(texts[i])});
  }
  auto kept = std::make_shared<Bound>();
  Bytes message;
  pgwire::write_bind(message, bind);
  kept->body.assign(message.begin() + 5, message.end());
  kept->bind = *pgwire::read_bind(kept->body);
  wipe(message);
  for (auto& text : texts)
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});  // NOLINT
  return kept;
}

void EnforceSession::evaluate(const PreparedUse& use, const Prepared& prepared,
                              const std::vector<std::size_t>& which,
                              std::function<void(bool, Io&)> then, Io& io) {
  // As EXECUTE of a statement with just these parameters: PostgreSQL's own casts and errors.
  std::string query = "SELECT ", list;
  std::vector<std::uint32_t> types;
  for (const auto i : which) {
    list += (list.empty() ? "" : ", ") + use.arguments[i].sql;
    types.push_back(i < prepared.client_types.size() ? prepared.client_types[i] : 0U);
    query += (types.size() > 1 ? ", $" : "$") + std::to_string(types.size());
  }
  put_close({'S', kArguments}, io);
  expect({.kind = Expecting::kClose, .own = true});
  put_parse(kArguments, query, types, io);
  Expect parsing{.kind = Expecting::kParse, .own = true};
  parsing.name = kArguments;
  parsing.rewritten = true;
  expect(std::move(parsing));
  put_parse("", "EXECUTE " + std::string(kArguments) + "(" + list + ")", {}, io);
  Expect again{.kind = Expecting::kParse, .own = true};
  again.rewritten = true;
  expect(std::move(again));
  auto portal = std::make_shared<Portal>();
  portal->result_formats = {1};
  send_bind("", "", portal, Filled{}, true, io);
  pgwire::write_execute(io.to_server, {"", 0});
  Expect rows{.kind = Expecting::kExecute, .own = true};
  rows.collect = true;
  rows.rewritten = true;
  expect(std::move(rows));
  put_close({'P', ""}, io);
  expect({.kind = Expecting::kClose, .own = true});
  pgwire::write_flush(io.to_server);
  if (skipping_) return then(true, io);
  waiting_ = true;
  continuation_ = std::move(then);
}

bool EnforceSession::execute_in_batch(const PreparedUse& use, Io& io) {
  const auto prepared = prepared_.find(use.name)->second;
  const auto checked = check_arguments(use, *prepared);
  if (!checked) {
    refuse_extended(checked.error(), io);
    return false;
  }
  auto portal = std::make_shared<Portal>();
  portal->prepared = prepared;
  portal->statement = {prepared->plan, &prepared->statement()};
  const auto count = prepared->statement().client_parameters;
  if (checked->empty()) {
    return run_bound(portal, bind_arguments(use, count, {}, io), use.name, io);
  }
  // The plan that the arguments are part of may go while we wait.
  const auto kept = std::make_shared<const PreparedUse>(use);
  evaluate(
      *kept, *prepared, *checked,
      [this, kept, portal, count, which = *checked](bool failed, Io& later) {
        const bool good = !failed && collected_.size() == 1 && collected_[0].size() == which.size();
        std::map<std::size_t, std::optional<Bytes>> values;
        for (std::size_t i = 0; good && i < which.size(); ++i) {
          values[which[i]] = std::move(collected_[0][i]);
        }
        collected_.clear();
        if (!good ||
            !run_bound(portal, bind_arguments(*kept, count, values, later), kept->name, later)) {
          if (batch_) batch_->next = batch_->plan()->statements.size();
        }
      },
      io);
  return true;
}

bool EnforceSession::parse_execute(const pgwire::Parse& parse, const PreparedUse& use, Io& io) {
  const auto target = prepared_.find(use.name);
  if (target == prepared_.end() || !target->second->touched()) return false;
  auto checked = check_arguments(use, *target->second);
  if (checked && !checked->empty()) {
    checked = refuse({.sqlstate = "0A000",
                      .message = "theriac: EXECUTE with an expression is refused in the extended "
                                 "protocol",
                      .hint = "write the values as plain literals"});
  }
  if (!checked) {
    refuse_extended(std::move(checked.error()), io);
    return true;
  }
  // The same statement once more, under the client's name and with these values at each Bind.
  auto made = std::make_shared<Prepared>(*target->second);
  made->gather_name.clear();
  made->arguments = bind_arguments(use, made->statement().client_parameters, {}, io);
  ++service_.counters().rewritten;
  service_.statements().rewritten("EXECUTE");
  send_prepared(std::string(parse.statement), made, false, io);
  return true;
}

}  // namespace theriac::gateway
