// Client encodings other than UTF-8, exactly as PostgreSQL 15 converts them: which characters there
// are is the C library's table, corrected where PostgreSQL's has another character or none. A
// character that one of the two does not have, or of which they disagree beyond that, is refused.
//
// Every encoding here leaves ASCII alone; of some (SJIS, BIG5, GBK) ASCII letters, backslashes and
// quotes are second bytes of characters, so a text has to be converted before anything reads it.
//
// Threading: immutable; find() is thread-safe, and what it returns is shared by the whole process.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
/// The C library's name of its table; nullptr: not of kind kConverted.
const char* encoding_table(std::string_view name);

class Encoding {
 public:
  /// nullptr: there is nothing to convert (kSame). Code::kUnsupported: no such encoding, or none
  /// that is converted exactly. Of kConverted the latter are JOHAB and the two JIS 2004 encodings.
  static Result<std::shared_ptr<const Encoding>> find(std::string_view name);

  /// PostgreSQL's name: "SJIS".
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Whole texts. Code::kBadEncoding: no character, or none of the encoding's.
  [[nodiscard]] Result<std::string> to_utf8(ByteView bytes) const;
  [[nodiscard]] Result<std::string> from_utf8(std::string_view text) const;
  /// Of bytes that are not converted: they have the form of characters, which UTF-8 lacks (22P05,
  /// else 22021).
  [[nodiscard]] bool is_well_formed(ByteView bytes) const;
  /// Appends the whole characters at the beginning of `bytes` to `out`; how many bytes they are.
  /// What is left is the beginning of a character.
  Result<std::size_t> decode(ByteView bytes, Bytes& out) const;
  Result<std::size_t> encode(ByteView utf8, Bytes& out) const;

 private:
  /// How long a character is.
  enum class Form : std::uint8_t { kSingle, kDouble, kEuc, kSjis, kEucJp, kGb18030 };
  struct Spec;
  explicit Encoding(const Spec& spec);
  static const Spec* spec_of(std::string_view table);
  Status fill(const Spec& spec);
  void note(std::uint32_t code, std::uint32_t character);
  /// Bytes of the character that begins there, 0: not all of them are there.
  [[nodiscard]] std::size_t length(ByteView bytes) const;
  [[nodiscard]] std::uint32_t character(ByteView bytes) const;  ///< 0: none
  [[nodiscard]] std::uint32_t code(std::uint32_t character) const;

  std::string name_;
  Form form_ = Form::kSingle;
  /// Characters by code: of one and two bytes at the code, of EUC_JP's three in third_, of
  /// GB18030's four by their number.
  std::vector<std::uint32_t> characters_, third_, fourth_;
  std::vector<std::uint32_t> codes_;  ///< by character of the Basic Multilingual Plane
};

}  // namespace theriac::pgwire
