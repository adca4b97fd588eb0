// Every certificate the authority issued, and which of them are revoked. A certificate that is not
// in this list is refused even when its signature holds.
//
// Writes expect a transaction of the caller. Threading: as the Database.
#pragma once

#include <string>
#include <vector>

#include "keys/key_table.hpp"
#include "pki/identity.hpp"
#include "store/sqlite.hpp"

namespace theriac::keys {

struct IssuedCertificate {
  pki::Identity identity;
  std::string person;
  std::int64_t revoked_ms = 0;  ///< zero: not revoked
  std::string reason;
};

class CertificateTable {
 public:
  explicit CertificateTable(store::Database& database) : database_(database) {}

  Status add(const pki::Identity& identity, const std::string& person);
  /// Issued here, the same bytes, not revoked; Code::kBadCertificate else.
  Status check(const pki::Identity& identity);
  /// Every certificate of the tenant with that serial or name; Code::kNotFound when there was none
  /// left to revoke.
  Status revoke(std::string_view serial_or_name, std::string_view tenant, const Act& act);
  /// Not ended before `after_ms`, by name.
  Result<std::vector<IssuedCertificate>> list(std::int64_t after_ms);
  /// Serial numbers of the tenant's revoked certificates that have not ended, ordered.
  /// Code::kTooLarge beyond kRevokedCertificatesMax.
  Result<std::vector<std::string>> revoked(std::string_view tenant, std::int64_t now_ms);
  Status forget_ended(std::int64_t before_ms);

 private:
  store::Database& database_;
};

}  // namespace theriac::keys
