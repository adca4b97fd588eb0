#include "pki/identity.hpp"

#include <array>
#include <utility>

namespace theriac::pki {
namespace {
constexpr std::array<std::pair<Role, std::string_view>, 12> kRoles{{
    {Role::kKeyd, "keyd"},
    {Role::kGateway, "gateway"},
    {Role::kProtector, "protector"},
    {Role::kAdmin, "admin"},
    {Role::kAuditor, "auditor"},
    {Role::kServer, "server"},
    {Role::kTraceAdmin, "trace-admin"},
    {Role::kTraceOperator, "trace-operator"},
    {Role::kTraceQuality, "trace-quality"},
    {Role::kTraceLine, "trace-line"},
    {Role::kTracePartner, "trace-partner"},
    {Role::kTraceViewer, "trace-viewer"},
}};
constexpr std::size_t kNameBytesMax = 63;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
}  // namespace

std::string_view role_name(Role role) {
  for (const auto& [known, name] : kRoles) {
    if (known == role) return name;
  }
  return "unknown";
}

Result<Role> parse_role(std::string_view name) {
  for (const auto& [role, known] : kRoles) {
    if (known == name) return role;
  }
  return fail(Code::kBadCertificate, "role");
}

bool leases_keys(Role role) {
  return role == Role::kGateway || role == Role::kProtector || role == Role::kServer;
}

bool is_exclusive(Role role) { return role == Role::kGateway || role == Role::kServer; }

bool is_valid_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !is_alphanumeric(name.front())) return false;
  for (const char c : name) {
    if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace theriac::pki
