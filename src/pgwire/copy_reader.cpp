#include "pgwire/copy_reader.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace theriac::pgwire {
namespace {

constexpr std::array<std::uint8_t, 11> kSignature{'P',  'G',  'C',  'O',  'P', 'Y',
                                                  '\n', 0xff, '\r', '\n', 0};

std::uint8_t byte_of(char c) { return static_cast<std::uint8_t>(c); }

tl::unexpected<Error> bad(std::string what) { return fail(Code::kMalformed, std::move(what)); }

/// Where the first of `stops` is, or the size: 16 bytes at a time, since most bytes of COPY are
/// looked at here only.
template <std::size_t kStops>
std::size_t find_any(ByteView bytes, const std::array<std::uint8_t, kStops>& stops) {
  using Block [[gnu::vector_size(16)]] = std::uint8_t;
  static_assert(std::endian::native == std::endian::little);
  std::size_t at = 0;
  for (; bytes.size() - at >= sizeof(Block); at += sizeof(Block)) {
    Block block;
    std::memcpy(&block, bytes.data() + at, sizeof block);
    auto hits = block == stops[0];
    for (std::size_t i = 1; i < kStops; ++i) hits |= block == stops[i];
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(hits);
    for (std::size_t half = 0; half < 2; ++half) {
      if (halves[half] == 0) continue;
      return at + 8 * half + static_cast<std::size_t>(std::countr_zero(halves[half])) / 8;
    }
  }
  const auto is_stop = [&](std::uint8_t c) { return std::ranges::find(stops, c) != stops.end(); };
  while (at < bytes.size() && !is_stop(bytes[at])) ++at;
  return at;
}

}  // namespace

CopyReader::CopyReader(const CopyOptions& options, std::size_t columns, From from)
    : options_(options),
      columns_(columns),
      markers_(from == From::kClient),
      ending_(from == From::kServer ? Ending::kNewline : Ending::kUnknown) {
  if (!is_csv()) return;
  stops_[3] = byte_of(options_.quote);
  stops_[4] = byte_of(options_.escape);
}

void CopyReader::feed(ByteView bytes) {
  if (ended_ && options_.format != CopyFormat::kBinary) return;
  if (end_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(end_));
    scan_ -= end_;
    begin_ = body_end_ = end_ = 0;
  }
  append(buffer_, bytes);
}

Result<CopyReader::Next> CopyReader::next() {
  begin_ = end_;
  body_end_ = end_;
  if (scan_ < begin_) scan_ = begin_;
  fields_.clear();
  return options_.format == CopyFormat::kBinary ? next_binary() : next_line();
}

Result<CopyReader::Next> CopyReader::wait() const {
  if (buffer_.size() - begin_ > kCopyRowBytesMax) return fail(Code::kTooLarge, "a row of COPY");
  return Next::kMore;
}

// --- lines -------------------------------------------------------------------------------------

void CopyReader::line_ends(std::size_t body_end, std::size_t end) {
  body_end_ = body_end;
  end_ = scan_ = end;
  in_quote_ = after_escape_ = false;
}

Result<CopyReader::Next> CopyReader::next_line() {
  if (ended_) return Next::kEnd;
  if (begin_ == buffer_.size() && finished_) {
    ended_ = true;
    return Next::kEnd;
  }
  const auto found = find_line_end();
  if (!found) {
    line_ += 1 + lines_inside_;
    return fail(found.error());
  }
  if (*found == Found::kMore) return wait();
  if (ended_ && body_end_ == begin_) return Next::kEnd;
  line_ += 1 + lines_inside_;
  lines_inside_ = 0;
  if (end_ - begin_ > kCopyRowBytesMax) return fail(Code::kTooLarge, "a row of COPY");
  if (!begun_) {
    begun_ = true;
    if (options_.header != CopyHeader::kNone) return Next::kHeader;
  }
  return Next::kRow;
}

Result<CopyReader::Found> CopyReader::find_line_end() {
  const auto size = buffer_.size();
  auto at = scan_;
  while (at < size) {
    if (const auto plain = find_any(view(at, size), stops_); plain > 0) {
      after_escape_ = false;
      at += plain;
      if (at == size) break;
    }
    scan_ = at;
    THERIAC_ASSIGN(const auto found, at_special(at));
    if (found != Found::kNo) return found;
  }
  scan_ = at;
  if (!finished_) return Found::kMore;
  // The last line has no ending.
  line_ends(size, size);
  ended_ = true;
  return Found::kYes;
}

/// `at` moves past what was understood if the line goes on.
Result<CopyReader::Found> CopyReader::at_special(std::size_t& at) {
  const auto c = buffer_[at];
  if ((c == '\\' || c == '\r') && !has(at + 1) && !finished_) return Found::kMore;
  // Before anything is noted of this character: a marker may have to be looked at again.
  if (c == '\\' && markers_ && (!is_csv() || at == begin_)) {
    THERIAC_ASSIGN(const auto marker, at_marker(at));
    if (marker != Found::kNo) return marker;
  }
  if (is_csv()) {
    const auto quote = byte_of(options_.quote);
    const auto escape = byte_of(options_.escape);
    if (in_quote_ && c == escape && escape != quote) after_escape_ = !after_escape_;
    if (c == quote && !after_escape_) in_quote_ = !in_quote_;
    if (c != escape) after_escape_ = false;
    if (in_quote_ && c == (ending_ == Ending::kNewline ? '\n' : '\r')) ++lines_inside_;
  }
  if (c == '\r' && !in_quote_) return at_return(at);
  if (c == '\n' && !in_quote_) return at_newline(at);
  // In text a backslash hides whatever comes after it.
  at += c == '\\' && !is_csv() ? 2 : 1;
  at = std::min(at, buffer_.size());
  return Found::kNo;
}

Result<CopyReader::Found> CopyReader::at_return(std::size_t at) {
  const auto literal = [&] {
    return bad(is_csv() ? "unquoted carriage return found in data"
                        : "literal carriage return found in data");
  };
  if (ending_ == Ending::kNewline) return literal();
  if (ending_ != Ending::kReturn) {
    if (has(at + 1) && buffer_[at + 1] == '\n') {
      ending_ = Ending::kBoth;
      line_ends(at, at + 2);
      return Found::kYes;
    }
    if (ending_ == Ending::kBoth) return literal();
    ending_ = Ending::kReturn;
  }
  line_ends(at, at + 1);
  return Found::kYes;
}

Result<CopyReader::Found> CopyReader::at_newline(std::size_t at) {
  if (ending_ == Ending::kReturn || ending_ == Ending::kBoth) {
    return bad(is_csv() ? "unquoted newline found in data" : "literal newline found in data");
  }
  ending_ = Ending::kNewline;
  line_ends(at, at + 1);
  return Found::kYes;
}

/// A backslash that may begin "\." and the ending of its line. In CSV what is no marker is data.
Result<CopyReader::Found> CopyReader::at_marker(std::size_t at) {
  if (!has(at + 1) || buffer_[at + 1] != '.') return Found::kNo;
  constexpr std::string_view kCorrupt = "end-of-copy marker corrupt";
  constexpr std::string_view kStyle = "end-of-copy marker does not match previous newline style";
  const auto no = [&](std::string_view what) -> Result<Found> {
    if (is_csv()) return Found::kNo;
    return bad(std::string(what));
  };
  auto next = at + 2;
  const auto take = [&] { return has(next) ? buffer_[next++] : std::uint8_t{0}; };
  if (ending_ == Ending::kBoth) {
    if (!has(next) && !finished_) return Found::kMore;
    const auto c = take();
    if (c == '\n') return no(kStyle);
    if (c != '\r') return no(kCorrupt);
  }
  if (!has(next) && !finished_) return Found::kMore;
  const auto c = take();
  if (c != '\r' && c != '\n') return no(kCorrupt);
  const bool other_style =
      ((ending_ == Ending::kNewline || ending_ == Ending::kBoth) && c == '\r') ||
      (ending_ == Ending::kReturn && c == '\n');
  if (other_style) return bad(std::string(kStyle));
  line_ends(at, next);
  ended_ = true;
  return Found::kYes;
}

Status CopyReader::split(std::size_t fields_max) {
  if (options_.format == CopyFormat::kBinary) return {};  // split when it was cut
  fields_.clear();
  return is_csv() ? split_csv(fields_max) : split_text(fields_max);
}

namespace {
constexpr std::string_view kExtra = "extra data after last expected column";
}

Status CopyReader::split_text(std::size_t fields_max) {
  const auto body = view(begin_, body_end_);
  const auto delimiter = byte_of(options_.delimiter);
  const auto null_text = view_of(options_.null_text);
  std::size_t start = 0;
  std::size_t at = 0;
  const auto add = [&](std::size_t end) {
    const auto raw = body.subspan(start, end - start);
    const bool is_null = raw.size() == null_text.size() && std::ranges::equal(raw, null_text);
    if (fields_.size() >= fields_max) return false;
    fields_.push_back({is_null, raw});
    return true;
  };
  const std::array<std::uint8_t, 2> stops{'\\', delimiter};
  while (at < body.size()) {
    at += find_any(body.subspan(at), stops);
    if (at == body.size()) break;
    const auto c = body[at];
    if (c == '\\') {
      if (at + 1 == body.size()) break;  // a last backslash alone says nothing
      at += 2;
    } else {
      if (!add(at)) return bad(std::string(kExtra));
      start = ++at;
    }
  }
  if (!add(at)) return bad(std::string(kExtra));
  return {};
}

Status CopyReader::split_csv(std::size_t fields_max) {
  const auto body = view(begin_, body_end_);
  const auto delimiter = byte_of(options_.delimiter);
  const auto quote = byte_of(options_.quote);
  const auto escape = byte_of(options_.escape);
  std::size_t start = 0;
  bool in_quote = false;
  bool saw_quote = false;
  bool extra = false;
  const auto add = [&](std::size_t end) {
    const auto raw = body.subspan(start, end - start);
    extra = fields_.size() >= fields_max;
    if (!extra) fields_.push_back({!saw_quote && text_of(raw) == options_.null_text, raw});
    saw_quote = false;
  };
  for (std::size_t at = 0; at < body.size(); ++at) {
    const auto c = body[at];
    if (in_quote) {
      if (c == escape && at + 1 < body.size() &&
          (body[at + 1] == escape || body[at + 1] == quote)) {
        ++at;
      } else if (c == quote) {
        in_quote = false;
      }
    } else if (c == delimiter) {
      add(at);
      start = at + 1;
    } else if (c == quote) {
      in_quote = saw_quote = true;
    }
  }
  if (in_quote) return bad("unterminated CSV quoted field");
  add(body.size());
  if (extra) return bad(std::string(kExtra));
  return {};
}

// --- binary ------------------------------------------------------------------------------------

Result<CopyReader::Next> CopyReader::next_binary() {
  if (ended_) {
    if (begin_ < buffer_.size()) return bad("received copy data after EOF marker");
    return Next::kEnd;
  }
  return begun_ ? binary_row() : binary_preamble();
}

Result<CopyReader::Next> CopyReader::binary_preamble() {
  const auto have = view(begin_, buffer_.size());
  const auto seen = std::min(have.size(), kSignature.size());
  if (!std::ranges::equal(have.first(seen), ByteView(kSignature).first(seen)) ||
      (finished_ && seen < kSignature.size())) {
    return bad("COPY file signature not recognized");
  }
  constexpr std::size_t kFixed = kSignature.size() + 8;
  if (have.size() < kFixed) {
    if (!finished_) return Next::kMore;
    return bad(have.size() < kSignature.size() + 4 ? "invalid COPY file header (missing flags)"
                                                   : "invalid COPY file header (missing length)");
  }
  const auto flags = load_be<std::uint32_t>(have.data() + kSignature.size());
  const auto extension = load_be<std::uint32_t>(have.data() + kSignature.size() + 4);
  if ((flags & (1U << 16U)) != 0) return bad("invalid COPY file header (WITH OIDS)");
  if ((flags >> 16U) != 0) return bad("unrecognized critical flags in COPY file header");
  if (extension > 0x7fff'ffffU) return bad("invalid COPY file header (missing length)");
  if (have.size() - kFixed < extension) {
    if (finished_) return bad("invalid COPY file header (wrong length)");
    return wait();
  }
  begun_ = true;
  end_ = body_end_ = begin_ + kFixed + extension;
  return Next::kHeader;
}

Result<CopyReader::Next> CopyReader::binary_row() {
  auto at = begin_;
  const auto left = [&] { return buffer_.size() - at; };
  if (left() < 2) {
    if (!finished_) return Next::kMore;
    // As PostgreSQL: a stream that ends between two rows has ended, trailer or not.
    ended_ = true;
    end_ = body_end_ = buffer_.size();
    return Next::kEnd;
  }
  const auto count = static_cast<std::int16_t>(load_be<std::uint16_t>(buffer_.data() + at));
  at += 2;
  if (count == -1) {
    ++line_;
    ended_ = true;
    end_ = body_end_ = at;
    return Next::kEnd;
  }
  const auto row_is_bad = [&](std::string what) {
    ++line_;
    return bad(std::move(what));
  };
  if (count < 0 || static_cast<std::size_t>(count) != columns_) {
    return row_is_bad("row field count is " + std::to_string(count) + ", expected " +
                      std::to_string(columns_));
  }
  fields_.clear();
  const auto cut_short = [&]() -> Result<Next> {
    if (finished_) {
      bad_field_ = fields_.size();
      return row_is_bad("unexpected EOF in COPY data");
    }
    fields_.clear();
    return wait();
  };
  for (std::size_t i = 0; i < columns_; ++i) {
    if (left() < 4) return cut_short();
    const auto size = static_cast<std::int32_t>(load_be<std::uint32_t>(buffer_.data() + at));
    at += 4;
    if (size < -1) {
      bad_field_ = i;
      return row_is_bad("invalid field size");
    }
    const auto bytes = size == -1 ? std::size_t{0} : static_cast<std::size_t>(size);
    if (left() < bytes) return cut_short();
    fields_.push_back({size == -1, view(at, at + bytes)});
    at += bytes;
  }
  ++line_;
  end_ = body_end_ = at;
  if (end_ - begin_ > kCopyRowBytesMax) return fail(Code::kTooLarge, "a row of COPY");
  return Next::kRow;
}

}  // namespace theriac::pgwire
