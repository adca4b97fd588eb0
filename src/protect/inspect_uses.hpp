// What in the database uses a column besides the programs: views, rules, policies, triggers,
// constraints, generated columns, functions, publications. Part of inspect.
#pragma once

#include "protect/inspect.hpp"
#include "protect/target.hpp"

namespace theriac::protect {

/// Adds the findings on everything that uses the targets (tables that exist and are not protected
/// yet), and the uses.
Status inspect_uses(store::PgConnection& database, const std::vector<Target>& targets,
                    Inspection& out);
/// Adds the uses that no finding is made of, and those of the database as a whole (event triggers,
/// replication slots). After inspect_uses() and inspect_views(), whose verdict on views it repeats.
Status list_uses(store::PgConnection& database, const std::vector<Target>& targets,
                 Inspection& out);

/// The questions whose answer protect refuses, for functions that ask them in the database: $1
/// oid[], $2 int2[], $3 text[] of relations, attributes and names; rows of (place, name of the
/// use).
struct RefusingQuestion {
  std::string sql, what, remedy;  ///< {} in `what` is the name
};
std::vector<RefusingQuestion> refusing_questions();
/// Triggers that may read a column; $4 text[]: the names, escaped for regular expressions.
std::string trigger_question();

}  // namespace theriac::protect
