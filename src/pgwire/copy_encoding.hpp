// COPY's option ENCODING: converts a stream between UTF-8, which is all the server is ever told,
// and the encoding the client named. Names are PostgreSQL 15's. What encoding.hpp converts is
// converted as there; the rest with the tables of the C library's iconv (docs/limits.md).
//
// Threading: one object belongs to one thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.hpp"
#include "pgwire/encoding.hpp"

namespace theriac::pgwire {

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
  static Result<CopyTranscoder> make(std::string_view name, bool reads_utf8);
  std::unique_ptr<State> state_;
};

}  // namespace theriac::pgwire
