// Where to listen or connect: a TCP address or a PostgreSQL Unix socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace theriac::runtime {

struct Endpoint {
  std::string host;  ///< name or address; empty for a Unix socket
  std::uint16_t port = 0;
  std::string unix_path;  ///< "/run/postgresql/.s.PGSQL.5432"
  [[nodiscard]] bool is_unix() const { return !unix_path.empty(); }
  /// "127.0.0.1:5432", "[::1]:5432", or the path.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// "HOST:PORT", "[IPv6]:PORT", "/socket/dir" (port 5432), "/socket/dir:PORT", or the socket's own
/// path ("/dir/.s.PGSQL.5432"). Port 0 is allowed (listening on any). Code::kUsage.
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace theriac::runtime
