#include "keys/key_table.hpp"

#include "codec/json.hpp"
#include "crypto/random.hpp"
#include "keys/wrap.hpp"

namespace theriac::keys {
namespace {

constexpr std::array<std::string_view, 4> kStates{"pending", "active", "deactivated", "suspended"};

Result<State> parse_state(std::string_view name) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == name) return static_cast<State>(i);
  }
  return fail(Code::kNotAuthentic, "state of a key");
}

Bytes aad_of(const Tenant& tenant) {
  return bytes_of(codec::canonical_json({{"label", "theriac/tenant/v1"},
                                         {"id", to_hex(tenant.id.view())},
                                         {"name", tenant.name},
                                         {"state", state_name(tenant.state)},
                                         {"created_ms", tenant.created_ms},
                                         {"changed_ms", tenant.changed_ms},
                                         {"person", tenant.person},
                                         {"reason", tenant.reason}}));
}

Bytes aad_of(const TenantId& tenant, const Version& version) {
  return bytes_of(codec::canonical_json({{"label", "theriac/key/v1"},
                                         {"tenant", to_hex(tenant.view())},
                                         {"class", version.class_name},
                                         {"purpose", static_cast<int>(version.purpose)},
                                         {"version", version.version},
                                         {"id", to_hex(version.id.view())},
                                         {"suite", static_cast<int>(version.suite)},
                                         {"state", state_name(version.state)},
                                         {"resume", state_name(version.resume)},
                                         {"created_ms", version.created_ms},
                                         {"changed_ms", version.changed_ms},
                                         {"person", version.person},
                                         {"reason", version.reason}}));
}

Result<Tenant> read_tenant(const store::Statement& row) {
  Tenant tenant;
  THERIAC_ASSIGN(tenant.id, TenantId::from(row.bytes(0)));
  tenant.name = row.text(1);
  THERIAC_ASSIGN(tenant.state, parse_state(row.text(2)));
  tenant.created_ms = row.integer(3);
  tenant.changed_ms = row.integer(4);
  tenant.person = row.text(5);
  tenant.reason = row.text(6);
  return tenant;
}

constexpr std::string_view kTenantColumns =
    "SELECT id, name, state, created_ms, changed_ms, person, reason, wrapped FROM tenants ";

Result<Version> read_version(const store::Statement& row) {
  Version version;
  version.class_name = row.text(0);
  const auto purpose = row.integer(1);
  const auto suite = row.integer(4);
  if (purpose < 1 || purpose > 3 || suite < 1 || suite > 2 || row.integer(2) < 1 ||
      row.integer(2) > 0x7fff'ffff) {
    return fail(Code::kNotAuthentic, "row of a key");
  }
  version.purpose = static_cast<seal::Purpose>(purpose);
  version.version = static_cast<std::uint32_t>(row.integer(2));
  THERIAC_ASSIGN(version.id, KeyId::from(row.bytes(3)));
  version.suite = static_cast<seal::Suite>(suite);
  THERIAC_ASSIGN(version.state, parse_state(row.text(5)));
  THERIAC_ASSIGN(version.resume, parse_state(row.text(6)));
  version.created_ms = row.integer(7);
  version.changed_ms = row.integer(8);
  version.person = row.text(9);
  version.reason = row.text(10);
  const auto wrapped = row.bytes(11);
  version.wrapped.assign(wrapped.begin(), wrapped.end());
  return version;
}

}  // namespace

std::string_view state_name(State state) { return kStates.at(static_cast<std::size_t>(state)); }

std::string_view purpose_name(seal::Purpose purpose) {
  switch (purpose) {
    case seal::Purpose::kData:
      return "data";
    case seal::Purpose::kIndex:
      return "index";
    case seal::Purpose::kStream:
      return "stream";
  }
  return "unknown";
}

std::string_view suite_name(seal::Suite suite) {
  return suite == seal::Suite::kSm4Gcm ? "sm4" : "aes";
}

Status KeyTable::add_tenant(const Key256& root, const Tenant& tenant) {
  const auto key = crypto::new_key256();
  return database_.run("INSERT INTO tenants VALUES(?,?,?,?,?,?,?,?)", tenant.id.view(), tenant.name,
                       state_name(tenant.state), tenant.created_ms, tenant.changed_ms,
                       tenant.person, tenant.reason,
                       ByteView(wrap_key(root, key, aad_of(tenant), random_)));
}

Result<OpenTenant> KeyTable::open_tenant(const Key256& root, std::string_view name) {
  THERIAC_ASSIGN(auto row, database_.prepare(std::string(kTenantColumns) + "WHERE name = ?"));
  THERIAC_ASSIGN(const bool found, row.bind_all(name).step());
  if (!found) return fail(Code::kNotFound, "tenant");
  THERIAC_ASSIGN(auto tenant, read_tenant(row));
  THERIAC_ASSIGN(auto key, unwrap_key(root, row.bytes(7), aad_of(tenant)));
  return OpenTenant{std::move(tenant), std::move(key)};
}

Result<std::vector<Tenant>> KeyTable::tenants() {
  THERIAC_ASSIGN(auto row, database_.prepare(std::string(kTenantColumns) + "ORDER BY name"));
  std::vector<Tenant> all;
  while (true) {
    THERIAC_ASSIGN(const bool more, row.step());
    if (!more) return all;
    THERIAC_ASSIGN(auto tenant, read_tenant(row));
    all.push_back(std::move(tenant));
  }
}

Status KeyTable::restate_tenant(const Key256& root, OpenTenant& tenant, State state,
                                const Act& act) {
  Tenant next = tenant.tenant;
  next.state = state;
  next.changed_ms = act.at_ms;
  next.person = act.person;
  next.reason = act.reason;
  THERIAC_TRY(database_.run(
      "UPDATE tenants SET state=?, changed_ms=?, person=?, reason=?, wrapped=? WHERE id=?",
      state_name(next.state), next.changed_ms, next.person, next.reason,
      ByteView(wrap_key(root, tenant.key, aad_of(next), random_)), next.id.view()));
  if (database_.changes() != 1) return fail(Code::kConflict, "tenant");
  tenant.tenant = std::move(next);
  return {};
}

Result<std::vector<Version>> KeyTable::versions(const TenantId& tenant,
                                                std::string_view class_name) {
  THERIAC_ASSIGN(
      auto row,
      database_.prepare("SELECT class, purpose, version, id, suite, state, resume, created_ms, "
                        "changed_ms, person, reason, wrapped FROM key_versions "
                        "WHERE tenant = ?1 AND (?2 = '' OR class = ?2) "
                        "ORDER BY class, purpose, version"));
  row.bind_all(tenant.view(), class_name);
  std::vector<Version> all;
  while (true) {
    THERIAC_ASSIGN(const bool more, row.step());
    if (!more) return all;
    THERIAC_ASSIGN(auto version, read_version(row));
    all.push_back(std::move(version));
  }
}

Result<std::size_t> KeyTable::count_classes(const TenantId& tenant) {
  THERIAC_ASSIGN(auto row, database_.prepare(
                               "SELECT count(DISTINCT class) FROM key_versions WHERE tenant = ?"));
  THERIAC_TRY(row.bind_all(tenant.view()).step());
  return static_cast<std::size_t>(row.integer(0));
}

Result<Version> KeyTable::add_version(const OpenTenant& tenant, Version version, const Act& act) {
  return import_version(tenant, std::move(version), crypto::new_key256(), act);
}

Result<Version> KeyTable::import_version(const OpenTenant& tenant, Version version,
                                         const Key256& key, const Act& act) {
  version.id = seal::commit_key(version.suite, version.purpose, key);
  version.resume = version.state;
  version.created_ms = act.at_ms;
  version.changed_ms = act.at_ms;
  version.person = act.person;
  version.reason = act.reason;

  THERIAC_ASSIGN(auto row, database_.prepare("SELECT class FROM key_versions WHERE id = ?"));
  THERIAC_ASSIGN(const bool taken, row.bind_all(version.id.view()).step());
  if (taken) {
    // Whoever holds the id: a key that is not this very key of this tenant must not share it.
    THERIAC_ASSIGN(const auto present, versions(tenant.tenant.id, row.text(0)));
    for (const auto& other : present) {
      if (other.id != version.id) continue;
      THERIAC_ASSIGN(const auto other_key, material(tenant, other));
      if (other_key == key) return fail(Code::kAlreadyExists, "key " + to_hex(version.id.view()));
    }
    return fail(Code::kKeyCollision, "key " + to_hex(version.id.view()));
  }
  THERIAC_TRY(write(tenant, version, key, true));
  return version;
}

Result<Key256> KeyTable::material(const OpenTenant& tenant, const Version& version) {
  THERIAC_ASSIGN(auto key,
                 unwrap_key(tenant.key, version.wrapped, aad_of(tenant.tenant.id, version)));
  // The commitment again, so that what leaves this room is what its id says.
  if (seal::commit_key(version.suite, version.purpose, key) != version.id) {
    return fail(Code::kNotAuthentic, "commitment of a key");
  }
  return key;
}

Status KeyTable::restate(const OpenTenant& tenant, Version& version, State state, State resume,
                         const Act& act) {
  THERIAC_ASSIGN(const auto key, material(tenant, version));
  Version next = version;
  next.state = state;
  next.resume = resume;
  next.changed_ms = act.at_ms;
  next.person = act.person;
  next.reason = act.reason;
  THERIAC_TRY(write(tenant, next, key, false));
  version = std::move(next);
  return {};
}

Status KeyTable::write(const OpenTenant& tenant, Version& version, const Key256& key, bool fresh) {
  version.wrapped = wrap_key(tenant.key, key, aad_of(tenant.tenant.id, version), random_);
  if (fresh) {
    return database_.run("INSERT INTO key_versions VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
                         tenant.tenant.id.view(), version.class_name,
                         static_cast<int>(version.purpose), version.version, version.id.view(),
                         static_cast<int>(version.suite), state_name(version.state),
                         state_name(version.resume), version.created_ms, version.changed_ms,
                         version.person, version.reason, ByteView(version.wrapped));
  }
  THERIAC_TRY(database_.run(
      "UPDATE key_versions SET state=?, resume=?, changed_ms=?, person=?, reason=?, wrapped=? "
      "WHERE tenant=? AND class=? AND purpose=? AND version=?",
      state_name(version.state), state_name(version.resume), version.changed_ms, version.person,
      version.reason, ByteView(version.wrapped), tenant.tenant.id.view(), version.class_name,
      static_cast<int>(version.purpose), version.version));
  if (database_.changes() != 1) return fail(Code::kConflict, "key version");
  return {};
}

}  // namespace theriac::keys
