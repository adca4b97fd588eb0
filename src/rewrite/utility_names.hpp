// What the names in DDL and other utility statements mean for protected and awaited tables. Part of
// the analysis of statements that are not queries (utility.hpp, ddl.hpp). Pure.
#pragma once

#include <string_view>

#include "rewrite/catalogue.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

inline constexpr std::string_view kUnprotect = "unprotect the table, change it, protect it again";

Refusal utility_refusal(const Relation* relation, const Column* column, std::string_view construct,
                        std::string_view remedy);
/// The protected relation, or view on one, that a name in this statement may mean; or nullptr.
const Relation* concerned(const pg::RangeVar& range, const Catalogue& catalogue,
                          const Context& context);
const Relation* first_concerned(const Message& tree, const Catalogue& catalogue,
                                const Context& context);
/// The first protected column (or helper) of `relation` that the tree names in any way.
const Column* named_column(const Message& tree, const Relation& relation);
bool has_whole_row(const Message& tree, const Relation& relation);
/// May a table of this name hold awaited columns? An empty schema may mean any.
bool awaits_in(std::string_view schema, std::string_view table, const Catalogue& catalogue);
/// Is this very column awaited in a table of this name, in any schema?
bool awaits_column(std::string_view table, std::string_view column, const Catalogue& catalogue);

}  // namespace theriac::rewrite
