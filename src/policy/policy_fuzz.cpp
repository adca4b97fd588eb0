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
      THERIAC_ASSERT(parsed->decide(role, name).index() == decision.index());
    }
  }
  THERIAC_ASSERT(!parsed->may_write("nobody at all", parsed->classes.begin()->first));
  return 0;
}
