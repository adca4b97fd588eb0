#!/usr/bin/python3
"""What the gateway says it does with a statement (`theriac explain`), the counters of what it did, and
the strict mode in which it takes only statements that it knows."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "demo")]
os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-strict-"))

import psycopg2  # noqa: E402
from place import free_port, program  # noqa: E402
from stand import Stand  # noqa: E402

POLICY = """
version: 1
tenant: strict
classes:
  person: {suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 0}
columns:
  - {table: public.people, column: name, class: person, searchable: true}
roles:
  erp_app: {person: clear}
  warehouse: {person: {mask: name}}
"""
TABLE = """
CREATE TABLE people (id int PRIMARY KEY, name text, city text);
INSERT INTO people SELECT i, 'Person number ' || i, 'Suzhou' FROM generate_series(1, 50) AS i;
GRANT SELECT, INSERT, UPDATE, DELETE ON people TO erp_app, warehouse;
"""
KNOWN = ["SELECT name FROM people WHERE id = 7", "INSERT INTO people VALUES (100, 'New', 'Basel')"]


class Strict(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand = Stand("strict", TABLE, POLICY)
        cls.cluster, cls.policy = cls.stand.cluster, cls.stand.policy
        known = cls.stand.place.dir / "known.sql"
        known.write_text("-- made by theriac explain --known\n" + "".join(
            cls.explain(sql, "--known", text=True) for sql in KNOWN))
        cls.metrics = free_port()
        cls.gateway = cls.stand.parts.gateway_service(more=[
            "--known-statements", known, "--metrics", f"127.0.0.1:{cls.metrics}"])
        cls.gateway.start()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()
        cls.stand.stop()

    @classmethod
    def explain(cls, sql, *more, text=False, status=0):
        argv = [program("theriac"), "explain", sql, "--policy", cls.policy, "--database",
                cls.cluster.uri("dba"), *more, *([] if text else ["--json"])]
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True)
        assert done.returncode == status, (done.returncode, done.stderr)
        return done.stdout if text else json.loads(done.stdout)["statements"]

    def outcome(self, sql, parameters=None):
        try:
            return self.cluster.ask(sql, parameters, role="erp_app", port=self.gateway.port)
        except psycopg2.Error as error:
            return error.pgcode

    def count(self, line):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics") as reply:
            for one in reply.read().decode().splitlines():
                if one.startswith(line + " "):
                    return int(one.rsplit(" ", 1)[1])
        return 0

    def test_explain(self):
        plain, = self.explain("SELECT city FROM people WHERE id = 3")
        self.assertEqual(plain, {"tag": "SELECT", "action": "forwarded"})
        read, = self.explain("SELECT id, name FROM people WHERE name = 'canary'")
        self.assertEqual(read["action"], "rewritten")
        self.assertNotIn("canary", json.dumps(read))
        self.assertEqual(read["parameters"], [{"parameter": "$1", "of": "public.people.name",
                                               "holds": "blind index to compare with"}])
        self.assertEqual(read["opened"], [{"column": 2, "origins": [
            {"opens": "public.people.name", "class": "person"}]}])
        rows, = self.explain("UPDATE people SET name = 'canary'")
        self.assertEqual(rows["action"], "rewritten in two steps")
        self.assertIn("FOR NO KEY UPDATE", rows["first"])
        refused, = self.explain("SELECT upper(name) FROM people", status=1)
        self.assertEqual((refused["action"], refused["why"], refused["on"], refused["sqlstate"]),
                         ("refused", "upper()", "public.people.name", "0A000"))
        masked, = self.explain("SELECT name FROM people", "--role", "warehouse")
        self.assertEqual(masked["opened"][0]["origins"][0]["shown"], "masked")
        denied, = self.explain("SELECT id FROM people WHERE name = 'x'", "--role", "warehouse",
                               status=1)
        self.assertEqual(denied["denied"], ["may not search or compare class person"])
        self.assertIn("column 1   opens public.people.name, class person: clear",
                      self.explain("SELECT name FROM people", "--role", "erp_app", text=True))

    def test_only_known_statements(self):
        self.assertEqual(self.outcome("SELECT name FROM people WHERE id = 8"),
                         [("Person number 8",)])
        self.assertEqual(self.outcome("INSERT INTO people VALUES (101, 'Other', 'Bern')"), [])
        self.assertEqual(self.outcome("SELECT name FROM people WHERE id = '8'"), "0A000")
        self.assertEqual(self.outcome("SELECT name FROM people"), "0A000")
        self.assertEqual(self.outcome("SELECT name FROM people WHERE id = 8; SELECT 1"), "0A000")
        # What names no protected table is nobody's business.
        self.assertEqual(self.outcome("SELECT 1 + 1"), [(2,)])

    def test_counters(self):
        def counts():
            return (self.count('theriac_rewritten_by_tag_total{tag="SELECT"}'), self.count(
                'theriac_refused_by_construct_total{construct="a statement that is not known"}'))
        before = counts()
        self.outcome("SELECT name FROM people WHERE id = 9")
        self.outcome("SELECT name FROM people WHERE id > 9")
        self.assertEqual(counts(), (before[0] + 1, before[1] + 1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
