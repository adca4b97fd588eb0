// HTTP/1.1 messages as bytes (RFC 9112, fields after RFC 9110): heads and chunked bodies, read
// strictly, and heads written. Sans-IO.
//
// Strict means: what two programs could frame differently is refused, never repaired. Refused are
// among others bare CR and LF, NUL and other controls, folded lines, space before a colon,
// Transfer-Encoding on HTTP/1.0, with any value but exactly "chunked", twice or together with
// Content-Length, a repeated, signed, listed or zero-padded Content-Length, a missing, empty or
// second Host. docs/adr/0011-own-http-parser.md says why there is a parser of our own.
//
// Results do not depend on how the bytes were cut into reads.
// Errors: a Refusal names the status to answer with; after one, only an answer and the end of the
// connection are safe. Ownership: heads are views into the buffer they were read from.
// Threading: values; one object, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "http/limits.hpp"

namespace theriac::http {

/// Why a message is not taken. `reason` is a fixed text without anything of the message.
struct Refusal {
  int status = 400;
  const char* reason = "";
};
template <typename T>
using Wire = tl::expected<T, Refusal>;

/// One field line: name without colon, value without surrounding white space.
struct FieldView {
  std::string_view name;
  std::string_view value;
};
using FieldViews = std::vector<FieldView>;

/// ASCII without regard to case, as field names, schemes and codings compare.
bool same_token(std::string_view a, std::string_view b);
/// RFC 9110, section 5.6.2.
bool is_token(std::string_view text);
/// RFC 9110, section 5.5: visible characters, inner spaces and tabs, bytes from 0x80 on.
bool is_field_value(std::string_view text);
/// The first of the name.
std::optional<std::string_view> find_field(const FieldViews& fields, std::string_view name);
/// If one of a field's comma-separated tokens is `token` (Connection, for example).
bool has_token(const FieldViews& fields, std::string_view name, std::string_view token);

enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
enum class TargetForm : std::uint8_t { kOrigin, kAbsolute, kAsterisk };

struct RequestHead {
  std::string_view method;
  TargetForm form = TargetForm::kOrigin;
  std::string_view target;  ///< path and query; of an absolute target too, where "" means "/"
  int minor_version = 1;    ///< of HTTP/1
  FieldViews fields;
  std::string_view authority;  ///< host[:port] of the absolute target, else of Host; empty: none
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;        ///< what the client wishes (RFC 9112, section 9.3)
  bool expect_continue = false;  ///< "Expect: 100-continue" with HTTP/1.1
};

struct ResponseHead {
  int status = 0;
  int minor_version = 1;
  FieldViews fields;
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
};

/// Finds the end of a head in a buffer that grows.
class HeadScanner {
 public:
  /// `buffer` begins with the head, and holds what earlier calls saw. Bytes of the head with its
  /// empty line, or 0: more is wanted. 400, 414 (start line too long), 431 (head too long).
  Wire<std::size_t> scan(std::string_view buffer);
  /// True between a first byte and the end: the head is under way.
  [[nodiscard]] bool begun() const { return at_ > 0; }
  void reset() { *this = {}; }

 private:
  std::size_t at_ = 0;          // looked at so far
  std::size_t line_begin_ = 0;  // of the line at_ is in
  bool first_line_ = true;
};

/// `head`: what HeadScanner cut off. `into` is used again, so that its memory is.
Wire<void> parse_request_head(std::string_view head, RequestHead& into);
/// `to_head`: the request was HEAD, so the reply has no body whatever it says.
Wire<void> parse_response_head(std::string_view head, bool to_head, ResponseHead& into);

/// A chunked body (RFC 9112, section 7.1). Extensions and trailers are checked, limited and thrown
/// away; a trailer that would change framing or routing is refused.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;
    ByteView data;  ///< part of `in`; may be empty
  };
  /// Takes a piece of `in`; call again with what was not consumed. Nothing consumed: more is
  /// wanted, or done(). 400 or 431.
  Wire<Step> feed(ByteView in);
  [[nodiscard]] bool done() const { return state_ == State::kDone; }

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerBegin,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
    kDone
  };
  Wire<void> take(char byte);
  Wire<void> take_size(char byte);
  Wire<void> take_trailer(char byte);
  State state_ = State::kSize;
  std::uint64_t left_ = 0;  // of the chunk
  std::size_t digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string trailer_name_;
};

/// Standard text of a status; "" for those without one.
std::string_view reason_phrase(int status);

/// Appends a head to `out`. Fields are checked, so that no handler can split a message; a wrong one
/// is Code::kInternal and nothing of it is written.
class HeadWriter {
 public:
  static HeadWriter response(Bytes& out, int status);
  /// `target` as it goes on the wire. Code::kUsage for what is no method or target.
  static Result<HeadWriter> request(Bytes& out, std::string_view method, std::string_view target);
  Status field(std::string_view name, std::string_view value);
  void content_length(std::uint64_t size);
  void end();

 private:
  explicit HeadWriter(Bytes& out) : out_(&out) {}
  Bytes* out_;  // the caller's
};

/// One chunk of a body: size line, data, line end. Empty `data` writes nothing (it would end it).
void append_chunk(Bytes& out, ByteView data);
void append_last_chunk(Bytes& out);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7).
std::string http_date(std::int64_t wall_ms);

}  // namespace theriac::http
