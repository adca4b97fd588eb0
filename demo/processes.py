"""Services in the background, each with a pid file, so that a later ./run finds what an earlier one
left behind. Only processes that were started from here are ever signalled: a pid counts only
together with the start time that was written down with it.
"""
import os
import resource
import signal
import subprocess
import time

from place import Failed, accepts


def start_time(pid):
    """Clock ticks since boot at which the process began, or None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        # A killed program's first thread is a zombie while others still hold its sockets.
        ended = fields[0] in "ZX" and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except OSError:
        return None
    return None if ended else int(fields[19])


def wait_until(condition, seconds, what):
    """Polls; raises Failed naming what did not happen. Returns the condition's value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Service:
    """A program of ours in the background."""

    def __init__(self, place, name, argv, port):
        self.name = name
        self.argv = [str(a) for a in argv]
        self.port = port
        self.log = place.dir / "log" / f"{name}.log"
        self.pid_file = place.dir / "pid" / name
        self.folder = place.folder("cores")  # where a core dump would land
        self.child = None

    def pid(self):
        """The running process, ours and alive, or None."""
        if self.child is not None and self.child.poll() is not None:
            self.child = None
        try:
            pid, began = map(int, self.pid_file.read_text("ascii").split())
        except (OSError, ValueError):
            return None
        return pid if start_time(pid) == began else None

    def start(self, wait_s=60):
        if self.pid() is not None:
            raise Failed(f"{self.name} runs already")
        def limits():  # as generous as may be: the services themselves must refuse to dump
            most = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (most, most))
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(  # pylint: disable=consider-using-with
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=limits, cwd=self.folder)
        began = start_time(self.child.pid)
        self.pid_file.write_text(f"{self.child.pid} {began or 0}\n", "ascii")
        wait_until(lambda: accepts(self.port) or self.child.poll() is not None, wait_s,
                   f"{self.name} answers on port {self.port}")
        if self.child.poll() is not None:
            raise Failed(f"{self.name} ended at once ({self.last_line()}); see {self.log}")
        return self

    def last_line(self):
        try:
            lines = self.log.read_text("utf-8", errors="replace").strip().splitlines()
        except OSError:
            return "no log"
        return lines[-1] if lines else "nothing in its log"

    def kill(self, number=signal.SIGKILL):
        pid = self.pid()
        if pid is not None:
            os.kill(pid, number)
            self._gone(10)

    def abort(self):
        """SIGABRT to a child of ours; its wait status."""
        child = self.child
        if child is None or self.pid() is None:
            raise Failed(f"{self.name} was not started by this run")
        os.kill(child.pid, signal.SIGABRT)
        status = os.waitpid(child.pid, 0)[1]
        child.returncode = -signal.SIGABRT
        self.child = None
        return status

    def stop(self, wait_s=15):
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            try:
                self._gone(wait_s)
            except Failed:
                os.kill(pid, signal.SIGKILL)
                self._gone(10)
        self.pid_file.unlink(missing_ok=True)

    def _gone(self, seconds):
        wait_until(lambda: self.pid() is None, seconds, f"{self.name} stops")
