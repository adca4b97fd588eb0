// inet and cidr: addresses with a mask, as PostgreSQL 15 reads, prints and compares them.
//
// Read: dotted IPv4 of four parts, IPv6 in any form of RFC 4291, both with an optional /bits.
// Refused with Code::kMalformed, though PostgreSQL takes them: IPv4 of fewer parts ("10/8",
// "10.1"). Threading: free functions on values.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac::pgwire {

struct Address {
  bool v6 = false;
  std::uint8_t bits = 32;                ///< of the mask
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4 in the first four
  [[nodiscard]] std::uint8_t bits_max() const { return v6 ? 128 : 32; }
  [[nodiscard]] std::size_t size() const { return v6 ? 16 : 4; }
};

/// `network`: cidr, where no bit may be set to the right of the mask (Code::kMalformed).
Result<Address> read_address(std::string_view text, bool network);
Result<Address> read_binary_address(ByteView value, bool network);
/// cidr prints its mask always, inet only where it is not the whole address.
std::string address_text(const Address& address, bool with_bits);
void append_binary_address(Bytes& out, const Address& address, bool network);
/// inet to cidr: bits to the right of the mask become zero.
Address to_network(Address address);

}  // namespace theriac::pgwire
