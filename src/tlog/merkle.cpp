#include "tlog/merkle.hpp"

namespace theriac::tlog {

namespace {

constexpr std::uint8_t kLeafPrefix = 0;  // RFC 6962 section 2.1: domain separation
constexpr std::uint8_t kNodePrefix = 1;
constexpr std::size_t kScratchBytes = 4096;

/// The largest power of two smaller than n; n >= 2.
std::uint64_t split_of(std::uint64_t n) { return std::bit_floor(n - 1); }

bool valid_subtree(std::uint64_t start, std::uint64_t end) {
  if (start >= end || end > kTreeSizeMax) return false;
  return start % std::bit_ceil(end - start) == 0;
}

/// Walks down the tree of `size` entries to the subtree [start, end), as the definition of the
/// proof does; the proof holds the deepest hash first. `Step` supplies or checks the sibling
/// hashes. With `known` the subtree's own hash is not in the proof. At most 63 deep.
class ConsistencyMaker {
 public:
  explicit ConsistencyMaker(const NodeSource& source) : source_(source) {}

  Status walk(std::uint64_t start, std::uint64_t end, std::uint64_t size, std::uint64_t offset,
              bool known) {
    if (start == 0 && end == size) {
      return known ? Status{} : put(offset, offset + size);
    }
    const std::uint64_t k = split_of(size);
    if (end <= k) {
      THERIAC_TRY(walk(start, end, k, offset, known));
      return put(offset + k, offset + size);
    }
    if (start >= k) {
      THERIAC_TRY(walk(start - k, end - k, size - k, offset + k, known));
    } else {
      THERIAC_TRY(walk(0, end - k, size - k, offset + k, false));
    }
    return put(offset, offset + k);
  }
  Proof take() { return std::move(proof_); }

 private:
  Status put(std::uint64_t begin, std::uint64_t end) {
    THERIAC_ASSIGN(const Digest hash, range_hash(begin, end, source_));
    proof_.push_back(hash);
    return {};
  }
  const NodeSource& source_;
  Proof proof_;
};

class ConsistencyChecker {
 public:
  ConsistencyChecker(const Digest& known, std::span<const Digest> proof)
      : subtree_(known), root_(known), proof_(proof) {}

  bool walk(std::uint64_t start, std::uint64_t end, std::uint64_t size, bool known) {
    Digest sibling;
    if (start == 0 && end == size) {
      if (known) return true;
      if (!take(sibling)) return false;
      subtree_ = root_ = sibling;
      return true;
    }
    const std::uint64_t k = split_of(size);
    if (end <= k) {
      if (!walk(start, end, k, known) || !take(sibling)) return false;
      root_ = node_hash(root_, sibling);
      return true;
    }
    const bool straddles = start < k;
    if (!walk(straddles ? 0 : start - k, end - k, size - k, known && !straddles)) return false;
    if (!take(sibling)) return false;
    root_ = node_hash(sibling, root_);
    if (straddles) subtree_ = node_hash(sibling, subtree_);
    return true;
  }
  [[nodiscard]] bool used_up() const { return proof_.empty(); }
  [[nodiscard]] const Digest& subtree() const { return subtree_; }
  [[nodiscard]] const Digest& root() const { return root_; }

 private:
  bool take(Digest& out) {
    if (proof_.empty()) return false;
    out = proof_.front();
    proof_ = proof_.subspan(1);
    return true;
  }
  Digest subtree_, root_;
  std::span<const Digest> proof_;
};

}  // namespace

const Digest& empty_root() {
  static const Digest kRoot = crypto::sha256({});
  return kRoot;
}

Digest leaf_hash_behind_zero(ByteView zero_and_entry) {
  THERIAC_ASSERT(!zero_and_entry.empty() && zero_and_entry.front() == kLeafPrefix);
  return crypto::sha256(zero_and_entry);
}

Digest leaf_hash(ByteView entry) {
  if (entry.size() < kScratchBytes) {
    std::array<std::uint8_t, kScratchBytes> scratch;
    scratch[0] = kLeafPrefix;
    if (!entry.empty()) std::memcpy(scratch.data() + 1, entry.data(), entry.size());
    return crypto::sha256(ByteView(scratch).first(entry.size() + 1));
  }
  Bytes copy;
  copy.reserve(entry.size() + 1);
  copy.push_back(kLeafPrefix);
  append(copy, entry);
  return crypto::sha256(copy);
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 1 + 2 * kHashBytes> block;
  block[0] = kNodePrefix;
  std::memcpy(block.data() + 1, left.data(), kHashBytes);
  std::memcpy(block.data() + 1 + kHashBytes, right.data(), kHashBytes);
  return crypto::sha256(block);
}

Digest tree_hash(std::span<const Digest> hashes) {
  if (hashes.empty()) return empty_root();
  // Pairing level by level, an odd last one moving up as it is, gives the splits of RFC 6962.
  std::vector<Digest> row(hashes.begin(), hashes.end());
  while (row.size() > 1) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < row.size(); i += 2, ++out) {
      row[out] = i + 1 < row.size() ? node_hash(row[i], row[i + 1]) : row[i];
    }
    row.resize(out);
  }
  return row.front();
}

Result<Digest> range_hash(std::uint64_t begin, std::uint64_t end, const NodeSource& source) {
  if (begin == end) return empty_root();
  if (!valid_subtree(begin, end)) return fail(Code::kOutOfRange, "subtree");
  const std::uint64_t size = end - begin;
  if (std::has_single_bit(size)) {
    const auto level = static_cast<unsigned>(std::countr_zero(size));
    return source(Node{level, begin >> level});
  }
  const std::uint64_t k = split_of(size);
  THERIAC_ASSIGN(const Digest left, range_hash(begin, begin + k, source));
  THERIAC_ASSIGN(const Digest right, range_hash(begin + k, end, source));
  return node_hash(left, right);
}

Result<Proof> prove_inclusion(std::uint64_t index, std::uint64_t size, const NodeSource& source) {
  if (index >= size || size > kTreeSizeMax) return fail(Code::kOutOfRange, "inclusion proof");
  Proof proof;
  std::uint64_t begin = 0, end = size;
  while (end - begin > 1) {  // from the root down; a proof lists from the leaf up
    const std::uint64_t middle = begin + split_of(end - begin);
    const bool left = index < middle;
    THERIAC_ASSIGN(const Digest sibling,
                   left ? range_hash(middle, end, source) : range_hash(begin, middle, source));
    proof.push_back(sibling);
    (left ? end : begin) = middle;
  }
  std::ranges::reverse(proof);
  return proof;
}

Result<Proof> prove_subtree_consistency(std::uint64_t start, std::uint64_t end, std::uint64_t size,
                                        const NodeSource& source) {
  if (start > end || end > size || size > kTreeSizeMax) {
    return fail(Code::kOutOfRange, "consistency proof");
  }
  if (start == end) return Proof{};
  if (!valid_subtree(start, end)) return fail(Code::kOutOfRange, "subtree");
  ConsistencyMaker maker(source);
  THERIAC_TRY(maker.walk(start, end, size, 0, true));
  return maker.take();
}

Result<Proof> prove_consistency(std::uint64_t size1, std::uint64_t size2,
                                const NodeSource& source) {
  return prove_subtree_consistency(0, size1, size2, source);
}

Status verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                        std::span<const Digest> proof, const Digest& root) {
  if (index >= size || size > kTreeSizeMax) return fail(Code::kMalformed, "inclusion proof: index");
  // RFC 9162 section 2.1.3.2: fn is the node's number on its level, sn that of the last node.
  std::uint64_t fn = index, sn = size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (sn == 0) return fail(Code::kMalformed, "inclusion proof: length");
    if (fn % 2 == 1 || fn == sn) {
      hash = node_hash(sibling, hash);
      while (fn != 0 && fn % 2 == 0) {
        fn >>= 1U;
        sn >>= 1U;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    fn >>= 1U;
    sn >>= 1U;
  }
  if (sn != 0) return fail(Code::kMalformed, "inclusion proof: length");
  if (hash != root) return fail(Code::kNotAuthentic, "inclusion proof");
  return {};
}

Status verify_subtree_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t start,
                                std::uint64_t end, std::span<const Digest> proof,
                                const Digest& root) {
  if (!valid_subtree(start, end)) return fail(Code::kMalformed, "inclusion proof: subtree");
  if (index < start) return fail(Code::kMalformed, "inclusion proof: index");
  return verify_inclusion(leaf, index - start, end - start, proof, root);
}

Status verify_subtree_consistency(std::uint64_t start, std::uint64_t end, std::uint64_t size,
                                  const Digest& subtree_root, const Digest& root,
                                  std::span<const Digest> proof) {
  if (start > end || end > size || size > kTreeSizeMax) {
    return fail(Code::kMalformed, "consistency proof: sizes");
  }
  if (start == end) {
    if (!proof.empty()) return fail(Code::kMalformed, "consistency proof: length");
    if (subtree_root != empty_root()) return fail(Code::kNotAuthentic, "consistency proof");
    return {};
  }
  if (!valid_subtree(start, end)) return fail(Code::kMalformed, "consistency proof: subtree");
  ConsistencyChecker checker(subtree_root, proof);
  if (!checker.walk(start, end, size, true) || !checker.used_up()) {
    return fail(Code::kMalformed, "consistency proof: length");
  }
  if (checker.subtree() != subtree_root || checker.root() != root) {
    return fail(Code::kNotAuthentic, "consistency proof");
  }
  return {};
}

Status verify_consistency(std::uint64_t size1, const Digest& root1, std::uint64_t size2,
                          const Digest& root2, std::span<const Digest> proof, EmptyOld empty_old) {
  if (size1 == 0 && empty_old == EmptyOld::kRefuse) {
    return fail(Code::kMalformed, "consistency proof: the empty tree proves nothing");
  }
  return verify_subtree_consistency(0, size1, size2, root1, root2, proof);
}

}  // namespace theriac::tlog
