// Runs a file of statements on two connections and compares all a client can see.
//
//   twin_runner PLAIN_CONNINFO GATEWAY_CONNINFO FILE [sequence]
//
// With "sequence" the whole file runs in one protocol after the other, for statements that build on
// each other; else each statement runs in all of them.
// File: statements end with a semicolon at the end of a line. A line before one may say
//   --! text      it must be refused (0A000) through the gateway; it is not run directly
//   --$ a|b|\N    parameters ($1, $2, ...); then the simple protocol is not tried
//   --@ oid,oid   their declared types (0: unknown)
// "%db%" in a statement stands for the database's name (what is known to the whole cluster).
//   --once        in the extended protocol with text results only
// Prints one line for each difference and "N passed, N failed"; exit code 1 if any failed.
#include <fmt/format.h>
#include <libpq-fe.h>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Case {
  int line = 0;
  std::string sql;
  bool refused = false, once = false, with_parameters = false;
  std::vector<std::string> parameters;
  std::vector<Oid> types;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::vector<Case> read_cases(const char* path) {
  std::vector<Case> cases;
  std::ifstream file(path);
  Case one;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.starts_with("--!")) {
      one.refused = true;
    } else if (line.starts_with("--$ ")) {
      one.with_parameters = true;
      one.parameters = split(line.substr(4), '|');
    } else if (line.starts_with("--@ ")) {
      for (const auto& oid : split(line.substr(4), ',')) {
        one.types.push_back(static_cast<Oid>(std::stoul(oid)));
      }
    } else if (line.starts_with("--once")) {
      one.once = true;
    } else if (!line.starts_with("--") && !line.empty()) {
      if (one.sql.empty()) one.line = number;
      one.sql += line + "\n";
      if (line.back() == ';') {
        one.sql.resize(one.sql.size() - 2);
        cases.push_back(std::move(one));
        one = {};
      }
    }
  }
  return cases;
}

enum class Mode { kSimple, kText, kBinary };
constexpr const char* kModes[] = {"simple", "extended text", "extended binary"};

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

Answer ask(PGconn* connection, const Case& c, Mode mode) {
  constexpr std::string_view kDatabase = "%db%";
  auto sql = c.sql;
  if (const auto at = sql.find(kDatabase); at != std::string::npos) {
    sql.replace(at, kDatabase.size(), PQdb(connection));
  }
  if (mode == Mode::kSimple) return {PQexec(connection, sql.c_str()), PQclear};
  std::vector<const char*> values;
  for (const auto& p : c.parameters) values.push_back(p == "\\N" ? nullptr : p.c_str());
  auto types = c.types;
  types.resize(values.size());
  const int count = static_cast<int>(values.size());
  Answer prepared(PQprepare(connection, "", sql.c_str(), count, types.data()), PQclear);
  if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) return prepared;
  return {PQexecPrepared(connection, "", count, values.data(), nullptr, nullptr,
                         mode == Mode::kBinary ? 1 : 0),
          PQclear};
}

/// A type as a client sees it: by name if it was made in the database, where its number differs.
std::string type_name(PGconn* connection, Oid type) {
  constexpr Oid kFirstOfDatabase = 16384;
  if (type < kFirstOfDatabase) return std::to_string(type);
  static std::map<std::pair<PGconn*, Oid>, std::string> known;
  auto& name = known[{connection, type}];
  if (name.empty()) {
    const auto sql = fmt::format("SELECT {}::pg_catalog.regtype::pg_catalog.text", type);
    const Answer answer(PQexec(connection, sql.c_str()), PQclear);
    if (PQntuples(answer.get()) == 1) name = PQgetvalue(answer.get(), 0, 0);
  }
  return name;
}

/// Everything a client can see, as text.
std::string picture(PGconn* connection, const Case& c, Mode mode, std::string& sqlstate,
                    std::string& message) {
  const auto answer = ask(connection, c, mode);
  const auto* r = answer.get();
  const auto* state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  sqlstate = state != nullptr ? state : "";
  const auto* text = PQresultErrorMessage(r);
  message = text != nullptr ? text : "";
  if (!sqlstate.empty()) return "error " + sqlstate;
  std::string parameters;
  if (mode != Mode::kSimple) {
    const Answer described(PQdescribePrepared(connection, ""), PQclear);
    for (int p = 0; p < PQnparams(described.get()); ++p) {
      parameters += fmt::format("${}:{} ", p + 1, PQparamtype(described.get(), p));
    }
  }
  std::string head = fmt::format("{} {}\n", PQcmdStatus(const_cast<PGresult*>(r)),  // NOLINT
                                 PQnfields(r));
  for (int f = 0; f < PQnfields(r); ++f) {
    head += fmt::format("{}:{}:{}:{}:{}:{}\n", PQfname(r, f), type_name(connection, PQftype(r, f)),
                        PQfmod(r, f), PQfsize(r, f), PQftablecol(r, f), PQfformat(r, f));
  }
  std::vector<std::string> rows;
  for (int i = 0; i < PQntuples(r); ++i) {
    std::string row;
    for (int f = 0; f < PQnfields(r); ++f) {
      row += '|';
      if (PQgetisnull(r, i, f) != 0) {
        row += "<null>";
        continue;
      }
      const std::string_view value(PQgetvalue(r, i, f),
                                   static_cast<std::size_t>(PQgetlength(r, i, f)));
      if (PQfformat(r, f) == 0) {
        row += value;
      } else {
        for (const char b : value) row += fmt::format("{:02x}", static_cast<unsigned char>(b));
      }
    }
    rows.push_back(row);
  }
  if (c.sql.find("ORDER BY") == std::string::npos) std::sort(rows.begin(), rows.end());
  for (const auto& row : rows) head += row + "\n";
  return head + parameters;
}

bool check(PGconn* plain, PGconn* gateway, const Case& c, Mode mode) {
  std::string state, message, plain_state, plain_message;
  const auto through = picture(gateway, c, mode, state, message);
  const auto complain = [&](const std::string& what) {
    fmt::print("line {} ({}): {}\n  {}\n", c.line, kModes[static_cast<int>(mode)], what, c.sql);
    return false;
  };
  if (message.find("theriac_") != std::string::npos) return complain("helper named: " + message);
  if (c.refused) {
    if (state != "0A000" && state != "42703") return complain("not refused: " + through);
    if (message.find("HINT") == std::string::npos) return complain("no hint: " + message);
    return true;
  }
  const auto direct = picture(plain, c, mode, plain_state, plain_message);
  if (direct != through) {
    return complain(
        fmt::format("direct:\n{}{}gateway:\n{}{}", direct, plain_message, through, message));
  }
  if (PQtransactionStatus(plain) != PQtransactionStatus(gateway)) {
    return complain("transaction status differs");
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  const bool sequence = argc == 5;
  PGconn* plain = PQconnectdb(argv[1]);
  PGconn* gateway = PQconnectdb(argv[2]);
  for (PGconn* c : {plain, gateway}) {
    if (PQstatus(c) != CONNECTION_OK) {
      fmt::print("cannot connect: {}\n", PQerrorMessage(c));
      return 1;
    }
    PQsetNoticeProcessor(c, [](void*, const char*) {}, nullptr);
  }
  int passed = 0, failed = 0;
  const auto cases = read_cases(argv[3]);
  const auto run = [&](const Case& c, Mode mode) {
    if (mode == Mode::kSimple && (c.with_parameters || c.once)) return;
    if (mode == Mode::kBinary && c.once) return;
    ++(check(plain, gateway, c, mode) ? passed : failed);
    std::fflush(stdout);
  };
  for (const auto mode : {Mode::kSimple, Mode::kText, Mode::kBinary}) {
    if (!sequence) break;
    for (const auto& c : cases) run(c, mode);
  }
  for (const auto& c : cases) {
    if (sequence) break;
    for (const auto mode : {Mode::kSimple, Mode::kText, Mode::kBinary}) run(c, mode);
  }
  PQfinish(plain);
  PQfinish(gateway);
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
