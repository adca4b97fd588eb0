#include "api/epcis_address.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "api/limits.hpp"

namespace theriac::api {
namespace {

using Address = std::array<std::uint8_t, 16>;

struct Block {
  std::string_view text;
  int bits;
};
/// Of IPv4, IANA's special-purpose registry, multicast and what is reserved.
constexpr Block kSpecial4[] = {{"0.0.0.0", 8},       {"10.0.0.0", 8},     {"100.64.0.0", 10},
                               {"127.0.0.0", 8},     {"169.254.0.0", 16}, {"172.16.0.0", 12},
                               {"192.0.0.0", 24},    {"192.0.2.0", 24},   {"192.31.196.0", 24},
                               {"192.52.193.0", 24}, {"192.88.99.0", 24}, {"192.168.0.0", 16},
                               {"192.175.48.0", 24}, {"198.18.0.0", 15},  {"198.51.100.0", 24},
                               {"203.0.113.0", 24},  {"224.0.0.0", 4},    {"240.0.0.0", 4}};
/// Within 2000::/3, all of IPv6 that is given out: protocols, documentation, tunnels of IPv4.
constexpr Block kSpecial6[] = {{"2001::", 23},         {"2001:db8::", 32}, {"2002::", 16},
                               {"2620:4f:8000::", 48}, {"3fff::", 20},     {"3ffe::", 16}};

bool is_within(const Address& address, const Address& block, int bits) {
  for (int i = 0; i < bits; ++i) {
    const auto at = static_cast<std::size_t>(i / 8);
    const auto mask = static_cast<std::uint8_t>(0x80U >> (i % 8));
    if ((address[at] & mask) != (block[at] & mask)) return false;
  }
  return true;
}

std::optional<Address> read(int family, std::string_view text) {
  Address address{};
  const std::string ended(text);
  if (inet_pton(family, ended.c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

template <std::size_t N>
bool is_special(const Address& address, int family, const Block (&blocks)[N]) {
  return std::ranges::any_of(blocks, [&](const Block& one) {
    const auto block = read(family, one.text);
    return block && is_within(address, *block, one.bits);
  });
}

std::optional<std::string> text_of_address(const addrinfo& one) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* raw = nullptr;
  if (one.ai_family == AF_INET) {
    raw = &reinterpret_cast<const sockaddr_in*>(one.ai_addr)->sin_addr;
  } else if (one.ai_family == AF_INET6) {
    raw = &reinterpret_cast<const sockaddr_in6*>(one.ai_addr)->sin6_addr;
  }
  if (raw == nullptr || inet_ntop(one.ai_family, raw, text.data(), text.size()) == nullptr) {
    return std::nullopt;
  }
  return std::string(text.data());
}

}  // namespace

bool is_public_address(std::string_view text) {
  if (const auto four = read(AF_INET, text)) return !is_special(*four, AF_INET, kSpecial4);
  const auto six = read(AF_INET6, text);
  if (!six) return false;
  const auto given_out = read(AF_INET6, "2000::");
  return is_within(*six, *given_out, 3) && !is_special(*six, AF_INET6, kSpecial6);
}

Result<Destination> parse_destination(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  const auto wrong = [] { return fail(Code::kMalformed, "dest: https://HOST[:PORT]/..."); };
  const bool clean = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (text.size() > kDestinationBytesMax || !text.starts_with(kScheme) || !clean) return wrong();
  text.remove_prefix(kScheme.size());
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  std::string authority(text.substr(0, end));
  std::string target(text.substr(end));
  if (authority.find_first_of("@\\%") != std::string::npos || target.contains('#')) return wrong();
  if (!target.starts_with('/')) target.insert(0, "/");
  const auto host_ends = authority.rfind(']');
  const auto colon = authority.rfind(':');
  const bool has_port =
      colon != std::string::npos && (host_ends == std::string::npos || colon > host_ends);
  if (!has_port) authority += ":443";
  auto server = runtime::parse_endpoint(authority);
  if (!server || server->is_unix() || server->host.empty() || server->port == 0) return wrong();
  return Destination{std::move(*server), std::move(target)};
}

Result<std::string> resolve_destination(const runtime::Endpoint& server,
                                        const std::vector<runtime::Endpoint>& allowed) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(server.host.c_str(), nullptr, &hints, &found) != 0) {
    return fail(Code::kUpstream, "dest");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, &freeaddrinfo);
  const bool named = std::ranges::find(allowed, server) != allowed.end();
  std::optional<std::string> first;
  for (const auto* one = list.get(); one != nullptr; one = one->ai_next) {
    auto text = text_of_address(*one);
    if (!text || (!named && !is_public_address(*text))) return fail(Code::kDenied, "dest");
    if (!first) first = std::move(text);
  }
  if (!first) return fail(Code::kUpstream, "dest");
  return std::move(*first);
}

}  // namespace theriac::api
