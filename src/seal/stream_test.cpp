#include "seal/stream.hpp"

#include <rapidcheck.h>

#include <set>

#include "crypto/testing.hpp"
#include "seal/testing.hpp"

namespace theriac::seal {
namespace {

using namespace testing_support;  // NOLINT: a test
using theriac::testing_support::SeededRandom;

constexpr std::size_t kChunk = kStreamChunkBytes;
constexpr std::size_t kSealedChunk = kChunk + 16;

Bytes plaintext_of(std::size_t size) {
  Bytes out(size);
  SeededRandom(size).fill(out);
  return out;
}

struct Outcome {
  std::optional<Code> code;
  Bytes plaintext;
};

class StreamTest : public ::testing::TestWithParam<Suite> {
 protected:
  const LeasedKey key_ = leased(GetParam(), Purpose::kStream, 0x50);
  const TenantId tenant_ = binding().tenant;

  /// Sealed with the same randomness for the same seed, fed in pieces of `piece` bytes.
  [[nodiscard]] Bytes seal(ByteView plaintext, std::size_t piece = SIZE_MAX,
                           std::uint64_t seed = 1) const {
    SeededRandom random(seed);
    auto sealer = StreamSealer::make(key_, tenant_, random);
    EXPECT_TRUE(sealer);
    Bytes out;
    while (!plaintext.empty()) {
      const ByteView now = plaintext.first(std::min(piece, plaintext.size()));
      EXPECT_TRUE(sealer->update(now, out));
      plaintext = plaintext.subspan(now.size());
    }
    EXPECT_TRUE(sealer->finish(out));
    return out;
  }
  [[nodiscard]] StreamOpener opener(const TenantId& tenant) const {
    return StreamOpener([this](const KeyId& id) { return id == key_.id ? &key_ : nullptr; },
                        tenant);
  }
  [[nodiscard]] Outcome open(ByteView sealed, std::size_t piece = SIZE_MAX) const {
    return open(sealed, piece, tenant_);
  }
  [[nodiscard]] Outcome open(ByteView sealed, std::size_t piece, const TenantId& tenant) const {
    StreamOpener stream = opener(tenant);
    Outcome outcome;
    Status status;
    while (status && !sealed.empty()) {
      const ByteView now = sealed.first(std::min(piece, sealed.size()));
      status = stream.update(now, outcome.plaintext);
      sealed = sealed.subspan(now.size());
    }
    if (status) status = stream.finish(outcome.plaintext);
    if (!status) {
      outcome.code = status.error().code;
      Bytes more;
      EXPECT_FALSE(stream.update(Bytes(1), more)) << "goes on after an error";
      EXPECT_FALSE(stream.finish(more));
      EXPECT_TRUE(more.empty());
    }
    return outcome;
  }
  /// Refused, and of the plaintext no more was handed out than `chunks` whole chunks.
  void expect_refused(const Bytes& sealed, ByteView plaintext, std::size_t chunks,
                      std::string_view what) const {
    const Outcome outcome = open(sealed);
    EXPECT_EQ(outcome.code, Code::kNotAuthentic) << what;
    EXPECT_EQ(outcome.plaintext.size(), chunks * kChunk) << what;
    EXPECT_TRUE(std::ranges::equal(outcome.plaintext, plaintext.first(outcome.plaintext.size())))
        << what;
  }
};

INSTANTIATE_TEST_SUITE_P(Suites, StreamTest, ::testing::ValuesIn(kSuites), [](const auto& named) {
  return "Suite" + std::to_string(static_cast<int>(named.param));
});

TEST_P(StreamTest, OpensToItselfAroundEveryChunkBorder) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunk - 1, kChunk, kChunk + 1,
                                 2 * kChunk, 2 * kChunk + 1, std::size_t{200'000}}) {
    const Bytes plaintext = plaintext_of(size);
    const Bytes sealed = seal(plaintext);
    const std::size_t chunks = std::max<std::size_t>(1, (size + kChunk - 1) / kChunk);
    EXPECT_EQ(sealed.size(), stream_header_bytes() + size + 16 * chunks);
    const Outcome outcome = open(sealed);
    EXPECT_EQ(outcome.code, std::nullopt) << size;
    EXPECT_TRUE(outcome.plaintext == plaintext) << size;
  }
}

TEST_P(StreamTest, PiecesMakeNoDifference) {
  const Bytes plaintext = plaintext_of(2 * kChunk + 100);
  const Bytes sealed = seal(plaintext);
  for (const std::size_t piece : {std::size_t{7}, std::size_t{1000}, kChunk - 1, kChunk, kChunk + 1,
                                  kSealedChunk, kSealedChunk + 1}) {
    EXPECT_TRUE(seal(plaintext, piece) == sealed) << piece;
    EXPECT_TRUE(open(sealed, piece).plaintext == plaintext) << piece;
  }
}

TEST_P(StreamTest, TheHeaderComesWithTheFirstCall) {
  SeededRandom random(1);
  auto sealer = StreamSealer::make(key_, tenant_, random);
  Bytes out;
  ASSERT_TRUE(sealer->update({}, out));
  EXPECT_EQ(out.size(), stream_header_bytes());
}

TEST_P(StreamTest, CutAnywhereItFails) {
  const Bytes short_plaintext = plaintext_of(40);
  const Bytes short_sealed = seal(short_plaintext);
  for (std::size_t size = 0; size < short_sealed.size(); ++size) {
    const Outcome outcome = open(ByteView(short_sealed).first(size));
    EXPECT_EQ(outcome.code, Code::kNotAuthentic) << size;
    EXPECT_TRUE(outcome.plaintext.empty());
  }
  const Bytes plaintext = plaintext_of(3 * kChunk);
  const Bytes sealed = seal(plaintext);
  for (std::size_t chunks = 0; chunks < 3; ++chunks) {
    const std::size_t border = stream_chunk_offset(chunks);
    for (const std::ptrdiff_t off : {-1, 0, 1, 15, 16, 17}) {
      Bytes cut = sealed;
      cut.resize(border + static_cast<std::size_t>(off));
      if (cut.size() < stream_header_bytes()) continue;
      // At a border the last whole chunk is tried as the last one, so it is not handed out.
      const std::size_t whole = (cut.size() - stream_header_bytes()) / kSealedChunk;
      const bool at_border = (cut.size() - stream_header_bytes()) % kSealedChunk == 0;
      expect_refused(cut, plaintext, at_border && whole > 0 ? whole - 1 : whole,
                     "cut at chunk " + std::to_string(chunks) + " " + std::to_string(off));
    }
  }
}

TEST_P(StreamTest, ReorderedDuplicatedOrExtendedItFails) {
  const Bytes plaintext = plaintext_of(3 * kChunk + 5);
  const Bytes sealed = seal(plaintext);
  const auto at = [](auto& of, std::size_t number) {
    return of.begin() + static_cast<std::ptrdiff_t>(stream_chunk_offset(number));
  };
  Bytes swapped = sealed;
  std::swap_ranges(at(swapped, 0), at(swapped, 1), at(swapped, 1));
  expect_refused(swapped, plaintext, 0, "first two chunks swapped");

  Bytes doubled(sealed.begin(), at(sealed, 2));
  doubled.insert(doubled.end(), at(sealed, 1), sealed.end());
  expect_refused(doubled, plaintext, 2, "a chunk twice");

  Bytes without(sealed.begin(), at(sealed, 1));
  without.insert(without.end(), at(sealed, 2), sealed.end());
  expect_refused(without, plaintext, 1, "a chunk missing");

  Bytes without_middle(sealed.begin(), at(sealed, 2));
  without_middle.insert(without_middle.end(), at(sealed, 3), sealed.end());
  expect_refused(without_middle, plaintext, 2, "the last but one missing");

  Bytes longer = sealed;
  longer.push_back(0);
  expect_refused(longer, plaintext, 3, "one byte more");
  Bytes twice = sealed;
  append(twice, ByteView(sealed));
  expect_refused(twice, plaintext, 3, "the stream twice");

  const Bytes aligned_plaintext = plaintext_of(2 * kChunk);
  const Bytes aligned = seal(aligned_plaintext);
  Bytes and_empty = aligned;
  append(and_empty, ByteView(seal({})).last(16));
  expect_refused(and_empty, aligned_plaintext, 1, "an empty chunk after a full last one");
  Bytes and_chunk = aligned;
  append(and_chunk, ByteView(sealed).subspan(stream_chunk_offset(2)));
  expect_refused(and_chunk, aligned_plaintext, 1, "more after the last chunk");
}

TEST_P(StreamTest, AnotherStreamsChunksDoNotFit) {
  const Bytes plaintext = plaintext_of(2 * kChunk);
  Bytes mixed = seal(plaintext, SIZE_MAX, 1);
  const Bytes other = seal(plaintext, SIZE_MAX, 2);
  const auto second = static_cast<std::ptrdiff_t>(stream_chunk_offset(1));
  std::copy(other.begin() + second, other.end(), mixed.begin() + second);
  expect_refused(mixed, plaintext, 1, "the second chunk is another stream's");
}

TEST_P(StreamTest, EveryChangedBitIsRefusedWithItsCode) {
  const Bytes plaintext = bytes_of("batch record 4711");
  const Bytes sealed = seal(plaintext);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    const std::size_t byte = bit / 8;
    Code expected = Code::kNotAuthentic;
    if (byte < 9 || byte == 10) expected = Code::kMalformed;  // magic, version, flags
    if (byte >= 11 && byte < 19) expected = Code::kUnknownKey;
    const Outcome outcome = open(changed);
    EXPECT_EQ(outcome.code, expected) << bit;
    EXPECT_TRUE(outcome.plaintext.empty()) << bit;
  }
}

TEST_P(StreamTest, AnotherTenantOrKeyOpensNothing) {
  const Bytes sealed = seal(plaintext_of(10));
  TenantId other = tenant_;
  other.bytes[0] ^= 1U;
  EXPECT_EQ(open(sealed, SIZE_MAX, other).code, Code::kNotAuthentic);

  const auto code_with = [&](const LeasedKey* given) {
    StreamOpener stream([given](const KeyId&) { return given; }, tenant_);
    Bytes out;
    const Status status = stream.update(sealed, out);
    return status ? std::optional<Code>() : status.error().code;
  };
  EXPECT_EQ(code_with(nullptr), Code::kUnknownKey);
  const LeasedKey another = leased(GetParam(), Purpose::kStream, 0x51);
  EXPECT_EQ(code_with(&another), Code::kUnknownKey) << "a look-up that gives the wrong key";
  LeasedKey mislabelled = leased(GetParam(), Purpose::kStream, 0x51);
  mislabelled.id = key_.id;
  EXPECT_EQ(code_with(&mislabelled), Code::kKeyCollision);
  LeasedKey for_data = leased(GetParam(), Purpose::kData, 0x50);
  for_data.id = key_.id;
  EXPECT_EQ(code_with(&for_data), Code::kUnknownKey);
  EXPECT_EQ(code_with(&key_), std::nullopt);
}

TEST_P(StreamTest, OnlyAStreamKeyMakesAStream) {
  SeededRandom random(1);
  const auto made = StreamSealer::make(leased(GetParam(), Purpose::kData, 1), tenant_, random);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kUnknownKey);
}

TEST_P(StreamTest, SeeksToAnyChunkAndBack) {
  const Bytes plaintext = plaintext_of(3 * kChunk + 17);
  const Bytes sealed = seal(plaintext);
  StreamOpener stream = opener(tenant_);
  Bytes nothing;
  const Status early = stream.seek(0);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::kConflict);
  ASSERT_TRUE(stream.update(ByteView(sealed).first(stream_header_bytes()), nothing));
  for (const std::uint64_t number : {2U, 0U, 3U, 1U, 0U}) {
    ASSERT_TRUE(stream.seek(number));
    Bytes out;
    // To the end but one byte, so that the stream can be sought again.
    ASSERT_TRUE(
        stream.update(ByteView(sealed).subspan(stream_chunk_offset(number),
                                               sealed.size() - 1 - stream_chunk_offset(number)),
                      out));
    EXPECT_TRUE(std::ranges::equal(
        out, ByteView(plaintext).subspan(number * kChunk, (3 - number) * kChunk)));
  }
  ASSERT_TRUE(stream.seek(3));
  Bytes out;
  ASSERT_TRUE(stream.update(ByteView(sealed).subspan(stream_chunk_offset(3)), out));
  ASSERT_TRUE(stream.finish(out));
  EXPECT_TRUE(std::ranges::equal(out, ByteView(plaintext).subspan(3 * kChunk)));
}

TEST_P(StreamTest, SeekingDoesNotHelpToCheat) {
  const Bytes plaintext = plaintext_of(2 * kChunk + 17);
  const Bytes sealed = seal(plaintext);
  const auto outcome = [&](std::uint64_t number, ByteView fed) {
    StreamOpener stream = opener(tenant_);
    Bytes out;
    EXPECT_TRUE(stream.update(ByteView(sealed).first(stream_header_bytes()), out));
    Status status = stream.seek(number);
    if (status) status = stream.update(fed, out);
    if (status) status = stream.finish(out);
    EXPECT_TRUE(status || out.empty());
    return status ? std::optional<Code>() : status.error().code;
  };
  const ByteView last = ByteView(sealed).subspan(stream_chunk_offset(2));
  EXPECT_EQ(outcome(2, last), std::nullopt);
  EXPECT_EQ(outcome(1, last), Code::kNotAuthentic) << "a chunk at another's place";
  EXPECT_EQ(outcome(3, {}), Code::kNotAuthentic) << "beyond the end";
  EXPECT_EQ(outcome(2, {}), Code::kNotAuthentic) << "the last chunk was not seen";
  EXPECT_EQ(outcome(1, ByteView(sealed).subspan(stream_chunk_offset(1), kSealedChunk)),
            Code::kNotAuthentic)
      << "ends with a chunk that is not the last";
  EXPECT_EQ(outcome(kStreamChunksMax, last), Code::kOutOfRange);
  EXPECT_EQ(outcome(kStreamChunksMax - 1, last), Code::kNotAuthentic);
}

TEST_P(StreamTest, AfterTheEndNothing) {
  SeededRandom random(1);
  auto sealer = StreamSealer::make(key_, tenant_, random);
  Bytes sealed;
  ASSERT_TRUE(sealer->finish(sealed));
  for (const Status& late : {sealer->update(Bytes(1), sealed), sealer->finish(sealed)}) {
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::kClosed);
  }
  StreamOpener stream = opener(tenant_);
  Bytes out;
  ASSERT_TRUE(stream.update(sealed, out));
  ASSERT_TRUE(stream.finish(out));
  for (const Status& late : {stream.update(Bytes(1), out), stream.finish(out), stream.seek(0)}) {
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::kClosed);
  }
}

TEST_P(StreamTest, TheSamePlaintextIsNeverSealedTheSame) {
  const Bytes plaintext = plaintext_of(100);
  std::set<Bytes> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_TRUE(seen.insert(seal(plaintext, SIZE_MAX, seed)).second);
  }
}

TEST_P(StreamTest, AnySizeAndPieces) {
  EXPECT_TRUE(rc::check("sizes to three chunks, pieces from 1 byte up", [this] {
    const auto plaintext = plaintext_of(*rc::gen::inRange<std::size_t>(0, 3 * kChunk));
    const auto sealed = seal(plaintext, *rc::gen::inRange<std::size_t>(500, 2 * kChunk));
    const Outcome outcome = open(sealed, *rc::gen::inRange<std::size_t>(500, 2 * kChunk));
    RC_ASSERT(!outcome.code);
    RC_ASSERT(outcome.plaintext == plaintext);
  }));
}

}  // namespace
}  // namespace theriac::seal
