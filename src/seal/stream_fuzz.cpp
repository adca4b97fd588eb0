// First byte: length of the pieces in which the rest is fed. However a stream is cut into pieces,
// the outcome is the same, and there is never more plaintext than sealed bytes.
#include "seal/stream.hpp"

#include <algorithm>

#include "seal/testing.hpp"

namespace {

using namespace theriac;        // NOLINT
using namespace theriac::seal;  // NOLINT

struct Outcome {
  std::optional<Error> error;
  Bytes plaintext;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome open(ByteView sealed, std::size_t piece) {
  static const std::array<LeasedKey, 2> keys = {
      testing_support::leased(Suite::kXaes256Gcm, Purpose::kStream, 0x50),
      testing_support::leased(Suite::kSm4Gcm, Purpose::kStream, 0xa0)};
  const auto lookup = [](const KeyId& id) -> const LeasedKey* {
    const auto found = std::ranges::find(keys, id, &LeasedKey::id);
    return found == keys.end() ? nullptr : &*found;
  };
  StreamOpener opener(lookup, testing_support::binding().tenant);
  Outcome outcome;
  while (!sealed.empty()) {
    const ByteView now = sealed.first(std::min(piece, sealed.size()));
    if (const Status fed = opener.update(now, outcome.plaintext); !fed) {
      outcome.error = fed.error();
      return outcome;
    }
    sealed = sealed.subspan(now.size());
  }
  if (const Status ended = opener.finish(outcome.plaintext); !ended) outcome.error = ended.error();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView sealed(data + 1, size - 1);
  const Outcome whole = open(sealed, sealed.size() + 1);
  THERIAC_ASSERT(whole.plaintext.size() <= sealed.size());
  THERIAC_ASSERT(open(sealed, std::size_t{data[0]} * 37 + 1) == whole);
  return 0;
}
