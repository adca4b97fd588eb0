#include "pgwire/encoding.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

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
                            Name{"big5", "CP950"},
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
                            Name{"mskanji", "CP932"},
                            Name{"muleinternal", nullptr},
                            Name{"shiftjis", "CP932"},
                            Name{"shiftjis2004", "SHIFT_JISX0213"},
                            Name{"sjis", "CP932"},
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
                            Name{"win932", "CP932"},
                            Name{"win936", "CP936"},
                            Name{"win949", "CP949"},
                            Name{"win950", "CP950"},
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
                            Name{"windows932", "CP932"},
                            Name{"windows936", "CP936"},
                            Name{"windows949", "CP949"},
                            Name{"windows950", "CP950"}};

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

/// GB18030 has moved these characters between its editions of 2000, which PostgreSQL 15 has, and
/// 2005, which the C library has: what one writes the other reads as something else.
bool is_contested(std::uint32_t c) {
  constexpr std::array<std::uint32_t, 7> kSingle{0x1e3f,  0x20087, 0x20089, 0x200cc,
                                                 0x215d7, 0x2298f, 0x241fe};
  return (c >= 0x9fb4 && c <= 0x9fbb) || (c >= 0xe000 && c <= 0xf8ff) ||
         (c >= 0xfe10 && c <= 0xfe19) || std::ranges::find(kSingle, c) != kSingle.end();
}

/// Codes that PostgreSQL reads as other characters than the C library does: `size` codes from
/// `code` are the characters from `character`.
struct Run {
  std::uint32_t code, character, size;
};
constexpr std::array kBig5Runs{
    Run{0xa145, 0x2022, 1},  Run{0xa14e, 0xff64, 1},  Run{0xa1c2, 0x203e, 1},
    Run{0xa1e3, 0x223c, 1},  Run{0xa1f2, 0x2641, 1},  Run{0xa1f3, 0x2609, 1},
    Run{0xa241, 0xff0f, 1},  Run{0xa242, 0xff3c, 1},  Run{0xa244, 0x00a5, 1},
    Run{0xa246, 0x00a2, 2},  Run{0xc6a1, 0x30fe, 1},  Run{0xc6a2, 0x309d, 2},
    Run{0xc6a4, 0x3005, 1},  Run{0xc6a5, 0x3041, 83}, Run{0xc6f8, 0x30a1, 7},
    Run{0xc740, 0x30a8, 63}, Run{0xc7a1, 0x30e7, 16}, Run{0xc7b1, 0x0414, 2},
    Run{0xc7b3, 0x0401, 1},  Run{0xc7b4, 0x0416, 7},  Run{0xc7bb, 0x0423, 19},
    Run{0xc7ce, 0x0451, 1},  Run{0xc7cf, 0x0436, 26}, Run{0xc7e9, 0x2460, 10},
    Run{0xc7f3, 0x2474, 10}};
/// Codes of the C library that PostgreSQL has not, or has as U+FFFD.
constexpr std::array<std::uint32_t, 8> kBig5Absent{0xa15a, 0xa1c3, 0xa1c5, 0xa1fe,
                                                   0xa240, 0xa2cc, 0xa2ce, 0xa3e1};
constexpr std::uint32_t kBig5LastFrom = 0xf9dd, kBig5LastTo = 0xf9fe;
/// Characters that SJIS has twice: which code is written.
constexpr std::array kSjisWritten{Run{0xfa59, 0x2116, 1}, Run{0xfa5a, 0x2121, 1},
                                  Run{0xfa4a, 0x2160, 10}, Run{0xfa58, 0x3231, 1}};

bool is_private_use(std::uint32_t character) { return character >= 0xe000 && character <= 0xf8ff; }

void append_utf8(Bytes& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<std::uint8_t>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0U | (c >> 6U));
  } else {
    if (c < 0x10000) {
      put(0xe0U | (c >> 12U));
    } else {
      put(0xf0U | (c >> 18U));
      put(0x80U | ((c >> 12U) & 0x3fU));
    }
    put(0x80U | ((c >> 6U) & 0x3fU));
  }
  put(0x80U | (c & 0x3fU));
}

/// One character by the C library's tables.
class Table {
 public:
  explicit Table(const char* name)
      : read_(iconv_open("UTF-32BE", name)), write_(iconv_open(name, "UTF-32BE")) {}
  ~Table() {
    if (good(read_)) iconv_close(read_);
    if (good(write_)) iconv_close(write_);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  [[nodiscard]] bool good() const { return good(read_) && good(write_); }

  /// 0: not one character.
  [[nodiscard]] std::uint32_t character(std::uint32_t code) const {
    const auto made = run(read_, code_bytes(code));
    return made.size() == 4 ? load_be<std::uint32_t>(made.data()) : 0;
  }
  /// 0: none.
  [[nodiscard]] std::uint32_t code(std::uint32_t character) const {
    Bytes in;
    append_be(in, character);
    std::uint32_t code = 0;
    const auto made = run(write_, in);
    for (const auto byte : made) code = (code << 8U) | byte;
    return made.size() <= 4 ? code : 0;
  }

 private:
  static bool good(iconv_t one) { return one != reinterpret_cast<iconv_t>(-1); }  // NOLINT
  static Bytes code_bytes(std::uint32_t code) {
    Bytes out;
    for (int shift = 24; shift >= 0; shift -= 8) {
      if (const auto byte = static_cast<std::uint8_t>(code >> shift); byte != 0 || !out.empty()) {
        out.push_back(byte);
      }
    }
    return out;
  }
  static Bytes run(iconv_t with, Bytes in) {
    constexpr std::size_t kRoom = 32;
    Bytes out(kRoom);
    iconv(with, nullptr, nullptr, nullptr, nullptr);
    auto* from = reinterpret_cast<char*>(in.data());  // NOLINT: iconv takes char
    auto* to = reinterpret_cast<char*>(out.data());   // NOLINT
    auto left = in.size();
    auto room = out.size();
    if (iconv(with, &from, &left, &to, &room) == static_cast<std::size_t>(-1) || left > 0 ||
        iconv(with, nullptr, nullptr, &to, &room) == static_cast<std::size_t>(-1)) {
      return {};
    }
    out.resize(kRoom - room);
    return out;
  }
  iconv_t read_, write_;
};

// GB18030's codes of four bytes by number: four digits of bases 126, 10, 126 and 10.
std::uint32_t number_of(ByteView bytes) {
  return (((bytes[0] - 0x81U) * 10 + (bytes[1] - 0x30U)) * 126 + (bytes[2] - 0x81U)) * 10 +
         (bytes[3] - 0x30U);
}
std::uint32_t code_of(std::uint32_t number) {
  const auto last = number % 10 + 0x30;
  const auto third = number / 10 % 126 + 0x81;
  const auto second = number / 1260 % 10 + 0x30;
  const auto first = number / 12600 + 0x81;
  return first << 24U | second << 16U | third << 8U | last;
}
constexpr std::uint32_t kFourOfPlane0 = 39'420;   // up to 0x8431a439
constexpr std::uint32_t kFourOfOthers = 189'000;  // 0x90308130 is U+10000
constexpr std::uint32_t kOthers = 0x10000, kLast = 0x10ffff;

}  // namespace

EncodingKind encoding_kind(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr) return EncodingKind::kUnknown;
  if (found->table == nullptr) return EncodingKind::kUnconverted;
  return found->table == kNothing ? EncodingKind::kSame : EncodingKind::kConverted;
}

const char* encoding_table(std::string_view name) {
  return encoding_kind(name) == EncodingKind::kConverted ? find(name)->table : nullptr;
}

struct Encoding::Spec {
  std::string_view table, name;
  Form form = Form::kSingle;
};

const Encoding::Spec* Encoding::spec_of(std::string_view table) {
  static constexpr std::array kSpecs{Spec{"ISO-8859-1", "LATIN1"},
                                     Spec{"ISO-8859-2", "LATIN2"},
                                     Spec{"ISO-8859-3", "LATIN3"},
                                     Spec{"ISO-8859-4", "LATIN4"},
                                     Spec{"ISO-8859-9", "LATIN5"},
                                     Spec{"ISO-8859-10", "LATIN6"},
                                     Spec{"ISO-8859-13", "LATIN7"},
                                     Spec{"ISO-8859-14", "LATIN8"},
                                     Spec{"ISO-8859-15", "LATIN9"},
                                     Spec{"ISO-8859-16", "LATIN10"},
                                     Spec{"ISO-8859-5", "ISO_8859_5"},
                                     Spec{"ISO-8859-6", "ISO_8859_6"},
                                     Spec{"ISO-8859-7", "ISO_8859_7"},
                                     Spec{"ISO-8859-8", "ISO_8859_8"},
                                     Spec{"CP866", "WIN866"},
                                     Spec{"CP874", "WIN874"},
                                     Spec{"CP1250", "WIN1250"},
                                     Spec{"CP1251", "WIN1251"},
                                     Spec{"CP1252", "WIN1252"},
                                     Spec{"CP1253", "WIN1253"},
                                     Spec{"CP1254", "WIN1254"},
                                     Spec{"CP1255", "WIN1255"},
                                     Spec{"CP1256", "WIN1256"},
                                     Spec{"CP1257", "WIN1257"},
                                     Spec{"CP1258", "WIN1258"},
                                     Spec{"KOI8-R", "KOI8R"},
                                     Spec{"KOI8-U", "KOI8U"},
                                     Spec{"CP950", "BIG5", Form::kDouble},
                                     Spec{"CP932", "SJIS", Form::kSjis},
                                     Spec{"CP936", "GBK", Form::kDouble},
                                     Spec{"CP949", "UHC", Form::kDouble},
                                     Spec{"EUC-CN", "EUC_CN", Form::kEuc},
                                     Spec{"EUC-KR", "EUC_KR", Form::kEuc},
                                     Spec{"EUC-JP-MS", "EUC_JP", Form::kEucJp},
                                     Spec{"GB18030", "GB18030", Form::kGb18030}};
  const auto at = std::ranges::find(kSpecs, table, &Spec::table);
  return at == kSpecs.end() ? nullptr : &*at;
}

Result<std::shared_ptr<const Encoding>> Encoding::find(std::string_view name) {
  if (encoding_kind(name) == EncodingKind::kSame) return nullptr;
  const auto* table = encoding_table(name);
  const auto* spec = table == nullptr ? nullptr : spec_of(table);
  if (spec == nullptr) return fail(Code::kUnsupported, "this client_encoding");
  static std::mutex mutex;
  static std::map<std::string_view, std::shared_ptr<const Encoding>> known;
  const std::lock_guard lock(mutex);
  auto& one = known[spec->name];
  if (!one) {
    auto made = std::shared_ptr<Encoding>(new Encoding(*spec));
    THERIAC_TRY(made->fill(*spec));
    one = std::move(made);
  }
  return one;
}

Encoding::Encoding(const Spec& spec) : name_(spec.name), form_(spec.form) {}

void Encoding::note(std::uint32_t code, std::uint32_t character) {
  if (character < 0x80 || character > 0xffff || is_private_use(character)) return;
  if (form_ == Form::kGb18030 && is_contested(character)) return;
  if (code > 0xffffff) {
    fourth_[number_of(std::array{
        static_cast<std::uint8_t>(code >> 24U), static_cast<std::uint8_t>(code >> 16U),
        static_cast<std::uint8_t>(code >> 8U), static_cast<std::uint8_t>(code)})] = character;
  } else {
    (code > 0xffff ? third_ : characters_)[code & 0xffffU] = character;
  }
  if (codes_[character] == 0) codes_[character] = code;
}

Status Encoding::fill(const Spec& spec) {
  const Table table(spec.table.data());
  if (!table.good()) return fail(Code::kUnsupported, "this client_encoding");
  constexpr std::size_t kPlane = 0x10000;
  characters_.resize(kPlane);
  codes_.resize(kPlane);
  const auto take = [&](std::uint32_t code) { note(code, table.character(code)); };
  const bool big5 = spec.name == "BIG5";
  if (form_ == Form::kSingle || form_ == Form::kSjis) {
    const auto from = form_ == Form::kSjis ? 0xa1U : 0x80U,
               to = form_ == Form::kSjis ? 0xdfU : 0xffU;
    for (auto code = from; code <= to; ++code) take(code);
  }
  if (form_ != Form::kSingle) {
    for (std::uint32_t code = 0x8140; code < kPlane; ++code) {
      if ((code & 0xffU) < 0x40) continue;
      const bool absent = big5 && (std::ranges::find(kBig5Absent, code) != kBig5Absent.end() ||
                                   (code >= kBig5LastFrom && code <= kBig5LastTo));
      const auto run = std::ranges::find_if(kBig5Runs, [&](const Run& one) {
        return big5 && code >= one.code && code < one.code + one.size;
      });
      if (run != kBig5Runs.end()) {
        note(code, run->character + (code - run->code));
      } else if (!absent) {
        take(code);
      }
    }
  }
  if (form_ == Form::kEucJp) {
    third_.resize(kPlane);
    for (std::uint32_t code = 0x8fa1a1; code <= 0x8ffefe; ++code) {
      if ((code & 0x80U) != 0 && (code & 0x8000U) != 0) take(code);
    }
  }
  if (form_ == Form::kGb18030) {
    fourth_.resize(kFourOfPlane0);
    for (std::uint32_t number = 0; number < kFourOfPlane0; ++number) take(code_of(number));
  }
  // Of two codes of one character the C library writes the one that PostgreSQL writes.
  for (std::uint32_t character = 0x80; character < kPlane; ++character) {
    if (codes_[character] == 0) continue;
    const auto written = table.code(character);
    if (written > 0x7f && written <= 0xffff && characters_[written] == character) {
      codes_[character] = written;
    }
  }
  if (form_ == Form::kSjis) {
    for (const auto& run : kSjisWritten) {
      for (std::uint32_t i = 0; i < run.size; ++i) codes_[run.character + i] = run.code + i;
    }
  }
  return {};
}

std::size_t Encoding::length(ByteView bytes) const {
  std::size_t size = 1;
  const auto first = bytes[0];
  if (first < 0x80 || form_ == Form::kSingle) return 1;
  if (form_ == Form::kSjis) {
    size = first >= 0xa1 && first <= 0xdf ? 1 : 2;
  } else if (form_ == Form::kGb18030) {
    if (bytes.size() < 2) return 0;
    size = bytes[1] >= 0x30 && bytes[1] <= 0x39 ? 4 : 2;
  } else {
    size = form_ == Form::kEucJp && first == 0x8f ? 3 : 2;
  }
  return bytes.size() < size ? 0 : size;
}

std::uint32_t Encoding::character(ByteView bytes) const {
  switch (bytes.size()) {
    case 1:
      return characters_[bytes[0]];
    case 2:
      return bytes[1] < 0x40 ? 0 : characters_[load_be<std::uint16_t>(bytes.data())];
    case 3:
      return third_[load_be<std::uint16_t>(bytes.data() + 1)];
    default:
      break;
  }
  const auto digit = [](std::uint8_t byte) { return byte >= 0x30 && byte <= 0x39; };
  const auto high = [](std::uint8_t byte) { return byte >= 0x81 && byte <= 0xfe; };
  if (!high(bytes[0]) || !digit(bytes[1]) || !high(bytes[2]) || !digit(bytes[3])) return 0;
  const auto number = number_of(bytes);
  if (number < kFourOfPlane0) return fourth_[number];
  if (number < kFourOfOthers || number - kFourOfOthers > kLast - kOthers) return 0;
  const auto made = number - kFourOfOthers + kOthers;
  return is_contested(made) ? 0 : made;
}

std::uint32_t Encoding::code(std::uint32_t character) const {
  if (character < kOthers) return codes_[character];
  if (form_ != Form::kGb18030 || is_contested(character)) return 0;
  return code_of(character - kOthers + kFourOfOthers);
}

bool Encoding::is_well_formed(ByteView bytes) const {
  const auto between = [](std::uint8_t byte, int low, int high) {
    return byte >= low && byte <= high;
  };
  const auto high = [&](std::uint8_t byte) { return between(byte, 0xa1, 0xfe); };
  while (!bytes.empty()) {
    const auto size = length(bytes);
    if (size == 0) return false;
    const auto one = bytes.first(size);
    bytes = bytes.subspan(size);
    if (one[0] < 0x80 || form_ == Form::kSingle) continue;
    if (size > 1 && one[1] == 0) return false;
    bool good = true;
    if (form_ == Form::kEuc) {
      good = high(one[0]) && high(one[1]);
    } else if (form_ == Form::kEucJp) {
      good = one[0] == 0x8e   ? between(one[1], 0xa1, 0xdf)
             : one[0] == 0x8f ? high(one[1]) && high(one[2])
                              : high(one[0]) && high(one[1]);
    } else if (form_ == Form::kSjis && size == 2) {
      good = (between(one[0], 0x81, 0x9f) || between(one[0], 0xe0, 0xfc)) &&
             (between(one[1], 0x40, 0x7e) || between(one[1], 0x80, 0xfc));
    } else if (form_ == Form::kGb18030) {
      good = between(one[0], 0x81, 0xfe) &&
             (size == 4 ? between(one[2], 0x81, 0xfe) && between(one[3], 0x30, 0x39)
                        : between(one[1], 0x40, 0x7e) || between(one[1], 0x80, 0xfe));
    }
    if (!good) return false;
  }
  return true;
}

Result<std::size_t> Encoding::decode(ByteView bytes, Bytes& out) const {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes[at] < 0x80) {
      out.push_back(bytes[at++]);
      continue;
    }
    const auto size = length(bytes.subspan(at));
    if (size == 0) break;
    const auto c = character(bytes.subspan(at, size));
    if (c == 0) return fail(Code::kBadEncoding, name_);
    append_utf8(out, c);
    at += size;
  }
  return at;
}

Result<std::size_t> Encoding::encode(ByteView utf8, Bytes& out) const {
  std::size_t at = 0;
  while (at < utf8.size()) {
    const auto lead = utf8[at];
    if (lead < 0x80) {
      out.push_back(lead);
      ++at;
      continue;
    }
    const std::size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4) return fail(Code::kBadEncoding, "UTF8");
    if (utf8.size() - at < size) break;
    std::uint32_t c = lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
      if ((utf8[at + i] & 0xc0U) != 0x80) return fail(Code::kBadEncoding, "UTF8");
      c = (c << 6U) | (utf8[at + i] & 0x3fU);
    }
    const auto made = c <= kLast ? code(c) : 0;
    if (made == 0) return fail(Code::kBadEncoding, name_);
    for (int shift = 24; shift >= 0; shift -= 8) {
      if ((made >> shift) != 0) out.push_back(static_cast<std::uint8_t>(made >> shift));
    }
    at += size;
  }
  return at;
}

Result<std::string> Encoding::to_utf8(ByteView bytes) const {
  Bytes out;
  out.reserve(bytes.size());
  THERIAC_ASSIGN(const auto used, decode(bytes, out));
  if (used != bytes.size()) return fail(Code::kBadEncoding, name_);
  return std::string(text_of(out));
}

Result<std::string> Encoding::from_utf8(std::string_view text) const {
  Bytes out;
  out.reserve(text.size());
  THERIAC_ASSIGN(const auto used, encode(view_of(text), out));
  if (used != text.size()) return fail(Code::kBadEncoding, name_);
  return std::string(text_of(out));
}

}  // namespace theriac::pgwire
