// UTF-8 as PostgreSQL accepts it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
// Threading: free functions on values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace theriac::pgwire {

bool is_utf8(std::string_view text);
/// Characters of valid UTF-8, as varchar(n) counts them.
std::size_t count_characters(std::string_view text);
/// Byte position behind the first `characters` characters; the text's size if it has fewer.
std::size_t position_after(std::string_view text, std::size_t characters);
/// The code point's bytes; it must be one.
void append_utf8(std::string& out, char32_t code);

}  // namespace theriac::pgwire
