// Checkpoints (C2SP tlog-checkpoint v1.0.0): a signed note whose text is origin, size and root.
//
// Threading: values and free functions, no shared state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tlog/merkle.hpp"
#include "tlog/note.hpp"

namespace theriac::tlog {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
  std::vector<std::string> extensions;  ///< opaque lines; we write none
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// The note's text, as parse_checkpoint reads it back.
std::string format_checkpoint(const Checkpoint& checkpoint);
/// Code::kMalformed; Code::kOutOfRange for a size above kTreeSizeMax.
Result<Checkpoint> parse_checkpoint(std::string_view note_text);

/// The whole note, signed by the log's key under the origin as its name.
Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const crypto::Ed25519Key& key);
/// Parses, checks `key`'s signature and that the origin is the key's name, as the log's own key is
/// named. Errors of parse_note, parse_checkpoint, verify_note; Code::kMismatch for the origin.
Result<Checkpoint> open_checkpoint(std::string_view raw_note, const VerifierKey& key);

}  // namespace theriac::tlog
