// The data of COPY in PostgreSQL 15's three formats: what its options say, and how single fields
// are read and written. Rows are cut by copy_reader.hpp; encodings are copy_encoding.hpp.
//
// All text here is UTF-8. Source: PostgreSQL 15 manual, COPY, "File Formats". Threading: free
// functions on values. Data that break the format are Code::kMalformed with PostgreSQL's own
// message as `where` (never a value), which clients know under SQLSTATE kCopySqlstate.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac::pgwire {

enum class CopyFormat : std::uint8_t { kText, kCsv, kBinary };
enum class CopyHeader : std::uint8_t { kNone, kPresent, kMatch };

/// Options as in force after defaults; `quote` and `escape` mean something in CSV only, `delimiter`
/// and `null_text` in text and CSV.
struct CopyOptions {
  CopyFormat format = CopyFormat::kText;
  char delimiter = '\t';
  std::string null_text = "\\N";
  CopyHeader header = CopyHeader::kNone;
  char quote = '"';
  char escape = '"';
};

inline constexpr std::string_view kCopySqlstate = "22P04";

/// Bytes of one row, and of what has to be kept to find its end.
inline constexpr std::size_t kCopyRowBytesMax = 256U << 20U;

/// One field of a row as it stands in the stream: with its escapes and quotes, without delimiters;
/// in binary the value's bytes. Borrowed from the reader.
struct CopyField {
  bool is_null = false;  ///< before FORCE_NULL and FORCE_NOT_NULL
  ByteView raw;
};

/// The value of a field that is not null, without escapes or quotes. `out` is overwritten.
void copy_value(const CopyOptions& options, const CopyField& field, Bytes& out);

/// Appends a value as COPY TO writes it: escaped, quoted if it must be or `force_quote`, in binary
/// with its length. `alone`: the row has this one column.
void write_copy_value(const CopyOptions& options, ByteView value, bool force_quote, bool alone,
                      Bytes& out);
/// Appends NULL.
void write_copy_null(const CopyOptions& options, Bytes& out);
/// Appends bytes as the field of a bytea column ("\x6869"; in binary as they are), without any copy
/// in between.
void write_copy_bytea(const CopyOptions& options, ByteView value, Bytes& out);
/// Appends 16 bytes as the field of a uuid column.
void write_copy_uuid(const CopyOptions& options, ByteView id, Bytes& out);

}  // namespace theriac::pgwire
