#include "protect/overlay.hpp"

#include "crypto/hash.hpp"
#include "protect/overlay_sql.hpp"
#include "protect/sql_text.hpp"

namespace theriac::protect {

using store::PgTransaction;

Status drop_overlay(store::PgConnection& database) {
  THERIAC_TRY(database.exec("DROP SCHEMA IF EXISTS theriac_catalog CASCADE"));
  return {};
}

Status install_overlay(store::PgConnection& database) {
  // The version is the text itself: whoever changes a view need not remember to count.
  const auto version =
      "Logical catalogue of Theriac, " + to_hex(crypto::sha256(view_of(kOverlaySql))).substr(0, 16);
  THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
  THERIAC_ASSIGN(const auto there,
                 database.query("SELECT pg_catalog.obj_description(oid, 'pg_namespace') "
                                "FROM pg_catalog.pg_namespace WHERE nspname = 'theriac_catalog'"));
  if (there.rows() == 1 && there.value(0, 0) == version) return transaction.commit();
  THERIAC_TRY(drop_overlay(database));
  THERIAC_TRY(database.exec("SET LOCAL search_path = pg_catalog"));
  if (auto made = database.exec(kOverlaySql); !made) {
    return while_doing("making schema theriac_catalog", made.error());
  }
  THERIAC_TRY(
      database.exec("COMMENT ON SCHEMA theriac_catalog IS " + store::pg_quote_literal(version)));
  return transaction.commit();
}

}  // namespace theriac::protect
