// Two databases with the same rows: one as the program believes it to be (plain columns), one in
// the physical form, read and written through analyse() by a gateway in miniature whose "sealed"
// bytes are the stored form itself and whose "blind index" is the equality form. Used by tests
// only.
#pragma once

#include <algorithm>
#include <fstream>

#include "base/private_postgres.hpp"
#include "pgwire/array_text.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/postgres_client.hpp"
#include "rewrite/test_catalogue.hpp"
#include "rewrite/view.hpp"

namespace theriac::rewrite::testing {

inline constexpr std::string_view kClient = "erp_app";

inline std::string type_text(const pgwire::ColumnType& type) {
  switch (type.oid) {
    case pgwire::kOidInt4:
      return "integer";
    case pgwire::kOidInt8:
      return "bigint";
    case pgwire::kOidDate:
      return "date";
    case pgwire::kOidTimestamptz:
      return "timestamptz";
    case pgwire::kOidBytea:
      return "bytea";
    case 2950:
      return "uuid";
    case pgwire::kOidVarchar:
      return fmt::format("varchar({})", type.modifier - 4);
    case pgwire::kOidNumeric:
      return type.modifier < 0 ? "numeric"
                               : fmt::format("numeric({},{})", (type.modifier - 4) >> 16,
                                             (type.modifier - 4) & 0xffff);
    default:
      return "text";
  }
}

inline std::string quoted(const std::string& name) { return "\"" + name + "\""; }

inline std::string full_name(const Relation& relation) {
  return quoted(relation.schema) + "." + quoted(relation.name);
}

/// DDL of one table. Physical: the plain columns are NULL by a check, and the program may neither
/// read nor insert them.
inline std::string table_ddl(const Relation& relation, bool physical) {
  std::string columns;
  std::string readable;
  std::string writable;
  for (const auto& column : relation.columns) {
    if (column.helper && !physical) continue;
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", quoted(column.name),
                           type_text(column.type));
    if (column.protection && physical) {
      columns += fmt::format(" CHECK ({} IS NULL)", quoted(column.name));
    }
    const auto* protection = column.protection ? &*column.protection : nullptr;
    if (protection != nullptr && !physical && protection->default_stored) {
      columns += fmt::format(" DEFAULT '{}'", *protection->default_stored);
    }
    if (protection == nullptr) {
      readable += (readable.empty() ? "" : ", ") + quoted(column.name);
    }
    writable += (writable.empty() ? "" : ", ") + quoted(column.name);
  }
  for (std::size_t i = 0; i < relation.keys.size(); ++i) {
    std::string names;
    for (const auto attribute : relation.keys[i]) {
      names += (names.empty() ? "" : ", ") + quoted(relation.find_attribute(attribute)->name);
    }
    columns += fmt::format(", {} ({})", i == 0 ? "PRIMARY KEY" : "UNIQUE", names);
  }
  auto ddl = fmt::format("CREATE TABLE {} ({});", full_name(relation), columns);
  if (!physical) {
    return ddl + fmt::format("GRANT ALL ON {} TO {};", full_name(relation), kClient);
  }
  // Who may read may read the system columns as well, and the gateway locates rows by ctid.
  return ddl + fmt::format(
                   "GRANT SELECT ({}, ctid, xmin, xmax, cmin, cmax, tableoid), INSERT ({}), UPDATE "
                   "({}) ON {} TO {};"
                   "GRANT DELETE ON {} TO {};",
                   readable, readable, writable, full_name(relation), kClient, full_name(relation),
                   kClient);
}

inline std::string schema_ddl(const Catalogue& catalogue, bool physical) {
  std::string ddl = fmt::format(
      "CREATE SCHEMA other; CREATE SCHEMA lab; CREATE SEQUENCE s; GRANT ALL ON SEQUENCE s TO {};"
      "GRANT USAGE ON SCHEMA public, other, lab TO {};",
      kClient, kClient);
  for (const auto& relation : catalogue.relations()) {
    if (relation.kind == 'r' && relation.schema != "pg_catalog") {
      ddl += table_ddl(relation, physical);
    }
  }
  return ddl;
}

/// DDL of one view as the program made it, or in its protected form; an error message.
inline tl::expected<std::string, std::string> view_ddl(const Catalogue& catalogue,
                                                       const TestView& view, bool physical) {
  const auto& relation = *catalogue.find(view.oid);
  const auto name = full_name(relation);
  auto ddl = fmt::format("CREATE VIEW {} AS {};", name, view.select);
  if (!physical) return ddl + fmt::format("GRANT ALL ON {} TO {};", name, kClient);
  std::vector<ViewColumn> columns;
  std::string readable, writable, helpers;
  for (const auto& column : relation.columns) {
    if (!column.helper) {
      columns.push_back(
          {column.name, column.attribute, "CAST(NULL AS " + type_text(column.type) + ")"});
    } else {
      helpers += quoted(column.name) + " ";
    }
    if (!column.protection) readable += (readable.empty() ? "" : ", ") + quoted(column.name);
    writable += (writable.empty() ? "" : ", ") + quoted(column.name);
  }
  const auto form = view_form(view.select, catalogue, Context{}, columns, {}, {});
  if (!form) return tl::unexpected(relation.name + ": " + form.error().construct);
  std::string made;
  for (const auto& helper : form->helpers) made += quoted(helper) + " ";
  if (made != helpers) return tl::unexpected(relation.name + ": helpers " + made);
  return ddl + fmt::format(
                   "CREATE OR REPLACE VIEW {} AS {};"
                   "GRANT SELECT ({}), INSERT ({}), UPDATE ({}), DELETE ON {} TO {};",
                   name, form->sql, readable, writable, writable, name, kClient);
}

class Twin {
 public:
  Twin()
      : catalogue_(test_catalogue()),
        admin_(PrivatePostgres::get().conninfo("theriac", "postgres")) {}

  /// Empty if all is well.
  std::string set_up() {
    admin_.run(fmt::format("CREATE ROLE {} LOGIN", kClient));
    for (const bool physical : {false, true}) {
      const std::string name = physical ? "physical" : "logical";
      admin_.run("DROP DATABASE IF EXISTS " + name);
      if (const auto made = admin_.run("CREATE DATABASE " + name); !made.good()) {
        return made.message;
      }
      Client owner(PrivatePostgres::get().conninfo("theriac", name));
      if (const auto made = owner.run(schema_ddl(catalogue_, physical)); !made.good()) {
        return made.message;
      }
      for (const auto& view : test_views()) {
        const auto ddl = view_ddl(catalogue_, view, physical);
        if (!ddl) return ddl.error();
        if (const auto made = owner.run(*ddl); !made.good()) return *ddl + made.message;
      }
      auto& client = physical ? physical_ : logical_;
      client.emplace(PrivatePostgres::get().conninfo(std::string(kClient), name));
      if (!client->connected()) return "no connection to " + name;
      client->run("SET statement_timeout = '20s'");  // a statement without end is not compared
    }
    return {};
  }

  const Catalogue& catalogue() const { return catalogue_; }
  /// Statements that a plan of another text served.
  [[nodiscard]] std::size_t served() const { return served_; }
  Client& logical() { return *logical_; }
  Client& physical() { return *physical_; }

  /// What the program sees through the gateway. `values`: the program's $1, $2, ... as text.
  /// nullopt: refused by analyse().
  std::optional<Answer> through(const std::string& sql, const Row& values, std::string* sent) {
    literals_ = nullptr;
    const auto plan = plan_for(sql);
    if (plan == nullptr || plan->statements.size() != 1) return std::nullopt;
    const auto& statement = plan->statements.front();
    if (statement.action == Action::kRefuse || statement.action == Action::kPrepare) {
      return std::nullopt;
    }
    if (statement.action == Action::kForward) {
      if (sent != nullptr) *sent = statement.text;
      return physical_->run(statement.text, plain(values));
    }
    const auto text = text_with(statement.sql, statement.holes, literals_.get());
    if (sent != nullptr) *sent = text;
    identities_.clear();
    const bool keeps = statement.gather && statement.gather->keeps_identities();
    if (keeps) {
      if (auto failed = read_identities(*statement.gather, values)) return failed;
    }
    auto parameters = fill(statement.slots, values);
    if (!parameters) return Answer{.sqlstate = "22P02", .message = "value"};
    if (statement.gather && !keeps) {
      auto failed = gather(*statement.gather, values, *parameters);
      if (failed) return failed;
    }
    auto answer = physical_->run(text, *parameters);
    open(statement, answer);
    return answer;
  }

 private:
  /// A plan made before from a text that differs in literals only, if there is one.
  std::shared_ptr<const Plan> plan_for(const std::string& sql) {
    const auto shape = shape_of_text(sql);
    if (!shape) {
      auto made = analyse(sql, catalogue_, Context{});
      return made ? std::make_shared<const Plan>(std::move(*made)) : nullptr;
    }
    for (const auto& kept : plans_[shape->key]) {
      literals_ = literals_for(*kept, sql, *shape);
      if (literals_) {
        ++served_;
        return kept;
      }
    }
    auto made = analyse_shape(sql, *shape, catalogue_, Context{});
    if (!made) return nullptr;
    auto plan = std::make_shared<const Plan>(std::move(*made));
    if (plan->serves_shape) plans_[shape->key].push_back(plan);
    return plan;
  }

  static std::vector<Sent> plain(const Row& values) {
    std::vector<Sent> out;
    for (const auto& value : values) out.push_back({value, false, 0});
    return out;
  }

  std::optional<std::string> value_of(const ValueSource& source, const Row& values,
                                      std::uint32_t& oid) const {
    if (const auto* parameter = std::get_if<ClientParameter>(&source)) {
      oid = 0;
      return parameter->number <= values.size() ? values[parameter->number - 1] : std::nullopt;
    }
    const auto& literal = std::get<Literal>(source);
    oid = literal.sent_oid;
    if (literal.is_null) return std::nullopt;
    return std::string(text_of_literal(literal, literals_.get()));
  }

  /// Stored form, or comparand's; ok is false if the value cannot be converted.
  std::optional<std::string> stored(const ValueSource& source, const Row& values,
                                    std::uint32_t relation, std::int16_t attribute, bool compare,
                                    bool& ok) const {
    std::uint32_t oid = 0;
    const auto value = value_of(source, values, oid);
    if (!value) return std::nullopt;
    const auto& type = catalogue_.find(relation)->find_attribute(attribute)->type;
    const auto made = compare ? pgwire::to_comparand(type, oid, 0, view_of(*value), {})
                              : pgwire::to_stored(type, oid, 0, view_of(*value), {});
    ok = ok && made.has_value();
    return made ? std::optional(*made) : std::nullopt;
  }

  std::optional<std::string> index(const std::optional<std::string>& value, std::uint32_t relation,
                                   std::int16_t attribute, bool& ok, int ordinal = 0) const {
    if (!value) return std::nullopt;
    const auto& column = *catalogue_.find(relation)->find_attribute(attribute);
    if (ordinal > 0) {
      const auto& of = column.protection->expressions[static_cast<std::size_t>(ordinal) - 1];
      return of.expression.apply(pgwire::as_text(column.type, *value),
                                 column.protection->case_map.get());
    }
    const auto& type = column.type;
    const auto form = pgwire::equality_form(type, *value);
    ok = ok && form.has_value();
    return form ? std::optional(std::string(text_of(*form))) : std::nullopt;
  }

  std::optional<std::vector<Sent>> fill(const std::vector<Slot>& slots, const Row& values) {
    std::vector<Sent> out;
    bool ok = true;
    for (const auto& slot : slots) {
      if (slot.fill == Slot::Fill::kPass) {
        std::uint32_t oid = 0;
        out.push_back({value_of(slot.source, values, oid), false, 0});
        continue;
      }
      if (slot.fill == Slot::Fill::kRowId) {
        const auto kept = identities_.find(slot.row);
        out.push_back({kept == identities_.end() ? row_id() : kept->second, true, 2950});
        continue;
      }
      if (slot.fill == Slot::Fill::kCompareList) {
        out.push_back({list(slot, values, ok), false, 0});
        continue;
      }
      const bool shown = slot.fill == Slot::Fill::kShow || slot.fill == Slot::Fill::kShowRow;
      const bool compare = slot.fill == Slot::Fill::kCompare || shown;
      auto value = stored(slot.source, values, slot.relation_oid, slot.attribute, compare, ok);
      if (slot.index > 0 && compare) {
        const auto& column = *catalogue_.find(slot.relation_oid)->find_attribute(slot.attribute);
        if (value) value = slot.applied.apply(*value, column.protection->case_map.get());
      } else if (slot.fill == Slot::Fill::kSeal || shown) {
        value = sealed(value, slot.relation_oid, slot.attribute);
        if (slot.fill == Slot::Fill::kShowRow && value) value = row_id() + *value;
      } else {
        value = index(value, slot.relation_oid, slot.attribute, ok, slot.index);
      }
      out.push_back({std::move(value), true, pgwire::kOidBytea});
    }
    return ok ? std::optional(std::move(out)) : std::nullopt;
  }

  /// An array's elements as indexes, in text form.
  std::optional<std::string> list(const Slot& slot, const Row& values, bool& ok) const {
    std::uint32_t oid = 0;
    const auto value = value_of(slot.source, values, oid);
    if (!value) return std::nullopt;
    const auto array = pgwire::ArrayValue::parse(*value, ',');
    ok = ok && array.has_value();
    if (!array) return std::nullopt;
    const auto& type = catalogue_.find(slot.relation_oid)->find_attribute(slot.attribute)->type;
    std::vector<std::optional<std::string>> items;
    for (const auto& element : array->elements) {
      std::optional<std::string> made;
      if (element) {
        const auto comparand = pgwire::to_comparand(type, oid, 0, view_of(*element), {});
        ok = ok && comparand.has_value();
        if (comparand) made = index(*comparand, slot.relation_oid, slot.attribute, ok);
      }
      items.push_back(made ? std::optional(bytea_text(*made)) : std::nullopt);
    }
    return array_of(items);
  }

  /// "Sealed" bytes say of which column they are, as the real ones do by what opens them.
  std::optional<std::string> sealed(const std::optional<std::string>& value, std::uint32_t relation,
                                    std::int16_t attribute) const {
    if (!value) return std::nullopt;
    return fmt::format("{}|{}", number_of(relation, attribute), *value);
  }
  int number_of(std::uint32_t relation, std::int16_t attribute) const {
    return catalogue_.find(relation)->find_attribute(attribute)->protection->number;
  }

  /// The stored form of a sealed value, if it is of one of the output's origins.
  std::optional<std::string> opened(const Output& output, const std::string& bytes) const {
    for (const auto& origin : output.origins) {
      const auto start = fmt::format("{}|", number_of(origin.relation_oid, origin.attribute));
      const std::size_t skip = origin.with_row_id ? 16 : 0;
      if (bytes.size() >= skip && bytes.substr(skip).starts_with(start)) {
        return bytes.substr(skip + start.size());
      }
    }
    return std::nullopt;
  }

  std::string row_id() {
    ++rows_;
    return fmt::format("{:016}", rows_);
  }

  static std::string array_of(const std::vector<std::optional<std::string>>& items) {
    std::string out = "{";
    for (const auto& item : items) {
      out += out.size() == 1 ? "" : ",";
      out += item ? "\"" + escaped(*item) + "\"" : std::string("NULL");
    }
    return out + "}";
  }

  static std::string escaped(const std::string& item) {
    std::string out;
    for (const char c : item) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    return out;
  }

  static std::string bytea_text(const std::string& bytes) { return "\\x" + to_hex(view_of(bytes)); }

  /// The written column's stored form of what an array's element is made of.
  std::optional<std::string> element_of(const Gather& gather, const Gather::Array& array,
                                        const Row& row, const Row& values, bool& ok) const {
    const auto* place = std::get_if<std::size_t>(&array.source);
    if (place == nullptr) {
      return stored(std::get<ValueSource>(array.source), values, array.relation_oid,
                    array.attribute, false, ok);
    }
    const auto& value = row[*place];
    if (!value) return std::nullopt;
    const auto& column = gather.columns[*place];
    const auto& type = catalogue_.find(array.relation_oid)->find_attribute(array.attribute)->type;
    const bool was_sealed = column.kind == Gather::Column::Kind::kSealed;
    std::optional<std::string> plain = value;
    if (was_sealed) {
      plain = opened(column.output, std::string(text_of(*from_hex(value->substr(2)))));
    }
    ok = ok && plain.has_value();
    if (!plain) return std::nullopt;
    const auto made = pgwire::to_stored(type, was_sealed ? column.output.type.oid : type.oid, 0,
                                        view_of(*plain), {});
    ok = ok && made.has_value();
    return made ? std::optional(*made) : std::nullopt;
  }

  std::optional<Answer> read_identities(const Gather& gather, const Row& values) {
    const auto slots = fill(gather.slots, values);
    if (!slots) return Answer{.sqlstate = "22P02", .message = "value"};
    auto found = physical_->run(text_with(gather.sql, gather.holes, literals_.get()), *slots);
    if (!found.good()) return found;
    for (const auto& row : found.rows) {
      std::string id;
      for (const char c : *row[1]) id += c == '-' ? std::string() : std::string(1, c);
      const auto bytes = from_hex(id);
      identities_[std::stoi(*row[0])] = std::string(text_of(*bytes));
    }
    return std::nullopt;
  }

  std::optional<Answer> gather(const Gather& gather, const Row& values,
                               std::vector<Sent>& parameters) {
    const auto slots = fill(gather.slots, values);
    if (!slots) return Answer{.sqlstate = "22P02", .message = "value"};
    auto found = physical_->run(text_with(gather.sql, gather.holes, literals_.get()), *slots);
    if (!found.good()) return found;
    std::set<std::optional<std::string>> seen;
    for (const auto& row : found.rows) {
      if (gather.once_each && !seen.insert(row[0]).second) {
        return Answer{.sqlstate = "0A000", .message = "a row met twice"};
      }
    }
    bool ok = gather.first_parameter == parameters.size() + 1;
    for (const auto& array : gather.arrays) {
      std::vector<std::optional<std::string>> items;
      for (const auto& row : found.rows) {
        switch (array.kind) {
          case Gather::Array::Kind::kTid:
          case Gather::Array::Kind::kValue:
            items.push_back(row[std::get<std::size_t>(array.source)]);
            break;
          case Gather::Array::Kind::kRowId:
            items.push_back(to_hex(view_of(row_id())));
            break;
          case Gather::Array::Kind::kSeal:
          case Gather::Array::Kind::kIndex: {
            auto value = element_of(gather, array, row, values, ok);
            value = array.kind == Gather::Array::Kind::kSeal
                        ? sealed(value, array.relation_oid, array.attribute)
                        : index(value, array.relation_oid, array.attribute, ok, array.index);
            items.push_back(value ? std::optional(bytea_text(*value)) : std::nullopt);
            break;
          }
        }
      }
      parameters.push_back({array_of(items), false, 0});
    }
    if (!ok) return Answer{.sqlstate = "22P02", .message = "value"};
    return std::nullopt;
  }

  void open_rows(const Output& output, Answer& answer) {
    auto& type = answer.types[output.position];
    if (type != pgwire::kOidRecord) answer.sqlstate = "XX000";
    if (output.row_of != 0) {
      // The catalogue is of no server: the row's type is the other twin's.
      const auto name = full_name(*catalogue_.find(output.row_of));
      const auto found = logical_->run(
          "SELECT reltype::int8 FROM pg_catalog.pg_class WHERE oid = '" + name + "'::regclass");
      if (found.rows.size() == 1) type = static_cast<std::uint32_t>(std::stoul(*found.rows[0][0]));
    }
    for (auto& row : answer.rows) {
      auto& value = row[output.position];
      if (!value) continue;
      auto read = pgwire::RecordValue::parse(view_of(*value));
      for (const auto& field : output.fields) {
        if (!read || field.position >= read->fields.size()) {
          answer.sqlstate = "XX000";
          return;
        }
        auto& one = read->fields[field.position].value;
        if (!one) continue;
        const auto bytes = from_hex(text_of(*one).substr(2));
        const auto plain = opened(field, std::string(text_of(*bytes)));
        one->clear();
        if (!plain || !pgwire::render(field.type, 0, *plain, {}, *one)) answer.sqlstate = "XX000";
      }
      Bytes text;
      read->append_text(text);
      value = std::string(text_of(text));
    }
  }

  void open(const Statement& statement, Answer& answer) {
    for (const auto& output : statement.outputs) {
      if (output.position >= answer.types.size()) {
        answer.sqlstate = "XX000";
        answer.message = "output position";
        return;
      }
      if (!output.fields.empty()) {
        open_rows(output, answer);
        continue;
      }
      const auto& type = output.type;
      if (answer.types[output.position] != pgwire::kOidBytea) answer.sqlstate = "XX000";
      answer.types[output.position] = type.oid;
      for (auto& row : answer.rows) {
        auto& value = row[output.position];
        if (!value) continue;
        const auto bytes = from_hex(value->substr(2));
        const auto plain = opened(output, std::string(text_of(*bytes)));
        Bytes shown;
        if (!plain || !pgwire::render(type, 0, *plain, {}, shown)) {
          answer.sqlstate = "XX000";
          answer.message = "a value of another column";
        }
        value = std::string(text_of(shown));
      }
    }
  }

  Catalogue catalogue_;
  Client admin_;
  std::optional<Client> logical_;
  std::optional<Client> physical_;
  std::uint64_t rows_ = 0;
  std::map<int, std::string> identities_;  ///< Gather::keeps_identities
  std::map<std::string, std::vector<std::shared_ptr<const Plan>>> plans_;
  std::shared_ptr<const TextLiterals> literals_;  ///< of the statement at hand
  std::size_t served_ = 0;
};

}  // namespace theriac::rewrite::testing
