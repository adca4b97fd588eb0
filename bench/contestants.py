"""What the benchmarks measure against each other: a private PostgreSQL, and proxies before it."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("THERIAC_BIN", ROOT / "build" / "release" / "bin"))
PG = pathlib.Path("/usr/lib/postgresql/15/bin")
AS_POSTGRES = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port, process=None):
    for _ in range(600):
        if process is not None and process.poll() is not None:
            sys.exit(f"a contestant ended with {process.returncode}: {process.args}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def processor_seconds(pid):
    """Seconds of processor time of all threads, to the nanosecond where the kernel tells."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) * 10_000_000
    return total / 1e9


def run_pgbench(connection, clients, seconds, *more):
    """(transactions per second, transactions done). `connection`: a conninfo string or URI. `seconds` counts from
    before the clients connect; None if `more` says how much is to be done."""
    limit = [] if seconds is None else ["-T", str(seconds)]
    done = subprocess.run(["pgbench", "-n", "-c", str(clients), "-j", str(min(clients, 2)), *limit, *more, connection],
                          check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"pgbench: {done.stderr.strip()[-500:]}")
    out = done.stdout
    tps = float(re.search(r"^tps = ([0-9.]+)", out, re.M).group(1))
    done = int(re.search(r"actually processed: (\d+)", out).group(1))
    failed = re.search(r"failed transactions: (\d+)", out)
    if failed and int(failed.group(1)):
        sys.exit(f"pgbench: {failed.group(0)}")
    return tps, done


class Cluster:
    """A private PostgreSQL with pgbench's tables; trust on loopback, so that sign-in costs alike."""

    def __init__(self, scale):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="theriac-bench-"))
        if AS_POSTGRES:
            shutil.chown(self.dir, "postgres")
        self.dir.chmod(0o755)
        self.port = free_port()
        data = self.dir / "data"
        run = [*AS_POSTGRES, str(PG / "initdb"), "-D", str(data), "-U", "bench", "-E", "UTF8",
               "--locale=C.UTF-8", "--auth=trust"]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL, cwd="/")
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "max_connections": 200,
                    "unix_socket_directories": str(self.dir), "shared_buffers": "512MB",
                    "fsync": "off", "autovacuum": "off"}
        options = " ".join(f"-c {k}={v}" for k, v in settings.items())
        subprocess.run([*AS_POSTGRES, str(PG / "pg_ctl"), "-D", str(data), "-w", "-l",
                        str(self.dir / "log"), "-o", options, "start"], check=True,
                       stdout=subprocess.DEVNULL, cwd="/")
        subprocess.run(["pgbench", "-i", "-q", "-s", str(scale), self.at(self.port)], check=True,
                       capture_output=True)

    @staticmethod
    def at(port):
        return f"host=127.0.0.1 port={port} user=bench dbname=postgres"

    def stop(self):
        subprocess.run([*AS_POSTGRES, str(PG / "pg_ctl"), "-D", str(self.dir / "data"), "-m",
                        "immediate", "stop"], stdout=subprocess.DEVNULL, cwd="/", check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class Proxy:
    """A program between pgbench and PostgreSQL, pinned to one core."""

    def __init__(self, name, port, command, cpu, **popen):
        self.name, self.port = name, port
        self.process = subprocess.Popen(["taskset", "-c", str(cpu), *map(str, command)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        **popen)
        await_port(port, self.process)
        # runuser stays in front of what it starts.
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        below = children.read_text().split()
        self.pid = int(below[0]) if below else self.process.pid

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.process.wait()


def pass_through(gateway, upstream_port, cpu):
    port = free_port()
    return Proxy("theriac", port, [gateway, "--listen", f"127.0.0.1:{port}", "--upstream",
                                   f"127.0.0.1:{upstream_port}", "--mode", "passthrough"], cpu)


def pgbouncer(folder, upstream_port, cpu, user, sessions):
    """In session mode, for up to `sessions` sessions of one user; its account must be able to enter `folder`."""
    port = free_port()
    ini, users = folder / "pgbouncer.ini", folder / "users.txt"
    users.write_text(f'"{user}" ""\n')
    # Sessions that a contestant left behind would keep the next one from beginning.
    ini.write_text(f"[databases]\n* = host=127.0.0.1 port={upstream_port}\n[pgbouncer]\n"
                   f"listen_addr=127.0.0.1\nlisten_port={port}\nunix_socket_dir=\nauth_type=trust\n"
                   f"auth_file={users}\npool_mode=session\nserver_idle_timeout=2\ndefault_pool_size={sessions}\n"
                   f"max_client_conn={3 * sessions}\nignore_startup_parameters=extra_float_digits\n")
    ini.chmod(0o644)
    users.chmod(0o644)
    # Two descriptors a session; without them it lets clients wait for ever.
    files = f"--nofile={4 * sessions + 100}"
    return Proxy("pgbouncer", port, [*AS_POSTGRES, "prlimit", files, "pgbouncer", "-q", ini], cpu, cwd="/")
