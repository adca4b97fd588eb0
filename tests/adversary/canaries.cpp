#include "canaries.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace theriac::adversary {

namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kHexLower = "0123456789abcdef", kHexUpper = "0123456789ABCDEF";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kPiece = 8;  ///< shorter ones are found by chance
constexpr std::size_t kDigits = 12;
constexpr std::size_t kTail = 64;  ///< no piece is longer
constexpr std::size_t kAround = 48;

using Engine = std::mt19937_64;

std::string some(Engine& engine, std::string_view of, std::size_t size) {
  std::string out;
  while (out.size() < size) out.push_back(of[engine() % of.size()]);
  return out;
}

std::string text(Engine& engine, std::size_t number, std::size_t size) {
  auto out = some(engine, kLetters, size);
  // What quoting, escaping and other scripts do to them.
  static constexpr std::array<std::string_view, 6> kOdd{"", "'", "\\", "\"", "é", "张伟"};
  out.insert(size / 2, kOdd[number % kOdd.size()]);
  return out;
}

std::string hex(std::string_view bytes, std::string_view digits) {
  std::string out;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += {digits[b >> 4U], digits[b & 15U]};
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i + 2 < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + k]));
    };
    const auto all = (at(0) << 16U) | (at(1) << 8U) | at(2);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) out.push_back(kBase64[(all >> shift) & 63U]);
  }
  return out;
}

std::string widened(std::string_view bytes, bool high_first) {
  std::string out;
  for (const char c : bytes) out += high_first ? std::string{'\0', c} : std::string{c, '\0'};
  return out;
}

std::string octal(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += {'\\', static_cast<char>('0' + (b >> 6U)), static_cast<char>('0' + ((b >> 3U) & 7U)),
            static_cast<char>('0' + (b & 7U))};
  }
  return out;
}

std::uint64_t start_of(const char* at) {
  std::uint64_t out = 0;
  std::memcpy(&out, at, sizeof out);
  return out;
}

std::string unhexed(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const auto of = [&](char c) { return static_cast<unsigned>(kHexLower.find(c)); };
    out.push_back(static_cast<char>((of(digits[i]) << 4U) | of(digits[i + 1])));
  }
  return out;
}

}  // namespace

Canaries::Canaries(std::uint64_t seed) {
  Engine engine(seed ^ 0xc0ffee);
  for (std::size_t i = 0; i < kOfEach; ++i) {
    const auto put = [&](Kind kind, std::string value) {
      values_[static_cast<std::size_t>(kind)].push_back(std::move(value));
    };
    put(Kind::kText, text(engine, i, 14));
    put(Kind::kLong, text(engine, i, 40 + 20 * (i % 4)));
    put(Kind::kNumber, "4" + some(engine, "0123456789", 15));
    const auto digits = some(engine, kHexLower, 32);
    put(Kind::kUuid, digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-" + digits.substr(12, 4) +
                         "-" + digits.substr(16, 4) + "-" + digits.substr(20));
    put(Kind::kInt8,
        std::to_string(1'000'000'000'000'000'000 +
                       static_cast<std::int64_t>(engine() % 8'000'000'000'000'000'000)));
    put(Kind::kNumeric, some(engine, "123456789", 10) + "." + some(engine, "123456789", 8));
    put(Kind::kBytes, "\\x" + some(engine, kHexLower, 32));
  }
}

std::vector<std::string> Canaries::leaked_forms() const {
  std::vector<std::string> out;
  for (std::size_t kind = 0; kind < values_.size(); ++kind) {
    for (const auto& value : values_[kind]) {
      switch (static_cast<Kind>(kind)) {
        case Kind::kUuid: {
          out.push_back(value);
          std::string digits = value;
          std::erase(digits, '-');
          out.push_back(unhexed(digits));
          break;
        }
        case Kind::kInt8: {
          out.push_back(value);
          auto number = std::stoull(value);
          std::string binary(8, '\0');
          for (auto at = binary.rbegin(); at != binary.rend(); ++at, number >>= 8U) {
            *at = static_cast<char>(number & 255U);
          }
          out.push_back(binary);
          break;
        }
        case Kind::kBytes:
          out.push_back(unhexed(std::string_view(value).substr(2)));
          break;
        default:
          out.push_back(value);
      }
    }
  }
  return out;
}

Search::Search(const std::vector<std::string>& leaked_forms)
    : filter_(std::size_t{1} << kFilterBits) {
  for (std::size_t i = 0; i < leaked_forms.size(); ++i) {
    const auto& bytes = leaked_forms[i];
    const std::string back(bytes.rbegin(), bytes.rend());
    // Eight digits stand by chance in sealed values that are written in hex.
    const bool digits = bytes.find_first_not_of("0123456789abcdef-.") == std::string::npos;
    add("raw", i, bytes, digits ? kDigits : kPiece, 1);
    add("reversed", i, back, digits ? kDigits : kPiece, 1);
    add("hex", i, hex(bytes, kHexLower), 2 * kPiece, 2);
    add("HEX", i, hex(bytes, kHexUpper), 2 * kPiece, 2);
    add("hex reversed", i, hex(back, kHexLower), 2 * kPiece, 2);
    for (const std::size_t skip : {0U, 1U, 2U}) {
      add("base64", i, base64(std::string_view(bytes).substr(skip)), kPiece, 4);
    }
    add("UTF-16LE", i, widened(bytes, false), 2 * kPiece, 2);
    add("UTF-16BE", i, widened(bytes, true), 2 * kPiece, 2);
    add("octal", i, octal(bytes), 4 * kPiece, 4);
  }
}

void Search::add(std::string_view form, std::size_t value, std::string_view encoded,
                 std::size_t width, std::size_t step) {
  for (std::size_t at = 0; at + width <= encoded.size(); at += step) {
    const std::string piece(encoded.substr(at, width));
    const auto start = start_of(piece.data());
    by_start_.emplace(start, pieces_.size());
    filter_[slot(start)] = true;
    pieces_.push_back({piece, value, form});
  }
}

std::vector<Search::Hit> Search::look(Stream& stream, std::string_view bytes) const {
  std::string all = stream.tail;
  all += bytes;
  std::vector<Hit> hits;
  // A piece that lies wholly in the tail was found when the tail was new.
  for (std::size_t at = 0; at + kPiece <= all.size(); ++at) {
    const auto start = start_of(all.data() + at);
    if (!filter_[slot(start)]) continue;
    const auto [first, last] = by_start_.equal_range(start);
    for (auto found = first; found != last; ++found) {
      const auto& piece = pieces_[found->second];
      if (at + piece.bytes.size() <= stream.tail.size()) continue;
      if (std::string_view(all).substr(at, piece.bytes.size()) != piece.bytes) continue;
      const auto from = at - std::min(at, kAround);
      hits.push_back({piece.value, piece.form, all.substr(from, 2 * kAround + piece.bytes.size())});
      at += kPiece - 1;  // one hit for a stretch
      break;
    }
  }
  stream.tail = all.substr(all.size() - std::min(all.size(), kTail));
  return hits;
}

}  // namespace theriac::adversary
