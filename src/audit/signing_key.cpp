#include "audit/signing_key.hpp"

#include "base/files.hpp"
#include "base/secret.hpp"
#include "crypto/random.hpp"

namespace theriac::audit {
namespace {

constexpr std::size_t kDigits = 64;

Status make_key(const std::string& path) {
  std::array<std::uint8_t, 32> seed{};
  crypto::SystemRandom().fill(seed);
  auto text = bytes_of(to_hex(seed));
  wipe(seed);
  auto written = replace_file(path, text, 0600);
  wipe(text);
  return written;
}

}  // namespace

Result<crypto::Ed25519Key> signing_key(const std::string& path) {
  auto text = read_small_file(path);
  if (!text && text.error().code == Code::kNotFound) {
    THERIAC_TRY(make_key(path));
    text = read_small_file(path);
  }
  if (!text) return fail(text.error());
  auto seed = text->size() == kDigits ? from_hex(text_of(*text)) : fail(Code::kMalformed);
  wipe(*text);
  if (!seed) return fail(Code::kMalformed, path);
  crypto::Ed25519Key key{Key256(ByteView(*seed).first<32>())};
  wipe(*seed);
  return key;
}

}  // namespace theriac::audit
