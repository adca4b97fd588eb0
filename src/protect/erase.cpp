#include "protect/erase.hpp"

#include "protect/limits.hpp"
#include "protect/sql_text.hpp"
#include "protect/table_work.hpp"

namespace theriac::protect {
namespace {

using store::PgConnection;
using store::PgParam;

/// Sealed tables whose traces were not erased yet.
constexpr std::string_view kPending = R"(
SELECT DISTINCT relation::oid, relation::text FROM theriac.migrations m
WHERE direction = 'protect' AND finished_at IS NOT NULL AND erased_at IS NULL
  AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = m.relation::oid) ORDER BY 2)";

/// Recycled segments keep their old bytes until they are written again. A checkpoint recycles all
/// that are done with; a switch fills the rest of a segment with zeros: one for each segment that
/// waits, and a last checkpoint.
Status turn_wal_over(const Services& services, std::vector<std::string>& remains) {
  auto& database = services.database;
  THERIAC_TRY(database.query("SELECT pg_catalog.pg_switch_wal()"));
  THERIAC_TRY(database.exec("CHECKPOINT"));
  constexpr std::string_view kWaiting =
      "SELECT count(*) FROM pg_catalog.pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' "
      "AND name > pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())";
  THERIAC_ASSIGN(const auto waiting, database.query(kWaiting));
  const auto count = number_at<std::int64_t>(waiting, 0, 0);
  const auto turns = std::min(count + 1, kWalSegmentsMax);
  for (std::int64_t i = 0; i < turns; ++i) {
    THERIAC_TRY(still_wanted(services));
    // Something to write, without which a switch does nothing.
    THERIAC_TRY(database.query("SELECT pg_catalog.pg_logical_emit_message(false, 'theriac', '')"));
    THERIAC_TRY(database.query("SELECT pg_catalog.pg_switch_wal()"));
    services.progress("writing over old WAL segments", i + 1, turns);
  }
  THERIAC_TRY(database.exec("CHECKPOINT"));
  if (turns < count + 1) {
    remains.push_back(std::to_string(count + 1 - turns) + " recycled WAL segments");
  }
  THERIAC_ASSIGN(
      const auto kept,
      database.query(
          "SELECT count(*) FROM pg_catalog.pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND name < "
          "(SELECT redo_wal_file FROM pg_catalog.pg_control_checkpoint())"));
  if (const auto old = number_at<std::int64_t>(kept, 0, 0); old > 0) {
    remains.push_back(std::to_string(old) +
                      " WAL segments that a slot, wal_keep_size or archiving keeps back");
  }
  return {};
}

Status list_copies(PgConnection& database, std::vector<std::string>& remains) {
  THERIAC_ASSIGN(const auto rows, database.query(R"(
SELECT (SELECT count(*) FROM pg_catalog.pg_stat_replication)
       + (SELECT count(*) FROM pg_catalog.pg_replication_slots),
       pg_catalog.current_setting('archive_mode'),
       (SELECT coalesce(bool_or(puballtables), false) OR EXISTS (
          SELECT FROM pg_catalog.pg_publication_rel r JOIN theriac.tables t
            ON t.relation = r.prrelid) FROM pg_catalog.pg_publication),
       EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_stat_statements'))"));
  if (number_at<int>(rows, 0, 0) > 0) {
    remains.emplace_back("replicas, which follow, and what they archived before");
  }
  if (rows.value(0, 1) != "off") remains.emplace_back("WAL archives made before now");
  if (rows.value(0, 2) == "t") remains.emplace_back("subscribers of publications of these tables");
  if (rows.value(0, 3) == "t") {
    remains.emplace_back("pg_stat_statements: texts of utility statements");
  }
  remains.emplace_back("backups and dumps made before now");
  remains.emplace_back("server logs written before now, if statements were logged");
  remains.emplace_back("disk blocks freed by the rewrite, until the file system uses them again");
  return {};
}

}  // namespace

Result<std::vector<std::string>> erase_traces(const Services& services) {
  auto& database = services.database;
  std::vector<std::string> remains;
  THERIAC_ASSIGN(const auto pending, database.query(kPending));
  if (pending.rows() > 0) {
    for (std::size_t i = 0; i < pending.rows(); ++i) {
      THERIAC_TRY(still_wanted(services));
      THERIAC_TRY(run_all(database, {"ANALYZE " + text_at(pending, i, 1)}, "statistics"));
    }
    // Old versions of statistics rows hold the commonest values and histogram bounds.
    services.progress("erasing old statistics", 0, 0);
    for (const char* table : {"pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data"}) {
      if (const auto done = database.exec(std::string("VACUUM FULL ") + table); !done) {
        remains.push_back(std::string("old versions in ") + table + " (" + done.error().where +
                          ")");
      }
    }
    THERIAC_TRY(turn_wal_over(services, remains));
    for (std::size_t i = 0; i < pending.rows(); ++i) {
      const auto oid = text_at(pending, i, 0);
      THERIAC_TRY(
          database.query("UPDATE theriac.migrations SET erased_at = pg_catalog.now() "
                         "WHERE relation = $1::oid AND finished_at IS NOT NULL",
                         {PgParam::text(oid)}));
    }
    THERIAC_TRY(audit_entry(services, "protect.erased", "database",
                            {{"tables", pending.rows()}, {"remains", remains.size()}}));
  }
  THERIAC_TRY(list_copies(database, remains));
  return remains;
}

}  // namespace theriac::protect
