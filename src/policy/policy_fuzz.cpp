// Any bytes as a policy: a Policy or Code::kPolicyInvalid with a line, and what was accepted keeps
// its promises.
#include "policy/policy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  const auto parsed = policy::parse_policy(text_of({data, size}), "fuzz");
  if (!parsed) {
    THERIAC_ASSERT(parsed.error().code == Code::kPolicyInvalid);
    THERIAC_ASSERT(parsed.error().where.starts_with("fuzz:"));
    return 0;
  }
  THERIAC_ASSERT(parsed->hash.size() == 64 && !parsed->classes.empty());
  for (const auto& column : parsed->columns) {
    THERIAC_ASSERT(parsed->classes.contains(column.class_name));
    THERIAC_ASSERT(parsed->find(column.schema, column.table, column.column) != nullptr);
  }
  for (const auto& [role, given] : parsed->roles) {
    for (const auto& [name, decision] : given) {
      const auto by_column = parsed->column_roles.find(role);
      if (by_column != parsed->column_roles.end() && by_column->second.contains(name)) {
        continue;  // decided column by column, below
      }
      THERIAC_ASSERT(parsed->decide(role, name, "any.column.at_all").index() == decision.index());
    }
  }
  for (const auto& [role, classes] : parsed->column_roles) {
    for (const auto& [name, columns] : classes) {
      for (const auto& [column, decision] : columns) {
        THERIAC_ASSERT(parsed->decide(role, name, column).index() == decision.index());
      }
      THERIAC_ASSERT(!parsed->may_write(role, name, "no.such.column"));
    }
  }
  THERIAC_ASSERT(
      !parsed->may_write("nobody at all", parsed->classes.begin()->first, "any.column.at_all"));
  return 0;
}
