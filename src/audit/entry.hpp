// Audit entries: what every act leaves behind (architecture section 6; fields after 21 CFR
// 11.10(e), EU Annex 11 section 9, NMPA 2020-74 article 22(4)). Deterministic JSON (RFC 8785), at
// most 64 KiB. No personal data in clear: values are referenced by their sealed bytes or SHA-256 of
// those, never by a hash of the value.
//
// Threading: values and free functions, no shared state.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "audit/tally.hpp"
#include "base/bytes.hpp"
#include "codec/json.hpp"
#include "tlog/merkle.hpp"

namespace theriac::audit {

inline constexpr std::size_t kEntryBytesMax = 65'535;

/// What the caller says. The log adds producer, producer sequence, previous hash, boot id and time.
struct Event {
  std::string action;          ///< fixed names: "session.grant", "lease.issue", "key.revoke", ...
  std::string actor;           ///< database user, certificate name, or "system"
  std::string role;            ///< role at the time
  std::string object;          ///< what was acted on: class, table, key id, file
  std::string outcome = "ok";  ///< "ok", "denied", "failed" (then error names the code)
  std::string error;           ///< Code name
  std::string reason;
  std::string approver;
  std::string policy_hash;
  std::string key_version;
  std::string correlation;  ///< joins entries of one session or act
  std::string old_ref, new_ref;
  codec::Json details = codec::Json::object();  ///< counts, classes: no values
  std::shared_ptr<Tally> tally;                 ///< further details, which may still grow

  /// Closes the tally and puts what it came to among the details.
  void settle() {
    if (!tally) return;
    for (const auto& [name, count] : tally->close()) details[name] = count;
    tally.reset();
  }
};

/// An entry's text without what only the log knows: made in the caller's thread, finished in the
/// log's. Empty fields of the event are left out; bytes that are not UTF-8 become U+FFFD.
struct Draft {
  std::string head;  ///< "{" and the members before "prev"
  std::string tail;  ///< members between "producer_seq" and "time", each with its comma
};
Draft draft_entry(const Event& event, std::string_view boot_id);

/// What the log knows. `previous` is the RFC 6962 leaf hash, SHA-256(0x00 ‖ entry), of the
/// producer's previous entry, which the level-0 tile holds too; zeros for its first one.
struct Stamp {
  std::string_view producer_json;  ///< quoted and escaped: json_text(producer)
  std::uint64_t sequence = 0;
  tlog::Digest previous{};
  std::string_view time;  ///< RFC 3339 with offset
};
/// Appends the whole entry to `out`.
void finish_entry(Bytes& out, const Draft& draft, const Stamp& stamp);
/// The most bytes that finish_entry can append.
std::size_t entry_bytes_max(const Draft& draft, std::string_view producer_json);
/// The text as a canonical JSON string, with its quotes.
std::string json_text(std::string_view text);

/// The members that chain an entry to the one before it. Views into the entry; `producer` as it
/// stands between the quotes, escapes and all.
struct Links {
  std::string_view producer;
  std::string_view previous;  ///< 64 hexadecimal digits
  std::string_view time;
  std::uint64_t sequence = 0;
};
/// nullopt unless the bytes are one JSON object with sorted, unrepeated member names that has all
/// of the members above. Made for speed: nested values are skipped, not parsed.
std::optional<Links> read_links(ByteView entry);

/// Follows the chains of producers through the entries of a log.
class Chain {
 public:
  enum class Problem : std::uint8_t { kNone, kNotAnEntry, kGap, kRepeat, kPrevious };
  struct Last {
    std::uint64_t next_sequence = 0;
    tlog::Digest hash{};
    std::uint64_t index = 0;
  };

  /// `from_start`: the first entry of each producer must be its very first (sequence 0).
  explicit Chain(bool from_start) : from_start_(from_start) {}
  Chain(Chain&&) noexcept = default;
  Chain& operator=(Chain&&) noexcept = default;
  /// Entries in the order of the log. On a problem the chain stays where it was.
  Problem check(std::uint64_t index, ByteView entry, const tlog::Digest& leaf);
  /// Where the producer stands (its text between quotes), or nullptr.
  [[nodiscard]] const Last* find(std::string_view producer) const;
  /// Of the entry last checked.
  [[nodiscard]] std::uint64_t previous_index() const { return previous_index_; }

 private:
  bool from_start_;
  std::map<std::string, Last, std::less<>> producers_;
  std::pair<const std::string, Last>* recent_ = nullptr;  ///< in producers_; they come in runs
  std::uint64_t previous_index_ = 0;
};

}  // namespace theriac::audit
