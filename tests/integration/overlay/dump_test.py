"""pg_dump through the gateway: by an export role in clear, by a backup role as it lies there."""
import os
import pathlib
import subprocess
import sys
import tempfile
from decimal import Decimal

os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-dump-"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from twins import HERE, PLAIN, SEALED, Twins  # noqa: E402
from place import Failed, Place, program, say  # noqa: E402
from overlay_test import normal  # noqa: E402
import psycopg2  # noqa: E402

ROLES = """  dumper: {export: true, person: clear, batch: clear}
  keeper: {backup: true}
"""
GRANTS = """
GRANT USAGE ON SCHEMA other TO dumper;
GRANT SELECT ON ALL TABLES IN SCHEMA public, other TO dumper;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO dumper;
"""
TABLES = ("people", "calls", "batches", "cities", "other.people", "base", "derived", "v_contacts", "v_lots", "v_callers",
          "v_phones", "other.v_names", "stays", "stays_2026", "stays_2025_a", "gear", "pumps")
VALUES = ("张伟", "13800000001", "Anna Müller", "note one")


def require(holds, what):
    if not holds:
        raise Failed(what)
    say(f"ok: {what}")


def run(*argv, text=None, check=True):
    done = subprocess.run(list(map(str, argv)), input=text, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise Failed(f"{argv[0]}: {done.stderr.strip()[-600:]}")
    return done


def rows(cluster, database, table):
    return sorted(map(str, cluster.ask(f"SELECT * FROM {table}", database=database)))


def export(twins):
    cluster = twins.cluster
    text = run("pg_dump", "--inserts", twins.uri(SEALED, "dumper")).stdout
    require("theriac" not in text, "nothing of Theriac is in the export")
    require(all(value in text for value in VALUES), "values are in clear in it")
    cluster.ask("CREATE DATABASE restored TEMPLATE template0", database="postgres")
    run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", cluster.uri("dba", "restored"), text=text)
    for table in TABLES:
        require(rows(cluster, "restored", table) == rows(cluster, PLAIN, table),
                f"{table} restored from the export is the plain one")
    plain = run("pg_dump", "--schema-only", cluster.uri("dba", PLAIN)).stdout
    again = run("pg_dump", "--schema-only", cluster.uri("dba", "restored")).stdout
    require(normal(plain) == normal(again), "and so is the schema")
    unable = run("pg_dump", "--inserts", "-t", "people", twins.uri(SEALED, "inspector"), check=False)
    require("张伟" not in unable.stdout, "a masked role dumps no value")
    twins.parts.gateway.stop()
    shown = run(program("theriac"), "audit", "show", twins.parts.audit / "gateway", "--json").stdout
    for table in ("people", "calls", "batches"):
        require(any('"export"' in line and f"public.{table}" in line and "dumper" in line
                    for line in shown.splitlines()), f"the export of {table} is on the audit log")
    twins.parts.gateway = None
    twins.parts.start_gateway()


def backup(twins, folder):
    cluster = twins.cluster
    file = folder / "backup.dump"
    run("pg_dump", "-Fc", "-f", file, twins.uri(SEALED, "keeper"))
    text = run("pg_restore", "-f", "-", file).stdout
    require("theriac_sealed_1" in text and not any(value in text for value in VALUES),
            "a backup holds sealed bytes and no value")
    try:
        with psycopg2.connect(twins.uri(SEALED, "keeper")) as connection:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM people")
        require(False, "a backup role may not write")
    except psycopg2.errors.InsufficientPrivilege:
        say("ok: a backup role may not write")
    cluster.ask("CREATE DATABASE again TEMPLATE template0", database="postgres")
    run("pg_restore", "--exit-on-error", "-d", cluster.uri("dba", "again"), file)
    parts = twins.parts
    status = parts.theriac("protect", "--database", cluster.uri("dba", "again"), "--status")
    require("sealed" in str(status), "the restored database is protected")
    parts.gateway.stop()
    parts.gateway = None
    parts.catalogue = cluster.uri("dba", "again")
    port = parts.start_gateway().port
    for table in ("people", "calls", "batches"):
        there = sorted(map(str, cluster.ask(f"SELECT * FROM {table}", role="erp_app", database="again",
                                            port=port)))
        require(there == rows(cluster, PLAIN, table), f"the gateway serves {table} of the restored one")
    cluster.ask("INSERT INTO people (id, name, phone) VALUES (77, 'New', '77')", role="erp_app",
                database="again", port=port)
    require(cluster.ask("SELECT name, note, balance FROM people WHERE phone = '77'",
                        role="erp_app", database="again", port=port)
            == [("New", "none", Decimal("1.50"))], "and takes new rows, with their defaults")
    described = [run("psql", "-X", uri, "-c", r"\d people").stdout
                 for uri in (cluster.uri("erp_app", PLAIN), cluster.uri("erp_app", "again", port))]
    require(described[0] == described[1], r"\d of the restored table is the plain one's")


def leave_nothing(twins):
    """After unprotect the database is as it was: schema and rows."""
    cluster = twins.cluster
    twins.parts.unprotect()
    require(not cluster.ask("SELECT FROM pg_namespace WHERE nspname LIKE 'theriac%'",
                            database=SEALED), "with the last table both schemas are gone")
    dumps = [normal(run("pg_dump", "--schema-only", cluster.uri("dba", name)).stdout)
             for name in (PLAIN, SEALED)]
    require(dumps[0] == dumps[1], "and the schema is the plain one")


def main():
    with Place("dump") as place:
        twins = Twins(place)
        try:
            policy = place.dir / "policy.yaml"
            policy.write_text((HERE / "policy.yaml").read_text("utf-8") + ROLES, "utf-8")
            twins.start(policy, ("dumper", "keeper"), GRANTS)
            # Row-level security hides rows from a dump, which pg_dump refuses.
            twins.cluster.ask("ALTER ROLE dumper BYPASSRLS; ALTER ROLE keeper BYPASSRLS",
                              database="postgres")
            export(twins)
            backup(twins, place.dir)
            leave_nothing(twins)
            return 0
        except Failed as error:
            say(f"FAILED: {error}")
            return 1
        finally:
            twins.stop()


if __name__ == "__main__":
    sys.exit(main())
