#include "pgwire/copy_encoding.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace theriac::pgwire {
namespace {

struct Name {
  std::string_view key;  ///< lower-case letters and digits of PostgreSQL's name
  const char* table;     ///< the C library's name; nullptr: it has none that agrees with PostgreSQL
};

constexpr const char* kNothing = "";  // no conversion

// The names of PostgreSQL 15 (manual, table 24.1, with aliases). In order.
constexpr std::array kNames{Name{"abc", "CP1258"},
                            Name{"alt", "CP866"},
                            Name{"big5", nullptr},
                            Name{"euccn", "EUC-CN"},
                            Name{"eucjis2004", "EUC-JISX0213"},
                            Name{"eucjp", "EUC-JP-MS"},
                            Name{"euckr", "EUC-KR"},
                            Name{"euctw", nullptr},
                            Name{"gb18030", "GB18030"},
                            Name{"gbk", "CP936"},
                            Name{"iso88591", "ISO-8859-1"},
                            Name{"iso885910", "ISO-8859-10"},
                            Name{"iso885913", "ISO-8859-13"},
                            Name{"iso885914", "ISO-8859-14"},
                            Name{"iso885915", "ISO-8859-15"},
                            Name{"iso885916", "ISO-8859-16"},
                            Name{"iso88592", "ISO-8859-2"},
                            Name{"iso88593", "ISO-8859-3"},
                            Name{"iso88594", "ISO-8859-4"},
                            Name{"iso88595", "ISO-8859-5"},
                            Name{"iso88596", "ISO-8859-6"},
                            Name{"iso88597", "ISO-8859-7"},
                            Name{"iso88598", "ISO-8859-8"},
                            Name{"iso88599", "ISO-8859-9"},
                            Name{"johab", "JOHAB"},
                            Name{"koi8", "KOI8-R"},
                            Name{"koi8r", "KOI8-R"},
                            Name{"koi8u", "KOI8-U"},
                            Name{"latin1", "ISO-8859-1"},
                            Name{"latin10", "ISO-8859-16"},
                            Name{"latin2", "ISO-8859-2"},
                            Name{"latin3", "ISO-8859-3"},
                            Name{"latin4", "ISO-8859-4"},
                            Name{"latin5", "ISO-8859-9"},
                            Name{"latin6", "ISO-8859-10"},
                            Name{"latin7", "ISO-8859-13"},
                            Name{"latin8", "ISO-8859-14"},
                            Name{"latin9", "ISO-8859-15"},
                            Name{"mskanji", nullptr},
                            Name{"muleinternal", nullptr},
                            Name{"shiftjis", nullptr},
                            Name{"shiftjis2004", "SHIFT_JISX0213"},
                            Name{"sjis", nullptr},
                            Name{"sqlascii", kNothing},
                            Name{"tcvn", "CP1258"},
                            Name{"tcvn5712", "CP1258"},
                            Name{"uhc", "CP949"},
                            Name{"unicode", kNothing},
                            Name{"utf8", kNothing},
                            Name{"vscii", "CP1258"},
                            Name{"win", "CP1251"},
                            Name{"win1250", "CP1250"},
                            Name{"win1251", "CP1251"},
                            Name{"win1252", "CP1252"},
                            Name{"win1253", "CP1253"},
                            Name{"win1254", "CP1254"},
                            Name{"win1255", "CP1255"},
                            Name{"win1256", "CP1256"},
                            Name{"win1257", "CP1257"},
                            Name{"win1258", "CP1258"},
                            Name{"win866", "CP866"},
                            Name{"win874", "CP874"},
                            Name{"win932", nullptr},
                            Name{"win936", "CP936"},
                            Name{"win949", "CP949"},
                            Name{"win950", nullptr},
                            Name{"windows1250", "CP1250"},
                            Name{"windows1251", "CP1251"},
                            Name{"windows1252", "CP1252"},
                            Name{"windows1253", "CP1253"},
                            Name{"windows1254", "CP1254"},
                            Name{"windows1255", "CP1255"},
                            Name{"windows1256", "CP1256"},
                            Name{"windows1257", "CP1257"},
                            Name{"windows1258", "CP1258"},
                            Name{"windows866", "CP866"},
                            Name{"windows874", "CP874"},
                            Name{"windows932", nullptr},
                            Name{"windows936", "CP936"},
                            Name{"windows949", "CP949"},
                            Name{"windows950", nullptr}};

const Name* find(std::string_view name) {
  std::string key;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') key.push_back(static_cast<char>(c - 'A' + 'a'));
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) key.push_back(c);
  }
  const auto at = std::lower_bound(kNames.begin(), kNames.end(), key,
                                   [](const Name& one, const auto& k) { return one.key < k; });
  return at == kNames.end() || at->key != key ? nullptr : &*at;
}

}  // namespace

EncodingKind encoding_kind(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr) return EncodingKind::kUnknown;
  if (found->table == nullptr) return EncodingKind::kUnconverted;
  return found->table == kNothing ? EncodingKind::kSame : EncodingKind::kConverted;
}

namespace {

/// GB18030 has moved these characters between its editions of 2000, which PostgreSQL 15 has, and
/// 2005, which the C library has: what one writes the other reads as something else.
bool is_contested(std::uint32_t c) {
  constexpr std::array<std::uint32_t, 7> kSingle{0x1e3f,  0x20087, 0x20089, 0x200cc,
                                                 0x215d7, 0x2298f, 0x241fe};
  return (c >= 0x9fb4 && c <= 0x9fbb) || (c >= 0xe000 && c <= 0xf8ff) ||
         (c >= 0xfe10 && c <= 0xfe19) || std::ranges::find(kSingle, c) != kSingle.end();
}

/// Looks at the whole characters of a UTF-8 text that begins with one.
bool has_contested(ByteView text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = text[at];
    const std::size_t size = lead < 0xe0 ? (lead < 0x80 ? 1 : 2) : (lead < 0xf0 ? 3 : 4);
    if (at + size > text.size()) return false;
    std::uint32_t c = size < 3 ? 0U : lead & (size == 3 ? 0x0fU : 0x07U);
    for (std::size_t i = 1; i < size; ++i) c = (c << 6U) | (text[at + i] & 0x3fU);
    if (size >= 3 && is_contested(c)) return true;
    at += size;
  }
  return false;
}

}  // namespace

struct CopyTranscoder::State {
  iconv_t descriptor;
  bool reads_utf8 = false;
  bool contested = false;  ///< the table has characters that PostgreSQL's has elsewhere
  Bytes cut;               ///< the beginning of a character whose rest has not come

  explicit State(iconv_t opened) : descriptor(opened) {}
  ~State() { iconv_close(descriptor); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

CopyTranscoder::CopyTranscoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
CopyTranscoder::~CopyTranscoder() = default;
CopyTranscoder::CopyTranscoder(CopyTranscoder&&) noexcept = default;
CopyTranscoder& CopyTranscoder::operator=(CopyTranscoder&&) noexcept = default;

Result<CopyTranscoder> CopyTranscoder::make(const char* to, const char* from) {
  const auto opened = iconv_open(to, from);
  if (opened == reinterpret_cast<iconv_t>(-1)) {  // NOLINT: iconv's own way to say no
    return fail(Code::kUnsupported, "ENCODING of COPY");
  }
  auto state = std::make_unique<State>(opened);
  state->reads_utf8 = std::string_view(from) == "UTF-8";
  state->contested = std::string_view(state->reads_utf8 ? to : from) == "GB18030";
  return CopyTranscoder(std::move(state));
}

Result<CopyTranscoder> CopyTranscoder::to_utf8(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr || found->table == nullptr) return fail(Code::kUnsupported, "ENCODING");
  return make("UTF-8", found->table);
}

Result<CopyTranscoder> CopyTranscoder::from_utf8(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr || found->table == nullptr) return fail(Code::kUnsupported, "ENCODING");
  return make(found->table, "UTF-8");
}

Status CopyTranscoder::convert(ByteView bytes, Bytes& out) {
  auto& cut = state_->cut;
  const auto before = out.size();
  append(cut, bytes);
  if (state_->contested && state_->reads_utf8 && has_contested(cut)) {
    return fail(Code::kBadEncoding, "data of COPY");
  }
  auto* in = reinterpret_cast<char*>(cut.data());  // NOLINT: iconv takes char
  auto left = cut.size();
  while (left > 0) {
    constexpr std::size_t kPiece = 16U * 1024U;
    const auto start = out.size();
    out.resize(start + kPiece);
    auto* to = reinterpret_cast<char*>(out.data() + start);  // NOLINT
    auto room = kPiece;
    const auto done = iconv(state_->descriptor, &in, &left, &to, &room);
    const auto reason = errno;
    out.resize(start + (kPiece - room));
    if (done != static_cast<std::size_t>(-1) || reason == E2BIG) continue;
    if (reason == EINVAL) break;  // a character's beginning
    return fail(Code::kBadEncoding, "data of COPY");
  }
  cut.erase(cut.begin(), cut.end() - static_cast<std::ptrdiff_t>(left));
  if (state_->contested && !state_->reads_utf8 && has_contested(ByteView(out).subspan(before))) {
    out.resize(before);
    return fail(Code::kBadEncoding, "data of COPY");
  }
  return {};
}

Status CopyTranscoder::finish(Bytes& out) {
  if (!state_->cut.empty()) return fail(Code::kBadEncoding, "data of COPY");
  // Tables with combining characters hold one back.
  constexpr std::size_t kPiece = 64;
  const auto start = out.size();
  out.resize(start + kPiece);
  auto* to = reinterpret_cast<char*>(out.data() + start);  // NOLINT
  auto room = kPiece;
  const auto done = iconv(state_->descriptor, nullptr, nullptr, &to, &room);
  out.resize(start + (kPiece - room));
  if (done == static_cast<std::size_t>(-1)) return fail(Code::kBadEncoding, "data of COPY");
  return {};
}

}  // namespace theriac::pgwire
