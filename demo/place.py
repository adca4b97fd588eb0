"""Where the demonstration lives: folders, ports and passwords, remembered between runs.

Everything is under var/ of the checkout (ignored by git), one folder per use: var/demo for ./run,
var/check for ./run --check. A lock keeps two runs from using one folder.
"""
import fcntl
import hashlib
import json
import os
import pathlib
import random
import secrets
import shutil
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ROOT / "demo"
PRESET = os.environ.get("THERIAC_PRESET", "release")
BIN = pathlib.Path(os.environ.get("THERIAC_BIN", ROOT / "build" / PRESET / "bin")).resolve()
POSTGRES_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
PORT_WANTED = {"postgres": 55440, "keyd": 7750, "gateway": 6543, "theriacd": 7760,
               "theriacd-health": 7761}
ROLES = ("dba", "erp_owner", "erp_app", "warehouse", "inspector", "theriac_gateway")


class Failed(Exception):
    """A step did not hold; the text is for a person."""


def is_root():
    return os.geteuid() == 0


def as_postgres(argv):
    """PostgreSQL refuses to run as root, so as root its programs run as the user postgres."""
    return ["runuser", "-u", "postgres", "--", *map(str, argv)] if is_root() else list(map(str, argv))


def postgres_can_enter(folder):
    if not is_root():
        return True
    return subprocess.run(as_postgres(["test", "-x", folder]), check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def accepts(port, host="127.0.0.1"):
    """Somebody listens there."""
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


def free_port():
    """Below the range that outgoing connections take theirs from: a service that is killed and started
    again must find its port free."""
    chosen = random.SystemRandom()
    while True:
        port = chosen.randrange(20_000, 32_000)
        if port_is_free(port):
            return port


class Place:
    """One folder of state. Use as a context manager: it holds the lock."""

    def __init__(self, name):
        self.name = name
        self.dir = pathlib.Path(os.environ.get("THERIAC_VAR", ROOT / "var")) / name
        self.state_file = self.dir / "state.json"
        self.state = {}
        self.lock = None

    def __enter__(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dir.chmod(0o711)
        # O_CLOEXEC (Python's default) matters: a service must not inherit the lock.
        self.lock = open(self.dir / "lock", "a+", encoding="ascii")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.lock.seek(0)
            raise Failed(f"another ./run is using {self.dir} (pid {self.lock.read().strip()}); "
                         "stop it with Ctrl-C first") from None
        self.lock.truncate(0)
        self.lock.write(str(os.getpid()))
        self.lock.flush()
        if self.state_file.exists():
            self.state = json.loads(self.state_file.read_text("utf-8"))
        if self.state.get("erasing"):
            self.erase()
        self.folder("log")
        self.folder("pid")
        return self

    def __exit__(self, *_):
        self.lock.close()

    def folder(self, name, mode=0o700):
        path = self.dir / name
        path.mkdir(exist_ok=True)
        path.chmod(mode)
        return path

    def remember(self, **values):
        self.state.update(values)
        fresh = self.state_file.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_text(json.dumps(self.state, indent=1, sort_keys=True), "utf-8")
        fresh.replace(self.state_file)

    def port(self, service, running=False):
        """The remembered port; another one if a stranger listens there meanwhile."""
        ports = dict(self.state.get("ports", {}))
        known = ports.get(service)
        # Binding to it proves nothing: sessions of a service that was killed may still be closing.
        if known is None or (not running and accepts(known)):
            wanted = PORT_WANTED.get(service)
            ports[service] = wanted if wanted and self.name == "demo" and port_is_free(wanted) \
                else free_port()
            self.remember(ports=ports)
        return ports[service]

    def password(self, role):
        passwords = dict(self.state.get("passwords", {}))
        if role not in passwords:
            passwords[role] = secrets.token_urlsafe(15)
            self.remember(passwords=passwords)
        return passwords[role]

    def passphrase_file(self):
        path = self.dir / "passphrase"
        if not path.exists():
            path.touch(0o600)
            path.write_text(secrets.token_urlsafe(24) + "\n", "ascii")
        return path

    def postgres_home(self):
        """A folder that PostgreSQL's account can reach, for its data."""
        link = self.dir / "pg"
        if link.exists():
            return link.resolve()
        if postgres_can_enter(self.dir):
            link.mkdir()
            home = link
        else:  # a checkout under /root, say
            name = hashlib.sha256(str(self.dir).encode()).hexdigest()[:12]
            home = pathlib.Path("/var/lib/theriac-demo") / name
            home.mkdir(parents=True, exist_ok=True)
            home.parent.chmod(0o755)
            link.unlink(missing_ok=True)
            link.symlink_to(home)
        if is_root():
            shutil.chown(home, "postgres", "postgres")
        home.chmod(0o700)
        return home

    def socket_dir(self):
        """Short, because a socket's path may have 107 bytes only."""
        name = hashlib.sha256(str(self.dir).encode()).hexdigest()[:10]
        path = pathlib.Path("/tmp") / f"theriac-{name}"
        path.mkdir(mode=0o700, exist_ok=True)
        if path.is_symlink() or path.stat().st_uid not in (os.geteuid(), _postgres_uid()):
            raise Failed(f"{path} belongs to somebody else; remove it")
        if is_root():
            shutil.chown(path, "postgres", "postgres")
        return path

    def erase(self):
        """Forgets everything but the lock. Services must be stopped. Cut short, it is finished by the
        next run: half a state would not fit together."""
        self.state = {}
        self.remember(erasing=True)
        home = self.dir / "pg"
        if home.is_symlink():
            shutil.rmtree(home.resolve(), ignore_errors=True)
        for entry in self.dir.iterdir():
            if entry in (self.dir / "lock", self.state_file):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.state_file.unlink()
        self.state = {}
        self.folder("log")
        self.folder("pid")


def _postgres_uid():
    if not is_root():
        return os.geteuid()
    import pwd
    return pwd.getpwnam("postgres").pw_uid


def program(name):
    path = BIN / name
    if not path.exists():
        raise Failed(f"{path} is missing: build it with cmake --build --preset {PRESET}")
    return str(path)


def shown(path):
    """As a person would type it here: short where that is possible."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def say(text, end="\n"):
    print(text, end=end, flush=True)


def warn(text):
    print(text, file=sys.stderr, flush=True)
