// A small generator of SQL over the tables of test_catalogue.hpp. Used by tests only.
#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace theriac::rewrite::testing {

/// Random statements over protected tables, mostly ones that a program could write.
class Grammar {
 public:
  explicit Grammar(std::uint32_t seed) : engine_(seed) {}

  std::string statement() {
    switch (pick(23)) {
      case 20:
        return merge();
      case 21:
        return whole_row();
      case 22:
        return detour();
      case 16:
        return set_operation();
      case 17:
        return distinct();
      case 18:
      case 19:
        return grouped();
      case 0:
      case 1:
        return update();
      case 2:
      case 3:
        return remove();
      case 4:
      case 5:
        return insert();
      case 6:
        return with_chain();
      case 7:
        return grouped();
      case 8:
        return lateral();
      case 9:
        return chance(50) ? aliased() : writing_with();
      default:
        return select(0);
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
        return made("customers", {{"id", "int"},
                                  {"name", "text"},
                                  {"kind", "text"},
                                  {"phone", "text"},
                                  {"credit", "num"},
                                  {"birth", "date"},
                                  {"note", "text"},
                                  {"status", "text"}});
      case 2:
        return made("usage", {{"id", "int"},
                              {"patient", "text"},
                              {"name", "text"},
                              {"age", "int"},
                              {"customer_id", "int"}});
      case 3:
        return made("batches",
                    {{"id", "int"}, {"batch_no", "text"}, {"recipe", "text"}, {"qty", "int"}});
      case 4:
        return made("orders", {{"id", "int"}, {"contact", "text"}, {"customer_id", "int"}});
      default:
        return made("devices", {{"id", "int"}, {"name", "text"}});
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
        } else if (chance(8)) {
          source.from.insert(source.from.size() - other.from.size() - joins[kind].size(),
                             " NATURAL");
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
    switch (pick(18)) {
      case 14:
        return carrier(column, type) + any({" = ", " <> ", " IS DISTINCT FROM "}) + value(type);
      case 15:
        return "(" + column + ", " + source.columns[0].first + ")" +
               any({" = ", " <> ", " IS NOT DISTINCT FROM "}) + "(" + value(type) + ", 1)";
      case 16:
        return value(type) + " IN (" + column + ", " +
               source.columns[pick(source.columns.size())].first + ")";
      case 17:
        return "CASE " + column + " WHEN " + value(type) + " THEN true WHEN " + value(type) +
               " THEN false END";
      case 0:
      case 1:
      case 2:
        return column + " = " + value(type);
      case 3:
        return column + " <> " + value(type);
      case 4:
        return column + " IN (" + value(type) + ", " + value(type) + ")";
      case 5:
        return column + " NOT IN (" + value(type) + ", " + value(type) + ")";
      case 6:
        return column + (chance(50) ? " IS NULL" : " IS NOT NULL");
      case 7:
        return column + " IS DISTINCT FROM " + value(type);
      case 8:
        return "(" + column + " = " + value(type) + ") IS NOT TRUE";
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
      case 11:
        if (chance(40)) {
          return column + any({" = ANY ($1)", " <> ALL ($1)"});
        }
        if (type == "text" && chance(40)) {
          return column + any({" = ANY ('{secret,B2}')", " = ANY ('{secret,NULL}'::text[])",
                               " <> ALL ('{clinic}')"});
        }
        return column + " = ANY (ARRAY[" + value(type) + ", " + value(type) + "])";
      case 12:
        return column + " > " + value(type);
      default:
        return column + " = " + source.columns[pick(source.columns.size())].first;
    }
  }

  std::string condition(const Source& source, int depth) {
    auto out = predicate(source, depth);
    while (chance(35)) out += (chance(65) ? " AND " : " OR ") + predicate(source, depth);
    return chance(10) ? "NOT (" + out + ")" : out;
  }

  std::string output(const Source& source, int depth) {
    const auto& [column, type] = source.columns[pick(source.columns.size())];
    switch (pick(17)) {
      case 12:
      case 13:
        return carrier(column, type);
      case 14:
        // Its order is certain in one table only: the first column is a key.
        if (source.from.find_first_of(",(") != std::string::npos || source.from.contains("JOIN")) {
          return column;
        }
        return any({"lag", "lead", "first_value"}) + "(" + column + ") OVER (" +
               (chance(50) ? "PARTITION BY " + source.columns[pick(source.columns.size())].first
                           : std::string()) +
               " ORDER BY " + source.columns[0].first + ")";
      case 15:
        return "count(*) OVER (PARTITION BY " + column + ")";
      case 16:
        return column + any({"::text", "::varchar", "::bigint", "::numeric"});
      case 0:
        return "*";
      case 1:
        return column + " AS x" + std::to_string(pick(3));
      case 2:
        return predicate(source, depth);
      case 3:
        return "CASE WHEN " + predicate(source, depth) + " THEN 1 ELSE 0 END";
      case 4:
        return "lower(" + column + "::text)";
      case 5: {
        if (depth > 1) return column;
        const auto inner = table();
        return "(SELECT " + inner.columns[pick(inner.columns.size())].first + " FROM " +
               inner.from + " WHERE " + inner.columns[0].first + " = " + source.columns[0].first +
               " LIMIT 1)";
      }
      case 6:
        return column + "::text";
      default:
        return column;
    }
  }

  /// An expression that hands on the column's value.
  std::string carrier(const std::string& column, const std::string& type) {
    switch (pick(5)) {
      case 0:
        return "COALESCE(" + column + ", " + value(type) + ")";
      case 1:
        return "CASE WHEN " + column + " = " + value(type) + " THEN " + value(type) + " ELSE " +
               column + " END";
      case 2:
        return "NULLIF(" + column + ", " + value(type) + ")";
      case 3:
        return "CASE " + column + " WHEN " + value(type) + " THEN NULL ELSE " + column + " END";
      default:
        return "COALESCE(NULLIF(" + column + ", " + value(type) + "), " + value(type) + ")";
    }
  }

  std::string set_operation() {
    const auto side = [&](std::size_t width) {
      const auto source = table();
      std::string list;
      for (std::size_t i = 0; i < width; ++i) {
        const auto& [column, type] = source.columns[pick(source.columns.size())];
        list += (list.empty() ? "" : ", ") + (chance(80)   ? column
                                              : chance(50) ? value(type)
                                                           : carrier(column, type));
      }
      return "SELECT " + (chance(15) ? "DISTINCT " : std::string()) + list + " FROM " +
             source.from + (chance(40) ? " WHERE " + condition(source, 1) : "");
    };
    const std::vector<std::string> kinds{" UNION ",  " UNION ALL ",     " INTERSECT ",
                                         " EXCEPT ", " INTERSECT ALL ", " EXCEPT ALL "};
    const auto width = 1 + pick(2);
    auto out = side(width) + any(kinds) + side(width);
    if (chance(30)) out = "(" + out + ")" + any(kinds) + side(width);
    if (chance(30)) {
      return "SELECT " + any({"*", "a", "count(*)", "DISTINCT a"}) + " FROM (" + out + ") AS u(a)" +
             any({"", " WHERE a = 'secret'", " WHERE a IS NULL"});
    }
    return out;
  }

  std::string distinct() {
    const auto source = from(1);
    std::string list;
    for (std::size_t i = 0; i < 1 + pick(3); ++i) {
      const auto& [column, type] = source.columns[pick(source.columns.size())];
      list += (list.empty() ? "" : ", ") + (chance(80) ? column : carrier(column, type));
    }
    auto out = "SELECT DISTINCT " + list + " FROM " + source.from +
               (chance(40) ? " WHERE " + condition(source, 1) : "");
    if (chance(30)) return "SELECT count(*) FROM (" + out + ") q";
    if (chance(20)) return "SELECT id FROM customers WHERE name IN (" + out + ")";
    return out;
  }

  std::string with_chain() {
    const auto first = from(1);
    const auto a = first.columns[pick(first.columns.size())].first;
    const auto b = first.columns[pick(first.columns.size())].first;
    auto out = "WITH w" + std::string(chance(50) ? "(a, b)" : "(a)") + " AS (SELECT " + a + ", " +
               b + " AS b FROM " + first.from + "), v AS (SELECT " +
               any({"*", "w.*", "a, b", "b, a AS b2, 1"}) + " FROM w" +
               (chance(40) ? " WHERE a = 'secret'" : "") + ") SELECT ";
    out +=
        any({"*", "v.*", "count(*)", "a", "b"}) + " FROM v" + any({"", ", w", " JOIN w USING (a)"});
    return out +
           any({"", " WHERE v.a = 'secret'", " WHERE v.b IS NULL", " WHERE v.b IN ('secret')"});
  }

  std::string grouped() {
    const auto source = chance(60) ? table() : from(1);
    const auto& key = source.columns[0].first;
    const auto& [other, type] = source.columns[pick(source.columns.size())];
    if (chance(50)) {
      const auto by = chance(70) ? other : carrier(other, type);
      return "SELECT " + any({by + ", ", ""}) +
             any({"count(*)", "count(" + other + ")", "count(DISTINCT " + other + ")",
                  "count(*) FILTER (WHERE " + predicate(source, 1) + ")",
                  "sum(CASE WHEN " + other + " = " + value(type) + " THEN 1 ELSE 0 END)"}) +
             " FROM " + source.from + (chance(30) ? " WHERE " + condition(source, 1) : "") +
             " GROUP BY " + any({by, by + ", " + key}) +
             any({"", " HAVING " + by + " = " + value(type), " HAVING " + by + " IS NOT NULL",
                  " HAVING count(*) > 1"});
    }
    return "SELECT " + other + ", count(" + any({"*", other}) + ") FROM " + source.from +
           " GROUP BY " + any({key + ", " + other, other, "1, " + key, key}) +
           any({"", " HAVING count(*) > 0", " ORDER BY 2"});
  }

  std::string lateral() {
    const auto source = table();
    const auto inner = table();
    const auto& column = source.columns[pick(source.columns.size())].first;
    return "SELECT * FROM " + source.from + ", LATERAL (SELECT " + any({"*", column, "1"}) +
           " AS z FROM " + inner.from + " WHERE " + column + " = " +
           inner.columns[pick(inner.columns.size())].first + ") l" + any({"", "(y)", "(y, x)"});
  }

  std::string aliased() {
    const std::string alias =
        any({"c(i, n)", "c(i, n, k, p, d)", "c(name, id)", "c(a, b, c, d, e, f, g, h, i, j)"});
    return "SELECT " + any({"*", "n", "c.i", "name", "c.name", "h, i", "b, c.c", "id"}) +
           " FROM customers AS " + alias +
           any({"", " WHERE n = 'secret'", " WHERE name = 'secret'", " WHERE c.b = 'secret'",
                " WHERE i IS NULL", " JOIN usage USING (name)"});
  }

  std::string writing_with() {
    const auto id = std::to_string(2000 + pick(100));
    return any(
        {"WITH n AS (INSERT INTO usage (id, patient) VALUES (" + id +
             ", 'secret') RETURNING *) SELECT * FROM n",
         "WITH n AS (INSERT INTO batches (id, recipe) VALUES (" + id +
             ", 'secret') RETURNING id, recipe) SELECT recipe FROM n WHERE id > 0",
         "WITH d AS (DELETE FROM usage WHERE patient = 'secret' RETURNING patient, name) "
         "SELECT name FROM d WHERE patient = 'secret'",
         "WITH u AS (UPDATE usage SET name = 'new' WHERE id = 1 RETURNING *) SELECT * FROM u",
         "WITH s AS (SELECT id FROM customers WHERE name = 'secret') UPDATE usage SET "
         "patient = 'moved' WHERE customer_id IN (SELECT id FROM s) RETURNING id, patient",
         "UPDATE usage u SET patient = 'moved', age = 3 FROM customers c WHERE c.name = "
         "u.patient RETURNING u.id, patient, c.name"});
  }

  std::string merge() {
    const auto source = any({"(VALUES (1, 'secret', 42), (77, 'secret2', NULL)) s(id, name, age)",
                             "(SELECT id, name, 7 AS age FROM customers WHERE id < 5) s",
                             "(SELECT id, patient AS name, age FROM usage) s",
                             "(SELECT d.id, d.name, 3 AS age FROM devices d) s"});
    const auto matched =
        any({"", " WHEN MATCHED THEN DELETE", " WHEN MATCHED THEN UPDATE SET patient = s.name",
             " WHEN MATCHED AND u.age = 42 THEN UPDATE SET age = 5, patient = NULL",
             " WHEN MATCHED AND u.patient IS NULL THEN UPDATE SET name = 'moved', used = NULL",
             " WHEN MATCHED AND s.id > 1 THEN UPDATE SET (name, age) = (s.name, s.age)"});
    const auto missing =
        any({" WHEN NOT MATCHED THEN DO NOTHING",
             " WHEN NOT MATCHED THEN INSERT (id, patient, age) VALUES (s.id + 200, s.name, s.age)",
             " WHEN NOT MATCHED AND s.id < 3 THEN INSERT (id, name) VALUES (300 + s.id, 'new')"});
    return "MERGE INTO usage u USING " + source + " ON " +
           any({"u.id = s.id", "u.id = s.id AND u.name = s.name", "u.patient = s.name"}) + matched +
           missing;
  }

  std::string whole_row() {
    Source source{"customers c", {{"c.id", "int"}, {"c.name", "text"}, {"c.kind", "text"}}};
    if (chance(50)) source.from = "orders o LEFT JOIN customers c ON c.id = o.customer_id";
    return "SELECT " +
           any({"c", "c, c.id", "(c).*", "count(c)", "ROW(c.id, c.name, c.kind)", "c IS NULL",
                "c IS NOT NULL, c.id"}) +
           " FROM " + source.from + (chance(60) ? " WHERE " + condition(source, 1) : "");
  }

  /// Literals that get to protected columns through VALUES.
  std::string detour() {
    // A row met twice is refused: these ids are not changed for others.
    const auto rows =
        "(VALUES ('1'::int, " + value("text") + "), ('2'::int, " + value("text") + ")) v(id, x)";
    return any({"UPDATE usage u SET patient = v.x FROM " + rows + " WHERE u.id = v.id",
                "UPDATE usage u SET name = v.x, age = 3 FROM " + rows +
                    " WHERE u.id = v.id AND u.name IS DISTINCT FROM v.x RETURNING u.id, u.name",
                "INSERT INTO usage (id, patient) SELECT 400 + v.id, v.x FROM " + rows,
                "WITH i AS (INSERT INTO usage (id, name) SELECT 400 + v.id, v.x FROM " + rows +
                    " RETURNING id, name) SELECT * FROM i",
                "WITH u AS (UPDATE usage SET patient = 'moved' WHERE age = 42 RETURNING id, "
                "patient) SELECT u.id, u.patient FROM u"});
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
    auto out =
        "SELECT " + (chance(5) ? "DISTINCT " : std::string()) + list + " FROM " + source.from;
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
      const auto name =
          column.substr(column.find('.') == std::string::npos ? 0 : column.find('.') + 1);
      if (sets.starts_with(name + " ")) continue;
      sets += (sets.empty() ? "" : ", ") + name + " = " +
              (chance(10)   ? "DEFAULT"
               : chance(10) ? column
               : chance(20) ? source.columns[pick(source.columns.size())].first
               : chance(10) ? carrier(column, type)
                            : value(type));
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
    switch (pick(9)) {
      case 4:
        return "INSERT INTO customers (id, name, note) SELECT id + " + id + ", " +
               any({"name", "note", "kind", "'x'", "COALESCE(name, 'secret')", "status"}) +
               ", 'made' FROM customers" + any({"", " WHERE name = 'secret'"}) +
               any({"", " RETURNING id, name", " ON CONFLICT (id) DO NOTHING"});
      case 5:
        return "INSERT INTO batches (id, batch_no, recipe, qty) SELECT id + " + id + ", " +
               any({"batch_no", "recipe", "NULL", "'B9'"}) + ", " +
               any({"recipe", "batch_no", "'r'"}) + ", qty FROM batches" +
               any({"", " RETURNING *", " WHERE batch_no = 'B2'"});
      case 6:
        return "INSERT INTO usage (id, patient, name, age) SELECT " + id + " + id, " +
               any({"name", "status", "'new'"}) + ", name, " + any({"NULL", "1", "id"}) +
               " FROM customers " + any({"", "UNION SELECT 5000, 'x', 'y', 3"});
      case 7:
        return "INSERT INTO customers AS c (id, name, phone, note) VALUES (" + any({"1", "2", id}) +
               ", " + value("text") + ", " + value("text") +
               ", 'n') ON CONFLICT (id) DO UPDATE SET " +
               any({"name = excluded.name", "name = 'fresh'", "name = NULL", "name = c.phone",
                    "name = COALESCE(excluded.name, c.name), note = c.note",
                    "phone = excluded.phone, name = DEFAULT", "status = DEFAULT"}) +
               any({"", " WHERE c.name <> excluded.name", " WHERE c.name = 'secret'"}) +
               any({"", " RETURNING id, c.name, phone"});
      case 8:
        return "INSERT INTO batches (id, batch_no, recipe) VALUES (" + any({"1", "2", id}) + ", " +
               value("text") + ", " + value("text") + ") ON CONFLICT (id) DO UPDATE SET " +
               any({"batch_no = excluded.batch_no, recipe = excluded.recipe",
                    "batch_no = excluded.batch_no", "qty = 5"}) +
               any({"", " RETURNING *"});
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
               any({"note", "name", "kind", "'x'"}) +
               " FROM customers WHERE name = " + value("text");
    }
  }

  std::mt19937 engine_;
  int aliases_ = 0;
};

}  // namespace theriac::rewrite::testing
