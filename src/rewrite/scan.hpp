// Two cheap looks at a text before (or instead of) parsing it. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string_view>

namespace theriac::rewrite {

/// An upper bound, to a small factor, of the depth of the syntax tree that `sql` would give. It may
/// be too high, never far too low: it protects the stack (limits.hpp).
int nesting(std::string_view sql);

/// The tag ("SELECT", "INSERT", "UPDATE", "DELETE") if `sql` is one statement without parameters
/// that changes no session state and no schema; nullopt if that is not certain. Only for texts
/// for which Catalogue::may_concern is false.
std::optional<std::string_view> simple_statement(std::string_view sql);

/// What stands behind PREPARE name [(types)] AS; nullopt if `sql` does not begin so.
std::optional<std::string_view> query_behind_as(std::string_view sql);

}  // namespace theriac::rewrite
