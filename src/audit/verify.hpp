// Verification on files alone, as an outsider would do it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "audit/disk.hpp"
#include "base/bytes.hpp"

namespace theriac::audit {

/// A checkpoint somebody kept elsewhere: the whole signed note.
struct Remembered {
  std::string note;
};

struct Verdict {
  bool holds = false;
  std::string origin;
  std::uint64_t entries = 0;  ///< under the checkpoint
  std::uint64_t entries_unsigned =
      0;  ///< durable in the WAL, chained but not yet under a checkpoint
  /// First entry at which something is wrong, if that can be said.
  std::optional<std::uint64_t> bad_entry;
  std::string finding;  ///< "edited", "cut", "rolled back", "forked", "bad signature", "other key",
                        ///< "gap in producer sequence", "producer sequence repeats",
                        ///< "previous hash does not match"; empty when it holds
  std::string explanation;  ///< one sentence for a person
};

/// `public_key`: signed-note verifier key ("name+hash+base64"); empty: take the one in
/// <path>/log.vkey and say so in the explanation. Reads only, also while the log is being written.
/// Code::kIo / kNotFound when the files cannot be read at all, kMalformed for a bad `public_key`.
Result<Verdict> verify_path(
    const std::string& path, const std::string& public_key,
    const std::optional<Remembered>& remembered,
    const std::function<void(std::uint64_t done, std::uint64_t all)>& progress = {});
/// The same on another disk.
Result<Verdict> verify_on(
    Disk& disk, const std::string& path, const std::string& public_key,
    const std::optional<Remembered>& remembered,
    const std::function<void(std::uint64_t done, std::uint64_t all)>& progress = {});

}  // namespace theriac::audit
