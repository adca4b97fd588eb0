// The masks one by one. Each gives nullopt for a value it cannot take apart: apply_mask() then
// shows the constant of the type. None shows more than policy.hpp says of its kind.
//
// Pure. Threading: free functions on values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pgwire/types.hpp"
#include "policy/characters.hpp"

namespace theriac::policy {

// --- texts (mask_text.cpp) ---
/// The first `head` and last `tail` characters stay, each other becomes one *. A text that has no
/// others is all *.
std::string keep_ends(const Characters& text, std::size_t head, std::size_t tail);
std::string masked_name(const Characters& text);
std::string masked_phone(const Characters& text);
std::optional<std::string> masked_email(std::string_view text);
std::optional<std::string> masked_id_number(const Characters& text);
std::optional<std::string> masked_bank_card(const Characters& text);

// --- addresses (mask_address.cpp) ---
std::optional<std::string> masked_address(std::string_view text);

// --- numbers and dates, in and out in stored form (mask_number.cpp) ---
enum class DatePart : std::uint8_t { kYear, kMonth };
std::optional<std::string> truncated_date(const pgwire::ColumnType& type, std::string_view stored,
                                          DatePart to);
/// Rounded down to a multiple of `size`, which is not 0.
std::optional<std::string> banded(const pgwire::ColumnType& type, std::string_view stored,
                                  std::uint64_t size);

}  // namespace theriac::policy
