// Reading entries of a log for people: no judgement, that is verify.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "audit/disk.hpp"

namespace theriac::audit {

struct ReadEntry {
  std::uint64_t index = 0;
  std::string_view text;      ///< JSON; as the files have it
  bool in_checkpoint = true;  ///< false: durable, but not yet under a checkpoint
};

/// Entries [from, to) in order, as far as the log has them, until `take` returns false.
/// Code::kNotFound when there is no log at `path`; kMalformed for a checkpoint or a bundle that
/// cannot be read.
Status read_entries(Disk& disk, const std::string& path, std::uint64_t from, std::uint64_t to,
                    const std::function<bool(const ReadEntry&)>& take);

}  // namespace theriac::audit
