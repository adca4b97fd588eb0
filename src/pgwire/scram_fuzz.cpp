// Both halves of SCRAM against a peer that says anything. Messages are separated by newlines; the
// first byte chooses the half, the binding and whether a right message stands in for the first.
#include <algorithm>
#include <cstdint>

#include "pgwire/scram.hpp"

namespace {

using namespace theriac;  // NOLINT: one file, one subject
using namespace theriac::pgwire;

class FixedRandom final : public Random {
 public:
  void fill(MutableBytes out) override { std::fill(out.begin(), out.end(), std::uint8_t{0x5a}); }
};

std::string_view take_line(std::string_view& rest) {
  const auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

constexpr std::string_view kVerifier =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  std::string_view rest = text_of({data + 1, size - 1});
  (void)parse_verifier(rest);
  FixedRandom random;
  const Bytes binding = (choice & 2U) != 0 ? bytes_of("certificate hash") : Bytes{};
  const std::array<std::uint8_t, 32> bytes{1};
  if ((choice & 1U) != 0) {
    auto verifier = parse_verifier(kVerifier);
    THERIAC_ASSERT(verifier);
    ScramServer server(std::move(*verifier), binding, (choice & 4U) != 0, random);
    const std::string_view first = (choice & 8U) != 0 ? "n,,n=,r=abc" : take_line(rest);
    const std::string_view mechanism = (choice & 16U) != 0 ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
    (void)server.first(mechanism, first);
    // Nobody here knows the password.
    THERIAC_ASSERT(!server.final(take_line(rest)));
    THERIAC_ASSERT(!server.keys());
    return 0;
  }
  ScramClient client({Key256(std::span<const std::uint8_t, 32>(bytes)),
                      Key256(std::span<const std::uint8_t, 32>(bytes))},
                     binding, random);
  (void)client.first();
  (void)client.final(take_line(rest));
  THERIAC_ASSERT(!client.verify(take_line(rest)));
  return 0;
}
