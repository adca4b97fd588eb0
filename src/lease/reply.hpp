// What the client asks and how it reads a lease, without sockets.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lease/channel.hpp"
#include "lease/lease.hpp"

namespace theriac::lease {

struct Wanted {
  std::string tenant;
  std::vector<std::string> classes;
  std::map<std::string, seal::Suite> suites;
};

/// Canonical text of a lease request, or of a renewal when `token` is not empty. `boot` and `nonce`
/// are 32 hexadecimal characters each.
std::string lease_request(const Wanted& wanted, const std::string& boot, const std::string& nonce,
                          const std::string& token);

struct Granted {
  Keyring ring;  ///< without generation
  std::string token;
  std::int64_t ttl_ms = 0;
};
/// The lease counts from the moment the request was sent, so that it never lasts longer here than
/// there. Code::kProtocol for a reply that breaks the protocol; kKeyCollision when two keys claim
/// one id.
Result<Granted> read_lease(const Answer& answer, std::int64_t sent_wall_ms,
                           std::int64_t sent_monotonic_ms);

}  // namespace theriac::lease
