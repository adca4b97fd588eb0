// COPY TO STDOUT: the server's rows, opened and masked.
#include <algorithm>

#include "gateway/copy_streams.hpp"

namespace theriac::gateway {

using pgwire::CopyFormat;
using pgwire::CopyReader;

CopyOpener::CopyOpener(std::shared_ptr<const rewrite::Statement> statement,
                       std::shared_ptr<RowMap> rows, pgwire::TextSettings settings,
                       Ciphers& ciphers)
    : statement_(std::move(statement)),
      map_(std::move(rows)),
      settings_(std::move(settings)),
      ciphers_(ciphers) {}

Refusable<std::unique_ptr<CopyOpener>> CopyOpener::make(
    std::shared_ptr<const rewrite::Statement> statement, std::shared_ptr<RowMap> rows,
    const pgwire::TextSettings& settings, Ciphers& ciphers) {
  std::unique_ptr<CopyOpener> made(
      new CopyOpener(std::move(statement), std::move(rows), settings, ciphers));
  const auto& copy = made->plan();
  if (copy.options.format == CopyFormat::kBinary) return made;
  made->settings_.encoding = nullptr;  // the stream is converted as a whole
  if (copy.encoding.empty()) return made;
  auto transcoder = pgwire::CopyTranscoder::from_utf8(copy.encoding);
  if (!transcoder) return refuse(pgwire::report_of(transcoder.error()));
  made->transcoder_.emplace(std::move(*transcoder));
  return made;
}

Status CopyOpener::begin(const pgwire::CopyResponse& response) {
  if (response.binary != (plan().options.format == CopyFormat::kBinary)) {
    return fail(Code::kUnsupported, "format of COPY");
  }
  by_position_.assign(response.columns, nullptr);
  for (const auto& rule : map_->rules()) {
    if (rule.position >= response.columns) return fail(Code::kUnsupported, "result columns");
    by_position_[rule.position] = &rule;
  }
  reader_.emplace(plan().options, response.columns, CopyReader::From::kServer);
  return {};
}

Status CopyOpener::feed(ByteView bytes, Bytes& out) {
  if (!reader_) return fail(Code::kProtocol, "CopyData");
  reader_->feed(bytes);
  if (!transcoder_) return rows(out);
  plain_.clear();
  const auto done = rows(plain_);
  const auto converted = done ? transcoder_->convert(plain_, out) : done;
  wipe(plain_);
  return converted;
}

Status CopyOpener::finish(Bytes& out) {
  if (!reader_) return fail(Code::kProtocol, "CopyDone");
  reader_->finish();
  THERIAC_TRY(feed({}, out));
  return transcoder_ ? transcoder_->finish(out) : Status{};
}

Status CopyOpener::rows(Bytes& out) {
  for (;;) {
    THERIAC_ASSIGN(const auto next, reader_->next());
    switch (next) {
      case CopyReader::Next::kMore:
        return {};
      case CopyReader::Next::kHeader:
        append(out, reader_->whole());
        break;
      case CopyReader::Next::kRow:
        THERIAC_TRY(row(out));
        break;
      case CopyReader::Next::kEnd:
        if (reader_->whole().empty()) return {};
        append(out, reader_->whole());
        break;
    }
  }
}

Status CopyOpener::row(Bytes& out) {
  const auto columns = by_position_.size();
  THERIAC_TRY(reader_->split(columns));
  const auto& fields = reader_->fields();
  if (fields.size() != columns) return fail(Code::kProtocol, "columns of COPY");
  const auto& options = plan().options;
  const bool binary = options.format == CopyFormat::kBinary;
  if (binary) append_be(out, static_cast<std::uint16_t>(columns));
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0 && !binary) out.push_back(static_cast<std::uint8_t>(options.delimiter));
    if (fields[i].is_null) {
      pgwire::write_copy_null(options, out);
    } else if (by_position_[i] != nullptr) {
      THERIAC_TRY(field(fields[i], *by_position_[i], out));
    } else {
      if (binary) append_be(out, static_cast<std::uint32_t>(fields[i].raw.size()));
      append(out, fields[i].raw);
    }
  }
  append(out, reader_->ending());
  return {};
}

Status CopyOpener::field(const pgwire::CopyField& field, const OutputRule& rule, Bytes& out) {
  const auto& options = plan().options;
  const bool binary = options.format == CopyFormat::kBinary;
  // Nearly always hexadecimal digits after "\\x" (in CSV "\x"): nothing to take escapes out of.
  constexpr std::string_view kHex = "\\\\x";
  const auto raw = text_of(field.raw);
  ByteView value = field.raw;
  if (options.format == CopyFormat::kText && raw.starts_with(kHex)) {
    value = field.raw.subspan(1);
  } else if (!binary && !(options.format == CopyFormat::kCsv && raw.starts_with(kHex.substr(1)))) {
    pgwire::copy_value(options, field, value_);
    value = value_;
  }
  shown_.clear();
  bool is_null = false;
  THERIAC_TRY(
      map_->show(rule, binary, binary ? 1 : 0, value, settings_, ciphers_, shown_, is_null));
  ++opened_;
  if (is_null) {
    pgwire::write_copy_null(options, out);
    return {};
  }
  const auto& quoted = plan().quoted;
  const bool quote = plan().quote_all || std::ranges::find(quoted, rule.position) != quoted.end();
  pgwire::write_copy_value(options, shown_, quote, by_position_.size() == 1, out);
  wipe(shown_);
  return {};
}

}  // namespace theriac::gateway
