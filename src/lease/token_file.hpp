// The holder's memory across a kill -9: the token that may be used next, and the request that is
// under way. The request is stored before it is sent, so that after a crash the very same bytes are
// sent again and the service can tell a retry from a second holder.
//
// Threading: the client's thread only.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/files.hpp"

namespace theriac::lease {

struct Memory {
  std::string token;    ///< empty: no lease
  std::string pending;  ///< canonical request under way; empty: none
};

class TokenFile {
 public:
  /// Empty path: nothing is stored.
  explicit TokenFile(std::string path) : path_(std::move(path)) {}
  /// Keeps other processes away from the file until this object ends: two that shared one token
  /// would fence each other. Code::kBusy if one has it.
  Status claim();
  /// A missing file is an empty memory; one that cannot be read as ours is Code::kMalformed.
  Result<Memory> load() const;
  /// When the new memory cannot be stored, the old one is removed: an outdated token would fence us
  /// after a restart, no token only makes us wait for the old lease's end.
  Status store(const Memory& memory) const;
  Status remove() const;

 private:
  std::string path_;
  Descriptor claimed_{-1};
};

}  // namespace theriac::lease
