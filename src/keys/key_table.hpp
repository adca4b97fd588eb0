// Tenants and key versions as rows: wrapped, every column of metadata part of the AAD, so that a
// row edited in the file does not open (Code::kNotAuthentic), and a suspended version cannot be
// made active by anybody without the root key.
//
// States (SP 800-57 part 1, section 7): pending (distributed, opens only), active (seals and opens;
// one per class and purpose), deactivated (opens only), suspended (nothing; `resume` says what it
// goes back to).
//
// Writes expect a transaction of the caller. Threading: as the Database.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "seal/keys.hpp"
#include "store/sqlite.hpp"

namespace theriac::keys {

enum class State : std::uint8_t { kPending, kActive, kDeactivated, kSuspended };
std::string_view state_name(State state);
std::string_view purpose_name(seal::Purpose purpose);
std::string_view suite_name(seal::Suite suite);

/// Who did something, when and why.
struct Act {
  std::string person;
  std::string reason;
  std::int64_t at_ms = 0;
};

struct Tenant {
  TenantId id;
  std::string name;
  State state = State::kActive;  ///< active or suspended
  std::int64_t created_ms = 0;
  std::int64_t changed_ms = 0;
  std::string person;
  std::string reason;
};

/// A tenant with its key-encryption key.
struct OpenTenant {
  Tenant tenant;
  Key256 key;
};

struct Version {
  std::string class_name;
  seal::Purpose purpose = seal::Purpose::kData;
  std::uint32_t version = 0;
  KeyId id;
  seal::Suite suite = seal::Suite::kXaes256Gcm;
  State state = State::kActive;
  State resume = State::kActive;  ///< equal to `state` unless suspended
  std::int64_t created_ms = 0;
  std::int64_t changed_ms = 0;
  std::string person;
  std::string reason;
  Bytes wrapped;
};

class KeyTable {
 public:
  KeyTable(store::Database& database, Random& random) : database_(database), random_(random) {}

  Status add_tenant(const Key256& root, const Tenant& tenant);
  /// Code::kNotFound for an unknown name.
  Result<OpenTenant> open_tenant(const Key256& root, std::string_view name);
  Result<std::vector<Tenant>> tenants();
  Status restate_tenant(const Key256& root, OpenTenant& tenant, State state, const Act& act);

  /// Metadata as it stands in the file; not authenticated before material() has opened the row.
  /// Ordered by class, purpose, version. An empty name: all classes.
  Result<std::vector<Version>> versions(const TenantId& tenant, std::string_view class_name);
  Result<std::size_t> count_classes(const TenantId& tenant);
  /// Makes a key of `class_name` and adds its row. Code::kKeyCollision when its id is taken.
  Result<Version> add_version(const OpenTenant& tenant, Version metadata, const Act& act);
  /// Adds a key made elsewhere: the same key again is Code::kAlreadyExists, another key of the same
  /// id kKeyCollision.
  Result<Version> import_version(const OpenTenant& tenant, Version metadata, const Key256& key,
                                 const Act& act);
  Result<Key256> material(const OpenTenant& tenant, const Version& version);
  Status restate(const OpenTenant& tenant, Version& version, State state, State resume,
                 const Act& act);

 private:
  Status write(const OpenTenant& tenant, Version& version, const Key256& key, bool fresh);
  store::Database& database_;
  Random& random_;
};

}  // namespace theriac::keys
