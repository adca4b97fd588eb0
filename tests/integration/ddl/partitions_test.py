#!/usr/bin/python3
"""Partitions and inheriting tables that an application makes below protected tables."""
import io
import subprocess
import unittest

from stage import Stage

from place import POSTGRES_BIN, as_postgres


class Partitions(Stage):
    def test_partitions(self):
        self.ask("CREATE TABLE visit (id int, day date, patient text NOT NULL DEFAULT 'nobody', finding text, "
                 "PRIMARY KEY (id, day), UNIQUE (patient, day)) PARTITION BY RANGE (day)")
        self.ask("CREATE INDEX ON visit (patient, id); GRANT SELECT, INSERT, UPDATE, DELETE ON visit TO erp_app")
        # Each month a partition, in a transaction of its own with the first rows.
        worker = self.session(autocommit=False)
        with worker.cursor() as cursor:
            cursor.execute("CREATE TABLE visit_01 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')")
            cursor.execute("INSERT INTO visit VALUES (1, '2026-01-05', 'Zhang Wei', 'cough') RETURNING patient")
            self.assertEqual(cursor.fetchall(), [("Zhang Wei",)])
            cursor.execute("INSERT INTO visit_01 (id, day) VALUES (2, '2026-01-06') RETURNING *")
            self.assertEqual(cursor.fetchone()[2:], ("nobody", None))
        worker.commit()
        self.ask("CREATE TABLE visit_rest PARTITION OF visit (finding DEFAULT 'none') DEFAULT PARTITION BY RANGE (day)")
        self.ask("CREATE TABLE visit_rest_all PARTITION OF visit_rest DEFAULT")
        self.ask("INSERT INTO visit VALUES (3, '2027-01-05', 'Li Na', DEFAULT)", role="erp_app")
        self.ask("INSERT INTO visit_rest (id, day, patient) VALUES (4, '2027-02-05', 'Li Na')")
        self.assertEqual(self.ask("SELECT id, finding FROM visit WHERE patient = 'Li Na' ORDER BY id", role="erp_app"),
                         [(3, None), (4, "none")])
        self.no_plain("Zhang Wei", "cough", "Li Na", "nobody")
        self.ask("GRANT SELECT (id, day), UPDATE (patient) ON visit TO warehouse")
        self.ask("UPDATE visit SET patient = 'Li Na' WHERE day > '2027-01-01'", role="warehouse")
        self.ask("UPDATE visit SET day = '2026-01-09', finding = 'moved' WHERE id = 3", role="erp_app")
        self.assertEqual(self.ask("SELECT id, patient, finding FROM visit_01 ORDER BY id"),
                         [(1, "Zhang Wei", "cough"), (2, "nobody", None), (3, "Li Na", "moved")])
        copied = self.session().cursor()
        copied.copy_expert("COPY visit FROM STDIN", io.StringIO("7\t2026-01-30\tcopied\t\\N\n8\t2030-01-30\tfar\tx\n"))
        copied.copy_expert("COPY visit_01 (id, day, patient) FROM STDIN", io.StringIO("17\t2026-01-31\tcopied\n"))
        out = io.StringIO()
        copied.copy_expert("COPY (SELECT id, patient, finding FROM visit WHERE id IN (7, 8, 17) ORDER BY id) TO STDOUT", out)
        copied.copy_expert("COPY visit_rest_all TO STDOUT", out)
        self.assertEqual(sorted(out.getvalue().splitlines()),
                         ["17\tcopied\t\\N", "4\t2027-02-05\tLi Na\tnone", "7\tcopied\t\\N", "8\t2030-01-30\tfar\tx",
                          "8\tfar\tx"])
        self.ask("DELETE FROM visit WHERE id IN (7, 8, 17)")
        self.refused("42501", "SELECT patient FROM visit_01", lambda sql: self.direct(sql, role="erp_owner"))
        self.refused("23505", "INSERT INTO visit VALUES (9, '2026-01-09', 'Li Na')")
        # Names as PostgreSQL gives them.
        self.assertEqual(self.ask("SELECT indexname FROM pg_indexes WHERE tablename = 'visit_01' ORDER BY 1"),
                         [("visit_01_patient_day_key",), ("visit_01_patient_id_idx",), ("visit_01_pkey",)])
        self.ask("CREATE INDEX visit_finding ON visit (finding)")
        self.ask("ALTER TABLE visit ADD COLUMN note text; ALTER TABLE visit ALTER finding SET DEFAULT 'new'; "
                 "ALTER TABLE visit ALTER patient DROP NOT NULL")
        self.ask("INSERT INTO visit_01 (id, day, patient) VALUES (5, '2026-01-20', NULL)")
        self.assertEqual(self.ask("SELECT patient, finding, note FROM visit WHERE id = 5"), [(None, "new", None)])
        self.ask("ALTER TABLE visit DETACH PARTITION visit_01")
        self.assertEqual(self.ask("SELECT finding FROM visit_01 WHERE patient = 'Zhang Wei'"), [("cough",)])
        self.assertEqual(self.ask("SELECT count(*) FROM visit WHERE patient = 'Zhang Wei'"), [(0,)])
        self.ask("INSERT INTO visit_01 VALUES (6, '2026-01-21', 'apart', 'x')")
        self.ask("ALTER TABLE visit ATTACH PARTITION visit_01 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')")
        self.assertEqual(self.ask("SELECT finding FROM visit WHERE patient IN ('Zhang Wei', 'apart') ORDER BY id"),
                         [("cough",), ("x",)])
        # An empty plain table is attached, and protected before it is.
        self.ask("CREATE TABLE loose (note text, finding text DEFAULT 'loose', patient text, id int NOT NULL, "
                 "day date NOT NULL, UNIQUE (patient, day))")
        self.ask("ALTER TABLE visit ATTACH PARTITION loose FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')")
        self.ask("INSERT INTO loose (id, day, patient) VALUES (30, '2026-03-05', 'Loose Value')")
        self.assertEqual(self.ask("SELECT id, finding FROM visit WHERE patient = 'Loose Value'"), [(30, "loose")])
        self.refused("23505", "INSERT INTO visit VALUES (31, '2026-03-05', 'Loose Value')")
        self.no_plain("Loose")
        self.ask("CREATE TABLE filled (id int NOT NULL, day date NOT NULL, patient text, finding text, note text)")
        self.ask("INSERT INTO filled VALUES (1, '2026-04-05', 'plain')")
        attach = "ALTER TABLE visit ATTACH PARTITION filled FOR VALUES FROM ('2026-04-01') TO ('2026-05-01')"
        self.refused("0A000", attach)
        self.ask("TRUNCATE filled; ALTER TABLE filled DROP COLUMN note")
        self.refused("42804", attach)
        self.assertEqual(self.ask("SELECT * FROM filled"), [])
        self.refused("0A000", "CREATE TABLE visit_02 PARTITION OF visit FOR VALUES FROM ('2026-02-01') TO "
                              "('2026-03-01') PARTITION BY LIST (patient)")
        self.refused("0A000", "CREATE TABLE visit_02 PARTITION OF visit (CHECK (patient <> 'secret')) FOR VALUES "
                              "FROM ('2026-02-01') TO ('2026-03-01')")
        self.ask("DROP TABLE visit_rest")
        self.ask("ALTER TABLE visit DROP COLUMN finding")
        self.assertEqual(self.ask("SELECT id, patient FROM visit_01 WHERE id = 1"), [(1, "Zhang Wei")])
        self.no_plain("Zhang Wei", "apart")
        self.ask("DROP TABLE visit, filled")
        self.assertEqual(self.direct("SELECT count(*) FROM theriac.columns"), [(0,)])

    def test_inheritance(self):
        self.ask("CREATE TABLE asset (id int PRIMARY KEY, serial text)")
        self.ask("CREATE TABLE pump (flow int, serial text NOT NULL) INHERITS (asset)")
        self.ask("INSERT INTO asset VALUES (1, 'A-1'); INSERT INTO pump (id, serial, flow) VALUES (1, 'P-1', 5)")
        self.assertEqual(self.ask("SELECT tableoid::regclass::text, serial FROM asset ORDER BY 1"),
                         [("asset", "A-1"), ("pump", "P-1")])
        self.ask("CREATE UNIQUE INDEX ON pump (serial)")
        self.refused("23505", "INSERT INTO pump (id, serial) VALUES (2, 'P-1')")
        self.refused("23502", "INSERT INTO pump (id) VALUES (2)")
        self.ask("UPDATE asset SET serial = 'same' WHERE id = 1")
        self.assertEqual(self.ask("SELECT serial FROM asset"), [("same",), ("same",)])
        self.assertEqual(self.ask("SELECT count(DISTINCT tableoid) FROM asset WHERE serial = 'same'"), [(2,)])
        self.refused("0A000", "CREATE TABLE thing () INHERITS (asset, pump)")
        self.ask("ALTER TABLE pump NO INHERIT asset")
        self.assertEqual(self.ask("SELECT serial FROM pump"), [("same",)])
        self.ask("ALTER TABLE pump INHERIT asset; CREATE TABLE hose (size int, id int NOT NULL, serial text)")
        self.ask("ALTER TABLE hose INHERIT asset; INSERT INTO hose VALUES (3, 9, 'H-9')")
        self.assertEqual(self.ask("SELECT tableoid::regclass::text FROM asset WHERE serial = 'H-9'"), [("hose",)])
        self.no_plain("H-9", "same")
        self.ask("DROP TABLE asset CASCADE")
        self.assertEqual(self.direct("SELECT count(*) FROM theriac.columns"), [(0,)])

    def test_a_dump_restores(self):
        self.direct("CREATE DATABASE plain_tree OWNER erp_owner", database="postgres")
        self.direct("CREATE TABLE visit (id int, day date, patient text NOT NULL DEFAULT 'nobody', finding text, "
                    "PRIMARY KEY (id, day), UNIQUE (patient, day)) PARTITION BY RANGE (day);"
                    "CREATE INDEX by_patient ON visit (patient, id); CREATE INDEX by_finding ON visit (finding);"
                    "CREATE TABLE visit_26 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
                    "CREATE TABLE visit_rest PARTITION OF visit (finding DEFAULT 'none') DEFAULT;"
                    "CREATE TABLE asset (id int PRIMARY KEY, serial text);"
                    "CREATE TABLE pump (flow int) INHERITS (asset); CREATE INDEX pump_serial ON pump (serial);"
                    "INSERT INTO visit VALUES (1, '2026-02-03', 'Zhang', 'cough'), (2, '2020-01-01', 'Li', NULL);"
                    "INSERT INTO pump VALUES (1, 'P-1', 2); INSERT INTO asset VALUES (2, 'A-2');"
                    "GRANT SELECT ON visit TO erp_app", database="plain_tree", role="erp_owner")
        dump = subprocess.run(as_postgres([POSTGRES_BIN / "pg_dump", self.cluster.uri("dba", "plain_tree")]),
                              capture_output=True, text=True, check=True).stdout
        names = "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
        plain = self.direct(names, database="plain_tree")
        self.direct("DROP DATABASE plain_tree", database="postgres")
        restored = subprocess.run(
            [POSTGRES_BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
             self.cluster.uri("erp_owner", self.name, self.port)],
            input=dump, capture_output=True, text=True, check=False)
        self.assertEqual(restored.returncode, 0, restored.stderr[-2000:])
        self.assertEqual(self.ask("SELECT id, finding FROM visit WHERE patient = 'Zhang'", role="erp_app"), [(1, "cough")])
        self.assertEqual(self.ask("SELECT serial FROM asset ORDER BY id"), [("P-1",), ("A-2",)])
        self.assertEqual(self.ask(names), plain)
        self.no_plain("Zhang", "cough", "P-1", "A-2")


if __name__ == "__main__":
    unittest.main(verbosity=2)
