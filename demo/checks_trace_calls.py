"""What callers of theriacd can and cannot do: guess, learn late, read labels, get events back."""
import json
import secrets
import time
import xml.etree.ElementTree as ElementTree

import epcis_documents as epcis
import labels
import pictures
from checks_trace import site_of
from packs import sscc, verdict
from place import program
from parts import run_quietly
from stage import require
from story_trace import scan_with_program

GUESSES_AN_HOUR = 100  # api::kUnknownOfOneHourMax
DECOMMISSIONED = 20
WITHIN_S = 1.0
LABELLED = 8


def guess(lot, number):
    """By turns at random, a neighbour of a known one, and characters of known ones exchanged."""
    if number % 3 == 0:
        return lot.made_up()
    known, other = secrets.choice(lot.serials), secrets.choice(lot.serials)
    if number % 3 == 1:
        return known[:-1] + lot.alphabet[(lot.alphabet.index(known[-1]) + 1) % len(lot.alphabet)]
    return known[:6] + other[6:]


def guesses(run):
    company, lot = site_of(run)
    guesser = company.site.client("guesser-1")
    require(verdict(guesser, lot.scan(lot.serials[100])) == "genuine", "who has not guessed yet is not served")
    tried, answers = set(lot.serials), []
    while len(answers) < GUESSES_AN_HOUR:
        made = guess(lot, len(answers))
        if made not in tried:
            tried.add(made)
            answers.append(verdict(guesser, lot.scan(made)))
    hits = len(answers) - answers.count("unknown")
    require(hits == 0, f"{hits} of {len(answers)} guesses hit")
    for scan in (lot.scan(guess(lot, 0)), lot.scan(lot.serials[100])):
        status, _ = guesser.ask("POST", "/api/trace/verify", {"scan": scan})
        require(status == 429, f"guess number {GUESSES_AN_HOUR + 1} was answered {status}")
    require(verdict(company.viewer, lot.scan(lot.serials[100])) == "genuine", "others are stopped too")
    alarms = [entry for entry in audit_entries(company.site) if entry.get("actor") == "guesser-1"
              and entry.get("outcome") == "denied" and entry["details"].get("guesses")]
    require(len(alarms) == 1, f"{len(alarms)} alarms are on the audit log")
    return f"0 of {len(answers)} hit, then 429, one alarm on record; others are served"


def audit_entries(site):
    code, out, err = run_quietly([program("theriac"), "audit", "show", str(site.audit), "--json"])
    require(code == 0, f"theriac audit show: {err.strip()}")
    return [json.loads(line) for line in out.splitlines()]


def decommissioned(run):
    """One client ends a pack's life; two others, one of them another program, must know."""
    company, lot = site_of(run)
    chosen, worst = range(200, 200 + DECOMMISSIONED), 0.0
    for at in chosen:
        scan = lot.scan(lot.serials[at])
        require(verdict(company.viewer, scan) == "genuine", "a pack is refused before it was decommissioned")
        began = time.monotonic()
        company.hospital.act("decommission", place=company.ward, items=[lot.items[at]], reason="damaged")
        seen = verdict(company.viewer, scan)
        took = time.monotonic() - began
        worst = max(worst, took)
        require(seen == "wrong-state" and took < WITHIN_S, f"{took:.3f} s later another client reads {seen}")
    at = chosen.stop
    began = time.monotonic()
    company.hospital.act("decommission", place=company.ward, items=[lot.items[at]], reason="damaged")
    code, seen = scan_with_program(company, "viewer-1", [lot.scan(lot.serials[at])])
    took = time.monotonic() - began
    require(code == 1 and seen == ["wrong-state"] and took < WITHIN_S, f"{took:.3f} s later the program says {seen}")
    return f"{len(chosen)} packs, at most {1000 * worst:.0f} ms; theriac trace verify: {1000 * took:.0f} ms"


def labels_read_back(run):
    """Drawn by theriacd as PNG, SVG and PDF, read by zxing from pixels."""
    company, lot = site_of(run)
    folder = run.stage.place.folder("labels")
    drawing, read = labels.Labels(company, folder), 0

    def must_read(pixels, carrier, wanted):
        nonlocal read
        seen = pictures.decoded(pixels, carrier)
        require(seen == wanted, f"{carrier}: {len(seen)} symbols read, not what was drawn")
        read += len(wanted)

    for serial in lot.serials[:LABELLED]:
        link = labels.link_of(lot, serial)
        for carrier, code, wanted in (("datamatrix", lot.elements(serial), {lot.scan(serial)[3:]}),
                                      ("qr-link", link, {link})):
            drawing.draw(carrier, [code], "png", carrier=carrier)
            must_read(pictures.png(folder / f"{carrier}.png"), carrier, wanted)
            drawing.draw(carrier, [code], "svg", carrier=carrier)
            must_read(pictures.svg(folder / f"{carrier}.svg"), carrier, wanted)
    case = sscc(lot.case_numbers[0])
    drawing.draw("case", [f"(00){case}"], "svg", carrier="gs1-128", width_mm=100, height_mm=50)
    must_read(pictures.svg(folder / "case.svg"), "gs1-128", {f"00{case}"})
    drawing.draw("sheet", [lot.elements(s) for s in lot.serials[:LABELLED]], "pdf")
    pages = pictures.pdf(folder / "sheet.pdf")
    seen = set().union(*(pictures.decoded(page, "datamatrix") for page in pages))
    require(seen == {lot.scan(s)[3:] for s in lot.serials[:LABELLED]}, "the PDF's labels read differently")
    # The control: what is not there is not read, and one serial's label is not another's.
    blank = pictures.png(folder / "datamatrix.png")
    blank[:, : blank.shape[1] // 2] = 255
    require(pictures.decoded(blank, "datamatrix") == set(), "half a symbol was read")
    return f"{read + len(seen)} symbols, Data Matrix, QR and GS1-128 from PNG, SVG and PDF; half a symbol is not read"


def events(run):
    company, _ = site_of(run)
    point = f"https://id.gs1.org/414/9521321000017/254/{secrets.token_hex(4)}"
    sent = epcis.one_of_each(point)
    json_type = {"Content-Type": "application/json"}
    status, _ = company.planner.ask("POST", "/epcis/capture", epcis.document(sent), headers=json_type)
    require(status == 202, f"a capture was answered {status}")
    came = {one["eventID"]: one for one in epcis.find(company.planner, f"EQ_readPoint={point}")}
    require(came.keys() == {one["eventID"] for one in sent}, f"{len(came)} of {len(sent)} events came back")
    for one in sent:
        wrong = epcis.differs(one, came[one["eventID"]])
        require(not wrong, f"{one['type']}: {', '.join(wrong)} came back differently")
    status, text = company.planner.ask("GET", f"/epcis/events?EQ_readPoint={point}",
                                       headers={"Accept": "application/xml"})
    require(status == 200, f"as XML: {status}")
    ids = {node.text for node in ElementTree.fromstring(text).iter("eventID")}
    require(ids == came.keys(), f"as XML {len(ids)} events came back")
    status, _ = company.planner.send("POST", "/epcis/capture", text, headers={"Content-Type": "application/xml"})
    job = company.planner.get(company.planner.fields["Location"])
    require(status == 202 and job["success"], f"what came as XML is not what was captured: {status}, {job}")
    broken = epcis.document([{**epcis.one_of_each(point)[0], "bizStep": "no-such-step"}])
    status, _ = company.planner.ask("POST", "/epcis/capture", broken, headers=json_type)
    job = company.planner.get(company.planner.fields["Location"])
    require(status == 202 and job["success"] is False, f"a wrong event was answered {status}, its job says {job}")
    count = len(epcis.find(company.planner, f"EQ_readPoint={point}"))
    require(count == len(sent), f"{count} events are there, not the {len(sent)} that were captured, once")
    return f"{len(sent)} events of all types, as JSON and as XML, once though captured twice; a wrong one is refused"
