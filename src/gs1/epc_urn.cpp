// EPC URNs, read and written after the schemes' tables.
#include <algorithm>
#include <array>

#include "gs1/epc_scheme.hpp"
#include "gs1/limits.hpp"
#include "gs1/reading.hpp"
#include "gs1/uri.hpp"

namespace theriac::gs1 {
namespace {

constexpr std::string_view kStart = "urn:epc:";
/// What stands in a URN only as an escape (Tag Data Standard, table A-1 and G-1).
constexpr std::string_view kEscaped = "\"#%&/<>?";

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (kEscaped.contains(c)) {
      escaped += encode({&c, 1});
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

class UrnReader {
 public:
  explicit UrnReader(std::string_view urn) : urn_(urn) {}

  Checked<Epc> read() {
    if (auto fault = read_scheme()) return tl::unexpected<Fault>(std::move(*fault));
    if (auto fault = read_parts()) return tl::unexpected<Fault>(std::move(*fault));
    return Epc{scheme_->key, ElementString(std::move(elements_)), static_cast<int>(prefix_.size())};
  }

 private:
  [[nodiscard]] Fault fault_at(FaultCode code, std::size_t at, std::size_t wanted = 0,
                               std::size_t found = 0) const {
    return {code, at, std::string(scheme_ == nullptr ? "" : scheme_->name), {}, wanted, found};
  }

  std::optional<Fault> read_scheme() {
    const auto kind_end = urn_.find(':', kStart.size());
    if (kind_end == std::string_view::npos) return fault_at(FaultCode::kUrnScheme, kStart.size());
    const auto name_end = urn_.find(':', kind_end + 1);
    if (name_end == std::string_view::npos) return fault_at(FaultCode::kUrnScheme, kStart.size());
    scheme_ = find_scheme(urn_.substr(kStart.size(), kind_end - kStart.size()),
                          urn_.substr(kind_end + 1, name_end - kind_end - 1));
    if (scheme_ == nullptr) return fault_at(FaultCode::kUrnScheme, kStart.size());
    return split(name_end + 1);
  }

  /// The last part is what is left: serial numbers may hold dots.
  std::optional<Fault> split(std::size_t at) {
    while (parts_.size() + 1 < scheme_->parts()) {
      const auto dot = urn_.find('.', at);
      if (dot == std::string_view::npos) break;
      parts_.push_back({at, dot - at});
      at = dot + 1;
    }
    parts_.push_back({at, urn_.size() - at});
    if (parts_.size() == scheme_->parts()) return {};
    return fault_at(FaultCode::kUrnParts, urn_.size(), scheme_->parts(), parts_.size());
  }

  std::optional<Fault> read_parts() {
    if (auto fault = read_prefix()) return fault;
    if (auto fault = scheme_->digits == 0 ? read_text_key() : read_digit_key()) return fault;
    if (scheme_->serial_place == SerialPlace::kNone) return add_key();
    const Range last = parts_.back();
    if (scheme_->is_pattern()) {
      if (last.of(urn_) != "*") return fault_at(FaultCode::kUrnPattern, last.at);
      return add_key();
    }
    auto serial = unescape(last, Charset::kCset82);
    if (!serial) return std::move(serial.error());
    if (serial->empty()) return fault_at(FaultCode::kValueMissing, last.at);
    if (scheme_->serial_place == SerialPlace::kSameAi) {
      key_ += *serial;
      return add_key();
    }
    if (auto fault = add_key()) return fault;
    if (scheme_->key == Key::kSgln && *serial == "0") return {};
    return add(scheme_->serial_ai, std::move(*serial), [&](std::size_t index) {
      return place_of(urn_, last.at, index, Escapes::kPercent);
    });
  }

  std::optional<Fault> read_prefix() {
    const Range part = parts_.front();
    prefix_ = part.of(urn_);
    if (auto fault = digits(part)) return fault;
    if (part.size < kPrefixDigitsMin || part.size > kPrefixDigitsMax) {
      return fault_at(FaultCode::kPrefixLength, part.at, 0, part.size);
    }
    return {};
  }

  /// Company prefix and reference have a fixed length together, and a check digit in the AI.
  std::optional<Fault> read_digit_key() {
    const Range part = parts_[1];
    const auto reference = part.of(urn_);
    const auto wanted = scheme_->digits - prefix_.size();
    if (auto fault = exactly(part, wanted)) return fault;
    const std::size_t moved = scheme_->indicator_first ? 1 : 0;
    key_.append(scheme_->lead(), '0').append(reference.substr(0, moved)).append(prefix_);
    key_.append(reference.substr(moved));
    // The leading zero of a GRAI adds nothing to the sum.
    key_.push_back(check_digit_of(key_));
    if (!scheme_->pieces) return {};
    for (const Range piece : {parts_[2], parts_[3]}) {
      if (auto fault = exactly(piece, 2)) return fault;
      key_.append(piece.of(urn_));
    }
    return {};
  }

  std::optional<Fault> read_text_key() {
    const bool component = scheme_->ai == "8010";
    auto reference = unescape(parts_[1], component ? Charset::kCset39 : Charset::kCset82);
    if (!reference) return std::move(reference.error());
    if (reference->empty()) return fault_at(FaultCode::kValueMissing, parts_[1].at);
    key_.append(prefix_).append(*reference);
    return {};
  }

  std::optional<Fault> digits(Range part) const {
    const auto text = part.of(urn_);
    const auto other = std::ranges::find_if_not(text, is_digit);
    if (other == text.end()) return {};
    return fault_at(FaultCode::kBadCharacter,
                    part.at + static_cast<std::size_t>(other - text.begin()));
  }

  std::optional<Fault> exactly(Range part, std::size_t count) const {
    if (auto fault = digits(part)) return fault;
    if (part.size == count) return {};
    const bool shorter = part.size < count;
    return fault_at(shorter ? FaultCode::kValueTooShort : FaultCode::kValueTooLong,
                    shorter ? part.end() : part.at + count, count, part.size);
  }

  [[nodiscard]] Checked<std::string> unescape(Range part, Charset charset) const {
    for (std::size_t i = part.at; i < part.end(); ++i) {
      if (urn_[i] == '%') continue;
      if (!in_charset(charset, urn_[i]) || kEscaped.contains(urn_[i])) {
        return tl::unexpected<Fault>(fault_at(FaultCode::kBadCharacter, i));
      }
    }
    return decode(urn_, part, false);
  }

  std::optional<Fault> add_key() {
    return add(scheme_->ai, std::move(key_), [&](std::size_t index) { return key_place(index); });
  }

  template <typename Place>
  std::optional<Fault> add(std::string_view ai, std::string value, Place place) {
    if (auto fault = check_value(*find_ai(ai), value)) {
      fault->at = place(fault->at);
      fault->ai = ai;
      return fault;
    }
    elements_.push_back({std::string(ai), std::move(value)});
    return {};
  }

  /// Where the character `index` of the key's AI stands in the URN.
  [[nodiscard]] std::size_t key_place(std::size_t index) const {
    if (scheme_->digits == 0) {
      if (index < prefix_.size()) return parts_[0].at + index;
      return place_of(urn_, parts_[1].at, index - prefix_.size(), Escapes::kPercent);
    }
    const auto checked = scheme_->checked_size();
    if (index < checked) return parts_[1].at;
    if (scheme_->pieces) return index < checked + 2 ? parts_[2].at : parts_[3].at;
    return place_of(urn_, parts_.back().at, index - checked, Escapes::kPercent);
  }

  std::string_view urn_;
  const Scheme* scheme_ = nullptr;
  std::vector<Range> parts_;
  std::string_view prefix_;
  std::string key_;
  std::vector<Element> elements_;
};

/// Prefix, reference and pieces as the URN has them, and the serial if it is in the same AI.
Checked<std::string> key_parts(const Scheme& scheme, std::string_view value, std::size_t prefix) {
  if (scheme.digits == 0) {
    const auto digits = value.substr(0, prefix);
    if (value.size() <= prefix || !all_digits(digits)) {
      return tl::unexpected<Fault>(
          Fault{FaultCode::kCompanyPrefix, 0, std::string(scheme.ai), {}, 0, 0});
    }
    return std::string(digits).append(".").append(escape(value.substr(prefix)));
  }
  const auto body = value.substr(scheme.lead(), scheme.digits);
  const std::size_t moved = scheme.indicator_first ? 1 : 0;
  std::string parts(body.substr(moved, prefix));
  parts.append(".").append(body.substr(0, moved)).append(body.substr(moved + prefix));
  const auto rest = value.substr(scheme.checked_size());
  if (scheme.pieces) {
    parts.append(".").append(rest.substr(0, 2)).append(".").append(rest.substr(2));
  }
  if (scheme.serial_place == SerialPlace::kSameAi && !scheme.is_pattern()) {
    parts.append(".").append(escape(rest));
  }
  return parts;
}

}  // namespace

Checked<Epc> parse_epc_urn(std::string_view urn) {
  if (urn.size() > kTextBytesMax) {
    return tl::unexpected<Fault>(
        Fault{FaultCode::kTextTooLong, kTextBytesMax, {}, {}, kTextBytesMax, urn.size()});
  }
  if (!std::ranges::equal(urn.substr(0, kStart.size()), kStart, {}, lower)) {
    return fault(FaultCode::kNotAnIdentifier, 0);
  }
  return UrnReader(urn).read();
}

Checked<std::string> epc_urn(const Epc& epc, int prefix_length) {
  const auto& scheme = scheme_of(epc.key);
  const int length = epc.prefix_length != 0 ? epc.prefix_length : prefix_length;
  if (length == 0) return fault(FaultCode::kPrefixUnknown, 0, std::string(scheme.ai));
  if (length < kPrefixDigitsMin || length > kPrefixDigitsMax) {
    return tl::unexpected<Fault>(Fault{FaultCode::kPrefixLength,
                                       0,
                                       std::string(scheme.ai),
                                       {},
                                       0,
                                       static_cast<std::size_t>(length < 0 ? 0 : length)});
  }
  const auto* value = epc.elements.find(scheme.ai);
  const auto* serial =
      scheme.serial_place == SerialPlace::kOwnAi ? epc.elements.find(scheme.serial_ai) : nullptr;
  const bool serial_wanted = scheme.serial_place == SerialPlace::kOwnAi && !scheme.is_pattern() &&
                             scheme.key != Key::kSgln;
  const auto elements = static_cast<std::size_t>(epc.elements.elements().size());
  if (value == nullptr || value->size() < scheme.checked_size() ||
      (serial_wanted && serial == nullptr) || elements != (serial == nullptr ? 1U : 2U)) {
    return fault(FaultCode::kNoUrn, 0, std::string(scheme.ai));
  }
  auto parts = key_parts(scheme, *value, static_cast<std::size_t>(length));
  if (!parts) return parts;
  std::string urn(kStart);
  urn.append(scheme.kind).append(":").append(scheme.name).append(":").append(*parts);
  if (scheme.is_pattern()) return urn.append(".*");
  if (scheme.serial_place != SerialPlace::kOwnAi) return urn;
  return urn.append(".").append(serial == nullptr ? "0" : escape(*serial));
}

}  // namespace theriac::gs1
