#include "pgwire/case_map.hpp"

#include <langinfo.h>
#include <locale.h>  // NOLINT: newlocale is POSIX
#include <wctype.h>  // NOLINT: towlower_l is POSIX

#include <vector>

#include "pgwire/text_scan.hpp"
#include "pgwire/utf8.hpp"

namespace theriac::pgwire {
namespace {

constexpr char32_t kCodeEnd = 0x110000, kSurrogates = 0xd800, kSurrogatesEnd = 0xe000;

/// The next character of valid UTF-8.
char32_t take_character(std::string_view& rest) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  const unsigned first = byte(0);
  std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size > rest.size()) size = rest.size();
  char32_t code = size == 1 ? first : first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) code = (code << 6U) | (byte(i) & 0x3fU);
  rest.remove_prefix(size);
  return code;
}

std::string mapped(std::string_view text, const std::vector<char32_t>& table) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto code = take_character(text);
    append_utf8(out, code < table.size() ? table[code] : code);
  }
  return out;
}

}  // namespace

struct CaseMap::Tables {
  std::vector<char32_t> lower, upper;
};

Result<std::shared_ptr<const CaseMap>> CaseMap::find(const std::string& ctype) {
  if (ctype == "C" || ctype == "POSIX") {
    return std::shared_ptr<const CaseMap>(new CaseMap(nullptr));  // NOLINT: private constructor
  }
  locale_t locale = newlocale(LC_CTYPE_MASK, ctype.c_str(), nullptr);
  if (locale == nullptr) return fail(Code::kUnsupported, "locale " + ctype);
  const std::string codeset = nl_langinfo_l(CODESET, locale);
  if (codeset != "UTF-8") {
    freelocale(locale);
    return fail(Code::kUnsupported, "locale " + ctype);
  }
  auto tables = std::make_shared<Tables>();
  tables->lower.resize(kCodeEnd);
  tables->upper.resize(kCodeEnd);
  for (char32_t code = 0; code < kCodeEnd; ++code) {
    tables->lower[code] = static_cast<char32_t>(towlower_l(static_cast<wint_t>(code), locale));
    tables->upper[code] = static_cast<char32_t>(towupper_l(static_cast<wint_t>(code), locale));
  }
  freelocale(locale);
  return std::shared_ptr<const CaseMap>(new CaseMap(std::move(tables)));  // NOLINT
}

std::string CaseMap::lower(std::string_view text) const {
  return tables_ ? mapped(text, tables_->lower) : to_lower(text);
}
std::string CaseMap::upper(std::string_view text) const {
  return tables_ ? mapped(text, tables_->upper) : to_upper(text);
}

std::string CaseMap::probe_text() {
  std::string out;
  for (char32_t code = 1; code < kCodeEnd; ++code) {
    if (code == kSurrogates) code = kSurrogatesEnd;
    append_utf8(out, code);
  }
  return out;
}

}  // namespace theriac::pgwire
