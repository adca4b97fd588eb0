#include "tlog/merkle.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "codec/base64.hpp"
#include "codec/json.hpp"

namespace theriac::tlog {
namespace {

std::string hex(const Digest& digest) { return to_hex(digest); }

/// MTH by its definition, over leaf hashes: the reference for everything below.
Digest naive_root(std::span<const Digest> leaves) {
  if (leaves.empty()) return empty_root();
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return node_hash(naive_root(leaves.first(k)), naive_root(leaves.subspan(k)));
}

std::vector<Digest> some_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(view_of(std::to_string(i))));
  return leaves;
}

NodeSource source_of(const std::vector<Digest>& leaves) {
  return [&leaves](Node node) -> Result<Digest> {
    const auto begin = static_cast<std::size_t>(node.index << node.level);
    const std::size_t size = std::size_t{1} << node.level;
    EXPECT_LE(begin + size, leaves.size());
    return naive_root(std::span(leaves).subspan(begin, size));
  };
}

TEST(Hashing, ConstantsOfRfc6962) {
  EXPECT_EQ(hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(leaf_hash({})), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(hex(leaf_hash(view_of("L123456"))),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
  const auto node = crypto::sha256(view_of("\x01N123N456"));
  EXPECT_EQ(hex(node), "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb");
}

TEST(Hashing, NodeAndLeafAreTheDefinition) {
  Digest left, right;
  left.fill(0x11);
  right.fill(0x22);
  Bytes block{1};
  append(block, left);
  append(block, right);
  EXPECT_EQ(node_hash(left, right), crypto::sha256(block));
  for (const std::size_t size : {0U, 1U, 100U, 4094U, 4095U, 4096U, 65'535U}) {
    Bytes entry(size, 0x5a), behind_zero{0};
    append(behind_zero, entry);
    EXPECT_EQ(leaf_hash(entry), crypto::sha256(behind_zero)) << size;
    EXPECT_EQ(leaf_hash_behind_zero(behind_zero), leaf_hash(entry)) << size;
  }
}

TEST(Hashing, TreeHashIsTheDefinition) {
  const auto leaves = some_leaves(300);
  for (std::size_t n = 0; n <= leaves.size(); ++n) {
    EXPECT_EQ(tree_hash(std::span(leaves).first(n)), naive_root(std::span(leaves).first(n))) << n;
  }
}

TEST(Inclusion, EveryLeafOfEveryTreeTo64) {
  const auto leaves = some_leaves(65);
  const auto source = source_of(leaves);
  for (std::uint64_t size = 1; size <= 64; ++size) {
    const Digest root = naive_root(std::span(leaves).first(size));
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = prove_inclusion(index, size, source);
      ASSERT_TRUE(proof);
      ASSERT_TRUE(verify_inclusion(leaves[index], index, size, *proof, root))
          << index << "/" << size;
      // Wrong leaf, wrong place, wrong size, each wrong hash, too few and too many of them.
      EXPECT_FALSE(verify_inclusion(leaves[64], index, size, *proof, root));
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other != index)
          EXPECT_FALSE(verify_inclusion(leaves[index], other, size, *proof, root));
      }
      for (std::size_t i = 0; i < proof->size(); ++i) {
        Proof bad = *proof;
        bad[i][7] ^= 1U;
        EXPECT_EQ(verify_inclusion(leaves[index], index, size, bad, root).error().code,
                  Code::kNotAuthentic);
        bad = *proof;
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(verify_inclusion(leaves[index], index, size, bad, root));
      }
      Proof longer = *proof;
      longer.push_back(root);
      EXPECT_EQ(verify_inclusion(leaves[index], index, size, longer, root).error().code,
                Code::kMalformed);
    }
    EXPECT_EQ(prove_inclusion(size, size, source).error().code, Code::kOutOfRange);
    EXPECT_EQ(verify_inclusion(leaves[0], size, size, {}, root).error().code, Code::kMalformed);
  }
}

TEST(Consistency, EveryPairOfTreesTo64) {
  const auto leaves = some_leaves(64);
  const auto source = source_of(leaves);
  for (std::uint64_t size2 = 1; size2 <= 64; ++size2) {
    const Digest root2 = naive_root(std::span(leaves).first(size2));
    for (std::uint64_t size1 = 1; size1 <= size2; ++size1) {
      const Digest root1 = naive_root(std::span(leaves).first(size1));
      const auto proof = prove_consistency(size1, size2, source);
      ASSERT_TRUE(proof);
      ASSERT_TRUE(verify_consistency(size1, root1, size2, root2, *proof)) << size1 << " " << size2;
      Digest other = root1;
      other[31] ^= 0x80U;
      EXPECT_FALSE(verify_consistency(size1, other, size2, root2, *proof));
      EXPECT_FALSE(verify_consistency(size1, root1, size2, other, *proof));
      for (std::size_t i = 0; i < proof->size(); ++i) {
        Proof bad = *proof;
        bad[i][0] ^= 4U;
        EXPECT_FALSE(verify_consistency(size1, root1, size2, root2, bad));
        bad = *proof;
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(verify_consistency(size1, root1, size2, root2, bad));
      }
      Proof longer = *proof;
      longer.push_back(root2);
      EXPECT_EQ(verify_consistency(size1, root1, size2, root2, longer).error().code,
                Code::kMalformed);
      EXPECT_EQ(verify_consistency(size2 + 1, root1, size2, root2, *proof).error().code,
                Code::kMalformed);
    }
    EXPECT_EQ(prove_consistency(size2 + 1, size2, source).error().code, Code::kOutOfRange);
    // The empty old tree: a witness must accept it, nobody else may take it for a proof.
    EXPECT_FALSE(verify_consistency(0, empty_root(), size2, root2, {}));
    EXPECT_TRUE(verify_consistency(0, empty_root(), size2, root2, {}, EmptyOld::kAccept));
    EXPECT_FALSE(verify_consistency(0, root2, size2, root2, {}, EmptyOld::kAccept));
    EXPECT_FALSE(
        verify_consistency(0, empty_root(), size2, root2, Proof{root2}, EmptyOld::kAccept));
  }
}

TEST(Consistency, EverySubtreeOfEveryTreeTo40) {
  const auto leaves = some_leaves(40);
  const auto source = source_of(leaves);
  std::size_t checked = 0;
  for (std::uint64_t size = 1; size <= 40; ++size) {
    const Digest root = naive_root(std::span(leaves).first(size));
    for (std::uint64_t start = 0; start < size; ++start) {
      for (std::uint64_t end = start + 1; end <= size; ++end) {
        const bool valid = start % std::bit_ceil(end - start) == 0;
        const auto proof = prove_subtree_consistency(start, end, size, source);
        ASSERT_EQ(proof.has_value(), valid);
        const Digest sub = naive_root(std::span(leaves).subspan(start, end - start));
        if (!valid) {
          EXPECT_EQ(verify_subtree_consistency(start, end, size, sub, root, {}).error().code,
                    Code::kMalformed);
          continue;
        }
        ++checked;
        ASSERT_TRUE(verify_subtree_consistency(start, end, size, sub, root, *proof))
            << start << " " << end << " " << size;
        Digest other = sub;
        other[3] ^= 1U;
        EXPECT_FALSE(verify_subtree_consistency(start, end, size, other, root, *proof));
      }
    }
  }
  EXPECT_GT(checked, 1000U);
}

TEST(Proofs, PropertiesOfLargerTrees) {
  static const auto kLeaves = some_leaves(3000);
  // One level-wise table instead of hashing subtrees again and again.
  static std::map<std::pair<unsigned, std::uint64_t>, Digest> known;
  const NodeSource source = [](Node node) -> Result<Digest> {
    const std::function<Digest(Node)> get = [&](Node n) {
      if (n.level == 0) return kLeaves[n.index];
      const auto key = std::pair(n.level, n.index);
      const auto found = known.find(key);
      if (found != known.end()) return found->second;
      return known[key] =
                 node_hash(get({n.level - 1, n.index * 2}), get({n.level - 1, n.index * 2 + 1}));
    };
    return get(node);
  };
  EXPECT_TRUE(rc::check("inclusion and consistency", [&] {
    const auto size2 = *rc::gen::inRange<std::uint64_t>(1, 3001);
    const auto size1 = *rc::gen::inRange<std::uint64_t>(1, size2 + 1);
    const auto index = *rc::gen::inRange<std::uint64_t>(0, size2);
    const auto root2 = range_hash(0, size2, source).value();
    const auto root1 = range_hash(0, size1, source).value();
    const auto inclusion = prove_inclusion(index, size2, source).value();
    RC_ASSERT(verify_inclusion(kLeaves[index], index, size2, inclusion, root2).has_value());
    RC_ASSERT(inclusion.size() <= 12U);
    const auto consistency = prove_consistency(size1, size2, source).value();
    RC_ASSERT(verify_consistency(size1, root1, size2, root2, consistency).has_value());
    if (size1 != size2) {
      RC_ASSERT(!verify_consistency(size1, root1, size2, root1, consistency));
      RC_ASSERT(!verify_consistency(size1, root2, size2, root2, consistency));
    }
  }));
}

TEST(Proofs, SizesNearTheLimit) {
  const Digest any = leaf_hash({});
  for (const std::uint64_t size : {kTreeSizeMax, kTreeSizeMax + 1, ~std::uint64_t{0}}) {
    EXPECT_FALSE(verify_inclusion(any, size - 1, size, Proof(62, any), any));
    EXPECT_FALSE(verify_consistency(1, any, size, any, Proof(62, any)));
    EXPECT_FALSE(verify_subtree_inclusion(any, 1, 1, size, {}, any));
    EXPECT_FALSE(verify_subtree_consistency(size - 1, size, size, any, any, Proof(63, any)));
  }
}

// --- vectors of transparency-dev/merkle ----------------------------------------------------------

const std::filesystem::path kVectors =
    std::filesystem::path(THERIAC_SOURCE_DIR) / "../shared/data/merkle/testdata";

/// nullopt: not 32 bytes, which our types cannot even express.
std::optional<Digest> digest_of(const codec::Json& value) {
  if (!value.is_string()) return std::nullopt;
  const auto bytes = codec::from_base64(value.get<std::string>());
  if (!bytes || bytes->size() != kHashBytes) return std::nullopt;
  Digest out;
  std::ranges::copy(*bytes, out.begin());
  return out;
}

/// Consistency vectors also have words such as "don't care" for roots: equal words stay equal, and
/// none becomes a hash of the tree.
Digest root_of(const codec::Json& value) {
  if (const auto digest = digest_of(value)) return *digest;
  return crypto::sha256(view_of(value.dump()));
}

std::optional<Proof> proof_of(const codec::Json& value) {
  Proof proof;
  if (value.is_null()) return proof;
  for (const auto& hash : value) {
    const auto digest = digest_of(hash);
    if (!digest) return std::nullopt;
    proof.push_back(*digest);
  }
  return proof;
}

template <typename F>
void each_vector(const char* folder, std::size_t expected, F&& check) {
  if (!std::filesystem::exists(kVectors)) {
    GTEST_SKIP() << "skipped: merkle vectors are not at " << kVectors;
  }
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kVectors / folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto vector = codec::Json::parse(text);
    EXPECT_EQ(check(vector), !vector.at("wantErr").get<bool>()) << entry.path();
    ++count;
  }
  EXPECT_EQ(count, expected);
}

TEST(Vectors, Inclusion) {
  each_vector("inclusion", 98, [](const codec::Json& v) {
    const auto leaf = digest_of(v.at("leafHash")), root = digest_of(v.at("root"));
    const auto proof = proof_of(v.at("proof"));
    return leaf && root && proof &&
           verify_inclusion(*leaf, v.at("leafIdx"), v.at("treeSize"), *proof, *root).has_value();
  });
}

TEST(Vectors, Consistency) {
  each_vector("consistency", 98, [](const codec::Json& v) {
    const Digest root1 = root_of(v.at("root1")), root2 = root_of(v.at("root2"));
    const auto proof = proof_of(v.at("proof"));
    return proof &&
           verify_consistency(v.at("size1"), root1, v.at("size2"), root2, *proof).has_value();
  });
}

TEST(Vectors, SubtreeInclusion) {
  each_vector("subtreeinclusion", 204, [](const codec::Json& v) {
    const auto leaf = digest_of(v.at("leafHash")), root = digest_of(v.at("root"));
    const auto proof = proof_of(v.at("proof"));
    return leaf && root && proof &&
           verify_subtree_inclusion(*leaf, v.at("leafIdx"), v.at("start"), v.at("end"), *proof,
                                    *root)
               .has_value();
  });
}

TEST(Vectors, SubtreeConsistency) {
  each_vector("subtreeconsistency", 118, [](const codec::Json& v) {
    const Digest root1 = root_of(v.at("root1")), root2 = root_of(v.at("root2"));
    const auto proof = proof_of(v.at("proof"));
    return proof && verify_subtree_consistency(v.at("start"), v.at("end"), v.at("size"), root1,
                                               root2, *proof)
                        .has_value();
  });
}

}  // namespace
}  // namespace theriac::tlog
