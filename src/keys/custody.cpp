#include "keys/custody.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "codec/base64.hpp"
#include "codec/json.hpp"
#include "crypto/random.hpp"
#include "keys/limits.hpp"
#include "keys/secret_access.hpp"
#include "keys/wrap.hpp"

namespace theriac::keys {
namespace {

constexpr std::size_t kSaltBytes = 16;

codec::Json public_part(const crypto::Argon2Cost& cost, ByteView salt) {
  return {{"format", 1},           {"kdf", "argon2id"},
          {"lanes", cost.lanes},   {"memory_kib", cost.memory_kib},
          {"passes", cost.passes}, {"salt", codec::to_base64(salt)}};
}

Result<std::uint32_t> number(const codec::Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned() ||
      found->get<std::uint64_t>() > 0xffff'ffffU) {
    return fail(Code::kMalformed, std::string("custody file: ") + name);
  }
  return found->get<std::uint32_t>();
}

Result<Bytes> base64_field(const codec::Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) {
    return fail(Code::kMalformed, std::string("custody file: ") + name);
  }
  return codec::from_base64(found->get_ref<const std::string&>());
}

Status write_custody(const std::string& path, const Key256& root, const SecretBytes& passphrase,
                     const crypto::Argon2Cost& cost, Random& random) {
  std::array<std::uint8_t, kSaltBytes> salt{};
  random.fill(salt);
  THERIAC_ASSIGN(const auto wrapping, crypto::derive_argon2id(passphrase, salt, cost));
  auto json = public_part(cost, salt);
  const auto wrapped = wrap_key(wrapping, root, view_of(codec::canonical_json(json)), random);
  json["wrapped"] = codec::to_base64(wrapped);
  return replace_file(path, view_of(codec::canonical_json(json) + "\n"), 0600);
}

}  // namespace

Result<SecretBytes> read_passphrase(const std::string& path) {
  THERIAC_ASSIGN(auto bytes, read_small_file(path));
  const auto end = std::find_if(bytes.begin(), bytes.end(),
                                [](std::uint8_t c) { return c == '\n' || c == '\r'; });
  SecretBytes passphrase(ByteView(bytes.data(), static_cast<std::size_t>(end - bytes.begin())));
  wipe(bytes);
  if (passphrase.size() < kPassphraseBytesMin || passphrase.size() > kPassphraseBytesMax) {
    return fail(Code::kUsage, "the passphrase must have 12 to 1024 bytes: " + path);
  }
  return passphrase;
}

Result<Key256> create_custody(const std::string& path, const SecretBytes& passphrase,
                              const crypto::Argon2Cost& cost, Random& random) {
  const auto present = read_small_file(path);
  if (present || present.error().code != Code::kNotFound) return fail(Code::kAlreadyExists, path);
  auto root = crypto::new_key256();
  THERIAC_TRY(write_custody(path, root, passphrase, cost, random));
  return root;
}

Status change_passphrase(const std::string& path, const SecretBytes& old_passphrase,
                         const SecretBytes& new_passphrase, const crypto::Argon2Cost& cost,
                         Random& random) {
  THERIAC_ASSIGN(const auto root, open_custody(path, old_passphrase));
  return write_custody(path, root, new_passphrase, cost, random);
}

Result<Key256> open_custody(const std::string& path, const SecretBytes& passphrase) {
  THERIAC_ASSIGN(const auto bytes, read_small_file(path));
  THERIAC_ASSIGN(auto json, codec::parse_json(text_of(bytes)));
  if (!json.is_object()) return fail(Code::kMalformed, "custody file");
  THERIAC_ASSIGN(const auto wrapped, base64_field(json, "wrapped"));
  THERIAC_ASSIGN(const auto salt, base64_field(json, "salt"));
  crypto::Argon2Cost cost;
  THERIAC_ASSIGN(cost.memory_kib, number(json, "memory_kib"));
  THERIAC_ASSIGN(cost.passes, number(json, "passes"));
  THERIAC_ASSIGN(cost.lanes, number(json, "lanes"));
  json.erase("wrapped");
  if (salt.size() != kSaltBytes || json != public_part(cost, salt)) {
    return fail(Code::kMalformed, "custody file");
  }
  THERIAC_ASSIGN(const auto wrapping, crypto::derive_argon2id(passphrase, salt, cost));
  auto root = unwrap_key(wrapping, wrapped, view_of(codec::canonical_json(json)));
  if (!root) return fail(Code::kWrongPassphrase, path);
  return root;
}

}  // namespace theriac::keys
