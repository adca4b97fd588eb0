"""A site with a packaging line: what the line's own machine does, through folders alone."""
import csv
import io
import json
import os
import shutil
import signal
import subprocess

from site_of_tests import BIN, SiteTest

GTIN = "09506000134352"
LOT = "LOT1A"


class LineTest(SiteTest):
    stock = 1000

    def setUp(self):
        super().setUp()
        self.files = 0
        self.write_line_config()

    def write_line_config(self, name="line", folder="shop-floor", **settings):
        values = {"server": f"127.0.0.1:{self.port}", "server-ca": self.path("tls.crt"),
                  "cert": self.path(name), "folder": self.path(folder), "place": "9506000140018",
                  "stock": self.stock, "settle-ms": 0, "patience-ms": 20_000, **settings}
        with open(self.path(f"{folder}.yaml"), "w", encoding="utf-8") as file:
            for key, value in values.items():
                file.write(f'{key}: "{value}"\n')

    def start_line(self, folder="shop-floor", **limits):
        log = open(self.path(f"{folder}.log"), "ab")  # pylint: disable=consider-using-with
        self.addCleanup(log.close)
        self.processes[folder] = subprocess.Popen(
            [f"{BIN}/theriac", "line", "run", "--config", self.path(f"{folder}.yaml")],
            stdout=subprocess.PIPE, stderr=log, **limits)
        self.wait_until(lambda: os.path.isdir(self.path(folder, "state")), "no folders")

    def start_all(self):
        self.start_keyd()
        self.start_server()
        self.wait_ready()
        self.make_master()
        self.start_line()

    # -- what the line's machine does

    def floor(self, *names):
        return self.path("shop-floor", *names)

    def drop(self, content, suffix=".json", name=None):
        """A file in `in`, as one should: under another name first."""
        if name is None:
            self.files += 1
            name = f"{self.files:05}{suffix}"
        data = content if isinstance(content, bytes) else \
            (content if isinstance(content, str) else json.dumps(content)).encode()
        hidden = self.floor("in", f".{name}")
        with open(hidden, "wb") as file:
            file.write(data)
        os.rename(hidden, self.floor("in", name))
        return name

    def taken(self, name):
        return not os.path.lexists(self.floor("in", name))

    def wait_taken(self, name):
        self.wait_until(lambda: self.taken(name), f"{name} is not taken\n{self.logged('shop-floor')}")

    def refusals(self):
        return sorted(os.listdir(self.floor("refused")))

    def reason(self, name):
        found = [one for one in self.refusals()
                 if one.startswith(name) and one.endswith(".reason.txt")]
        self.assertEqual(len(found), 1, f"{name}: {self.refusals()}")
        with open(self.floor("refused", found[0]), encoding="utf-8") as file:
            return file.read()

    def order(self, ask, lot=LOT, **more):
        return {"ask": ask, "gtin": GTIN, "lot": lot, **more}

    def ask_numbers(self, count, lot=LOT):
        return self.drop(self.order("numbers", lot, count=count))

    def take_answer(self, name):
        """Reads and takes away; the serials."""
        path = self.floor("out", name)
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        os.remove(path)
        if name.endswith(".json"):
            return json.loads(text)["serials"]
        return [row["serial"] for row in csv.DictReader(io.StringIO(text))]

    def get_numbers(self, count, lot=LOT):
        name = self.ask_numbers(count, lot)
        self.wait_taken(name)
        serials = self.take_answer(name)
        self.assertEqual(len(set(serials)), count)
        return serials

    def report(self, *events, lot=LOT):
        name = self.drop(self.order("report", lot, events=list(events)))
        self.wait_taken(name)
        return name

    def status(self):
        done = self.run_program(f"{BIN}/theriac", "line", "status", "--json", "--config",
                                self.path("shop-floor.yaml"))
        return json.loads(done.stdout)

    def left(self, lot=LOT):
        return sum(one["left"] for one in self.status()["lots"] if one["lot"] == lot)

    def wait_sent(self):
        self.wait_until(lambda: self.status()["waiting"] == 0,
                        f"reports wait\n{self.logged('shop-floor')}")

    def reconciliation(self, lot=None):
        return self.must(self.client("operator"), "GET",
                         f"/api/trace/lots/{lot or self.lot}/reconciliation")

    def kill_line(self, folder="shop-floor"):
        self.stop(folder, signal.SIGKILL)

    def files_with(self, serials, *folders):
        """Paths below `folders` in which a serial stands in any plain form."""
        by_length = {}
        for serial in serials:
            for form in (serial.encode(), serial.encode("utf-16-le"), serial.encode().hex().encode()):
                by_length.setdefault(len(form), set()).add(form)
        found, searched = set(), 0
        for top in folders:
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    if not os.path.isfile(path):
                        continue
                    with open(path, "rb") as file:
                        content = file.read()
                    searched += 1
                    # Windows looked up in a set: thousands of searches of each file would take minutes.
                    if any(content[at : at + length] in forms for length, forms in by_length.items()
                           for at in range(len(content) - length + 1)):
                        found.add(path)
        self.assertGreater(searched, 2)
        return found

    def copy_of_floor(self, name):
        shutil.copytree(self.floor(), self.path(name), symlinks=True)
        return self.path(name)
