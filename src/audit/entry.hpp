// Audit entries: what every act leaves behind (architecture section 6; fields after 21 CFR
// 11.10(e), EU Annex 11 section 9, NMPA 2020-74 article 22(4)). Deterministic JSON (RFC 8785), at
// most 64 KiB. No personal data in clear: values are referenced by their sealed bytes or SHA-256 of
// those, never by a hash of the value.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.hpp"
#include "codec/json.hpp"

namespace theriac::audit {

inline constexpr std::size_t kEntryBytesMax = 65'535;

/// What the caller says. The log adds producer, producer sequence, previous hash, boot id and time.
struct Event {
  std::string action;   ///< fixed names: "session.grant", "lease.issue", "key.revoke", ...
  std::string actor;    ///< database user, certificate name, or "system"
  std::string role;     ///< role at the time
  std::string object;   ///< what was acted on: class, table, key id, file
  std::string outcome = "ok";  ///< "ok", "denied", "failed" (then error names the code)
  std::string error;           ///< Code name
  std::string reason;
  std::string approver;
  std::string policy_hash;
  std::string key_version;
  std::string correlation;  ///< joins entries of one session or act
  std::string old_ref, new_ref;
  codec::Json details = codec::Json::object();  ///< counts, classes: no values
};

}  // namespace theriac::audit
