// Cuts a stream of COPY data into rows and fields, in chunks of any size, by the rules of
// PostgreSQL 15: line endings found by the first line and then kept to, "\." as end marker, quoted
// line endings, the binary header and trailer. Source: PostgreSQL 15 manual, COPY.
//
// Nothing is decoded here: a field that nobody has to understand goes on byte for byte.
// Memory: one row and one chunk. Threading: one object belongs to one thread.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "pgwire/copy_format.hpp"

namespace theriac::pgwire {

class CopyReader {
 public:
  /// Who wrote the stream. PostgreSQL itself ends every line in "\n" and writes no end marker, and
  /// a line of its CSV may begin with "\.".
  enum class From : std::uint8_t { kClient, kServer };
  enum class Next : std::uint8_t {
    kMore,    ///< feed() or finish() first
    kHeader,  ///< the header line; in binary signature, flags and extension
    kRow,
    kEnd,  ///< the end; what is fed after it is ignored, but in binary refused
  };

  /// `columns`: how many fields a row has.
  CopyReader(const CopyOptions& options, std::size_t columns, From from);

  /// Ends the life of everything borrowed from the reader.
  void feed(ByteView bytes);
  /// No more bytes come.
  void finish() { finished_ = true; }
  /// Code::kMalformed, or Code::kTooLarge beyond kCopyRowBytesMax. After an error: nothing more.
  Result<Next> next();

  /// The last item: all its bytes, and those that end it (a line ending; often empty at the end of
  /// the stream).
  [[nodiscard]] ByteView whole() const { return view(begin_, end_); }
  [[nodiscard]] ByteView ending() const { return view(body_end_, end_); }
  /// Splits a row into its fields; in text and CSV also a header. "extra data after last expected
  /// column" if there are more than `fields_max`; too few are for the caller to find.
  Status split(std::size_t fields_max);
  [[nodiscard]] const std::vector<CopyField>& fields() const { return fields_; }
  /// After an error in one field of a binary row: which.
  [[nodiscard]] std::optional<std::size_t> bad_field() const { return bad_field_; }
  /// Number of the last item's line as PostgreSQL counts (in binary: of the row), from 1.
  [[nodiscard]] std::uint64_t line() const { return line_; }

 private:
  enum class Ending : std::uint8_t { kUnknown, kNewline, kReturn, kBoth };
  enum class Found : std::uint8_t { kNo, kMore, kYes };

  [[nodiscard]] ByteView view(std::size_t from, std::size_t to) const {
    return ByteView(buffer_).subspan(from, to - from);
  }
  [[nodiscard]] bool has(std::size_t at) const { return at < buffer_.size(); }
  [[nodiscard]] bool is_csv() const { return options_.format == CopyFormat::kCsv; }
  Result<Next> wait() const;
  Result<Next> next_line();
  Result<Found> find_line_end();
  Result<Found> at_special(std::size_t& at);
  Result<Found> at_return(std::size_t at);
  Result<Found> at_newline(std::size_t at);
  Result<Found> at_marker(std::size_t at);
  void line_ends(std::size_t body_end, std::size_t end);
  Result<Next> next_binary();
  Result<Next> binary_preamble();
  Result<Next> binary_row();
  Status split_text(std::size_t fields_max);
  Status split_csv(std::size_t fields_max);

  CopyOptions options_;
  std::size_t columns_;
  bool markers_;
  Bytes buffer_;
  std::size_t begin_ = 0, body_end_ = 0, end_ = 0;  ///< the last item
  std::size_t scan_ = 0;                            ///< the line was looked at up to here
  std::vector<CopyField> fields_;
  std::optional<std::size_t> bad_field_;
  std::uint64_t line_ = 0, lines_inside_ = 0;
  Ending ending_ = Ending::kUnknown;
  bool in_quote_ = false, after_escape_ = false;
  bool finished_ = false, begun_ = false, ended_ = false;
  /// What ends a run of bytes that mean nothing for where a line ends.
  std::array<std::uint8_t, 5> stops_{'\n', '\r', '\\', '\n', '\n'};
};

}  // namespace theriac::pgwire
