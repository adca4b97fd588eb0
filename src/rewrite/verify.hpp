// A second, independent look at a statement before it is sent: could any name in it still mean a
// protected plain column? It shares nothing with the Rewriter but the tree, and when in doubt it
// says yes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rewrite/catalogue.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// The first such column ("public.customers.name"), or nullopt. `SET c = NULL` is allowed.
/// `statement` is a SELECT, INSERT, UPDATE or DELETE, or a DECLARE or EXPLAIN of one.
std::optional<std::string> plain_reference(const pg::Node& statement, const Catalogue& catalogue,
                                           const std::vector<std::string>& search_path);

}  // namespace theriac::rewrite
