#!/usr/bin/env python3
"""theriac-keyd, theriac key, theriac seal and theriac open as whole programs."""
import glob
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from lease_protocol import Client, Closed, Refused, canonical, lease_request

BIN = os.environ["THERIAC_BIN"]
KEYD = f"{BIN}/theriac-keyd"
THERIAC = f"{BIN}/theriac"
LEASE_SECONDS = 2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class KeydTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="theriac-keyd-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.state = self.path("state")
        self.passphrase = self.path("passphrase")
        with open(self.passphrase, "w", encoding="utf-8") as file:
            file.write("correct horse battery staple\n")
        self.port = free_port()
        self.process = None
        self.addCleanup(self.kill)

    # -- tools

    def path(self, name):
        return os.path.join(self.folder, name)

    def keyd(self, *arguments, code=0, environment=None):
        return self.run_program(KEYD, *arguments, "--state", self.state, "--passphrase-file",
                                self.passphrase, code=code, environment=environment)

    def theriac(self, *arguments, cert="admin", code=0, stdin=None):
        return self.run_program(THERIAC, *arguments, "--keyd", f"127.0.0.1:{self.port}", "--cert",
                                self.path(cert), code=code, stdin=stdin)

    def run_program(self, *command, code=0, environment=None, stdin=None):
        done = subprocess.run(command, capture_output=True, input=stdin, check=False,
                              env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, code,
                         f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done

    def serve(self, *more, environment=None, state=None):
        self.log = open(self.path("serve.log"), "ab")  # pylint: disable=consider-using-with
        self.addCleanup(self.log.close)
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [KEYD, "serve", "--state", state or self.state, "--passphrase-file", self.passphrase,
             "--listen", f"127.0.0.1:{self.port}", "--lease-seconds", str(LEASE_SECONDS), *more],
            stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(environment or {})})
        line = self.process.stdout.readline().decode()
        self.assertEqual(line, f"listening on 127.0.0.1:{self.port}\n", self.logged())

    def kill(self, how=signal.SIGKILL):
        if self.process is None:
            return None
        self.process.send_signal(how)
        code = self.process.wait()
        self.process.stdout.close()
        self.process = None
        return code

    @staticmethod
    def contents(path):
        with open(path, "rb") as file:
            return file.read()

    def logged(self):
        with open(self.path("serve.log"), encoding="utf-8") as file:
            return file.read()

    def enrol(self, name, role=None, *more):
        self.keyd("enrol", "--name", name, "--role", role or name, "--out", self.path(name), *more)

    def start(self):
        self.keyd("init")
        self.serve()
        self.enrol("gateway")
        self.enrol("admin")

    def client(self, name="gateway", **more):
        return Client(self.path(name), self.port, **more)

    def lease(self, classes=("contact",), token=None, name="gateway"):
        with self.client(name) as client:
            return client.exchange(lease_request(list(classes), token))

    def refused(self, code, call):
        with self.assertRaises(Refused) as caught:
            call()
        self.assertEqual(caught.exception.name, code)

    def audited(self):
        """Actions on the audit log, in order; each entry verified to be JSON."""
        actions = []
        for line in self.entries():
            actions.append(line["action"])
        return actions

    def entries(self):
        """What the tiles and the write-ahead log hold, without Theriac's own reader."""
        found = []
        # tlog-tiles: entries/<N> are u16-length-prefixed (C2SP tlog-tiles); partial tiles in <N>.p/.
        best = {}
        for path in glob.glob(f"{self.state}/audit/tile/entries/**", recursive=True):
            if os.path.isfile(path):
                directory = os.path.dirname(path)
                if directory.endswith(".p"):
                    index, size = directory[:-2], int(os.path.basename(path))
                else:
                    index, size = path, 256
                if size > best.get(index, (0, ""))[0]:
                    best[index] = (size, path)
        for _, (_, path) in sorted(best.items()):
            data = self.contents(path)
            at = 0
            while at < len(data):
                size = int.from_bytes(data[at : at + 2], "big")
                found.append(json.loads(data[at + 2 : at + 2 + size]))
                at += 2 + size
        return found

    # -- first start, passphrase, usage

    def test_first_start(self):
        out = self.keyd("init", "--json").stdout
        self.assertEqual(json.loads(out)["event"], "initialised")
        self.assertIn(b"AlreadyExists", self.keyd("init", code=1).stderr)
        for name in ("custody.json", "keyd.db"):
            self.assertEqual(os.stat(f"{self.state}/{name}").st_mode & 0o777, 0o600, name)
        for action in ("root.create", "tenant.create", "authority.create"):
            self.assertIn(action, self.audited())

    def test_wrong_passphrase(self):
        self.keyd("init")
        with open(self.passphrase, "w", encoding="utf-8") as file:
            file.write("incorrect horse battery\n")
        for command in (["serve"], ["enrol", "--name", "x", "--out", self.path("x")]):
            self.assertIn(b"WrongPassphrase", self.keyd(*command, code=1).stderr)
        self.assertFalse(os.path.exists(self.path("x/key.pem")))
        with open(self.passphrase, "w", encoding="utf-8") as file:
            file.write("short\n")
        self.assertIn(b"12 to 1024", self.keyd("serve", code=2).stderr)

    def test_wrong_usage_is_2(self):
        for arguments in ([], ["serve", "--nonsense"], ["enrol"], ["serve", "--listen", "nowhere"],
                          ["serve", "--lease-seconds", "1"]):
            self.run_program(KEYD, *arguments, *(["--state", "s", "--passphrase-file", "p"]
                                                 if arguments else []), code=2)
        self.run_program(KEYD, "--help")
        self.assertIn(b"NotFound", self.keyd("serve", code=1).stderr)

    def test_config_file(self):
        config = self.path("keyd.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"state: {self.state}\npassphrase_file: {self.passphrase}\n"
                       "lease_seconds: 7\n")
        self.run_program(KEYD, "serve", "--config", config, "--check-config")
        self.run_program(KEYD, "serve", "--config", config, "--lease-seconds", "1",
                         "--check-config", code=2)
        self.run_program(KEYD, "init", "--config", config)
        self.assertTrue(os.path.exists(f"{self.state}/custody.json"))
        with open(config, "a", encoding="utf-8") as file:
            file.write("colour: red\n")
        done = self.run_program(KEYD, "serve", "--config", config, code=2)
        self.assertIn(b"keyd.yaml:4: unknown key", done.stderr)

    def test_serve_initialises_when_told(self):
        self.serve("--init")
        self.kill(signal.SIGTERM)
        self.serve("--init")

    def test_one_service_a_state(self):
        self.start()
        other = free_port()
        done = self.keyd("serve", "--listen", f"127.0.0.1:{other}", code=1)
        self.assertIn(b"Busy", done.stderr)

    def test_no_core_dump_and_no_tracing(self):
        self.start()
        with open(f"/proc/{self.process.pid}/limits", encoding="utf-8") as file:
            core = [line for line in file if line.startswith("Max core file size")][0]
        self.assertEqual(core.split()[4:6], ["0", "0"])
        # A process that is not dumpable has files under /proc that belong to root.
        if os.getuid() != 0:
            self.assertEqual(os.stat(f"/proc/{self.process.pid}/environ").st_uid, 0)

    # -- leases

    def test_lease_and_renewal(self):
        self.start()
        first = self.lease(["contact", "formula"])
        self.assertEqual(len(first["keys"]), 6)
        self.assertEqual({len(key["material"]) for key in first["keys"]}, {32})
        self.assertEqual(first["ttl_ms"], LEASE_SECONDS * 1000)
        second = self.lease(["contact", "formula"], first["token"])
        self.assertEqual([key["material"] for key in first["keys"]],
                         [key["material"] for key in second["keys"]])
        self.assertNotEqual(first["token"], second["token"])
        self.assertEqual(self.kill(signal.SIGTERM), 0)
        actions = self.audited()
        for action in ("service.start", "certificate.issue", "key.create", "lease.issue",
                       "lease.renew", "service.stop"):
            self.assertIn(action, actions)
        text = json.dumps(self.entries())
        for key in first["keys"]:
            self.assertNotIn(key["material"].hex(), text)
        self.assertNotIn(first["token"], text)

    def test_revoke_and_restore(self):
        self.start()
        lease = self.lease()
        self.theriac("key", "revoke", "--class", "contact", "--reason", "test")
        lease = self.lease(token=lease["token"])
        self.assertEqual((lease["revoked"], lease["keys"]), (["contact"], []))
        self.kill()
        self.serve()
        lease = self.lease(token=lease["token"])
        self.assertEqual(lease["revoked"], ["contact"], "revocation outlives kill -9")
        self.theriac("key", "restore", "--class", "contact")
        lease = self.lease(token=lease["token"])
        self.assertEqual(len(lease["keys"]), 3)

    def test_one_token_two_gateways(self):
        self.start()
        first = self.lease()
        self.lease(token=first["token"])
        self.refused("LeaseReplayed", lambda: self.lease(token=first["token"]))
        self.refused("LeaseReplayed", self.lease)
        self.assertIn("ALARM", self.logged())
        self.assertIn(b"FENCED", self.theriac("key", "status").stdout)
        self.theriac("key", "clear-fence", "gateway", "--reason", "copy switched off")
        self.assertEqual(len(self.lease()["keys"]), 3)
        self.kill(signal.SIGTERM)
        self.assertIn("lease.fence", self.audited())
        self.assertIn("lease.clear_fence", self.audited())

    def test_lost_reply_does_not_fence(self):
        self.start()
        token = self.lease()["token"]
        request = lease_request(["contact"], token)
        for _ in range(3):  # sent, carried out, and nobody listens to the reply
            with self.client() as client:
                client.send(request)
        with self.client() as client:
            reply = client.exchange(request)
        self.assertEqual(len(self.lease(token=reply["token"])["keys"]), 3)

    def test_kill_9_loses_nothing(self):
        self.start()
        token = self.lease()["token"]
        keys = None
        rng = random.Random(7)
        pending = None
        for _ in range(12):
            # Renewals run until the service dies under them at an arbitrary moment.
            stop = time.monotonic() + rng.random() * 0.3
            try:
                while time.monotonic() < stop:
                    with self.client() as client:
                        pending = pending or lease_request(["contact"], token)
                        reply = client.exchange(pending)
                    token, pending = reply["token"], None
                    ids = [key["id"] for key in reply["keys"]]
                    self.assertEqual(keys or ids, ids)
                    keys = ids
                with self.client() as client:
                    pending = lease_request(["contact"], token)
                    client.send(pending)
            except Closed:
                pass
            self.kill()
            self.serve()
            with self.client() as client:
                reply = client.exchange(pending or lease_request(["contact"], token))
            token, pending = reply["token"], None
        self.assertNotIn("FENCED", self.theriac("key", "status").stdout.decode())

    def test_certificates_that_are_refused(self):
        self.start()
        # Of another company's authority, with our authority's certificate in hand.
        other_state, ours = self.path("other-state"), self.state
        self.state = other_state
        self.keyd("init")
        self.enrol("foreign", "gateway")
        self.state = ours
        shutil.copy(self.path("gateway/ca.pem"), self.path("foreign/ca.pem"))
        # Of the right authority, but the administrator's; and revoked; and none at all.
        self.enrol("lost", "gateway")
        self.theriac("key", "revoke-certificate", "lost", "--reason", "laptop stolen")
        for name in ("foreign", None):
            with self.assertRaises(Closed):
                with Client(self.path(name) if name else None, self.port,
                            ca=self.path("gateway/ca.pem")) as client:
                    client.ask("hello")
        self.refused("Denied", lambda: self.lease(name="admin"))
        self.refused("BadCertificate", lambda: self.lease(name="lost"))
        with self.client() as client:
            self.refused("Denied", lambda: client.ask("revoke", **{"class": "contact"}))
        done = self.theriac("key", "list", cert="foreign", code=1)
        self.assertIn(b"BadCertificate", done.stderr)
        self.kill(signal.SIGTERM)
        refusals = [entry for entry in self.entries() if entry["outcome"] == "denied"]
        self.assertEqual({entry["action"] for entry in refusals},
                         {"connection.refused", "certificate.refused", "lease.refused",
                          "request.refused"})

    def faketime(self, shift):
        library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not library:
            print("SKIPPED: faketime is not installed: " + self.id(), flush=True)
            self.skipTest("faketime")
        return {"LD_PRELOAD": library[0], "FAKETIME": shift,
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}

    def test_expired_certificate(self):
        yesterday = self.faketime("-2d")
        self.start()
        self.keyd("enrol", "--name", "old", "--role", "gateway", "--out", self.path("old"),
                  environment=yesterday)
        with self.assertRaises(Closed) as caught:
            self.lease(name="old")
        self.assertIn("expired", str(caught.exception))
        self.kill(signal.SIGTERM)
        self.assertIn("expired", json.dumps(
            [e for e in self.entries() if e["action"] == "connection.refused"]))

    def test_clock_set_back(self):
        back = self.faketime("-30s")
        self.start()
        token = self.lease()["token"]
        self.kill(signal.SIGTERM)
        self.serve(environment=back)
        self.refused("ClockMoved", lambda: self.lease(token=token))
        self.refused("ClockMoved", lambda: self.lease(name="gateway"))
        self.kill(signal.SIGTERM)
        self.serve()
        token = self.lease(token=token)["token"]
        self.kill(signal.SIGTERM)
        # The clock had really run ahead, and a person says so.
        self.keyd("accept-clock", "--reason", "battery replaced", environment=back)
        self.serve(environment=back)
        self.lease(token=token)
        self.kill(signal.SIGTERM)
        self.assertIn("clock.accept", self.audited())

    def test_full_disk(self):
        if os.getuid() != 0:
            print("SKIPPED: mounting a small disk needs root: " + self.id(), flush=True)
            self.skipTest("root")
        os.mkdir(self.state)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.state],
                          check=False).returncode != 0:
            print("SKIPPED: mounting is not allowed here: " + self.id(), flush=True)
            self.skipTest("mount")
        self.addCleanup(subprocess.run, ["umount", "-l", self.state], check=False)
        self.addCleanup(self.kill)
        self.start()
        token = self.lease()["token"]
        with open(f"{self.state}/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        codes = set()
        made = 0
        for number in range(200):
            try:
                with self.client("admin") as client:
                    client.ask("create_class", **{"class": f"c{number}", "suite": 1})
                made += 1
            except Refused as refused:
                codes.add(refused.name)
                break
        self.assertEqual(codes, {"DiskFull"})
        with self.client("admin") as client:
            self.assertEqual(client.ask("status")["classes"], 1 + made, "nothing half made")
        os.unlink(f"{self.state}/filler")
        self.lease(token=token)  # the same process goes on
        with self.client("admin") as client:
            client.ask("create_class", **{"class": "after", "suite": 1})
            self.assertEqual(client.ask("status")["classes"], 2 + made)

    # -- hostile peers

    def test_hostile_bytes(self):
        self.start()
        hostile = [b"", b"{", b"null", b"[]", b"\xff" * 100, b'{"v":1,"op":"hello","v":1}',
                   b'{"op":"hello", "v":1}', canonical({"v": 1, "op": "hello", "x": 1}),
                   b"{" * 10000, b'{"a":' * 5000]
        for payload in hostile:
            with self.client() as client:
                with self.assertRaises((Refused, Closed)):
                    client.exchange(payload)
        with self.client() as client:
            client.socket.sendall(b"\xff\xff\xff\xff")
            with self.assertRaises(Refused) as caught:
                client.exchange(b"")
            self.assertEqual(caught.exception.name, "TooLarge")
        with self.client() as client:  # cut in the middle of a frame
            client.socket.sendall(b"\x00\x00\x10\x00abc")
        self.assertEqual(len(self.lease()["keys"]), 3)

    def test_slow_peers_are_cut_off(self):
        self.start()
        silent = socket.create_connection(("127.0.0.1", self.port))
        half = self.client()
        half.socket.sendall(b"\x00\x00\x10\x00half a frame")
        for one in (silent, half.socket):
            one.settimeout(60)
            try:
                self.assertEqual(one.recv(1), b"")
            except ConnectionError:
                pass
            one.close()
        self.assertEqual(len(self.lease()["keys"]), 3)

    def test_strangers_cannot_keep_holders_out(self):
        self.start()
        token = self.lease()["token"]
        # More silent connections than there are places, and still a renewal gets through.
        sockets = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(300)]
        self.assertEqual(len(self.lease(token=token)["keys"]), 3)
        closed = 0
        for one in sockets:
            one.settimeout(0.01)
            try:
                closed += one.recv(1) == b""
            except TimeoutError:
                pass
            except ConnectionError:
                closed += 1
        self.assertGreaterEqual(closed, 300 - 256)
        for one in sockets:
            one.close()
        self.assertEqual(len(self.lease()["keys"]), 3)

    def test_passphrase_can_be_changed(self):
        self.start()
        token = self.lease()["token"]
        with open(self.path("new"), "w", encoding="utf-8") as file:
            file.write("another horse entirely\n")
        self.keyd("passphrase", "--new-passphrase-file", self.path("new"), "--reason", "yearly")
        self.kill(signal.SIGTERM)
        self.assertIn(b"WrongPassphrase", self.keyd("serve", code=1).stderr)
        self.passphrase = self.path("new")
        self.serve()
        self.lease(token=token)
        self.kill(signal.SIGTERM)
        self.assertIn("root.passphrase", self.audited())

    # -- theriac key, seal, open

    def test_key_commands(self):
        self.start()
        self.enrol("auditor")
        self.theriac("key", "create-class", "--class", "formula", "--suite", "sm4")
        self.assertIn(b"AlreadyExists",
                      self.theriac("key", "create-class", "formula", code=1).stderr)
        self.theriac("key", "rotate", "formula", "--wait", "--reason", "yearly")
        versions = json.loads(self.theriac("key", "list", "--json", cert="auditor").stdout)
        states = {(v["purpose"], v["version"]): v["state"]
                  for v in versions["classes"][0]["versions"]}
        self.assertEqual(states, {("data", 1): "deactivated", ("data", 2): "active",
                                  ("index", 1): "active", ("stream", 1): "deactivated",
                                  ("stream", 2): "active"})
        self.assertIn(b"Denied",
                      self.theriac("key", "revoke", "formula", cert="auditor", code=1).stderr)
        self.theriac("key", "revoke", code=2)
        self.theriac("key", "nonsense", code=2)
        self.theriac("key", "revoke", "--whole-tenant")
        self.assertIn(b"suspended", self.theriac("key", "status").stdout)
        self.theriac("key", "restore", "--whole-tenant")
        self.kill(signal.SIGTERM)
        self.assertIn(b"Closed", self.theriac("key", "list", code=1).stderr)

    def test_rotation_under_a_living_lease(self):
        self.start()
        lease = self.lease()
        waiting = subprocess.Popen(
            [THERIAC, "key", "rotate", "contact", "--wait", "--keyd", f"127.0.0.1:{self.port}",
             "--cert", self.path("admin")], stdout=subprocess.PIPE)
        while waiting.poll() is None:
            lease = self.lease(token=lease["token"])
        waiting.stdout.close()
        self.assertEqual(waiting.returncode, 0)
        lease = self.lease(token=lease["token"])
        self.assertEqual({(k["purpose"], k["version"]) for k in lease["keys"] if k["active"]},
                         {(1, 2), (2, 1), (3, 2)})
        self.assertEqual(len(lease["keys"]), 5)

    def test_seal_and_open(self):
        self.start()
        self.enrol("protector")
        for size in (0, 1, 65535, 65536, 65537, 3_000_000):
            plain = self.path("plain")
            data = random.Random(size).randbytes(size)
            with open(plain, "wb") as file:
                file.write(data)
            self.theriac("seal", plain, "-o", self.path("sealed"), cert="protector")
            sealed = self.contents(self.path("sealed"))
            if size > 32:
                self.assertNotIn(data[:32], sealed)
            self.theriac("open", self.path("sealed"), "-o", self.path("opened"), cert="protector")
            self.assertEqual(self.contents(self.path("opened")), data)
            piped = self.theriac("seal", cert="protector", stdin=data).stdout
            self.assertEqual(self.theriac("open", cert="protector", stdin=piped).stdout, data)
        self.assertEqual(os.stat(self.path("opened")).st_mode & 0o777, 0o600)

    def test_open_leaves_nothing_behind_when_it_fails(self):
        self.start()
        self.enrol("protector")
        with open(self.path("plain"), "wb") as file:
            file.write(random.Random(1).randbytes(300_000))
        self.theriac("seal", self.path("plain"), "-o", self.path("sealed"), cert="protector")
        sealed = self.contents(self.path("sealed"))
        flipped = sealed[:200_000] + bytes([sealed[200_000] ^ 1]) + sealed[200_001:]
        before = set(os.listdir(self.folder))
        for damage in (sealed[:-1], sealed[:150_000], flipped,
                       sealed + b"x", b"", b"garbage" * 100):
            with open(self.path("damaged"), "wb") as file:
                file.write(damage)
            self.theriac("open", self.path("damaged"), "-o", self.path("out"), cert="protector",
                         code=1)
            self.assertEqual(set(os.listdir(self.folder)), before | {"damaged"})
        self.theriac("key", "revoke", "files")
        done = self.theriac("open", self.path("sealed"), "-o", self.path("out"), cert="protector",
                            code=1)
        self.assertIn(b"Revoked", done.stderr)
        self.assertIn(b"NotFound",
                      self.theriac("seal", self.path("none"), "-o", self.path("x"),
                                   cert="protector", code=1).stderr)
        self.theriac("seal", "--nonsense", cert="protector", code=2)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
