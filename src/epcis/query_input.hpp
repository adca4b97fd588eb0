// The values of one parameter, as they came, and their readers: each refuses what is not of its
// type.
//
// Threading: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "epcis/query.hpp"

namespace theriac::epcis {

template <typename T>
using Parsed = tl::expected<T, QueryFault>;
inline tl::unexpected<QueryFault> bad() { return tl::unexpected(QueryFault::kBadValue); }

/// A value and, if it came in JSON, its type there.
struct Value {
  std::string text;
  std::optional<Scalar> type;
};
struct Input {
  std::string name;
  std::vector<Value> values;
};

bool is_query_uom(std::string_view text);
Parsed<std::vector<std::string>> texts_of(const Input& input);
Parsed<std::vector<std::string>> uris_of(const Input& input);
Parsed<std::string> one_text(const Input& input);
Parsed<std::vector<double>> numbers_of(const Input& input);
Parsed<std::int64_t> time_of_input(const Input& input);
/// A positive integer.
Parsed<std::uint64_t> count_of(const Input& input);
/// EXISTS_ parameters: nothing, null, true or a number ask; false does not.
Parsed<bool> asked(const Input& input);

}  // namespace theriac::epcis
