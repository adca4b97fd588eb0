// What the tests of this folder share: a scratch directory, a log with a fixed key, ways to look at
// a log's entries.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "audit/files.hpp"
#include "audit/log.hpp"
#include "audit/verify.hpp"
#include "tlog/checkpoint.hpp"

namespace theriac::audit {

class ScratchDir {
 public:
  ScratchDir() {
    std::string name = (std::filesystem::temp_directory_path() / "theriac-audit-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Set by hand, from any thread.
class SharedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return wall_; }
  std::atomic<std::int64_t> wall_ = 1'795'000'000'000;
};

/// Not random, but never the same twice.
class CountingRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(next_ += 37);
  }

 private:
  unsigned next_ = 1;
};

inline crypto::Ed25519Key test_key(std::uint8_t fill = 7) {
  std::array<std::uint8_t, 32> seed;
  seed.fill(fill);
  return crypto::Ed25519Key(Key256(seed));
}
inline constexpr const char* kOrigin = "theriac.test/gateway-1";
inline std::string test_vkey(std::uint8_t fill = 7) {
  return tlog::format_verifier_key(
      tlog::make_verifier_key(kOrigin, test_key(fill).public_key()).value());
}

struct World {
  SharedClock clock;
  CountingRandom random;
  NullLog log;

  static Options options(const std::string& directory) {
    Options made;
    made.directory = directory;
    made.origin = kOrigin;
    made.producer = "gateway-1";
    // Checkpoints are made by flush and on closing, so that tests are the same every time.
    made.checkpoint_ms = 3'600'000;
    return made;
  }
  Result<std::unique_ptr<AuditLog>> open(const std::string& directory) {
    return open_log(options(directory), test_key(), clock, random, log);
  }
  Result<std::unique_ptr<AuditLog>> open_on(Disk& disk, const std::string& directory) {
    return open_log_on(disk, options(directory), test_key(), clock, random, log);
  }
};

inline Event event_of(std::uint64_t number) {
  Event event;
  event.action = "session.grant";
  event.actor = "erp_app";
  event.role = "clerk";
  event.object = "class:patient";
  event.reason = "order " + std::to_string(number);
  event.correlation = "c-" + std::to_string(number);
  event.details["rows"] = number;
  return event;
}

/// The entries that are in tiles, by their text.
inline std::vector<std::string> entries_of(const std::string& directory, std::uint64_t size) {
  std::vector<std::string> out;
  for (std::uint64_t index = 0; index * tlog::kTileWidth < size; ++index) {
    Bytes bundle;
    const unsigned width = tlog::tile_width(0, index, size);
    EXPECT_TRUE(read_bundle(posix_disk(), directory, index, width, bundle));
    const auto entries = tlog::parse_bundle(bundle, width);
    EXPECT_TRUE(entries);
    if (!entries) break;
    for (const ByteView entry : *entries) out.emplace_back(text_of(entry));
  }
  return out;
}

inline Verdict verdict_of(const std::string& directory,
                          const std::optional<Remembered>& remembered = std::nullopt) {
  const auto verdict = verify_path(directory, test_vkey(), remembered);
  EXPECT_TRUE(verdict) << (verdict ? "" : verdict.error().message());
  return verdict ? *verdict : Verdict{};
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_text(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  EXPECT_TRUE(file.good()) << path;
}

}  // namespace theriac::audit
