#include "statement_maker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace theriac::adversary {

namespace {

constexpr std::size_t kSlotsMax = 60;  // their numbers are single characters

bool is_number(Type type) {
  return type == Type::kBigint || type == Type::kShare || type == Type::kMoney ||
         type == Type::kHalf || type == Type::kAge || type == Type::kPlainInt;
}
bool has_equality(const Column& column) { return column.searchable || !column.is_protected(); }

/// ARRAY['x'] is an array of text.
std::string array_cast(Type type) {
  switch (type) {
    case Type::kUuid:
      return "::uuid[]";
    case Type::kBytes:
      return "::bytea[]";
    case Type::kBool:
      return "::bool[]";
    case Type::kDay:
      return "::date[]";
    case Type::kAt:
      return "::timestamp[]";
    case Type::kSpan:
      return "::interval[]";
    case Type::kJsonb:
      return "::jsonb[]";
    case Type::kBigint:
      return "::bigint[]";
    case Type::kShare:
    case Type::kMoney:
      return "::numeric[]";
    case Type::kHalf:
      return "::float8[]";
    case Type::kAge:
    case Type::kPlainInt:
      return "::int[]";
    default:
      return {};
  }
}

std::string array_item(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace

const std::vector<Table>& tables() {
  static const std::vector<Table> kTables{
      {"customers",
       {{"id", Type::kPlainInt},
        {"name", Type::kPerson},
        {"kind", Type::kPlainText},
        {"phone", Type::kLong, false},
        {"id_number", Type::kWord},
        {"credit", Type::kMoney},
        {"birth", Type::kDay},
        {"note", Type::kPlainText},
        {"status", Type::kWord}}},
      {"usage",
       {{"id", Type::kPlainInt},
        {"customer_id", Type::kPlainInt},
        {"patient", Type::kPerson},
        {"name", Type::kPerson},
        {"age", Type::kAge}}},
      {"batches",
       {{"id", Type::kPlainInt},
        {"batch_no", Type::kWord},
        {"recipe", Type::kLong, false},
        {"qty", Type::kPlainInt}}},
      {"cards",
       {{"id", Type::kPlainInt},
        {"number", Type::kCard},
        {"holder", Type::kWord},
        {"mail", Type::kWord}}},
      {"facts",
       {{"id", Type::kPlainInt},
        {"owner", Type::kPerson},
        {"key", Type::kUuid},
        {"amount", Type::kBigint},
        {"share", Type::kShare},
        {"bytes", Type::kBytes},
        {"flag", Type::kBool},
        {"day", Type::kDay},
        {"at", Type::kAt},
        {"span", Type::kSpan},
        {"docb", Type::kJsonb},
        {"words", Type::kWords},
        {"half", Type::kHalf},
        {"remark", Type::kLong, false},
        {"label", Type::kPlainText},
        {"grade", Type::kPlainInt}}},
      {"lab.samples", {{"id", Type::kPlainInt}, {"subject", Type::kPerson}}},
      {"orders",
       {{"id", Type::kPlainInt}, {"customer_id", Type::kPlainInt}, {"contact", Type::kPlainText}}},
  };
  return kTables;
}

std::string StatementMaker::value(Type type, std::size_t number) {
  const auto of = [&](Kind kind) { return canaries_.value(kind, number); };
  switch (type) {
    case Type::kPerson:
      return of(Kind::kText);
    case Type::kWord:
      return of(Kind::kText).substr(0, number % 3 == 0 ? 7 : std::string::npos);
    case Type::kLong:
      return of(Kind::kLong);
    case Type::kCard:
      return of(Kind::kNumber);
    case Type::kEnding:
      return of(Kind::kNumber).substr(12);
    case Type::kLower: {
      auto out = of(Kind::kText).substr(0, 7);
      std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      });
      return out;
    }
    case Type::kUuid:
      return of(Kind::kUuid);
    case Type::kBigint:
      return of(Kind::kInt8);
    case Type::kShare:
      return of(Kind::kNumeric);
    case Type::kBytes:
      return of(Kind::kBytes);
    case Type::kMoney:
      return fmt::format("{}.{:02}", number * 7, number * 10 % 100);
    case Type::kBool:
      return number % 2 == 0 ? "true" : "false";
    case Type::kDay:
      return fmt::format("19{:02}-0{}-1{}", 40 + number, 1 + number % 9, number % 10);
    case Type::kAt:
      return fmt::format("20{:02}-02-0{} 1{}:00:00.{}", number, 1 + number % 9, number % 10,
                         number);
    case Type::kSpan:
      return fmt::format("{} days {:02}:00:00", number, number % 24);
    case Type::kJsonb:
      return fmt::format("{{\"a\": {}, \"b\": \"{}\"}}", number, of(Kind::kUuid));
    case Type::kWords:
      return fmt::format("{{{},{}}}", array_item(of(Kind::kText)), number % 2 == 0 ? "NULL" : "x");
    case Type::kHalf:
      return fmt::format("{}.5", number);
    case Type::kAge:
      return fmt::format("{}", 20 + number % 6);
    case Type::kPlainInt:
      return fmt::format("{}", number % 3 == 0 ? number : 20 + number);
    case Type::kPlainText: {
      static const std::vector<std::string> kWords{"clinic", "hospital", "",
                                                   "it's",   "B-1",      "laboratory"};
      return kWords[number % kWords.size()];
    }
  }
  return {};
}

std::string StatementMaker::quoted(const std::string& value) const {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'') out.push_back(c);
    out.push_back(c);
  }
  return out + "'";
}

std::string StatementMaker::slot(Type type) {
  if (slots_.size() >= kSlotsMax) return "NULL";
  slots_.push_back(type);
  return {'\x01', static_cast<char>('0' + slots_.size() - 1), '\x02'};
}

Filled StatementMaker::fill(const Shape& shape, std::size_t parameters) {
  Filled out;
  for (std::size_t i = 0; i < shape.text.size(); ++i) {
    if (shape.text[i] != '\x01') {
      out.sql.push_back(shape.text[i]);
      continue;
    }
    const auto type = shape.slots[static_cast<std::size_t>(shape.text[i + 1] - '0')];
    const auto made = value(type, pick(Canaries::kOfEach));
    i += 2;
    if (chance(parameters)) {
      out.values.push_back(chance(4) ? std::nullopt : std::optional(made));
      out.types.push_back(type);
      out.sql += fmt::format("${}", out.values.size());
    } else {
      out.sql += is_number(type) && pick(4) != 0 ? made : quoted(made);
    }
  }
  return out;
}

const Table& StatementMaker::table() { return tables()[pick(tables().size())]; }

StatementMaker::Source StatementMaker::source_of(const Table& table) {
  Source source;
  std::string prefix = table.name.substr(table.name.find('.') + 1);
  source.from = table.name;
  if (chance(60)) {
    prefix = fmt::format("t{}", ++aliases_);
    source.from += (chance(50) ? " AS " : " ") + prefix;
  }
  for (const auto& column : table.columns) {
    source.columns.emplace_back(prefix + "." + column.name, column);
  }
  source.key = prefix + ".id";
  return source;
}

const std::pair<std::string, Column>& StatementMaker::column(const Source& source,
                                                             bool searchable) {
  for (;;) {
    const auto& found = source.columns[pick(source.columns.size())];
    if (!searchable || has_equality(found.second)) return found;
  }
}

std::optional<std::string> StatementMaker::joinable(const Source& left, const Source& right) {
  std::vector<std::string> pairs;
  for (const auto& [a, of_a] : left.columns) {
    for (const auto& [b, of_b] : right.columns) {
      const bool same_domain =
          of_a.type == of_b.type && (of_a.type == Type::kPerson || of_a.type == Type::kPlainInt);
      if (same_domain && a != b) pairs.push_back(a + " = " + b);
    }
  }
  if (pairs.empty()) return std::nullopt;
  return any(pairs);
}

StatementMaker::Source StatementMaker::from() {
  auto source = source_of(table());
  for (int more = 0; more < 2 && chance(30); ++more) {
    auto other = source_of(table());
    if (other.key == source.key ||
        std::ranges::any_of(source.columns, [&](const auto& c) { return c.first == other.key; })) {
      continue;  // the same name twice
    }
    const auto on = joinable(source, other);
    if (!on) continue;
    source.from += any({" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " INNER JOIN "}) +
                   other.from + " ON " + *on;
    source.columns.insert(source.columns.end(), other.columns.begin(), other.columns.end());
  }
  return source;
}

std::string StatementMaker::search(const std::string& reference, Type type) {
  const auto v = [&] { return slot(type); };
  switch (pick(16)) {
    case 0:
      return reference + " <> " + v();
    case 1:
      return reference + " IN (" + v() + ", " + v() + (chance(30) ? ", NULL)" : ")");
    case 2:
      return reference + " NOT IN (" + v() + ", " + v() + ")";
    case 3:
      return reference + any({" IS NULL", " IS NOT NULL"});
    case 4:
      return reference + any({" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "}) + v();
    case 5:
      return "(" + reference + " = " + v() + ")" +
             any({" IS NOT TRUE", " IS UNKNOWN", " IS TRUE", " IS FALSE"});
    case 6:
      if (type == Type::kWords) return reference + " = " + v();
      return reference + any({" = ANY (ARRAY[", " <> ALL (ARRAY["}) + v() + ", " + v() + "]" +
             array_cast(type) + ")";
    case 7:
      return "COALESCE(" + reference + ", " + v() + ") = " + v();
    case 8:
      return "CASE " + reference + " WHEN " + v() + " THEN true WHEN " + v() + " THEN false END";
    case 9:
      return "NULLIF(" + reference + ", " + v() + ") IS NULL";
    case 10:
      return v() + " = " + reference;
    default:
      return reference + " = " + v();
  }
}

std::string StatementMaker::predicate(const Source& source, int depth) {
  const auto& [reference, of] = column(source, true);
  if (!of.is_protected()) {
    if (of.type == Type::kPlainText) {
      return reference + any({" = ", " <> ", " LIKE ", " > "}) + slot(of.type);
    }
    return chance(20) ? reference + " BETWEEN " + slot(of.type) + " AND " + slot(of.type)
                      : reference + any({" = ", " > ", " < ", " <= "}) + slot(of.type);
  }
  if (of.type == Type::kCard && chance(30)) {
    return "right(" + reference + ", 4)" + any({" = ", " <> "}) + slot(Type::kEnding);
  }
  if (chance(10) && (of.name == "holder" || of.name == "mail")) {
    return "lower(" + reference + ") = " + slot(Type::kLower);
  }
  if (depth < 2 && chance(20)) {
    const auto inner = source_of(table());
    for (const auto& [other, of_other] : inner.columns) {
      if (of_other.type != of.type || !has_equality(of_other) || of.type != Type::kPerson) continue;
      const auto where = chance(50) ? " WHERE " + condition(inner, depth + 1) : std::string();
      if (chance(50)) {
        return reference + any({" IN (SELECT ", " NOT IN (SELECT "}) + other + " FROM " +
               inner.from + where + ")";
      }
      if (other.substr(0, other.find('.')) == reference.substr(0, reference.find('.'))) break;
      return any({"EXISTS", "NOT EXISTS"}) + " (SELECT 1 FROM " + inner.from + " WHERE " + other +
             " = " + reference + ")";
    }
  }
  return search(reference, of.type);
}

std::string StatementMaker::condition(const Source& source, int depth) {
  auto out = predicate(source, depth);
  while (chance(35) && slots_.size() < kSlotsMax / 2) {
    out += (chance(65) ? " AND " : " OR ") + predicate(source, depth);
  }
  return chance(10) ? "NOT (" + out + ")" : out;
}

std::string StatementMaker::output(const Source& source) {
  const auto& [reference, of] = column(source, false);
  switch (pick(14)) {
    case 0:
      return "*";
    case 1:
      return reference + fmt::format(" AS x{}", pick(3));
    case 2:
      return has_equality(of) && of.is_protected() ? search(reference, of.type) : reference;
    case 3:
      return "CASE WHEN " + predicate(source, 2) + " THEN " + reference + " END";
    case 4:
      return "COALESCE(" + reference + ", " + slot(of.type) + ")";
    case 5:
      return has_equality(of) ? "NULLIF(" + reference + ", " + slot(of.type) + ")" : reference;
    case 6:
      return has_equality(of) ? "count(*) OVER (PARTITION BY " + reference + ")" : reference;
    case 7:
      return of.type == Type::kPerson ? reference + "::text" : reference;
    default:
      return reference;
  }
}

std::string StatementMaker::list(const Source& source, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < 1 + pick(most); ++i) out += (i == 0 ? "" : ", ") + output(source);
  return out;
}

Shape StatementMaker::select() {
  const auto source = from();
  Shape shape;
  shape.text = "SELECT " + list(source, 4) + " FROM " + source.from;
  if (chance(80)) shape.text += " WHERE " + condition(source, 0);
  const bool one_table = source.from.find(" JOIN ") == std::string::npos;
  if (one_table && chance(40)) {
    shape.text += " ORDER BY " + source.key + any({"", " DESC"});
    shape.ordered = true;
    if (chance(40)) shape.text += any({" LIMIT 3", " LIMIT 2 OFFSET 1", " FETCH FIRST 1 ROW ONLY"});
    if (chance(15)) shape.text += any({" FOR UPDATE", " FOR SHARE", " FOR NO KEY UPDATE"});
  }
  return shape;
}

Shape StatementMaker::grouped() {
  const auto source = from();
  const auto& [reference, of] = column(source, true);
  Shape shape;
  if (chance(30)) {
    shape.text = "SELECT DISTINCT " + reference + ", " + column(source, true).first + " FROM " +
                 source.from + (chance(50) ? " WHERE " + condition(source, 1) : "");
    return shape;
  }
  shape.text = "SELECT " + any({reference + ", ", ""}) +
               any({"count(*)", "count(" + reference + ")", "count(DISTINCT " + reference + ")",
                    "count(*) FILTER (WHERE " + predicate(source, 2) + ")"}) +
               " FROM " + source.from + (chance(40) ? " WHERE " + condition(source, 1) : "") +
               " GROUP BY " + reference;
  if (chance(30)) {
    shape.text += " HAVING " + (of.is_protected() ? search(reference, of.type) : "count(*) > 1");
  }
  return shape;
}

Shape StatementMaker::combined() {
  const auto side = [&] {
    for (;;) {
      const auto source = source_of(table());
      for (const auto& [reference, of] : source.columns) {
        if (of.type == Type::kPerson && chance(50)) {
          return "SELECT " + reference + " FROM " + source.from +
                 (chance(60) ? " WHERE " + condition(source, 1) : "");
        }
      }
    }
  };
  Shape shape;
  shape.text =
      side() + any({" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ", " EXCEPT ALL "}) + side();
  if (chance(30)) {
    shape.text = "SELECT a FROM (" + shape.text + ") AS u(a) WHERE " + search("a", Type::kPerson);
  }
  return shape;
}

Shape StatementMaker::nested() {
  const auto inner = from();
  const auto& [a, of_a] = column(inner, true);
  const auto& [b, of_b] = column(inner, true);
  Source outer;
  outer.columns = {{"q.a", of_a}, {"q.b", of_b}};
  const auto body = "SELECT " + a + " AS a, " + b + " AS b FROM " + inner.from +
                    (chance(60) ? " WHERE " + condition(inner, 1) : "");
  const auto tail = chance(70) ? " WHERE " + condition(outer, 2) : std::string();
  Shape shape;
  shape.text = chance(50) ? "WITH q AS (" + body + ") SELECT * FROM q" + tail
                          : "SELECT q.b, q.a FROM (" + body + ") q" + tail;
  return shape;
}

Shape StatementMaker::insert() {
  const auto& into = table();
  const auto prefix = into.name.substr(into.name.find('.') + 1);
  std::vector<Column> columns{into.columns[0]};
  for (std::size_t i = 1; i < into.columns.size(); ++i) {
    if (chance(70) || into.columns[i].name == "owner") columns.push_back(into.columns[i]);
  }
  std::string names;
  for (const auto& column : columns) names += (names.empty() ? "" : ", ") + column.name;
  const auto row = [&](std::size_t key) {
    auto out = fmt::format("({}", key);
    for (std::size_t i = 1; i < columns.size(); ++i) {
      out += ", " + (chance(8) && columns[i].name != "owner" ? "NULL" : slot(columns[i].type));
    }
    return out + ")";
  };
  Shape shape;
  shape.writes = true;
  const auto key = chance(30) ? 20 + pick(6) : 1000 + pick(1000);
  shape.text = "INSERT INTO " + into.name + " (" + names + ") VALUES " + row(key);
  for (std::size_t more = 1; more < 4 && chance(30); ++more)
    shape.text += ", " + row(key + more * 2000);
  if (chance(40)) {
    std::string sets;
    for (std::size_t i = 1; i < columns.size(); ++i) {
      if (i > 1 && chance(50)) continue;
      sets +=
          (sets.empty() ? "" : ", ") + columns[i].name + " = " +
          any({"excluded." + columns[i].name, slot(columns[i].type), prefix + "." + columns[i].name,
               "COALESCE(excluded." + columns[i].name + ", " + prefix + "." + columns[i].name +
                   ")"});
    }
    shape.text += sets.empty() || chance(30)
                      ? any({" ON CONFLICT DO NOTHING", " ON CONFLICT (id) DO NOTHING"})
                      : " ON CONFLICT (id) DO UPDATE SET " + sets;
  }
  if (chance(40)) shape.text += " RETURNING " + any({"*", names, "id"});
  return shape;
}

Shape StatementMaker::update() {
  const auto& of = table();
  const auto source = source_of(of);
  std::string sets;
  for (std::size_t i = 1; i < of.columns.size(); ++i) {
    const auto& column = of.columns[i];
    if (!chance(100 / static_cast<std::size_t>(of.columns.size()) + 15)) continue;
    const auto& reference = source.columns[i].first;
    std::string value = slot(column.type);
    if (chance(15)) value = "COALESCE(" + reference + ", " + value + ")";
    if (chance(10) && has_equality(column)) {
      value =
          "CASE WHEN " + predicate(source, 2) + " THEN " + value + " ELSE " + reference + " END";
    }
    if (chance(5) && column.name != "owner") value = any({"NULL", "DEFAULT"});
    sets += (sets.empty() ? "" : ", ") + column.name + " = " + value;
  }
  if (sets.empty()) sets = of.columns[1].name + " = " + slot(of.columns[1].type);
  Shape shape;
  shape.writes = true;
  shape.text = "UPDATE " + source.from + " SET " + sets;
  if (chance(85)) shape.text += " WHERE " + condition(source, 1);
  if (chance(30)) shape.text += " RETURNING " + list(source, 3);
  return shape;
}

Shape StatementMaker::remove() {
  const auto source = source_of(table());
  Shape shape;
  shape.writes = true;
  shape.text = "DELETE FROM " + source.from + " WHERE " + condition(source, 1);
  if (chance(30)) shape.text += " RETURNING " + list(source, 3);
  return shape;
}

Shape StatementMaker::writing_with() {
  const auto source = source_of(tables()[pick(2)]);
  const auto name = source.columns[1].second.type == Type::kPerson ? source.columns[1].first
                                                                   : source.columns[2].first;
  Shape shape;
  shape.writes = true;
  shape.text = any({"WITH d AS (DELETE FROM " + source.from + " WHERE " + condition(source, 1) +
                        " RETURNING " + source.key + ", " + name + ") SELECT * FROM d",
                    "INSERT INTO lab.samples (id, subject) SELECT " + source.key + " + 3000, " +
                        name + " FROM " + source.from + " WHERE " + condition(source, 1) +
                        any({"", " RETURNING id, subject"})});
  return shape;
}

Shape StatementMaker::make() {
  slots_.clear();
  const auto kind = pick(24);
  auto shape = kind < 10   ? select()
               : kind < 12 ? grouped()
               : kind < 13 ? combined()
               : kind < 15 ? nested()
               : kind < 18 ? insert()
               : kind < 21 ? update()
               : kind < 23 ? remove()
                           : writing_with();
  shape.slots = slots_;
  return shape;
}

std::pair<std::string, std::string> StatementMaker::copy() {
  const auto& into = table();
  std::string names, data;
  for (const auto& column : into.columns) names += (names.empty() ? "" : ", ") + column.name;
  for (std::size_t row = 0; row < 1 + pick(4); ++row) {
    data += fmt::format("{}", 5000 + pick(3) * 1000 + row);
    for (std::size_t i = 1; i < into.columns.size(); ++i) {
      data += '\t';
      if (chance(10) && into.columns[i].name != "owner") {
        data += "\\N";
        continue;
      }
      for (const char c : value(into.columns[i].type, pick(Canaries::kOfEach))) {
        if (c == '\\') data += c;
        data += c;
      }
    }
    data += '\n';
  }
  return {"COPY " + into.name + " (" + names + ") FROM STDIN", data};
}

std::vector<std::string> StatementMaker::rows() {
  std::vector<std::string> out;
  for (const auto& table : tables()) {
    for (std::size_t i = 0; i < Canaries::kStored; ++i) {
      std::string names = "id", values = fmt::format("{}", 20 + i);
      for (std::size_t c = 1; c < table.columns.size(); ++c) {
        const auto& column = table.columns[c];
        names += ", " + column.name;
        const bool null = (i + c) % 7 == 6 && column.name != "owner";
        // Columns of one type meet in some rows and not in others. uuid is unique.
        const auto number =
            column.type == Type::kUuid ? i : (i * (c % 3 + 1) + c / 3) % Canaries::kStored;
        values += ", " + (null ? "NULL" : quoted(value(column.type, number)));
      }
      out.push_back("INSERT INTO " + table.name + " (" + names + ") VALUES (" + values + ")");
    }
  }
  return out;
}

}  // namespace theriac::adversary
