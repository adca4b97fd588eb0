#include "protect/rights.hpp"

#include <algorithm>

#include <array>
#include "protect/sql_text.hpp"

namespace theriac::protect {
namespace {

using store::pg_quote_identifier;

std::string role_sql(const std::string& role) {
  return role.empty() ? "PUBLIC" : pg_quote_identifier(role);
}

/// What one GRANT statement says: one grantee, with or without the grant option.
struct Statement {
  std::string grantee, grantor;
  bool grantable = false;
  std::vector<std::string> on_table;                                      // privileges
  std::vector<std::pair<std::string, std::vector<std::string>>> columns;  // privilege, columns

  void add_table(const std::string& privilege) {
    if (std::find(on_table.begin(), on_table.end(), privilege) == on_table.end()) {
      on_table.push_back(privilege);
    }
  }
  void add_column(const std::string& privilege, const std::string& column) {
    auto at = std::find_if(columns.begin(), columns.end(),
                           [&](const auto& each) { return each.first == privilege; });
    if (at == columns.end()) at = columns.insert(columns.end(), {privilege, {}});
    if (std::find(at->second.begin(), at->second.end(), column) == at->second.end()) {
      at->second.push_back(column);
    }
  }
  [[nodiscard]] std::string sql(const std::string& table) const {
    std::string list;
    for (const auto& privilege : on_table) list += (list.empty() ? "" : ", ") + privilege;
    for (const auto& [privilege, names] : columns) {
      std::string inner;
      for (const auto& name : names)
        inner += (inner.empty() ? "" : ", ") + pg_quote_identifier(name);
      list += (list.empty() ? "" : ", ") + privilege + " (" + inner + ")";
    }
    return "GRANT " + list + " ON " + table + " TO " + role_sql(grantee) +
           (grantable ? " WITH GRANT OPTION" : "");
  }
};

Statement& statement_for(std::vector<Statement>& all, const std::string& grantee,
                         const std::string& grantor, bool grantable) {
  for (auto& each : all) {
    if (each.grantee == grantee && each.grantor == grantor && each.grantable == grantable) {
      return each;
    }
  }
  all.push_back({grantee, grantor, grantable, {}, {}});
  return all.back();
}

const Shadowed* shadowed_column(const std::vector<Shadowed>& all, const std::string& name) {
  for (const auto& each : all) {
    if (each.plain == name) return &each;
  }
  return nullptr;
}

/// A right on the whole table includes these; a right on columns has to name them.
constexpr std::array<std::string_view, 6> kSystemColumns{"ctid", "xmin", "xmax",
                                                         "cmin", "cmax", "tableoid"};

constexpr std::string_view kRead = R"(
SELECT '' AS column_name, coalesce(e.rolname, ''), coalesce(r.rolname, ''), x.privilege_type,
       x.is_grantable, -100 AS attnum, x.place
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL pg_catalog.aclexplode(
  coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) WITH ORDINALITY
  AS x(grantor, grantee, privilege_type, is_grantable, place)
LEFT JOIN pg_catalog.pg_roles e ON e.oid = x.grantee
LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantor
WHERE c.oid = $1::oid
UNION ALL
SELECT a.attname, coalesce(e.rolname, ''), coalesce(r.rolname, ''), x.privilege_type,
       x.is_grantable, a.attnum, x.place
FROM pg_catalog.pg_attribute a
CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) WITH ORDINALITY
  AS x(grantor, grantee, privilege_type, is_grantable, place)
LEFT JOIN pg_catalog.pg_roles e ON e.oid = x.grantee
LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantor
WHERE a.attrelid = $1::oid AND NOT a.attisdropped
ORDER BY 6, 7)";

}  // namespace

codec::Json Rights::to_json() const {
  auto list = codec::Json::array();
  for (const auto& g : grants) {
    list.push_back({g.column, g.grantee, g.grantor, g.privilege, g.grantable});
  }
  return {{"owner", owner}, {"grants", std::move(list)}};
}

Result<Rights> Rights::from_json(const codec::Json& json) {
  Rights out;
  try {
    out.owner = json.at("owner").get<std::string>();
    for (const auto& g : json.at("grants")) {
      out.grants.push_back({g.at(0).get<std::string>(), g.at(1).get<std::string>(),
                            g.at(2).get<std::string>(), g.at(3).get<std::string>(),
                            g.at(4).get<bool>()});
    }
  } catch (const codec::Json::exception&) {
    return fail(Code::kMalformed, "theriac.tables: rights");
  }
  return out;
}

Result<Rights> read_rights(store::PgConnection& database, std::uint32_t relation) {
  const auto oid = std::to_string(relation);
  THERIAC_ASSIGN(const auto owner, database.query("SELECT pg_catalog.pg_get_userbyid(relowner) "
                                                  "FROM pg_catalog.pg_class WHERE oid = $1::oid",
                                                  {store::PgParam::text(oid)}));
  if (owner.rows() != 1) return fail(Code::kUndefinedTable, oid);
  THERIAC_ASSIGN(const auto rows, database.query(kRead, {store::PgParam::text(oid)}));
  Rights out;
  out.owner = std::string(owner.value(0, 0).value_or(""));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto text = [&](std::size_t column) {
      return std::string(rows.value(i, column).value_or(""));
    };
    out.grants.push_back({text(0), text(1), text(2), text(3), rows.value(i, 4) == "t"});
  }
  return out;
}

Result<Rights> take_all_rights(store::PgConnection& database, std::uint32_t relation,
                               const std::string& table) {
  THERIAC_ASSIGN(auto rights, read_rights(database, relation));
  THERIAC_TRY(run_all(database, revoke_all(rights, table), "taking rights on " + table));
  THERIAC_ASSIGN(const auto left, read_rights(database, relation));
  if (!left.grants.empty()) return fail(Code::kConflict, "rights on " + table + " are left");
  return rights;
}

std::vector<std::string> revoke_all(const Rights& rights, const std::string& table) {
  std::vector<std::string> grantees{rights.owner, ""};
  for (const auto& grant : rights.grants) {
    if (std::find(grantees.begin(), grantees.end(), grant.grantee) == grantees.end()) {
      grantees.push_back(grant.grantee);
    }
  }
  std::string list;
  for (const auto& grantee : grantees) list += (list.empty() ? "" : ", ") + role_sql(grantee);
  // On a table this takes the rights on its columns away as well.
  return {"REVOKE ALL ON " + table + " FROM " + list + " CASCADE"};
}

std::vector<std::string> grant_translated(const Rights& rights, const std::string& table,
                                          const std::vector<std::string>& columns,
                                          const std::vector<Shadowed>& shadowed, bool is_view) {
  const bool bound = std::ranges::any_of(shadowed, [](const Shadowed& one) {
    return std::ranges::find(one.helpers, "theriac_row") != one.helpers.end();
  });
  std::vector<Statement> statements;
  for (const auto& grant : rights.grants) {
    auto& to = statement_for(statements, grant.grantee, rights.owner, grant.grantable);
    // Who may change rows may have them located by the gateway.
    if (grant.privilege == "UPDATE" && !is_view) {
      for (const auto* place : {"ctid", "tableoid"}) to.add_column("SELECT", place);
      if (bound) to.add_column("SELECT", "theriac_row");
    }
    const bool by_column = grant.privilege == "SELECT" || grant.privilege == "INSERT";
    if (grant.column.empty() && !by_column) {
      to.add_table(grant.privilege);
    } else if (grant.column.empty()) {
      if (is_view) {
        // Of what is there, each column.
      } else if (grant.privilege == "SELECT") {
        for (const auto system : kSystemColumns) to.add_column("SELECT", std::string(system));
      } else {
        // Of no effect, but by it the logical catalogue knows the right on the table from rights
        // on each column.
        to.add_column("INSERT", "tableoid");
      }
      for (const auto& column : columns) {
        if (shadowed_column(shadowed, column) == nullptr) to.add_column(grant.privilege, column);
      }
    } else if (const auto* hidden = shadowed_column(shadowed, grant.column)) {
      if (!by_column) to.add_column(grant.privilege, grant.column);
      if (grant.privilege == "REFERENCES") continue;
      for (const auto& helper : hidden->helpers) {
        // A row's identity is never changed.
        if (grant.privilege == "UPDATE" && helper == "theriac_row") continue;
        to.add_column(grant.privilege, helper);
      }
    } else {
      to.add_column(grant.privilege, grant.column);
    }
  }
  std::vector<std::string> out;
  for (const auto& statement : statements) out.push_back(statement.sql(table));
  return out;
}

std::vector<std::string> grant_again(const Rights& rights, const std::string& table) {
  std::vector<std::string> out;
  // A grantor's own right stands before what he gave on, so the order of the list is the order.
  for (std::size_t i = 0; i < rights.grants.size();) {
    std::vector<Statement> group;
    const auto& first = rights.grants[i];
    for (; i < rights.grants.size() && rights.grants[i].column.empty() == first.column.empty() &&
           rights.grants[i].grantor == first.grantor;
         ++i) {
      const auto& grant = rights.grants[i];
      auto& to = statement_for(group, grant.grantee, grant.grantor, grant.grantable);
      if (grant.column.empty()) {
        to.add_table(grant.privilege);
      } else {
        to.add_column(grant.privilege, grant.column);
      }
    }
    const bool other = first.grantor != rights.owner;
    if (other) out.push_back("SET LOCAL ROLE " + role_sql(first.grantor));
    for (const auto& statement : group) out.push_back(statement.sql(table));
    if (other) out.emplace_back("SET LOCAL ROLE NONE");
  }
  return out;
}

}  // namespace theriac::protect
