"""A private PostgreSQL 15 for the demonstration: durable (fsync on), scram only, on loopback.

Settings that are not defaults serve the story: everything is logged (so that a leak into the log
would be seen), and write-ahead log that is no longer needed is deleted, not recycled, so that
what was plain before sealing does not lie around in old segments.
"""
import subprocess

import psycopg2

from place import POSTGRES_BIN, ROLES, DEMO, Failed, as_postgres
from erp_data import COLUMNS, ROWS, CopyStream
from processes import wait_until

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_permissions = 0777
max_connections = 120
max_prepared_transactions = 10
password_encryption = 'scram-sha-256'
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 192MB
wal_recycle = off
wal_init_zero = off
min_wal_size = 32MB
max_wal_size = 256MB
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = all
track_activity_query_size = 16384
log_min_messages = notice
log_statement = 'all'
log_line_prefix = '%m %u %d '
logging_collector = off
timezone = 'Asia/Shanghai'
jit = off
"""
HBA = """
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


class Cluster:
    """start(), stop(), connect(); make_erp() fills an empty one."""

    def __init__(self, place):
        self.place = place
        self.home = place.postgres_home()
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self.port = None

    def _run(self, *argv, check=True):
        done = subprocess.run(as_postgres(argv), capture_output=True, text=True, check=False,
                              cwd="/")
        if check and done.returncode != 0:
            raise Failed(f"{argv[0]}: {(done.stderr or done.stdout).strip()[-400:]}")
        return done

    def _as_owner(self, *argv, text=None):
        """Runs a small tool as the account that owns the data."""
        return subprocess.run(as_postgres(argv), input=text, text=True, check=True,
                              capture_output=True, cwd="/").stdout

    def exists(self):
        return self._run("test", "-f", self.data / "ready", check=False).returncode == 0

    def running(self):
        return self._run(POSTGRES_BIN / "pg_ctl", "-D", self.data, "status",
                         check=False).returncode == 0

    def _init(self):
        self._run("rm", "-rf", self.data)  # a half-made one, if any
        self._run("mkdir", "-m", "700", self.data)
        password_file = self.home / "password.new"
        self._as_owner("sh", "-c", f"umask 077; cat > '{password_file}'",
                       text=self.place.password("dba") + "\n")
        self._run(POSTGRES_BIN / "initdb", "-D", self.data, "-U", "dba", "-E", "UTF8",
                  "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password_file}")
        self._run("rm", "-f", password_file)
        self._as_owner("sh", "-c", f"cat >> '{self.data}/postgresql.conf'", text=SETTINGS)
        self._as_owner("sh", "-c", f"cat > '{self.data}/pg_hba.conf'", text=HBA)
        self._run("touch", self.data / "ready")

    def start(self):
        if not self.exists():
            self._init()
        if self.running():
            self.port = self.place.port("postgres", running=True)
        else:
            self.port = self.place.port("postgres")
            options = f"-p {self.port} -k {self.place.socket_dir()}"
            self._run(POSTGRES_BIN / "pg_ctl", "-D", self.data, "-w", "-t", "60", "-s",
                      "-l", self.log, "-o", options, "start")
        wait_until(lambda: self._answers(), 30, "PostgreSQL answers")
        return self

    def _answers(self):
        try:
            self.connect("dba", "postgres").close()
            return True
        except psycopg2.OperationalError:
            return False

    def stop(self, mode="fast"):
        if self.exists() and self.running():
            self._run(POSTGRES_BIN / "pg_ctl", "-D", self.data, "-w", "-t", "60", "-m", mode, "stop")

    def uri(self, role, database="erp", port=None):
        return (f"postgres://{role}:{self.place.password(role)}@127.0.0.1:{port or self.port}"
                f"/{database}")

    def connect(self, role, database="erp", port=None, autocommit=True, **extra):
        connection = psycopg2.connect(self.uri(role, database, port), connect_timeout=20, **extra)
        connection.autocommit = autocommit
        return connection

    def ask(self, sql, args=None, role="dba", database="erp", port=None):
        """Rows of one statement."""
        connection = self.connect(role, database, port)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, args)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def make_roles(self):
        for role in ROLES[1:]:
            if not self.ask("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,), database="postgres"):
                # The verifier is made on this side, so that the server's log never holds a password.
                self.ask(f"CREATE ROLE {role} LOGIN", database="postgres")
                self.set_password(role)

    def set_password(self, role):
        connection = self.connect("dba", "postgres")
        try:
            verifier = psycopg2.extensions.encrypt_password(
                self.place.password(role), role, connection, "scram-sha-256")
            connection.cursor().execute(f"ALTER ROLE {role} PASSWORD %s", (verifier,))
        finally:
            connection.close()

    def has_database(self, name="erp"):
        return bool(self.ask("SELECT 1 FROM pg_database WHERE datname = %s", (name,),
                             database="postgres"))

    def make_erp(self, scale=1.0, progress=None):
        """Schema and rows; in a database that gets its name when it is whole."""
        self.make_roles()
        self.ask("DROP DATABASE IF EXISTS erp_new", database="postgres")
        self.ask("CREATE DATABASE erp_new OWNER erp_owner TEMPLATE template0", database="postgres")
        connection = self.connect("dba", "erp_new")
        try:
            with connection.cursor() as cursor:
                cursor.execute("CREATE EXTENSION pg_stat_statements")
                cursor.execute("GRANT CREATE, USAGE ON SCHEMA public TO erp_owner")
                cursor.execute((DEMO / "schema.sql").read_text("utf-8"))
                for table in ROWS:
                    if progress:
                        progress(table)
                    cursor.copy_expert(f"COPY {table} ({COLUMNS[table]}) FROM STDIN",
                                       CopyStream(table, scale), size=1 << 16)
                    if table in ("customers", "device_usage"):
                        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "
                                       f"(SELECT max(id) FROM {table}))")
                cursor.execute("ANALYZE")
        finally:
            connection.close()
        self.ask("ALTER DATABASE erp_new RENAME TO erp", database="postgres")

    def count_rows(self, database="erp"):
        return {table: self.ask(f"SELECT count(*) FROM {table}", database=database)[0][0]
                for table in ROWS}

    def turn_over_wal(self):
        """Everything before this leaves the write-ahead log: two checkpoints with a switch between."""
        for _ in range(2):
            self.ask("SELECT pg_switch_wal()", database="postgres")
            self.ask("CHECKPOINT", database="postgres")
