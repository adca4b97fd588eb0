"""For tests and benchmarks: a private PostgreSQL with some equal databases, the last of them protected, and the key
service. Whoever makes one starts the gateway, or several.
"""
from cluster import Cluster
from parts import LEASE_S, Parts
from place import Place


class Stand:
    """Up once it is made; stop() ends everything. `tables` is SQL run in each database, `after` in each
    once more when all is there (VACUUM)."""

    def __init__(self, name, tables, policy, databases=("erp",), lease_s=LEASE_S, logged=True, after=None):
        self.place = Place(name).__enter__()
        self.cluster = Cluster(self.place)
        self.parts = None
        try:
            self._start(tables, policy, databases, lease_s, logged, after)
        except BaseException:
            self.stop()
            raise

    def _start(self, tables, policy, databases, lease_s, logged, after):
        cluster = self.cluster.start()
        if not logged:
            cluster.ask("ALTER SYSTEM SET log_statement = 'none'", database="postgres")
            cluster.ask("SELECT pg_reload_conf()", database="postgres")
        cluster.make_roles()
        for database in databases:
            cluster.ask(f"CREATE DATABASE {database} TEMPLATE template0", database="postgres")
            cluster.ask(tables, database=database)
        self.policy = self.place.dir / "policy.yaml"
        self.policy.write_text(policy, "utf-8")
        uri = cluster.uri("dba", databases[-1])
        self.parts = Parts(self.place, policy=self.policy, database=uri, catalogue=uri,
                           upstream=f"127.0.0.1:{cluster.port}", lease_s=lease_s)
        self.parts.prepare()
        self.parts.start_keyd()
        self.parts.protect()
        for database in databases if after else ():
            cluster.ask(after, database=database)

    def stop(self):
        if self.parts:
            self.parts.stop()
        self.cluster.stop()
        self.place.__exit__()
