#include "tlog/note.hpp"

#include <fmt/format.h>

#include "codec/base64.hpp"
#include "crypto/hash.hpp"

namespace theriac::tlog {

namespace {

constexpr std::string_view kSignaturePrefix = "\xe2\x80\x94 ";  // em dash (U+2014), space
constexpr std::size_t kKeyIdBytes = 4;
constexpr char32_t kInvalid = 0xffffffff;

/// Takes one code point off the front; kInvalid for what is not UTF-8 (Unicode, table 3-7).
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) -> char32_t {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U;
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4) return kInvalid;
  char32_t value = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return kInvalid;
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kLeast[size] || value > 0x10ffff || surrogate) return kInvalid;
  text.remove_prefix(size);
  return value;
}

/// Unicode's White_Space property.
bool is_space(char32_t c) {
  return c == 0x20 || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

/// Valid UTF-8 with no control character below U+0020 but the newline.
bool valid_note_bytes(std::string_view text) {
  while (!text.empty()) {
    const char32_t c = take_code_point(text);
    if (c == kInvalid || (c < 0x20 && c != '\n')) return false;
  }
  return true;
}

Result<NoteSignature> parse_signature_line(std::string_view line) {
  const auto malformed = [] { return fail(Code::kMalformed, "signed note: signature line"); };
  if (!line.starts_with(kSignaturePrefix)) return malformed();
  line.remove_prefix(kSignaturePrefix.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return malformed();
  NoteSignature out;
  out.name = line.substr(0, space);
  if (!valid_key_name(out.name)) return malformed();
  const auto blob = codec::from_base64(line.substr(space + 1));
  if (!blob || blob->size() <= kKeyIdBytes) return malformed();
  out.key_id = load_be<std::uint32_t>(blob->data());
  out.signature.assign(blob->begin() + kKeyIdBytes, blob->end());
  return out;
}

}  // namespace

bool valid_key_name(std::string_view name) {
  if (name.empty() || name.size() > kKeyNameBytesMax) return false;
  while (!name.empty()) {
    const char32_t c = take_code_point(name);
    if (c == kInvalid || c < 0x20 || c == '+' || is_space(c)) return false;
  }
  return true;
}

std::uint32_t key_id_of(std::string_view name, std::uint8_t type, ByteView public_key) {
  Bytes input = bytes_of(name);
  input.push_back('\n');
  input.push_back(type);
  append(input, public_key);
  return load_be<std::uint32_t>(crypto::sha256(input).data());
}

Result<VerifierKey> make_verifier_key(std::string_view name, const crypto::Ed25519PublicKey& key) {
  if (!valid_key_name(name)) return fail(Code::kMalformed, "key name");
  return VerifierKey{std::string(name), key_id_of(name, kTypeEd25519, key), key};
}

std::string format_verifier_key(const VerifierKey& key) {
  Bytes blob{kTypeEd25519};
  append(blob, key.key);
  return fmt::format("{}+{:08x}+{}", key.name, key.key_id, codec::to_base64(blob));
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  const auto malformed = [] { return fail(Code::kMalformed, "verifier key"); };
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return malformed();
  const std::size_t second = text.find('+', first + 1);  // base64 may hold further ones
  if (second == std::string_view::npos) return malformed();
  VerifierKey key;
  key.name = text.substr(0, first);
  const std::string_view id_text = text.substr(first + 1, second - first - 1);
  const auto id = from_hex(id_text);
  const auto blob = codec::from_base64(text.substr(second + 1));
  if (!valid_key_name(key.name) || !id || id->size() != kKeyIdBytes || !blob || blob->empty()) {
    return malformed();
  }
  if (blob->front() != kTypeEd25519) return fail(Code::kUnsupported, "verifier key: type");
  if (blob->size() != 1 + key.key.size()) return malformed();
  std::memcpy(key.key.data(), blob->data() + 1, key.key.size());
  key.key_id = load_be<std::uint32_t>(id->data());
  if (key.key_id != key_id_of(key.name, kTypeEd25519, key.key)) {
    return fail(Code::kNotAuthentic, "verifier key: key id");
  }
  return key;
}

Result<Note> parse_note(std::string_view raw) {
  const auto malformed = [](const char* where) { return fail(Code::kMalformed, where); };
  if (raw.size() > kNoteBytesMax) return fail(Code::kTooLarge, "signed note");
  if (!valid_note_bytes(raw)) return malformed("signed note: characters");
  // The last empty line parts text and signatures; the text itself may hold empty lines.
  const std::size_t blank = raw.rfind("\n\n");
  if (blank == std::string_view::npos || !raw.ends_with('\n')) {
    return malformed("signed note: no signatures");
  }
  Note note;
  note.text = raw.substr(0, blank + 1);
  std::string_view rest = raw.substr(blank + 2);
  if (rest.empty()) return malformed("signed note: no signatures");
  while (!rest.empty()) {
    if (note.signatures.size() == kNoteSignaturesMax) {
      return fail(Code::kTooLarge, "signed note: signatures");
    }
    const std::size_t end = rest.find('\n');
    THERIAC_ASSIGN(auto signature, parse_signature_line(rest.substr(0, end)));
    note.signatures.push_back(std::move(signature));
    rest.remove_prefix(end + 1);
  }
  return note;
}

std::string format_note(const Note& note) {
  std::string out = note.text + "\n";
  for (const NoteSignature& line : note.signatures) {
    Bytes blob;
    append_be(blob, line.key_id);
    append(blob, line.signature);
    out += fmt::format("{}{} {}\n", kSignaturePrefix, line.name, codec::to_base64(blob));
  }
  return out;
}

Status sign_note(Note& note, std::string_view name, const crypto::Ed25519Key& key) {
  if (!note.text.ends_with('\n') || !valid_note_bytes(note.text)) {
    return fail(Code::kMalformed, "signed note: text");
  }
  THERIAC_ASSIGN(const auto verifier, make_verifier_key(name, key.public_key()));
  const auto signature = key.sign(view_of(note.text));
  note.signatures.push_back(
      {verifier.name, verifier.key_id, Bytes(signature.begin(), signature.end())});
  return {};
}

Status verify_note(const Note& note, const VerifierKey& key) {
  bool found = false;
  for (const NoteSignature& line : note.signatures) {
    if (line.key_id != key.key_id || line.name != key.name) continue;
    found = true;
    if (!crypto::verify_ed25519(key.key, view_of(note.text), line.signature)) {
      return fail(Code::kNotAuthentic, "signed note: signature");
    }
  }
  if (!found) return fail(Code::kNotFound, "signed note: no signature of this key");
  return {};
}

}  // namespace theriac::tlog
