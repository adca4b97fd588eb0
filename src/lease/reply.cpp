#include "lease/reply.hpp"

#include <algorithm>
#include <set>

#include "lease/limits.hpp"
#include "lease/secret_access.hpp"
#include "pki/identity.hpp"

namespace theriac::lease {
namespace {

tl::unexpected<Error> bad(std::string field) {
  return fail(Code::kProtocol, "reply of the key service: " + std::move(field));
}

Result<std::string> text(const codec::Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return bad(name);
  return found->get<std::string>();
}

Result<std::int64_t> number(const codec::Json& json, const char* name, std::int64_t least,
                            std::int64_t most) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer()) return bad(name);
  const auto value = found->get<std::int64_t>();
  if (value < least || value > most) return bad(name);
  return value;
}

Result<seal::LeasedKey> read_key(const codec::Json& json, ByteView material) {
  if (!json.is_object()) return bad("keys");
  seal::LeasedKey key;
  THERIAC_ASSIGN(const auto id, text(json, "id"));
  THERIAC_ASSIGN(const auto raw_id, from_hex(id));
  THERIAC_ASSIGN(key.id, KeyId::from(raw_id));
  THERIAC_ASSIGN(key.class_name, text(json, "class"));
  THERIAC_ASSIGN(const auto purpose, number(json, "purpose", 1, 3));
  THERIAC_ASSIGN(const auto suite, number(json, "suite", 1, 2));
  THERIAC_ASSIGN(const auto version, number(json, "version", 1, 0x7fff'ffff));
  const auto active = json.find("active");
  if (active == json.end() || !active->is_boolean()) return bad("active");
  key.purpose = static_cast<seal::Purpose>(purpose);
  key.suite = static_cast<seal::Suite>(suite);
  key.version = static_cast<std::uint32_t>(version);
  key.active = active->get<bool>();
  key.material = Key256(std::span<const std::uint8_t, Key256::kSize>(material));
  return key;
}

/// Of a server's lease; others are not told.
Result<std::vector<std::string>> read_revoked_certificates(const codec::Json& body) {
  std::vector<std::string> all;
  const auto found = body.find("revoked_certificates");
  if (found == body.end()) return all;
  if (!found->is_array() || found->size() > kRevokedCertificatesMax) {
    return bad("revoked_certificates");
  }
  for (const auto& serial : *found) {
    if (!serial.is_string()) return bad("revoked_certificates");
    all.push_back(serial.get<std::string>());
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

std::string lease_request(const Wanted& wanted, const std::string& boot, const std::string& nonce,
                          const std::string& token) {
  auto request = make_request(token.empty() ? "lease" : "renew");
  request["boot"] = boot;
  request["nonce"] = nonce;
  request["tenant"] = wanted.tenant;
  request["classes"] = wanted.classes;
  if (!token.empty()) request["token"] = token;
  if (!wanted.suites.empty()) {
    auto suites = codec::Json::object();
    for (const auto& [name, suite] : wanted.suites) suites[name] = static_cast<int>(suite);
    request["suites"] = std::move(suites);
  }
  return codec::canonical_json(request);
}

Result<Granted> read_lease(const Answer& answer, std::int64_t sent_wall_ms,
                           std::int64_t sent_monotonic_ms) {
  Granted granted;
  THERIAC_ASSIGN(granted.token, text(answer.body, "token"));
  THERIAC_ASSIGN(granted.ttl_ms, number(answer.body, "ttl_ms", 0, kLeaseMsMax));
  THERIAC_ASSIGN(const auto tenant, text(answer.body, "tenant"));
  THERIAC_ASSIGN(granted.ring.tenant, id_from_uuid<TenantId>(tenant));
  granted.ring.issued_wall_ms = sent_wall_ms;
  granted.ring.expires_wall_ms = sent_wall_ms + granted.ttl_ms;
  granted.ring.expires_monotonic_ms = sent_monotonic_ms + granted.ttl_ms;

  const auto revoked = answer.body.find("revoked");
  if (revoked == answer.body.end() || !revoked->is_array()) return bad("revoked");
  for (const auto& name : *revoked) {
    if (!name.is_string()) return bad("revoked");
    granted.ring.revoked.push_back(name.get<std::string>());
  }
  THERIAC_ASSIGN(granted.ring.revoked_certificates, read_revoked_certificates(answer.body));
  const auto keys = answer.body.find("keys");
  if (keys == answer.body.end() || !keys->is_array() || keys->size() > kKeysPerReplyMax) {
    return bad("keys");
  }
  auto material = answer.secret.reveal(LeaseSecretAccess::get());
  if (material.size() != keys->size() * Key256::kSize) return bad("secret_bytes");
  std::set<KeyId> ids;
  for (const auto& json : *keys) {
    THERIAC_ASSIGN(auto key, read_key(json, material.first(Key256::kSize)));
    material = material.subspan(Key256::kSize);
    if (!ids.insert(key.id).second) return fail(Code::kKeyCollision, "lease");
    if (seal::commit_key(key.suite, key.purpose, key.material) != key.id) {
      return fail(Code::kKeyCollision, "commitment of a leased key");
    }
    granted.ring.keys.push_back(std::move(key));
  }
  return granted;
}

}  // namespace theriac::lease
