// The few types whose names the analysis must know. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "pgwire/types.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// The type an explicit cast names; nullopt for arrays, sets and types that protected columns do
/// not meet.
std::optional<std::uint32_t> type_oid_of(const pg::TypeName& type);

inline bool is_text(std::uint32_t oid) {
  return oid == pgwire::kOidText || oid == pgwire::kOidVarchar;
}
inline bool is_integer(std::uint32_t oid) {
  return oid == pgwire::kOidInt2 || oid == pgwire::kOidInt4 || oid == pgwire::kOidInt8;
}
inline bool is_float(std::uint32_t oid) {
  return oid == pgwire::kOidFloat4 || oid == pgwire::kOidFloat8;
}
inline bool is_address(std::uint32_t oid) {
  return oid == pgwire::kOidInet || oid == pgwire::kOidCidr;
}
/// False if PostgreSQL certainly has no implicit or assignment cast between the two; true for types
/// not known here.
bool may_be_assigned(std::uint32_t from, std::uint32_t to);
inline bool is_number(std::uint32_t oid) { return is_integer(oid) || oid == pgwire::kOidNumeric; }

}  // namespace theriac::rewrite
