#!/usr/bin/python3
"""The gateway in enforce mode when things go wrong: each time a typed error, an entry in the audit log
where it is a security event, and a gateway that goes on serving, or does not start and says why."""
import glob
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "demo"), str(HERE.parent / "passthrough")]
os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-adversity-"))

import psycopg2  # noqa: E402
import wire  # noqa: E402
import cluster as clusters  # noqa: E402
from parts import LEASE_S  # noqa: E402
from place import accepts, free_port, program  # noqa: E402
from processes import wait_until  # noqa: E402
from stand import Stand  # noqa: E402

SEED = 20261122
POLICY = """
version: 1
tenant: adversity
classes:
  person: {suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 0}
columns:
  - {table: public.people, column: name, class: person, searchable: true}
roles:
  erp_app: {person: clear}
"""
TABLE = """
CREATE TABLE people (id int PRIMARY KEY, name text, city text);
INSERT INTO people SELECT i, 'Person number ' || i, 'Suzhou' FROM generate_series(1, 500) AS i;
GRANT SELECT, INSERT, UPDATE, DELETE ON people TO erp_app;
"""
READ = "SELECT name FROM people WHERE id = 7"
WORDS = [("Person number 7",)]
REFUSALS = ("28000", "57P03", "58000", "58030", "53100")


class Adversity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Sign-in by hand is not what these tests are about.
        clusters.HBA = "host all erp_app 127.0.0.1/32 trust\n" + clusters.HBA
        cls.stand = Stand("adversity", TABLE, POLICY)
        cls.place, cls.cluster, cls.parts = cls.stand.place, cls.stand.cluster, cls.stand.parts
        cls.policy = cls.stand.policy
        cls.parts.start_gateway()

    @classmethod
    def tearDownClass(cls):
        cls.stand.stop()

    # -- what every test ends with

    def setUp(self):
        self.addCleanup(self.check_service)

    def check_service(self):
        self.parts.start_gateway()
        wait_until(lambda: self.outcome() == WORDS, 30, "the gateway serves")

    def ask(self, sql, port=None):
        return self.cluster.ask(sql, role="erp_app", port=port or self.parts.gateway.port)

    def move_audit(self, folder):
        """The gateway again, with its log in another folder."""
        self.parts.gateway.stop()
        self.parts.audit, self.parts.gateway = folder, None
        self.parts.start_gateway()

    def outcome(self, sql=READ, port=None):
        """Rows, or the SQLSTATE of what was said instead."""
        try:
            return self.ask(sql, port)
        except psycopg2.Error as error:
            return error.pgcode or str(error).strip()

    def audited(self, action):
        """How often the audit log's files hold an entry of this action."""
        return sum(p.read_text("utf-8", "replace").count(f'"action":"{action}"')
                   for p in (self.parts.audit / "gateway").rglob("*") if p.is_file())

    def session(self):
        client = wire.Wire(self.parts.gateway.port)
        self.addCleanup(client.socket.close)
        client.sign_in(user="erp_app", database="erp")
        return client

    def states(self, client, data):
        """SQLSTATEs of the errors up to the next ReadyForQuery."""
        client.send(data)
        return [wire.sqlstate(body) for tag, body in client.until(b"Z") if tag == b"E"]

    # -- hostile and careless clients

    def test_truncated_and_broken_messages(self):
        for data in (struct.pack("!ci", b"Q", 3), struct.pack("!ci", b"Q", -1),
                     struct.pack("!ci", b"Q", 0x7fffffff), b"\0\0\0\0\4", wire.message(b"Q", b"no end"),
                     wire.message(b"P", b"x"), wire.message(b"B", b"\0\0\0\1"), wire.message(b"?", b"")):
            client = self.session()
            client.send(data)
            self.assertIn(wire.sqlstate_in(client.rest()), ("08P01", "54000"), data)
        client = self.session()
        client.send(wire.query(READ)[:-3])
        client.socket.close()

    def test_random_bytes_in_a_session(self):
        chosen = random.Random(SEED)
        for _ in range(60):
            client = self.session()
            client.send(chosen.choice([b"", wire.query(READ)]) +
                        chosen.randbytes(chosen.randrange(1, 400)))
            client.socket.shutdown(1)
            client.rest()

    def test_a_client_that_ignores_errors(self):
        client = self.session()
        before = self.audited("statement.refused")
        refused = "SELECT name FROM people WHERE name LIKE 'a%'"
        said = self.states(client, wire.parse("s", refused) + wire.bind("", "s") + wire.execute("", 0) + wire.parse(
            "t", READ) + wire.bind("", "t") + wire.execute("", 0) + wire.SYNC)
        self.assertEqual(said, ["0A000"], "one error, the rest is skipped up to Sync")
        self.assertEqual(self.states(client, wire.bind("", "s") + wire.execute("", 0) + wire.SYNC),
                         ["26000"], "what was refused does not exist")
        self.assertEqual(self.states(client, wire.bind("", "t") + wire.execute("", 0) + wire.SYNC),
                         ["26000"])
        self.assertEqual(self.states(client, wire.query("begin; " + refused)), ["0A000"])
        self.assertEqual(self.states(client, wire.query(READ)), ["25P02"], "as in PostgreSQL")
        self.assertEqual(self.states(client, wire.query("rollback")), [])
        wait_until(lambda: self.audited("statement.refused") >= before + 2, 10, "both are recorded")
        self.assertEqual(self.states(client, wire.query(READ)), [])

    def test_one_byte_at_a_time(self):
        client = self.session()
        for byte in wire.query(READ) + wire.parse("", READ) + wire.bind("", "") + \
                wire.execute("", 0) + wire.SYNC:
            client.send(bytes([byte]))
        first, second = client.until(b"Z"), client.until(b"Z")
        for messages in (first, second):
            self.assertIn(b"Person number 7", dict(messages)[b"D"])

    def test_unknown_encodings(self):
        for name, state in (("EUC_TW", "22021"), ("JOHAB", "22021"), ("no such encoding", "22023")):
            with wire.Wire(self.parts.gateway.port) as client:
                client.send(wire.startup(user="erp_app", database="erp", client_encoding=name))
                self.assertIn(b"C" + state.encode() + b"\0", client.rest(), name)
        client = self.session()
        for sql in ("SET client_encoding TO 'EUC_TW'", "SET NAMES 'MULE_INTERNAL'",
                    "SELECT set_config('client_encoding', 'JOHAB', false)"):
            self.assertNotEqual(self.states(client, wire.query(sql)), [], sql)
        client.send(wire.message(b"Q", b"SELECT name FROM people WHERE name = '\xff\xfe'\0"))
        self.assertEqual([wire.sqlstate(body) for tag, body in client.until(b"Z") if tag == b"E"],
                         ["22021"])

    def test_sql_that_does_not_parse_is_answered_here(self):
        marker = "no_server_ever_sees_this"
        self.assertEqual(self.outcome(f"SELEC '{marker}' FROM people"), "42601")
        log = subprocess.run(["grep", "-c", marker, str(self.cluster.log)], check=False,
                             capture_output=True, text=True).stdout.strip()
        self.assertEqual(log, "0")

    def test_a_client_that_leaves_in_the_middle(self):
        for cut in (1, 40, 400):
            client = self.session()
            client.send(wire.query("SELECT name FROM people"))
            client.receive(cut)
            client.socket.close()

    # -- the world around

    def test_database_gone_and_back(self):
        held = self.session()
        self.cluster.stop("immediate")
        try:
            self.assertIn("cannot be reached", str(self.outcome()))
            held.rest()
        finally:
            self.cluster.start()

    def test_full_disk_under_the_audit_log(self):
        if os.getuid() != 0:
            self.skipTest("mounting a small disk needs root")
        folder = self.place.dir / "small"
        folder.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder],
                          check=False).returncode != 0:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(folder)], check=False)
        self.addCleanup(self.move_audit, self.parts.audit)
        self.move_audit(folder)
        self.assertEqual(self.outcome(), WORDS)
        filler = open(folder / "filler", "wb", buffering=0)
        try:
            while True:
                filler.write(b"x" * 512)
        except OSError:
            pass
        filler.close()
        end = time.monotonic() + 60
        while self.outcome() == WORDS:  # there was room for a few more
            self.assertLess(time.monotonic(), end, "grants without a record")
        self.assertIn(self.outcome(), REFUSALS)
        self.assertEqual(self.outcome("SELECT 1"), [(1,)], "what needs no key goes on")
        os.unlink(folder / "filler")
        wait_until(lambda: self.outcome() == WORDS, 30, "it goes on when there is room")
        self.parts.gateway.stop()
        code, verdict = self.parts.verify(folder / "gateway")
        self.assertEqual(code, 0, verdict)

    def test_two_gateways_with_one_lease_token(self):
        copied = self.place.dir / "copied"
        shutil.copytree(self.parts.certificates / "gateway", copied)
        port = free_port()
        argv = list(self.parts.gateway.argv)
        argv[argv.index("--listen") + 1] = f"127.0.0.1:{port}"
        argv[argv.index("--cert") + 1] = str(copied)
        argv[argv.index("--audit") + 1] = str(self.place.dir / "second-audit")
        second = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(shutil.rmtree, copied)
        try:
            wait_until(lambda: self.outcome() != WORDS, 30, "the first is stopped, too")
            wait_until(lambda: second.poll() is not None or not accepts(port) or
                       self.outcome(port=port) != WORDS, 30, "neither has a key")
            self.assertIn(self.outcome(), REFUSALS)
            self.assertIn("ALARM", self.parts.keyd.log.read_text("utf-8"))
            wait_until(lambda: self.audited("lease.replayed") > 0, 10, "it is recorded")
        finally:
            second.send_signal(signal.SIGTERM)
            second.wait(30)
        status = self.parts.theriac("key", "status", "--keyd", self.parts.keyd_address(), "--cert",
                                    self.parts.certificates / "admin")
        self.assertEqual([f["name"] for f in status["fences"]], ["gateway-1"])
        self.parts.key("clear-fence", "gateway-1", "--reason", "the copy is gone")

    def test_a_clock_set_back_lengthens_no_lease(self):
        library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not library:
            self.skipTest("faketime is not installed")
        shift = self.place.dir / "shift"
        shift.write_text("+0s\n")
        self.parts.gateway.stop()
        before = dict(os.environ)
        os.environ.update({"LD_PRELOAD": library[0], "FAKETIME_TIMESTAMP_FILE": str(shift),
                           "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        try:
            self.parts.start_gateway()
        finally:
            os.environ.clear()
            os.environ.update(before)
        wait_until(lambda: self.outcome() == WORDS, 30, "the gateway serves")
        shift.write_text("-1h\n")
        self.parts.keyd.stop()
        try:
            wait_until(lambda: self.outcome() != WORDS, 4 * LEASE_S, "the lease ends all the same")
            self.assertIn(self.outcome(), REFUSALS)
        finally:
            self.parts.start_keyd()
            self.parts.gateway.stop()

    # -- starting with something wrong

    def refused_start(self, says, **changed):
        argv = list(self.parts.gateway.argv)
        argv[argv.index("--listen") + 1] = f"127.0.0.1:{free_port()}"
        argv[argv.index("--audit") + 1] = tempfile.mkdtemp(dir=self.place.dir)
        argv[argv.index("--cert") + 1] = self.second_identity()
        for name, value in changed.items():
            argv[argv.index("--" + name) + 1] = str(value)
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
        self.assertIn(done.returncode, (1, 2), done.stderr)
        self.assertIn(says, done.stderr)
        self.assertNotIn(self.place.password("dba"), done.stderr)

    def second_identity(self):
        """Credentials of a gateway of another name, so that the running one keeps its lease."""
        folder = self.place.dir / "gateway-2"
        if not folder.exists():
            subprocess.run([program("theriac-keyd"), "enrol", "--state", self.parts.keyd_state,
                            "--passphrase-file", self.place.passphrase_file(), "--name", "gateway-2",
                            "--role", "gateway", "--out", folder], check=True, capture_output=True)
        return str(folder)

    def other_policy(self, text):
        path = self.place.dir / "other.yaml"
        path.write_text(text)
        return path

    def test_policies_that_are_refused(self):
        self.refused_start("/nowhere/policy.yaml", policy="/nowhere/policy.yaml")
        self.refused_start("other.yaml", policy=self.other_policy(POLICY + "surprise: 1\n"))
        self.refused_start("line", policy=self.other_policy(POLICY.replace("class: person", "class: x")))
        self.refused_start("public.people.city", policy=self.other_policy(
            POLICY.replace("roles:", "  - {table: public.people, column: city, class: person}\nroles:")))

    def test_without_keys_database_or_certificate(self):
        nobody = f"127.0.0.1:{free_port()}"
        self.refused_start(f"key service {nobody}", keyd=nobody)
        self.refused_start("catalogue", catalogue=f"host=127.0.0.1 port={free_port()} user=x dbname=x")
        self.refused_start("/empty/", cert=self.place.folder("empty"))
        foreign = self.place.dir / "foreign"
        if not foreign.exists():
            passphrase = self.place.passphrase_file()
            for argv in (["init", "--tenant", "adversity"],
                         ["enrol", "--name", "gateway-1", "--role", "gateway", "--out", foreign]):
                subprocess.run([program("theriac-keyd"), argv[0], "--state",
                                self.place.dir / "other-keyd", "--passphrase-file", passphrase,
                                *argv[1:]], check=True, capture_output=True)
        self.refused_start("certificate", cert=foreign)
        self.refused_start("role admin", cert=self.parts.certificates / "admin")
        self.refused_start("lease.state.lock", cert=self.parts.certificates / "gateway")


if __name__ == "__main__":
    unittest.main(verbosity=2)
