#!/usr/bin/python3
"""Runs the commands of README.md, section "Protect a column of your own database", one by one in one
shell against a private PostgreSQL, as a reader would; then reads, writes and takes it back.
Only addresses and passwords are replaced. The second test does the same with ./run --erp. Serial
numbers are attacked as it says, too.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
sys.path.insert(0, str(ROOT / "demo"))
import place as places  # noqa: E402
from cluster import Cluster  # noqa: E402
from place import accepts  # noqa: E402
from processes import wait_until  # noqa: E402

NAMES = ["张伟", "王芳", "O'Brien", "Zoë Weaver", "李娜"]


READMES = ("README.md", "README.zh-CN.md")


def block(marker, readme="README.md"):
    text = (ROOT / readme).read_text("utf-8")
    return re.search(rf"<!-- {marker} -->\n+```sh\n(.*?)```", text, re.S).group(1)


def commands():
    found, lines = [], iter(block("own-database").splitlines())
    for line in lines:
        text = line
        while text.endswith("\\"):
            text += "\n" + next(lines)
        document = re.search(r"<<'(\w+)'", text)
        while document and not text.endswith("\n" + document.group(1)):
            text += "\n" + next(lines)
        found.append(text)
    return found


class Shell:
    """A bash that is fed one command at a time, and says how each ended."""

    def __init__(self, folder):
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=folder, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, command):
        self.process.stdin.write(f"{command}\necho \"\n@@done $?\"\n")
        self.process.stdin.flush()
        said = []
        for line in self.process.stdout:
            match = re.fullmatch(r"@@done (\d+)\n", line)
            if match:
                return int(match.group(1)), "".join(said)
            said.append(line)
        raise AssertionError("the shell ended: " + "".join(said))

    def close(self):
        self.process.stdin.write("kill $(jobs -p) 2>/dev/null; wait\nexit\n")
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()
        self.process.stdout.close()


class BothLanguages(unittest.TestCase):
    def test_they_say_the_same_commands(self):
        for marker in ("own-database", "attack"):
            self.assertEqual(block(marker), block(marker, READMES[1]), marker)

    def test_serial_numbers_hold_against_the_attack(self):
        done = subprocess.run(["bash", "-ec", block("attack")], capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": f"{places.BIN}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("holds: nothing known helps", done.stdout)


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="theriac-readme-"))
        self.folder.chmod(0o755)
        os.environ["THERIAC_VAR"] = str(self.folder / "var")
        self.place = places.Place("readme")
        self.place.dir.parent.mkdir(mode=0o755)
        self.place.__enter__()
        self.cluster = Cluster(self.place).start()
        self.cluster.ask("CREATE DATABASE mydb", database="postgres")
        for sql in ("CREATE ROLE app LOGIN", "CREATE ROLE reports LOGIN",
                    "CREATE TABLE patients (id int PRIMARY KEY, name text NOT NULL, ward text)",
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON patients TO app",
                    "GRANT SELECT ON patients TO reports"):
            self.cluster.ask(sql, database="mydb")
        for role in ("app", "reports"):
            self.cluster.set_password(role)
        for number, name in enumerate(NAMES):
            self.cluster.ask("INSERT INTO patients VALUES (%s, %s, 'A')", (number, name), database="mydb")

    def tearDown(self):
        self.cluster.stop("immediate")
        self.place.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def through(self, port, sql, role="app"):
        return self.cluster.ask(sql, role=role, database="mydb", port=port)

    def check_protected(self, port):
        expected = [(n,) for n in NAMES]
        self.assertEqual(self.through(port, "SELECT name FROM patients ORDER BY id"), expected)
        self.assertEqual(self.through(port, "SELECT id FROM patients WHERE name = '王芳'"), [(1,)])
        self.assertEqual(self.through(port, "SELECT name FROM patients ORDER BY id LIMIT 1", "reports"),
                         [("张*",)])
        self.through(port, "INSERT INTO patients VALUES (100, '新病人', 'B')")
        rows = self.cluster.ask("SELECT p::text FROM patients p", database="mydb")
        self.assertEqual(len(rows), len(NAMES) + 1)
        for (text,) in rows:
            self.assertFalse(any(n in text for n in NAMES + ["新病人"]), text)

    def check_plain(self):
        rows = self.cluster.ask("SELECT name FROM patients ORDER BY id", role="app", database="mydb")
        self.assertEqual(rows, [(n,) for n in NAMES + ["新病人"]])

    def test_commands_of_the_readme(self):
        keyd, gateway = places.free_port(), places.free_port()
        uri = self.cluster.uri("dba", "mydb")
        swaps = (("$PWD/build/release/bin", str(places.BIN)), ("postgres://postgres:secret@127.0.0.1:5432/mydb", uri), ("127.0.0.1:7750",
                 f"127.0.0.1:{keyd}"), ("127.0.0.1:6543", f"127.0.0.1:{gateway}"),
                 ("127.0.0.1:5432", f"127.0.0.1:{self.cluster.port}"))
        shell = Shell(self.folder)
        try:
            protect = None
            for command in commands():
                for old, new in swaps:
                    command = command.replace(old, new)
                code, said = shell.run(command)
                self.assertEqual(code, 0, f"{command}\n{said}")
                if command.rstrip().endswith("&"):
                    port = gateway if "theriac-gateway" in command else keyd
                    wait_until(lambda p=port: accepts(p), 60, command.split()[0])
                if command.startswith("theriac protect"):
                    protect = command
                    password = re.search(r"shown this once: (\S+)", said).group(1)
                    swaps += (("PRINTED-BY-PROTECT", password),)
            self.check_protected(gateway)
            code, said = shell.run(protect.replace("theriac protect", "theriac unprotect"))
            self.assertEqual(code, 0, said)
            self.check_plain()
        finally:
            shell.close()

    def test_run_with_ones_own_database(self):
        policy = next(c for c in commands() if c.startswith("cat > policy.yaml"))
        subprocess.run(["bash", "-c", policy], cwd=self.folder, check=True)
        main = [sys.executable, str(ROOT / "demo" / "main.py")]
        own = ["--erp", self.cluster.uri("dba", "mydb"), "--policy", str(self.folder / "policy.yaml")]
        refused = subprocess.run([*main, *own], stdin=subprocess.DEVNULL, capture_output=True,
                                 text=True, check=False)
        self.assertEqual(refused.returncode, 1)  # nobody there to say yes
        self.assertEqual(self.through(self.cluster.port, "SELECT count(*) FROM patients"), [(5,)])
        running = subprocess.Popen([*main, *own, "--yes"], stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said, port = [], None
            for line in running.stdout:
                said.append(line)
                match = re.search(r"host=127\.0\.0\.1 port=(\d+)", line)
                if match:
                    port = int(match.group(1))
                if line.startswith("Ctrl-C"):
                    break
            self.assertIsNotNone(port, "".join(said))
            self.check_protected(port)
        finally:
            running.terminate()
            running.communicate()
        self.assertFalse(accepts(port), "the gateway outlives ./run")
        undone = subprocess.run([*main, "undo", *own], capture_output=True, text=True, check=False)
        self.assertEqual(undone.returncode, 0, undone.stdout + undone.stderr)
        self.check_plain()


if __name__ == "__main__":
    unittest.main()
