"""A site for tests: theriac-keyd, theriacd, certificates for everybody, and clients of the API."""
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

BIN = os.environ["THERIAC_BIN"]
LEASE_SECONDS = 5
READY_WITHIN_S = 120
PEOPLE = {"admin": "trace-admin", "operator": "trace-operator", "quality": "trace-quality",
          "line": "trace-line", "shop": "trace-partner", "viewer": "trace-viewer",
          "gateway": "gateway", "custodian": "admin"}


def free_port():
    """Below the range that outgoing connections take theirs from: it must be free after a kill."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def sscc(number):
    digits = f"09506000{number:09}"
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return f"https://id.gs1.org/00/{digits}{-total % 10}"


class Client:
    """One connection, made again when it has ended."""

    def __init__(self, port, ca, folder=None):
        self.port = port
        self.context = ssl.create_default_context(cafile=ca)
        if folder is not None:
            self.context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        self.connection = None

    def ask(self, method, path, body=None, key=None, **headers):
        """(status, JSON or bytes). Connection faults are the caller's affair."""
        if self.connection is None:
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120,
                                                          context=self.context)
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        try:
            self.connection.request(method, path, data, headers)
            reply = self.connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if "json" in reply.getheader("Content-Type", ""):
            return reply.status, json.loads(content)
        return reply.status, content

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class SiteTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="theriacd-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.processes = {}
        self.addCleanup(self.kill_all)
        self.keys_made = 0
        with open(self.path("passphrase"), "w", encoding="utf-8") as file:
            file.write("correct horse battery staple\n")
        self.keyd_port, self.port, self.health_port = free_port(), free_port(), free_port()
        self.keyd("init", "--tenant", "demo")
        for name, role in {**PEOPLE, "server": "server"}.items():
            self.keyd("enrol", "--name", name, "--role", role, "--out", self.path(name))
        self.make_tls_certificate()
        self.write_config()

    # -- programs

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run_program(self, *command, code=0, stdin=None):
        done = subprocess.run(command, capture_output=True, input=stdin, check=False)
        self.assertEqual(done.returncode, code,
                         f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done

    def keyd(self, verb, *arguments):
        return self.run_program(f"{BIN}/theriac-keyd", verb, "--state", self.path("keyd"),
                                "--passphrase-file", self.path("passphrase"), *arguments)

    def key(self, *arguments):
        """`theriac key …` as the custodian of the keys."""
        return self.run_program(f"{BIN}/theriac", "key", *arguments, "--keyd",
                                f"127.0.0.1:{self.keyd_port}", "--cert", self.path("custodian"))

    def make_tls_certificate(self):
        self.run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=theriacd",
                         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.path("tls.key"),
                         "-out", self.path("tls.crt"))
        os.chmod(self.path("tls.key"), 0o600)

    def write_config(self):
        os.makedirs(self.path("store"), exist_ok=True)
        with open(self.path("theriacd.yaml"), "w", encoding="utf-8") as file:
            for key, value in {
                    "listen": f"127.0.0.1:{self.port}", "tls-cert": self.path("tls.crt"),
                    "tls-key": self.path("tls.key"), "keyd": f"127.0.0.1:{self.keyd_port}",
                    "cert": self.path("server"), "store": "sqlite:" + self.path("store", "trace.db"),
                    "audit": self.path("audit"), "metrics": f"127.0.0.1:{self.health_port}",
                    "workers": 4}.items():
                file.write(f"{key}: {value}\n")

    def start(self, name, command, first_line):
        log = open(self.path(f"{name}.log"), "ab")  # pylint: disable=consider-using-with
        self.addCleanup(log.close)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self.processes[name] = process
        self.assertEqual(process.stdout.readline().decode(), first_line, self.logged(name))

    def start_keyd(self):
        self.start("keyd", [f"{BIN}/theriac-keyd", "serve", "--state", self.path("keyd"),
                            "--passphrase-file", self.path("passphrase"), "--listen",
                            f"127.0.0.1:{self.keyd_port}", "--lease-seconds", str(LEASE_SECONDS)],
                   f"listening on 127.0.0.1:{self.keyd_port}\n")

    def start_server(self):
        self.start("theriacd", [f"{BIN}/theriacd", "--config", self.path("theriacd.yaml")],
                   f"listening on 127.0.0.1:{self.port}\n")

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name)
        process.send_signal(how)
        code = process.wait()
        process.stdout.close()
        return code

    def kill_all(self):
        for name in list(self.processes):
            self.stop(name, signal.SIGKILL)

    def logged(self, name):
        with open(self.path(f"{name}.log"), encoding="utf-8") as file:
            return file.read()[-4000:]

    # -- what it says of itself

    def health(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=30)
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def ready(self):
        status, text = self.health("/readyz")
        return status == 200, json.loads(text)

    def wait_until(self, holds, what):
        pause = threading.Event()
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end:
            if holds():
                return
            pause.wait(0.05)
        self.fail(f"{what}\n{self.logged('theriacd')}")

    def wait_ready(self):
        self.wait_until(lambda: self.ready()[0], "theriacd is not ready")

    # -- callers

    def client(self, name):
        made = Client(self.port, self.path("tls.crt"), None if name is None else self.path(name))
        self.addCleanup(made.close)
        return made

    def must(self, client, method, path, body=None, key=None):
        if key is None and method != "GET":
            self.keys_made += 1
            key = f"key-{self.keys_made}"
        status, reply = client.ask(method, path, body, key)
        self.assertEqual(status, 200, f"{method} {path}: {reply}")
        return reply

    def act(self, client, act, key=None, **body):
        return self.must(client, "POST", "/api/trace/acts", {"act": act, **body}, key)

    def make_master(self):
        """A product with a pool, a released lot, our plant and a partner's shop."""
        admin, quality = self.client("admin"), self.client("quality")
        post = lambda client, path, body: self.must(client, "POST", path, body)["id"]
        self.product = post(admin, "/api/trace/products", {
            "gtin": "09506000134352", "name": "Stent 3.0 x 18", "name_zh": "支架", "level": "each",
            "prefix_length": 7, "kind": "device"})
        self.partner = post(admin, "/api/trace/partners", {
            "name": "Hospital", "gln": "9506000140001", "kind": "hospital",
            "certificates": ["shop"]})
        self.plant = post(admin, "/api/trace/places",
                          {"gln": "9506000140018", "name": "Plant", "prefix_length": 7,
                           "lines": ["line"]})
        self.shop = post(admin, "/api/trace/places", {
            "gln": "9506000140001", "name": "Hospital", "partner": self.partner,
            "prefix_length": 7})
        self.lot = post(admin, "/api/trace/lots", {
            "product": self.product, "number": "LOT1A", "made": "2025-10-01",
            "expires": "2099-10-01", "certificate": "CoA-17", "certificate_sha256": "a" * 64})
        self.must(quality, "POST", f"/api/trace/lots/{self.lot}/release", {"reason": "QP 17"})
        self.pool = post(admin, "/api/trace/pools",
                         {"product": self.product, "length": 12, "capacity": 1_000_000})

    def allocate(self, client, count, key=None):
        return self.must(client, "POST", "/api/trace/allocations", {
            "pool": self.pool, "count": count, "lot": self.lot, "place": self.plant}, key)

    def numbers(self, allocation):
        """As the line gets them: a sealed file that OpenSSL opens with the line's key."""
        sealed = self.must(self.client("line"), "POST",
                           f"/api/trace/allocations/{allocation}/handover", {"format": "json"})
        opened = self.run_program("openssl", "cms", "-decrypt", "-inform", "DER", "-recip",
                                  self.path("line", "cert.pem"), "-inkey",
                                  self.path("line", "key.pem"), stdin=sealed)
        return json.loads(opened.stdout)["serials"], sealed

    def link(self, serial):
        return f"https://id.gs1.org/01/09506000134352/21/{serial}"

    def insist(self, client, path, body, key):
        outcome = []

        def is_answered():
            try:
                status, reply = client.ask("POST", path, body, key)
            except (OSError, http.client.HTTPException):
                return False
            if status == 503:
                return False
            outcome.append((status, reply))
            return True

        self.wait_until(is_answered, path)
        self.assertEqual(outcome[0][0], 200, outcome)
        return outcome[0][1]

    def find_serials(self, serials):
        """Files of the site that one of them stands in."""
        found, searched = set(), 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    content = file.read()
                searched += 1
                if any(serial.encode() in content for serial in serials):
                    found.add(path)
        self.assertGreater(searched, 10)
        return found
