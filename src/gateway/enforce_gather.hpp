// The second step of a statement that reads its rows first (rewrite::Gather): the rows read become
// arrays, with a sealed value for each row and protected column.
#pragma once

#include <optional>
#include <vector>

#include "gateway/enforce_rows.hpp"
#include "gateway/enforce_slots.hpp"

namespace theriac::gateway {

/// Rows of a gathering select, in binary form.
using GatheredRows = std::vector<std::vector<std::optional<Bytes>>>;

/// The identities that rows to insert take (Gather::keeps_identities).
Refusable<RowIds> kept_identities(const rewrite::Gather& gather, const GatheredRows& rows);

/// The server's error says that the second step met a row whose identity the first did not read.
bool meets_new_row(const rewrite::Statement& statement, ByteView error);
inline const pgwire::ErrorReport kRowAppeared{
    .sqlstate = "40001",
    .message = "theriac: another session inserted a row of this key at the same time",
    .hint = "send the transaction again"};

/// What the arrays are made from.
struct GatherInput {
  const rewrite::Gather& gather;
  const GatheredRows& rows;
  std::vector<std::optional<OutputRule>> rules;  ///< one a column; of kSealed ones only
  const rewrite::Catalogue& catalogue;
  const ClientValues& values;
  const pgwire::TextSettings& settings;
};

/// Appends the array parameters to `filled`, each at the position the plan says.
Refusable<void> fill_arrays(const GatherInput& input, Ciphers& ciphers, Random& random,
                            Filled& filled);

/// Types of the array parameters, to be declared for the server (0: what the text says).
std::vector<std::uint32_t> array_types(const rewrite::Gather& gather);

/// PostgreSQL's binary form of a one-dimensional array.
Bytes binary_array(std::uint32_t element_oid, const std::vector<std::optional<Bytes>>& elements);

}  // namespace theriac::gateway
