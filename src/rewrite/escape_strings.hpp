// Texts of a session with standard_conforming_strings off. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace theriac::rewrite {

/// `sql`, as it reads with standard_conforming_strings off, as a text that reads the same in both
/// ways: each plain string literal has its E. nullopt: it has a literal U&'...', which PostgreSQL
/// refuses then.
std::optional<std::string> with_escape_strings(std::string_view sql);

}  // namespace theriac::rewrite
