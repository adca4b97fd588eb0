// First byte: what to do. Even: the rest is a sealed value from somebody else. Odd: the rest is a
// plaintext to seal, open, and then open once more with one bit changed.
#include <algorithm>

#include "crypto/random.hpp"
#include "seal/sealed.hpp"
#include "seal/testing.hpp"

namespace {

using namespace theriac;        // NOLINT
using namespace theriac::seal;  // NOLINT

struct Fixture {
  std::array<LeasedKey, 2> keys = {
      testing_support::leased(Suite::kXaes256Gcm, Purpose::kData, 0x10),
      testing_support::leased(Suite::kSm4Gcm, Purpose::kData, 0x20)};
  crypto::SystemRandom random;
  Opener opener;
  Fixture() {
    for (const LeasedKey& key : keys) THERIAC_ASSERT(opener.add(key).has_value());
  }
};

void open_foreign(Fixture& fixture, const Binding& binding, ByteView sealed) {
  Bytes out = bytes_of("left from the value before");
  const auto header = parse_header(sealed);
  const Status opened = fixture.opener.open_into(binding, sealed, out);
  if (opened) {
    THERIAC_ASSERT(header.has_value() && header->row == binding.row);
    return;
  }
  THERIAC_ASSERT(out.empty());
  if (!header) THERIAC_ASSERT(opened.error().code == Code::kMalformed);
}

void seal_and_alter(Fixture& fixture, unsigned choice, const Binding& binding, ByteView input) {
  if (input.size() < 4) return;
  const std::size_t where = std::size_t{input[0]} << 8U | input[1];
  const Buckets buckets = (choice & 8U) != 0 ? Buckets{input[2] + 1U, input[3] + 256U} : Buckets{};
  const ByteView plaintext = input.subspan(4);
  auto sealer = Sealer::make(fixture.keys[choice >> 4U & 1U], fixture.random);
  THERIAC_ASSERT(sealer.has_value());
  auto sealed = sealer->seal(binding, buckets, plaintext);
  THERIAC_ASSERT(sealed.has_value());
  Bytes out;
  THERIAC_ASSERT(fixture.opener.open_into(binding, *sealed, out).has_value());
  THERIAC_ASSERT(std::ranges::equal(out, plaintext));
  auto& changed = (*sealed)[where / 8 % sealed->size()];
  changed = static_cast<std::uint8_t>(changed ^ 1U << where % 8);
  THERIAC_ASSERT(!fixture.opener.open_into(binding, *sealed, out).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Fixture fixture;
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const ByteView rest(data + 1, size - 1);
  const Binding binding = testing_support::binding((choice & 2U) != 0);
  if ((choice & 1U) == 0) {
    open_foreign(fixture, binding, rest);
  } else {
    seal_and_alter(fixture, choice, binding, rest);
  }
  return 0;
}
