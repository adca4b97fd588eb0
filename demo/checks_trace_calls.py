"""What callers of theriacd can and cannot do: guess, learn late, read labels, get events back."""
import contextlib
import io
import json
import re
import secrets
import time
import xml.etree.ElementTree as ElementTree

import epcis_documents as epcis
import labels
import pictures
import story_trace
from checks_trace import site_of
from packs import sscc, verdict
from place import program
from parts import run_quietly
from stage import require

GUESSES_AN_HOUR = 100  # api::kUnknownOfOneHourMax
DECOMMISSIONED = 20
WITHIN_S = 1.0
LABELLED = 8


def life(run):
    """The story that ./run tells of a lot: each line of it is printed only after what it says was seen."""
    site_of(run)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        lot = story_trace.tell(run.stage)
    lines = told.getvalue().count("/11]")
    require(lines == 5, f"{lines} lines were told")
    answers = {"a pack:": "recalled", "the same:": '"verdict":"recalled"', "its audit log:": "holds"}
    for name, command in story_trace.commands(run.stage.trace, lot).items():
        _, out, err = run_quietly(["bash", "-c", command])
        require(answers[name] in out, f"what ./run says to type ({name[:-1]}) gives: {out or err}")
    return f"lot {lot.number}, {lines} lines told, {len(answers)} commands as printed work"


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
    tried, answers, before = set(lot.serials), [], alarms(company.site)
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
    raised = alarms(company.site) - before
    require(raised == 1, f"{raised} alarms are on the audit log")
    return f"0 of {len(answers)} hit, then 429, one alarm on record; others are served"


def alarms(site):
    """How often the guesser was found out, by the audit log."""
    code, out, err = run_quietly([program("theriac"), "audit", "show", str(site.audit), "--json"])
    require(code == 0, f"theriac audit show: {err.strip()}")
    entries = [json.loads(line) for line in out.splitlines()]
    return sum(one.get("actor") == "guesser-1" and one.get("outcome") == "denied" and
               "guesses" in one.get("details", {}) for one in entries)


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
    code, seen = story_trace.scan_with_program(company, "viewer-1", [lot.scan(lot.serials[at])])
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
    client, here, sent = company.planner, f"EQ_readPoint={point}", epcis.one_of_each(point)
    require(epcis.capture(client, epcis.document(sent))["success"], "a capture failed")
    came = {one["eventID"]: one for one in epcis.find(client, here)}
    require(came.keys() == {one["eventID"] for one in sent}, f"{len(came)} of {len(sent)} events came back")
    for one in sent:
        wrong = epcis.differs(one, came[one["eventID"]])
        require(not wrong, f"{one['type']}: {', '.join(wrong)} came back differently")
    status, text = client.ask("GET", f"/epcis/events?{here}", headers={"Accept": "application/xml"})
    require(status == 200, f"as XML: {status}")
    ids = {node.text for node in ElementTree.fromstring(text).iter("eventID")}
    require(ids == came.keys(), f"as XML {len(ids)} events came back")
    # When it was recorded is theriacd's own to say.
    again = epcis.capture(client, re.sub(rb"<recordTime>[^<]*</recordTime>", b"", text), "application/xml")
    require(again["success"], f"what came as XML is not what was captured: {again}")
    broken = epcis.document([{**epcis.one_of_each(point)[0], "bizStep": "no-such-step"}])
    require(not epcis.capture(client, broken)["success"], "a wrong event was captured")
    count = len(epcis.find(client, here))
    require(count == len(sent), f"{count} events are there, not the {len(sent)} that were captured, once")
    return f"{len(sent)} events of all types, as JSON and as XML, once though captured twice; a wrong one is refused"
