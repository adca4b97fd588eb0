#include "protect/inspect.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "pgwire/types.hpp"
#include "policy/canonical.hpp"
#include "protect/inspect_uses.hpp"
#include "protect/limits.hpp"
#include "protect/registry.hpp"
#include "protect/sql_text.hpp"
#include "protect/views.hpp"

namespace theriac::protect {
namespace {

using policy::Policy;
using store::PgConnection;
using store::PgParam;

class Inspector {
 public:
  Inspector(PgConnection& database, const Policy& policy, Inspection& out)
      : database_(&database), policy_(&policy), out_(&out) {}

  Status run(const std::vector<std::string>& tables) {
    THERIAC_TRY(look_at_database());
    THERIAC_TRY(look_at_roles());
    THERIAC_TRY(look_at_backups());
    THERIAC_ASSIGN(const auto targets, read_targets(*database_, policy_->columns));
    THERIAC_ASSIGN(const auto registered, registered_columns(*database_));
    std::vector<Target> fresh;
    for (const auto& target : targets) {
      const bool wanted =
          tables.empty() || std::find(tables.begin(), tables.end(), target.table()) != tables.end();
      if (!wanted) continue;
      const auto entry = std::find_if(registered.begin(), registered.end(), [&](const auto& each) {
        return each.relation == target.relation && each.attribute == target.attribute &&
               target.attribute != 0;
      });
      const bool known = entry != registered.end();
      if (!known && look_at_column(target)) {
        fresh.push_back(target);
        THERIAC_ASSIGN(const bool readable, look_at_members(target, fresh));
        if (!readable) continue;
      }
      const auto* sealed = known && entry->state == kStateSealed ? &*entry : nullptr;
      if (target.attribute != 0 && target.wanted->searchable &&
          pgwire::has_equality(target.loaded.type)) {
        const auto column = store::pg_quote_identifier(sealed != nullptr ? sealed->index_name()
                                                                         : target.wanted->column);
        THERIAC_TRY(measure(target, target.object(), column));
      }
      for (const auto& search : target.wanted->searches) {
        if (target.attribute == 0) continue;
        THERIAC_ASSIGN(const bool good, look_at_search(target, search));
        if (!good) continue;
        const auto measured =
            sealed != nullptr ? store::pg_quote_identifier(sealed->index_name() + "_" + search.name)
                              : expression_sql(target.wanted->column, search.expression);
        THERIAC_TRY(measure(target, target.object() + " " + search.name, measured));
      }
    }
    look_at_classes(targets);
    THERIAC_TRY(inspect_uses(*database_, fresh, *out_));
    if (!fresh.empty()) {
      THERIAC_TRY(inspect_views(*database_, *policy_, fresh, out_->findings));
    }
    return list_uses(*database_, fresh, *out_);
  }

 private:
  void refuse(std::string object, std::string what, std::string remedy) {
    out_->findings.push_back(
        {Severity::kRefused, std::move(object), std::move(what), std::move(remedy)});
  }
  void warn(std::string object, std::string what, std::string remedy) {
    out_->findings.push_back(
        {Severity::kWarning, std::move(object), std::move(what), std::move(remedy)});
  }

  Status look_at_database() {
    const int version = database_->server_version();
    if (version / 10'000 != 15) {
      refuse("database", "the server is not PostgreSQL 15", "use PostgreSQL 15");
    }
    THERIAC_ASSIGN(const auto rows,
                   database_->query("SELECT pg_catalog.current_setting('server_encoding'), "
                                    "pg_catalog.current_setting('wal_level'), "
                                    "pg_catalog.current_setting('log_statement'), "
                                    "pg_catalog.current_setting('archive_mode')"));
    if (rows.value(0, 0) != "UTF8") {
      refuse("database", "its encoding is not UTF8", "make the database anew with ENCODING 'UTF8'");
    }
    if (rows.value(0, 2) != "none") {
      warn("database", "the server logs statements (log_statement)",
           "old logs hold plain values; rotate and delete them after sealing");
    }
    if (rows.value(0, 3) != "off") {
      warn("database", "WAL is archived", "archives made before sealing hold plain values");
    }
    return {};
  }

  Status look_at_roles() {
    constexpr std::string_view kRoles = R"(
SELECT r.rolname, r.rolsuper, r.rolreplication,
       pg_catalog.pg_has_role(r.oid, 'pg_read_all_data', 'USAGE') AND r.rolname <> ALL ($2::text[])
       OR pg_catalog.pg_has_role(r.oid, 'pg_write_all_data', 'USAGE'),
       pg_catalog.array_to_string(ARRAY(
         SELECT o.rolname FROM pg_catalog.pg_roles o
         WHERE o.rolname = ANY ($1::text[]) AND o.oid <> r.oid
           AND pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER') ORDER BY 1), chr(10))
FROM pg_catalog.pg_roles r WHERE r.rolname = ANY ($1::text[]))";
    std::vector<std::string> names;
    for (const auto& [role, given] : policy_->roles) names.push_back(role);
    const auto list = array_text(names);
    // Backup roles read everything as it lies there: protect itself gives them that right.
    const auto backups = array_text({policy_->backups.begin(), policy_->backups.end()});
    THERIAC_ASSIGN(const auto rows,
                   database_->query(kRoles, {PgParam::text(list), PgParam::text(backups)}));
    std::vector<std::string> found;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const auto role = text_at(rows, i, 0);
      found.push_back(role);
      if (rows.value(i, 1) == "t") {
        refuse("role " + role, "is a superuser: no right can be taken from it",
               "let the program sign in as a role that is none");
      } else if (rows.value(i, 3) == "t") {
        refuse("role " + role, "may read or write all data, past every right on a column",
               "take pg_read_all_data and pg_write_all_data from it");
      }
      if (rows.value(i, 2) == "t") {
        warn("role " + role, "may replicate, and read all WAL", "take REPLICATION from it");
      }
      compare_members(role, text_at(rows, i, 4));
    }
    for (const auto& name : names) {
      if (std::find(found.begin(), found.end(), name) == found.end()) {
        warn("role " + name, "does not exist", "create it, or correct the policy");
      }
    }
    return {};
  }

  /// Their sessions pass the gateway untouched: that they only read is a matter of rights.
  Status look_at_backups() {
    constexpr std::string_view kWriters = R"(
SELECT DISTINCT r.rolname, n.nspname || '.' || c.relname
FROM unnest($2::text[], $3::text[]) AS t(schema_name, table_name)
JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema_name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.table_name
CROSS JOIN pg_catalog.pg_roles r
WHERE r.rolname = ANY ($1::text[])
  AND (pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER')
    OR pg_catalog.has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    OR pg_catalog.has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE'))
ORDER BY 1, 2)";
    if (policy_->backups.empty()) return {};
    std::vector<std::string> schemas, tables;
    for (const auto& column : policy_->columns) {
      schemas.push_back(column.schema);
      tables.push_back(column.table);
    }
    const auto roles = array_text({policy_->backups.begin(), policy_->backups.end()});
    const auto in_schemas = array_text(schemas), of_tables = array_text(tables);
    THERIAC_ASSIGN(const auto writers,
                   database_->query(kWriters, {PgParam::text(roles), PgParam::text(in_schemas),
                                               PgParam::text(of_tables)}));
    for (std::size_t i = 0; i < writers.rows(); ++i) {
      refuse("role " + text_at(writers, i, 0),
             "is for backups, but may write " + text_at(writers, i, 1),
             "take every right but SELECT from it");
    }
    return {};
  }

  /// A role that can become another one has the better of both.
  void compare_members(const std::string& role, const std::string& others) {
    for (std::size_t at = 0; at < others.size();) {
      const auto end = std::min(others.find('\n', at), others.size());
      const auto other = others.substr(at, end - at);
      at = end + 1;
      std::set<std::string> named;
      for (const auto& column : policy_->columns) {
        const auto& name = column.class_name;
        if (policy_->may_write(other, name, column.name()) &&
            !policy_->may_write(role, name, column.name()) && named.insert(name).second) {
          refuse("role " + role,
                 "is a member of " + other + ", which reads class " + name + " clear",
                 "take the membership away, or give both the same");
        }
      }
    }
  }

  /// True if the column exists and its uses should be looked at.
  bool look_at_column(const Target& target) {
    const auto object = target.object();
    if (target.relation == 0) {
      refuse(object, "there is no such table", "correct the policy");
      return false;
    }
    if (target.attribute == 0) {
      refuse(object, "there is no such column", "correct the policy");
      return false;
    }
    if ((target.kind != 'r' && target.kind != 'p') || target.temporary) {
      refuse(object, "is not a column of an ordinary table",
             "name the table that holds the values");
      return false;
    }
    if (target.inherited && target.schema == target.wanted->schema &&
        target.table_name == target.wanted->table) {
      refuse(
          object, "its table has it from a partitioned or inherited table",
          "name the column of that table: it is protected in all of its partitions and children");
      return false;
    }
    if (!target.heap) refuse(object, "its table is not a heap", "SET ACCESS METHOD heap");
    if (!target.loaded.refused.empty()) {
      refuse(object, "type " + target.type_text + ": " + target.loaded.refused,
             target.loaded.remedy);
    } else if (target.wanted->searchable && !pgwire::has_equality(target.loaded.type)) {
      refuse(object, "type " + target.type_text + " has no equality", "searchable: false");
    }
    if (!target.deterministic) {
      refuse(object, "its collation is not deterministic", "use a deterministic collation");
    }
    if (target.identity) refuse(object, "is an identity column", "a counter needs no protection");
    if (target.generated) {
      refuse(object, "is a generated column", "protect what it is made from");
    }
    if (target.row_type_used) {
      refuse(object, "the table's row type is the type of a column elsewhere",
             "whole rows would be kept there in clear; change that column");
    }
    if (!target.generated && target.default_text && !is_constant_default(*target.default_text)) {
      refuse(object, "its default is not a constant",
             "drop the default; let the program give the value");
    }
    return true;
  }

  /// Partitions and inheriting tables: what the policy says of their root holds for each. False if
  /// the root cannot be read through, which would ask a foreign server.
  Result<bool> look_at_members(const Target& root, std::vector<Target>& fresh) {
    THERIAC_ASSIGN(const auto members, read_members(*database_, root));
    for (const auto& member : members) {
      if (member.parents > 1) {
        refuse(member.object(), "its table inherits from several tables",
               "let it inherit from one table");
      } else if (look_at_column(member)) {
        fresh.push_back(member);
      }
    }
    for (const auto& member : members) {
      for (const auto& column : policy_->columns) {
        if (column.schema != member.schema || column.table != member.table_name) continue;
        refuse(member.table(),
               "is a partition or child of a protected table and has a protected "
               "column of its own: " +
                   column.column,
               "protect the column in " + root.table());
      }
    }
    return std::none_of(members.begin(), members.end(),
                        [](const Target& member) { return member.kind == 'f'; });
  }

  void look_at_classes(const std::vector<Target>& targets) {
    std::map<std::string, std::size_t> per_table;
    for (const auto& target : targets) {
      if (++per_table[target.table()] == kProtectedColumnsPerTable + 1) {
        refuse(target.table(), "more than 200 protected columns", "split the table");
      }
    }
    std::map<std::string, const Target*> domains;
    for (const auto& target : targets) {
      const auto& wanted = *target.wanted;
      const auto& of_class = policy_->classes.at(wanted.class_name);
      if (of_class.buckets.empty() && target.attribute != 0) {
        warn(target.object(), "lengths show: class " + wanted.class_name + " has no buckets",
             "give the class buckets");
      }
      if (wanted.searchable && target.attribute != 0) {
        const auto [at, fresh] = domains.emplace(wanted.domain, &target);
        if (!fresh && domain_of(at->second->loaded.type) != domain_of(target.loaded.type)) {
          refuse(target.object(), "its domain has columns of another type",
                 "columns of one domain must compare equal as text");
        }
      }
      if (target.attribute != 0) look_at_masks(target);
    }
  }

  /// A mask made for text shows nothing of a number or a date; somebody may have hoped for more.
  void look_at_masks(const Target& target) {
    const auto& wanted = *target.wanted;
    for (const auto& [role, given] : policy_->roles) {
      const auto decision = policy_->decide(role, wanted.class_name, wanted.name());
      const auto* mask = std::get_if<policy::Masked>(&decision);
      if (mask == nullptr || policy::fits(*mask, target.loaded.type)) continue;
      look_at_mask(target, role, *mask);
    }
  }

  void look_at_mask(const Target& target, const std::string& role, const policy::Masked& mask) {
    const auto& type = target.loaded.type;
    const auto* detail = pgwire::detail_of(type);
    const auto where = target.wanted->class_name;
    if (mask.how == policy::MaskKind::kPseudonym) {
      refuse(target.object(),
             fmt::format("role {} gets a pseudonym, which is a text of {} characters", role,
                         policy::kPseudonymCharacters),
             "give the role another mask for this column, under columns: of class " + where);
    } else if (mask.how == policy::MaskKind::kConstant && mask.value) {
      refuse(target.object(),
             fmt::format("role {} gets a constant that is no value of type {}", role,
                         target.type_text),
             "write a value of the type, or none");
    } else if (detail != nullptr && detail->kind == pgwire::TypeKind::kEnum) {
      refuse(target.object(),
             "role " + role + " gets a mask, and no label of an enum says that it is one",
             "give the role the mask null, or constant with a label as value, for class " + where);
    } else {
      out_->findings.push_back({Severity::kNote, target.object(),
                                fmt::format("mask {} does not fit type {}: role {} gets a constant",
                                            policy::mask_name(mask.how), target.type_text, role),
                                ""});
    }
  }

  /// Types of one number can share a domain: their equality forms are of one kind.
  static std::uint32_t domain_of(const pgwire::ColumnType& type) {
    switch (type.oid) {
      case pgwire::kOidInt2:
      case pgwire::kOidInt4:
        return pgwire::kOidInt8;
      case pgwire::kOidVarchar:
        return pgwire::kOidText;
      case pgwire::kOidFloat4:
        return pgwire::kOidFloat8;
      case pgwire::kOidCidr:
        return pgwire::kOidInet;
      default:
        return type.oid;
    }
  }

  /// What PostgreSQL makes of the column; the session's path is pg_catalog.
  static std::string expression_sql(const std::string& column,
                                    const pgwire::TextExpression& expression) {
    constexpr std::string_view kValue = "value";
    auto sql = expression.text();
    return sql.replace(sql.find(kValue), kValue.size(),
                       store::pg_quote_identifier(column) + "::text");
  }

  Result<bool> look_at_search(const Target& target, const policy::Search& search) {
    const auto object = target.object();
    if (!pgwire::is_character(target.loaded.type)) {
      refuse(object, "search " + search.name + ": type " + target.type_text + " has no characters",
             "search by expressions is for text, varchar, character and citext");
      return false;
    }
    if (!search.expression.needs_case()) return true;
    if (target.collation != kDefaultCollation) {
      refuse(object, "search " + search.name + ": lower() and upper() need the default collation",
             "leave the expression out, or give the column the database's collation");
      return false;
    }
    if (const auto map = load_case_map(*database_, target.collation); !map) {
      if (map.error().code != Code::kUnsupported) return fail(map.error());
      refuse(object, "search " + search.name + ": " + map.error().where,
             "use a database with the C library's locale that is installed here as well");
      return false;
    }
    return true;
  }

  /// `measured`: an SQL expression over the table.
  Status measure(const Target& target, const std::string& object, const std::string& column) {
    const auto table = qualified_sql(target.wanted->schema, target.wanted->table);
    const auto sql =
        "SELECT coalesce(sum(n), 0)::bigint, count(*), "
        "coalesce(max(n)::float8 / sum(n)::float8, 0), "
        "coalesce(-sum(n / total * log(2, n / total)), 0)::float8 "
        "FROM (SELECT count(*)::numeric AS n, sum(count(*)) OVER () AS total FROM " +
        table + " WHERE " + column + " IS NOT NULL GROUP BY " + column + ") AS groups";
    const auto rows = database_->query(sql);
    if (!rows) return while_doing("measuring " + object, rows.error());
    Leakage leakage;
    leakage.object = object;
    leakage.rows = number_at<std::int64_t>(*rows, 0, 0);
    leakage.distinct = number_at<std::int64_t>(*rows, 0, 1);
    leakage.top_share = number_at<double>(*rows, 0, 2);
    leakage.entropy_bits = std::max(0.0, number_at<double>(*rows, 0, 3));
    leakage.low = is_low_entropy(leakage);
    leakage.accepted = target.wanted->accept_leakage;
    if (leakage.low && !leakage.accepted) {
      refuse(leakage.object, "its values repeat so that a blind index gives them away",
             "searchable: false, or accept_leakage: true if that is acceptable");
    }
    out_->leakages.push_back(std::move(leakage));
    return {};
  }

  PgConnection* database_;
  const Policy* policy_;
  Inspection* out_;
};

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kRefused:
      return "refused";
    case Severity::kWarning:
      return "warning";
    default:
      return "note";
  }
}

}  // namespace

bool is_low_entropy(const Leakage& leakage) {
  if (leakage.rows < kEntropyRowsMin) return false;
  const auto rows = static_cast<double>(leakage.rows);
  if (static_cast<double>(leakage.distinct) >= kNearlyUnique * rows) return false;
  return leakage.entropy_bits < kEntropyBitsMin || leakage.top_share > kTopShareMax;
}

bool Inspection::refused() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const auto& each) { return each.severity == Severity::kRefused; });
}

codec::Json Inspection::to_json() const {
  auto list = codec::Json::array();
  for (const auto& each : findings) {
    list.push_back({{"severity", std::string(severity_name(each.severity))},
                    {"object", each.object},
                    {"what", each.what},
                    {"remedy", each.remedy}});
  }
  auto used = codec::Json::array();
  for (const auto& each : uses) {
    used.push_back({{"column", each.column},
                    {"kind", each.kind},
                    {"name", each.name},
                    {"verdict", std::string(verdict_name(each.verdict))},
                    {"remedy", each.remedy}});
  }
  auto indexes = codec::Json::array();
  for (const auto& each : leakages) {
    indexes.push_back({{"object", each.object},
                       {"rows", each.rows},
                       {"distinct", each.distinct},
                       {"top_share", each.top_share},
                       {"entropy_bits", each.entropy_bits},
                       {"low", each.low},
                       {"accepted", each.accepted}});
  }
  return {{"holds", !refused()},
          {"findings", std::move(list)},
          {"uses", std::move(used)},
          {"indexes", std::move(indexes)}};
}

Result<Inspection> inspect(PgConnection& database, const Policy& policy,
                           const std::vector<std::string>& tables) {
  // The questions resolve regclass and regproc names as they are printed.
  THERIAC_ASSIGN(auto transaction, store::PgTransaction::begin(
                                       database, "ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  THERIAC_TRY(database.exec("SET LOCAL search_path = pg_catalog; SET LOCAL row_security = off"));
  Inspection out;
  THERIAC_TRY(Inspector(database, policy, out).run(tables));
  THERIAC_TRY(transaction.commit());
  return out;
}

}  // namespace theriac::protect
