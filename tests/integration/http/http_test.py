#!/usr/bin/python3
"""Our server with clients that share no code with it: curl, OpenSSL's s_client, Python's http.client and raw sockets."""
import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("THERIAC_BIN", ROOT / "build" / "dev" / "bin"))


def make_certificate(folder, name, names="DNS:localhost,IP:127.0.0.1"):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}"], check=True, capture_output=True)
    (folder / f"{name}.key").chmod(0o600)
    return str(folder / f"{name}.crt"), str(folder / f"{name}.key")


class Served:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([BIN / "http_served", *arguments], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        self.process.stdout.close()
        return code


class HttpCase(unittest.TestCase):
    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="theriac-http-"))
        cls.certificate, cls.key = make_certificate(cls.folder, "server")
        cls.member = make_certificate(cls.folder, "member")
        cls.stranger = make_certificate(cls.folder, "stranger")
        cls.served = Served(cls.certificate, cls.key, *(str(cls.folder / a) if "." in a else a for a in cls.arguments))

    @classmethod
    def tearDownClass(cls):
        code = cls.served.stop()
        shutil.rmtree(cls.folder)
        assert code == 0, f"the server ended with {code}"

    def context(self, shown=None):
        context = ssl.create_default_context(cafile=self.certificate)
        if shown:
            context.load_cert_chain(*shown)
        return context

    def connect(self, shown=None):
        connection = http.client.HTTPSConnection("localhost", self.served.port, timeout=30,
                                                 context=self.context(shown))
        self.addCleanup(connection.close)
        return connection

    def raw(self):
        plain = socket.create_connection(("127.0.0.1", self.served.port), timeout=30)
        sock = self.context().wrap_socket(plain, server_hostname="localhost")
        self.addCleanup(sock.close)
        return sock

    def curl(self, *arguments, check=True):
        done = subprocess.run(["curl", "-sS", "--cacert", self.certificate, *arguments], capture_output=True,
                              check=False, timeout=60)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def url(self, path):
        return f"https://localhost:{self.served.port}{path}"


def read_all(sock):
    data = b""
    try:
        while piece := sock.recv(65536):
            data += piece
    except (ssl.SSLEOFError, ConnectionResetError):
        pass
    return data


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(HttpCase):
    def test_get(self):
        said = json.loads(self.curl(self.url("/say/a%2Fb%20%E5%BC%A0?x=1&x=2&y=%26")))
        self.assertEqual(said["path"], {"one": "a/b 张"})
        self.assertEqual(said["query"], [["x", "1"], ["x", "2"], ["y", "&"]])
        self.assertEqual(said["peer"], "127.0.0.1")
        self.assertTrue(said["agent"].startswith("curl/"))

    def test_head_options_and_headers(self):
        head = self.curl("-I", self.url("/")).decode()
        self.assertTrue(head.startswith("HTTP/1.1 200 OK\r\n"), head)
        for field in ("Strict-Transport-Security: max-age=31536000", "X-Content-Type-Options: nosniff",
                      "Cache-Control: no-store", "X-Request-Id: ", "Date: "):
            self.assertIn(field, head)
        allowed = self.curl("-i", "-X", "OPTIONS", self.url("/say/x")).decode()
        self.assertIn("Allow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", allowed)
        self.assertIn("HTTP/1.1 405", self.curl("-i", "-X", "POST", self.url("/")).decode())

    def test_several_on_one_connection(self):
        out = self.curl("-w", "%{num_connects} ", *sum((["-o", "/dev/null", self.url(f"/say/{i}")] for i in range(5)), []))
        self.assertEqual(out.split(), [b"1", b"0", b"0", b"0", b"0"])

    def test_uploads(self):
        data = os.urandom(900_000)
        file = self.folder / "data"
        file.write_bytes(data)
        wanted = hashlib.sha256(data).hexdigest()
        # curl asks with Expect: 100-continue from a megabyte on, or when told.
        for fields in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]):
            said = json.loads(self.curl("--data-binary", f"@{file}", *fields, self.url("/say/x")))
            self.assertEqual((said["bytes"], said["sha256"]), (900_000, wanted))
        large = os.urandom(1 << 20) * 20
        file.write_bytes(large)
        digest = self.curl("-T", str(file), self.url("/digest")).decode()
        self.assertEqual(digest, hashlib.sha256(large).hexdigest())
        verbose = subprocess.run(["curl", "-sv", "--cacert", self.certificate, "-T", str(file), self.url("/digest")],
                                 capture_output=True, check=True).stderr.decode(errors="replace")
        self.assertIn("100 Continue", verbose)

    def test_too_large_is_said_before_it_is_sent(self):
        file = self.folder / "large"
        file.write_bytes(b"x" * 3_000_000)
        done = subprocess.run(["curl", "-sv", "--cacert", self.certificate, "--data-binary", f"@{file}",
                               self.url("/say/x")], capture_output=True, check=False)
        text = done.stderr.decode(errors="replace")
        self.assertIn("413", text)
        self.assertNotIn("100 Continue", text)

    def test_streams(self):
        lines = self.curl(self.url("/lines")).decode().splitlines()
        self.assertEqual(lines, [f"line {i}" for i in range(10_000)])
        self.assertEqual(self.curl("--http1.0", self.url("/lines")).decode().count("\n"), 10_000)
        self.assertEqual(self.curl(self.url("/large")), b"L" * 5_000_000)
        events = self.curl("-N", self.url("/events")).decode()
        self.assertIn("event: count\ndata: two\ndata: lines\n\n", events)

    def test_problems(self):
        problem = json.loads(self.curl(self.url("/nowhere")))
        self.assertEqual((problem["status"], problem["type"]), (404, "urn:theriac:error:NotFound"))
        for path in ("/say/%2e%2e", "/say/%00", "/say/%ff"):
            reply = self.curl("-i", "--path-as-is", self.url(path)).decode()
            self.assertIn("HTTP/1.1 400", reply)
            self.assertIn("application/problem+json", reply)

    def test_tls_versions(self):
        self.curl("--tls-max", "1.3", self.url("/"))
        refused = subprocess.run(["curl", "-sS", "--cacert", self.certificate, "--tls-max", "1.2", self.url("/")],
                                 capture_output=True, check=False)
        self.assertNotEqual(refused.returncode, 0)


class OpenSsl(HttpCase):
    def s_client(self, *arguments, send=b""):
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.served.port}", "-servername",
                               "localhost", *arguments], input=send, capture_output=True, check=False, timeout=30)

    def test_protocol_names(self):
        out = self.s_client("-alpn", "h2,http/1.1", "-brief").stderr
        self.assertIn(b"TLSv1.3", out)
        self.assertIn(b"ALPN protocol: http/1.1", self.s_client("-alpn", "h2,http/1.1").stdout)
        refused = self.s_client("-alpn", "h2")
        self.assertIn(b"no application protocol", refused.stderr)
        self.assertIn(b"No ALPN negotiated", self.s_client().stdout)

    def test_old_versions_are_refused(self):
        for version in ("-tls1_2", "-tls1_1"):
            self.assertNotEqual(self.s_client(version).returncode, 0)

    def test_no_tickets(self):
        self.assertNotIn(b"TLS session ticket:", self.s_client(send=b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").stdout)

    def test_plain_text_is_no_handshake(self):
        with socket.create_connection(("127.0.0.1", self.served.port), timeout=30) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertNotIn(b"HTTP/", read_all(plain))


class Python(HttpCase):
    def test_methods_on_one_connection(self):
        connection = self.connect()
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH") * 3:
            body = os.urandom(1000) if method != "GET" else None
            connection.request(method, "/say/x?a=b", body=body)
            said = json.loads(connection.getresponse().read())
            self.assertEqual(said["method"], method)
            self.assertEqual(said["sha256"], hashlib.sha256(body or b"").hexdigest())

    def test_chunked_upload(self):
        pieces = [os.urandom(n) for n in (1, 10, 70_000, 5)]
        connection = self.connect()
        connection.request("PUT", "/digest", body=iter(pieces), encode_chunked=True,
                           headers={"Transfer-Encoding": "chunked"})
        self.assertEqual(connection.getresponse().read().decode(), hashlib.sha256(b"".join(pieces)).hexdigest())

    def test_pipelining(self):
        sock = self.raw()
        sock.sendall(b"".join(b"GET /say/%d HTTP/1.1\r\nHost: h\r\n\r\n" % i for i in range(100)) +
                     b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        data = read_all(sock)
        self.assertEqual([int(i) for i in re.findall(rb'"one":"(\d+)"', data)], list(range(100)))

    def test_byte_by_byte(self):
        sock = self.raw()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"POST /say/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" \
                    b"5\r\nhello\r\n0\r\n\r\n":
            sock.sendall(bytes([byte]))
        self.assertIn(hashlib.sha256(b"hello").hexdigest().encode(), read_all(sock))

    def test_smuggled_requests_are_not_answered(self):
        evil = b"GET /say/evil HTTP/1.1\r\nHost: h\r\n\r\n"
        for fields in (b"Content-Length: %d\r\nTransfer-Encoding: chunked" % (len(evil) + 5),
                       b"Transfer-Encoding: xchunked", b"Content-Length: 0\r\nContent-Length: %d" % len(evil),
                       b"Transfer-Encoding : chunked", b"X: y\nTransfer-Encoding: chunked"):
            sock = self.raw()
            sock.sendall(b"POST /say/good HTTP/1.1\r\nHost: h\r\n" + fields + b"\r\n\r\n0\r\n\r\n" + evil)
            data = read_all(sock)
            self.assertTrue(data.startswith(b"HTTP/1.1 400 "), data[:100])
            self.assertEqual(data.count(b"HTTP/1.1"), 1, fields)

    def test_a_slow_head_is_ended(self):
        sock = self.raw()
        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n")
        self.assertIn(b"HTTP/1.1 408", read_all(sock))

    def test_an_idle_connection_is_ended_in_order(self):
        sock = self.raw()
        self.assertEqual(sock.recv(1), b"")  # with a close notice: no SSLEOFError

    def test_many_at_once(self):
        def one(number):
            connection = http.client.HTTPSConnection("localhost", self.served.port, timeout=60,
                                                     context=self.context())
            good = 0
            for i in range(20):
                connection.request("GET", f"/{'pool' if i % 2 else f'say/{number}'}")
                reply = connection.getresponse()
                good += reply.status == 200 and reply.read()[:1] == b"{"
            connection.close()
            return good
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertEqual(sum(pool.map(one, range(32))), 32 * 20)

    def test_metrics(self):
        connection = self.connect()
        connection.request("GET", "/say/secret-serial-4711?sn=4711")
        connection.getresponse().read()
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        self.assertNotIn("4711", text)
        self.assertRegex(text, r'theriac_http_requests_total\{method="GET",route="/say/\{one\}",class="2xx"\} \d+')
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [0-9.e+-]+)$')


class Members(HttpCase):
    """A listener that asks for certificates."""
    arguments = ("member.crt",)

    def ask(self, shown, path="/members"):
        connection = self.connect(shown)
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())

    def test_asked(self):
        status, said = self.ask(self.member)
        der = ssl.PEM_cert_to_DER_cert(pathlib.Path(self.member[0]).read_text())
        self.assertEqual((status, said["certificate"]), (200, hashlib.sha256(der).hexdigest()))
        status, problem = self.ask(None)
        self.assertEqual((status, problem["code"]), (403, "BadCertificate"))
        self.assertEqual(self.ask(None, "/")[0], 200)
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            self.ask(self.stranger)

    def test_replaced_while_it_runs(self):
        kept = self.connect(self.member)
        kept.request("GET", "/")
        self.assertEqual(kept.getresponse().read()[:1], b"{")
        make_certificate(self.folder, "server")
        self.served.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.served.process.stdout.readline(), "replaced\n")
        self.assertEqual(self.ask(self.member)[0], 200)  # trusts the new file
        kept.request("GET", "/")
        self.assertEqual(kept.getresponse().status, 200)
        key = self.folder / "server.key"
        good = key.read_text()
        key.write_text("nonsense")
        self.served.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.served.process.stdout.readline(), "kept\n")
        self.assertEqual(self.ask(self.member)[0], 200)
        key.write_text(good)


class MembersOnly(HttpCase):
    """A listener that wants them."""
    arguments = ("member.crt", "required")

    def test_nobody_else_gets_a_word_in(self):
        connection = self.connect(self.member)
        connection.request("GET", "/")
        self.assertEqual(connection.getresponse().status, 200)
        for shown in (None, self.stranger):
            with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                other = self.connect(shown)
                other.request("GET", "/")
                other.getresponse()


if __name__ == "__main__":
    if not (BIN / "http_served").exists():
        sys.exit(f"{BIN / 'http_served'} is missing: build it first")
    unittest.main(verbosity=2)
