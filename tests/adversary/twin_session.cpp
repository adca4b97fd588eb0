#include "twin_session.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace theriac::adversary {

namespace {

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

std::string field_text(const PGresult* r, int row, int column) {
  if (PQgetisnull(r, row, column) != 0) return "<null>";
  const std::string_view value(PQgetvalue(r, row, column),
                               static_cast<std::size_t>(PQgetlength(r, row, column)));
  if (PQfformat(r, column) == 0) return std::string(value);
  std::string out;
  for (const char b : value) out += fmt::format("{:02x}", static_cast<unsigned char>(b));
  return out;
}

/// The gateway's own words, not those of the server handed on.
bool is_of_gateway(const std::string& message) {
  return message.starts_with("theriac") || (message.ends_with(']') && message.contains(" [")) ||
         message.starts_with("the SQL does not parse");
}

/// The type of a table's rows has another number in each database.
Oid comparable(Oid type) {
  constexpr Oid kFirstOwn = 16384;
  return type < kFirstOwn ? type : kFirstOwn;
}

/// Of an expression it hangs on what the planner folds: COALESCE(c, NULL) is c.
int modifier_of(const PGresult* r, int column) {
  return PQftablecol(r, column) == 0 ? -1 : PQfmod(r, column);
}

/// Errors of single rows: which comes first is the plan's choice.
bool is_of_a_row(const std::string& sqlstate) {
  return sqlstate.starts_with("21") || sqlstate.starts_with("22") || sqlstate.starts_with("23");
}

/// Of a statement with two errors the server names the one that its parser meets first; values for
/// protected columns are looked at when they are bound, behind all that is wrong with the rest.
bool may_come_first(const std::string& of_value, const std::string& of_rest) {
  const bool value = of_value.starts_with("22") || of_value == "42883";
  return value && of_rest.starts_with("42");
}

/// Of a parameter beside a varchar the gateway says varchar in some places where the server says
/// text.
std::string name_of(Oid type) {
  constexpr Oid kText = 25, kVarchar = 1043;
  return type == kText || type == kVarchar ? "text" : std::to_string(type);
}

std::string short_of(const std::string& text) {
  constexpr std::size_t kShown = 4000;
  return text.size() <= kShown ? text : text.substr(0, kShown) + " ...";
}

/// Row counts of EXPLAIN and the like are not compared, but an error's place must be the client's.
std::string error_picture(const PGresult* r, std::string& sqlstate, std::string& message) {
  const auto* state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  const auto* text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
  sqlstate = state != nullptr ? state : "lost";
  message = text != nullptr ? text : PQresultErrorMessage(r);
  return "error " + sqlstate + "\n";
}

}  // namespace

void TwinSession::disconnect() {
  PQfinish(plain_);
  PQfinish(sealed_);
  plain_ = sealed_ = nullptr;
}

bool TwinSession::connect() {
  disconnect();
  plain_ = PQconnectdb(plain_info_.c_str());
  sealed_ = PQconnectdb(sealed_info_.c_str());
  for (auto* one : {plain_, sealed_}) {
    if (PQstatus(one) != CONNECTION_OK) {
      story_ = std::string("cannot connect: ") + PQerrorMessage(one);
      return false;
    }
    PQsetNoticeProcessor(one, [](void*, const char*) {}, nullptr);
    Answer(PQexec(one, "SET statement_timeout = '10s'"), PQclear);
  }
  return true;
}

bool TwinSession::alive() const {
  return PQstatus(plain_) == CONNECTION_OK && PQstatus(sealed_) == CONNECTION_OK;
}

bool TwinSession::roll_back() {
  for (auto* one : {plain_, sealed_}) {
    if (PQtransactionStatus(one) != PQTRANS_IDLE) Answer(PQexec(one, "ROLLBACK"), PQclear);
    if (PQtransactionStatus(one) != PQTRANS_IDLE) return false;
  }
  return true;
}

bool TwinSession::send(PGconn* connection, const Step& step) {
  std::vector<const char*> values;
  for (const auto& value : step.values) values.push_back(value ? value->c_str() : nullptr);
  const int count = static_cast<int>(values.size());
  const int format = step.binary ? 1 : 0;
  switch (step.how) {
    case Step::How::kQuery:
      return PQsendQuery(connection, step.sql.c_str()) == 1;
    case Step::How::kParams:
      return PQsendQueryParams(connection, step.sql.c_str(), count,
                               step.types.empty() ? nullptr : step.types.data(), values.data(),
                               nullptr, nullptr, format) == 1;
    case Step::How::kPrepare:
      return PQsendPrepare(connection, step.name.c_str(), step.sql.c_str(),
                           static_cast<int>(step.types.size()), step.types.data()) == 1;
    case Step::How::kDescribe:
      return PQsendDescribePrepared(connection, step.name.c_str()) == 1;
    case Step::How::kExecute:
      return PQsendQueryPrepared(connection, step.name.c_str(), count, values.data(), nullptr,
                                 nullptr, format) == 1;
  }
  return false;
}

/// Of equal values that become one row, which one stands for them is the server's choice: 7.5
/// and 7.50 are equal.
bool gathers_equals(const std::string& sql) {
  const auto has = [&](const char* word) { return sql.contains(word); };
  return has("GROUP BY") || has("DISTINCT") || has("UNION") || has("INTERSECT") || has("EXCEPT");
}

/// A numeric without the count of its digits behind the point: in binary the last of the four
/// numbers before its digits, in hexadecimal here.
std::string without_scale(std::string text, bool binary) {
  constexpr std::size_t kScale = 12, kScaleEnd = 16;
  if (binary) return text.size() < kScaleEnd ? text : text.replace(kScale, 4, "....");
  if (!text.contains('.')) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

TwinSession::Shown TwinSession::show(PGresult* r, const Step& step) {
  Shown shown;
  if (const auto status = PQresultStatus(r);
      status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
    shown.picture = error_picture(r, shown.sqlstate, shown.message);
    return shown;
  }
  shown.tag = PQcmdStatus(r);
  shown.picture = fmt::format("{} {}\n", shown.tag, static_cast<int>(PQresultStatus(r)));
  if (step.how == Step::How::kDescribe) {
    for (int p = 0; p < PQnparams(r); ++p) {
      shown.parameter_types.push_back(PQparamtype(r, p));
      shown.picture += fmt::format("${}:{}\n", p + 1, name_of(PQparamtype(r, p)));
    }
  }
  for (int f = 0; f < PQnfields(r); ++f) {
    shown.picture +=
        fmt::format("{}:{}:{}:{}:{}:{}\n", PQfname(r, f), comparable(PQftype(r, f)),
                    modifier_of(r, f), PQfsize(r, f), PQftablecol(r, f), PQfformat(r, f));
  }
  constexpr Oid kNumeric = 1700;
  const bool gathers = gathers_equals(step.sql);
  std::vector<std::string> rows;
  for (int i = 0; i < PQntuples(r); ++i) {
    std::string row;
    for (int f = 0; f < PQnfields(r); ++f) {
      auto text = field_text(r, i, f);
      const bool any_scale = gathers && PQftype(r, f) == kNumeric && !PQgetisnull(r, i, f);
      row += "|" + (any_scale ? without_scale(std::move(text), PQfformat(r, f) == 1) : text);
    }
    rows.push_back(std::move(row));
  }
  if (!step.ordered) std::ranges::sort(rows);
  for (const auto& row : rows) shown.picture += row + "\n";
  return shown;
}

std::vector<TwinSession::Shown> TwinSession::collect(PGconn* connection, const Step& step) {
  std::vector<Shown> out;
  while (Answer result{PQgetResult(connection), PQclear}) {
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN) {
      PQputCopyData(connection, step.copy_data.data(), static_cast<int>(step.copy_data.size()));
      PQputCopyEnd(connection, nullptr);
      continue;
    }
    if (status == PGRES_COPY_OUT) {
      std::vector<std::string> lines;
      char* line = nullptr;
      for (int size = 0; (size = PQgetCopyData(connection, &line, 0)) > 0; PQfreemem(line)) {
        lines.emplace_back(line, static_cast<std::size_t>(size));
      }
      std::ranges::sort(lines);
      Shown copied;
      for (const auto& one : lines) copied.picture += one;
      out.push_back(std::move(copied));
      continue;
    }
    out.push_back(show(result.get(), step));
    if (PQstatus(connection) != CONNECTION_OK) break;
  }
  return out;
}

std::vector<TwinSession::Shown> TwinSession::collect_pipelined(PGconn* connection,
                                                               const std::vector<Step>& steps) {
  std::vector<Shown> out;
  for (const auto& step : steps) {
    while (Answer result{PQgetResult(connection), PQclear}) {
      if (PQresultStatus(result.get()) == PGRES_PIPELINE_ABORTED) {
        out.push_back({.picture = "not run\n"});
      } else {
        out.push_back(show(result.get(), step));
      }
      if (PQstatus(connection) != CONNECTION_OK) return out;
    }
  }
  const Answer end(PQgetResult(connection), PQclear);
  if (PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC) out.push_back({.picture = "no end\n"});
  return out;
}

Verdict TwinSession::broken(const std::string& what) {
  story_ = fmt::format("{}\n  plain: {}\n  sealed: {}", what, PQerrorMessage(plain_),
                       PQerrorMessage(sealed_));
  return Verdict::kDifferent;
}

Verdict TwinSession::compare(const std::vector<Shown>& plain, const std::vector<Shown>& sealed,
                             const std::string& what) {
  for (std::size_t i = 0; i < std::max(plain.size(), sealed.size()); ++i) {
    const Shown none{
        .picture = "nothing\n", .sqlstate = {}, .message = {}, .tag = {}, .parameter_types = {}};
    const auto& direct = i < plain.size() ? plain[i] : none;
    const auto& through = i < sealed.size() ? sealed[i] : none;
    if (through.sqlstate == "0A000" && direct.sqlstate != "0A000") {
      return Verdict::kRefused;
    }
    // The gateway finds some errors before the server does, and others in another order.
    const bool same = direct.sqlstate == through.sqlstate;
    const bool may_differ = (!direct.sqlstate.empty() && is_of_gateway(through.message)) ||
                            (is_of_a_row(direct.sqlstate) && is_of_a_row(through.sqlstate)) ||
                            (may_come_first(direct.sqlstate, through.sqlstate) &&
                             !through.message.contains("theriac_"));
    if (may_differ) return same ? Verdict::kFailed : Verdict::kOtherErrors;
    if (through.message.find("theriac_") != std::string::npos ||
        direct.picture != through.picture) {
      story_ = fmt::format("{}\nanswer {}, direct:\n{}{}\nthrough the gateway:\n{}{}\n", what,
                           i + 1, short_of(direct.picture), direct.message,
                           short_of(through.picture), through.message);
      return Verdict::kDifferent;
    }
    if (!direct.sqlstate.empty()) return Verdict::kFailed;
    last_tag_ = direct.tag;
    if (!direct.parameter_types.empty()) described_ = direct.parameter_types;
  }
  if (PQtransactionStatus(plain_) != PQtransactionStatus(sealed_)) {
    story_ = what + "\ntransaction status differs";
    return Verdict::kDifferent;
  }
  return Verdict::kEqual;
}

Verdict TwinSession::ask(const Step& step, const std::string& context) {
  ++asked_;
  described_.clear();
  if (!send(sealed_, step) || !send(plain_, step)) return broken(step.sql);
  const auto plain = collect(plain_, step);
  const auto sealed = collect(sealed_, step);
  constexpr std::string_view kHow[] = {"simple", "unnamed", "PREPARE", "describe", "named"};
  std::string what =
      fmt::format("{}{}\n  {}{}", context, step.sql, kHow[static_cast<std::size_t>(step.how)],
                  step.binary ? ", binary" : "");
  for (const auto& value : step.values) what += "\n  with " + value.value_or("NULL");
  return compare(plain, sealed, what);
}

Verdict TwinSession::ask_pipelined(const std::vector<Step>& steps) {
  asked_ += steps.size();
  std::string what;
  for (const auto& step : steps) what += step.sql + " ;; (pipelined)\n";
  for (auto* one : {sealed_, plain_}) {
    if (PQenterPipelineMode(one) != 1) return broken(what);
    for (const auto& step : steps) {
      if (!send(one, step)) return broken(what);
    }
    if (PQpipelineSync(one) != 1) return broken(what);
  }
  const auto plain = collect_pipelined(plain_, steps);
  const auto sealed = collect_pipelined(sealed_, steps);
  for (auto* one : {sealed_, plain_}) {
    if (PQexitPipelineMode(one) != 1) return broken(what);
  }
  return compare(plain, sealed, what);
}

}  // namespace theriac::adversary
