#include "rewrite/create_as.hpp"

#include <algorithm>

#include "rewrite/rewriter.hpp"
#include "rewrite/verify.hpp"

namespace theriac::rewrite {

bool copies_plain_columns(const pg::CreateTableAsStmt& statement, const Catalogue& catalogue,
                          const Context& context) {
  // What a materialised view keeps is read again later, under whatever the table is then.
  if (statement.objtype() != pg::OBJECT_TABLE || !statement.query().has_select_stmt()) return false;
  const auto& name = statement.into().rel().relname();
  const auto& all = catalogue.relations();
  if (catalogue.awaits_table(name) || std::any_of(all.begin(), all.end(), [&](const Relation& one) {
        return one.name == name && one.is_protected();
      })) {
    return false;
  }
  google::protobuf::Arena arena;
  auto* query = google::protobuf::Arena::CreateMessage<pg::Node>(&arena);
  *query = statement.query();
  Rewriter rewriter(catalogue, context);
  if (!rewriter.run(*query) || rewriter.edited() || rewriter.has_into() || rewriter.gathering()) {
    return false;
  }
  return !plain_reference(statement.query(), catalogue, context.search_path);
}

}  // namespace theriac::rewrite
