#include "keys/certificate_table.hpp"

#include "keys/limits.hpp"

namespace theriac::keys {

Status CertificateTable::add(const pki::Identity& identity, const std::string& person) {
  return database_.run("INSERT INTO certificates VALUES(?,?,?,?,?,?,?,?,0,'')", identity.serial,
                       identity.name, pki::role_name(identity.role), identity.tenant,
                       identity.fingerprint, identity.not_before_ms, identity.not_after_ms, person);
}

Status CertificateTable::check(const pki::Identity& identity) {
  THERIAC_ASSIGN(
      auto row,
      database_.prepare("SELECT fingerprint, revoked_ms FROM certificates WHERE serial = ?"));
  THERIAC_ASSIGN(const bool found, row.bind_all(identity.serial).step());
  if (!found || row.text(0) != identity.fingerprint) {
    return fail(Code::kBadCertificate, "not issued here");
  }
  if (row.integer(1) != 0) return fail(Code::kBadCertificate, "revoked");
  return {};
}

Status CertificateTable::revoke(std::string_view serial_or_name, std::string_view tenant,
                                const Act& act) {
  THERIAC_TRY(
      database_.run("UPDATE certificates SET revoked_ms = ?1, reason = ?2 "
                    "WHERE (serial = ?3 OR name = ?3) AND tenant = ?4 AND revoked_ms = 0",
                    act.at_ms, act.reason, serial_or_name, tenant));
  if (database_.changes() == 0) return fail(Code::kNotFound, "certificate");
  return {};
}

Result<std::vector<IssuedCertificate>> CertificateTable::list(std::int64_t after_ms) {
  THERIAC_ASSIGN(auto row,
                 database_.prepare("SELECT serial, name, role, tenant, fingerprint, not_before_ms, "
                                   "not_after_ms, person, revoked_ms, reason FROM certificates "
                                   "WHERE not_after_ms > ? ORDER BY name, not_after_ms"));
  row.bind_all(after_ms);
  std::vector<IssuedCertificate> all;
  while (true) {
    THERIAC_ASSIGN(const bool more, row.step());
    if (!more) return all;
    IssuedCertificate issued;
    issued.identity.serial = row.text(0);
    issued.identity.name = row.text(1);
    THERIAC_ASSIGN(issued.identity.role, pki::parse_role(row.text(2)));
    issued.identity.tenant = row.text(3);
    issued.identity.fingerprint = row.text(4);
    issued.identity.not_before_ms = row.integer(5);
    issued.identity.not_after_ms = row.integer(6);
    issued.person = row.text(7);
    issued.revoked_ms = row.integer(8);
    issued.reason = row.text(9);
    all.push_back(std::move(issued));
  }
}

Result<std::vector<std::string>> CertificateTable::revoked(std::string_view tenant,
                                                           std::int64_t now_ms) {
  THERIAC_ASSIGN(auto row,
                 database_.prepare("SELECT serial FROM certificates WHERE tenant = ? AND "
                                   "revoked_ms > 0 AND not_after_ms >= ? ORDER BY serial"));
  row.bind_all(tenant, now_ms);
  std::vector<std::string> all;
  while (true) {
    THERIAC_ASSIGN(const bool more, row.step());
    if (!more) return all;
    if (all.size() == kRevokedCertificatesMax) return fail(Code::kTooLarge, "revoked certificates");
    all.emplace_back(row.text(0));
  }
}

Status CertificateTable::forget_ended(std::int64_t before_ms) {
  return database_.run("DELETE FROM certificates WHERE not_after_ms < ?", before_ms);
}

}  // namespace theriac::keys
