// Cuts a stream into messages and reads every body as every kind of message. What was read and
// written again must be what came.
#include <cstdint>

#include "pgwire/messages.hpp"

namespace {

using namespace theriac::pgwire;  // NOLINT: one file, one subject
using theriac::Bytes;
using theriac::ByteView;

void expect_same(const Bytes& written, ByteView body) {
  const auto frame = cut_message(written, kMessageBytesMax);
  THERIAC_ASSERT(frame && frame->has_value());
  THERIAC_ASSERT((*frame)->raw.size() == written.size());
  THERIAC_ASSERT(theriac::text_of((*frame)->body) == theriac::text_of(body));
}

void read_requests(ByteView body) {
  Bytes out;
  if (const auto parse = read_parse(body)) {
    write_parse(out, parse->statement, parse->sql, parse->parameter_types);
    expect_same(out, body);
  }
  out.clear();
  if (const auto bind = read_bind(body)) {
    for (std::size_t i = 0; i < bind->parameters.size(); ++i) (void)bind->parameter_format(i);
    write_bind(out, *bind);
    expect_same(out, body);
  }
  out.clear();
  if (const auto target = read_target(body)) {
    write_describe(out, *target);
    expect_same(out, body);
  }
  out.clear();
  if (const auto execute = read_execute(body)) {
    write_execute(out, *execute);
    expect_same(out, body);
  }
  out.clear();
  if (const auto sql = read_query(body)) {
    write_query(out, *sql);
    expect_same(out, body);
  }
}

void read_answers(ByteView body) {
  Bytes out;
  if (const auto fields = read_row_description(body)) {
    write_row_description(out, *fields);
    expect_same(out, body);
  }
  out.clear();
  if (const auto types = read_parameter_description(body)) {
    write_parameter_description(out, *types);
    expect_same(out, body);
  }
  out.clear();
  std::vector<DataColumn> columns;
  if (read_data_row(body, columns)) {
    write_data_row(out, columns);
    expect_same(out, body);
  }
  std::size_t notice_bytes = 0;
  for (const auto& field : read_notice(body)) notice_bytes += 1 + field.text.size();
  THERIAC_ASSERT(notice_bytes <= body.size());
  if (const auto status = read_parameter_status(body)) {
    THERIAC_ASSERT(status->first.size() + status->second.size() + 2 == body.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint32_t kBodyBytesMax = 1U << 16U;
  ByteView rest(data, size);
  read_requests(rest);
  read_answers(rest);
  for (;;) {
    const auto frame = cut_message(rest, kBodyBytesMax);
    if (!frame || !*frame) return 0;
    read_requests((*frame)->body);
    read_answers((*frame)->body);
    rest = rest.subspan((*frame)->raw.size());
  }
}
