#include "tlog/checkpoint.hpp"

#include <charconv>

#include "codec/base64.hpp"

namespace theriac::tlog {

namespace {

Result<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos || end == 0) return fail(Code::kMalformed, "checkpoint: line");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || (text.size() > 1 && text.front() == '0')) {
    return fail(Code::kMalformed, "checkpoint: size");
  }
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || size > kTreeSizeMax)
    return fail(Code::kOutOfRange, "checkpoint: size");
  return size;
}

}  // namespace

std::string format_checkpoint(const Checkpoint& checkpoint) {
  std::string text = fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size,
                                 codec::to_base64(checkpoint.root));
  for (const auto& line : checkpoint.extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view note_text) {
  Checkpoint out;
  std::string_view rest = note_text;
  THERIAC_ASSIGN(out.origin, take_line(rest));
  THERIAC_ASSIGN(const auto size, take_line(rest));
  THERIAC_ASSIGN(out.size, parse_size(size));
  THERIAC_ASSIGN(const auto root, take_line(rest));
  const auto hash = codec::from_base64(root);
  if (!hash || hash->size() != kHashBytes) return fail(Code::kMalformed, "checkpoint: root");
  std::memcpy(out.root.data(), hash->data(), kHashBytes);
  while (!rest.empty()) {
    THERIAC_ASSIGN(const auto line, take_line(rest));
    out.extensions.emplace_back(line);
  }
  return out;
}

Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const crypto::Ed25519Key& key) {
  Note note{format_checkpoint(checkpoint), {}};
  THERIAC_TRY(sign_note(note, checkpoint.origin, key));
  return format_note(note);
}

Result<Checkpoint> open_checkpoint(std::string_view raw_note, const VerifierKey& key) {
  THERIAC_ASSIGN(const auto note, parse_note(raw_note));
  THERIAC_ASSIGN(auto checkpoint, parse_checkpoint(note.text));
  THERIAC_TRY(verify_note(note, key));
  if (checkpoint.origin != key.name) return fail(Code::kMismatch, "checkpoint: origin");
  return checkpoint;
}

}  // namespace theriac::tlog
