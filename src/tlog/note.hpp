// Signed notes (C2SP signed-note v1.0.0): text, blank line, signature lines. Ed25519 (type 0x01) is
// what we sign and verify; other signatures on a note are carried along.
//
// Threading: values and free functions, no shared state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/sign.hpp"
#include "tlog/limits.hpp"

namespace theriac::tlog {

inline constexpr std::uint8_t kTypeEd25519 = 0x01;

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;
  friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

struct Note {
  std::string text;  ///< ends in a newline
  std::vector<NoteSignature> signatures;
  friend bool operator==(const Note&, const Note&) = default;
};

/// Name and public key, printed as "name+hex key id+base64(type ‖ key)".
struct VerifierKey {
  std::string name;
  std::uint32_t key_id = 0;
  crypto::Ed25519PublicKey key{};
  friend bool operator==(const VerifierKey&, const VerifierKey&) = default;
};

/// Non-empty valid UTF-8 without spaces (Unicode's White_Space), plus or control characters, at
/// most kKeyNameBytesMax.
bool valid_key_name(std::string_view name);
/// SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4].
std::uint32_t key_id_of(std::string_view name, std::uint8_t type, ByteView public_key);

/// Code::kMalformed for a bad name.
Result<VerifierKey> make_verifier_key(std::string_view name, const crypto::Ed25519PublicKey& key);
std::string format_verifier_key(const VerifierKey& key);
/// Code::kMalformed; Code::kUnsupported for a type other than Ed25519; Code::kNotAuthentic when the
/// key id is not that of name and key.
Result<VerifierKey> parse_verifier_key(std::string_view text);

/// Code::kMalformed (not UTF-8, control characters, no signature, a bad line), Code::kTooLarge.
Result<Note> parse_note(std::string_view raw);
/// The note must be one that parse_note would return.
std::string format_note(const Note& note);

/// Adds our signature. Code::kMalformed when the text could not be in a note.
Status sign_note(Note& note, std::string_view name, const crypto::Ed25519Key& key);
/// Whether the note carries a valid signature of `key`. Signatures of other keys are ignored, also
/// those that share name or id (but not both); one of this key that does not verify makes the whole
/// note bad. Code::kNotFound when there is none of this key, Code::kNotAuthentic.
Status verify_note(const Note& note, const VerifierKey& key);

}  // namespace theriac::tlog
