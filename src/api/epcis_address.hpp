// Where deliveries may go: https addresses on the public network, and what the configuration names.
//
// Threading: free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "runtime/endpoint.hpp"

namespace theriac::api {

/// An address that is nobody's private or special one: IANA's registries of special-purpose
/// addresses (RFC 6890), also where IPv6 carries IPv4. `text`: an address, without brackets.
bool is_public_address(std::string_view text);

struct Destination {
  runtime::Endpoint server;
  std::string target;  ///< path and query
};
/// "https://host[:port][/path][?query]". Code::kMalformed for anything else, also with a user or a
/// fragment.
Result<Destination> parse_destination(std::string_view text);

/// An address of `host` to connect to, that a name cannot be turned elsewhere in between. Blocks.
/// Code::kUpstream: no such name; kDenied: one of its addresses is not public and `host:port` is
/// not among `allowed`.
Result<std::string> resolve_destination(const runtime::Endpoint& server,
                                        const std::vector<runtime::Endpoint>& allowed);

}  // namespace theriac::api
