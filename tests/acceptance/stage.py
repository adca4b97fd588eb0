"""A private PostgreSQL, a key service and a gateway in enforce mode, for suites that others wrote."""
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "demo")]
os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-acceptance-"))

import cluster as clusters  # noqa: E402
from parts import Parts  # noqa: E402
from place import Place  # noqa: E402

# What is under test is the gateway, not the disk; later settings win over the demonstration's.
SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
log_statement = 'none'
pg_stat_statements.track = none
compute_query_id = off
max_connections = 200
max_prepared_transactions = 50
max_locks_per_transaction = 256
max_wal_size = 2GB
autovacuum = off
timezone = 'UTC'
"""
POLICY = """
version: 1
tenant: acceptance
classes:
  person: {{suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 0}}
columns:
  - {{table: {table}, column: name, class: person, searchable: true, accept_leakage: true}}
roles:
  suite: {{person: clear}}
"""  # one protected table of no concern to the suite
ROLE = "suite"  # the suites' own user: anything but a superuser, whom the gateway refuses


class Stage:
    """`with Stage("name", policy_text) as stage`: everything runs; what it made is gone afterwards."""

    def __init__(self, name, policy):
        self.place = Place(name)
        self.policy_text = policy
        self.cluster = self.parts = self.gateway_port = None

    def __enter__(self):
        self.place.__enter__()
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        if SETTINGS not in clusters.SETTINGS:
            clusters.SETTINGS += SETTINGS
        self.cluster = clusters.Cluster(self.place).start()
        self.cluster.make_roles()
        self.ask(f"CREATE ROLE {ROLE} LOGIN CREATEDB CREATEROLE BYPASSRLS")
        self.cluster.set_password(ROLE)
        policy = self.place.dir / "policy.yaml"
        policy.write_text(self.policy_text, "utf-8")
        self.parts = Parts(self.place, policy=policy, database=self.cluster.uri("dba", "postgres"),
                           catalogue=self.cluster.uri("theriac_gateway", "postgres"),
                           upstream=f"127.0.0.1:{self.cluster.port}", lease_s=60)
        self.parts.prepare()
        self.parts.start_keyd()

    def start_gateway(self):
        """Apart, so that a suite's direct run has the machine to itself."""
        os.environ["THERIAC_ACCEPTANCE_PROVISION"] = self.cluster.uri("dba", "postgres")
        service = self.parts.gateway_service()
        service.argv = [*service.argv, "--provision", "env:THERIAC_ACCEPTANCE_PROVISION"]
        service.start()
        self.parts.gateway = service
        self.gateway_port = service.port

    def gateway_lives(self):
        return self.parts.gateway.pid() is not None

    def ask(self, sql, args=None, database="postgres"):
        """Directly, as superuser."""
        return self.cluster.ask(sql, args, "dba", database)

    def environment(self, port):
        """What libpq needs to sign in as the suites' user."""
        return dict(os.environ, PGHOST="127.0.0.1", PGPORT=str(port), PGUSER=ROLE,
                    PGPASSWORD=self.place.password(ROLE), LC_ALL="C.UTF-8")

    def __exit__(self, *_):
        if self.parts:
            self.parts.stop()
        if self.cluster:
            self.cluster.stop("immediate")
        self.place.__exit__(None, None, None)
        if "KEEP" not in os.environ:
            with self.place:
                self.place.erase()
