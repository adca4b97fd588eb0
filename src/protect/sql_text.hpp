// Small pieces of SQL text and of results that every part of protection uses.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "store/pg.hpp"

namespace theriac::protect {

/// {"a","b"}: an array literal for a text[] parameter.
std::string array_text(const std::vector<std::string>& items);
/// "schema"."table"
std::string qualified_sql(std::string_view schema, std::string_view table);

/// An integer of a text-format result; NULL is 0.
template <typename T, typename Answer>
T number_at(const Answer& rows, std::size_t row, std::size_t column) {
  const auto text = rows.value(row, column).value_or("0");
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
/// A text of a result; NULL is empty.
template <typename Answer>
std::string text_at(const Answer& rows, std::size_t row, std::size_t column) {
  return std::string(rows.value(row, column).value_or(""));
}

/// Runs statements one after the other; an error names what was being done.
Status run_all(store::PgConnection& database, const std::vector<std::string>& statements,
               std::string_view doing);
/// `error` with what was being done in front.
tl::unexpected<Error> while_doing(std::string_view doing, const Error& error);

}  // namespace theriac::protect
