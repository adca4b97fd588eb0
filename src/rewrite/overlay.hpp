// The catalogue overlay: what a client reads of pg_catalog and information_schema is the logical
// model, as if no column were protected. References to catalogues, views and functions that show
// the physical form are redirected to their namesakes in schema theriac_catalog, which `theriac
// protect` makes; which these are the catalogue snapshot says.
#pragma once

#include <optional>

#include "rewrite/catalogue.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// Redirects every reference of a query, or of a statement that holds one; `edited` says whether
/// there was any. Names resolve as in PostgreSQL (common table expressions, search path). An alias
/// keeps the original name. Refused: what names our own schemas, and forms that cannot be kept.
std::optional<Refusal> redirect_catalogues(pg::Node& statement, const Catalogue& catalogue,
                                           const Context& context, bool& edited);

/// Why a view, rule or COPY must not be made with the catalogues it names. A view that reads only
/// those that list objects may stand there as it was written: it shows ours among the others.
std::optional<Refusal> refuse_keeping(pg::Node& statement, const Catalogue& catalogue,
                                      const Context& context);

}  // namespace theriac::rewrite
