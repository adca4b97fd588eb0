// Who a certificate speaks for. The name stands in the subject's CN, role and tenant in URI SANs
// (RFC 5280, section 4.2.1.6): urn:theriac:role:gateway, urn:theriac:tenant:demo.
//
// Pure values. Threading: no shared state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac::pki {

enum class Role : std::uint8_t {
  kKeyd = 1,   ///< the key service itself: the only role with extended key usage serverAuth
  kGateway,    ///< leases keys; one living holder per name
  kProtector,  ///< leases keys for tools (protect, seal, open); several at once
  kAdmin,      ///< key acts; never gets key material
  kAuditor,    ///< reads status and lists
  kServer,     ///< theriacd: leases keys; one living holder per name
  // Callers of theriacd; what each may do stands in api/operations.inc. They get no keys.
  kTraceAdmin,     ///< master data, pools
  kTraceOperator,  ///< allocations and acts of our own
  kTraceQuality,   ///< releases and blocks lots
  kTraceLine,      ///< a packaging line: takes its numbers, tells what became of them
  kTracePartner,   ///< acts at its own places only
  kTraceViewer,    ///< reads
};

/// Programs that lease keys, and may renew their own certificates.
bool leases_keys(Role role);
/// Of those: one living holder per name.
bool is_exclusive(Role role);

std::string_view role_name(Role role);
/// Code::kBadCertificate for anything else than the names of these roles.
Result<Role> parse_role(std::string_view name);

/// Names of programs, people, tenants and classes: 1 to 63 of a-z A-Z 0-9 . _ -, starting with a
/// letter or digit. They stand in certificates, file names, audit entries and logs unescaped.
bool is_valid_name(std::string_view name);

struct Identity {
  std::string name;
  Role role = Role::kAuditor;
  std::string tenant;
  std::string serial;       ///< lower-case hexadecimal
  std::string fingerprint;  ///< SHA-256 of the DER form, lower-case hexadecimal
  std::int64_t not_before_ms = 0;
  std::int64_t not_after_ms = 0;

  friend bool operator==(const Identity&, const Identity&) = default;
};

}  // namespace theriac::pki
