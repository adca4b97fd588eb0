"""Serial numbers under attack: by somebody who knows some of them, and by a thief of everything."""
import contextlib
import json
import os
import secrets
import subprocess

import epcis_documents as epcis
import serial_search
from packs import HOSPITAL, Company, Lot, verdict
from place import POSTGRES_BIN, program
from stage import require
from trace_site import TraceSite

LEAKED, GUESSES = 1000, 20_000
PACKS = 1000
TRACE_ROLE, TRACE_DATABASE = "theriacd", "trace"


def attack(*more):
    done = subprocess.run([program("theriac"), "trace", "attack", "--json", "--leaked", str(LEAKED),
                           "--guesses", str(GUESSES), *more], capture_output=True, text=True, check=False)
    require(done.stdout.startswith("{"), f"theriac trace attack: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    require(report["holds"] == (done.returncode == 0), "report and exit code say different things")
    return report


def numbers(run):
    """Ours hold at the fullest a pool may be; a counter and a shift register do not."""
    # 10,000 times as many texts as numbers: the limit of the law.
    full = attack("--alphabet", "digits", "--length", "10", "--issued", "1000000")
    require(full["holds"] and full["density"] <= 1e-4, f"guesses hit better than chance: {full['strategies']}")
    for bits in ([], ["--sm4"]):
        sparse = attack("--issued", "200000", *bits)
        hits = sum(one["hits"] for one in sparse["strategies"])
        require(sparse["holds"] and hits == 0, f"{hits} numbers were guessed")
    counted = run.stage.place.dir / "counted.txt"
    counted.write_text("".join(f"{4_000_000 + 7 * i:012}\n" for i in range(50_000)))
    register, state = run.stage.place.dir / "register.txt", 0x5a5a5a5a5a
    lines = []
    while len(lines) < 50_000:
        state = state >> 1 ^ (0x8e20000000 if state & 1 else 0)
        if state < 10 ** 12:
            lines.append(f"{state:012}\n")
    register.write_text("".join(lines))
    for weak in (counted, register):
        require(not attack("--numbers", str(weak), "--alphabet", "digits")["holds"], f"{weak.name} was not seen through")
    guesses = sum(one["guesses"] for one in full["strategies"])
    return f"{LEAKED} known, {guesses:,} guesses, 1 in {1 / full['density']:,.0f}; a counter and a register are found"


# --- the site that these checks share ---

def site_of(run):
    """theriacd on SQLite, its master data, and a lot of a thousand packs that are at the hospital."""
    if run.site is None:
        site = TraceSite(run.stage.place, run.stage.parts)
        site.prepare()
        run.stage.trace = run.site = site.start()
        run.company = Company(site)
        run.lot = live(run.company)
    elif run.site.service.pid() is None:
        run.site.start()
    return run.company, run.lot


def live(company):
    """A lot, and every way to tell theriacd a serial, also the wrong ones."""
    lot = Lot(company, PACKS)
    lot.commission()
    lot.pack(in_a_case=100, on_a_pallet=5)
    lot.ship_and_receive(lot.pallets)
    for pallet in lot.pallets:
        company.distributor.act("unpack", place=company.warehouse, container=pallet)
    lot.to_the_hospital(lot.cases)
    for serial in lot.serials[:20]:
        require(verdict(company.hospital, lot.scan(serial), company.ward) == "genuine", "a pack is not genuine")
    company.hospital.act("dispense", place=company.ward, items=lot.items[:10])
    planner, serial = company.planner, lot.serials[11]
    events = [epcis.observed(f"https://id.gs1.org/414/{HOSPITAL}", lot.items[at:at + 50])
              for at in range(0, PACKS, 50)]
    require(epcis.capture(planner, epcis.document(events))["success"], "a capture of our items failed")
    for method, path, body, expected in (
            ("GET", f"/epcis/events?MATCH_epc={lot.items[11]}", None, 200),
            ("GET", f"/epcis/epcs/{lot.items[11].replace('/', '%2F')}/events", None, 200),
            ("POST", "/api/trace/codes/read", {"text": lot.scan(serial)}, 200),
            ("POST", "/api/trace/codes/read", {"text": lot.scan(serial) + "\x1d99"}, 200),
            ("POST", "/api/trace/items/where", {"item": lot.items[11]}, 200),
            ("POST", "/api/trace/items/where", {"item": serial}, 400),
            ("POST", "/api/trace/acts", {"act": "commission", "place": company.plant, "lot": lot.id,
                                         "items": lot.items[11:50]}, 409),
            ("POST", "/api/trace/acts", {"act": serial}, 400),
            ("POST", "/api/trace/labels", {"codes": [lot.elements(serial)], "output": "svg"}, 200),
            ("GET", f"/api/trace/items/{serial}", None, 404)):
        status, reply = planner.ask(method, path, body, secrets.token_hex(8) if body else None)
        require(status == expected, f"{method} {path.replace(serial, '…')}: {status}, expected {expected}: {reply}")
    planner.ask("GET", f"/{serial}", headers={"User-Agent": serial, "Referer": lot.items[11]})
    return lot


def judge(seen, blind_allowed=()):
    """Failed where a serial is, or where the control is not. Bytes searched."""
    for name, (serials, control, _) in seen.items():
        require(not serials, f"{len(serials)} serials are in the {name}")
        require("plain" in control or name in blind_allowed, f"the planted control was not found in the {name}")
    return sum(size for _, _, size in seen.values())


def hidden(run):
    company, lot = site_of(run)
    site, hunt = company.site, serial_search.Hunt(lot.serials)
    # A reason is a person's own words, and stands in the audit log as it was written.
    company.quality.post(f"/api/trace/lots/{lot.id}/block", {"reason": f"control {hunt.control}"})
    company.quality.post(f"/api/trace/lots/{lot.id}/release", {"reason": "the control is over"})
    seen = serial_search.search_site(hunt, site, backup=run.stage.place.dir / "backup.db")
    searched = judge(seen, blind_allowed=("key service",))
    every_form = set(hunt.control_forms.values())
    for name in ("write-ahead log", "database", "backup"):
        missing = every_form - seen[name][1]
        require(not missing, f"{name}: the control was not found as {', '.join(missing)}")
    with open(f"/proc/{site.service.pid()}/cmdline", "rb") as file:
        arguments = file.read()
    require(not any(serial.encode() in arguments for serial in lot.serials), "a serial is an argument")
    return f"{len(lot.serials):,} serials, {len(serial_search.forms(hunt.control))} forms, {searched / 1e6:.0f} MB"


@contextlib.contextmanager
def on_postgresql(run):
    """theriacd on the other engine, while the one on SQLite rests: they share a certificate."""
    cluster = run.stage.cluster
    if run.site:
        run.site.stop()
    if not cluster.has_database(TRACE_DATABASE):
        cluster.ask(f"CREATE ROLE {TRACE_ROLE} LOGIN", database="postgres")
        cluster.set_password(TRACE_ROLE)
        cluster.ask(f"CREATE DATABASE {TRACE_DATABASE} OWNER {TRACE_ROLE} TEMPLATE template0", database="postgres")
    site = TraceSite(run.stage.place, run.stage.parts, "theriacd-pg", cluster.uri(TRACE_ROLE, TRACE_DATABASE))
    site.prepare()
    try:
        yield site.start()
    finally:
        site.stop()


def hidden_in_postgresql(run):
    """The same life of a lot, and the data files, write-ahead log, server log and pg_dump of it."""
    cluster = run.stage.cluster
    with on_postgresql(run) as site:
        lot = live(Company(site))
        hunt = serial_search.Hunt(lot.serials)
        cluster.ask("CREATE TABLE planted(x bytea, t text)", database=TRACE_DATABASE)
        cluster.ask("INSERT INTO planted VALUES (%s, %s)", (hunt.control.encode(), hunt.control),
                    database=TRACE_DATABASE)
        seen = {"write-ahead log": hunt.search(cluster.data / "pg_wal")}
        seen["dump"] = hunt.search(dumped(cluster, run.stage.place.dir / "trace.sql"))
        cluster.ask("CHECKPOINT", database="postgres")
        seen |= {"data files": hunt.search(cluster.data / "base"), "server log": hunt.search(cluster.log)}
        searched = judge(seen)
        rows = cluster.ask("SELECT count(*) FROM theriac_trace.items", database=TRACE_DATABASE)[0][0]
        require(rows >= PACKS, f"{rows} items are in the database")
        cluster.ask("DROP TABLE planted", database=TRACE_DATABASE)
    return f"{len(lot.serials):,} serials, {len(serial_search.forms(hunt.control))} forms, {searched / 1e6:.0f} MB"


def dumped(cluster, target):
    with open(target, "wb") as out:
        done = subprocess.run([POSTGRES_BIN / "pg_dump", cluster.uri("dba", TRACE_DATABASE)], stdout=out,
                              stderr=subprocess.PIPE, check=False)
    require(done.returncode == 0, f"pg_dump: {done.stderr.decode().strip()[-200:]}")
    os.chmod(target, 0o600)
    return target
