// Classes of characters of PostgreSQL's scanner, for those who read a text lexeme by lexeme.
// Source: PostgreSQL 15 manual, 4.1. Pure functions.
#pragma once

namespace theriac::rewrite {

/// Begins a name; every byte of a character outside ASCII does.
inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

}  // namespace theriac::rewrite
