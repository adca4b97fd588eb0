"""What a client sees of the catalogue through the gateway is what it sees of the plain twin."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-overlay-"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from twins import HERE, PLAIN, SEALED, Twins  # noqa: E402
from place import Place, say  # noqa: E402
import psycopg2  # noqa: E402

COMMANDS = r"""\d
\d people
\d+ people
\d calls
\d+ calls
\d batches
\d+ batches
\d+ cities
\d+ events
\d+ derived
\d+ v_people
\d v_contacts
\d+ v_contacts
\d+ v_lots
\d+ v_callers
\d+ v_phones
\d+ other.v_names
\d other.people
\d people_name_idx
\d people_name_pattern
\d people_city_born
\d+ people_seen
\d people_phone_key
\dt
\dt+ cities
\di
\dv
\dm
\ds
\dp
\z people
\dn+
\df
\df+ doubled
\dT
\dD
\dd
\dX
\ddp
\sf doubled
\sv v_people
\sv v_contacts
\sv+ v_callers
\dy
\dRp
\d theriac.*
\d theriac_catalog.*
\dn theriac*
\dv *.theriac*
\df *.theriac*""".splitlines()

# After protection, on both and in the same way. Protected tables are changed by a superuser here.
CHANGES = """
ALTER TABLE people ADD COLUMN later int DEFAULT 7 CHECK (later > 0);
ALTER TABLE people ADD COLUMN gone text;
ALTER TABLE people DROP COLUMN gone;
ALTER TABLE people ADD COLUMN last text NOT NULL DEFAULT 'x';
ALTER TABLE people RENAME COLUMN score TO points;
CREATE INDEX people_later ON people (later);
ALTER INDEX people_city_born RENAME TO people_by_city;
COMMENT ON COLUMN people.later IS 'came later';
COMMENT ON COLUMN people.phone IS 'with country code';
ALTER TABLE calls RENAME COLUMN remark TO said;
ALTER TABLE batches RENAME TO lots;
ALTER TABLE lots RENAME TO batches;
CREATE TABLE fresh (id int PRIMARY KEY, person int REFERENCES people);
"""


class Comparison:
    def __init__(self, twins):
        self.twins = twins
        self.failed = 0
        self.compared = 0

    def same(self, what, plain, sealed):
        self.compared += 1
        plain, sealed = normal(plain), normal(sealed)
        if "theriac" in sealed.replace("theriac_gateway", "") and "theriac" not in what:
            self.fail(what, "shows something of Theriac")
        if plain != sealed:
            lines = [f"- {a}\n+ {b}" for a, b in zip(plain.splitlines(), sealed.splitlines()) if a != b]
            self.fail(what, "\n".join(lines[:4]) or f"{len(plain)} and {len(sealed)} characters")

    def fail(self, what, why):
        self.failed += 1
        say(f"DIFFERENT: {what}\n{why}")

    def psql(self, which, role, text):
        done = subprocess.run(["psql", "-X", "-q", "-E", self.twins.uri(which, role), "-c", text],
                              capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def commands(self, role):
        for command in COMMANDS:
            self.same(f"{role}: {command}", self.psql(PLAIN, role, command),
                      self.psql(SEALED, role, command))

    def rows(self, which, role, sql, ordered=True):
        connection = psycopg2.connect(self.twins.uri(which, role))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                names = [(d.name, d.type_code) for d in cursor.description]
                rows = [str(row) for row in cursor.fetchall()]
                return "\n".join([str(names), *(rows if ordered else sorted(map(normal, rows)))])
        except psycopg2.Error as error:
            return f"{error.pgcode} {error.diag.message_primary}"
        finally:
            connection.close()

    def queries(self, role):
        text = (HERE / "queries.sql").read_text("utf-8")
        for sql in re.split(r"\n\s*\n", re.sub(r"(?m)^--.*\n", "", text)):
            if sql.strip():
                self.same(f"{role}: {sql.strip()[:150]}", self.rows(PLAIN, role, sql),
                          self.rows(SEALED, role, sql))

    def information_schema(self, role):
        for view, in self.twins.cluster.ask(
                "SELECT viewname FROM pg_views WHERE schemaname = 'information_schema' "
                "AND viewname <> 'information_schema_catalog_name' ORDER BY 1", database=PLAIN):
            sql = f"SELECT v.* FROM information_schema.{view} v"
            self.same(f"{role}: {view}", self.rows(PLAIN, role, sql, False),
                      self.rows(SEALED, role, sql, False))

    def libraries(self):
        """Programs that reflect a database, as they are."""
        import reflection
        for name, reflect in reflection.available():
            self.same(name, reflect(self.twins.uri(PLAIN)), reflect(self.twins.uri(SEALED)))
            say(f"{name}: reflected")

    def schema_dump(self):
        self.same("pg_dump --schema-only", *(dump(self.twins.uri(which), "--schema-only")
                                             for which in (PLAIN, SEALED)))

    def nothing_shows(self):
        """No relation of the catalogues, as a whole, names anything of ours."""
        connection = psycopg2.connect(self.twins.uri(SEALED))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT c.oid::regclass FROM pg_class c WHERE c.relkind IN ('r', 'v') AND "
                           "c.relnamespace IN ('pg_catalog'::regnamespace, "
                           "'information_schema'::regnamespace) ORDER BY 1")
            looked = 0
            for relation, in cursor.fetchall():
                # A view's stored tree lists the columns of what it reads, helpers too.
                if relation in ("pg_stat_activity", "pg_stat_gssapi", "pg_stat_ssl", "pg_rewrite"):
                    continue
                try:
                    cursor.execute(f"SELECT x::text FROM {relation} x")
                except psycopg2.errors.InsufficientPrivilege:
                    continue
                looked += 1
                for text, in cursor.fetchall():
                    # The gateway's own role is in pg_roles, its session in pg_stat_activity.
                    if text and "theriac" in text.replace("theriac_gateway", ""):
                        self.fail(str(relation), text[:200])
                        break
            if looked < 120:
                self.fail("nothing_shows", f"only {looked} relations could be read")
        connection.close()

    def refusals(self):
        for sql, state in (("SELECT * FROM theriac_catalog.theriac_column", "42501"),
                           ("SELECT theriac_catalog.pg_get_indexdef(1)", "42501"),
                           ("SELECT * FROM theriac.columns", "42501"),
                           ("COPY pg_catalog.pg_attribute TO STDOUT", "0A000"),
                           ("CREATE VIEW mine AS SELECT * FROM pg_attribute", "0A000"),
                           ("SELECT xmin, * FROM pg_class", "0A000")):
            answer = self.rows(SEALED, "erp_owner", sql)
            if not answer.startswith(state):
                self.fail(sql, answer)

    def everything(self, stage):
        before = self.failed
        for role in ("erp_owner", "erp_app", "warehouse"):
            self.commands(role)
            self.queries(role)
        for role in ("erp_owner", "erp_app"):
            self.information_schema(role)
        self.libraries()
        self.schema_dump()
        self.nothing_shows()
        self.refusals()
        say(f"{stage}: {self.compared} comparisons, {self.failed - before} differences")


def normal(text):
    """Without object ids, which no two databases share, and the twins' names."""
    text = re.sub(r"\b(plain|sealed)\b", "db", text)
    text = re.sub(r"\\(un)?restrict \w+", r"\\restrict", text)  # pg_dump's random word
    return re.sub(r"(?<![.\d])\d{5,}(?![.\d])", "#", text)


def dump(uri, *options):
    done = subprocess.run(["pg_dump", *options, uri], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def wait_for_gateway(twins):
    """Until the gateway has seen the change of the schema."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        connection = psycopg2.connect(twins.uri(SEALED))
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM people LIMIT 0")
                if "points" in [d.name for d in cursor.description]:
                    return
        except psycopg2.errors.UndefinedColumn:
            pass  # its snapshot is older: `*` was expanded to the old name
        finally:
            connection.close()
    raise TimeoutError("the gateway does not see the new column")


def main():
    with Place("overlay") as place:
        twins = Twins(place)
        try:
            twins.start()
            comparison = Comparison(twins)
            comparison.everything("protected")
            twins.both("SET ROLE erp_owner;" + CHANGES)
            # Rights on the table stand on its columns there, and so on a new one.
            twins.cluster.ask(
                "SET ROLE erp_owner; GRANT SELECT (later, last), INSERT (later, last) ON people TO "
                "erp_owner, erp_app; GRANT SELECT (later, last) ON people TO inspector "
                "WITH GRANT OPTION", database=SEALED)
            twins.both("GRANT SELECT (later, last, points), INSERT (later, last) ON people TO warehouse")
            wait_for_gateway(twins)
            comparison.everything("changed after it")
            return 1 if comparison.failed else 0
        finally:
            twins.stop()


if __name__ == "__main__":
    sys.exit(main())
