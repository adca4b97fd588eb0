"""A private PostgreSQL 15 on loopback and a gateway in front of it, for one test run."""
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")
GATEWAY = pathlib.Path(os.environ["THERIAC_BIN"]) / "theriac-gateway"

HBA = """local all all trust
host all trust_user 127.0.0.1/32 trust
host all md5_user 127.0.0.1/32 md5
host all clear_user 127.0.0.1/32 password
host all all 127.0.0.1/32 scram-sha-256
"""
ROLES = """
set password_encryption = 'scram-sha-256';
create role app superuser login password 'app-password';
create role plain login password 'plain-password';
create role clear_user login password 'clear-password';
create role trust_user login;
create role nobody_home login;
set password_encryption = 'md5';
create role md5_user login password 'md5-password';
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """Use as a context manager. `folder` is also the directory of its Unix socket."""

    def __init__(self, settings=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="theriac-pass-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self.settings = {"listen_addresses": "127.0.0.1", "port": self.port, "fsync": "off",
                         "unix_socket_directories": self.folder, "max_connections": 260,
                         "autovacuum": "off", "max_prepared_transactions": 5, **(settings or {})}
        self.prefix = []
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            self.prefix = ["runuser", "-u", "postgres", "--"]
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self.folder.chmod(0o755)

    def _run(self, program, *arguments, **more):
        done = subprocess.run([*self.prefix, str(BINARIES / program), *arguments], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, **more)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}")

    def __enter__(self):
        try:
            self._run("initdb", "-D", str(self.data), "-U", "postgres", "-E", "UTF8",
                      "--locale=C.UTF-8", "--auth=trust", "--no-sync")
            (self.data / "pg_hba.conf").write_text(HBA)
            self.start()
            self.admin(ROLES)
        except Exception:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(RuntimeError):
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def give(self, source, name):
        """A file that only the server may read (its TLS key)."""
        target = self.data / name
        shutil.copy(source, target)
        if self.prefix:
            account = pwd.getpwnam("postgres")
            os.chown(target, account.pw_uid, account.pw_gid)
        target.chmod(0o600)
        return target

    def start(self):
        options = " ".join(f"-c {key}={value}" for key, value in self.settings.items())
        # The log goes to a file: a pipe would stay open as long as the server runs.
        self._run("pg_ctl", "-D", str(self.data), "-w", "-o", options, "-l",
                  str(self.folder / "log"), "start")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    def admin(self, sql):
        """The rows of the last statement as text, asked past the gateway."""
        done = subprocess.run([str(BINARIES / "psql"), "-h", str(self.folder), "-p", str(self.port),
                               "-U", "postgres", "-d", "postgres", "-qAtX", "-v", "ON_ERROR_STOP=1",
                               "-c", sql], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def await_true(self, condition, seconds=60):
        """Until `select condition` is true; the server does the waiting between two looks."""
        for _ in range(seconds * 20):
            if self.admin(f"select {condition}") == "t":
                return
            self.admin("select pg_sleep(0.05)")
        raise AssertionError(f"not within {seconds} s: {condition}")


def clients_are(count, user="app"):
    return (f"count(*) = {count} from pg_stat_activity where backend_type = 'client backend' "
            f"and usename = '{user}'")


class Gateway:
    """Runs theriac-gateway with these flags until closed; ready when it says so."""

    def __init__(self, upstream, *flags, listen="127.0.0.1:0"):
        self.process = subprocess.Popen(
            [str(GATEWAY), "--listen", listen, "--upstream", str(upstream), "--mode",
             "passthrough", "--metrics", "127.0.0.1:0", *map(str, flags)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        ready = re.match(r"listening on .*:(\d+)$", said)
        if not ready:
            raise RuntimeError(f"the gateway does not start: {said}{self.process.communicate()}")
        self.port = int(ready.group(1))
        self.metrics_port = int(self.process.stdout.readline().split()[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, seconds=60):
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, out + err

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as reply:
            text = reply.read().decode()
        return {line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if not line.startswith("#")}

    def conninfo(self, user="app", password=None, database="postgres", **more):
        words = {"host": "127.0.0.1", "port": self.port, "user": user, "dbname": database,
                 "password": password or f"{user.removesuffix('_user')}-password", **more}
        return " ".join(f"{key}={value}" for key, value in words.items())
