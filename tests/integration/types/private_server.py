"""A private PostgreSQL 15 for one test run: own folder, Unix socket only, gone at the end."""
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def available():
    return (BINARIES / "initdb").exists()


class PrivateServer:
    """Use as a context manager. `folder` is the socket's directory; the superuser is postgres."""

    port = 5432  # names the socket only

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="theriac-pg-"))
        self.data = self.folder / "data"
        # PostgreSQL does not run as root.
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.prefix:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.folder.chmod(0o755)

    def _run(self, program, *arguments):
        done = subprocess.run([*self.prefix, str(BINARIES / program), *arguments], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}")

    def __enter__(self):
        try:
            self._run("initdb", "-D", str(self.data), "-U", "postgres", "-E", "UTF8",
                      "--locale=C.UTF-8", "--auth=trust", "--no-sync")
            options = (f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off "
                       "-c full_page_writes=off -c synchronous_commit=off -c autovacuum=off")
            self._run("pg_ctl", "-D", str(self.data), "-w", "-o", options,
                      "-l", str(self.folder / "log"), "start")
        except Exception:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_):
        try:
            self._run("pg_ctl", "-D", str(self.data), "-w", "-m", "immediate", "stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
