// The catalogue that tests, benchmarks and fuzzers of this folder share, and the DDL that gives a
// real PostgreSQL the same tables in their physical form.
#pragma once

#include <algorithm>
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
  /// A view's column over those of tables; the first says what it is like.
  RelationMaker& seen(std::string name, const Relation& base, std::string_view column,
                      std::vector<ViewOrigin> also = {}, bool searches = true) {
    const auto& of = *base.find(column);
    plain(std::move(name), of.type.oid, of.type.modifier);
    auto& made = made_.columns.back();
    made.protection = of.protection;
    made.protection->sealed_attribute = made.protection->index_attribute = 0;
    made.protection->view_attribute = made.attribute;
    made.protection->origins = {{base.oid, of.attribute, base.bound}};
    made.protection->origins.insert(made.protection->origins.end(), also.begin(), also.end());
    if (!searches) made.protection->expressions.clear();
    made_.recreated = true;
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
  /// Partitions or inheriting tables may hold rows of it.
  RelationMaker& with_members() {
    made_.has_members = true;
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

/// Views of the catalogue in their protected form, and what they say. Those over others come later.
struct TestView {
  std::uint32_t oid = 0;
  std::string select;
};
inline std::vector<TestView> test_views() {
  return {{2001,
           "SELECT customers.id, customers.name, customers.kind, customers.phone FROM "
           "public.customers"},
          {2002, "SELECT batches.id, batches.batch_no, batches.qty FROM public.batches"},
          {2003,
           "SELECT customers.name AS who, customers.id FROM public.customers UNION ALL SELECT "
           "usage.name, usage.id FROM public.usage"},
          {2004, "SELECT cards.id, cards.number, cards.holder AS owner FROM public.cards"},
          {2005,
           "SELECT v_people.name, pg_catalog.count(*) AS n FROM public.v_people GROUP BY "
           "v_people.name"},
          {2006,
           "SELECT b.batch_no, c.name, u.used FROM (public.usage u JOIN public.v_batches b ON "
           "((b.id = u.batch_id))) LEFT JOIN public.customers c ON ((c.id = u.customer_id))"},
          {2007, "SELECT pg_catalog.count(DISTINCT v_people.name) AS names FROM public.v_people"}};
}

inline void add_test_views(std::vector<Relation>& all) {
  using namespace pgwire;
  const auto table = [&](std::uint32_t oid) -> const Relation& {
    return *std::find_if(all.begin(), all.end(),
                         [&](const Relation& one) { return one.oid == oid; });
  };
  std::vector<Relation> made;
  const auto view = [](std::uint32_t oid, std::string name) {
    return RelationMaker(oid, "public", std::move(name), 'v');
  };
  const auto& customers = table(1001);
  made.push_back(view(2001, "v_people")
                     .plain("id", kOidInt8)
                     .seen("name", customers, "name")
                     .plain("kind", kOidVarchar, 24)
                     .seen("phone", customers, "phone")
                     .helpers()
                     .key({1})
                     .make());
  made.push_back(view(2002, "v_batches")
                     .plain("id", kOidInt4)
                     .seen("batch_no", table(1002), "batch_no")
                     .plain("qty", kOidInt4)
                     .helpers()
                     .key({1})
                     .make());
  made.push_back(
      view(2003, "v_names")
          .seen("who", customers, "name", {{1003, table(1003).find("name")->attribute, false}})
          .plain("id", kOidInt8)
          .helpers()
          .make());
  made.push_back(view(2004, "v_cards")
                     .plain("id", kOidInt4)
                     .seen("number", table(1013), "number")
                     .seen("owner", table(1013), "holder")
                     .helpers()
                     .make());
  made.push_back(
      view(2005, "v_counts").seen("name", customers, "name").plain("n", kOidInt8).helpers().make());
  made.push_back(view(2006, "v_usage")
                     .seen("batch_no", table(1002), "batch_no")
                     .seen("name", customers, "name")
                     .plain("used", kOidDate)
                     .helpers()
                     .make());
  auto total = view(2007, "v_total").plain("names", kOidInt8).make();
  total.recreated = true;
  total.compared = {{1001, customers.find("name")->attribute}};
  made.push_back(std::move(total));
  all.insert(all.end(), made.begin(), made.end());
}

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
                    .key({1})
                    .with_members()
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
  // A partition of events: the same protected column at another place.
  all.push_back(RelationMaker(1015, "public", "events_2026")
                    .secret(30, "who", "identity", "person")
                    .plain("id", kOidInt4)
                    .helpers()
                    .make());
  // Others inherit from it.
  all.push_back(RelationMaker(1016, "public", "assets")
                    .plain("id", kOidInt4)
                    .secret(70, "serial", "batch", "serial")
                    .helpers()
                    .bound()
                    .key({1})
                    .with_members()
                    .make());
  all.push_back(
      RelationMaker(1259, "pg_catalog", "pg_class").plain("oid", 26).plain("relname", 19).make());
  add_test_views(all);
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
