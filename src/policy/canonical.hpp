// The names that stand for masks in a policy, and the text a policy's hash is made of.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "policy/policy.hpp"

namespace theriac::policy {

std::optional<MaskKind> mask_named(std::string_view name);
std::string_view mask_name(MaskKind kind);
/// The denial every unknown role or class gets as well.
Denied denied(std::string_view role, std::string_view class_name);

/// Defaults written out, columns in the order of their names: two files that mean the same give the
/// same JSON.
codec::Json to_json(const Policy& policy);
/// SHA-256 of the RFC 8785 text of to_json, hexadecimal.
std::string hash_of(const Policy& policy);

}  // namespace theriac::policy
