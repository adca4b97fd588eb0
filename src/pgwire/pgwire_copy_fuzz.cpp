// Any bytes as COPY data, in chunks of any size: the same rows come out, and a value that is
// decoded and written again is decoded to the same.
#include <cstddef>
#include <cstdint>

#include "pgwire/copy_reader.hpp"

namespace {

using namespace theriac::pgwire;  // NOLINT: one file, one subject
using theriac::Bytes;
using theriac::ByteView;

/// Everything a reader says of a stream.
struct Told {
  Bytes text;
  bool good = true;
  std::uint64_t line = 0;
};

void write_again(const CopyOptions& options, const CopyField& field) {
  Bytes value;
  copy_value(options, field, value);
  Bytes written;
  write_copy_value(options, value, false, false, written);
  // In binary the length stands before it.
  const auto skipped = options.format == CopyFormat::kBinary ? std::size_t{4} : std::size_t{0};
  Bytes again;
  copy_value(options, {false, ByteView(written).subspan(skipped)}, again);
  THERIAC_ASSERT(again == value);
}

bool take(CopyReader& reader, const CopyOptions& options, std::size_t columns, Told& told) {
  for (;;) {
    const auto next = reader.next();
    if (!next) {
      told.good = false;
      told.line = reader.line();
      return false;
    }
    if (*next == CopyReader::Next::kMore) return true;
    if (*next == CopyReader::Next::kEnd && reader.whole().empty()) return true;
    theriac::append(told.text, reader.whole());
    told.text.push_back('/');
    if (*next != CopyReader::Next::kRow || !reader.split(columns)) continue;
    for (const auto& field : reader.fields()) {
      told.text.push_back(field.is_null ? 'n' : 'v');
      theriac::append(told.text, field.raw);
      if (!field.is_null) write_again(options, field);
    }
    told.line = reader.line();
  }
}

Told read(const CopyOptions& options, ByteView data, std::size_t step, CopyReader::From from) {
  constexpr std::size_t kColumns = 3;
  CopyReader reader(options, kColumns, from);
  Told told;
  for (std::size_t at = 0; at < data.size() && told.good; at += step) {
    reader.feed(data.subspan(at, std::min(step, data.size() - at)));
    if (!take(reader, options, kColumns, told)) return told;
  }
  reader.finish();
  take(reader, options, kColumns, told);
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 4;
  if (size < kHead) return 0;
  CopyOptions options;
  options.format = static_cast<CopyFormat>(data[0] % 3);
  options.header = data[1] % 2 == 0 ? CopyHeader::kNone : CopyHeader::kPresent;
  if (options.format == CopyFormat::kCsv) {
    options.delimiter = ',';
    options.null_text = data[1] % 4 < 2 ? "" : "N";
    options.quote = data[1] % 8 < 4 ? '"' : '\'';
    options.escape = data[1] % 16 < 8 ? options.quote : '\\';
  }
  const auto from = data[2] % 2 == 0 ? CopyReader::From::kClient : CopyReader::From::kServer;
  const ByteView stream(data + kHead, size - kHead);
  const auto whole = read(options, stream, std::max<std::size_t>(stream.size(), 1), from);
  const auto split = read(options, stream, 1U + data[3] % 7U, from);
  THERIAC_ASSERT(whole.good == split.good);
  THERIAC_ASSERT(whole.text == split.text);
  THERIAC_ASSERT(whole.line == split.line);
  return 0;
}
