"""PostgreSQL with twin databases (plain, sealed), key service and gateway, and the wire watcher between
gateway and PostgreSQL."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "demo"))
os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-adversary-"))

import cluster as clusters  # noqa: E402
from parts import Parts  # noqa: E402
from place import Place, free_port, program  # noqa: E402
from processes import wait_until  # noqa: E402

# What the plain twin is asked must not stand where the watcher looks.
QUIET = ("log_statement = 'none'", "log_min_messages = 'panic'", "log_min_error_statement = 'panic'",
         "pg_stat_statements.track = 'none'")


class Watcher:
    """The process between gateway and PostgreSQL; stop() gives what it saw."""

    def __init__(self, place, seed, upstream, words=None):
        port_file = place.dir / "watcher.port"
        port_file.unlink(missing_ok=True)
        self.log = place.dir / "log" / "watcher.log"
        argv = [program("wire_watcher"), "--seed", str(seed), "--upstream", str(upstream),
                "--port-file", str(port_file)]
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(argv + (["--words", str(words)] if words else []),
                                          stdout=log, stderr=log)
        wait_until(lambda: port_file.exists() or self.child.poll() is not None, 20, "the watcher listens")
        self.port = int(port_file.read_text("ascii"))

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(20)
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return json.loads(lines[-1]), lines[:-1]


class Stage:
    """Use as a context manager. `loud`: the server's log has every statement. `between`: given a port, makes
    something that goes between it and the gateway and gives its port."""

    def __init__(self, name, schema=HERE / "schema.sql", policy=HERE / "policy.yaml", seed=1, words=None,
                 watched=True, loud=True, gateway=(), between=None):
        self.place = Place(name)
        self.schema, self.policy_text = schema, policy.read_text("utf-8")
        self.seed, self.words, self.watched, self.loud = seed, words, watched, loud
        self.gateway_more, self.between = gateway, between
        self.watcher = self.parts = None

    def __enter__(self):
        self.place.__enter__()
        clusters.HBA = "host all erp_app 127.0.0.1/32 trust\n" + clusters.HBA
        if not self.loud:
            clusters.SETTINGS += "log_statement = 'none'\n"
        clusters.SETTINGS += "fsync = off\nsynchronous_commit = off\n"
        self.cluster = clusters.Cluster(self.place).start()
        try:
            self._set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _set_up(self):
        self.cluster.make_roles()
        for name in ("plain", "sealed"):
            self._make_database(name)
        policy = self.place.dir / "policy.yaml"
        policy.write_text(self.policy_text, "utf-8")
        port = self.cluster.port
        if self.watched:
            self.watcher = Watcher(self.place, self.seed, port, self.words)
            port = self.watcher.port
        if self.between:
            port = self.between(port)
        database = self.cluster.uri("dba", "sealed")
        self.parts = Parts(self.place, policy=policy, database=database, catalogue=database,
                           upstream=f"127.0.0.1:{port}", lease_s=60)
        self.parts.prepare()
        self.parts.start_keyd()
        self.parts.protect()
        self.cluster.ask("SELECT pg_stat_statements_reset()", database="sealed")
        self.log_from = self.cluster.log.stat().st_size
        self.metrics = free_port()
        self.parts.gateway = self.parts.gateway_service(
            more=[*self.gateway_more, "--metrics", f"127.0.0.1:{self.metrics}"])
        self.parts.gateway.start()

    def _make_database(self, name):
        self.cluster.ask(f"CREATE DATABASE {name} OWNER erp_owner TEMPLATE template0", database="postgres")
        if name == "plain":
            for setting in QUIET:
                self.cluster.ask(f"ALTER DATABASE {name} SET {setting}", database="postgres")
        connection = self.cluster.connect("dba", name)
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION pg_stat_statements")
            cursor.execute("GRANT CREATE, USAGE ON SCHEMA public TO erp_owner;"
                           f"GRANT CREATE ON DATABASE {name} TO erp_owner; SET ROLE erp_owner")
            cursor.execute(pathlib.Path(self.schema).read_text("utf-8"))
            cursor.execute("""
                DO $$ DECLARE s name; BEGIN
                  FOR s IN SELECT nspname FROM pg_namespace WHERE nspowner = 'erp_owner'::regrole
                           UNION SELECT 'public' LOOP
                    EXECUTE format('GRANT USAGE ON SCHEMA %I TO erp_app', s);
                    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I'
                                   ' TO erp_app', s);
                  END LOOP; END $$""")
        connection.close()

    @property
    def plain(self):
        return self.cluster.uri("erp_app", "plain")

    @property
    def sealed(self):
        return self.cluster.uri("erp_app", "sealed", self.parts.gateway.port)

    def plain_gateway(self):
        """The gateway again, with nothing between it and the server."""
        self.parts.gateway.stop()
        self.parts.upstream, self.parts.gateway = f"127.0.0.1:{self.cluster.port}", None
        return self.parts.start_gateway()

    def written_down(self):
        """Files with what server and gateway wrote down of all this, to be searched: the server's log since
        the gateway began, what the server remembers of statements, the gateway's log and metrics."""
        log = self.place.dir / "server.log"
        with open(self.cluster.log, "rb") as whole, open(log, "wb") as part:
            whole.seek(self.log_from)
            while block := whole.read(1 << 20):
                part.write(block)
        remembered = self.place.dir / "remembered.txt"
        statements = self.cluster.ask(
            "SELECT query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
            " WHERE datname = 'sealed' UNION ALL"
            " SELECT query FROM pg_stat_activity WHERE datname = 'sealed' AND usename = 'erp_app'",
            database="sealed")
        remembered.write_text("\n".join(q or "" for (q,) in statements), "utf-8")
        metrics = self.place.dir / "metrics.txt"
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=20) as reply:
            metrics.write_bytes(reply.read())
        return [log, remembered, self.parts.gateway.log, metrics]

    def search(self, files):
        argv = [program("wire_watcher"), "--seed", str(self.seed)]
        if self.words:
            argv += ["--words", str(self.words)]
        done = subprocess.run([*argv, "--scan", *map(str, files)], capture_output=True, text=True,
                              errors="replace", check=False)
        lines = done.stdout.splitlines()
        return json.loads(lines[-1]), lines[:-1]

    def __exit__(self, *_):
        if self.parts:
            self.parts.stop()
        if self.watcher and self.watcher.child.poll() is None:
            self.watcher.child.kill()
            self.watcher.child.wait()
        self.cluster.stop("immediate")
        self.place.__exit__()
