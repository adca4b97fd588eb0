#!/usr/bin/python3
"""theriacd as its callers see it, over TLS 1.3 with certificates, with theriac-keyd behind it and SQLite under it.

Verifications beside a static reply of our own server, both on one core while the load has the other; acts and
captures with both cores. Every figure of theriacd includes sealing, indexing, the audit log and durable commits.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

from contestants import BIN, ROOT, await_port, free_port, processor_seconds

os.environ.setdefault("THERIAC_BIN", str(BIN))
sys.path.insert(0, str(ROOT / "tests" / "integration" / "trace"))
import site_of_tests  # noqa: E402

site_of_tests.LEASE_SECONDS = 60
ITEMS, BATCH, DOCUMENT = 100_000, 1_000, 100
WRITERS, BIG = 6, 20_000  # more than theriacd has workers
STATIC_BYTES = 256
CLIENTS = 32


class Stand(site_of_tests.SiteTest):
    """The site of the integration tests, pinned."""

    def runTest(self):
        pass

    def __init__(self, options):
        super().__init__()
        self.options, self.serials = options, []
        self.static_port = free_port()

    def begin(self):
        self.setUp()
        self.start_keyd()
        pinned = ["taskset", "-c", str(self.options.cpu)]
        self.start("theriacd", [*pinned, self.options.theriacd, "--config", self.path("theriacd.yaml")],
                   f"listening on 127.0.0.1:{self.port}\n")
        self.wait_ready()
        self.make_master()
        self.processes["static"] = subprocess.Popen(
            [*pinned, BIN / "http_server", str(self.static_port), self.path("tls.crt"), self.path("tls.key"),
             str(STATIC_BYTES)], stdout=subprocess.PIPE)
        await_port(self.static_port, self.processes["static"])

    def unpin(self):
        subprocess.run(["taskset", "-a", "-p", "-c", f"0-{os.cpu_count() - 1}", str(self.processes["theriacd"].pid)],
                       check=True, stdout=subprocess.DEVNULL)

    def take(self, count):
        """Links of numbers that nothing bears yet."""
        while len(self.serials) < count:
            fresh, _ = self.numbers(self.allocate(self.client("operator"), ITEMS)["id"])
            self.serials += fresh
        taken, self.serials = self.serials[:count], self.serials[count:]
        return taken

    def bodies(self, name, lines):
        path = pathlib.Path(self.path(name))
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def load(self, port, path, bodies="-", who="operator", clients=CLIENTS, seconds=0, rate=0, pin=True):
        core = str(1 - min(self.options.cpu, 1)) if pin else f"0-{os.cpu_count() - 1}"
        done = subprocess.run(
            ["taskset", "-c", core, BIN / "https_load", str(port), self.path("tls.crt"), self.path(who, "cert.pem"),
             self.path(who, "key.pem"), str(clients), str(seconds), f"{rate:.1f}", path, "application/json",
             str(bodies)], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"https_load: {done.stderr[-2000:]}\n{self.logged('theriacd')}")
        said = json.loads(done.stdout)
        if said["failed"]:
            sys.exit(f"{path}: {said['statuses']} {done.stderr[-2000:]}")
        return said

    def spent(self, name):
        return processor_seconds(self.processes[name].pid)


def scan(serial):
    return f"]d2010950600013435221{serial}\x1d10LOT1A"


def commissioning(stand, serials):
    return json.dumps({"act": "commission", "place": stand.plant, "lot": stand.lot,
                       "items": [stand.link(s) for s in serials]})


def document(stand, serials, observed):
    """An EPCIS document with an event for each item: commissioned, or seen once more."""
    events = []
    for number, serial in enumerate(serials):
        event = {"type": "ObjectEvent", "eventTime": f"2026-01-01T10:30:{number % 60:02}.{number:03}+08:00",
                 "eventTimeZoneOffset": "+08:00", "action": "OBSERVE" if observed else "ADD",
                 "bizStep": "inspecting" if observed else "commissioning",
                 "disposition": "in_progress" if observed else "active",
                 "readPoint": {"id": "https://id.gs1.org/414/9506000140018"}, "epcList": [stand.link(serial)]}
        if not observed:
            event["ilmd"] = {"cbvmda:lotNumber": "LOT1A"}
        events.append(event)
    return json.dumps({"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
                       "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-01-01T11:00:00Z",
                       "epcisBody": {"eventList": events}})


def median(values):
    return statistics.median(list(values))


def checks(stand, options):
    """Verifications and the static reply in turns."""
    serials = stand.take(20_000)
    bodies = stand.bodies("commission", [commissioning(stand, serials[at:at + BATCH])
                                         for at in range(0, len(serials), BATCH)])
    stand.load(stand.port, "/api/trace/acts", bodies, clients=1)
    works = {
        "static": ("static", stand.static_port, "/", "-"),
        "resources of EPCIS, nothing read": ("theriacd", stand.port, "/epcis/", "-"),
        "verify": ("theriacd", stand.port, "/api/trace/verify",
                   stand.bodies("verify", [json.dumps({"scan": scan(s)}) for s in serials])),
        "verify, place given": ("theriacd", stand.port, "/api/trace/verify",
                                stand.bodies("verify-place", [json.dumps({"scan": scan(s), "place": stand.plant})
                                                              for s in serials])),
        "where": ("theriacd", stand.port, "/api/trace/items/where",
                  stand.bodies("where", [json.dumps({"item": stand.link(s)}) for s in serials])),
    }
    rates, costs = {name: [] for name in works}, {name: [] for name in works}
    for turn in range(options.rounds):
        for name in list(works)[::1 if turn % 2 else -1]:
            process, port, path, lines = works[name]
            before = stand.spent(process)
            said = stand.load(port, path, lines, seconds=options.seconds)
            rates[name].append(said["done"] / said["seconds"])
            costs[name].append((stand.spent(process) - before) / said["done"] * 1e6)
    rows = []
    for name, (_, port, path, lines) in works.items():
        half = stand.load(port, path, lines, seconds=3 * options.seconds, rate=median(rates[name]) / 2)
        rows.append({"what": name, "rate": median(rates[name]), "cost": median(costs[name]),
                     "ratio": median(a / b for a, b in zip(rates[name], rates["static"])),
                     **{k: half[k] for k in ("p50_ms", "p99_ms", "max_ms")}})
        print(rows[-1], flush=True)
    return rows


def beside_big_acts(stand):
    """How long verifications take while every worker has a call that commissions 20,000 items, or waits with one."""
    serials = stand.take(WRITERS * BIG)
    bodies = stand.bodies("big", [commissioning(stand, serials[at:at + BIG]) for at in range(0, len(serials), BIG)])
    command = [BIN / "https_load", str(stand.port), stand.path("tls.crt"), stand.path("operator", "cert.pem"),
               stand.path("operator", "key.pem"), str(WRITERS), "0", "0", "/api/trace/acts", "application/json",
               str(bodies)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as big:
        said = stand.load(stand.port, "/api/trace/verify", stand.path("verify-place"), seconds=3, rate=200, pin=False)
        took = json.loads(big.communicate()[0])["seconds"]
    row = {"took": took, **{k: said[k] for k in ("p50_ms", "p99_ms", "max_ms")}}
    print(f"beside {WRITERS} acts on {BIG:,} items:", row, flush=True)
    return row


def writes(stand, options):
    kinds = {
        "commission, 1,000 items a call": (
            "/api/trace/acts", BATCH, lambda s: commissioning(stand, s)),
        "capture, 100 commissionings a document": (
            "/epcis/capture", DOCUMENT, lambda s: document(stand, s, False)),
        "capture, 100 observations a document": (
            "/epcis/capture", DOCUMENT, lambda s: document(stand, s, True)),
    }
    rows = []
    for name, (path, size, make) in kinds.items():
        for clients in (1, 8):
            rates, costs = [], []
            for turn in range(options.rounds):
                serials = stand.take(10_000 if options.quick else 20_000 if size == BATCH else 10_000)
                lines = [make(serials[at:at + size]) for at in range(0, len(serials), size)]
                before = stand.spent("theriacd")
                said = stand.load(stand.port, path, stand.bodies("writes", lines), clients=clients, pin=False)
                rates.append(len(serials) / said["seconds"])
                costs.append((stand.spent("theriacd") - before) / len(serials) * 1e6)
                del turn
            rows.append({"what": name, "clients": clients, "rate": median(rates), "cost": median(costs)})
            print(rows[-1], flush=True)
    return rows


def measure(options):
    stand = Stand(options)
    try:
        stand.begin()
        checked = checks(stand, options)
        stand.unpin()
        return {"checks": checked, "beside": beside_big_acts(stand), "writes": writes(stand, options)}
    finally:
        stand.doCleanups()


def table(found):
    lines = ["| asked over HTTPS, 32 connections | a second, server on one core | of the static reply | CPU, us each | "
             "at half load: p50, ms | p99 | longest |", "|---|---:|---:|---:|---:|---:|---:|"]
    lines += [f"| {r['what']} | {r['rate']:,.0f} | {r['ratio']:.2f} | {r['cost']:.1f} | {r['p50_ms']:.2f} | "
              f"{r['p99_ms']:.2f} | {r['max_ms']:.1f} |" for r in found["checks"]]
    beside = found["beside"]
    lines += ["", f"While {WRITERS} calls at once commission {BIG:,} items each ({beside['took']:.1f} s), 200 "
              f"verifications a second take {beside['p50_ms']:.1f} ms in the middle, {beside['p99_ms']:.0f} ms at the "
              f"99th percentile, {beside['max_ms']:.0f} ms at most.", "",
              "| written over HTTPS, both cores | connections | items or events a second | CPU, us each |",
              "|---|---:|---:|---:|"]
    lines += [f"| {r['what']} | {r['clients']} | {r['rate']:,.0f} | {r['cost']:.0f} |" for r in found["writes"]]
    return "\n".join(lines)
