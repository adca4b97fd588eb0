// The catalogue that tests, benchmarks and fuzzers of this folder share, and the DDL that gives a
// real PostgreSQL the same tables in their physical form.
#pragma once

#include <string>
#include <vector>

#include "rewrite/catalogue.hpp"

namespace theriac::rewrite::testing {

inline std::string sql_name(std::uint32_t type) {
  switch (type) {
    case pgwire::kOidInt2:
      return "smallint";
    case pgwire::kOidInt4:
      return "integer";
    case pgwire::kOidInt8:
      return "bigint";
    case pgwire::kOidVarchar:
      return "character varying";
    case pgwire::kOidNumeric:
      return "numeric";
    case pgwire::kOidDate:
      return "date";
    case pgwire::kOidTimestamptz:
      return "timestamp with time zone";
    case pgwire::kOidBytea:
      return "bytea";
    default:
      return "text";
  }
}

/// Builds a relation column by column, helpers wherever the caller puts them.
class RelationMaker {
 public:
  RelationMaker(std::uint32_t oid, std::string schema, std::string name, char kind = 'r') {
    made_.oid = oid;
    made_.schema = std::move(schema);
    made_.name = std::move(name);
    made_.kind = kind;
  }
  RelationMaker& plain(std::string name, std::uint32_t type = pgwire::kOidText,
                       std::int32_t modifier = -1) {
    Column column;
    column.name = std::move(name);
    column.attribute = next_++;
    column.type = {type, modifier};
    column.type_name = sql_name(type);
    made_.columns.push_back(std::move(column));
    return *this;
  }
  /// A protected column; its helpers follow with helpers().
  RelationMaker& secret(int number, std::string name, std::string class_name, std::string domain,
                        std::uint32_t type = pgwire::kOidText, std::int32_t modifier = -1) {
    plain(std::move(name), type, modifier);
    Protection protection;
    protection.number = number;
    protection.class_name = std::move(class_name);
    protection.searchable = !domain.empty();
    protection.domain = std::move(domain);
    made_.columns.back().protection = std::move(protection);
    return *this;
  }
  Protection& last() { return *made_.columns.back().protection; }
  RelationMaker& search(std::string name, std::string_view expression, std::string domain) {
    last().expressions.push_back({std::move(name), *pgwire::TextExpression::parse(expression),
                                  std::move(domain), std::int16_t{0}});
    last().case_map = *pgwire::CaseMap::find("C.UTF-8");
    return *this;
  }
  RelationMaker& stored_default(std::string value) {
    last().default_stored = std::move(value);
    return *this;
  }
  RelationMaker& refused_default() {
    last().default_refused = true;
    return *this;
  }
  RelationMaker& helpers() {
    const auto count = made_.columns.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (!made_.columns[i].protection || made_.columns[i].protection->sealed_attribute != 0) {
        continue;
      }
      made_.columns[i].protection->sealed_attribute = next_;
      helper(made_.columns[i].protection->sealed_name(), pgwire::kOidBytea);
      for (const int index : made_.columns[i].protection->indexes()) {
        auto& protection = *made_.columns[i].protection;
        (index == 0 ? protection.index_attribute
                    : protection.expressions[static_cast<std::size_t>(index) - 1].attribute) =
            next_;
        helper(protection.index_name(index), pgwire::kOidBytea);
      }
    }
    return *this;
  }
  RelationMaker& bound() {
    made_.bound = true;
    helper("theriac_row", 2950);
    return *this;
  }
  RelationMaker& key(std::vector<std::int16_t> attributes) {
    made_.keys.push_back(std::move(attributes));
    return *this;
  }
  RelationMaker& reads_protected() {
    made_.reads_protected = true;
    return *this;
  }
  [[nodiscard]] Relation make() const { return made_; }

 private:
  void helper(std::string name, std::uint32_t type) {
    plain(std::move(name), type);
    made_.columns.back().helper = true;
  }
  Relation made_;
  std::int16_t next_ = 1;
};

inline Catalogue test_catalogue() {
  using namespace pgwire;
  std::vector<Relation> all;
  // Helpers stand in the middle: `note` and `status` came later.
  all.push_back(RelationMaker(1001, "public", "customers")
                    .plain("id", kOidInt8)
                    .secret(1, "name", "contact", "person")
                    .plain("kind", kOidVarchar, 24)
                    .secret(2, "phone", "contact", "")
                    .secret(3, "id_number", "identity", "idn", kOidVarchar, 22)
                    .secret(4, "credit", "finance", "credit", kOidNumeric, ((14 << 16) | 2) + 4)
                    .secret(5, "birth", "identity", "birth", kOidDate)
                    .helpers()
                    .plain("note")
                    .secret(6, "status", "contact", "status")
                    .stored_default("new")
                    .helpers()
                    .plain("seen", kOidTimestamptz)
                    .key({1})
                    .make());
  all.push_back(RelationMaker(1002, "public", "batches")
                    .plain("id", kOidInt4)
                    .secret(10, "batch_no", "batch", "batch_no", kOidVarchar, 24)
                    .secret(11, "recipe", "formula", "")
                    .plain("qty", kOidInt4)
                    .helpers()
                    .bound()
                    .key({1})
                    .make());
  all.push_back(RelationMaker(1003, "public", "usage")
                    .plain("id", kOidInt4)
                    .plain("batch_id", kOidInt4)
                    .plain("customer_id", kOidInt8)
                    .secret(20, "patient", "identity", "person")
                    .secret(21, "name", "contact", "person")
                    .secret(22, "age", "identity", "age", kOidInt4)
                    .plain("used", kOidDate)
                    .helpers()
                    .key({1})
                    .key({2, 3})
                    .make());
  all.push_back(RelationMaker(1004, "public", "orders")
                    .plain("id", kOidInt4)
                    .plain("customer_id", kOidInt8)
                    .plain("contact")
                    .plain("total", kOidNumeric)
                    .plain("kind", kOidVarchar, 24)
                    .key({1})
                    .make());
  all.push_back(RelationMaker(1005, "public", "devices")
                    .plain("id", kOidInt4)
                    .plain("name")
                    .plain("model")
                    .key({1})
                    .make());
  all.push_back(
      RelationMaker(1006, "other", "customers").plain("id", kOidInt4).plain("name").make());
  all.push_back(RelationMaker(1007, "public", "v_customers", 'v')
                    .plain("id", kOidInt8)
                    .plain("name")
                    .reads_protected()
                    .make());
  all.push_back(RelationMaker(1008, "public", "v_orders", 'v').plain("id", kOidInt4).make());
  all.push_back(RelationMaker(1009, "public", "events", 'p')
                    .plain("id", kOidInt4)
                    .secret(30, "who", "identity", "person")
                    .helpers()
                    .make());
  all.push_back(RelationMaker(1010, "public", "stamped")
                    .plain("id", kOidInt4)
                    .secret(31, "made", "batch", "made", kOidTimestamptz)
                    .refused_default()
                    .plain("label")
                    .helpers()
                    .key({1})
                    .make());
  all.push_back(RelationMaker(1011, "public", "Odd Name")
                    .plain("id", kOidInt4)
                    .secret(40, "Secret Col", "identity", "odd")
                    .helpers()
                    .make());
  all.push_back(RelationMaker(1012, "lab", "samples")
                    .plain("id", kOidInt4)
                    .secret(50, "subject", "identity", "person")
                    .plain("result", kOidNumeric)
                    .helpers()
                    .key({1})
                    .make());
  all.push_back(RelationMaker(1013, "public", "cards")
                    .plain("id", kOidInt4)
                    .secret(60, "number", "finance", "card", kOidVarchar, 23)
                    .search("last4", "right(value, 4)", "last4")
                    .secret(61, "holder", "contact", "")
                    .search("lower", "lower(value)", "low")
                    .search("initial", "upper(left(value, 1))", "initial")
                    .secret(62, "mail", "contact", "mail")
                    .search("lower", "lower(value)", "low")
                    .helpers()
                    .key({1})
                    .make());
  all.push_back(
      RelationMaker(1014, "public", "wards").plain("id", kOidInt4).plain("label").key({1}).make());
  all.push_back(
      RelationMaker(1259, "pg_catalog", "pg_class").plain("oid", 26).plain("relname", 19).make());
  // Tables and columns that the policy names and that do not exist yet.
  std::vector<Awaited> awaited{{"public", "patients", "name"},
                               {"public", "patients", "born"},
                               {"public", "wards", "note"},
                               {"public", "customers", "email"},
                               {"clinic", "visits", "reason"}};
  Overlay overlay{{"pg_class", "pg_attribute", "pg_indexes", "columns", "tables"},
                  {"pg_class", "pg_attribute"},
                  {"pg_get_indexdef", "has_table_privilege"}};
  return {7, std::move(all), std::move(awaited), true, std::move(overlay)};
}

}  // namespace theriac::rewrite::testing
