// For unit tests only: a look at secrets, repeatable randomness, and Wycheproof's vector files.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/random.hpp"
#include "base/secret.hpp"

namespace theriac {

class TestSecretAccess {
 public:
  template <typename S>
  static Bytes bytes(const S& secret) {
    const auto seen = secret.reveal(SecretAccess{});
    return {seen.begin(), seen.end()};
  }
};

namespace testing_support {

inline Bytes hex(std::string_view text) {
  auto bytes = from_hex(text);
  EXPECT_TRUE(bytes) << text;
  return bytes ? *bytes : Bytes{};
}

inline Key256 key256(ByteView bytes) { return Key256(bytes.first<32>()); }
inline Key256 key256(std::uint8_t repeated) {
  return Key256(std::span<const std::uint8_t, 32>(Bytes(32, repeated)));
}

/// The same bytes for the same seed (splitmix64); also stands for a machine that was cloned.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableBytes out) override {
    for (auto& byte : out) {
      state_ += 0x9e3779b97f4a7c15U;
      std::uint64_t z = state_;
      z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
      z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
      byte = static_cast<std::uint8_t>(z >> 56U);
    }
  }

 private:
  std::uint64_t state_;
};

/// One of Wycheproof's files, or nothing, with a notice, where the vectors are not at hand.
inline std::optional<nlohmann::json> wycheproof(const std::string& file) {
  const auto path = std::filesystem::path(THERIAC_SOURCE_DIR) / "../shared/data/wycheproof" / file;
  std::ifstream in(path);
  if (!in) {
    std::printf("SKIPPED: Wycheproof vectors are not here: %s\n", path.c_str());
    return std::nullopt;
  }
  return nlohmann::json::parse(in);
}

/// What became of the cases of a file, printed so that nobody takes "passed" for "all of them".
struct Tally {
  std::size_t run = 0;
  std::size_t out_of_scope = 0;
  void print(const char* file, const char* why) const {
    std::printf("%s: %zu cases checked, %zu out of scope (%s)\n", file, run, out_of_scope, why);
  }
};

}  // namespace testing_support
}  // namespace theriac
