#!/usr/bin/python3
"""src/pgwire's two halves of SCRAM with the real parts: its client signs in at a PostgreSQL 15 with
keys instead of a password, its server signs a libpq in with a verifier PostgreSQL stored, and the
keys won from the second do for the first.

usage: scram_server_test.py BRIDGE
"""
import base64
import hashlib
import hmac
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "types"))
import private_server  # noqa: E402
from libpq import Connection  # noqa: E402

PASSWORDS = {"anna": "pencil", "berta": "π & \"quotes\" 'and' spaces", "cora": "a" * 500}


def keys_of(password, salt, iterations):
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    return tuple(hmac.digest(salted, name, "sha256") for name in (b"Client Key", b"Server Key"))


class Bridge:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        verdict, *rest = self.process.stdout.readline().split()
        return (verdict == "ok"), rest

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Wire:
    """A protocol 3.0 stream, either side."""

    def __init__(self, stream):
        self.stream = stream

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.stream.recv(size - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        return data

    def read(self):
        tag = self.exactly(1)
        [length] = struct.unpack(">I", self.exactly(4))
        return tag, self.exactly(length - 4)

    def read_startup(self):
        [length] = struct.unpack(">I", self.exactly(4))
        return self.exactly(length - 4)

    def send(self, tag, body):
        self.stream.sendall(tag + struct.pack(">I", len(body) + 4) + body)

    def authentication(self, kind, body=b""):
        self.send(b"R", struct.pack(">I", kind) + body)


class Scram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = private_server.PrivateServer().__enter__()
        cls.addClassCleanup(cls.postgres.__exit__)
        admin = Connection(f"host={cls.postgres.folder} port={cls.postgres.port} user=postgres "
                           "dbname=postgres client_encoding=UTF8")
        cls.addClassCleanup(admin.close)
        cls.verifiers = {}
        for name, password in PASSWORDS.items():
            quoted = password.replace("'", "''")
            admin.run(f"create role {name} login password '{quoted}'")
            [[stored]] = admin.run(f"select rolpassword from pg_authid where rolname = '{name}'")
            cls.verifiers[name] = stored.decode()
        rules = cls.postgres.data / "pg_hba.conf"
        rules.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        admin.run("select pg_reload_conf()")
        # The reload is asynchronous; the file's rules show only what was read, so ask until a wrong
        # password is refused.
        refused = False
        while not refused:
            try:
                Connection(cls.conninfo("anna", "wrong")).close()
            except RuntimeError:
                refused = True

    @classmethod
    def conninfo(cls, user, password, folder=None):
        quoted = password.replace("\\", "\\\\").replace("'", "\\'")
        return (f"host={folder or cls.postgres.folder} port={cls.postgres.port} user={user} "
                f"dbname=postgres password='{quoted}'")

    def setUp(self):
        self.bridge = Bridge(BRIDGE)
        self.addCleanup(self.bridge.close)

    def sign_in(self, user, client_key, server_key):
        """Through our client half at PostgreSQL; True if it let us in and proved itself."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(str(self.postgres.folder / f".s.PGSQL.{self.postgres.port}"))
            wire = Wire(stream)
            body = struct.pack(">I", 196608) + b"user\0" + user.encode() + b"\0database\0postgres\0\0"
            stream.sendall(struct.pack(">I", len(body) + 4) + body)
            _, offer = wire.read()
            self.assertIn(b"SCRAM-SHA-256\0", offer)
            good, (mechanism, first) = self.bridge.ask("client", client_key.hex(), server_key.hex())
            self.assertTrue(good)
            first = bytes.fromhex(first)
            wire.send(b"p", mechanism.encode() + b"\0" + struct.pack(">I", len(first)) + first)
            tag, body = wire.read()
            self.assertEqual((tag, body[:4]), (b"R", struct.pack(">I", 11)))
            good, [final] = self.bridge.ask("answer", body[4:].hex())
            self.assertTrue(good)
            wire.send(b"p", bytes.fromhex(final))
            tag, body = wire.read()
            if tag == b"E":
                return False
            self.assertEqual((tag, body[:4]), (b"R", struct.pack(">I", 12)))
            proven, _ = self.bridge.ask("verify", body[4:].hex())
            return proven

    def stored_keys(self, user):
        iterations, salt = self.verifiers[user].split("$")[1].split(":")
        return keys_of(PASSWORDS[user], base64.b64decode(salt), int(iterations))

    def test_client_signs_in_with_keys(self):
        for user in PASSWORDS:
            with self.subTest(user=user):
                self.assertTrue(self.sign_in(user, *self.stored_keys(user)))

    def test_client_with_wrong_keys_is_refused(self):
        client_key, server_key = self.stored_keys("anna")
        self.assertFalse(self.sign_in("anna", bytes(32), server_key))
        self.assertFalse(self.sign_in("berta", client_key, server_key))
        # PostgreSQL lets us in, but does not prove the key we expect: we refuse it.
        self.assertFalse(self.sign_in("anna", client_key, bytes(32)))

    def accept(self, listener, user, outcome):
        """One libpq, signed in by our server half; `outcome` gets the keys, or nothing."""
        stream, _ = listener.accept()
        with stream:
            wire = Wire(stream)
            self.assertIn(b"user\0" + user.encode(), wire.read_startup())
            self.assertTrue(self.bridge.ask("server", self.verifiers[user])[0])
            wire.authentication(10, b"SCRAM-SHA-256\0\0")
            _, body = wire.read()
            mechanism, rest = body.split(b"\0", 1)
            good, [first] = self.bridge.ask("first", mechanism.decode(), rest[4:].hex())
            self.assertTrue(good)
            wire.authentication(11, bytes.fromhex(first))
            _, body = wire.read()
            good, answer = self.bridge.ask("final", body.hex())
            if not good:
                wire.send(b"E", b"SFATAL\0C28P01\0Mrefused\0\0")
                return
            outcome.extend(bytes.fromhex(key) for key in answer[1:])
            wire.authentication(12, bytes.fromhex(answer[0]))
            wire.authentication(0)
            wire.send(b"S", b"server_version\00015.0\0")
            wire.send(b"Z", b"I")
            wire.read()  # Terminate

    def serve_one(self, user, password):
        folder = self.postgres.folder / f"ours-{user}"
        folder.mkdir(exist_ok=True)
        path = folder / f".s.PGSQL.{self.postgres.port}"
        outcome = []
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            thread = threading.Thread(target=self.accept, args=(listener, user, outcome))
            thread.start()
            try:
                Connection(self.conninfo(user, password, folder)).close()
                signed_in = True
            except RuntimeError:
                signed_in = False
            thread.join()
        path.unlink()
        return signed_in, outcome

    def test_one_password_does_for_both_legs(self):
        for user, password in PASSWORDS.items():
            with self.subTest(user=user):
                signed_in, keys = self.serve_one(user, password)
                self.assertTrue(signed_in, "libpq did not accept our signature")
                self.assertEqual(tuple(keys), self.stored_keys(user))
                self.assertTrue(self.sign_in(user, *keys))

    def test_wrong_password_gives_no_keys(self):
        signed_in, keys = self.serve_one("anna", "pencil ")
        self.assertFalse(signed_in)
        self.assertEqual(keys, [])


if __name__ == "__main__":
    if not private_server.available():
        print("SKIPPED: PostgreSQL 15's server programs are not installed")
        sys.exit(private_server.SKIPPED)
    BRIDGE = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
