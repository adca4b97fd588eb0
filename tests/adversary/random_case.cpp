#include "random_case.hpp"

#include <fmt/format.h>

#include <set>

#include "rewrite/grammar.hpp"
#include "rewrite/grammar_rows.hpp"

namespace theriac::adversary {

namespace {

using How = Step::How;
constexpr int kFillsMost = 8;

constexpr std::array kAllTables{"customers", "usage",   "batches",     "cards",          "facts",
                                "orders",    "devices", "lab.samples", "other.customers"};

bool writes(const std::string& sql) {
  return sql.find("INSERT") != std::string::npos || sql.find("UPDATE") != std::string::npos ||
         sql.find("DELETE") != std::string::npos || sql.find("FROM STDIN") != std::string::npos;
}
/// What these names mean changes on the way: other.customers is not protected.
std::vector<Step> detour(bool in_transaction) {
  std::vector<std::string> texts{"SET search_path = other", "SELECT id, note FROM customers",
                                 "RESET search_path"};
  if (in_transaction) {
    texts = {"SAVEPOINT p", "SET LOCAL search_path = other", "SELECT id, note FROM customers",
             "ROLLBACK TO p"};
  }
  std::vector<Step> out;
  for (auto& text : texts) out.push_back({.how = How::kParams, .sql = std::move(text)});
  return out;
}
/// Which of equal rows come is the server's choice, and plans differ; and so does whether a row is
/// inserted before the one with its key is deleted.
bool certain(const std::string& sql) {
  const bool replaces =
      sql.starts_with("MERGE") && sql.contains("THEN DELETE") && sql.contains("THEN INSERT");
  return !replaces && !sql.contains("LIMIT 1)");
}

std::optional<std::string> value_of(Oid type) {
  constexpr Oid kText = 25, kVarchar = 1043, kDate = 1082, kTexts = 1009, kInts = 1007,
                kNumerics = 1231, kDates = 1182, kBigints = 1016, kVarchars = 1015;
  switch (type) {
    case kText:
    case kVarchar:
      return "secret";
    case kDate:
      return "2001-02-03";
    case kTexts:
    case kVarchars:
      return "{secret,B2,NULL}";
    case kInts:
    case kBigints:
      return "{1,42}";
    case kNumerics:
      return "{10.50,0}";
    case kDates:
      return "{2001-02-03}";
    default:
      return "1";
  }
}

}  // namespace

std::optional<std::string> restore_tables(std::uint64_t seed, TwinSession& twins) {
  const Canaries canaries(seed);
  auto all = rewrite::testing::grammar_rows();
  all.emplace_back("INSERT INTO other.customers VALUES (1, 'plain', 'n'), (2, 'secret', NULL)");
  for (auto& row : StatementMaker(canaries, seed).rows()) all.push_back(std::move(row));
  std::string emptying;
  for (const auto* table : kAllTables) emptying += fmt::format("DELETE FROM {};", table);
  // The sides may hold different rows: a refused statement ran on one of them.
  twins.ask({.sql = emptying});
  if (!twins.roll_back()) return "emptying: " + twins.story();
  for (const auto& sql : all) {
    if (twins.ask({.sql = sql}) != Verdict::kEqual) return sql + ": " + twins.story();
  }
  return std::nullopt;
}

RandomCase::RandomCase(std::uint64_t seed, std::uint64_t number, TwinSession& twins, Shared& shared,
                       Tally& tally)
    : engine_(seed * 0x9e3779b97f4a7c15ULL + number),
      seed_(seed),
      number_(number),
      twins_(twins),
      shared_(shared),
      tally_(tally) {}

Verdict RandomCase::note(Verdict verdict) {
  switch (verdict) {
    case Verdict::kEqual:
      ++tally_.equal;
      break;
    case Verdict::kFailed:
      ++tally_.failed;
      break;
    case Verdict::kOtherErrors:
      ++tally_.other_errors;
      break;
    case Verdict::kRefused:
      ++tally_.refused;
      break;
    case Verdict::kDifferent:
      break;
  }
  return verdict;
}

Verdict RandomCase::step(const Step& step) { return note(twins_.ask(step)); }

Verdict RandomCase::run_steps(const std::vector<Step>& steps, bool pipelined) {
  if (pipelined) return note(twins_.ask_pipelined(steps));
  for (const auto& one : steps) {
    if (const auto verdict = step(one); verdict != Verdict::kEqual) return verdict;
  }
  return Verdict::kEqual;
}

Verdict RandomCase::compare_tables(const std::vector<Step>& steps) {
  std::string reading, what;
  for (const auto* table : kAllTables) {
    const std::string_view name(table);
    const auto bare = name.substr(name.find('.') + 1);
    for (const auto& one : steps) {
      if (one.sql.find(bare) == std::string::npos) continue;
      reading += fmt::format("SELECT * FROM {};", table);
      ++tally_.tables;
      break;
    }
  }
  for (const auto& one : steps) what += one.sql + " ;;\n";
  if (reading.empty()) return Verdict::kEqual;
  return twins_.ask({.sql = reading}, "after " + what);
}

Verdict RandomCase::begun(const std::vector<Step>& steps, bool pipelined) {
  const std::shared_lock reading(shared_.tables);
  const std::lock_guard writing(shared_.writing);
  if (twins_.ask({.sql = "BEGIN"}) != Verdict::kEqual) return Verdict::kDifferent;
  const bool savepoint = chance(10);
  if (savepoint && twins_.ask({.sql = "SAVEPOINT s"}) != Verdict::kEqual) {
    return Verdict::kDifferent;
  }
  auto verdict = run_steps(steps, pipelined);
  if (verdict == Verdict::kEqual) {
    if (compare_tables(steps) == Verdict::kDifferent) return Verdict::kDifferent;
  }
  if (savepoint && verdict != Verdict::kDifferent) {
    if (twins_.ask({.sql = "ROLLBACK TO s"}) == Verdict::kDifferent) return Verdict::kDifferent;
    if (compare_tables(steps) == Verdict::kDifferent) return Verdict::kDifferent;
  }
  if (!twins_.roll_back()) return Verdict::kDifferent;
  return verdict;
}

Verdict RandomCase::committed(const std::vector<Step>& steps, bool pipelined) {
  const std::unique_lock alone(shared_.tables);
  const bool begins = chance(50);
  if (begins && twins_.ask({.sql = "BEGIN"}) != Verdict::kEqual) return Verdict::kDifferent;
  auto verdict = run_steps(steps, pipelined);
  if (begins) {
    if (verdict == Verdict::kEqual && twins_.ask({.sql = "COMMIT"}) != Verdict::kEqual) {
      return Verdict::kDifferent;
    }
    if (!twins_.roll_back()) return Verdict::kDifferent;
  }
  ++tally_.committed;
  // A refused statement ran on the plain side alone; of many changes few rows are left to meet.
  const bool sides_differ = verdict != Verdict::kEqual;
  if (!sides_differ && compare_tables(steps) == Verdict::kDifferent) return Verdict::kDifferent;
  constexpr int kChanges = 20;
  if (sides_differ || ++shared_.changes > kChanges) {
    shared_.changes = 0;
    if (verdict != Verdict::kDifferent && restore_tables(seed_, twins_)) return Verdict::kDifferent;
  }
  return verdict;
}

Verdict RandomCase::one(const std::vector<Step>& steps, bool pipelined) {
  bool changes = false;
  for (const auto& step : steps)
    changes = changes || writes(step.sql) || step.sql.contains(" FOR ");
  if (!changes) {
    const std::shared_lock reading(shared_.tables);
    const auto verdict = run_steps(steps, pipelined);
    return twins_.roll_back() ? verdict : Verdict::kDifferent;
  }
  return commits_ ? committed(steps, pipelined) : begun(steps, pipelined);
}

Verdict RandomCase::prepared(const Shape& shape) {
  const Canaries canaries(seed_);
  StatementMaker maker(canaries, engine_());
  const auto name = fmt::format("case_{}_{}", number_, pick(1'000'000));
  const auto filled = maker.fill(shape, 60);
  Step preparing{.how = How::kPrepare, .sql = filled.sql, .name = name};
  const auto before = step(preparing);
  if (before != Verdict::kEqual) return twins_.roll_back() ? before : Verdict::kDifferent;
  if (chance(30)) {
    const auto told = step({.how = How::kDescribe, .sql = "describe " + filled.sql, .name = name});
    if (told == Verdict::kDifferent) return told;
  }
  Verdict verdict = Verdict::kEqual;
  for (int again = 0; again < 3 && verdict == Verdict::kEqual; ++again) {
    // The same text and so the same places; other values.
    Step running{.how = How::kExecute, .sql = filled.sql, .name = name};
    running.values = filled.values;
    running.binary = chance(30);
    for (std::size_t i = 0; i < running.values.size(); ++i) {
      if (chance(50)) running.values[i] = maker.another(filled, i);
    }
    running.ordered = shape.ordered;
    verdict = one({running}, false);
  }
  return verdict;
}

std::optional<std::string> RandomCase::run_canaries() {
  const Canaries canaries(seed_);
  StatementMaker maker(canaries, engine_());
  const auto shape = maker.make();
  if (chance(15)) {
    return prepared(shape) == Verdict::kDifferent ? std::optional(twins_.story()) : std::nullopt;
  }
  for (int fill = 0; fill < kFillsMost; ++fill) {
    const std::size_t how = pick(4);
    const auto filled = maker.fill(shape, how < 2 ? 0 : 50);
    Step step{.how = how == 0 ? How::kQuery : How::kParams, .sql = filled.sql};
    step.values = filled.values;
    step.binary = how == 3;
    step.ordered = shape.ordered;
    const auto verdict = one({step}, false);
    if (verdict == Verdict::kDifferent) return twins_.story();
    if (verdict == Verdict::kRefused && fill > 0) break;
  }
  return std::nullopt;
}

std::optional<std::string> RandomCase::run_grammar() {
  rewrite::testing::Grammar grammar(static_cast<std::uint32_t>(engine_()));
  auto sql = grammar.statement();
  if (!certain(sql)) return std::nullopt;
  if (sql.find("$1") != std::string::npos) {
    const auto name = fmt::format("case_{}", number_);
    if (step({.how = How::kPrepare, .sql = sql, .name = name}) != Verdict::kEqual) {
      return std::nullopt;
    }
    const auto told = step({.how = How::kDescribe, .sql = "describe " + sql, .name = name});
    if (told == Verdict::kDifferent) return twins_.story();
    Step running{.how = How::kExecute, .sql = sql, .name = name};
    for (const auto type : twins_.described()) running.values.push_back(value_of(type));
    return one({running}, false) == Verdict::kDifferent ? std::optional(twins_.story())
                                                        : std::nullopt;
  }
  for (int fill = 0; fill < kFillsMost / 2; ++fill) {
    Step step{.how = chance(50) ? How::kQuery : How::kParams, .sql = sql};
    step.binary = step.how == How::kParams && chance(30);
    const auto verdict = one({step}, false);
    if (verdict == Verdict::kDifferent) return twins_.story();
    if (verdict == Verdict::kRefused && fill > 0) break;
    sql = rewrite::testing::with_other_literals(sql, engine_);
  }
  return std::nullopt;
}

std::optional<std::string> RandomCase::run_copy() {
  const Canaries canaries(seed_);
  StatementMaker maker(canaries, engine_());
  for (int fill = 0; fill < 2; ++fill) {
    auto [sql, data] = maker.copy();
    Step copying{.sql = std::move(sql)};
    copying.copy_data = std::move(data);
    const Step reading{.sql = fmt::format("COPY (SELECT * FROM {}) TO STDOUT",
                                          kAllTables[pick(kAllTables.size())])};
    if (one({copying, reading}, false) == Verdict::kDifferent) return twins_.story();
  }
  return std::nullopt;
}

std::optional<std::string> RandomCase::run_mixed() {
  const Canaries canaries(seed_);
  StatementMaker maker(canaries, engine_());
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < 2 + pick(3); ++i) shapes.push_back(maker.make());
  for (int fill = 0; fill < 2; ++fill) {
    const bool pipelined = chance(60);
    std::vector<Step> steps;
    std::string text;
    for (const auto& shape : shapes) {
      auto filled = maker.fill(shape, pipelined ? 40 : 0);
      text += (text.empty() ? "" : "; ") + filled.sql;
      Step step{.how = How::kParams, .sql = std::move(filled.sql)};
      step.values = std::move(filled.values);
      step.binary = chance(30);
      steps.push_back(std::move(step));
    }
    if (!pipelined) {
      steps = {{.how = How::kQuery, .sql = text}};
    } else if (chance(40)) {
      bool changes = false;
      for (const auto& step : steps) changes = changes || writes(step.sql);
      auto before = detour(changes && chance(50) && !commits_);
      steps.insert(steps.begin(), before.begin(), before.end());
    }
    if (one(steps, pipelined) == Verdict::kDifferent) return twins_.story();
  }
  return std::nullopt;
}

std::optional<std::string> RandomCase::run() {
  commits_ = chance(6);
  const auto which = pick(20);
  return which < 11   ? run_canaries()
         : which < 16 ? run_grammar()
         : which < 19 ? run_mixed()
                      : run_copy();
}

}  // namespace theriac::adversary
