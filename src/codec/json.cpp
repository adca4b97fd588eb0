#include "codec/json.hpp"

#include <charconv>
#include <cmath>

#include "codec/json_escape.hpp"

namespace theriac::codec {

namespace {

/// RFC 7493 section 2.2: beyond this, two programs may read one text as two numbers.
constexpr std::int64_t kExactIntegerMax = (std::int64_t{1} << 53U) - 1;
/// From here on ECMAScript writes numbers with an exponent.
constexpr double kPlainIntegerEnd = 1e21;

/// Builds the value while watching depth, duplicate keys and integers. nlohmann's own parser is
/// iterative, so that nothing here can overflow the stack.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  [[nodiscard]] const Error& error() const { return error_; }
  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override {
    if (value < -kExactIntegerMax || value > kExactIntegerMax) return out_of_range();
    return put(value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(kExactIntegerMax)) return out_of_range();
    return put(value);
  }
  bool number_float(number_float_t value, const string_t& text) override {
    // An integer too long for 64 bits arrives here as a rounded number. What the canonical form
    // writes as such an integer is refused in every spelling.
    if (text.find_first_of(".eE") == string_t::npos) return out_of_range();
    const double size = std::fabs(value);
    if (size > static_cast<double>(kExactIntegerMax) && size < kPlainIntegerEnd) {
      return out_of_range();
    }
    return put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name)) {
      error_ = {Code::kMalformed, "JSON: duplicate key"};
      return false;
    }
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& what) override {
    // The library's message quotes the input, so only its position is passed on.
    constexpr int kNumberOverflow = 406;
    if (what.id == kNumberOverflow) return out_of_range();
    error_ = {Code::kMalformed, "JSON: byte " + std::to_string(position)};
    return false;
  }

 private:
  template <typename T>
  Json* place(T&& value) {
    if (open_.empty()) {
      root_ = std::forward<T>(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::forward<T>(value));
      return &parent.back();
    }
    return &(parent[key_] = std::forward<T>(value));
  }
  template <typename T>
  bool put(T&& value) {
    place(Json(std::forward<T>(value)));
    return true;
  }
  bool open(Json empty) {
    if (open_.size() >= kJsonDepthMax) {
      error_ = {Code::kTooLarge, "JSON: depth"};
      return false;
    }
    open_.push_back(place(std::move(empty)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  bool out_of_range() {
    error_ = {Code::kOutOfRange, "JSON: number"};
    return false;
  }

  Json root_;
  std::vector<Json*> open_;  // the containers we are in; stable, since only the last one grows
  std::string key_;
  Error error_;
};

/// Order of UTF-16 code units (RFC 8785 section 3.2.3) on valid UTF-8. It differs from the order of
/// bytes only where a surrogate pair (lead byte f0 to f4) meets U+E000 to U+FFFF (ee, ef).
bool utf16_less(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  if (in_a == a.end() || in_b == b.end()) return a.size() < b.size();
  const auto byte_a = static_cast<std::uint8_t>(*in_a);
  const auto byte_b = static_cast<std::uint8_t>(*in_b);
  const bool pair_a = byte_a >= 0xf0;
  const bool pair_b = byte_b >= 0xf0;
  if (pair_a != pair_b) {
    if (pair_a && byte_b >= 0xee) return true;
    if (pair_b && byte_a >= 0xee) return false;
  }
  return byte_a < byte_b;
}

/// Length of the well-formed UTF-8 sequence at the front (Unicode, table 3-7), or 0.
std::size_t utf8_sequence(std::string_view text) {
  const auto at = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0U : 0x80U;
    const unsigned high = lead == 0xed ? 0x9fU : 0xbfU;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90U : 0x80U;
    const unsigned high = lead == 0xf4 ? 0x8fU : 0xbfU;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// RFC 8785 section 3.2.2.2.
void write_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = utf8_sequence(text);
    if (size != 1) {
      // A program's own string that is not UTF-8 must not end it: the replacement character stands
      // for the byte.
      out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, size);
      text.remove_prefix(size == 0 ? 1 : size);
      continue;
    }
    append_json_character(out, text.front());
    text.remove_prefix(1);
  }
  out += '"';
}

/// ECMAScript Number::toString (RFC 8785 section 3.2.2.3): the shortest digits that read back the
/// same, written plainly when the decimal point falls within 21 places.
void write_number(std::string& out, double value) {
  if (!std::isfinite(value)) {  // as JSON.stringify does; no text parses to it
    out += "null";
    return;
  }
  if (value == 0) {  // and -0
    out += '0';
    return;
  }
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  std::string_view shortest(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
  if (shortest.front() == '-') {
    out += '-';
    shortest.remove_prefix(1);
  }
  const std::size_t mark = shortest.find('e');
  std::string digits(1, shortest.front());
  if (mark > 1) digits += shortest.substr(2, mark - 2);
  std::string_view exponent = shortest.substr(mark + 1);
  if (exponent.front() == '+') exponent.remove_prefix(1);
  int power = 0;
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);

  const int count = static_cast<int>(digits.size());  // "k" of the standard
  const int point = power + 1;                        // "n": value = 0.digits x 10^n
  if (count <= point && point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point));
    out += '.';
    out += digits.substr(static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    out += digits.front();
    if (count > 1) {
      out += '.';
      out += digits.substr(1);
    }
    out += 'e';
    out += power < 0 ? '-' : '+';
    out += std::to_string(std::abs(power));
  }
}

void write(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      out += "null";
      break;
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      break;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      write_number(out, value.get<double>());
      break;
    case Json::value_t::string:
      write_string(out, value.get_ref<const std::string&>());
      break;
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const Json& element : value) {
        if (!std::exchange(first, false)) out += ',';
        write(out, element);
      }
      out += ']';
      break;
    }
    case Json::value_t::object: {
      using Member = std::pair<const std::string, Json>;
      std::vector<const Member*> members;
      members.reserve(value.size());
      for (const Member& member : value.get_ref<const Json::object_t&>()) {
        members.push_back(&member);
      }
      std::ranges::sort(
          members, [](const Member* a, const Member* b) { return utf16_less(a->first, b->first); });
      out += '{';
      bool first = true;
      for (const Member* member : members) {
        if (!std::exchange(first, false)) out += ',';
        write_string(out, member->first);
        out += ':';
        write(out, member->second);
      }
      out += '}';
      break;
    }
    case Json::value_t::binary:     // no JSON text or program of ours makes one
    case Json::value_t::discarded:  // nor this: parse_json gives an error instead
      THERIAC_ASSERT(false);
  }
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return fail(Code::kTooLarge, "JSON: size");
  // RFC 8259 section 8.1 forbids to add a byte order mark; the library would skip one.
  if (text.starts_with("\xef\xbb\xbf")) return fail(Code::kMalformed, "JSON: byte 0");
  // No JSON text holds one, but the library would take it for the end of the input.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    return fail(Code::kMalformed, "JSON: byte " + std::to_string(zero + 1));
  }
  Builder builder;
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) return fail(builder.error());
  return builder.take();
}

std::string canonical_json(const Json& value) {
  std::string out;
  write(out, value);
  return out;
}

}  // namespace theriac::codec
