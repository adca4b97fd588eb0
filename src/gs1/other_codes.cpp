#include "gs1/other_codes.hpp"

#include <algorithm>
#include <array>

#include "gs1/code_lists.hpp"
#include "gs1/limits.hpp"
#include "gs1/lint.hpp"

namespace theriac::gs1 {
namespace {

constexpr std::string_view kMaStart = "MA.";

struct MaPart {
  char letter;
  bool is_date;
  std::optional<std::string> MaCode::* member;
};
/// In the order of writing; P is an older letter for M.
constexpr auto kMaParts = std::to_array<MaPart>({
    {'S', false, &MaCode::serial},
    {'M', true, &MaCode::made},
    {'L', false, &MaCode::lot},
    {'D', false, &MaCode::sterilisation_lot},
    {'E', true, &MaCode::expires},
    {'V', true, &MaCode::valid_until},
    {'C', false, &MaCode::check},
    {'P', true, &MaCode::made},
});

bool is_date(std::string_view text) {
  if (text.size() == 8) return !lint(Linter::kDateLongDay0, text);
  return text.size() == 6 && !lint(Linter::kDateDay0, text);
}

class MaReader {
 public:
  explicit MaReader(std::string_view text) : text_(text) {}

  Checked<MaCode> read() {
    if (!text_.starts_with(kMaStart)) return fault(FaultCode::kMaStructure, 0);
    at_ = kMaStart.size();
    code_.country = next();
    if (!is_country(code_.country)) return structure_fault();
    code_.industry = next();
    if (code_.industry.size() != 2 || !is_upper(code_.industry[0]) ||
        !is_alphanumeric(code_.industry[1])) {
      return structure_fault();
    }
    constexpr std::size_t kRegistrant = 6;
    code_.registrant = next();
    if (code_.registrant.size() != kRegistrant || !plain(code_.registrant)) {
      return structure_fault();
    }
    code_.product = next();
    if (code_.product.size() < kMaProductMin || code_.product.size() > kMaProductMax ||
        !plain(code_.product)) {
      return structure_fault();
    }
    while (!ended_) {
      if (auto fault = read_part()) return tl::unexpected<Fault>(std::move(*fault));
    }
    return std::move(code_);
  }

 private:
  std::string next() {
    began_ = at_;
    const auto dot = text_.find('.', at_);
    ended_ = dot == std::string_view::npos;
    const auto word = text_.substr(at_, dot - at_);
    at_ = ended_ ? text_.size() : dot + 1;
    return std::string(word);
  }

  [[nodiscard]] tl::unexpected<Fault> structure_fault() const {
    return fault(FaultCode::kMaStructure, began_);
  }

  static bool plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
  }

  std::optional<Fault> read_part() {
    auto value = next();
    const auto found = [&](FaultCode code, std::size_t at, std::size_t wanted = 0) {
      const auto letter = value.empty() ? std::string() : value.substr(0, 1);
      return Fault{code, at, letter, {}, wanted, value.empty() ? 0 : value.size() - 1};
    };
    const char letter = value.empty() ? '\0' : value[0];
    const auto* part = std::ranges::find(kMaParts, letter, &MaPart::letter);
    if (part == kMaParts.end() || code_.*part->member) {
      return Fault{FaultCode::kMaPart, began_, {}, {}, 0, 0};
    }
    const auto text = std::string_view(value).substr(1);
    if (text.empty()) return found(FaultCode::kValueMissing, began_ + 1);
    if (text.size() > kMaValueMax) {
      return found(FaultCode::kValueTooLong, began_ + 1 + kMaValueMax, kMaValueMax);
    }
    if (part->is_date && !is_date(text)) return found(FaultCode::kMaDate, began_ + 1);
    const auto* other =
        std::ranges::find_if_not(text, [](char c) { return in_charset(Charset::kCset82, c); });
    if (other != text.end()) {
      return found(FaultCode::kBadCharacter,
                   began_ + 1 + static_cast<std::size_t>(other - text.begin()));
    }
    code_.*part->member = std::string(text);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t began_ = 0;  ///< of the word read last
  bool ended_ = false;
  MaCode code_;
};

/// The number of a character, two digits for all but digits themselves; -1 if it has none. There is
/// a gap between g and h.
int ma_number(char c) {
  constexpr std::string_view kOthers = "-.@$,*+%/#!^~";
  if (is_digit(c)) return c - '0';
  if (is_upper(c)) return c - 'A' + 10;
  if (is_lower(c)) return c - 'a' + (c <= 'g' ? 36 : 38);
  const auto place = kOthers.find(c);
  return place == std::string_view::npos ? -1 : static_cast<int>(place) + 64;
}

}  // namespace

std::string MaCode::device_identifier() const {
  return std::string(kMaStart) + country + "." + industry + "." + registrant + "." + product;
}

Checked<MaCode> parse_ma(std::string_view text) {
  if (text.size() > kTextBytesMax) {
    return tl::unexpected<Fault>(
        Fault{FaultCode::kTextTooLong, kTextBytesMax, {}, {}, kTextBytesMax, text.size()});
  }
  return MaReader(text).read();
}

std::string ma_text(const MaCode& code) {
  auto text = code.device_identifier();
  for (const auto& part : kMaParts) {
    if (part.letter == 'P' || !(code.*part.member)) continue;
    text.append({'.', part.letter}).append(*(code.*part.member));
  }
  return text;
}

Checked<char> ma_check_digit(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int number = ma_number(text[i]);
    if (number < 0) return fault(FaultCode::kBadCharacter, i);
    digits += std::to_string(number);
  }
  // Of these digits Luhn's sum, with every second from the right but one doubled.
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const int digit = digits[digits.size() - 1 - i] - '0';
    const int doubled = digit * 2;
    sum += i % 2 == 0 ? digit : doubled / 10 + doubled % 10;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

Checked<DrugCode> parse_drug_code(std::string_view text) {
  constexpr std::size_t kProduct = 7;
  constexpr std::size_t kSerial = 9;
  const auto other = std::ranges::find_if_not(text, is_digit);
  if (other != text.end()) {
    return fault(FaultCode::kNotDigits, static_cast<std::size_t>(other - text.begin()));
  }
  if (text.size() != kDrugCodeDigits) {
    return tl::unexpected<Fault>(Fault{FaultCode::kDrugCodeLength,
                                       std::min(text.size(), kDrugCodeDigits),
                                       {},
                                       {},
                                       kDrugCodeDigits,
                                       text.size()});
  }
  return DrugCode{std::string(text.substr(0, kProduct)),
                  std::string(text.substr(kProduct, kSerial)),
                  std::string(text.substr(kProduct + kSerial))};
}

std::string drug_code_text(const DrugCode& code) { return code.product + code.serial + code.check; }

}  // namespace theriac::gs1
