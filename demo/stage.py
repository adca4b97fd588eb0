"""Brings the demonstration company up and down: PostgreSQL with the ERP, key service, gateway."""
import contextlib
import signal
import sys

import psycopg2

from cluster import Cluster
from erp_data import ROWS
from parts import Parts
from place import DEMO, Failed, say
from processes import wait_until
from trace_site import stop_left_behind

GATEWAY_ROLE = "theriac_gateway"
TABLES = {  # protected tables, their key, and the columns that policy.yaml names
    "customers": ("id", ("contact_name", "contact_id_number", "contact_phone", "credit_limit")),
    "formulas": ("id", ("composition", "sinter_minutes")),
    "batches": ("id", ("sterilised_at",)),
    "clinical_subjects": ("id", ("birth_date",)),
    "device_usage": ("id", ("patient_name",)),
}
COLUMNS = sum(len(columns) for _, columns in TABLES.values())


class Stage:
    """up() may be called in any state that an earlier run left behind, killed or not."""

    def __init__(self, place, scale=1.0):
        self.place = place
        self.scale = scale
        self.cluster = Cluster(place)
        self.parts = None
        self.trace = None

    def start_database(self, progress=None):
        self.cluster.start()
        if not self.cluster.has_database():
            self.cluster.make_erp(self.scale, progress)

    def policy_file(self):
        return DEMO / "policy.yaml"

    def make_parts(self):
        return Parts(self.place, policy=self.policy_file(), database=self.cluster.uri("dba"),
                     catalogue=self.cluster.uri(GATEWAY_ROLE),
                     upstream=f"127.0.0.1:{self.cluster.port}")

    def start_keyd(self):
        self.parts = self.make_parts()
        self.parts.prepare()
        self.parts.start_keyd()

    def start_keyd_again(self):
        self.parts.start_keyd()

    def start_gateway(self):
        self.parts.start_gateway()
        # It may answer before it holds its first lease.
        wait_until(self._gateway_serves, 30, "the gateway serves a statement")

    def _gateway_serves(self):
        try:
            return self.erp("SELECT 1") == [(1,)]
        except psycopg2.Error:
            return False

    def registered_columns(self, state="%"):
        """How many columns stand in the database's registry; none without one."""
        if not self.cluster.ask("SELECT to_regclass('theriac.columns') IS NOT NULL")[0][0]:
            return 0
        return self.cluster.ask("SELECT count(*) FROM theriac.columns WHERE state LIKE %s",
                                (state,))[0][0]

    def protected_columns(self):
        return self.registered_columns("sealed")

    def gateway_port(self):
        return self.parts.gateway.port

    def erp(self, sql, args=None, role="erp_app"):
        """One statement through the gateway."""
        return self.cluster.ask(sql, args, role=role, port=self.gateway_port())

    def gateway_uri(self, role="erp_app"):
        return self.cluster.uri(role, port=self.gateway_port())

    def connect(self, role="erp_app", **extra):
        return self.cluster.connect(role, port=self.gateway_port(), **extra)

    def seal(self, show=False):
        """Protects, then restarts the server: its shared memory still holds pages of before, and a core
        dump would show them."""
        report = self.parts.protect(show=show)
        self.cluster.stop()
        self.cluster.start()
        return report or {}

    @staticmethod
    def erp_backend(connection):
        """The server's process behind a session through the gateway."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    def read_tables(self, port, role):
        """Every row of the protected tables as their reader sees it, by key."""
        rows = {}
        connection = self.cluster.connect(role, port=port)
        # As text: Python has no dates before Christ, and no infinite ones.
        psycopg2.extensions.register_type(
            psycopg2.extensions.new_type((1082, 1184), "text", lambda value, _: value), connection)
        try:
            with connection.cursor() as cursor:
                for table, (key, _) in TABLES.items():
                    cursor.execute(f"SELECT * FROM {table} ORDER BY {key}")
                    names = [c.name for c in cursor.description]
                    rows[table] = {row[names.index(key)]: dict(zip(names, row)) for row in cursor}
        finally:
            connection.close()
        return rows

    def down(self):
        """Stops all that is ours, whoever started it."""
        if self.parts is None and (self.place.dir / "pid").exists():
            self.parts = Parts(self.place, upstream="127.0.0.1:1", catalogue="")
        stop_left_behind(self.place)
        for stop in (self.parts.stop if self.parts else None, self.cluster.stop):
            if stop:
                stop()

    def start_over(self):
        self.down()
        self.place.erase()
        self.cluster = Cluster(self.place)
        self.parts = None
        self.trace = None


def total_rows(counts):
    return sum(counts[table] for table in ROWS)


def differences(before, after):
    """(rows compared, tables and keys that differ)."""
    compared, bad = 0, []
    for table in before.keys() | after.keys():
        one, two = before.get(table, {}), after.get(table, {})
        for key in one.keys() | two.keys():
            compared += 1
            if one.get(key) != two.get(key):
                bad.append((table, key))
    return compared, bad


@contextlib.contextmanager
def interruptible():
    """SIGTERM and SIGHUP end a run as Ctrl-C does, so that its services are stopped."""
    def stop(*_):
        raise KeyboardInterrupt
    before = {s: signal.signal(s, stop) for s in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def require(condition, text):
    if not condition:
        raise Failed(text)


def progress(text):
    """A line that the next one replaces; nothing where nobody watches."""
    if sys.stdout.isatty():
        say(f"\r\033[K{text}", end="")


def clear_line():
    progress("")
