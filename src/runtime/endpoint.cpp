#include "runtime/endpoint.hpp"

#include <charconv>

#include "runtime/limits.hpp"

namespace theriac::runtime {
namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    return fail(Code::kUsage, "port of an address: 0 to 65535");
  }
  return port;
}

Result<Endpoint> parse_unix(std::string_view text) {
  constexpr std::string_view kSocket = "/.s.PGSQL.";
  Endpoint endpoint;
  std::string_view directory = text;
  std::string_view port = "5432";
  if (const auto at = text.rfind(kSocket); at != std::string_view::npos) {
    directory = text.substr(0, at);
    port = text.substr(at + kSocket.size());
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    directory = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  while (directory.ends_with('/')) directory.remove_suffix(1);
  THERIAC_ASSIGN(endpoint.port, parse_port(port));
  endpoint.unix_path =
      std::string(directory) + std::string(kSocket) + std::to_string(endpoint.port);
  if (endpoint.unix_path.size() > kUnixPathBytesMax) {
    return fail(Code::kUsage, "path of a Unix socket: longer than 107 bytes");
  }
  return endpoint;
}

}  // namespace

std::string Endpoint::text() const {
  if (is_unix()) return unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with('/')) return parse_unix(text);
  Endpoint endpoint;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(Code::kUsage, "address: HOST:PORT is wanted");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return fail(Code::kUsage, "address: [IPv6]:PORT is wanted");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(Code::kUsage, "address: [IPv6]:PORT is wanted");
  }
  if (host.empty()) return fail(Code::kUsage, "address: the host is missing");
  endpoint.host = host;
  THERIAC_ASSIGN(endpoint.port, parse_port(text.substr(colon + 1)));
  return endpoint;
}

}  // namespace theriac::runtime
