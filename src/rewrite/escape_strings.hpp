// Texts of a session with standard_conforming_strings off. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace theriac::rewrite {

/// `sql`, as it reads with standard_conforming_strings off, as a text that reads the same in both
/// ways: each plain string literal has its E. The error: where a literal U&'...' begins (bytes),
/// which PostgreSQL refuses then.
tl::expected<std::string, std::size_t> with_escape_strings(std::string_view sql);

}  // namespace theriac::rewrite
