#include "audit/entry.hpp"

#include <charconv>

#include "audit/limits.hpp"

namespace theriac::audit {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::size_t kDigestHexChars = 2 * tlog::kHashBytes;
constexpr std::size_t kTimeCharsMax = 32;  // "2026-11-21T18:30:00.123+08:00" is 29

using DigestHex = std::array<char, kDigestHexChars>;

DigestHex hex_of(const tlog::Digest& digest) {
  DigestHex out;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    out[2 * i] = kHex[digest[i] >> 4U];
    out[2 * i + 1] = kHex[digest[i] & 15U];
  }
  return out;
}

/// Printable ASCII without what JSON escapes.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

void put_text(std::string& out, std::string_view text) {
  if (!is_plain(text)) {
    out += codec::canonical_json(codec::Json(text));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

void put_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (out.size() != 1) out += ',';  // "{" alone: the first member
  out += '"';
  out += name;
  out += "\":";
  put_text(out, value);
}

/// Counts and names, which is what details mostly are. False, with `out` as it was: left to codec.
bool put_flat_object(std::string& out, const codec::Json& object) {
  const std::size_t before = out.size();
  out += '{';
  for (const auto& [name, value] : object.get_ref<const codec::Json::object_t&>()) {
    const bool small = value.is_number_unsigned() && value.get<std::uint64_t>() <= kSequenceMax;
    if (!is_plain(name) || (!small && !value.is_string())) {
      out.resize(before);
      return false;
    }
    if (out.back() != '{') out += ',';
    put_text(out, name);
    out += ':';
    if (small) {
      fmt::format_to(std::back_inserter(out), "{}", value.get<std::uint64_t>());
    } else {
      put_text(out, value.get_ref<const std::string&>());
    }
  }
  out += '}';
  return true;
}

/// Steps over JSON text without building values.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool at_end() const { return at_ == end_; }

  /// What stands between the quotes.
  bool string(std::string_view& out) {
    if (!take('"')) return false;
    const char* const begin = at_;
    for (const char* from = begin; from < end_;) {
      const void* found = std::memchr(from, '"', static_cast<std::size_t>(end_ - from));
      if (found == nullptr) return false;
      const char* const quote = static_cast<const char*>(found);
      const char* back = quote;
      while (back != begin && back[-1] == '\\') --back;
      if ((quote - back) % 2 == 0) {  // an even number of backslashes escapes only itself
        out = {begin, quote};
        at_ = quote + 1;
        return true;
      }
      from = quote + 1;
    }
    return false;
  }

  /// Any value, as it stands.
  bool value(std::string_view& out) {
    if (at_ == end_) return false;
    if (*at_ == '"') return string(out);
    const char* const begin = at_;
    if (*at_ == '{' || *at_ == '[') {
      if (!skip_nested()) return false;
    } else {
      while (at_ != end_ && *at_ != ',' && *at_ != '}') ++at_;
    }
    out = {begin, at_};
    return begin != at_;
  }

 private:
  bool skip_nested() {
    std::size_t depth = 0;
    std::string_view ignored;
    while (at_ != end_) {
      switch (*at_) {
        case '"':
          if (!string(ignored)) return false;
          continue;
        case '{':
        case '[':
          ++depth;
          break;
        case '}':
        case ']':
          --depth;
          break;
        default:
          break;
      }
      ++at_;
      if (depth == 0) return true;
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

bool read_sequence(std::string_view text, std::uint64_t& out) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out <= kSequenceMax;
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out;
  put_text(out, text);
  return out;
}

Draft draft_entry(const Event& event, std::string_view boot_id) {
  // RFC 8785 section 3.2.3: members sorted by name; "prev" to "producer_seq" come between.
  Draft draft;
  std::string& head = draft.head;
  head.reserve(256);
  head += '{';
  put_member(head, "action", event.action);
  put_member(head, "actor", event.actor);
  put_member(head, "approver", event.approver);
  put_member(head, "boot_id", boot_id);
  put_member(head, "correlation", event.correlation);
  if (!event.details.empty()) {
    head += ",\"details\":";
    const bool flat = event.details.is_object() && put_flat_object(head, event.details);
    if (!flat) head += codec::canonical_json(event.details);
  }
  put_member(head, "error", event.error);
  put_member(head, "key_version", event.key_version);
  put_member(head, "new_ref", event.new_ref);
  put_member(head, "object", event.object);
  put_member(head, "old_ref", event.old_ref);
  put_member(head, "outcome", event.outcome);
  put_member(head, "policy_hash", event.policy_hash);
  put_member(draft.tail, "reason", event.reason);
  put_member(draft.tail, "role", event.role);
  return draft;
}

void finish_entry(Bytes& out, const Draft& draft, const Stamp& stamp) {
  const DigestHex previous = hex_of(stamp.previous);
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), stamp.sequence).ptr;
  const std::array<std::string_view, 10> parts{draft.head,
                                               ",\"prev\":\"",
                                               {previous.data(), previous.size()},
                                               "\",\"producer\":",
                                               stamp.producer_json,
                                               ",\"producer_seq\":",
                                               {digits.data(), end},
                                               draft.tail,
                                               ",\"time\":\"",
                                               stamp.time};
  constexpr std::string_view kLast = "\",\"v\":1}";
  std::size_t size = kLast.size();
  for (const auto part : parts) size += part.size();
  std::size_t at = out.size();
  out.resize(at + size);
  for (const auto part : parts) {
    std::memcpy(out.data() + at, part.data(), part.size());
    at += part.size();
  }
  std::memcpy(out.data() + at, kLast.data(), kLast.size());
}

std::size_t entry_bytes_max(const Draft& draft, std::string_view producer_json) {
  constexpr std::string_view kFixed =
      ",\"prev\":\"\",\"producer\":,\"producer_seq\":,\"time\":\"\",\"v\":1}";
  constexpr std::size_t kSequenceCharsMax = 16;  // of kSequenceMax
  return draft.head.size() + draft.tail.size() + producer_json.size() + kFixed.size() +
         kDigestHexChars + kSequenceCharsMax + kTimeCharsMax;
}

std::optional<Links> read_links(ByteView entry) {
  Scanner scan(text_of(entry));
  Links links;
  std::string_view name, last_name, value;
  unsigned found = 0;
  if (!scan.take('{')) return std::nullopt;
  for (bool first = true;; first = false) {
    if (!scan.string(name) || !scan.take(':')) return std::nullopt;
    if (!first && name <= last_name) return std::nullopt;
    const bool quoted = scan.value(value);
    if (!quoted) return std::nullopt;
    if (name == "prev") {
      links.previous = value;
      ++found;
    } else if (name == "producer") {
      links.producer = value;
      ++found;
    } else if (name == "producer_seq") {
      if (!read_sequence(value, links.sequence)) return std::nullopt;
      ++found;
    } else if (name == "time") {
      links.time = value;
      ++found;
    }
    last_name = name;
    if (scan.take(',')) continue;
    if (!scan.take('}') || !scan.at_end()) return std::nullopt;
    break;
  }
  constexpr unsigned kWanted = 4;
  if (found != kWanted || links.previous.size() != kDigestHexChars) return std::nullopt;
  return links;
}

Chain::Problem Chain::check(std::uint64_t index, ByteView entry, const tlog::Digest& leaf) {
  const auto links = read_links(entry);
  if (!links) return Problem::kNotAnEntry;
  if (recent_ == nullptr || recent_->first != links->producer) {
    const auto known = producers_.find(links->producer);
    recent_ = known == producers_.end() ? nullptr : &*known;
  }
  if (recent_ == nullptr) {
    if (from_start_) {
      if (links->sequence != 0) return Problem::kGap;
      if (links->previous.find_first_not_of('0') != std::string_view::npos) {
        return Problem::kPrevious;
      }
    }
    recent_ = &*producers_.emplace(links->producer, Last{}).first;
  } else {
    const Last& last = recent_->second;
    previous_index_ = last.index;
    if (links->sequence > last.next_sequence) return Problem::kGap;
    if (links->sequence < last.next_sequence) return Problem::kRepeat;
    const DigestHex expected = hex_of(last.hash);
    if (std::memcmp(expected.data(), links->previous.data(), expected.size()) != 0) {
      return Problem::kPrevious;
    }
  }
  recent_->second = {links->sequence + 1, leaf, index};
  return Problem::kNone;
}

const Chain::Last* Chain::find(std::string_view producer) const {
  const auto found = producers_.find(producer);
  return found == producers_.end() ? nullptr : &found->second;
}

}  // namespace theriac::audit
