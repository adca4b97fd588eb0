// Heads and chunked bodies: whole and cut at every byte, they must say the same.
#include <cstdint>
#include <string>

#include "http/wire.hpp"

namespace {

using namespace theriac::http;  // NOLINT

struct Outcome {
  int status = 0;  // 0: accepted, -1: more is wanted
  std::string body;
  std::size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome scan_head(std::string_view input, std::size_t step) {
  HeadScanner scanner;
  for (std::size_t seen = std::min(step, input.size());;
       seen = std::min(seen + step, input.size())) {
    const auto size = scanner.scan(input.substr(0, seen));
    if (!size) return {size.error().status, {}, 0};
    if (*size > 0) return {0, {}, *size};
    if (seen == input.size()) return {-1, {}, 0};
  }
}

Outcome decode(theriac::ByteView input, std::size_t step) {
  ChunkedDecoder decoder;
  Outcome outcome;
  while (!decoder.done() && outcome.used < input.size()) {
    const auto rest = input.subspan(outcome.used);
    const auto taken = decoder.feed(rest.first(std::min(step, rest.size())));
    if (!taken) return {taken.error().status, {}, 0};
    THERIAC_ASSERT(taken->consumed > 0);
    outcome.used += taken->consumed;
    outcome.body += theriac::text_of(taken->data);
  }
  if (!decoder.done()) outcome.status = -1;
  return outcome;
}

void check_request(std::string_view head) {
  RequestHead parsed;
  if (!parse_request_head(head, parsed)) return;
  THERIAC_ASSERT(is_token(parsed.method));
  std::size_t lengths = 0;
  std::size_t codings = 0;
  for (const auto& field : parsed.fields) {
    THERIAC_ASSERT(is_token(field.name) && is_field_value(field.value));
    lengths += same_token(field.name, "Content-Length") ? 1U : 0U;
    codings += same_token(field.name, "Transfer-Encoding") ? 1U : 0U;
  }
  THERIAC_ASSERT(lengths + codings <= 1);
  THERIAC_ASSERT((parsed.framing == Framing::kLength) == (lengths == 1));
  THERIAC_ASSERT((parsed.framing == Framing::kChunked) == (codings == 1));
  THERIAC_ASSERT(parsed.minor_version == 0 || find_field(parsed.fields, "Host"));
  // Written again it is the same message.
  if (parsed.target.empty() || parsed.form == TargetForm::kAbsolute) return;
  theriac::Bytes out;
  auto writer = HeadWriter::request(out, parsed.method, parsed.target);
  THERIAC_ASSERT(writer.has_value());
  for (const auto& field : parsed.fields) {
    THERIAC_ASSERT(writer->field(field.name, field.value).has_value());
  }
  writer->end();
  if (parsed.minor_version == 0 || out.size() > kHeadBytesMax) return;
  RequestHead again;
  THERIAC_ASSERT(parse_request_head(theriac::text_of(out), again).has_value());
  THERIAC_ASSERT(again.target == parsed.target && again.framing == parsed.framing);
  THERIAC_ASSERT(again.content_length == parsed.content_length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const theriac::ByteView input(data, size);
  const auto text = theriac::text_of(input);
  const auto whole = scan_head(text, size + 1);
  THERIAC_ASSERT(scan_head(text, 1) == whole);
  if (whole.status == 0) {
    const auto head = text.substr(0, whole.used);
    check_request(head);
    ResponseHead response;
    static_cast<void>(parse_response_head(head, false, response));
  }
  // The body: after the head, or all of it.
  const auto body = input.subspan(whole.status == 0 ? whole.used : 0);
  THERIAC_ASSERT(decode(body, 1) == decode(body, size + 1));
  return 0;
}
