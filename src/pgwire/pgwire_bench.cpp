// The steps of the hot path: cutting, rows, and values of the protected types.
#include <benchmark/benchmark.h>

#include "pgwire/messages.hpp"
#include "pgwire/types.hpp"

#pragma clang diagnostic ignored "-Wc2y-extensions"  // __COUNTER__ in BENCHMARK

namespace theriac::pgwire {
namespace {

Bytes rows_of_ten_columns() {
  const auto value = bytes_of("a value of some length");
  const std::vector<DataColumn> columns(10, {false, value});
  Bytes stream;
  for (int i = 0; i < 100; ++i) write_data_row(stream, columns);
  return stream;
}

void cut(benchmark::State& state) {
  const auto stream = rows_of_ten_columns();
  for (auto _ : state) {
    ByteView rest(stream);
    while (auto frame = cut_message(rest, kMessageBytesMax)) {
      if (!*frame) break;
      rest = rest.subspan((*frame)->raw.size());
    }
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(cut);

void cut_read_and_write_rows(benchmark::State& state) {
  const auto stream = rows_of_ten_columns();
  std::vector<DataColumn> columns;
  Bytes out;
  for (auto _ : state) {
    out.clear();
    ByteView rest(stream);
    while (auto frame = cut_message(rest, kMessageBytesMax)) {
      if (!*frame || !read_data_row((*frame)->body, columns)) break;
      write_data_row(out, columns);
      rest = rest.subspan((*frame)->raw.size());
    }
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(cut_read_and_write_rows);

struct Example {
  ColumnType column;
  std::string_view text;
};
const std::array<Example, 5> kExamples{{{{kOidText, -1}, "张伟, 13812345678, Shanghai"},
                                        {{kOidInt4, -1}, "20261121"},
                                        {{kOidNumeric, (10 << 16 | 2) + 4}, "12345.67"},
                                        {{kOidDate, -1}, "2026-11-21"},
                                        {{kOidTimestamptz, -1}, "2026-11-21 10:30:00.5"}}};

TextSettings shanghai() {
  TextSettings settings;
  settings.time_zone = "Asia/Shanghai";
  return settings;
}

void store(benchmark::State& state) {
  const auto& example = kExamples.at(static_cast<std::size_t>(state.range(0)));
  const auto settings = shanghai();
  for (auto _ : state) {
    benchmark::DoNotOptimize(to_stored(example.column, 0, 0, view_of(example.text), settings));
  }
}
BENCHMARK(store)->DenseRange(0, 4);

void show(benchmark::State& state) {
  const auto& example = kExamples.at(static_cast<std::size_t>(state.range(0)));
  const auto settings = shanghai();
  const auto stored = *to_stored(example.column, 0, 0, view_of(example.text), settings);
  Bytes out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(render(example.column, 0, stored, settings, out));
  }
}
BENCHMARK(show)->DenseRange(0, 4);

}  // namespace
}  // namespace theriac::pgwire
