#include "gs1/scan.hpp"

#include <algorithm>
#include <array>

#include "gs1/ai_table.hpp"
#include "gs1/digital_link.hpp"
#include "gs1/epc.hpp"
#include "gs1/limits.hpp"

namespace theriac::gs1 {
namespace {

constexpr char kGroupSeparator = '\x1d';

bool begins(std::string_view text, std::string_view with) {
  return std::ranges::equal(text.substr(0, with.size()), with, {}, lower, lower);
}

template <typename T>
Checked<Scan> scan_of(ScanForm form, Checked<T> code) {
  if (!code) return tl::unexpected<Fault>(std::move(code.error()));
  return Scan{form, std::move(*code)};
}

// --- What goes wrong between a symbol and us ---

/// Full-width forms (U+FF01 to U+FF5E) and ideographic punctuation (U+3001, U+3002, U+3010,
/// U+3011).
std::size_t find_full_width(std::string_view text) {
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    const auto begin = text.substr(i, 2);
    if (begin == "\xef\xbc" || begin == "\xef\xbd" || begin == "\xe3\x80") return i;
  }
  return std::string_view::npos;
}

/// How scanners and their drivers write FNC1 when they do not send it.
std::size_t find_written_separator(std::string_view text) {
  constexpr auto kWritten =
      std::to_array<std::string_view>({"<GS>", "[GS]", "{GS}", "<FNC1>", "[FNC1]", "{FNC1}",
                                       "\\x1d", "\\u001d", "\\F", "\xe2\x90\x9d"});
  constexpr std::string_view kFirsts = "<[{\\\xe2";
  for (auto i = text.find_first_of(kFirsts); i < text.size();
       i = text.find_first_of(kFirsts, i + 1)) {
    for (const auto written : kWritten) {
      if (begins(text.substr(i), written)) return i;
    }
  }
  return std::string_view::npos;
}

/// A GTIN or an SSCC with a right check digit: what follows was typed as it should be.
bool begins_with_key(std::string_view text) {
  const auto* entry = leading_ai(text);
  if (entry == nullptr || (entry->first != "01" && entry->first != "00")) return false;
  return !check_value(*entry, text.substr(2, entry->longest()));
}

/// The digits of a French keyboard without its shift key.
std::string digits_of_azerty(std::string_view text) {
  constexpr auto kKeys = std::to_array<std::string_view>(
      {"\xc3\xa0", "&", "\xc3\xa9", "\"", "'", "(", "-", "\xc3\xa8", "_", "\xc3\xa7"});
  std::string digits;
  while (!text.empty()) {
    const auto* key =
        std::ranges::find_if(kKeys, [&](std::string_view each) { return text.starts_with(each); });
    if (key == kKeys.end()) break;
    digits.push_back(static_cast<char>('0' + (key - kKeys.begin())));
    text.remove_prefix(key->size());
  }
  return digits;
}

/// Is ']' another character, of one or two bytes, before the rest of a symbology identifier?
bool has_strange_bracket(std::string_view text) {
  constexpr auto kRests = std::to_array<std::string_view>({"d2", "C1", "Q3", "e0", "J1"});
  for (const std::size_t size : {1U, 2U}) {
    if (text.size() < size + 2) return false;
    const auto rest = text.substr(size, 2);
    const bool known = std::ranges::any_of(kRests, [&](auto each) { return begins(rest, each); });
    if (known && begins_with_key(text.substr(size + 2))) return true;
  }
  return false;
}

/// ")01=" is "(01)" with the brackets of a German keyboard.
bool has_strange_brackets(std::string_view text) {
  const auto equals = text.find('=');
  return text.starts_with(')') && equals != std::string_view::npos &&
         find_ai(text.substr(1, equals - 1)) != nullptr;
}

bool is_of_another_agency(std::string_view text) {
  if (text.starts_with("[)>")) return true;  // ISO/IEC 15434
  if (text.size() < 6 || !is_alphanumeric(text[1])) return false;
  return (text[0] == '+' && !is_digit(text[1])) || text[0] == '=';  // HIBC, ISBT 128
}

/// EAN-8, UPC-A, EAN-13 or a GTIN without its AI. Some are element strings as well, of AIs that
/// nobody uses alone: which of them it is would be a guess.
bool is_bare_number(std::string_view text) {
  const bool has_size = text.size() == 8 || (text.size() >= 12 && text.size() <= 14);
  return has_size && all_digits(text) && !lint(Linter::kCsum, text);
}

/// What a text may be that no form begins like.
tl::unexpected<Fault> strange(std::string_view text) {
  if (has_strange_bracket(text) || has_strange_brackets(text)) {
    return fault(FaultCode::kKeyboardLayout, 0);
  }
  if (begins_with_key(digits_of_azerty(text))) return fault(FaultCode::kKeyboardLayout, 0);
  if (begins(text, "ma.")) return fault(FaultCode::kCapsLock, 0);
  // "httpsÖ--" and "urnÖepc" with the colon of a German keyboard.
  for (const std::string_view word : {"https", "http", "urn"}) {
    if (begins(text, word) && text.size() > word.size() && text[word.size()] != ':' &&
        !is_alphanumeric(text[word.size()])) {
      return fault(FaultCode::kKeyboardLayout, word.size());
    }
  }
  if (is_of_another_agency(text)) return fault(FaultCode::kOtherAgency, 0);
  return fault(FaultCode::kNotRecognised, 0);
}

// --- Forms ---

Checked<Scan> read_urn(std::string_view text) {
  auto epc = parse_epc_urn(text);
  if (epc) return Scan{ScanForm::kEpcUrn, std::move(epc->elements)};
  const bool swapped = epc.error().code == FaultCode::kUrnScheme && text.starts_with("URN:");
  if (swapped) return fault(FaultCode::kCapsLock, 0);
  return tl::unexpected<Fault>(std::move(epc.error()));
}

/// What any symbol can hold, GS1's or not; nothing if it is none of these.
std::optional<Checked<Scan>> read_content(std::string_view text, Strictness strictness) {
  if (begins(text, "http://") || begins(text, "https://")) {
    return scan_of(ScanForm::kDigitalLink, parse_digital_link(text, strictness));
  }
  if (begins(text, "urn:epc:")) return read_urn(text);
  if (text.starts_with("MA.")) return scan_of(ScanForm::kMa, parse_ma(text));
  if (text.size() == kDrugCodeDigits && text[0] == '8' && all_digits(text)) {
    return scan_of(ScanForm::kDrugCode, parse_drug_code(text));
  }
  return {};
}

bool is_plain_symbol(std::string_view text) {
  constexpr auto kPlain = std::to_array<std::string_view>({"]C0", "]d1", "]Q1", "]J0"});
  return std::ranges::find(kPlain, text.substr(0, 3)) != kPlain.end();
}

Checked<Scan> read_symbol(std::string_view text, Strictness strictness) {
  if (!is_plain_symbol(text)) return scan_of(ScanForm::kScan, parse_scan(text, strictness));
  constexpr std::size_t kIdentifier = 3;
  auto content = read_content(text.substr(kIdentifier), strictness);
  if (!content) return fault(FaultCode::kNotGs1Symbol, kIdentifier);
  if (!*content) content->error().at += kIdentifier;
  return std::move(*content);
}

}  // namespace

Checked<Scan> read_scan(std::string_view text, Strictness strictness) {
  const auto end = text.find_last_not_of("\r\n\t");
  text = text.substr(0, end == std::string_view::npos ? 0 : end + 1);
  if (text.empty()) return fault(FaultCode::kEmpty, 0);
  if (text.size() > kTextBytesMax) {
    return tl::unexpected<Fault>(
        Fault{FaultCode::kTextTooLong, kTextBytesMax, {}, {}, kTextBytesMax, text.size()});
  }
  if (const auto at = find_full_width(text); at != std::string_view::npos) {
    return fault(FaultCode::kFullWidth, at);
  }
  if (auto content = read_content(text, strictness)) return std::move(*content);
  if (text.front() == '(') {
    return scan_of(ScanForm::kBracketed, parse_bracketed(text, strictness));
  }
  const char first = text.front();
  if (first != ']' && first != '^' && first != kGroupSeparator && !is_digit(first)) {
    return strange(text);
  }
  if (is_bare_number(text)) return fault(FaultCode::kBareNumber, 0);
  // It would be taken for characters of a value, where the value may hold them.
  if (const auto at = find_written_separator(text); at != std::string_view::npos) {
    return fault(FaultCode::kSeparatorAsText, at);
  }
  if (first == ']') return read_symbol(text, strictness);
  return scan_of(ScanForm::kRaw, parse_raw(text, strictness));
}

}  // namespace theriac::gs1
