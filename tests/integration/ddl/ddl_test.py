#!/usr/bin/python3
"""Tables that an application makes itself, through the gateway, in databases it makes itself."""
import os
import signal
import subprocess
import threading
import unittest

from stage import Stage

import libpq
import psycopg2
from place import POSTGRES_BIN, as_postgres
from processes import wait_until


class Ddl(Stage):
    def tryton(self, cursor):
        """As its installer does: the table with a key, then field by field, then the rest."""
        cursor.execute('CREATE TABLE "party" ("id" SERIAL PRIMARY KEY)')
        cursor.execute('COMMENT ON TABLE "party" IS %s', ("Party",))
        for column, kind in (("create_date", "TIMESTAMP(6)"), ("name", "VARCHAR"), ("code", "VARCHAR"),
                             ("active", "BOOL"), ("birth", "DATE"), ("rank", "INTEGER")):
            cursor.execute(f'ALTER TABLE "party" ADD COLUMN "{column}" {kind}')
            cursor.execute(f'COMMENT ON COLUMN "party"."{column}" IS %s', ("a field",))
        cursor.execute('ALTER TABLE "party" ALTER "active" SET DEFAULT true')
        cursor.execute('ALTER TABLE "party" ALTER COLUMN "code" SET NOT NULL')
        cursor.execute('CREATE INDEX "party_name_index" ON "party" ("name")')
        cursor.execute('ALTER TABLE "party" ADD CONSTRAINT "party_code_uniq" UNIQUE("code")')
        cursor.execute('CREATE TABLE "address" ("id" SERIAL PRIMARY KEY)')
        cursor.execute('ALTER TABLE "address" ADD COLUMN "party" INTEGER')
        cursor.execute('ALTER TABLE "address" ADD CONSTRAINT "address_party_fkey" FOREIGN KEY ("party") '
                       'REFERENCES "party" ("id") ON DELETE CASCADE')
        cursor.execute('INSERT INTO "party" (name, code, birth, rank) VALUES (%s, %s, %s, %s) RETURNING id',
                       ("Zhang Wei", "C-1", "1990-01-02", 7))
        return cursor.fetchone()[0]

    def test_a_long_transaction_as_an_installer_sends_it(self):
        session = self.session(autocommit=False)
        with session.cursor() as cursor:
            key = self.tryton(cursor)
            cursor.execute('INSERT INTO "address" (party) VALUES (%s)', (key,))
            cursor.execute("SELECT p.*, a.id FROM party p JOIN address a ON a.party = p.id "
                           "WHERE p.name = 'Zhang Wei' AND p.rank = 7")
            row = cursor.fetchone()
            self.assertEqual((row[2], row[3], row[4], str(row[5]), row[6]),
                             ("Zhang Wei", "C-1", True, "1990-01-02", 7))
            # As Tryton asks before it alters: what was asked is over.
            cursor.execute('SELECT id FROM "party" WHERE "name" IS NULL')
            self.assertEqual(cursor.rowcount, 0)
            cursor.execute('ALTER TABLE "party" ALTER COLUMN "name" SET NOT NULL')
            cursor.execute("SAVEPOINT s")
            with self.assertRaises(psycopg2.errors.UniqueViolation):
                cursor.execute("INSERT INTO party (name, code) VALUES ('Li Na', 'C-1')")
            cursor.execute("ROLLBACK TO SAVEPOINT s")
            with self.assertRaises(psycopg2.errors.NotNullViolation):
                cursor.execute("INSERT INTO party (name) VALUES ('Li Na')")
            cursor.execute("ROLLBACK TO SAVEPOINT s")
            cursor.execute("UPDATE party SET name = 'Wang Fang' WHERE code = 'C-1'")
        session.commit()
        self.assertEqual(self.ask("SELECT name, code FROM party"), [("Wang Fang", "C-1")])
        self.no_plain("Zhang", "Wang", "C-1")
        self.refused("42501", "SELECT name FROM party", lambda sql: self.direct(sql, role="erp_owner"))

    def test_a_rollback_leaves_nothing(self):
        session = self.session(autocommit=False)
        with session.cursor() as cursor:
            self.tryton(cursor)
        session.rollback()
        self.refused("42P01", "SELECT name FROM party")
        self.assertEqual(self.direct("SELECT count(*) FROM theriac.columns"), [(0,)])
        with session.cursor() as cursor:
            cursor.execute("CREATE TABLE party (id int, name text)")
            cursor.execute("SAVEPOINT s")
            cursor.execute("ALTER TABLE party RENAME name TO who")
            cursor.execute("INSERT INTO party VALUES (1, 'Zhang')")
            cursor.execute("ROLLBACK TO SAVEPOINT s")
            with self.assertRaises(psycopg2.errors.FeatureNotSupported):
                cursor.execute("ALTER TABLE party ADD birth date DEFAULT '2000-01-01' UNIQUE")
            cursor.execute("ROLLBACK TO SAVEPOINT s")
            cursor.execute("INSERT INTO party (id, name) VALUES (1, 'Wang')")
            cursor.execute("SELECT name FROM party")
            self.assertEqual(cursor.fetchall(), [("Wang",)])
        session.commit()
        self.assertEqual(self.ask("SELECT * FROM party"), [(1, "Wang")])
        self.no_plain("Wang")

    def test_several_statements_in_one_string(self):
        self.ask("CREATE TABLE party (id int PRIMARY KEY, name text); "
                 "INSERT INTO party VALUES (1, 'Zhang Wei'); ALTER TABLE party ADD code varchar(8); "
                 "UPDATE party SET code = 'C-9'")
        self.assertEqual(self.ask("SELECT * FROM party"), [(1, "Zhang Wei", "C-9")])
        self.no_plain("Zhang", "C-9")
        # The catalogue of a database that was prepared by the gateway shows the logical model too.
        self.assertEqual(self.ask("SELECT column_name FROM information_schema.columns "
                                  "WHERE table_name = 'party' ORDER BY ordinal_position"),
                         [("id",), ("name",), ("code",)])
        self.assertEqual(self.ask("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'theriac%'"), [])

    def test_later_changes(self):
        self.ask("CREATE TABLE party (id int PRIMARY KEY, name varchar(20), code varchar(5), rank int)")
        self.ask("INSERT INTO party VALUES (1, 'Zhang Wei', 'C-1', 3), (2, 'Li Na', NULL, NULL)")
        self.ask("ALTER TABLE party ALTER name TYPE varchar(60), ALTER rank TYPE bigint")
        self.ask("INSERT INTO party VALUES (3, %s, 'C-3', 5000000000)", ("y" * 55,))
        self.refused("0A000", "ALTER TABLE party ALTER name TYPE varchar(5)")
        self.refused("0A000", "ALTER TABLE party ALTER rank TYPE int")
        self.refused("23502", "ALTER TABLE party ALTER code SET NOT NULL")
        self.ask("UPDATE party SET code = 'C-2' WHERE id = 2")
        self.ask("ALTER TABLE party ALTER code SET NOT NULL")
        self.refused("23502", "INSERT INTO party (id) VALUES (9)")
        self.ask("ALTER TABLE party ALTER code DROP NOT NULL")
        self.ask("ALTER TABLE party ALTER code SET DEFAULT 'none'")
        self.ask("INSERT INTO party (id) VALUES (9)")
        self.assertEqual(self.ask("SELECT code FROM party WHERE id = 9"), [("none",)])
        self.ask("ALTER TABLE party ALTER code DROP DEFAULT")
        self.ask("DELETE FROM party WHERE id = 9")
        self.ask("CREATE UNIQUE INDEX by_code ON party (code)")
        self.refused("23505", "INSERT INTO party (id, code) VALUES (10, 'C-1')")
        self.ask("DROP INDEX by_code")
        self.ask("ALTER TABLE party RENAME COLUMN name TO full_name; ALTER TABLE party RENAME TO people")
        self.assertEqual(self.ask("SELECT full_name FROM people WHERE full_name = 'Li Na'"), [("Li Na",)])
        self.assertEqual(self.ask("SELECT * FROM people WHERE id = 1"), [(1, "Zhang Wei", "C-1", 3)])
        self.ask("ALTER TABLE people DROP COLUMN rank")
        self.assertEqual(self.ask("SELECT * FROM people WHERE id = 1"), [(1, "Zhang Wei", "C-1")])
        self.ask("CREATE TABLE party (id int, name text)")
        self.ask("INSERT INTO party VALUES (1, 'Sun Li')")
        self.no_plain("Zhang", "Li Na", "Sun Li", "C-1")
        self.ask("DROP TABLE people, party")
        self.assertEqual(self.direct("SELECT count(*) FROM theriac.columns"), [(0,)])

    def test_what_cannot_be_kept_is_refused(self):
        for sql in ("CREATE TABLE party (name text PRIMARY KEY)",
                    "CREATE TABLE party (id int, name text CHECK (name <> ''))",
                    "CREATE TABLE party (id int, birth date UNIQUE)",
                    "CREATE TABLE party (id int, name text DEFAULT current_user)",
                    "CREATE TABLE party AS SELECT 'x' AS name",
                    "SELECT 'x' AS name INTO party",
                    "CREATE VIEW party AS SELECT 'x' AS name",
                    "CREATE TEMP TABLE party (name text)"):
            self.refused("0A000", sql)
        self.ask("CREATE TABLE party (id int, code text); INSERT INTO party VALUES (1, 'x')")
        for sql in ("ALTER TABLE party ADD name text DEFAULT 'x'",
                    "ALTER TABLE party ADD CHECK (code <> '')",
                    "CREATE INDEX ON party (lower(code))",
                    "CREATE TABLE copy (LIKE party)",
                    "CREATE TABLE copy AS SELECT code FROM party",
                    "CREATE MATERIALIZED VIEW v AS SELECT code FROM party"):
            self.refused("0A000", sql)
        self.ask("CREATE TABLE plain (id int, name text); INSERT INTO plain VALUES (1, 'x')")
        self.ask("DROP TABLE party")
        self.refused("0A000", "ALTER TABLE plain RENAME TO party")
        self.ask("DELETE FROM plain; ALTER TABLE plain RENAME TO party")
        self.ask("INSERT INTO party VALUES (1, 'Zhang')")
        self.no_plain("Zhang")

    def test_rights(self):
        self.ask("CREATE TABLE party (id int, name text, code text, note text)")
        self.ask("INSERT INTO party VALUES (1, 'Zhang', 'C-1', 'n')")
        app = lambda sql: self.ask(sql, role="erp_app")  # noqa: E731
        self.refused("42501", "SELECT name FROM party", app)
        self.ask("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO erp_app")
        self.assertEqual(app("SELECT * FROM party"), [(1, "Zhang", "C-1", "n")])
        self.ask("ALTER TABLE party ADD extra int, ADD birth date")
        self.assertEqual(app("SELECT * FROM party WHERE code = 'C-1'"), [(1, "Zhang", "C-1", "n", None, None)])
        app("UPDATE party SET birth = '2000-01-01', name = 'Wang' WHERE id = 1")
        app("INSERT INTO party (id, name) VALUES (2, 'Li')")
        self.ask("REVOKE SELECT ON party FROM erp_app")
        self.refused("42501", "SELECT name FROM party", app)
        self.refused("42501", "SELECT id FROM party", app)
        self.ask("GRANT SELECT (id, name) ON party TO erp_app")
        self.assertEqual(app("SELECT id, name FROM party WHERE id = 1"), [(1, "Wang")])
        self.refused("42501", "SELECT code FROM party", app)
        self.ask("REVOKE SELECT (name) ON party FROM erp_app")
        self.refused("42501", "SELECT name FROM party", app)
        self.assertEqual(app("SELECT id FROM party WHERE id = 1"), [(1,)])
        self.refused("42501", "SELECT theriac.settle('{}', '\\x00')",
                     lambda sql: self.direct(sql, role="erp_owner"))

    def test_the_extended_protocol(self):
        session = libpq.Connection(self.cluster.uri("erp_owner", self.name, self.port))
        try:
            session.query("CREATE TABLE party (id int PRIMARY KEY, name text)")
            session.query("BEGIN")
            session.query("ALTER TABLE party ADD COLUMN code varchar(9)")
            session.query("INSERT INTO party (id, code, name) VALUES (1, $1, 'Zhang')", ["C-1"])
            session.query("ALTER TABLE party ALTER COLUMN code SET NOT NULL")
            session.query("CREATE UNIQUE INDEX by_code ON party (code)")
            self.assertEqual(session.query("SELECT name FROM party WHERE code = $1", ["C-1"]), [[b"Zhang"]])
            session.query("CREATE VIEW named AS SELECT id, name AS who FROM party")
            self.assertEqual(session.query("SELECT id FROM named WHERE who = $1", ["Zhang"]), [[b"1"]])
            session.query("CREATE TEMP TABLE mine (id int)")
            session.query("SAVEPOINT s")
            for state, sql in (("0A000", "ALTER TABLE party ADD CHECK (code <> '')"),
                               ("0A000", "CREATE VIEW sorted AS SELECT id FROM party ORDER BY name"),
                               # Made a temporary one by the server, which is seen afterwards.
                               ("0A000", "CREATE VIEW joined AS SELECT p.name FROM party p JOIN mine m ON m.id = p.id"),
                               ("0A000", "ALTER TABLE party ADD COLUMN birth date DEFAULT '2000-01-01'"),
                               ("42701", "ALTER TABLE party ADD COLUMN code text"),
                               ("23505", "INSERT INTO party VALUES (2, 'Li', 'C-1')"),
                               ("23502", "INSERT INTO party VALUES (2, 'Li')")):
                with self.assertRaises(libpq.SqlError) as caught:
                    session.query(sql)
                self.assertEqual(caught.exception.state, state, sql)
                session.query("ROLLBACK TO s")
            session.query("COMMIT")
            self.assertEqual(session.query("SELECT * FROM party"), [[b"1", b"Zhang", b"C-1"]])
            self.assertEqual(session.query("SELECT who FROM named"), [[b"Zhang"]])
            self.assertEqual(session.query("SELECT count(*) FROM pg_views WHERE viewname IN ('sorted', 'joined')"), [[b"0"]])
        finally:
            session.close()
        self.no_plain("Zhang", "C-1")

    def test_two_phase_commit(self):
        session = libpq.Connection(self.cluster.uri("erp_owner", self.name, self.port))

        def fails(state, sql):
            with self.assertRaises(libpq.SqlError) as caught:
                session.query(sql)
            self.assertEqual(caught.exception.state, state, sql)
        try:
            session.query("BEGIN")
            session.query("CREATE TABLE party (id int PRIMARY KEY, name text)")
            session.query("INSERT INTO party VALUES (1, 'Zhang')")
            session.query(f"PREPARE TRANSACTION '{self.name} 1'")
            fails("42P01", "SELECT name FROM party")
            session.query(f"COMMIT PREPARED '{self.name} 1'")
            self.assertEqual(session.query("SELECT id FROM party WHERE name = 'Zhang'"), [[b"1"]])
            self.assertEqual(session.query("SELECT party FROM party"), [[b"(1,Zhang)"]])
            session.query("BEGIN")
            session.query("ALTER TABLE party ADD COLUMN code varchar(9)")
            session.query("UPDATE party SET code = 'C-1'")
            session.query(f"PREPARE TRANSACTION '{self.name} 2'")
            session.query(f"ROLLBACK PREPARED '{self.name} 2'")
            fails("42703", "SELECT code FROM party")
            self.assertEqual(session.query("SELECT * FROM party"), [[b"1", b"Zhang"]])
        finally:
            session.close()
        self.no_plain("Zhang", "C-1")

    def test_without_provision(self):
        # Something of the policy is there already, so nobody prepares it unasked.
        self.direct("CREATE TABLE party (id int)", role="erp_owner")
        self.ask("INSERT INTO party VALUES (1)")
        self.assertIn("protect --empty", self.refused("0A000", "ALTER TABLE party ADD name text"))
        uri = self.cluster.uri("dba", self.name)
        self.parts.theriac("protect", "--empty", "--policy", self.parts.policy, "--database", uri, "--keyd",
                           self.parts.keyd_address(), "--cert", self.parts.certificates / "protector")

        def followed():
            try:
                return self.ask("ALTER TABLE party ADD name text") == []
            except psycopg2.errors.FeatureNotSupported:
                return False
        wait_until(followed, 20, "the gateway has seen the registry")
        self.ask("UPDATE party SET name = 'Zhang'")
        self.assertEqual(self.ask("SELECT * FROM party"), [(1, "Zhang")])
        self.no_plain("Zhang")

    def test_bound_rows(self):
        self.ask("CREATE TABLE lot (id int PRIMARY KEY, recipe text NOT NULL)")
        self.ask("INSERT INTO lot VALUES (1, 'A'), (2, 'B'); UPDATE lot SET recipe = 'C' WHERE id > 0")
        self.assertEqual(self.ask("SELECT * FROM lot ORDER BY id"), [(1, "C"), (2, "C")])

    def test_another_session_sees_it_at_once(self):
        other = self.session()
        with other.cursor() as cursor:
            cursor.execute("SELECT 1")
            with self.assertRaises(psycopg2.errors.UndefinedTable):
                cursor.execute("INSERT INTO party (id, name) VALUES (1, 'Zhang')")
            self.ask("CREATE TABLE party (id int)")
            cursor.execute("INSERT INTO party (id) VALUES (0)")
            with self.assertRaises(psycopg2.errors.UndefinedColumn):
                cursor.execute("INSERT INTO party (id, name) VALUES (1, 'Zhang')")
            self.ask("ALTER TABLE party ADD name text")
            cursor.execute("INSERT INTO party (id, name) VALUES (1, 'Zhang')")
            cursor.execute("SELECT name FROM party WHERE name = 'Zhang'")
            self.assertEqual(cursor.fetchall(), [("Zhang",)])
        self.no_plain("Zhang")

    def test_two_sessions_at_once(self):
        self.ask("CREATE TABLE party (id serial, code text)")
        wrong, done = [], threading.Event()

        def write():
            session = self.session()
            with session.cursor() as cursor:
                n = 0
                while not done.is_set():
                    n += 1
                    try:
                        cursor.execute("INSERT INTO party (name, code) VALUES (%s, %s)",
                                       (f"secret {n}", f"code {n}"))
                        cursor.execute("SELECT name FROM party WHERE code = %s", (f"code {n}",))
                        row = cursor.fetchone()
                        if row not in ((f"secret {n}",), (None,), None):
                            wrong.append(row)
                    except (psycopg2.errors.UndefinedColumn, psycopg2.errors.InsufficientPrivilege,
                            psycopg2.errors.CheckViolation, psycopg2.errors.DeadlockDetected,
                            psycopg2.errors.FeatureNotSupported):
                        pass  # refused, or the column was away

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(12):
                self.ask("ALTER TABLE party ADD COLUMN name text")
                self.no_plain("secret", "code ")
                self.ask("ALTER TABLE party DROP COLUMN name")
            self.ask("ALTER TABLE party ADD COLUMN name text")
        finally:
            done.set()
            writer.join()
        self.assertEqual(wrong, [])
        self.no_plain("secret", "code ")
        self.assertGreater(self.ask("SELECT count(*) FROM party")[0][0], 0)

    def test_views(self):
        self.ask("CREATE TABLE party (id int PRIMARY KEY, name varchar(40), code text, active bool);"
                 "CREATE TABLE lot (id int PRIMARY KEY, recipe text, party int)")
        self.ask("INSERT INTO party VALUES (1, 'Zhang', 'C-1', true), (2, 'Li', 'C-2', false)")
        self.ask("INSERT INTO lot VALUES (7, 'soup', 1)")
        self.ask("GRANT SELECT ON party, lot TO erp_app")
        session = self.session(autocommit=False)
        with session.cursor() as cursor:
            cursor.execute("CREATE VIEW known (number, who) AS SELECT id, name FROM party WHERE active")
            cursor.execute("SELECT * FROM known WHERE who = 'Zhang'")
            self.assertEqual(cursor.fetchall(), [(1, "Zhang")])
            cursor.execute("CREATE VIEW lots AS SELECT l.recipe, k.who FROM lot l JOIN known k ON k.number = l.party")
            cursor.execute("GRANT SELECT ON lots TO erp_app")
        session.commit()
        self.assertEqual(self.ask("SELECT * FROM lots", role="erp_app"), [("soup", "Zhang")])
        self.refused("42501", "SELECT who FROM known", lambda sql: self.ask(sql, role="erp_app"))
        self.refused("42501", "SELECT * FROM lots", lambda sql: self.direct(sql, role="erp_app"))
        self.ask("GRANT SELECT (who), UPDATE ON known TO erp_app")
        self.assertEqual(self.ask("SELECT who FROM known", role="erp_app"), [("Zhang",)])
        self.refused("42501", "SELECT number FROM known", lambda sql: self.ask(sql, role="erp_app"))
        self.ask("REVOKE ALL ON known FROM erp_app")
        self.refused("42501", "SELECT who FROM known", lambda sql: self.ask(sql, role="erp_app"))
        # What PostgreSQL lets nobody do to a column that a view reads, with its own words.
        text = self.refused("2BP01", "ALTER TABLE party DROP COLUMN name")
        self.assertIn("view known depends on column name of table party", text)
        text = self.refused("0A000", "ALTER TABLE party ALTER COLUMN name TYPE text")
        self.assertIn("cannot alter type of a column used by a view or rule", text)
        self.assertIn('rule _RETURN on view known depends on column "name"', text)
        self.ask("ALTER TABLE party RENAME COLUMN name TO full_name; ALTER VIEW known RENAME COLUMN who TO person")
        self.ask("ALTER VIEW known RENAME TO persons")
        self.assertEqual(self.ask("SELECT person FROM persons"), [("Zhang",)])
        definition = self.ask("SELECT pg_get_viewdef('persons'::regclass)")[0][0]
        self.assertIn("party.full_name AS person", definition)
        self.assertNotIn("theriac", definition)
        self.ask("UPDATE persons SET person = 'Wang' WHERE number = 1")
        self.assertEqual(self.ask("SELECT who FROM lots"), [("Wang",)])
        # A refused one leaves nothing.
        for sql in ("CREATE VIEW v AS SELECT id FROM party WHERE full_name = 'Zhang'",
                    "CREATE VIEW v AS SELECT id, full_name FROM party ORDER BY full_name",
                    "CREATE TEMP VIEW v AS SELECT full_name FROM party",
                    "CREATE OR REPLACE VIEW persons AS SELECT id AS number, full_name AS person FROM party"):
            self.refused("0A000", sql)  # the last: another view reads it
        self.assertEqual(self.direct("SELECT viewname FROM pg_views WHERE schemaname = 'public' ORDER BY 1"),
                         [("lots",), ("persons",)])
        self.direct("GRANT erp_app TO erp_owner; GRANT CREATE ON SCHEMA public TO erp_app")
        self.ask("ALTER VIEW lots OWNER TO erp_app; ALTER VIEW lots OWNER TO erp_app")
        self.assertEqual(self.ask("SELECT viewowner, has_table_privilege('erp_app', 'lots', 'SELECT'), "
                                  "has_table_privilege('inspector', 'lots', 'SELECT') FROM pg_views WHERE viewname = 'lots'"),
                         [("erp_app", True, False)])
        self.ask("CREATE VIEW counted AS SELECT full_name, count(*) AS n FROM party GROUP BY full_name")
        self.ask("CREATE VIEW classes AS SELECT relname FROM pg_class; GRANT SELECT ON counted, party TO inspector")
        self.assertEqual(self.ask("SELECT n FROM counted WHERE full_name = 'Wang'"), [(1,)])
        # A role that sees masks compares nothing, not through a view either, nor makes one that does.
        self.direct("GRANT CREATE ON SCHEMA public TO inspector")
        self.assertEqual(len(self.ask("SELECT full_name FROM party", role="inspector")), 2)
        for sql in ("SELECT n FROM counted", "SELECT full_name FROM counted",
                    "CREATE VIEW v AS SELECT a.id FROM party a JOIN party b ON a.full_name = b.full_name"):
            self.refused("42501", sql, lambda text: self.ask(text, role="inspector"))
        self.ask("COMMENT ON VIEW counted IS 'how many'; COMMENT ON COLUMN counted.n IS 'of that name'")
        self.refused("42P16", "CREATE OR REPLACE VIEW counted AS SELECT full_name AS other, 1 AS n FROM party")
        self.ask("CREATE OR REPLACE VIEW counted AS SELECT full_name, count(*) AS n, 'x' AS more FROM party "
                 "WHERE active GROUP BY full_name")
        self.assertEqual(self.ask("SELECT * FROM counted"), [("Wang", 1, "x")])
        self.assertEqual(self.ask("SELECT obj_description('counted'::regclass), col_description('counted'::regclass, 2), "
                                  "has_table_privilege('inspector', 'counted', 'SELECT')"),
                         [("how many", "of that name", True)])
        self.ask("CREATE OR REPLACE VIEW counted AS SELECT NULL::varchar(40) AS full_name, 0::bigint AS n, 'y' AS more")
        self.ask("DROP VIEW counted, classes")
        # As ERPs do: dropped and made again in one transaction.
        with session.cursor() as cursor:
            cursor.execute("DROP VIEW IF EXISTS persons CASCADE")
            cursor.execute("CREATE OR REPLACE VIEW persons AS SELECT id AS number, full_name AS person FROM party;"
                           "CREATE VIEW lots AS SELECT l.id, p.person FROM lot l, persons p WHERE p.number = l.party")
            cursor.execute("SELECT person FROM lots")
            self.assertEqual(cursor.fetchall(), [("Wang",)])
        session.commit()
        self.ask("DROP VIEW lots, persons")
        self.direct("REVOKE erp_app FROM erp_owner")
        self.assertEqual(self.direct("SELECT count(*) FROM theriac.views"), [(0,)])
        self.assertEqual(self.direct("SELECT viewname FROM pg_views WHERE schemaname = 'theriac'"), [])
        self.ask("CREATE OR REPLACE VIEW known AS SELECT full_name FROM party")
        self.ask("ALTER TABLE party DROP COLUMN full_name CASCADE")
        self.assertEqual(self.direct("SELECT count(*) FROM pg_views WHERE schemaname IN ('public', 'theriac')"), [(0,)])
        self.assertEqual(self.direct("SELECT count(*) FROM theriac.views"), [(0,)])
        self.no_plain("Zhang", "Wang", "soup")

    def test_killed_in_the_middle(self):
        self.ask("CREATE TABLE party (id int, code text)")
        session = self.session(autocommit=False)
        with session.cursor() as cursor:
            cursor.execute("ALTER TABLE party ADD name text")
            cursor.execute("INSERT INTO party VALUES (1, 'C-1', 'Zhang')")
            os.kill(self.parts.gateway.pid(), signal.SIGKILL)
            with self.assertRaises(psycopg2.OperationalError):
                cursor.execute("SELECT 1")
        wait_until(lambda: self.parts.gateway.pid() is None, 20, "the gateway is gone")
        self.parts.gateway.start()
        self.assertEqual(self.ask("SELECT * FROM party"), [])
        self.ask("ALTER TABLE party ADD name text; INSERT INTO party VALUES (1, 'C-1', 'Zhang')")
        self.assertEqual(self.ask("SELECT * FROM party"), [(1, "C-1", "Zhang")])
        self.no_plain("Zhang")

    def test_databases_come_and_go(self):
        first = self.session()
        self.ask("CREATE TABLE party (id int, name text)")
        first.close()
        self.ask(f"CREATE DATABASE copy_of TEMPLATE {self.name}", database="template1")
        self.ask("INSERT INTO party VALUES (1, 'Zhang')", database="copy_of")
        self.assertEqual(self.ask("SELECT name FROM party", database="copy_of"), [("Zhang",)])
        self.assertEqual(self.ask("SELECT name FROM party"), [])
        self.ask("DROP DATABASE copy_of", database="template1")
        with self.assertRaises(psycopg2.OperationalError):
            self.session(database="copy_of")

    def test_a_database_with_plain_columns_is_refused(self):
        self.direct("CREATE TABLE party (id int, name text)")
        with self.assertRaises(psycopg2.OperationalError) as caught:
            self.session()
        self.assertIn("public.party.name is not protected", str(caught.exception))

    def test_a_dump_restores(self):
        self.direct("CREATE DATABASE plain_one OWNER erp_owner", database="postgres")
        self.direct("CREATE SEQUENCE s; CREATE TABLE party (id int PRIMARY KEY DEFAULT nextval('s'), "
                    "name varchar(40) NOT NULL DEFAULT 'n/a', code text, birth date, note text, "
                    "CONSTRAINT party_code_uniq UNIQUE (code)); CREATE INDEX party_name ON party (name, id);"
                    "CREATE TABLE address (id int, party int REFERENCES party);"
                    "CREATE VIEW people (number, who) AS SELECT id, name FROM party;"
                    "CREATE VIEW lived AS SELECT a.id, p.who FROM address a JOIN people p ON p.number = a.party;"
                    "COMMENT ON VIEW people IS 'who'; GRANT SELECT ON people TO erp_app;"
                    "INSERT INTO party VALUES (1, 'Zhang', 'C-1', '1990-01-01', 'n'), (2, 'Li', NULL, NULL, '');"
                    "INSERT INTO address VALUES (1, 2);"
                    "GRANT SELECT ON party TO erp_app", database="plain_one", role="erp_owner")
        dump = subprocess.run(as_postgres([POSTGRES_BIN / "pg_dump", "--inserts",
                                           self.cluster.uri("dba", "plain_one")]),
                              capture_output=True, text=True, check=True).stdout
        self.direct("DROP DATABASE plain_one", database="postgres")
        restored = subprocess.run(
            [POSTGRES_BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
             self.cluster.uri("erp_owner", self.name, self.port)],
            input=dump, capture_output=True, text=True, check=False)
        self.assertEqual(restored.returncode, 0, restored.stderr[-2000:])
        self.assertEqual(self.ask("SELECT id, name, code FROM party ORDER BY id"),
                         [(1, "Zhang", "C-1"), (2, "Li", None)])
        self.assertEqual(self.ask("SELECT name FROM party WHERE code = 'C-1'", role="erp_app"), [("Zhang",)])
        self.assertEqual(self.ask("SELECT number FROM people WHERE who = 'Li'", role="erp_app"), [(2,)])
        self.assertEqual(self.ask("SELECT who FROM lived"), [("Li",)])
        self.no_plain("Zhang", "C-1", "1990")


if __name__ == "__main__":
    unittest.main(verbosity=2)
