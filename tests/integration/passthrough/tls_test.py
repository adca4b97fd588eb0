#!/usr/bin/python3
"""TLS on each leg and on both, with every check of certificates, and SCRAM through all of them."""
import concurrent.futures
import ssl
import subprocess
import tempfile
import unittest

import psycopg2

import wire
from servers import Gateway, Postgres


def make_certificates(folder):
    """An authority, a server's certificate of it, and a stranger's."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    def request(name, subject_names, *issuer):
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        with open(f"{folder}/{name}.ext", "w", encoding="ascii") as extensions:
            extensions.write(subject_names)
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", "-days", "2",
                "-sha256", "-extfile", f"{name}.ext", *issuer)

    for authority in ("authority", "stranger"):
        request(authority, "basicConstraints=critical,CA:TRUE\n", "-signkey", f"{authority}.key")
    issuer = ["-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial"]
    request("database", "subjectAltName=DNS:localhost\n", *issuer)
    request("gateway", "subjectAltName=DNS:localhost,IP:127.0.0.1\n", *issuer)


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.certificates = cls.folder.name
        make_certificates(cls.certificates)
        cls.postgres = Postgres().__enter__()
        cls.postgres.stop()
        cls.postgres.settings |= {
            "ssl": "on",
            "ssl_cert_file": cls.postgres.give(f"{cls.certificates}/database.crt", "server.crt"),
            "ssl_key_file": cls.postgres.give(f"{cls.certificates}/database.key", "server.key")}
        cls.postgres.start()

    @classmethod
    def tearDownClass(cls):
        cls.postgres.__exit__()
        cls.folder.cleanup()

    def gateway(self, *flags, host="127.0.0.1", client_tls=True, catalogue=True):
        words = list(flags)
        if client_tls:
            words += ["--tls-cert", f"{self.certificates}/gateway.crt",
                      "--tls-key", f"{self.certificates}/gateway.key"]
        if catalogue:
            words += ["--catalogue", f"host={self.postgres.folder} port={self.postgres.port} "
                                     "user=postgres dbname=postgres"]
        started = Gateway(f"{host}:{self.postgres.port}", *words)
        self.addCleanup(started.kill)
        return started

    def signed_in(self, gateway, **more):
        """Whether the server's leg has TLS, after a query through it."""
        connection = psycopg2.connect(gateway.conninfo(**more))
        cursor = connection.cursor()
        cursor.execute("select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()")
        user, encrypted = cursor.fetchone()
        self.assertEqual(user, more.get("user", "app"))
        connection.close()
        return encrypted

    def refused(self, gateway, **more):
        with self.assertRaises(psycopg2.OperationalError) as caught:
            psycopg2.connect(gateway.conninfo(**more))
        return str(caught.exception)

    def test_client_leg_alone(self):
        gateway = self.gateway(catalogue=False)
        root = f"{self.certificates}/authority.crt"
        for mode in ("disable", "prefer", "require", "verify-ca", "verify-full"):
            self.assertFalse(self.signed_in(gateway, sslmode=mode, sslrootcert=root))
        # The server's leg has no channel binding to give, and says so.
        self.assertIn("channel binding", self.refused(gateway, sslmode="require",
                                                      channel_binding="require"))
        stranger = f"{self.certificates}/stranger.crt"
        self.assertIn("certificate verify failed",
                      self.refused(gateway, sslmode="verify-ca", sslrootcert=stranger))

    def test_server_leg_alone(self):
        authority = ["--upstream-ca", f"{self.certificates}/authority.crt"]
        for flags in (["--upstream-tls", "require"], ["--upstream-tls", "verify-ca", *authority]):
            gateway = self.gateway(*flags, client_tls=False, catalogue=False)
            for user in ("app", "plain", "md5_user", "clear_user", "trust_user"):
                self.assertTrue(self.signed_in(gateway, user=user, sslmode="disable"))
            self.assertIn("password authentication failed",
                          self.refused(gateway, password="wrong", sslmode="disable"))

    def test_server_leg_verifies(self):
        authority = ["--upstream-ca", f"{self.certificates}/authority.crt"]
        stranger = ["--upstream-ca", f"{self.certificates}/stranger.crt"]
        by_name = self.gateway("--upstream-tls", "verify-full", *authority, host="localhost",
                               client_tls=False)
        self.assertTrue(self.signed_in(by_name))
        # The certificate names localhost, not the address.
        for flags, host in ((["--upstream-tls", "verify-full", *authority], "127.0.0.1"),
                            (["--upstream-tls", "verify-ca", *stranger], "localhost"),
                            (["--upstream-tls", "verify-full", *stranger], "localhost")):
            gateway = self.gateway(*flags, host=host, client_tls=False)
            with wire.Wire(gateway.port) as client:
                client.send(wire.startup())
                self.assertEqual(wire.sqlstate_in(client.rest()), "28000", flags)

    def test_server_without_tls_is_not_fallen_back_to(self):
        with Postgres() as plain:
            gateway = Gateway(f"127.0.0.1:{plain.port}", "--upstream-tls", "require")
            self.addCleanup(gateway.kill)
            with wire.Wire(gateway.port) as client:
                client.send(wire.startup())
                self.assertEqual(wire.sqlstate_in(client.rest()), "08001")

    def test_both_legs_end_scram_here(self):
        gateway = self.gateway("--upstream-tls", "require")
        for more in ({}, {"channel_binding": "require"}, {"channel_binding": "disable"}):
            for user in ("app", "plain"):
                self.assertTrue(self.signed_in(gateway, user=user, sslmode="require", **more))
        wrong = self.refused(gateway, password="wrong", sslmode="require")
        unknown = self.refused(gateway, user="who", password="x", sslmode="require")
        passwordless = self.refused(gateway, user="nobody_home", password="x", sslmode="require")
        self.assertIn("sign-in was not accepted", wrong)
        for other in (unknown, passwordless):
            self.assertEqual(wrong, other)
        # The other methods need no ending.
        for user in ("md5_user", "clear_user", "trust_user"):
            self.assertTrue(self.signed_in(gateway, user=user, sslmode="require"))
        # A client without TLS on the same gateway.
        self.assertTrue(self.signed_in(gateway, sslmode="disable"))

    def test_both_legs_after_a_changed_password(self):
        gateway = self.gateway("--upstream-tls", "require")
        self.postgres.admin("set password_encryption='scram-sha-256'; "
                            "create role changes login password 'first'")
        self.assertTrue(self.signed_in(gateway, user="changes", password="first",
                                       sslmode="require"))
        self.postgres.admin("set password_encryption='scram-sha-256'; "
                            "alter role changes password 'second'")
        self.refused(gateway, user="changes", password="first", sslmode="require")
        self.assertTrue(self.signed_in(gateway, user="changes", password="second",
                                       sslmode="require"))
        self.postgres.admin("drop role changes")

    def test_both_legs_without_verifiers_say_what_to_do(self):
        gateway = self.gateway("--upstream-tls", "require", catalogue=False)
        said = self.refused(gateway, sslmode="require")
        self.assertIn("--catalogue", said)
        self.assertTrue(self.signed_in(gateway, user="trust_user", sslmode="require"))

    def test_verifiers_by_the_function_alone(self):
        """A catalogue user who may not read pg_authid, but call the function."""
        admin = self.postgres.admin
        admin("create role catalogue login")
        conninfo = f"host={self.postgres.folder} port={self.postgres.port} user=catalogue " \
                   "dbname=postgres"
        gateway = self.gateway("--upstream-tls", "require", "--catalogue", conninfo,
                               catalogue=False)
        self.assertIn("may not read", self.refused(gateway, sslmode="require"))
        admin("create schema theriac; grant usage on schema theriac to catalogue; "
              "create function theriac.scram_verifier(name text) returns text "
              "language sql stable security definer set search_path = pg_catalog "
              "as 'select rolpassword from pg_authid where rolname = $1'")
        self.assertTrue(self.signed_in(gateway, sslmode="require"))
        self.assertIn("sign-in was not accepted",
                      self.refused(gateway, user="who", password="x", sslmode="require"))
        admin("drop schema theriac cascade; drop role catalogue")

    def test_verifiers_after_the_catalogue_connection_was_cut(self):
        gateway = self.gateway("--upstream-tls", "require")
        self.assertTrue(self.signed_in(gateway, sslmode="require"))
        self.postgres.admin("select pg_terminate_backend(pid) from pg_stat_activity "
                            "where usename = 'postgres' and pid <> pg_backend_pid() "
                            "and backend_type = 'client backend'")
        self.assertTrue(self.signed_in(gateway, sslmode="require"))

    def test_many_sign_ins_at_once(self):
        gateway = self.gateway("--upstream-tls", "require", "--threads", "2")
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            results = list(pool.map(lambda _: self.signed_in(gateway, sslmode="require"),
                                    range(60)))
        self.assertEqual(results, [True] * 60)

    def test_required_of_clients(self):
        gateway = self.gateway("--require-tls")
        self.assertFalse(self.signed_in(gateway, sslmode="require"))
        with wire.Wire(gateway.port) as client:
            client.send(wire.startup())
            self.assertEqual(wire.sqlstate_in(client.rest()), "28P01")

    def test_cancel_over_both_legs(self):
        gateway = self.gateway("--upstream-tls", "require")
        connection = psycopg2.connect(gateway.conninfo(sslmode="require",
                                                       application_name="tls_cancel"))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(connection.cursor().execute, "select pg_sleep(600)")
            self.postgres.await_true("count(*) = 1 from pg_stat_activity where state = 'active' "
                                     "and application_name = 'tls_cancel'")
            connection.cancel()
            with self.assertRaises(psycopg2.errors.QueryCanceled):
                waiting.result(60)
        connection.close()

    def test_large_values_over_both_legs(self):
        gateway = self.gateway("--upstream-tls", "require")
        connection = psycopg2.connect(gateway.conninfo(sslmode="require"))
        cursor = connection.cursor()
        large = "ab" * 10_000_000
        cursor.execute("select %s", (large,))
        self.assertTrue(cursor.fetchone()[0] == large)
        connection.close()

    def client_context(self, alpn=None):
        context = ssl.create_default_context(cafile=f"{self.certificates}/authority.crt")
        if alpn:
            context.set_alpn_protocols([alpn])
        return context

    def test_direct_tls(self):
        gateway = self.gateway()
        with wire.Wire(gateway.port, self.client_context("postgresql"), alpn=True) as client:
            client.sign_in()
            client.send(wire.query("select 'directly'"))
            self.assertIn(b"directly", client.until(b"Z")[1][1])
        for context in (self.client_context("http/1.1"), self.client_context()):
            try:
                with wire.Wire(gateway.port, context, alpn=True) as client:
                    client.send(wire.startup())
                    self.assertEqual(client.rest(), b"")
            except (ssl.SSLError, ConnectionResetError):
                pass

    def test_only_tls_1_3(self):
        gateway = self.gateway()
        context = self.client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            wire.Wire(gateway.port, context)
        with wire.Wire(gateway.port, self.client_context()) as client:
            self.assertEqual(client.socket.version(), "TLSv1.3")
            client.sign_in()

    def test_bytes_behind_the_request_are_not_smuggled_in(self):
        gateway = self.gateway()
        with wire.Wire(gateway.port) as client:
            client.send(wire.SSL_REQUEST + wire.startup(user="attacker"))
            self.assertEqual(wire.sqlstate_in(client.rest()), "08P01")

    def test_garbage_instead_of_a_handshake(self):
        gateway = self.gateway()
        with wire.Wire(gateway.port) as client:
            client.send(wire.SSL_REQUEST)
            self.assertEqual(client.receive(1), b"S")
            client.send(b"garbage" * 100)
            client.rest()
        self.assertFalse(self.signed_in(gateway, sslmode="require"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
