// Merkle tree hashing (RFC 6962 section 2.1) and its proofs: inclusion, consistency, and the same
// for subtrees [start, end) of a tree (draft-ietf-plants-merkle-tree-certs section 4).
//
// Threading: values and free functions, no shared state. Nothing here does I/O: whoever makes a
// proof hands in a function that knows the hashes of perfect subtrees.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "tlog/limits.hpp"

namespace theriac::tlog {

using Digest = crypto::Digest;
using Proof = std::vector<Digest>;

/// MTH of no entries: SHA-256 of nothing.
const Digest& empty_root();
/// SHA-256(0x00 ‖ entry).
Digest leaf_hash(ByteView entry);
/// As leaf_hash, for an entry that already stands behind a zero byte: saves a copy.
Digest leaf_hash_behind_zero(ByteView zero_and_entry);
/// SHA-256(0x01 ‖ left ‖ right).
Digest node_hash(const Digest& left, const Digest& right);
/// MTH over hashes that are taken as leaves; the last one may stand for a smaller subtree.
Digest tree_hash(std::span<const Digest> hashes);

/// The perfect subtree over entries [index << level, (index + 1) << level).
struct Node {
  unsigned level = 0;
  std::uint64_t index = 0;
  friend bool operator==(const Node&, const Node&) = default;
};
using NodeSource = std::function<Result<Digest>(Node)>;

/// MTH of the entries [begin, end), begin a multiple of the power of two that covers the range.
/// Errors are those of the source; Code::kOutOfRange for a range that is no subtree.
Result<Digest> range_hash(std::uint64_t begin, std::uint64_t end, const NodeSource& source);

/// RFC 6962 section 2.1.1. Code::kOutOfRange when index >= size.
Result<Proof> prove_inclusion(std::uint64_t index, std::uint64_t size, const NodeSource& source);
/// RFC 6962 section 2.1.2. Code::kOutOfRange when size1 > size2.
Result<Proof> prove_consistency(std::uint64_t size1, std::uint64_t size2, const NodeSource& source);
/// Proof that the subtree [start, end) belongs to the tree of `size` entries.
Result<Proof> prove_subtree_consistency(std::uint64_t start, std::uint64_t end, std::uint64_t size,
                                        const NodeSource& source);

/// Whether every tree is taken to extend the empty one. A witness must accept that (tlog-witness:
/// old size 0, empty proof); elsewhere it proves nothing and is refused.
enum class EmptyOld : std::uint8_t { kRefuse, kAccept };

/// All of these: Code::kMalformed for sizes, indexes or proof lengths that cannot be,
/// Code::kNotAuthentic for hashes that do not match.
Status verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                        std::span<const Digest> proof, const Digest& root);
Status verify_consistency(std::uint64_t size1, const Digest& root1, std::uint64_t size2,
                          const Digest& root2, std::span<const Digest> proof,
                          EmptyOld empty_old = EmptyOld::kRefuse);
/// Leaf in the subtree [start, end), whose hash is `root`; `index` counts from the tree's start.
Status verify_subtree_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t start,
                                std::uint64_t end, std::span<const Digest> proof,
                                const Digest& root);
/// An empty subtree with the empty root belongs to every tree.
Status verify_subtree_consistency(std::uint64_t start, std::uint64_t end, std::uint64_t size,
                                  const Digest& subtree_root, const Digest& root,
                                  std::span<const Digest> proof);

}  // namespace theriac::tlog
