"""Theriac's own programs in the demonstration: key service, gateway, command line."""
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import threading
import time

import yaml

from place import DEMO, Failed, program
from processes import Service

LEASE_S = 6  # short, so that the demonstration shows its end; 60 in earnest
ENROL_AGAIN_S = 8 * 3600
ENROLLED = {"gateway-1": "gateway", "admin-1": "admin", "protector-1": "protector",
            "auditor-1": "auditor"}


class Parts:
    """prepare() once, then start_keyd(), start_gateway(), theriac()."""

    def __init__(self, place, policy=DEMO / "policy.yaml", database=None, catalogue=None,
                 upstream=None, upstream_tls=None, lease_s=LEASE_S):
        self.place = place
        self.policy = pathlib.Path(policy)
        self.database = database    # conninfo of a superuser: protect and unprotect
        self.catalogue = catalogue  # conninfo the gateway reads the catalogue with
        self.upstream = upstream    # HOST:PORT of the database
        self.upstream_tls = upstream_tls  # require, verify-ca, verify-full
        self.lease_s = lease_s
        self.keyd_state = place.dir / "keyd"
        self.certificates = place.dir / "certificates"
        self.audit = place.dir / "audit"
        self.keyd = None
        self.gateway = None

    # --- key service ---

    def _keyd_argv(self, verb, *more):
        return [program("theriac-keyd"), verb, "--state", self.keyd_state, "--passphrase-file",
                self.place.passphrase_file(), *more]

    def tenant(self):
        return yaml.safe_load(self.policy.read_text("utf-8")).get("tenant", "demo")

    def prepare(self):
        """State and certificates. Certificates are enrolled anew when the last ones are old: programs
        renew theirs while they run, but a demonstration may sleep for weeks."""
        if not self.place.state.get("keyd_ready"):
            invoke(self._keyd_argv("init", "--tenant", self.tenant()))  # goes on where it was cut short
            self.place.remember(keyd_ready=True)
        if time.time() - self.place.state.get("enrolled_at", 0) > ENROL_AGAIN_S:
            self.certificates.mkdir(mode=0o700, exist_ok=True)
            for name, role in ENROLLED.items():
                self.enrol(name, role, self.certificates / role)
            self.place.remember(enrolled_at=time.time())

    def enrol(self, name, role, folder):
        invoke(self._keyd_argv("enrol", "--name", name, "--role", role, "--out", folder))

    def keyd_service(self, running=False):
        port = self.place.port("keyd", running=running)
        return Service(self.place, "keyd", self._keyd_argv(
            "serve", "--listen", f"127.0.0.1:{port}", "--lease-seconds", self.lease_s), port)

    def start_keyd(self, **extra):
        self.keyd = self.keyd or self.keyd_service(running=True)
        if self.keyd.pid() is None:
            self.keyd = self.keyd_service()
            self.keyd.start(**extra)
        return self.keyd

    def keyd_address(self):
        return f"127.0.0.1:{self.place.port('keyd', running=True)}"

    def key(self, verb, *more):
        return self.theriac("key", verb, "--keyd", self.keyd_address(), "--cert",
                            self.certificates / "admin", *more)

    # --- gateway ---

    def gateway_service(self, running=False, more=()):
        port = self.place.port("gateway", running=running)
        self.audit.mkdir(mode=0o700, exist_ok=True)
        return Service(self.place, "gateway", [
            program("theriac-gateway"), "--listen", f"127.0.0.1:{port}", "--upstream", self.upstream,
            "--mode", "enforce", "--policy", self.policy, "--keyd", self.keyd_address(), "--cert",
            self.certificates / "gateway", "--catalogue", self.catalogue, "--audit",
            self.audit / "gateway",
            *(["--upstream-tls", self.upstream_tls] if self.upstream_tls else []), *more], port)

    def start_gateway(self, **extra):
        self.gateway = self.gateway or self.gateway_service(running=True)
        if self.gateway.pid() is None:
            self.gateway = self.gateway_service()
            self.gateway.start(**extra)
        return self.gateway

    def stop(self):
        for make, name in ((self.gateway_service, "gateway"), (self.keyd_service, "keyd")):
            if (self.place.dir / "pid" / name).exists():
                make(running=True).stop()

    # --- command line ---

    def theriac(self, *arguments, check=True, show=False):
        """Runs `theriac ... --json`; its JSON (or None). `show`: its progress bars go to our terminal."""
        argv = [program("theriac"), *map(str, arguments), "--json"]
        run = run_with_progress if show and sys.stderr.isatty() else run_quietly
        code, out, err = run(argv)
        if check and code != 0:
            raise Failed(f"theriac {' '.join(map(str, arguments[:2]))}: {(err or out).strip()[-400:]}")
        try:
            answer = json.loads(out) if out.strip() else None
        except json.JSONDecodeError:
            raise Failed(f"theriac {arguments[0]} printed no JSON") from None
        return answer if check else (code, answer, err)

    def _move(self, verb, show):
        return self.theriac(verb, "--policy", self.policy, "--database", self.database, "--keyd",
                            self.keyd_address(), "--cert", self.certificates / "protector", "--yes",
                            show=show)

    def protect(self, show=False):
        return self._move("protect", show)

    def unprotect(self, show=False):
        return self._move("unprotect", show)

    def verify(self, path, *more):
        """(exit code, verdict) of `theriac audit verify`."""
        code, answer, _ = self.theriac("audit", "verify", path, *more, check=False)
        return code, answer or {}


def run_quietly(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def run_with_progress(argv):
    """Its standard error is a terminal whose lines we draw on one line of ours, wiped at the end."""
    here, there = pty.openpty()
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=there, text=True)
    os.close(there)
    said = []

    def relay():
        try:
            while data := os.read(here, 4096):
                said.append(data)
                sys.stderr.buffer.write(data.replace(b"\r\n", b"\r"))
                sys.stderr.buffer.flush()
        except OSError:  # Linux says EIO where the other end is closed
            pass

    reader = threading.Thread(target=relay)
    reader.start()
    try:
        out = child.stdout.read()
        code = child.wait()
    except KeyboardInterrupt:  # it got the same Ctrl-C, and ends after the step at hand
        child.terminate()
        child.wait()
        raise
    finally:
        reader.join()
    os.close(here)
    sys.stderr.write("\r\033[K")
    sys.stderr.flush()
    lines = re.sub(rb"\x1b\[K|[^\n]*\r(?!\n)", b"", b"".join(said)).decode(errors="replace").splitlines()
    return code, out, lines[-1].strip() if lines else ""


def invoke(argv):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{pathlib.Path(str(argv[0])).name} {argv[1]}: "
                     f"{(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout
