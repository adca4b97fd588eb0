#!/usr/bin/python3
"""theriac protect and unprotect as programs: key service, terminal, kill -9, exit codes, JSON."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import psycopg2

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "types"))
import private_server  # noqa: E402

BIN = pathlib.Path(os.environ["THERIAC_BIN"])
ROWS = 30000
POLICY = """version: 1
tenant: mycompany
classes:
  person: {buckets: [16, 32, 64]}
  lot: {suite: sm4, bind_rows: true, buckets: [32]}
columns:
  - {table: public.patients, column: name, class: person, searchable: true, accept_leakage: true}
  - {table: public.patients, column: born, class: person}
  - {table: public.lots, column: recipe, class: lot}
roles:
  app: {person: clear, lot: clear}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="theriac-protect-"))
        cls.server = private_server.PrivateServer()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__, None, None, None)
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.database = f"host={cls.server.folder} dbname=postgres user=postgres"
        (cls.folder / "policy.yaml").write_text(POLICY, "utf-8")
        secret = cls.folder / "passphrase"
        secret.write_text("correct horse battery staple\n")
        secret.chmod(0o600)
        state = ["--state", cls.folder / "state", "--passphrase-file", secret]
        cls.keyd_do("init", *state, "--tenant", "mycompany")
        for role in ("admin", "protector"):
            cls.keyd_do("enrol", *state, "--name", f"{role}-1", "--role", role, "--out",
                        cls.folder / role)
        port = free_port()
        cls.keyd = subprocess.Popen(
            [str(a) for a in (BIN / "theriac-keyd", "serve", *state, "--listen",
                              f"127.0.0.1:{port}")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.keyd.wait)
        cls.addClassCleanup(cls.keyd.kill)
        cls.address = f"127.0.0.1:{port}"
        cls.wait_for_port(port)
        for name, suite in (("person", "aes"), ("lot", "sm4")):
            done = cls.theriac("key", "create-class", "--class", name, "--suite", suite, "--reason",
                               "test", "--keyd", cls.address, "--cert", cls.folder / "admin")
            assert done.returncode == 0, done.stderr

    @classmethod
    def wait_for_port(cls, port):
        while cls.keyd.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            select.select([], [], [], 0.05)
        raise RuntimeError("theriac-keyd ended")

    @staticmethod
    def keyd_do(*arguments):
        subprocess.run([str(a) for a in (BIN / "theriac-keyd", *arguments)], check=True,
                       capture_output=True)

    @staticmethod
    def theriac(*arguments):
        return subprocess.run([str(a) for a in (BIN / "theriac", *arguments)], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def keys(self):
        return ("--keyd", self.address, "--cert", self.folder / "protector")

    def move(self, verb, *more):
        policy = ("--policy", self.folder / "policy.yaml") if verb == "protect" else ()
        return (verb, *policy, "--database", self.database, *self.keys(), *more)

    def sql(self, text):
        with psycopg2.connect(self.database) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else None

    def setUp(self):
        self.sql("DROP TABLE IF EXISTS patients, lots; DROP SCHEMA IF EXISTS theriac CASCADE")
        self.sql("CREATE TABLE patients (id int PRIMARY KEY, name text NOT NULL, born date)")
        self.sql("CREATE TABLE lots (lot int PRIMARY KEY, recipe text)")
        self.sql("INSERT INTO patients SELECT n, '病人 ' || n, date '1950-01-01' + n % 20000 "
                 f"FROM generate_series(1, {ROWS}) n")
        self.sql("INSERT INTO lots SELECT n, 'recipe ' || n FROM generate_series(1, 2000) n")
        self.before = self.contents()

    def contents(self):
        return self.sql("SELECT md5(string_agg(p::text, ',' ORDER BY id)), (SELECT "
                        "md5(string_agg(l::text, ',' ORDER BY lot)) FROM lots l) FROM patients p")

    def on_terminal(self, arguments, until=None, how=signal.SIGKILL):
        """Runs on a terminal; at the text `until` sends the signal. What was shown, and the code."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(str(BIN / "theriac"), ["theriac", *map(str, arguments)])
        shown = ""
        while True:
            try:
                got = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not got:
                break
            shown += got.decode("utf-8", "replace")
            if until and re.search(until, shown):
                os.kill(pid, how)
                until = None
        os.close(terminal)
        return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_there_and_back_through_kills(self):
        # The bar names each stage; each run is killed in a later one and the next goes on.
        arguments = self.move("protect", "--yes")
        for stage in (r"sealing public\.patients.* [2-9]\d %", r"comparing public\.patients",
                      r"sealing public\.lots", r"erasing old statistics"):
            shown, code = self.on_terminal(arguments, until=stage)
            self.assertRegex(shown, stage)
            self.assertEqual(code, -signal.SIGKILL, shown)
        done = self.theriac(*self.move("protect", "--yes", "--json"))
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertIn("backups and dumps made before now", report["remains"])
        status = json.loads(self.theriac("protect", "--database", self.database, "--status",
                                         "--json").stdout)["columns"]
        self.assertEqual([(c["column"], c["state"], c["intact"], c["erase_pending"], c["plain_rights"])
                          for c in status],
                         [(name, "sealed", True, False, []) for name in ("name", "born", "recipe")])
        self.assertEqual(self.sql("SELECT count(*) FROM patients WHERE name IS NOT NULL "
                                  "OR born IS NOT NULL"), [(0,)])

        arguments = self.move("unprotect", "--yes")
        for stage in (r"opening public\.patients.* [2-9]\d %", r"comparing public\.patients"):
            shown, code = self.on_terminal(arguments, until=stage)
            self.assertRegex(shown, stage)
            self.assertEqual(code, -signal.SIGKILL, shown)
        shown, code = self.on_terminal(arguments)
        self.assertEqual(code, 0, shown)
        self.assertIn("30,000 rows read back and compared", shown)
        self.assertEqual(self.contents(), self.before)

    def test_ctrl_c_ends_between_steps_and_says_so(self):
        shown, code = self.on_terminal(self.move("protect", "--yes"),
                                       until=r"sealing public\.patients.* [1-9]\d %",
                                       how=signal.SIGINT)
        self.assertEqual(code, 1, shown)
        self.assertIn("run the same command again", shown)
        done = self.theriac(*self.move("unprotect", "--yes"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.contents(), self.before)

    def test_asks_before_it_begins(self):
        done = self.theriac(*self.move("protect"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("--yes", done.stderr)
        self.assertEqual(self.theriac(*self.move("protect", "--plan")).returncode, 0)
        self.sql("CREATE VIEW named AS SELECT name FROM patients")
        try:
            plan = self.theriac("protect", "plan", "--policy", self.folder / "policy.yaml", "--database",
                                self.database)
            self.assertEqual(plan.returncode, 0, plan.stderr)
            self.assertIn("public.patients.name is used by\n", plan.stdout)
            self.assertIn("  made again  view public.named\n", plan.stdout)
            uses = json.loads(self.theriac("protect", "plan", "--policy", self.folder / "policy.yaml", "--database",
                                           self.database, "--json").stdout)["uses"]
            self.assertIn({"column": "public.patients.name", "kind": "view", "name": "public.named",
                           "verdict": "made again", "remedy": ""}, uses)
        finally:
            self.sql("DROP VIEW named")
        self.assertEqual(self.sql("SELECT to_regclass('theriac.columns')"), [(None,)])

    def test_exit_codes(self):
        self.assertEqual(self.theriac("protect").returncode, 2)
        self.assertEqual(self.theriac("protect", "--no-such-option").returncode, 2)
        gone = self.theriac("protect", "--policy", self.folder / "policy.yaml", "--database",
                            "host=/nonexistent dbname=x", *self.keys(), "--yes")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("database cannot be reached", gone.stderr)
        self.sql("CREATE MATERIALIZED VIEW v AS SELECT name FROM patients")
        try:
            check = self.theriac("policy", "check", self.folder / "policy.yaml", "--database",
                                 self.database, "--json")
            self.assertEqual(check.returncode, 1)
            refused = [f for f in json.loads(check.stdout)["database"]["findings"]
                       if f["severity"] == "refused"]
            self.assertEqual(len(refused), 1)
            self.assertIn("materialised view public.v: a materialised view keeps copies", refused[0]["what"])
            done = self.theriac(*self.move("protect", "--yes"))
            self.assertEqual(done.returncode, 1)
            self.assertIn("materialised view public.v: a materialised view keeps copies", done.stderr)
        finally:
            self.sql("DROP MATERIALIZED VIEW v")

    def test_policy_check_names_the_line(self):
        bad = self.folder / "bad.yaml"
        bad.write_text(POLICY.replace("class: lot}", "class: lots}"), "utf-8")
        done = self.theriac("policy", "check", bad)
        self.assertEqual(done.returncode, 1)
        self.assertIn("bad.yaml:9: class: unknown: lots", done.stderr)
        good = self.theriac("policy", "check", self.folder / "policy.yaml", "--json")
        self.assertEqual(good.returncode, 0)
        self.assertEqual(json.loads(good.stdout)["columns"], 3)


if __name__ == "__main__":
    if not private_server.available():
        print("SKIPPED: PostgreSQL 15 is not installed")
        sys.exit(private_server.SKIPPED)
    unittest.main()
