// COPY's option ENCODING: converts a stream between UTF-8, which is all the server is ever told,
// and the encoding the client named. Names are PostgreSQL 15's; the tables are the C library's
// iconv. Where they map a character differently from PostgreSQL stands in docs/limits.md.
//
// Threading: one object belongs to one thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac::pgwire {

enum class EncodingKind : std::uint8_t {
  kUnknown,      ///< PostgreSQL has no encoding of this name
  kSame,         ///< UTF-8, or SQL_ASCII, which means: as it is
  kConverted,    ///< CopyTranscoder converts it
  kUnconverted,  ///< PostgreSQL has it, the C library has it not, or with other characters
};
/// Letters' case and everything but letters and digits are ignored, as PostgreSQL does.
EncodingKind encoding_kind(std::string_view name);

class CopyTranscoder {
 public:
  /// `name` of kind kConverted; Code::kUnsupported if the system lacks its table.
  static Result<CopyTranscoder> to_utf8(std::string_view name);
  static Result<CopyTranscoder> from_utf8(std::string_view name);
  ~CopyTranscoder();
  CopyTranscoder(CopyTranscoder&&) noexcept;
  CopyTranscoder& operator=(CopyTranscoder&&) noexcept;

  /// Appends what `bytes` say to `out`; a character cut in two waits for its rest.
  /// Code::kBadEncoding: no character, or one the target does not have.
  Status convert(ByteView bytes, Bytes& out);
  /// The stream has ended. Code::kBadEncoding: in the middle of a character.
  Status finish(Bytes& out);

 private:
  struct State;
  explicit CopyTranscoder(std::unique_ptr<State> state);
  static Result<CopyTranscoder> make(const char* to, const char* from);
  std::unique_ptr<State> state_;
};

}  // namespace theriac::pgwire
