#include "policy/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "policy/canonical.hpp"
#include "policy/limits.hpp"

namespace theriac::policy {
namespace {

using testing::HasSubstr;

const std::string kGood = R"(version: 1
tenant: demo
classes:
  contact: {suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 900, strict: false}
  formula: {suite: sm4, bind_rows: true, grace_s: 0, strict: true}
columns:
  - {table: public.customers, column: name, class: contact, searchable: true,
     domain: person_name, accept_leakage: true}
  - {table: public.formulas, column: text, class: formula}
roles:
  erp_app: {contact: clear, formula: clear}
  warehouse: {contact: {mask: name}, formula: denied}
)";

/// kGood with one text replaced by another.
std::string changed(std::string_view from, std::string_view to) {
  auto text = kGood;
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return text;
}

void expect_refused(const std::string& yaml, std::string_view where) {
  const auto parsed = parse_policy(yaml, "p.yaml");
  ASSERT_FALSE(parsed) << yaml;
  EXPECT_EQ(parsed.error().code, Code::kPolicyInvalid);
  EXPECT_THAT(parsed.error().where, HasSubstr(where));
}

TEST(PolicyParse, ReadsEveryKey) {
  const auto parsed = parse_policy(kGood, "p.yaml");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->tenant, "demo");
  const auto& contact = parsed->classes.at("contact");
  EXPECT_EQ(contact.suite, seal::Suite::kXaes256Gcm);
  EXPECT_EQ(contact.buckets, (seal::Buckets{16, 32, 64}));
  EXPECT_EQ(contact.grace_s, 900U);
  EXPECT_FALSE(contact.bind_rows);
  const auto& formula = parsed->classes.at("formula");
  EXPECT_EQ(formula.suite, seal::Suite::kSm4Gcm);
  EXPECT_TRUE(formula.bind_rows);
  EXPECT_TRUE(formula.strict);
  EXPECT_EQ(formula.grace_s, 0U);
  EXPECT_TRUE(formula.buckets.empty());
  const auto* name = parsed->find("public", "customers", "name");
  ASSERT_NE(name, nullptr);
  EXPECT_EQ(name->domain, "person_name");
  EXPECT_TRUE(name->searchable);
  EXPECT_TRUE(name->accept_leakage);
  EXPECT_EQ(parsed->find("public", "formulas", "text")->domain, "public.formulas.text");
  EXPECT_EQ(parsed->find("public", "formulas", "other"), nullptr);
}

TEST(PolicyParse, ReadsAcceptedTriggers) {
  const auto parsed =
      parse_policy(changed("column: text, class: formula",
                           "column: text, class: formula, accept_triggers: [touch, \"Log it\"]"),
                   "p.yaml");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_THAT(parsed->find("public", "formulas", "text")->accept_triggers,
              testing::ElementsAre("touch", "Log it"));
  EXPECT_NE(parsed->hash, parse_policy(kGood, "p.yaml")->hash);
  expect_refused(changed("column: text, class: formula",
                         "column: text, class: formula, accept_triggers: touch"),
                 "accept_triggers: a list");
}

TEST(PolicyParse, RolesMayExportOrBackUp) {
  const auto parsed = parse_policy(
      kGood + "  dumper: {export: true, contact: clear}\n  keeper: {backup: true}\n", "p.yaml");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_THAT(parsed->exports, testing::ElementsAre("dumper"));
  EXPECT_THAT(parsed->backups, testing::ElementsAre("keeper"));
  EXPECT_TRUE(parsed->may_write("dumper", "contact", "public.customers.name"));
  EXPECT_FALSE(parsed->may_write("keeper", "contact", "public.customers.name"));
  // It is part of what the hash stands for.
  const auto other = parse_policy(
      kGood + "  dumper: {export: false, contact: clear}\n  keeper: {backup: true}\n", "p.yaml");
  EXPECT_NE(parsed->hash, other->hash);
  expect_refused(kGood + "  dumper: {export: true, contact: {mask: name}}\n", "an export role");
  expect_refused(kGood + "  keeper: {backup: true, contact: clear}\n", "a backup role");
  expect_refused(kGood + "  keeper: {backup: true, contact: {mask: name}}\n", "a backup role");
  expect_refused(kGood + "  both: {backup: true, export: true}\n", "exclude each other");
  expect_refused(kGood + "  keeper: {backup: yes}\n", "backup: true or false");
  expect_refused(changed("  contact: {suite", "  export: {suite"), "meaning of their own");
}

TEST(PolicyParse, NamesTheLineOfWhatIsWrong) {
  expect_refused(changed("tenant: demo", "tenant: demo\ncolour: red"),
                 "p.yaml:3: unknown key: colour");
  expect_refused(changed("strict: false}", "strict: no}"), "p.yaml:4: strict");
  expect_refused(changed("class: formula}", "class: formulas}"), "p.yaml:9: class: unknown");
  expect_refused(changed("warehouse: {contact", "warehouse: {contacts"), "p.yaml:12: roles");
}

TEST(PolicyParse, RefusesWhatIsMissing) {
  expect_refused("", "empty");
  expect_refused("version: 1\n", "tenant is missing");
  expect_refused(changed("version: 1\n", ""), "version is missing");
  expect_refused(changed("version: 1", "version: 2"), "only 1");
  expect_refused(changed("version: 1", "version: '1'"), "only 1");
  expect_refused(changed("class: contact, ", ""), "class is missing");
  expect_refused(changed(", column: name", ""), "column is missing");
  expect_refused("version: 1\ntenant: t\nclasses: {}\ncolumns: []\nroles: {}\n", "at least one");
}

TEST(PolicyParse, RefusesWhatStandsTwice) {
  expect_refused(changed("tenant: demo", "tenant: demo\ntenant: demo"), "p.yaml:3: a key stands");
  expect_refused(changed("column: text, class: formula", "column: text, class: formula, class: a"),
                 "twice");
  expect_refused(
      changed("{table: public.formulas, column: text", "{table: public.customers, column: name"),
      "p.yaml:9: columns: this column stands here twice");
  expect_refused(changed("  warehouse:", "  erp_app:"), "twice");
  expect_refused(changed("formula: denied}", "contact: denied}"), "twice");
}

TEST(PolicyParse, RefusesContradictions) {
  expect_refused(changed("buckets: [16, 32, 64]", "buckets: [16, 16]"), "larger than the one");
  expect_refused(changed("buckets: [16, 32, 64]", "buckets: [32, 16]"), "larger than the one");
  expect_refused(changed("buckets: [16, 32, 64]", "buckets: [0]"), "whole number");
  expect_refused(changed("buckets: [16, 32, 64]", "buckets: 16"), "a list");
  expect_refused(changed("searchable: true,", "searchable: false,"), "p.yaml:7");
  expect_refused(changed("column: text, class: formula", "column: text, class: formula, domain: d"),
                 "not searchable");
  expect_refused(changed("column: text, class: formula",
                         "column: text, class: formula, searchable: true, domain: person_name"),
                 "one class");
  expect_refused(changed("grace_s: 900", "grace_s: 86401"), "from 0 to 86400");
  expect_refused(changed("grace_s: 900", "grace_s: -1"), "whole number");
  expect_refused(changed("grace_s: 900", "grace_s: 9e2"), "whole number");
  expect_refused(changed("suite: aes", "suite: rot13"), "aes or sm4");
  expect_refused(changed("contact: clear", "contact: maybe"), "clear, denied or");
  expect_refused(changed("{mask: name}", "{mask: nose}"), "mask: name, phone");
  expect_refused(changed("{mask: name}", "{mask: name, also: x}"), "unknown key: also");
  expect_refused(changed("bind_rows: false", "mask: name"), "unknown key: mask");
}

TEST(PolicyParse, RefusesNamesThatMeanSomethingElse) {
  expect_refused(changed("public.customers", "customers"), "schema.table is expected");
  expect_refused(changed("public.customers", "a.b.c"), "schema.table is expected");
  expect_refused(changed("public.customers", "pg_catalog.pg_class"), "system tables");
  expect_refused(changed("public.customers", "theriac.columns"), "system tables");
  expect_refused(changed("public.customers", "public." + std::string(64, 'x')), "schema.table");
  expect_refused(changed("column: name", "column: theriac_row"), "column:");
  expect_refused(changed("  erp_app:", "  postgres:"), "system role");
  expect_refused(changed("  erp_app:", "  pg_read_all_data:"), "system role");
  expect_refused(changed("tenant: demo", "tenant: Dé mo"), "tenant");
}

TEST(PolicyParse, ReadsQuotedTableNames) {
  const auto parsed =
      parse_policy(changed("public.customers", R"('"my.schema"."a""b"')"), "p.yaml");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_NE(parsed->find("my.schema", "a\"b", "name"), nullptr);
  expect_refused(changed("public.customers", R"('"my.schema".a"b')"), "quote");
  expect_refused(changed("public.customers", R"('"my.schema')"), "quote");
}

TEST(PolicyParse, RefusesYamlThatHides) {
  expect_refused(changed("tenant: demo", "tenant: &t demo"), "anchors");
  expect_refused(changed("tenant: demo", "tenant: *t"), "p.yaml:2");
  expect_refused(changed("tenant: demo", "tenant: !secret demo"), "tags");
  expect_refused(kGood + "---\nversion: 1\n", "second document");
  expect_refused("[[[[[[[[[1]]]]]]]]]", "nested too deep");
  expect_refused("? [a]\n: b\n", "key must be a text");
  expect_refused("a: [", "not well-formed");
  expect_refused(kGood + std::string("\0x", 2), "zero byte");
  expect_refused(kGood + "\xff", "not UTF-8");
}

TEST(PolicyParse, HoldsItsLimits) {
  const auto with_classes = [](std::size_t count) {
    std::string text = "version: 1\ntenant: t\nclasses:\n";
    for (std::size_t i = 0; i < count; ++i) text += "  c" + std::to_string(i) + ": {}\n";
    return text + "columns: []\nroles: {}\n";
  };
  EXPECT_TRUE(parse_policy(with_classes(kClassesMax), "p"));
  expect_refused(with_classes(kClassesMax + 1), "too many");
  std::string padded = kGood + "# ";
  padded.resize(kPolicyBytesMax, 'x');
  EXPECT_TRUE(parse_policy(padded, "p"));
  expect_refused(padded + "x", "4 MiB");
}

TEST(PolicyHash, IsOfTheMeaning) {
  const auto first = parse_policy(kGood, "a").value();
  EXPECT_EQ(first.hash.size(), 64U);
  const auto reordered = parse_policy(
      "# the same\n" +
          changed("  contact: {suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 900, "
                  "strict: false}",
                  "  contact: {buckets: [16, 32, 64]}"),
      "b");
  ASSERT_TRUE(reordered);
  EXPECT_EQ(reordered->hash, first.hash);
  const auto other = parse_policy(changed("{mask: name}", "{mask: phone}"), "c").value();
  EXPECT_NE(other.hash, first.hash);
}

std::string with_search(const std::string& search) {
  return "version: 1\ntenant: t\nclasses: {c: {}, d: {}}\ncolumns:\n"
         "  - {table: p.t, column: a, class: c, searchable: true, domain: x, search: " +
         search + "}\n  - {table: p.t, column: b, class: d, search: [lower]}\nroles: {}\n";
}

TEST(PolicySearch, GivesEachExpressionADomain) {
  const auto parsed =
      parse_policy(with_search("[lower, {name: last4, expression: \"RIGHT(value,4)\"}, "
                               "{name: own, expression: \"upper(value)\", domain: y}]"),
                   "p");
  ASSERT_TRUE(parsed) << parsed.error().message();
  const auto& searches = parsed->find("p", "t", "a")->searches;
  ASSERT_EQ(searches.size(), 3U);
  EXPECT_EQ(searches[0].domain, "x|lower(value)");
  EXPECT_EQ(searches[1].domain, "x|right(value, 4)");
  EXPECT_EQ(searches[2].domain, "y");
  EXPECT_EQ(parsed->find("p", "t", "b")->searches[0].domain, "p.t.b|lower(value)");
  EXPECT_FALSE(parsed->find("p", "t", "b")->searchable);
  EXPECT_NE(parse_policy(with_search("[lower]"), "p")->hash, parsed->hash);
}

TEST(PolicySearch, TakesNothingElse) {
  expect_refused(with_search("[trim]"), "lower, upper or");
  expect_refused(with_search("lower"), "a list");
  expect_refused(with_search("[lower, lower]"), "twice");
  expect_refused(with_search("[{name: A, expression: lower(value)}]"), "a name is");
  expect_refused(with_search("[{name: a, expression: value}]"), "expression");
  expect_refused(with_search("[{name: a, expression: substr(value)}]"), "expression");
  expect_refused(with_search("[{name: a}]"), "expression");
  expect_refused(with_search("[{name: a, expression: lower(value), domain: x}]"),
                 "one for columns and for expressions");
  expect_refused(
      with_search("[{name: a, expression: upper(value), domain: \"p.t.b|lower(value)\"}]"),
      "one class");
}

/// kGood with a second column of class contact and another rule for the warehouse.
std::string with_rule(std::string_view rule) {
  auto text = changed("contact: {mask: name}", "contact: " + std::string(rule));
  const auto at = text.find("  - {table: public.formulas");
  text.insert(at, "  - {table: public.customers, column: phone, class: contact}\n");
  return text;
}

TEST(PolicyMasks, TakeSettingsOfTheirOwn) {
  const auto mask = [](std::string_view rule) {
    const auto policy = parse_policy(with_rule(rule), "p");
    EXPECT_TRUE(policy) << rule << policy.error().message();
    return std::get<Masked>(policy->decide("warehouse", "contact", "public.customers.name"));
  };
  EXPECT_EQ(mask("{mask: band, size: 1000}").size, 1000U);
  EXPECT_EQ(mask("{mask: serial, first: 3, last: 2}").first, 3U);
  EXPECT_EQ(mask("{mask: serial, first: 3, last: 2}").last, 2U);
  EXPECT_EQ(mask("{mask: constant, value: hidden}").value, "hidden");
  EXPECT_EQ(mask("{mask: constant}").value, std::nullopt);
  EXPECT_EQ(mask("{mask: pseudonym, recipient: cro-basel}").recipient, "cro-basel");
  EXPECT_TRUE(mask("{mask: name, search: allowed}").search);
  EXPECT_FALSE(mask("{mask: name}").search);
  expect_refused(with_rule("{mask: band}"), "size is missing");
  expect_refused(with_rule("{mask: band, size: 0}"), "size: a whole number");
  expect_refused(with_rule("{mask: band, size: 1000000001}"), "size: a whole number");
  expect_refused(with_rule("{mask: name, size: 10}"), "unknown key: size");
  expect_refused(with_rule("{mask: serial, first: 3}"), "last is missing");
  expect_refused(with_rule("{mask: serial, first: 33, last: 0}"), "first: a whole number");
  expect_refused(with_rule("{mask: pseudonym}"), "recipient is missing");
  expect_refused(with_rule("{mask: pseudonym, recipient: 'a b'}"), "recipient: 1 to 63");
  expect_refused(with_rule("{mask: name, search: true}"), "search: allowed is expected");
  expect_refused(with_rule("{mask: constant, value: " + std::string(1001, 'x') + "}"), "value:");
}

TEST(PolicyMasks, AColumnMayHaveARuleOfItsOwn) {
  const auto policy = parse_policy(
      with_rule("{mask: name, columns: {public.customers.phone: {mask: phone, search: allowed}}}"),
      "p");
  ASSERT_TRUE(policy) << policy.error().message();
  const auto how = [&](std::string_view column) {
    return std::get<Masked>(policy->decide("warehouse", "contact", column)).how;
  };
  EXPECT_EQ(how("public.customers.name"), MaskKind::kName);
  EXPECT_EQ(how("public.customers.phone"), MaskKind::kPhone);
  // A column the policy does not know gets nothing, not what the class gets.
  EXPECT_TRUE(std::holds_alternative<Denied>(policy->decide("warehouse", "contact", "x.y.z")));
  EXPECT_TRUE(policy->may_search("warehouse", "contact", "public.customers.phone"));
  EXPECT_FALSE(policy->may_search("warehouse", "contact", "public.customers.name"));
  EXPECT_FALSE(policy->may_write("warehouse", "contact", "public.customers.phone"));
  EXPECT_GT(policy->line_of("warehouse", policy->columns[1]), 0U);
  EXPECT_EQ(policy->line_of("nobody", policy->columns[1]), 0U);
  EXPECT_NE(policy->hash, parse_policy(with_rule("{mask: name}"), "p")->hash);
}

TEST(PolicyMasks, RestIsForTheOtherColumns) {
  const auto policy =
      parse_policy(with_rule("{rest: denied, columns: {public.customers.phone: clear}}"), "p");
  ASSERT_TRUE(policy) << policy.error().message();
  EXPECT_TRUE(policy->may_write("warehouse", "contact", "public.customers.phone"));
  EXPECT_TRUE(std::holds_alternative<Denied>(
      policy->decide("warehouse", "contact", "public.customers.name")));
  expect_refused(with_rule("{rest: clear}"), "no columns");
  expect_refused(with_rule("{rest: {mask: name}, columns: {public.customers.phone: clear}}"),
                 "rest: clear or denied");
  expect_refused(with_rule("{mask: name, columns: {}}"), "columns: a map");
  expect_refused(with_rule("{mask: name, columns: {public.formulas.text: clear}}"),
                 "a column of the class");
  expect_refused(with_rule("{mask: name, columns: {public.customers.none: clear}}"),
                 "a column of the class");
  expect_refused(
      with_rule("{mask: name, columns: {public.customers.phone: {mask: phone, columns: {}}}}"),
      "unknown key: columns");
  expect_refused(with_rule("{mask: name, columns: {public.customers.phone: clear, "
                           "'\"public\".customers.phone': denied}}"),
                 "stands here twice");
}

TEST(PolicyDecide, DeniesByDefault) {
  const auto policy = parse_policy(kGood, "p").value();
  EXPECT_TRUE(
      std::holds_alternative<Clear>(policy.decide("erp_app", "contact", "public.customers.name")));
  const auto masked = policy.decide("warehouse", "contact", "public.customers.name");
  ASSERT_TRUE(std::holds_alternative<Masked>(masked));
  EXPECT_EQ(std::get<Masked>(masked).how, MaskKind::kName);
  for (const auto& [role, name] : std::vector<std::pair<std::string, std::string>>{
           {"warehouse", "formula"}, {"nobody", "contact"}, {"erp_app", "no_class"}, {"", ""}}) {
    const auto decision = policy.decide(role, name, "public.customers.name");
    ASSERT_TRUE(std::holds_alternative<Denied>(decision)) << role << " " << name;
    EXPECT_THAT(std::get<Denied>(decision).reason, HasSubstr("role"));
    EXPECT_FALSE(policy.may_write(role, name, "public.customers.name"));
    EXPECT_FALSE(policy.may_search(role, name, "public.customers.name"));
  }
  EXPECT_TRUE(policy.may_write("erp_app", "contact", "public.customers.name"));
  EXPECT_TRUE(policy.may_search("erp_app", "formula", "public.customers.name"));
  EXPECT_FALSE(policy.may_write("warehouse", "contact", "public.customers.name"));
  EXPECT_FALSE(policy.may_search("warehouse", "contact", "public.customers.name"));
}

TEST(PolicyLoad, SaysWhichFile) {
  const auto missing = load_policy("/nonexistent/policy.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  for (const auto* file : {"/policies/example.yaml"}) {
    const auto example = load_policy(std::string(THERIAC_SOURCE_DIR) + file);
    EXPECT_TRUE(example) << example.error().message();
  }
}

}  // namespace
}  // namespace theriac::policy
