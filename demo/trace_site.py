"""theriacd in the demonstration: its certificates and those of its callers, the service, clients."""
import http.client
import json
import ssl
import time
import uuid

import yaml

from parts import ENROL_AGAIN_S, invoke
from place import Failed, program, shown
from processes import Service, wait_until

# Who calls theriacd here, and as what. A partner's certificate is named in the partner's record.
CALLERS = {"registrar-1": "trace-admin", "planner-1": "trace-operator", "quality-1": "trace-quality",
           "line-1": "trace-line", "distributor-1": "trace-partner", "hospital-1": "trace-partner",
           "viewer-1": "trace-viewer", "guesser-1": "trace-viewer"}
SERVER = "theriacd-1"


class Refused(Failed):
    """theriacd said no."""

    def __init__(self, what, status, reply):
        self.status, self.reply = status, reply
        said = reply.get("detail") or reply.get("title") if isinstance(reply, dict) else reply
        super().__init__(f"{what}: {status} {said}")


class Client:
    """One connection with one certificate, made again when it has ended."""

    def __init__(self, port, authority, folder=None):
        self.port = port
        self.context = ssl.create_default_context(cafile=authority)
        if folder is not None:
            self.context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.connection = None
        self.fields = {}  # of the last reply

    def send(self, method, path, content=None, key=None, headers=None):
        """(status, JSON or bytes). Connection faults are the caller's affair; a kept connection that
        has ended meanwhile is none: every request here may be sent twice."""
        headers = dict(headers or {})
        if key is not None:
            headers["Idempotency-Key"] = key
        kept = self.connection is not None
        try:
            return self._exchange(method, path, content, headers)
        except (OSError, http.client.HTTPException):
            self.close()
            if not kept:
                raise
        try:
            return self._exchange(method, path, content, headers)
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def _exchange(self, method, path, content, headers):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=120,
                                                          context=self.context)
        self.connection.request(method, path, content, headers)
        reply = self.connection.getresponse()
        body = reply.read()
        self.fields = reply.headers
        if "json" in reply.getheader("Content-Type", ""):
            return reply.status, json.loads(body)
        return reply.status, body

    def ask(self, method, path, body=None, key=None, headers=None):
        return self.send(method, path, None if body is None else json.dumps(body).encode(), key, headers)

    def must(self, method, path, body=None, key=None):
        """The reply, or Refused."""
        if key is None and method != "GET":
            key = str(uuid.uuid4())
        status, reply = self.ask(method, path, body, key)
        if status != 200:
            raise Refused(f"{method} {path}", status, reply)
        return reply

    def get(self, path):
        return self.must("GET", path)

    def post(self, path, body, key=None):
        return self.must("POST", path, body, key)

    def act(self, act, key=None, **body):
        return self.post("/api/trace/acts", {"act": act, **body}, key)

    def insist(self, send, seconds=60):
        """As a program that must get through: sends the same until there is an answer that counts."""
        def answered():
            try:
                status, reply = send(self)
            except (OSError, http.client.HTTPException):
                return None
            return None if status in (502, 503) else (status, reply)
        return wait_until(answered, seconds, "theriacd answers")

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class TraceSite:
    """prepare() while the key service's state is there, then start(), client(). `store`: None for
    SQLite in the site's folder, else a conninfo of PostgreSQL."""

    def __init__(self, place, parts, name="theriacd", store=None):
        self.place, self.parts, self.name = place, parts, name
        self.dir = place.folder(name)
        self.certificates = place.folder("callers")
        self.database = self.dir / "store" / "trace.db"
        self.audit = self.dir / "audit"
        self.store = store
        self.service = None
        self.clients = []

    # --- certificates ---

    def prepare(self):
        (self.dir / "store").mkdir(mode=0o700, exist_ok=True)
        last = self.place.state.get("callers_enrolled_at", 0)
        if time.time() - last > ENROL_AGAIN_S:
            for name, role in {SERVER: "server", **CALLERS}.items():
                self.parts.enrol(name, role, self.certificates / name)
            self._make_tls_certificate()
            self.place.remember(callers_enrolled_at=time.time())
        self._configure()

    def _make_tls_certificate(self):
        """What callers see; in earnest one of an authority they believe already."""
        key = self.certificates / "tls.key"
        invoke(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", "/CN=theriacd", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", key, "-out", self.authority()])
        key.chmod(0o600)

    def authority(self):
        return self.certificates / "tls.crt"

    def folder_of(self, caller):
        return self.certificates / caller

    # --- the service ---

    def _configure(self):
        store = f"sqlite:{self.database}"
        if self.store:
            secret = self.dir / "conninfo"
            secret.touch(0o600)
            secret.write_text(self.store + "\n", "utf-8")
            store = f"file:{secret}"
        self.config = self.dir / "theriacd.yaml"
        self.config.write_text(yaml.safe_dump({key: str(value) for key, value in {
            "tls-cert": self.authority(), "tls-key": self.certificates / "tls.key",
            "keyd": self.parts.keyd_address(), "cert": self.certificates / SERVER, "store": store,
            "audit": self.audit}.items()}), "utf-8")

    def port(self):
        return self.place.port(self.name, running=True)

    def _service(self, running):
        port = self.place.port(self.name, running=running)
        health = self.place.port(f"{self.name}-health", running=running)
        return Service(self.place, self.name, [
            program("theriacd"), "--config", self.config, "--listen", f"127.0.0.1:{port}",
            "--metrics", f"127.0.0.1:{health}"], port)

    def start(self):
        self.service = self.service or self._service(running=True)
        if self.service.pid() is None:
            self.service = self._service(running=False)
            self.service.start()
        wait_until(self.ready, 60, f"{self.name} is ready ({self.service.log})")
        return self

    def ready(self):
        health = http.client.HTTPConnection(
            "127.0.0.1", self.place.port(f"{self.name}-health", running=True), timeout=10)
        try:
            health.request("GET", "/readyz")
            return health.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            health.close()

    def stop(self):
        for client in self.clients:
            client.close()
        self.clients = []
        if self.service:
            self.service.stop()

    # --- callers ---

    def client(self, caller):
        made = Client(self.port(), self.authority(), caller and self.folder_of(caller))
        self.clients.append(made)
        return made

    def curl(self, caller, path, body):
        """Lines that a person can type."""
        folder = shown(self.folder_of(caller))
        return (f"curl -sS --cacert {shown(self.authority())} --cert {folder}/cert.pem --key {folder}/key.pem \\\n"
                f"    --json '{json.dumps(body)}' https://127.0.0.1:{self.port()}{path}")


def stop_left_behind(place):
    """Ends what an earlier run started, whatever became of that run."""
    for pid_file in (place.dir / "pid").glob("theriacd*"):
        Service(place, pid_file.name, [], 0).stop()
