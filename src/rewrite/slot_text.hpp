// The text of a rewritten statement with its slots written into it, for statements that take no
// parameters (COPY). Only bytes that may be seen by the server stand there: sealed values, blind
// indexes and row ids; a client's own parameter (kPass) never.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rewrite/plan.hpp"

namespace theriac::rewrite {

/// `sql` with each $n as a literal of bytea (kRowId: uuid); `values[i]` fills `slots[i]`, nullopt
/// is NULL. Code::kInternal for a kPass slot, a $n beyond the slots, or another number of values;
/// Code::kSyntax if `sql` cannot be read. Threading: thread-safe.
Result<std::string> with_literals(std::string_view sql, const std::vector<Slot>& slots,
                                  std::span<const std::optional<ByteView>> values);

}  // namespace theriac::rewrite
