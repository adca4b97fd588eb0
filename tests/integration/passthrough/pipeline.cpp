// Pipelines through libpq: many statements sent before the first answer is read, errors in the
// middle, prepared statements, sync points. Prints what came back, so that two runs can be
// compared: directly, and through the gateway.
//
// usage: pipeline CONNINFO
#include <libpq-fe.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace {

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Rows = std::unique_ptr<PGresult, Clear>;

[[noreturn]] void die(PGconn* connection, const char* what) {
  std::fprintf(stderr, "%s: %s", what, PQerrorMessage(connection));
  std::exit(1);
}

void print(PGresult* result) {
  const auto status = PQresultStatus(result);
  std::printf("%s", PQresStatus(status));
  if (status == PGRES_TUPLES_OK) {
    std::printf(" %d rows", PQntuples(result));
    if (PQntuples(result) > 0) std::printf(", first %.40s", PQgetvalue(result, 0, 0));
  } else if (status == PGRES_FATAL_ERROR) {
    std::printf(" %s", PQresultErrorField(result, PG_DIAG_SQLSTATE));
  } else {
    std::printf(" %s", PQcmdStatus(result));
  }
  std::printf("\n");
}

/// Reads every result up to the given number of sync points.
void read_until_syncs(PGconn* connection, int syncs) {
  bool last_was_null = false;
  while (syncs > 0) {
    const Rows result(PQgetResult(connection));
    if (result == nullptr) {
      if (last_was_null) die(connection, "no result");
      last_was_null = true;
      continue;
    }
    last_was_null = false;
    print(result.get());
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) --syncs;
  }
}

void send(PGconn* connection, const char* sql, const char* parameter = nullptr) {
  const std::array<const char*, 1> values{parameter};
  if (PQsendQueryParams(connection, sql, parameter == nullptr ? 0 : 1, nullptr, values.data(),
                        nullptr, nullptr, 0) != 1) {
    die(connection, sql);
  }
}

void sync(PGconn* connection) {
  if (PQpipelineSync(connection) != 1) die(connection, "sync");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  PGconn* connection = PQconnectdb(argv[1]);
  if (PQstatus(connection) != CONNECTION_OK) die(connection, "connect");
  if (PQenterPipelineMode(connection) != 1) die(connection, "pipeline mode");

  // An implicit transaction with an error in the middle: what follows is skipped up to the sync.
  send(connection, "create temp table numbers (n int primary key)");
  sync(connection);
  for (int i = 0; i < 100; ++i) {
    send(connection, "insert into numbers values ($1::int)", std::to_string(i).c_str());
  }
  send(connection, "insert into numbers values ($1::int)", "7");
  send(connection, "insert into numbers values ($1::int)", "1000");
  sync(connection);
  send(connection, "select count(*) from numbers");
  send(connection, "select 1/$1::int", "0");
  send(connection, "select 'skipped'");
  sync(connection);
  read_until_syncs(connection, 3);

  // The same statement bound many times, as batches of drivers do it.
  if (PQsendPrepare(connection, "double", "select $1::int * 2", 1, nullptr) != 1) return 1;
  for (int i = 0; i < 300; ++i) {
    const auto text = std::to_string(i);
    const std::array<const char*, 1> values{text.c_str()};
    if (PQsendQueryPrepared(connection, "double", 1, values.data(), nullptr, nullptr, 0) != 1) {
      die(connection, "prepared");
    }
  }
  if (PQsendDescribePrepared(connection, "double") != 1) return 1;
  sync(connection);
  read_until_syncs(connection, 1);

  // Flush without sync: answers come while the transaction is still open.
  send(connection, "select repeat('x', 100000)");
  if (PQsendFlushRequest(connection) != 1 || PQflush(connection) < 0) die(connection, "flush");
  print(Rows(PQgetResult(connection)).get());
  if (PQgetResult(connection) != nullptr) die(connection, "one result was due");
  send(connection, "select txid_current_if_assigned() is null");
  sync(connection);
  read_until_syncs(connection, 1);

  if (PQexitPipelineMode(connection) != 1) die(connection, "exit");
  print(Rows(PQexec(connection, "select count(*) from numbers")).get());
  PQfinish(connection);
  return 0;
}
