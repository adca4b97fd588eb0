#include "protect/form.hpp"

#include "protect/sql_text.hpp"
#include "seal/sealed.hpp"

namespace theriac::protect {

using store::pg_quote_identifier;
using store::pg_quote_literal;

std::string add_helpers(const std::string& table_sql, const std::vector<RegisteredColumn>& columns,
                        bool with_row) {
  std::string sql = "ALTER TABLE " + table_sql;
  const char* comma = " ";
  for (const auto& column : columns) {
    // Sealed bytes do not compress: EXTERNAL saves the attempt.
    sql += comma + ("ADD COLUMN " + column.sealed_name()) + " bytea, ALTER COLUMN " +
           column.sealed_name() + " SET STORAGE EXTERNAL";
    for (const auto& name : column.index_names()) sql += ", ADD COLUMN " + name + " bytea";
    comma = ", ";
  }
  if (with_row) sql += std::string(comma) + "ADD COLUMN theriac_row uuid";
  return sql;
}

std::string drop_helpers(const std::string& table_sql, const std::vector<RegisteredColumn>& columns,
                         bool with_row) {
  std::string sql = "ALTER TABLE " + table_sql;
  const char* comma = " ";
  for (const auto& column : columns) {
    sql += comma + ("DROP COLUMN " + column.sealed_name());
    for (const auto& index : column.index_names()) sql += ", DROP COLUMN " + index;
    comma = ", ";
  }
  return with_row ? sql + ", DROP COLUMN theriac_row" : sql;
}

std::string free_plain(const std::string& table_sql, const std::vector<RegisteredColumn>& columns) {
  std::string sql = "ALTER TABLE " + table_sql;
  const char* comma = " ";
  for (const auto& column : columns) {
    const auto name = pg_quote_identifier(column.column);
    sql +=
        comma + ("ALTER COLUMN " + name) + " DROP NOT NULL, ALTER COLUMN " + name + " DROP DEFAULT";
    comma = ", ";
  }
  return sql;
}

std::string form_condition(const RegisteredColumn& column) {
  const auto name = column.sealed_name();
  const auto least = seal::kOverheadBytes + (column.bound ? seal::kRowIdBytes : 0);
  // substring() of a value too short gives less, where get_byte() would be an error.
  return fmt::format(
      "{0} IS NULL OR (octet_length({0}) >= {1} AND substring({0}, 1, 2) = '\\x01{2:02x}'::bytea "
      "AND substring({0}, 3, 1) IN ('\\x{3}'::bytea, '\\x{4}'::bytea))",
      name, least, column.suite, column.bound ? "01" : "00", column.bound ? "03" : "02");
}

std::string row_constraint(const std::vector<RegisteredColumn>& columns) {
  return "theriac_row_" + columns.front().member_mark() + std::to_string(columns.front().number);
}

std::string make_form(const std::string& table_sql, const std::vector<RegisteredColumn>& columns,
                      bool with_row) {
  // Giving a helper its own type anew with an expression makes PostgreSQL write the whole table
  // into new files, without the old row versions.
  const auto first = columns.front().sealed_name();
  std::string sql = "ALTER TABLE " + table_sql + " ALTER COLUMN " + first + " TYPE bytea USING (" +
                    first + " || ''::bytea)";
  for (const auto& column : columns) {
    if (column.not_null) sql += ", ALTER COLUMN " + column.sealed_name() + " SET NOT NULL";
    sql += ", ADD CONSTRAINT " + column.plain_check() + " CHECK (" +
           pg_quote_identifier(column.column) + " IS NULL), ADD CONSTRAINT " + column.form_check() +
           " CHECK (" + form_condition(column) + ")";
  }
  if (with_row) sql += ", ALTER COLUMN theriac_row SET NOT NULL";
  return sql;
}

std::vector<std::string> own_form(const std::string& table_sql,
                                  const std::vector<RegisteredColumn>& columns) {
  std::vector<std::string> out;
  for (const auto& column : columns) {
    if (column.member == 0 || !column.not_null) continue;
    out.push_back("ALTER TABLE " + table_sql + " ALTER COLUMN " + column.sealed_name() +
                  " SET NOT NULL");
  }
  return out;
}

std::string make_lookup(const std::string& table_sql, const RegisteredColumn& column,
                        const std::string& helper) {
  // With a condition it is like no index of the program's: PostgreSQL does not attach it to one.
  return "CREATE INDEX " + column.lookup_index(helper) + " ON " + table_sql + " (" + helper + ")" +
         (column.member > 0 ? " WHERE " + helper + " IS NOT NULL" : "");
}

std::string make_row_unique(const std::string& table_sql,
                            const std::vector<RegisteredColumn>& columns) {
  return "ALTER TABLE ONLY " + table_sql + " ADD CONSTRAINT " + row_constraint(columns) +
         " UNIQUE (theriac_row)";
}

namespace {

/// Of the partitioned table alone: its partitions' own indexes are attached afterwards. A
/// constraint on it cannot be made from an index.
std::vector<std::string> make_partitioned(const std::string& schema, const std::string& table_sql,
                                          const TargetIndex& index, const IndexText& text) {
  const auto qualified = qualified_sql(schema, index.name);
  std::vector<std::string> out;
  if (index.constraint.empty()) {
    out.push_back(text.sql("ONLY " + table_sql));
  } else {
    constexpr std::string_view kNulls = " NULLS NOT DISTINCT";
    auto tail = text.tail;
    std::string list, nulls;
    if (const auto at = tail.find(kNulls); at != std::string::npos) {
      nulls = tail.substr(at, kNulls.size());
      tail.erase(at, kNulls.size());
    }
    for (const auto& element : text.elements) list += (list.empty() ? "" : ", ") + element;
    const auto name = pg_quote_identifier(index.constraint);
    out.push_back("ALTER TABLE ONLY " + table_sql + " ADD CONSTRAINT " + name + " UNIQUE" + nulls +
                  " (" + list + ")" + tail + (index.deferrable ? " DEFERRABLE" : "") +
                  (index.deferred ? " INITIALLY DEFERRED" : ""));
    if (!index.constraint_comment.empty()) {
      out.push_back("COMMENT ON CONSTRAINT " + name + " ON " + table_sql + " IS " +
                    pg_quote_literal(index.constraint_comment));
    }
  }
  if (!index.comment.empty()) {
    out.push_back("COMMENT ON INDEX " + qualified + " IS " + pg_quote_literal(index.comment));
  }
  return out;
}

}  // namespace

std::string attach_index(const std::string& schema, const TargetIndex& index) {
  return "ALTER INDEX " + index.attach_to + " ATTACH PARTITION " +
         qualified_sql(schema, index.name);
}

std::vector<std::string> make_index(const std::string& schema, const std::string& table_sql,
                                    const TargetIndex& index, const IndexText& text) {
  const auto name = pg_quote_identifier(index.name);
  const auto qualified = pg_quote_identifier(schema) + "." + name;
  if (index.partitioned) return make_partitioned(schema, table_sql, index, text);
  std::vector<std::string> out{text.sql(table_sql)};
  if (!index.constraint.empty()) {
    out.push_back("ALTER TABLE " + table_sql + " ADD CONSTRAINT " +
                  pg_quote_identifier(index.constraint) + " UNIQUE USING INDEX " + name +
                  (index.deferrable ? " DEFERRABLE" : "") +
                  (index.deferred ? " INITIALLY DEFERRED" : ""));
    if (!index.constraint_comment.empty()) {
      out.push_back("COMMENT ON CONSTRAINT " + pg_quote_identifier(index.constraint) + " ON " +
                    table_sql + " IS " + pg_quote_literal(index.constraint_comment));
    }
  }
  if (index.clustered) out.push_back("ALTER TABLE " + table_sql + " CLUSTER ON " + name);
  if (!index.comment.empty()) {
    out.push_back("COMMENT ON INDEX " + qualified + " IS " + pg_quote_literal(index.comment));
  }
  return out;
}

std::string drop_index(const std::string& schema, const std::string& table_sql,
                       const std::string& name, const std::string& constraint) {
  if (!constraint.empty()) {
    return "ALTER TABLE " + table_sql + " DROP CONSTRAINT IF EXISTS " +
           pg_quote_identifier(constraint);
  }
  return "DROP INDEX IF EXISTS " + pg_quote_identifier(schema) + "." + pg_quote_identifier(name);
}

std::vector<std::string> make_statistics(const codec::Json& recorded) {
  const auto name = qualified_sql(recorded.value("schema", ""), recorded.value("name", ""));
  std::vector<std::string> out{
      "DROP STATISTICS IF EXISTS " + name, recorded.value("definition", ""),
      "ALTER STATISTICS " + name + " OWNER TO " + pg_quote_identifier(recorded.value("owner", ""))};
  if (const auto target = recorded.value("target", -1); target >= 0) {
    out.push_back("ALTER STATISTICS " + name + " SET STATISTICS " + std::to_string(target));
  }
  if (const auto comment = recorded.value("comment", ""); !comment.empty()) {
    out.push_back("COMMENT ON STATISTICS " + name + " IS " + pg_quote_literal(comment));
  }
  return out;
}

codec::Json index_to_json(const TargetIndex& index) {
  return {{"name", index.name},
          {"definition", index.definition},
          {"keys", index.key_forms},
          {"constraint", index.constraint},
          {"deferrable", index.deferrable},
          {"deferred", index.deferred},
          {"clustered", index.clustered},
          {"partitioned", index.partitioned},
          {"attach_to", index.attach_to},
          {"comment", index.comment},
          {"constraint_comment", index.constraint_comment}};
}

Result<TargetIndex> index_from_json(const codec::Json& json) {
  TargetIndex out;
  try {
    out.name = json.at("name").get<std::string>();
    out.definition = json.at("definition").get<std::string>();
    out.constraint = json.at("constraint").get<std::string>();
    out.deferrable = json.at("deferrable").get<bool>();
    out.deferred = json.at("deferred").get<bool>();
    out.clustered = json.at("clustered").get<bool>();
    out.partitioned = json.value("partitioned", false);
    out.attach_to = json.value("attach_to", "");
    out.comment = json.at("comment").get<std::string>();
    out.constraint_comment = json.at("constraint_comment").get<std::string>();
  } catch (const codec::Json::exception&) {
    return fail(Code::kMalformed, "theriac.tables: index");
  }
  THERIAC_ASSIGN(out.text, parse_index(out.definition));
  return out;
}

Shadowed shadow_of(const RegisteredColumn& column) {
  Shadowed out{column.column, {column.sealed_name()}};
  for (auto& name : column.index_names()) out.helpers.push_back(std::move(name));
  if (column.bound) out.helpers.emplace_back("theriac_row");
  return out;
}

}  // namespace theriac::protect
