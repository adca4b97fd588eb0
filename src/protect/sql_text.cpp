#include "protect/sql_text.hpp"

namespace theriac::protect {

std::string array_text(const std::vector<std::string>& items) {
  std::string out = "{";
  for (const auto& item : items) {
    out += out.size() > 1 ? ",\"" : "\"";
    for (const char c : item) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + '}';
}

std::string qualified_sql(std::string_view schema, std::string_view table) {
  return store::pg_quote_identifier(schema) + "." + store::pg_quote_identifier(table);
}

tl::unexpected<Error> while_doing(std::string_view doing, const Error& error) {
  // 55P03: a lock was not to be had in time.
  if (error.where == "SQLSTATE 55P03") {
    return fail(Code::kBusy, fmt::format("{}: other sessions use the table", doing));
  }
  return fail(error.code, fmt::format("{}: {}", doing, error.where));
}

Status run_all(store::PgConnection& database, const std::vector<std::string>& statements,
               std::string_view doing) {
  for (const auto& statement : statements) {
    if (const auto done = database.exec(statement); !done) return while_doing(doing, done.error());
  }
  return {};
}

}  // namespace theriac::protect
