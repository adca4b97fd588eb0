"""Two databases with the same DDL, one of them with protected columns behind a gateway."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "demo"))

from cluster import Cluster  # noqa: E402
from parts import Parts  # noqa: E402

PLAIN, SEALED = "plain", "sealed"


class Twins:
    """start(), then uri(), connect(); stop()."""

    def __init__(self, place):
        self.place = place
        self.cluster = Cluster(place)
        self.parts = None

    def start(self, policy=None, more_roles=(), more_sql=""):
        cluster = self.cluster.start()
        cluster.make_roles()
        for role in more_roles:
            cluster.ask(f"CREATE ROLE {role} LOGIN", database="postgres")
            cluster.set_password(role)
        for name in (PLAIN, SEALED):
            self._make(name, more_sql)
        database = cluster.uri("dba", SEALED)
        self.parts = Parts(self.place, policy=policy or HERE / "policy.yaml", database=database,
                           catalogue=database, upstream=f"127.0.0.1:{cluster.port}")
        self.parts.prepare()
        self.parts.start_keyd()
        self.parts.protect()
        self._leave_gaps()
        self.parts.start_gateway()
        return self

    def stop(self):
        if self.parts:
            self.parts.stop()
        self.cluster.stop()

    def _make(self, name, more_sql):
        cluster = self.cluster
        cluster.ask(f"CREATE DATABASE {name} OWNER erp_owner TEMPLATE template0", database="postgres")
        connection = cluster.connect("dba", name)
        with connection.cursor() as cursor:
            cursor.execute("GRANT CREATE, USAGE ON SCHEMA public TO erp_owner")
            cursor.execute(f"GRANT CREATE ON DATABASE {name} TO erp_owner; SET ROLE erp_owner")
            cursor.execute((HERE / "schema.sql").read_text("utf-8"))
            cursor.execute((HERE / "rows.sql").read_text("utf-8") + more_sql)
        connection.close()

    def _leave_gaps(self):
        """A helper column is shown as a dropped one; the plain twin gets dropped ones as well, so that
        columns that are added later have the same numbers."""
        for table, count in self.cluster.ask(
                "SELECT attrelid::regclass::text, count(*) FROM pg_attribute WHERE attname LIKE "
                "'theriac\\_%' AND attrelid IN (SELECT relation FROM theriac.columns WHERE member = 0) "
                "GROUP BY 1",
                database=SEALED):
            for _ in range(count):
                self.cluster.ask(f"ALTER TABLE {table} ADD COLUMN gap bytea; "
                                 f"ALTER TABLE {table} DROP COLUMN gap", database=PLAIN)

    def uri(self, which, role="erp_owner"):
        port = self.parts.gateway.port if which == SEALED else None
        return self.cluster.uri(role, which, port)

    def both(self, sql):
        """The same as superuser, directly."""
        for name in (PLAIN, SEALED):
            self.cluster.ask(sql, database=name)
