// Any text: analyse() must not crash, and what it lets pass must not name a protected plain column.
#include <google/protobuf/arena.h>

#include <cstddef>
#include <cstdint>

#include "rewrite/plan.hpp"
#include "rewrite/test_catalogue.hpp"
#include "rewrite/tree.hpp"
#include "rewrite/verify.hpp"

using namespace theriac;           // NOLINT
using namespace theriac::rewrite;  // NOLINT

namespace {

bool is_query(const pg::Node& node) {
  return node.has_select_stmt() || node.has_insert_stmt() || node.has_update_stmt() ||
         node.has_delete_stmt() || node.has_merge_stmt();
}

void check_sent(const std::string& sql, std::size_t parameters, const Catalogue& catalogue,
                const Context& context) {
  google::protobuf::Arena arena;
  auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  THERIAC_ASSERT(parse(sql, *tree).has_value());
  THERIAC_ASSERT(tree->stmts_size() == 1);
  const auto& statement = tree->stmts(0).stmt();
  THERIAC_ASSERT(highest_parameter(statement) == parameters);
  THERIAC_ASSERT(!plain_reference(statement, catalogue, context.search_path));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto catalogue = testing::test_catalogue();
  static const Context context;
  const auto sql = text_of({data, size});
  const auto plan = analyse(sql, catalogue, context);
  if (!plan) return 0;
  for (const auto& statement : plan->statements) {
    THERIAC_ASSERT(statement.refusal.has_value() == (statement.action == Action::kRefuse));
    if (statement.action == Action::kRefuse || statement.action == Action::kPrepare) continue;
    if (statement.action == Action::kForward) {
      if (!catalogue.may_concern(statement.text)) continue;
      google::protobuf::Arena arena;
      auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
      if (!parse(statement.text, *tree) || tree->stmts_size() != 1) continue;
      if (!is_query(tree->stmts(0).stmt())) continue;
      THERIAC_ASSERT(!plain_reference(tree->stmts(0).stmt(), catalogue, context.search_path));
      continue;
    }
    std::size_t arrays = 0;
    if (statement.gather) {
      arrays = statement.gather->arrays.size();
      THERIAC_ASSERT(statement.gather->first_parameter == statement.slots.size() + 1);
      check_sent(statement.gather->sql, statement.gather->slots.size(), catalogue, context);
    }
    check_sent(statement.sql, statement.slots.size() + arrays, catalogue, context);
    for (const auto& output : statement.outputs) {
      const auto* relation = catalogue.find(output.origins.front().relation_oid);
      THERIAC_ASSERT(relation != nullptr);
      const auto* column = relation->find_attribute(output.origins.front().attribute);
      THERIAC_ASSERT(column != nullptr && column->protection.has_value());
      for (const auto slot : output.found_by) THERIAC_ASSERT(slot < statement.slots.size());
    }
  }
  return 0;
}
