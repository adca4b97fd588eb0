"""The second half of the story: a lot of packs, from its numbers to its recall."""
import json
import secrets
import subprocess
import time

import labels
import serial_search
from packs import HOSPITAL, Company, Lot, openssl_opens, verdict
from place import program, say, shown
from stage import clear_line, progress, require
from trace_site import TraceSite

PACKS, IN_A_CASE, CASES_ON_A_PALLET = 10_000, 100, 10
TO_HOSPITAL = 2  # cases
SCANNED, DISPENSED = 100, 20  # packs
DECOMMISSIONED = 6  # trace::State


class Stopwatch:
    def __init__(self):
        self.began = time.monotonic()

    def lap(self):
        now = time.monotonic()
        passed, self.began = now - self.began, now
        return passed


def tell(stage):
    """Five lines. Leaves theriacd running; returns what a person needs to go on."""
    watch = Stopwatch()
    progress("[7/11] theriacd: starting")
    site = stage.trace = TraceSite(stage.place, stage.parts)
    site.prepare()
    watch.lap()
    site.start()
    company, started = Company(site), watch.lap()
    lot = numbers(company, started)
    lives(company, lot)
    verified(company, lot)
    recalled(company, lot)
    thief(site, lot)
    labels.draw_all(company, lot, stage.place.dir / "labels")
    say(f"        labels of the lot to look at: {shown(stage.place.dir / 'labels' / 'index.html')}")
    return lot


def numbers(company, started):
    watch = Stopwatch()
    progress(f"[7/11] {PACKS:,} serial numbers")
    lot = Lot(company, PACKS)
    require(not [s for s in lot.serials if s.encode() in lot.sealed], "the hand-over shows a number")
    stranger = company.site.folder_of("viewer-1")
    require(openssl_opens(lot.sealed, stranger) is None, "another certificate opens the line's numbers")
    clear_line()
    say(f"[7/11] theriacd up in {started:.1f} s: lot {lot.number} of a device, {PACKS:,} numbers made and handed to"
        f" the line in {watch.lap():.1f} s,\n       {len(lot.sealed):,} bytes that its key alone opens;"
        f" a guess hits one in {1 / lot.density:,.0f}")
    return lot


def lives(company, lot):
    watch = Stopwatch()
    progress(f"[8/11] commissioning {PACKS:,} packs")
    lot.commission()
    commissioned = watch.lap()
    progress("[8/11] packing")
    lot.pack(IN_A_CASE, CASES_ON_A_PALLET)
    packed = watch.lap()
    lot.ship_and_receive(lot.pallets)
    shipped = watch.lap()
    where = company.distributor.post("/api/trace/items/where", {"item": lot.items[-1]})
    require(where["place"] == company.warehouse and len(where["containers"]) == 2,
            "the distributor does not have what was shipped")
    clear_line()
    say(f"[8/11] {PACKS:,} packs commissioned in {commissioned:.1f} s, packed in {len(lot.cases)} cases on"
        f" {len(lot.pallets)} pallets in {packed:.1f} s, shipped, received in {shipped:.2f} s")


def scan_with_program(company, caller, scans):
    """`theriac trace verify`, as a person with a scanner; scans on standard input."""
    site = company.site
    done = subprocess.run([program("theriac"), "trace", "verify", "-", "--json", "--place", HOSPITAL,
                           "--server", f"127.0.0.1:{site.port()}", "--cert", site.folder_of(caller),
                           "--server-ca", site.authority()],
                          input="".join(f"{scan}\n" for scan in scans), capture_output=True, text=True,
                          check=False)
    require(done.returncode in (0, 1) and not done.stderr, f"theriac trace verify: {done.stderr.strip()}")
    return done.returncode, [json.loads(line)["verdict"] for line in done.stdout.splitlines()]


def verified(company, lot):
    progress("[9/11] at the hospital")
    distributor, hospital = company.distributor, company.hospital
    distributor.act("unpack", place=company.warehouse, container=lot.pallets[0])
    lot.to_the_hospital(lot.cases[:TO_HOSPITAL])
    watch = Stopwatch()
    code, verdicts = scan_with_program(company, "hospital-1", [lot.scan(s) for s in lot.serials[:SCANNED]])
    took = watch.lap()
    genuine = verdicts.count("genuine")
    require(code == 0 and genuine == SCANNED, f"{genuine} of {SCANNED} packs are genuine")
    hospital.act("dispense", place=company.ward, items=lot.items[:DISPENSED])
    broken = DISPENSED
    hospital.act("decommission", place=company.ward, items=[lot.items[broken]], reason="dropped")
    status, _ = hospital.ask("POST", "/api/trace/acts", {
        "act": "dispense", "place": company.ward, "items": [lot.items[broken]]}, secrets.token_hex(8))
    require(status == 409, f"a decommissioned pack was dispensed: {status}")
    code, others = scan_with_program(company, "hospital-1", [
        lot.scan(lot.serials[broken]), lot.scan(lot.made_up()), lot.scan(lot.serials[SCANNED], lot="OTHER")])
    copied = verdict(distributor, lot.scan(lot.serials[broken + 1]), company.warehouse)
    require(code == 1 and others == ["wrong-state", "unknown", "suspicious"] and copied == "suspicious",
            f"decommissioned, made up, relabelled, copied: {others}, {copied}")
    clear_line()
    say(f"[9/11] the hospital scans: {genuine} of {SCANNED} genuine, {1000 * took / SCANNED:.1f} ms each ·"
        " decommissioned → refused · made up → unknown\n"
        "       another lot on the label → suspicious · a copy scanned at the distributor's → suspicious")


def recalled(company, lot):
    progress("[10/11] recall")
    fresh = lot.scan(lot.serials[SCANNED + 1])
    require(verdict(company.hospital, fresh) == "genuine", "a pack was not genuine before its recall")
    watch = Stopwatch()
    recall = company.quality.post("/api/trace/recalls", {
        "level": "II", "reason": "demonstration", "lots": [lot.id]})["id"]
    seen = verdict(company.hospital, fresh)
    took = watch.lap()
    require(seen == "recalled", f"{took:.2f} s after the recall a pack is {seen}")
    back = lot.pallets[1:]
    company.distributor.act("ship", place=company.warehouse, to=company.plant, items=back, to_market=False)
    company.planner.act("receive", place=company.plant, items=back)
    path = f"/api/trace/recalls/{recall}/effectiveness"
    sums = company.quality.get(path)
    require(sums["items"] == PACKS and sums["dispensed"] == DISPENSED and
            sums["recovered"] + sums["dispensed"] + sums["outstanding"] == PACKS and
            sums["recovered"] >= len(back) * IN_A_CASE * CASES_ON_A_PALLET, f"the recall does not add up: {sums}")
    whole = lot.reconciliation()
    require(whole["adds_up"] and whole["issued"] == PACKS, f"the lot does not add up: {whole}")
    clear_line()
    say(f"[10/11] lot recalled: {1000 * took:.0f} ms later the hospital reads “recalled”; of {sums['items']:,} packs"
        f" {sums['recovered']:,} are back,\n        {sums['dispensed']} with patients, {sums['outstanding']:,} still"
        " to come; every number of the lot accounted for")


def thief(site, lot):
    progress("[11/11] what a thief finds")
    key, sealed = serial_search.row_as_stored(site.database, lot.id, DECOMMISSIONED)
    hunt = serial_search.Hunt(lot.serials)
    seen = serial_search.search_site(hunt, site)
    searched = sum(size for _, _, size in seen.values())
    leaked = {name: len(serials) for name, (serials, _, _) in seen.items() if serials}
    blind = [name for name in ("write-ahead log", "database", "logs") if "plain" not in seen[name][1]]
    require(not leaked, f"serials were found: {leaked}")
    require(not blind, f"the planted control was not found in: {', '.join(blind)}")
    clear_line()
    say(f"[11/11] pack {lot.serials[DISPENSED]}, as a thief reads it: {key[:4].hex(' ')}… {sealed[-8:].hex(' ')}   files,"
        f" WAL, logs:\n        0 of {len(lot.serials):,} serials in {searched / 1e6:.0f} MB (control found)")


def commands(site, lot):
    """Name -> a command that a person can type now."""
    scan, theriac = lot.items[-1], shown(program("theriac"))
    return {
        "a pack:": f"echo '{scan}' | \\\n    {theriac} trace verify - --server 127.0.0.1:{site.port()} --cert"
                   f" {shown(site.folder_of('viewer-1'))} --server-ca {shown(site.authority())}",
        "the same:": site.curl("viewer-1", "/api/trace/verify", {"scan": scan}),
        "its audit log:": f"{theriac} audit verify {shown(site.audit)}"}


def what_next(site, lot):
    for name, command in commands(site, lot).items():
        say(f"  {name:15} {command}")
    say(f"  {'the whole API:':15} https://127.0.0.1:{site.port()}/api/openapi.json, with the certificates in"
        f" {shown(site.certificates)}/")
