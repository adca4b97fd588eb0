// A client of PostgreSQL, for the tests of this folder.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace theriac::rewrite::testing {

using Row = std::vector<std::optional<std::string>>;

struct Answer {
  std::string sqlstate;  ///< empty: it worked
  std::string message;
  std::string tag;
  std::vector<std::string> names;
  std::vector<Oid> types;
  std::vector<Row> rows;
  [[nodiscard]] bool good() const { return sqlstate.empty(); }
};

/// One value sent: text, or bytes in binary form.
struct Sent {
  std::optional<std::string> value;
  bool binary = false;
  Oid type = 0;
};

class Client {
 public:
  explicit Client(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
    PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
  }
  [[nodiscard]] bool connected() const { return PQstatus(connection_.get()) == CONNECTION_OK; }

  Answer run(const std::string& sql) { return answer(PQexec(connection_.get(), sql.c_str())); }

  Answer run(const std::string& sql, const std::vector<Sent>& sent) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
    std::vector<Oid> types;
    for (const auto& one : sent) {
      values.push_back(one.value ? one.value->data() : nullptr);
      lengths.push_back(one.value ? static_cast<int>(one.value->size()) : 0);
      formats.push_back(one.binary ? 1 : 0);
      types.push_back(one.type);
    }
    return answer(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(sent.size()),
                               types.data(), values.data(), lengths.data(), formats.data(), 0));
  }

  /// Types of the parameters, or nullopt if the server refuses the text.
  std::optional<std::vector<Oid>> parameter_types(const std::string& sql) {
    const auto prepared = answer(PQprepare(connection_.get(), "", sql.c_str(), 0, nullptr));
    if (!prepared.good()) return std::nullopt;
    auto* result = PQdescribePrepared(connection_.get(), "");
    std::vector<Oid> types;
    for (int i = 0; i < PQnparams(result); ++i) types.push_back(PQparamtype(result, i));
    PQclear(result);
    return types;
  }

 private:
  static Answer answer(PGresult* result) {
    Answer out;
    const auto status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
      out.sqlstate = state == nullptr ? "?????" : state;
      out.message = PQresultErrorMessage(result);
    }
    out.tag = PQcmdStatus(result);
    for (int i = 0; i < PQnfields(result); ++i) {
      out.names.emplace_back(PQfname(result, i));
      out.types.push_back(PQftype(result, i));
    }
    for (int r = 0; r < PQntuples(result); ++r) {
      Row row;
      for (int i = 0; i < PQnfields(result); ++i) {
        if (PQgetisnull(result, r, i) != 0) {
          row.emplace_back();
        } else {
          row.emplace_back(std::string(PQgetvalue(result, r, i),
                                       static_cast<std::size_t>(PQgetlength(result, r, i))));
        }
      }
      out.rows.push_back(std::move(row));
    }
    PQclear(result);
    return out;
  }
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace theriac::rewrite::testing
