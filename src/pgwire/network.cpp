#include "pgwire/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

// Families as PostgreSQL numbers them on the wire.
constexpr std::uint8_t kFamilyV4 = 2, kFamilyV6 = 3;

tl::unexpected<Error> bad() { return fail(Code::kMalformed, "network address"); }

bool read_v4(std::string_view text, std::uint8_t* out) {
  constexpr std::size_t kParts = 4, kDigitsMax = 3;
  for (std::size_t i = 0; i < kParts; ++i) {
    if (i > 0) {
      if (text.empty() || text[0] != '.') return false;
      text.remove_prefix(1);
    }
    const auto digits = take_digits(text);
    if (digits.empty() || digits.size() > kDigitsMax) return false;
    int value = 0;
    for (const char c : digits) value = value * 10 + (c - '0');
    if (value > 255) return false;
    out[i] = static_cast<std::uint8_t>(value);
  }
  return text.empty();
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool read_v6(std::string_view text, std::array<std::uint8_t, 16>& out) {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t at = 0;
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  } else if (text.starts_with(':')) {
    return false;
  }
  while (!text.empty()) {
    const auto word = take_while(text, [](char c) { return hex_digit(c) >= 0; });
    if (!text.empty() && text[0] == '.') {  // the last 32 bits in dotted form
      const std::string_view dotted(word.data(), word.size() + text.size());
      // A leading zero is no part of a number here.
      for (std::size_t i = 0; i + 1 < dotted.size(); ++i) {
        if (dotted[i] == '0' && (i == 0 || dotted[i - 1] == '.') && is_digit(dotted[i + 1])) {
          return false;
        }
      }
      if (at + 4 > bytes.size() || !read_v4(dotted, &bytes.at(at))) return false;
      at += 4;
      text = {};
      break;
    }
    if (word.empty() || word.size() > 4 || at + 2 > bytes.size()) return false;
    unsigned value = 0;
    for (const char c : word) value = value * 16 + static_cast<unsigned>(hex_digit(c));
    bytes.at(at++) = static_cast<std::uint8_t>(value >> 8U);
    bytes.at(at++) = static_cast<std::uint8_t>(value);
    if (text.empty()) break;
    if (text[0] != ':') return false;
    text.remove_prefix(1);
    if (text.empty()) return false;
    if (text[0] == ':') {
      if (gap) return false;
      gap = at;
      text.remove_prefix(1);
    }
  }
  if (gap) {
    if (at == bytes.size()) return false;
    std::rotate(bytes.begin() + static_cast<std::ptrdiff_t>(*gap),
                bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
  } else if (at != bytes.size()) {
    return false;
  }
  out = bytes;
  return true;
}

bool has_host_bits(const Address& address) {
  const auto masked = to_network(address);
  return masked.bytes != address.bytes;
}

Result<Address> checked(const Address& address, bool network) {
  if (network && has_host_bits(address)) return bad();
  return address;
}

void add_v4(std::string& out, const std::uint8_t* at) {
  fmt::format_to(std::back_inserter(out), "{}.{}.{}.{}", at[0], at[1], at[2], at[3]);
}

void add_v6(std::string& out, const std::array<std::uint8_t, 16>& bytes) {
  constexpr std::size_t kWords = 8;
  std::array<unsigned, kWords> words{};
  for (std::size_t i = 0; i < kWords; ++i)
    words.at(i) = bytes.at(2 * i) * 256U + bytes.at(2 * i + 1);
  // The first longest run of zero words, if it is longer than one.
  std::size_t base = kWords, length = 1;
  for (std::size_t i = 0; i < kWords; ++i) {
    std::size_t run = 0;
    while (i + run < kWords && words.at(i + run) == 0) ++run;
    if (run > length) {
      base = i;
      length = run;
    }
  }
  if (base == kWords) length = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    if (base != kWords && i >= base && i < base + length) {
      if (i == base) out.push_back(':');
      continue;
    }
    if (i != 0) out.push_back(':');
    const bool mapped =
        length == 6 || (length == 7 && words[7] != 1) || (length == 5 && words[5] == 0xffff);
    if (i == 6 && base == 0 && mapped) {
      add_v4(out, &bytes[12]);
      return;
    }
    fmt::format_to(std::back_inserter(out), "{:x}", words.at(i));
  }
  if (base != kWords && base + length == kWords) out.push_back(':');
}

}  // namespace

Result<Address> read_address(std::string_view text, bool network) {
  Address made;
  const auto slash = std::min(text.find('/'), text.size());
  const auto host = text.substr(0, slash);
  made.v6 = host.find(':') != std::string_view::npos;
  made.bits = made.bits_max();
  if (made.v6 ? !read_v6(host, made.bytes) : !read_v4(host, made.bytes.data())) return bad();
  if (slash < text.size()) {
    auto digits = text.substr(slash + 1);
    const auto all = take_digits(digits);
    constexpr std::size_t kDigitsMax = 3;
    if (all.empty() || all.size() > kDigitsMax || !digits.empty()) return bad();
    if (made.v6 && all.size() > 1 && all[0] == '0') return bad();
    int bits = 0;
    for (const char c : all) bits = bits * 10 + (c - '0');
    if (bits > made.bits_max()) return bad();
    made.bits = static_cast<std::uint8_t>(bits);
  }
  return checked(made, network);
}

Result<Address> read_binary_address(ByteView value, bool network) {
  constexpr std::size_t kHead = 4;
  if (value.size() < kHead) return bad();
  Address made;
  if (value[0] != kFamilyV4 && value[0] != kFamilyV6) return bad();
  made.v6 = value[0] == kFamilyV6;
  made.bits = value[1];
  // The third byte tells inet from cidr and is not looked at, as in PostgreSQL.
  if (made.bits > made.bits_max() || value[3] != made.size() ||
      value.size() != kHead + made.size()) {
    return bad();
  }
  std::copy(value.begin() + kHead, value.end(), made.bytes.begin());
  return checked(made, network);
}

std::string address_text(const Address& address, bool with_bits) {
  std::string out;
  if (address.v6) {
    add_v6(out, address.bytes);
  } else {
    add_v4(out, address.bytes.data());
  }
  if (with_bits || address.bits != address.bits_max()) {
    fmt::format_to(std::back_inserter(out), "/{}", address.bits);
  }
  return out;
}

void append_binary_address(Bytes& out, const Address& address, bool network) {
  out.push_back(address.v6 ? kFamilyV6 : kFamilyV4);
  out.push_back(address.bits);
  out.push_back(network ? 1 : 0);
  out.push_back(static_cast<std::uint8_t>(address.size()));
  append(out, ByteView(address.bytes).first(address.size()));
}

Address to_network(Address address) {
  for (std::size_t i = 0; i < address.size(); ++i) {
    const auto kept = std::clamp<int>(address.bits - static_cast<int>(8 * i), 0, 8);
    address.bytes.at(i) &= static_cast<std::uint8_t>(0xff00U >> static_cast<unsigned>(kept));
  }
  return address;
}

}  // namespace theriac::pgwire
