// What planning costs on the path that parses: plans are cached, so this is paid once for each
// distinct text.
#include <benchmark/benchmark.h>

#include "rewrite/plan.hpp"
#include "rewrite/test_catalogue.hpp"

// BENCHMARK() of Debian's Google Benchmark uses __COUNTER__.
#pragma clang diagnostic ignored "-Wc2y-extensions"

namespace theriac::rewrite {
namespace {

void run(benchmark::State& state, std::string_view sql) {
  const auto catalogue = testing::test_catalogue();
  const Context context;
  for (auto _ : state) benchmark::DoNotOptimize(analyse(sql, catalogue, context));
}

void forward_without_parsing(benchmark::State& state) {
  run(state, "SELECT abalance FROM pgbench_accounts WHERE aid = 4711");
}
void forward_system_function(benchmark::State& state) {
  run(state, "SELECT pg_backend_pid(), now(), abalance FROM pgbench_accounts WHERE aid = 4711");
}
void redirect_catalogue(benchmark::State& state) {
  run(state,
      "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname "
      "= $1");
}
void forward_parsed(benchmark::State& state) {
  run(state, "SELECT o.id, d.model FROM orders o JOIN devices d ON d.id = o.id WHERE o.kind = $1");
}
void forward_touched(benchmark::State& state) {
  run(state, "SELECT id, note FROM customers WHERE kind = 'clinic' ORDER BY id");
}
void rewrite_select(benchmark::State& state) {
  run(state,
      "SELECT c.id, c.name, c.phone, o.total FROM customers c JOIN orders o ON o.customer_id = "
      "c.id WHERE c.name = $1 AND o.kind IN ('a', 'b') ORDER BY o.id LIMIT 20");
}
void rewrite_star(benchmark::State& state) {
  run(state, "SELECT * FROM customers WHERE name = $1");
}
void rewrite_insert(benchmark::State& state) {
  run(state,
      "INSERT INTO customers (id, name, kind, phone, credit) VALUES ($1, $2, $3, $4, $5) "
      "RETURNING id");
}
void rewrite_update_rows(benchmark::State& state) {
  run(state, "UPDATE customers SET name = $1, note = $2 WHERE kind = $3");
}
void insert_of_many_rows(benchmark::State& state) {
  std::string sql = "INSERT INTO usage (id, patient) VALUES (0, 'x')";
  for (int i = 1; i < 1'000; ++i) sql += ", (" + std::to_string(i) + ", 'value')";
  run(state, sql);
}

BENCHMARK(forward_without_parsing);
BENCHMARK(forward_system_function);
BENCHMARK(redirect_catalogue);
BENCHMARK(forward_parsed);
BENCHMARK(forward_touched);
BENCHMARK(rewrite_select);
BENCHMARK(rewrite_star);
BENCHMARK(rewrite_insert);
BENCHMARK(rewrite_update_rows);
BENCHMARK(insert_of_many_rows)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace theriac::rewrite
