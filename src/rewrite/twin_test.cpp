// The golden cases and generated statements, run on a real PostgreSQL twice: directly on plain
// tables, and through analyse() on tables in their physical form. Answers and tables must be equal.
// What analyse() does not understand would fail here: the plain columns give no rights.
#include <gtest/gtest.h>

#include <random>

#include "rewrite/twin.hpp"

namespace theriac::rewrite {
namespace {

using testing::Answer;
using testing::PrivatePostgres;
using testing::Row;
using testing::Twin;

const std::vector<std::string>& rows() {
  static const std::vector<std::string> kRows{
      "INSERT INTO customers VALUES (1, 'secret', 'clinic', '555-1', 'ID1', 10.50, '2001-02-03', "
      "'n1', 'new', '2026-01-01 00:00:00+00')",
      "INSERT INTO customers VALUES (2, 'secret2', 'hospital', NULL, 'ID2', 10.5, '2001-02-03', "
      "'n2', 'old', NULL), (3, 'Ünïcode 张伟', 'clinic', 'secret', NULL, -5, NULL, NULL, NULL, NULL)",
      "INSERT INTO customers (id, name, kind) VALUES (4, NULL, 'laboratory'), (5, 'secret', NULL)",
      "INSERT INTO customers (id, name, credit, note) VALUES (6, '', 0, ''), (7, 'Secret', 7.5, 'x')",
      "INSERT INTO usage (id, batch_id, customer_id, patient, name, age, used) VALUES "
      "(1, 1, 1, 'secret', 'secret', 42, '2026-01-02'), (2, 1, 2, 'secret2', 'other', 7, NULL), "
      "(3, 2, 1, NULL, 'secret', NULL, '2026-01-03'), (4, 2, 3, 'nobody', NULL, 42, NULL), "
      "(5, 3, 5, '', '', 0, NULL)",
      "INSERT INTO batches (id, batch_no, recipe, qty) VALUES (1, 'secret', 'r1', 5), "
      "(2, 'B2', 'secret2', 6), (3, NULL, NULL, 7)",
      "INSERT INTO orders VALUES (1, 1, 'ann', 5, 'clinic'), (2, 2, 'secret', 6, 'x'), "
      "(3, 1, NULL, 7, NULL), (10, 99, 'bob', 8, 'clinic')",
      "INSERT INTO devices VALUES (1, 'not protected', 'm'), (2, 'secret', 'm2'), (3, NULL, NULL)",
      "INSERT INTO stamped (id, made, label) VALUES (1, '2026-11-21 02:30:00+08', 'a'), "
      "(2, '2026-11-20 18:30:00+00', 'b'), (3, NULL, 'c')",
      "INSERT INTO \"Odd Name\" VALUES (1, 'secret'), (2, 'x')",
      "INSERT INTO lab.samples VALUES (1, 'secret', 1.5), (2, 'nobody', NULL)",
      "INSERT INTO other.customers VALUES (1, 'plain'), (2, 'secret')"};
  return kRows;
}

std::string shown(const Answer& answer) {
  if (!answer.good()) return "error " + answer.sqlstate + "\n";
  std::vector<std::string> lines;
  for (const auto& row : answer.rows) {
    std::string line;
    for (const auto& value : row) line += (value ? "'" + *value + "'" : std::string("NULL")) + " ";
    lines.push_back(std::move(line));
  }
  // Without ORDER BY any order is right, and plans differ.
  std::sort(lines.begin(), lines.end());
  std::string out = answer.tag + "\n";
  for (const auto& name : answer.names) out += name + " ";
  out += "\n";
  for (const auto type : answer.types) out += std::to_string(type) + " ";
  out += "\n";
  for (const auto& line : lines) out += line + "\n";
  return out;
}

class TwinTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!PrivatePostgres::get().runs()) return;
    twin_ = new Twin();  // NOLINT: freed below
    problem_ = twin_->set_up();
    for (const auto& sql : rows()) {
      if (!problem_.empty()) return;
      const auto direct = twin_->logical().run(sql);
      const auto through = twin_->through(sql, {}, nullptr);
      if (!direct.good()) problem_ = direct.message;
      if (!through) problem_ = "refused: " + sql;
      if (through && !through->good()) problem_ = through->message;
    }
  }
  static void TearDownTestSuite() {
    delete twin_;
    twin_ = nullptr;
  }
  void SetUp() override {
    if (!PrivatePostgres::get().runs()) GTEST_SKIP();
    ASSERT_EQ(problem_, "");
  }

  std::string tables(bool through) {
    std::string out;
    for (const auto& relation : twin_->catalogue().relations()) {
      if (relation.kind != 'r' || relation.schema == "pg_catalog") continue;
      const auto sql = "SELECT * FROM " + testing::full_name(relation);
      out += relation.name + "\n";
      if (!through) {
        out += shown(twin_->logical().run(sql));
      } else if (const auto answer = twin_->through(sql, {}, nullptr)) {
        out += shown(*answer);
      }
    }
    return out;
  }

  /// Runs on both sides and compares. False if the statement does not count: refused, or wrong SQL.
  bool compare(const std::string& sql) {
    auto& logical = twin_->logical();
    const auto plan = analyse(sql, twin_->catalogue(), Context{});
    if (!plan || plan->statements.size() != 1 ||
        plan->statements.front().action == Action::kRefuse) {
      return false;
    }
    const auto types = logical.parameter_types(sql);
    if (!types) return false;
    Row values;
    for (const auto type : *types) values.emplace_back(type == 25 || type == 1043 ? "secret" : "1");
    for (std::size_t i = 0; i < types->size(); ++i) {
      if ((*types)[i] == pgwire::kOidDate) values[i] = "2001-02-03";
      if ((*types)[i] == 1009) values[i] = "{secret}";
    }
    logical.run("BEGIN");
    twin_->physical().run("BEGIN");
    std::vector<testing::Sent> sent;
    for (const auto& value : values) sent.push_back({value, false, 0});
    const auto direct = logical.run(sql, sent);
    std::string text;
    const auto through = twin_->through(sql, values, &text);
    const bool counts = through.has_value() && direct.good();
    if (counts) {
      EXPECT_EQ(shown(*through), shown(direct)) << sql << "\n" << text << "\n" << through->message;
      if (through->good() && !direct.tag.starts_with("SELECT") &&
          !direct.tag.starts_with("DECLARE")) {
        EXPECT_EQ(tables(true), tables(false)) << sql << "\n" << text;
      }
    }
    logical.run("ROLLBACK");
    twin_->physical().run("ROLLBACK");
    return counts;
  }

  static Twin* twin_;
  static std::string problem_;
};
Twin* TwinTest::twin_ = nullptr;
std::string TwinTest::problem_;

TEST_F(TwinTest, TablesAreEqualAtTheStart) { EXPECT_EQ(tables(true), tables(false)); }

TEST_F(TwinTest, PlainColumnsGiveNoRights) {
  EXPECT_EQ(twin_->physical().run("SELECT name FROM customers").sqlstate, "42501");
  EXPECT_EQ(twin_->physical().run("SELECT * FROM customers").sqlstate, "42501");
  EXPECT_EQ(twin_->physical().run("DELETE FROM customers WHERE name IS NULL").sqlstate, "42501");
}

TEST_F(TwinTest, GoldenCasesGiveWhatPlainTablesGive) {
  std::size_t counted = 0;
  for (const auto* file : {"10_select", "20_predicates", "30_write"}) {
    std::ifstream in(fmt::format("{}/src/rewrite/testdata/{}.sql.test", THERIAC_SOURCE_DIR, file));
    std::string line;
    while (std::getline(in, line)) {
      // Time and sequences differ from run to run.
      if (!line.starts_with("> ") || line.contains("now()") || line.contains("nextval") ||
          line.contains("xmin") || line.contains("INTO copy") || line.contains("TABLESAMPLE")) {
        continue;
      }
      counted += compare(line.substr(2)) ? 1 : 0;
    }
  }
  EXPECT_GT(counted, 200U);
}

/// Random statements over protected tables, mostly ones that a program could write.
class Grammar {
 public:
  explicit Grammar(std::uint32_t seed) : engine_(seed) {}

  std::string statement() {
    switch (pick(8)) {
      case 0: return update();
      case 1: return remove();
      case 2: return insert();
      default: return select(0);
    }
  }

 private:
  struct Source {
    std::string from;
    std::vector<std::pair<std::string, std::string>> columns;  ///< reference, type
  };

  std::size_t pick(std::size_t count) { return engine_() % count; }
  bool chance(std::size_t percent) { return pick(100) < percent; }
  const std::string& any(const std::vector<std::string>& list) { return list[pick(list.size())]; }

  Source table() {
    const auto alias = chance(60) ? std::string("t") + std::to_string(++aliases_) : std::string();
    const auto made = [&](const std::string& name,
                          const std::vector<std::pair<std::string, std::string>>& columns) {
      Source source{name + (alias.empty() ? "" : (chance(50) ? " AS " : " ") + alias), {}};
      for (const auto& [column, type] : columns) {
        const auto prefix = alias.empty() ? name : alias;
        source.columns.emplace_back(chance(75) ? prefix + "." + column : column, type);
      }
      return source;
    };
    switch (pick(6)) {
      case 0:
      case 1:
        return made("customers", {{"id", "int"}, {"name", "text"}, {"kind", "text"},
                                  {"phone", "text"}, {"credit", "num"}, {"birth", "date"},
                                  {"note", "text"}, {"status", "text"}});
      case 2:
        return made("usage", {{"id", "int"}, {"patient", "text"}, {"name", "text"},
                              {"age", "int"}, {"customer_id", "int"}});
      case 3:
        return made("batches", {{"id", "int"}, {"batch_no", "text"}, {"recipe", "text"},
                                {"qty", "int"}});
      case 4: return made("orders", {{"id", "int"}, {"contact", "text"}, {"customer_id", "int"}});
      default: return made("devices", {{"id", "int"}, {"name", "text"}});
    }
  }

  Source derived(int depth) {
    const auto alias = "q" + std::to_string(++aliases_);
    const auto inner = from(depth + 1);
    std::string list;
    Source source;
    for (std::size_t i = 0; i < 2 + pick(2); ++i) {
      const auto& [column, type] = inner.columns[pick(inner.columns.size())];
      const auto name = "c" + std::to_string(i);
      list += (list.empty() ? "" : ", ") + column + " AS " + name;
      source.columns.emplace_back(alias + "." + name, type);
    }
    source.from = "(SELECT " + list + " FROM " + inner.from +
                  (chance(40) ? " WHERE " + condition(inner, depth + 1) : "") + ") " + alias;
    return source;
  }

  Source from(int depth) {
    auto source = depth < 2 && chance(20) ? derived(depth) : table();
    if (depth < 2 && chance(35)) {
      const auto other = chance(25) ? derived(depth) : table();
      const auto kind = pick(5);
      if (kind == 4) {
        source.from += ", " + other.from;
      } else {
        const std::vector<std::string> joins{" JOIN ", " LEFT JOIN ", " RIGHT JOIN ",
                                             " FULL JOIN "};
        source.from += joins[kind] + other.from;
        if (chance(15)) {
          source.from += chance(50) ? " USING (id)" : " USING (name)";
        } else {
          source.from += " ON " + source.columns[pick(source.columns.size())].first + " = " +
                         other.columns[pick(other.columns.size())].first;
        }
      }
      source.columns.insert(source.columns.end(), other.columns.begin(), other.columns.end());
    }
    return source;
  }

  std::string value(const std::string& type) {
    if (type == "int") return any({"1", "2", "42", "'3'", "7::bigint", "NULL"});
    if (type == "num") return any({"10.5", "10.50", "-5", "'7.5'::numeric", "0", "NULL"});
    if (type == "date") return any({"'2001-02-03'", "date '2001-02-03'", "NULL"});
    return any({"'secret'", "'secret2'", "''", "'B2'", "'secret'::text", "'clinic'",
                "CAST('secret' AS varchar(20))", "'Ünïcode 张伟'", "NULL"});
  }

  std::string predicate(const Source& source, int depth) {
    const auto& [column, type] = source.columns[pick(source.columns.size())];
    switch (pick(14)) {
      case 0:
      case 1:
      case 2: return column + " = " + value(type);
      case 3: return column + " <> " + value(type);
      case 4: return column + " IN (" + value(type) + ", " + value(type) + ")";
      case 5: return column + " NOT IN (" + value(type) + ", " + value(type) + ")";
      case 6: return column + (chance(50) ? " IS NULL" : " IS NOT NULL");
      case 7: return column + " IS DISTINCT FROM " + value(type);
      case 8: return "(" + column + " = " + value(type) + ") IS NOT TRUE";
      case 9: {
        if (depth > 1) return "true";
        const auto inner = from(depth + 1);
        const auto& [other, other_type] = inner.columns[pick(inner.columns.size())];
        return column + (chance(70) ? " IN (SELECT " : " NOT IN (SELECT ") + other + " FROM " +
               inner.from + (chance(50) ? " WHERE " + condition(inner, depth + 1) : "") + ")";
      }
      case 10: {
        if (depth > 1) return "true";
        const auto inner = from(depth + 1);
        return "EXISTS (SELECT " + std::string(chance(50) ? "1" : "*") + " FROM " + inner.from +
               " WHERE " + inner.columns[pick(inner.columns.size())].first + " = " + column + ")";
      }
      case 11: return column + " = ANY (ARRAY[" + value(type) + ", " + value(type) + "])";
      case 12: return column + " > " + value(type);
      default: return column + " = " + source.columns[pick(source.columns.size())].first;
    }
  }

  std::string condition(const Source& source, int depth) {
    auto out = predicate(source, depth);
    while (chance(35)) out += (chance(65) ? " AND " : " OR ") + predicate(source, depth);
    return chance(10) ? "NOT (" + out + ")" : out;
  }

  std::string output(const Source& source, int depth) {
    const auto& [column, type] = source.columns[pick(source.columns.size())];
    switch (pick(12)) {
      case 0: return "*";
      case 1: return column + " AS x" + std::to_string(pick(3));
      case 2: return predicate(source, depth);
      case 3: return "CASE WHEN " + predicate(source, depth) + " THEN 1 ELSE 0 END";
      case 4: return "lower(" + column + "::text)";
      case 5: {
        if (depth > 1) return column;
        const auto inner = table();
        return "(SELECT " + inner.columns[pick(inner.columns.size())].first + " FROM " +
               inner.from + " WHERE " + inner.columns[0].first + " = " +
               source.columns[0].first + " LIMIT 1)";
      }
      case 6: return column + "::text";
      default: return column;
    }
  }

  std::string select(int depth) {
    const auto source = from(depth);
    std::string list;
    if (chance(8)) {
      list = "count(" + (chance(50) ? "DISTINCT " : std::string()) +
             source.columns[pick(source.columns.size())].first + ")";
    } else {
      for (std::size_t i = 0; i < 1 + pick(3); ++i) {
        list += (list.empty() ? "" : ", ") + output(source, depth);
      }
    }
    auto out = "SELECT " + (chance(5) ? "DISTINCT " : std::string()) + list + " FROM " + source.from;
    if (chance(70)) out += " WHERE " + condition(source, depth);
    if (chance(10)) out += " ORDER BY " + source.columns[pick(source.columns.size())].first;
    if (chance(8)) {
      const auto cte = source.columns[pick(source.columns.size())].first;
      return "WITH w AS (SELECT " + cte + " AS v FROM " + source.from + ") SELECT " +
             any({"*", "v", "w.v", "count(v)"}) + " FROM w" +
             (chance(50) ? " WHERE v = 'secret'" : "");
    }
    if (chance(6)) out += any({" UNION ALL ", " UNION "}) + out;
    return out;
  }

  std::string update() {
    const auto source = table();
    std::string sets;
    for (std::size_t i = 0; i < 1 + pick(2); ++i) {
      const auto& [column, type] = source.columns[1 + pick(source.columns.size() - 1)];
      const auto name = column.substr(column.find('.') == std::string::npos ? 0
                                                                            : column.find('.') + 1);
      if (sets.starts_with(name + " ")) continue;
      sets += (sets.empty() ? "" : ", ") + name + " = " +
              (chance(10) ? "DEFAULT" : chance(10) ? column : value(type));
    }
    auto out = "UPDATE " + source.from + " SET " + sets;
    if (chance(80)) out += " WHERE " + condition(source, 1);
    if (chance(30)) out += " RETURNING " + output(source, 2);
    return out;
  }

  std::string remove() {
    const auto source = table();
    auto out = "DELETE FROM " + source.from + " WHERE " + condition(source, 1);
    if (chance(30)) out += " RETURNING " + output(source, 2);
    return out;
  }

  std::string insert() {
    const auto id = std::to_string(100 + pick(1000));
    switch (pick(4)) {
      case 0:
        return "INSERT INTO customers (id, name, credit, note) VALUES (" + id + ", " +
               value("text") + ", " + value("num") + ", " + value("text") + ") RETURNING *";
      case 1:
        return "INSERT INTO usage VALUES (" + id + ", 9, 9, " + value("text") + ", " +
               value("text") + ", " + any({"1", "NULL"}) + ")" +
               any({"", " ON CONFLICT DO NOTHING", " RETURNING patient, id"});
      case 2:
        return "INSERT INTO batches (recipe, id, batch_no) VALUES (" + value("text") + ", " + id +
               ", " + value("text") + ")" + any({"", " RETURNING *", " RETURNING batch_no AS b"});
      default:
        return "INSERT INTO orders (id, contact) SELECT " + id + " + id, " +
               any({"note", "name", "kind", "'x'"}) + " FROM customers WHERE name = " +
               value("text");
    }
  }

  std::mt19937 engine_;
  int aliases_ = 0;
};

TEST_F(TwinTest, GeneratedStatementsGiveWhatPlainTablesGive) {
  constexpr std::uint32_t kStatements = 6'000;
  std::size_t counted = 0;
  for (std::uint32_t seed = 1; seed <= kStatements; ++seed) {
    counted += compare(Grammar(seed).statement()) ? 1 : 0;
    if (HasFailure()) break;
  }
  // Enough of them must have got through to mean something.
  EXPECT_GT(counted, kStatements / 5);
  RecordProperty("compared", static_cast<int>(counted));
  std::cout << counted << " of " << kStatements << " generated statements compared\n";
}

}  // namespace
}  // namespace theriac::rewrite
