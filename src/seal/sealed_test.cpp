#include "seal/sealed.hpp"

#include <rapidcheck.h>

#include <set>

#include "crypto/random.hpp"
#include "crypto/testing.hpp"
#include "seal/format.hpp"
#include "seal/sealer_state.hpp"
#include "seal/testing.hpp"

namespace theriac::seal {

class SealerTestHook {
 public:
  static void set_count(Sealer& sealer, std::uint64_t count) { sealer.state_->sealed = count; }
};

namespace {

using namespace testing_support;  // NOLINT: a test
using theriac::testing_support::SeededRandom;

/// One key of a suite with a sealer and an opener of it.
struct Pair {
  crypto::SystemRandom random;
  LeasedKey key;
  Sealer sealer;
  Opener opener;

  explicit Pair(Suite suite)
      : key(leased(suite, Purpose::kData, 0x10)), sealer(*Sealer::make(key, random)) {
    EXPECT_TRUE(opener.add(key));
  }
  Bytes seal(const Binding& where, ByteView plaintext, const Buckets& buckets = {}) {
    auto sealed = sealer.seal(where, buckets, plaintext);
    EXPECT_TRUE(sealed);
    return *sealed;
  }
  std::optional<Code> refusal(const Binding& where, ByteView sealed) {
    Bytes out = bytes_of("something from before");
    const Status opened = opener.open_into(where, sealed, out);
    if (opened) return std::nullopt;
    EXPECT_TRUE(out.empty()) << "a failed open left bytes behind";
    return opened.error().code;
  }
};

class EachSuite : public ::testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(Suites, EachSuite, ::testing::ValuesIn(kSuites), [](const auto& named) {
  return "Suite" + std::to_string(static_cast<int>(named.param));
});

TEST_P(EachSuite, WhatWasSealedOpensToItself) {
  Pair pair(GetParam());
  EXPECT_TRUE(rc::check("any plaintext, binding and buckets", [&](const Bytes& plaintext) {
    Binding where = binding(*rc::gen::arbitrary<bool>());
    where.kind = *rc::gen::element(Kind::kColumn, Kind::kRecord);
    pair.random.fill(where.field.bytes);
    auto buckets = *rc::gen::container<Buckets>(rc::gen::inRange<std::uint32_t>(1, 200));
    std::ranges::sort(buckets);
    const Bytes sealed = pair.seal(where, plaintext, buckets);
    const auto header = parse_header(sealed);
    RC_ASSERT(header.has_value());
    RC_ASSERT(header->suite == GetParam());
    RC_ASSERT(header->key_id == pair.key.id);
    RC_ASSERT(header->row == where.row);
    RC_ASSERT(header->padded == !buckets.empty());
    RC_ASSERT(header->size == (where.row ? kHeaderBytes + kRowIdBytes : kHeaderBytes));
    if (buckets.empty()) {
      RC_ASSERT(sealed.size() == plaintext.size() + kOverheadBytes + (where.row ? kRowIdBytes : 0));
    }
    const auto opened = pair.opener.open(where, sealed);
    RC_ASSERT(opened.has_value());
    RC_ASSERT(TestSecretAccess::bytes(*opened) == plaintext);
  }));
}

TEST_P(EachSuite, MovedElsewhereItDoesNotOpen) {
  Pair pair(GetParam());
  for (const bool row : {false, true}) {
    const Binding home = binding(row);
    const Bytes sealed = pair.seal(home, view_of("A-17"));
    const auto elsewhere = [&](auto&& change) {
      Binding other = home;
      change(other);
      return pair.refusal(other, sealed);
    };
    EXPECT_EQ(pair.refusal(home, sealed), std::nullopt);
    EXPECT_EQ(elsewhere([](Binding& b) { b.tenant.bytes[15] ^= 1U; }), Code::kNotAuthentic);
    EXPECT_EQ(elsewhere([](Binding& b) { b.field.bytes[0] ^= 1U; }), Code::kNotAuthentic);
    EXPECT_EQ(elsewhere([](Binding& b) { b.kind = Kind::kRecord; }), Code::kNotAuthentic);
    EXPECT_EQ(elsewhere([](Binding& b) { std::swap(b.tenant.bytes, b.field.bytes); }),
              Code::kNotAuthentic);
    if (row) {
      EXPECT_EQ(elsewhere([](Binding& b) { b.row->bytes[7] ^= 1U; }), Code::kNotAuthentic);
      EXPECT_EQ(elsewhere([](Binding& b) { b.row.reset(); }), Code::kNotAuthentic);
    } else {
      EXPECT_EQ(elsewhere([](Binding& b) { b.row = RowId{}; }), Code::kNotAuthentic);
    }
  }
}

TEST_P(EachSuite, AnotherRowsIdWrittenIntoTheValueDoesNotHelp) {
  Pair pair(GetParam());
  const Binding home = binding(true);
  Binding other = home;
  other.row->bytes[0] ^= 0xffU;
  Bytes sealed = pair.seal(home, view_of("released"));
  std::ranges::copy(other.row->bytes, sealed.begin() + kHeaderBytes);
  EXPECT_EQ(pair.refusal(other, sealed), Code::kNotAuthentic);
  // Nor does taking the row id out and the flag away.
  Bytes unbound = pair.seal(home, view_of("released"));
  unbound.erase(unbound.begin() + kHeaderBytes, unbound.begin() + kHeaderBytes + kRowIdBytes);
  unbound[2] = 0;
  EXPECT_EQ(pair.refusal(binding(false), unbound), Code::kNotAuthentic);
}

TEST_P(EachSuite, EveryChangedBitIsRefusedWithItsCode) {
  Pair pair(GetParam());
  for (const bool row : {false, true}) {
    const Binding where = binding(row);
    const Bytes sealed = pair.seal(where, view_of("sixteen bytes and more"), {64});
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      Bytes changed = sealed;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
      Code expected = Code::kNotAuthentic;
      if (bit / 8 < 2) expected = Code::kMalformed;  // version, suite: 1 and 2 differ in two bits
      if (bit / 8 == 2 && bit % 8 > 1) expected = Code::kMalformed;  // unknown flags
      if (bit / 8 >= 3 && bit / 8 < 11) expected = Code::kUnknownKey;
      EXPECT_EQ(pair.refusal(where, changed), expected) << "bit " << bit;
    }
    Bytes other_suite = sealed;
    other_suite[1] ^= 3U;
    EXPECT_EQ(pair.refusal(where, other_suite), Code::kNotAuthentic);
  }
}

TEST_P(EachSuite, CutOrExtendedItDoesNotOpen) {
  Pair pair(GetParam());
  for (const bool row : {false, true}) {
    const Binding where = binding(row);
    const std::size_t least = kOverheadBytes + (row ? kRowIdBytes : 0);
    const Bytes sealed = pair.seal(where, view_of("a value of some length"));
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      EXPECT_EQ(pair.refusal(where, ByteView(sealed).first(size)),
                size < least ? Code::kMalformed : Code::kNotAuthentic)
          << size;
    }
    Bytes longer = sealed;
    for (int more = 0; more < 40; ++more) {
      longer.push_back(0);
      EXPECT_EQ(pair.refusal(where, longer), Code::kNotAuthentic);
    }
  }
}

TEST_P(EachSuite, EqualValuesAreSealedDifferently) {
  Pair pair(GetParam());
  std::set<Bytes> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(pair.seal(binding(), view_of("female"))).second);
  }
}

Bytes nonce_of(const Bytes& sealed) {
  const auto header = parse_header(sealed);
  const auto begin = sealed.begin() + static_cast<std::ptrdiff_t>(header->size);
  return {begin, begin + kNonceBytes};
}

TEST_P(EachSuite, AClonedMachineRepeatsNoNonceForAnythingDifferent) {
  // Both clones draw the same "random" bytes, prefix included.
  const LeasedKey key = leased(GetParam(), Purpose::kData, 0x10);
  const auto sealed_by_clone = [&](const Binding& where, std::string_view value,
                                   const Buckets& buckets = {}) {
    SeededRandom clone(4711);
    auto sealer = Sealer::make(key, clone);
    return *sealer->seal(where, buckets, view_of(value));
  };
  const Bytes first = sealed_by_clone(binding(), "value one");
  Binding other_field = binding();
  other_field.field.bytes[3] ^= 1U;
  std::set<Bytes> nonces = {nonce_of(first)};
  for (const Bytes& sealed :
       {sealed_by_clone(binding(), "value two"), sealed_by_clone(binding(), "value on"),
        sealed_by_clone(binding(), ""), sealed_by_clone(other_field, "value one"),
        sealed_by_clone(binding(true), "value one"),
        sealed_by_clone(binding(), "value one", {16})}) {
    const Bytes nonce = nonce_of(sealed);
    EXPECT_TRUE(std::equal(nonce.begin(), nonce.begin() + 12, nonce_of(first).begin()));
    EXPECT_TRUE(nonces.insert(nonce).second);
  }
  // Only the same value in the same place is the same, which says no more than that.
  EXPECT_EQ(sealed_by_clone(binding(), "value one"), first);
}

TEST_P(EachSuite, APrefixServesTwoToThe32ValuesAndNoMore) {
  Pair pair(GetParam());
  SealerTestHook::set_count(pair.sealer, kSealedPerPrefixMax - 1);
  EXPECT_TRUE(pair.sealer.seal(binding(), {}, view_of("the last")));
  for (int again = 0; again < 2; ++again) {
    const auto refused = pair.sealer.seal(binding(), {}, view_of("one more"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kKeyExhausted);
  }
}

TEST(SealedSize, AtTheLimitAndOneBeyond) {
  Pair pair(Suite::kXaes256Gcm);
  Bytes large(kSealedPlaintextBytesMax, 'x');
  {
    const Bytes sealed = pair.seal(binding(), large);
    Bytes out;
    ASSERT_TRUE(pair.opener.open_into(binding(), sealed, out));
    EXPECT_EQ(out, large);
    Bytes longer = sealed;
    longer.push_back(0);
    EXPECT_EQ(pair.refusal(binding(), longer), Code::kMalformed);
  }
  const auto code = [&](const Buckets& buckets) {
    const auto sealed = pair.sealer.seal(binding(), buckets, large);
    return sealed ? std::optional<Code>() : sealed.error().code;
  };
  EXPECT_EQ(code({1024}), Code::kTooLarge) << "the padding does not fit";
  large.push_back('x');
  EXPECT_EQ(code({}), Code::kTooLarge);
}

TEST(Buckets, SizesAreThoseOfTheContract) {
  const auto size = [](const Buckets& buckets, std::size_t plaintext) {
    return *padded_size(buckets, plaintext);
  };
  EXPECT_EQ(size({}, 0), 0U);
  EXPECT_EQ(size({}, 17), 17U);
  EXPECT_EQ(size({16, 64}, 0), 16U);
  EXPECT_EQ(size({16, 64}, 15), 16U);
  EXPECT_EQ(size({16, 64}, 16), 64U) << "the 0x80 byte needs room";
  EXPECT_EQ(size({16, 64}, 63), 64U);
  EXPECT_EQ(size({16, 64}, 64), 128U);
  EXPECT_EQ(size({16, 64}, 127), 128U);
  EXPECT_EQ(size({16, 64}, 128), 192U);
  EXPECT_EQ(size({0, 8}, 0), 8U);
  const auto bad = padded_size({0}, 0);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kOutOfRange);
}

TEST(Buckets, LengthsInOneBucketCannotBeToldApart) {
  Pair pair(Suite::kXaes256Gcm);
  std::set<std::size_t> sizes;
  for (std::size_t length = 0; length < 32; ++length) {
    const Bytes plaintext(length, 0);  // zeros, as the padding is
    const Bytes sealed = pair.seal(binding(), plaintext, {32});
    sizes.insert(sealed.size());
    Bytes out;
    ASSERT_TRUE(pair.opener.open_into(binding(), sealed, out));
    EXPECT_EQ(out, plaintext);
  }
  EXPECT_EQ(sizes, std::set<std::size_t>{32 + kOverheadBytes});
}

TEST(Padding, EndsInOne0x80AndZeros) {
  EXPECT_EQ(*unpadded_size(Bytes{0x80}), 0U);
  EXPECT_EQ(*unpadded_size(Bytes{1, 0x80, 0, 0}), 1U);
  EXPECT_EQ(*unpadded_size(Bytes{0x80, 0x80, 0}), 1U);
  for (const Bytes& bad : {Bytes{}, Bytes{0}, Bytes{0x80, 1}, Bytes{0x81, 0}, Bytes{0x40}}) {
    const auto size = unpadded_size(bad);
    ASSERT_FALSE(size);
    EXPECT_EQ(size.error().code, Code::kMalformed);
  }
}

TEST(Keys, AnIdIsACommitmentToKeySuiteAndPurpose) {
  const Key256 key = theriac::testing_support::key256(9);
  std::set<KeyId> ids;
  for (const Suite suite : kSuites) {
    for (const Purpose purpose : {Purpose::kData, Purpose::kIndex, Purpose::kStream}) {
      EXPECT_TRUE(ids.insert(commit_key(suite, purpose, key)).second);
    }
  }
  EXPECT_TRUE(ids.insert(commit_key(Suite::kXaes256Gcm, Purpose::kData,
                                    theriac::testing_support::key256(8)))
                  .second);
}

template <typename Made>
std::optional<Code> code_of(const Made& made) {
  return made ? std::optional<Code>() : made.error().code;
}

TEST(Keys, AKeyUnderAnotherKeysIdIsRefusedEverywhere) {
  crypto::SystemRandom random;
  LeasedKey mixed_up = leased(Suite::kXaes256Gcm, Purpose::kData, 0x10);
  Opener opener;
  ASSERT_TRUE(opener.add(mixed_up));
  EXPECT_TRUE(opener.add(mixed_up)) << "the same key again is no collision";
  mixed_up.material = theriac::testing_support::key256(1);
  EXPECT_EQ(code_of(opener.add(mixed_up)), Code::kKeyCollision);
  EXPECT_EQ(code_of(Sealer::make(mixed_up, random)), Code::kKeyCollision);
  LeasedKey index_key = leased(Suite::kXaes256Gcm, Purpose::kIndex, 0x10);
  index_key.id.bytes[0] ^= 1U;
  EXPECT_EQ(code_of(Indexer::make(index_key, {}, {}, "identity")), Code::kKeyCollision);
}

TEST(Keys, AKeyForSomethingElseIsRefusedEverywhere) {
  crypto::SystemRandom random;
  const LeasedKey data = leased(Suite::kXaes256Gcm, Purpose::kData, 0x10);
  const LeasedKey index = leased(Suite::kXaes256Gcm, Purpose::kIndex, 0x10);
  const LeasedKey stream = leased(Suite::kXaes256Gcm, Purpose::kStream, 0x10);
  Opener opener;
  EXPECT_EQ(code_of(opener.add(index)), Code::kUnknownKey);
  EXPECT_EQ(code_of(Sealer::make(index, random)), Code::kUnknownKey);
  EXPECT_EQ(code_of(Sealer::make(stream, random)), Code::kUnknownKey);
  EXPECT_EQ(code_of(Indexer::make(data, {}, {}, "identity")), Code::kUnknownKey);
  LeasedKey unknown_suite = leased(Suite::kXaes256Gcm, Purpose::kData, 0x10);
  unknown_suite.suite = static_cast<Suite>(3);
  EXPECT_EQ(code_of(Sealer::make(unknown_suite, random)), Code::kUnknownKey);
}

TEST(Opener, OpensUnderEveryVersionItWasGivenUntilCleared) {
  crypto::SystemRandom random;
  Opener opener;
  std::vector<Bytes> sealed;
  for (std::uint8_t version = 1; version <= 5; ++version) {
    const LeasedKey key =
        leased(version % 2 == 0 ? Suite::kSm4Gcm : Suite::kXaes256Gcm, Purpose::kData, version);
    ASSERT_TRUE(opener.add(key));
    sealed.push_back(*Sealer::make(key, random)->seal(binding(), {}, Bytes(3, version)));
  }
  for (std::uint8_t version = 1; version <= 5; ++version) {
    const auto opened = opener.open(binding(), sealed[version - 1U]);
    ASSERT_TRUE(opened);
    EXPECT_EQ(TestSecretAccess::bytes(*opened), Bytes(3, version));
  }
  opener.clear();
  for (const Bytes& value : sealed) {
    EXPECT_EQ(code_of(opener.open(binding(), value)), Code::kUnknownKey);
  }
  ASSERT_TRUE(opener.add(leased(Suite::kXaes256Gcm, Purpose::kData, 1)));
  EXPECT_TRUE(opener.open(binding(), sealed[0])) << "usable again after a restore";
}

TEST(Opener, ManyMorePrefixesThanItsCacheHolds) {
  crypto::SystemRandom random;
  const std::array keys = {leased(Suite::kXaes256Gcm, Purpose::kData, 0x10),
                           leased(Suite::kSm4Gcm, Purpose::kData, 0x20)};
  Opener opener;
  for (const LeasedKey& key : keys) ASSERT_TRUE(opener.add(key));
  std::vector<Bytes> sealed;
  for (std::size_t i = 0; i < 2000; ++i) {
    auto sealer = Sealer::make(keys[i % 2], random);
    sealed.push_back(*sealer->seal(binding(), {}, bytes_of(std::to_string(i))));
  }
  Bytes out;
  for (const std::size_t stride : {1U, 1U, 7U, 601U}) {
    for (std::size_t step = 0; step < sealed.size(); ++step) {
      const std::size_t i = step * stride % sealed.size();
      ASSERT_TRUE(opener.open_into(binding(), sealed[i], out));
      ASSERT_EQ(out, bytes_of(std::to_string(i)));
    }
  }
}

TEST(Opener, MovedItKeepsItsKeys) {
  Pair pair(Suite::kSm4Gcm);
  const Bytes sealed = pair.seal(binding(), view_of("value"));
  Sealer sealer = std::move(pair.sealer);
  Opener opener = std::move(pair.opener);
  EXPECT_EQ(sealer.key_id(), pair.key.id);
  EXPECT_TRUE(opener.open(binding(), sealed));
  EXPECT_TRUE(opener.open(binding(), *sealer.seal(binding(), {}, view_of("another"))));
}

IndexToken token(const LeasedKey& key, std::uint8_t tenant, std::string_view domain,
                 std::string_view label, std::string_view value) {
  TenantId of;
  of.bytes.fill(tenant);
  return Indexer::make(key, of, domain_of(domain), label)->index(view_of(value));
}

TEST(Indexer, EachInputMattersAndNothingElse) {
  const LeasedKey key = leased(Suite::kXaes256Gcm, Purpose::kIndex, 1);
  const IndexToken base = token(key, 1, "customer", "identity", "value");
  EXPECT_EQ(token(key, 1, "customer", "identity", "value"), base);
  EXPECT_NE(
      token(leased(Suite::kXaes256Gcm, Purpose::kIndex, 2), 1, "customer", "identity", "value"),
      base);
  EXPECT_NE(token(leased(Suite::kSm4Gcm, Purpose::kIndex, 1), 1, "customer", "identity", "value"),
            base);
  EXPECT_NE(token(key, 2, "customer", "identity", "value"), base);
  EXPECT_NE(token(key, 1, "hospital", "identity", "value"), base);
  EXPECT_NE(token(key, 1, "customer", "lower", "value"), base);
  EXPECT_NE(token(key, 1, "customer", "identity", "Value"), base);
  EXPECT_NE(token(key, 1, "customer", "identity", ""), base);
}

TEST(Indexer, OneIndexerKeepsNoTraceOfTheValueBefore) {
  auto indexer = Indexer::make(leased(Suite::kSm4Gcm, Purpose::kIndex, 1), {}, domain_of("d"), "l");
  const IndexToken first = indexer->index(view_of("one"));
  indexer->index(view_of("two"));
  EXPECT_EQ(indexer->index(view_of("one")), first);
}

}  // namespace
}  // namespace theriac::seal
