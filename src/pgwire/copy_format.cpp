#include "pgwire/copy_format.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace theriac::pgwire {
namespace {

constexpr std::uint8_t byte_of(char c) { return static_cast<std::uint8_t>(c); }

int hex_digit(std::uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// What stands after a backslash in text format; `at` is its first character and moves past it.
std::uint8_t escaped(ByteView raw, std::size_t& at) {
  const auto c = raw[at++];
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      break;
  }
  unsigned value = 0;
  if (c >= '0' && c <= '7') {
    value = c - '0';
    for (int i = 0; i < 2 && at < raw.size() && raw[at] >= '0' && raw[at] <= '7'; ++i) {
      value = value * 8 + (raw[at++] - '0');
    }
    return static_cast<std::uint8_t>(value & 0xffU);
  }
  if (c != 'x' || at >= raw.size() || hex_digit(raw[at]) < 0) return c;
  for (int i = 0; i < 2 && at < raw.size() && hex_digit(raw[at]) >= 0; ++i) {
    value = value * 16 + static_cast<unsigned>(hex_digit(raw[at++]));
  }
  return static_cast<std::uint8_t>(value);
}

void text_value(ByteView raw, Bytes& out) {
  for (std::size_t at = 0; at < raw.size();) {
    const auto* from = raw.data() + at;
    const auto* end = raw.data() + raw.size();
    const auto* slash = std::find(from, end, byte_of('\\'));
    out.insert(out.end(), from, slash);
    at = static_cast<std::size_t>(slash - raw.data()) + 1;
    if (at < raw.size()) out.push_back(escaped(raw, at));
  }
}

void csv_value(const CopyOptions& options, ByteView raw, Bytes& out) {
  const auto quote = byte_of(options.quote);
  const auto escape = byte_of(options.escape);
  bool in_quote = false;
  for (std::size_t at = 0; at < raw.size(); ++at) {
    const auto c = raw[at];
    if (in_quote && c == escape && at + 1 < raw.size() &&
        (raw[at + 1] == escape || raw[at + 1] == quote)) {
      out.push_back(raw[++at]);
    } else if (c == quote) {
      in_quote = !in_quote;
    } else {
      out.push_back(c);
    }
  }
}

/// The letter after the backslash that stands for a control character; 0: it stands for itself.
char control_letter(std::uint8_t c) {
  switch (c) {
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    default:
      return 0;
  }
}

void write_text(const CopyOptions& options, ByteView value, Bytes& out) {
  const auto delimiter = byte_of(options.delimiter);
  for (const auto c : value) {
    if (c > '\\' && c != delimiter) {
      out.push_back(c);
    } else if (const auto letter = control_letter(c); letter != 0) {
      out.push_back('\\');
      out.push_back(byte_of(letter));
    } else {
      if (c == '\\' || c == delimiter) out.push_back('\\');
      out.push_back(c);
    }
  }
}

void write_csv(const CopyOptions& options, ByteView value, bool force_quote, bool alone,
               Bytes& out) {
  const auto quote = byte_of(options.quote);
  const auto escape = byte_of(options.escape);
  const auto delimiter = byte_of(options.delimiter);
  const auto text = text_of(value);
  bool quoted = force_quote || text == options.null_text || (alone && text == "\\.");
  quoted = quoted || std::any_of(value.begin(), value.end(), [&](std::uint8_t c) {
             return c == delimiter || c == quote || c == '\n' || c == '\r';
           });
  if (!quoted) return append(out, value);
  out.push_back(quote);
  for (const auto c : value) {
    if (c == quote || c == escape) out.push_back(escape);
    out.push_back(c);
  }
  out.push_back(quote);
}

void write_length(std::size_t size, Bytes& out) {
  if (size > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw std::length_error("value too long for a field");
  }
  append_be(out, static_cast<std::uint32_t>(size));
}

}  // namespace

void copy_value(const CopyOptions& options, const CopyField& field, Bytes& out) {
  out.clear();
  switch (options.format) {
    case CopyFormat::kText:
      return text_value(field.raw, out);
    case CopyFormat::kCsv:
      return csv_value(options, field.raw, out);
    case CopyFormat::kBinary:
      return append(out, field.raw);
  }
}

void write_copy_value(const CopyOptions& options, ByteView value, bool force_quote, bool alone,
                      Bytes& out) {
  switch (options.format) {
    case CopyFormat::kText:
      return write_text(options, value, out);
    case CopyFormat::kCsv:
      return write_csv(options, value, force_quote, alone, out);
    case CopyFormat::kBinary:
      write_length(value.size(), out);
      return append(out, value);
  }
}

void write_copy_null(const CopyOptions& options, Bytes& out) {
  if (options.format == CopyFormat::kBinary) return append_be(out, ~std::uint32_t{0});
  append(out, options.null_text);
}

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

/// Quotes what was appended since `start` if a character of it could mean something else: a
/// delimiter, quote or escape among them, or a NULL like this. Seldom, but allowed.
void quote_if_it_clashes(const CopyOptions& options, std::string_view used, std::size_t start,
                         Bytes& out) {
  if (options.format != CopyFormat::kCsv) return;
  const bool clashes = used.contains(options.delimiter) || used.contains(options.quote) ||
                       (!options.null_text.empty() && used.contains(options.null_text.front()));
  if (!clashes) return;
  const Bytes plain(out.begin() + static_cast<std::ptrdiff_t>(start), out.end());
  out.resize(start);
  write_csv(options, plain, true, false, out);
}

}  // namespace

void write_copy_bytea(const CopyOptions& options, ByteView value, Bytes& out) {
  if (options.format == CopyFormat::kBinary) {
    write_length(value.size(), out);
    return append(out, value);
  }
  const auto start = out.size();
  const bool is_text = options.format == CopyFormat::kText;
  out.resize(start + (is_text ? 3 : 2) + value.size() * 2);
  auto* at = out.data() + start;
  if (is_text) *at++ = '\\';
  *at++ = '\\';
  *at++ = 'x';
  for (const auto c : value) {
    *at++ = byte_of(kDigits[c >> 4U]);
    *at++ = byte_of(kDigits[c & 15U]);
  }
  quote_if_it_clashes(options, "\\x0123456789abcdef", start, out);
}

void write_copy_uuid(const CopyOptions& options, ByteView id, Bytes& out) {
  if (options.format == CopyFormat::kBinary) {
    write_length(id.size(), out);
    return append(out, id);
  }
  // Any delimiter that text format allows is none of these characters.
  const auto start = out.size();
  for (const auto c : id) {
    out.push_back(byte_of(kDigits[c >> 4U]));
    out.push_back(byte_of(kDigits[c & 15U]));
  }
  quote_if_it_clashes(options, kDigits, start, out);
}

}  // namespace theriac::pgwire
