#!/usr/bin/python3
"""EPCIS over HTTPS, in and out: GS1's examples come back equal; what is wrong is refused with a
reason; bombs and floods harm nobody; a kill loses and doubles nothing."""
import json
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import unittest

from epcis_site import (BRIDGE, CONTEXT, DATA, JSON, MIB, XML, XML_EVENT, EpcisSite, bridge,
                        document, event, quoted, xml_document)
from site_of_tests import sscc

KILLS = 4
BATCHES = 60
ACCEPT = {JSON: "json", XML: "xml"}


def examples():
    files = [("json", path) for folder in ("JSON", "JSON-simple-context")
             for path in sorted((DATA / folder).rglob("*.jsonld"))]
    files += [("xml", path) for path in sorted((DATA / "XML").rglob("*.xml"))]
    files += [("xml", path) for path in sorted((DATA / "XSL/1.2/XML").rglob("*.xml"))]
    return files


class Schemas:
    """GS1's own, for what the server says."""

    def __init__(self, folder):
        import jsonschema  # pylint: disable=import-outside-toplevel
        schema = json.loads((DATA / "EPCIS-JSON-Schema.json").read_text("utf-8"))
        self.validator = jsonschema.Draft7Validator(schema,
                                                    format_checker=jsonschema.FormatChecker())
        self.folder = pathlib.Path(folder) / "answers"
        self.folder.mkdir()
        self.count = 0

    def json_fault(self, text):
        fault = next(self.validator.iter_errors(json.loads(text)), None)
        return None if fault is None else fault.message[:300]

    def keep_xml(self, text):
        """Checked all at once, since reading the schema takes longer than the documents."""
        self.count += 1
        (self.folder / f"{self.count}.xml").write_bytes(text)

    def xml_faults(self):
        schema = DATA / "XSD/EPCglobal-epcis-query-2_0.xsd"
        done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(schema),
                               *map(str, sorted(self.folder.iterdir()))],
                              capture_output=True, text=True, check=False)
        return done.returncode, [line for line in done.stderr.splitlines()
                                 if not line.endswith("validates")]


def body_of(text):
    """Events of a document, without what the repository adds."""
    body = json.loads(text)["epcisBody"]
    events = body.get("eventList")
    if events is None:
        events = body["queryResults"]["resultsBody"]["eventList"]
    for one in events:
        one.pop("recordTime", None)
    return events


class CaptureTest(EpcisSite):
    def test_examples_come_back_equal_in_both_formats(self):
        schemas = Schemas(self.folder)
        operator = self.client("operator")
        seen = {"documents": 0, "events": 0, "refused": 0, "without events": 0, "not in XML": 0,
                "there already": 0}
        for source, path in examples():
            text = self.fresh_ids(path.read_text("utf-8"), source)
            media = JSON if source == "json" else XML
            code, wanted, _ = bridge(source, "json", text)
            status, fields, content = self.send(operator, "POST", "/epcis/capture", text, media)
            if status != 202:
                self.assertIn(status, (400,), f"{path}: {content[:500]}")
                self.assertNotEqual(code, 0, f"{path}: {content[:500]}")
                seen["refused"] += 1
                continue
            job = self.get_json(operator, fields["Location"])
            if not job["success"]:
                self.assertNotEqual(code, 0, f"{path} {job}")
                seen["refused"] += 1
                continue
            seen["documents"] += 1
            hashes = bridge(source, "hash", text)[1].split()
            if code != 0:  # a sensor report without a type, for which JSON has no place
                self.check_in_xml(operator, schemas, text, hashes, path)
                continue
            sent = body_of(wanted)
            self.assertEqual(len(sent), len(hashes), path)
            if not sent:
                seen["without events"] += 1
            for one, hashed in zip(sent, hashes):
                self.check_event(operator, schemas, one, hashed, path, seen)
        code, faults = schemas.xml_faults()
        self.assertEqual((code, faults[:10]), (0, []))
        print(f"\n{self.id()}: {seen}, {schemas.count} XML answers valid")
        self.assertEqual(seen["documents"] + seen["refused"], len(examples()))
        # Capture jobs are no documents of events; an event has its ID twice, in both folders; and
        # what GS1's own schema refuses of the "simple" ones.
        self.assertEqual((seen["documents"], seen["refused"]), (125, 10))
        self.assertGreater(seen["events"] + schemas.count, 340)

    def check_in_xml(self, client, schemas, text, hashes, path):
        ids = re.findall("<eventID>([^<]*)<", text) or hashes
        self.assertEqual(len(ids), len(hashes), path)
        for one, hashed in zip(ids, hashes):
            _, as_xml = self.get(client, "/epcis/events/" + quoted(one), Accept=XML)
            schemas.keep_xml(as_xml)
            self.assertEqual(bridge("xml", "hash", as_xml)[1].split(), [hashed], path)

    def check_event(self, client, schemas, sent, hashed, path, seen):
        sent = dict(sent)
        sent.pop("recordTime", None)
        named = "eventID" in sent
        at = "/epcis/events/" + quoted(sent.setdefault("eventID", hashed))
        _, as_json = self.get(client, at, Accept=JSON)
        self.assertIsNone(schemas.json_fault(as_json), path)
        # With an event comes what declares it wrong, which has its ID and its hash.
        if named or seen["there already"] > 20:
            self.assertIn(sent, body_of(as_json), path)
        elif sent not in body_of(as_json):
            seen["there already"] += 1  # another example's, with its time in another zone
        self.assertEqual(set(bridge("json", "hash", as_json)[1].split()), {hashed}, path)
        seen["events"] += 1
        status, _, as_xml = self.send(client, "GET", at, Accept=XML)
        if status == 406:  # an extension of a sensor report that is no attribute
            seen["not in XML"] += 1
            return
        self.assertEqual(status, 200, f"{path}: {as_xml[:500]}")
        schemas.keep_xml(as_xml)
        self.assertEqual(set(bridge("xml", "hash", as_xml)[1].split()), {hashed}, path)

    def test_single_events(self):
        """Each example's event by itself, and once more: it is there already."""
        operator = self.client("operator")
        count = 0
        for path in sorted((DATA / "JSON").rglob("*.jsonld")):
            whole = json.loads(self.fresh_ids(path.read_text("utf-8"), "json"))
            for one in whole.get("epcisBody", {}).get("eventList", []):
                bare = {"@context": whole["@context"], **one}
                status, fields, content = self.send(operator, "POST", "/epcis/events", bare)
                if status == 409:  # an example without an ID that another file has too
                    self.assertNotIn("eventID", one, path)
                    continue
                self.assertEqual(status, 201, f"{path}: {content[:500]}")
                at = fields["Location"]
                count += 1
                self.assertEqual(len(body_of(self.get(operator, at)[1])), 1, path)
                again, fields, _ = self.send(operator, "POST", "/epcis/events", bare)
                self.assertEqual((again, fields["Location"]), (409, at), path)
                self.assertEqual(len(body_of(self.get(operator, at)[1])), 1, path)
        self.assertGreater(count, 40)
        # As XML an event has its document around it.
        job = self.capture(operator, xml_document(XML_EVENT.format("")), XML)
        self.assertTrue(job["success"], job)

    def test_what_is_wrong_is_refused_with_the_reason(self):
        operator = self.client("operator")
        good = event(1)
        wrong = [
            # title of the job's error, what is wrong
            ("MissingField", event(2, eventTime=None)),
            ("BadTime", event(2, eventTime="2024-13-01T10:00:00Z")),
            ("BadTime", event(2, eventTime="yesterday")),
            ("FutureTime", event(2, eventTime="2099-01-01T10:00:00Z")),
            ("BadOffset", event(2, eventTimeZoneOffset="+25:00")),
            ("BadAction", event(2, action="MAKE")),
            ("UnknownWord", event(2, bizStep="flying")),
            ("UnknownEventType", event(2, type="QuantityEvent")),
            ("NotAUri", event(2, epcList=["not an identifier"])),
            ("NothingObserved", event(2, epcList=None)),
            ("IlmdNotAllowed", event(2, ilmd={"cbvmda:lotNumber": "L"})),
            ("UnknownField", event(2, colour="red")),
            ("UnknownPrefix", event(2, **{"nowhere:colour": "red"})),
            ("MisplacedField", event(2, parentID="urn:epc:id:sscc:0614141.1234567890")),
            ("BadUom", event(2, epcList=None, quantityList=[
                {"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 1,
                 "uom": "kg"}])),
            ("UnknownUnit", event(2, sensorElementList=[{"sensorReport": [
                {"type": "Temperature", "value": 1, "uom": "ZZZ"}]}])),
            ("SensorFieldDiffers", event(2, sensorElementList=[{
                "sensorMetadata": {"deviceID": "urn:epc:id:giai:4000001.111"},
                "sensorReport": [{"type": "Temperature", "value": 1, "uom": "CEL",
                                  "deviceID": "urn:epc:id:giai:4000001.112"}]}])),
            ("ParentMissing", event(2, type="AssociationEvent", action="ADD", epcList=None,
                                    childEPCs=["urn:epc:id:sgtin:0614141.107346.1"])),
            ("ChildrenMissing", event(2, type="AssociationEvent", action="ADD", epcList=None,
                                      parentID="urn:epc:id:sscc:0614141.1234567890")),
        ]
        for title, one in wrong:
            job = self.capture(operator, document(good, one))
            self.assertFalse(job["success"], title)
            self.assertIn(title, [error["title"] for error in job["errors"]], title)
            self.assertTrue(all(error["detail"].startswith("event 1 ") for error in job["errors"]))
            self.assertEqual(self.events_where(operator), [], title)
        # The others of a batch are unharmed, if that is asked for; and once, however often.
        for _ in range(2):
            job = self.capture(operator, document(*(one for _, one in wrong), good), None or JSON,
                               "proceed")
            self.assertFalse(job["success"])
            self.assertEqual(self.numbers_where(operator, ""), [1])
        self.assertEqual(self.capture(operator, document(good))["success"], True)
        # The same ID for another event: nothing of the document.
        job = self.capture(operator, document(event(3), event(1, action="DELETE")))
        self.assertEqual(job["errors"][0]["type"], "epcisException:ResourceAlreadyExistsException")
        self.assertEqual(self.numbers_where(operator, ""), [1])
        job = self.capture(operator, document(event(3), event(1, action="DELETE")),
                           behaviour="proceed")
        self.assertFalse(job["success"])
        self.assertEqual(self.numbers_where(operator, ""), [1, 3])
        zh = self.capture(operator, document(event(4, action="X")), Accept_Language="zh")
        self.assertRegex(zh["errors"][0]["detail"], "[\u4e00-\u9fff]")

    def test_documents_that_are_none(self):
        operator = self.client("operator")
        post = lambda body, media=JSON, **more: self.problem(operator, "POST", "/epcis/capture",
                                                             body, media, **more)
        deep = '{"a":' * 5000 + "1" + "}" * 5000
        key_twice = json.dumps(document(event(1))).replace('"action"', '"action": "ADD", "action"')
        self.assertIn(post(deep)[:2], ((400, "ValidationException"),
                                       (413, "CaptureLimitExceededException")))
        for body in ("", "{", "[]", "null", key_twice, b"\xff\xfe{}", "{} {}",
                     json.dumps({**document(event(1)), "schemaVersion": "3.0"}),
                     json.dumps(document(event(1), **{"@context": None})),
                     json.dumps({"type": "EPCISDocument"})):
            status, name, told = post(body)
            self.assertEqual((status, name), (400, "ValidationException"), (body[:80], told))
            self.assertTrue(told["detail"], body[:80])
        entity = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{}]>'.format("".join(
            f'<!ENTITY {chr(ord("a") + n + 1)} "{("&" + chr(ord("a") + n) + ";") * 10}">'
            for n in range(9)))
        outside = '<!DOCTYPE x [<!ENTITY s SYSTEM "file:///etc/hostname">]>'
        dtd = '<!DOCTYPE x SYSTEM "file:///etc/hostname">'
        nested = "<e:a xmlns:e='urn:e'>" * 5000 + "</e:a>" * 5000
        attributes = "<e:a xmlns:e='urn:e' " + " ".join(f"a{n}='1'" for n in range(100_000)) + "/>"
        hostname = socket.gethostname().encode()
        for body in ("<", "<a/>", xml_document(XML_EVENT.format("<e:x xmlns:e='urn:e'>&j;</e:x>"),
                                               entity),
                     xml_document(XML_EVENT.format("<e:x xmlns:e='urn:e'>&s;</e:x>"), outside),
                     xml_document(XML_EVENT.format(""), dtd).replace("EPCISBody", "EPCISBod"),
                     xml_document(XML_EVENT.format("")).replace("</epcis:", "</"),
                     xml_document(XML_EVENT.format(""), ns="urn:epcglobal:epcis:xsd:9"),
                     xml_document(XML_EVENT.format(""), ns="urn:example:other")):
            status, name, told = post(body, XML)
            self.assertEqual((status, name), (400, "ValidationException"), (body[:300], told))
            self.assertNotIn(hostname, json.dumps(told).encode())
        for body in (nested, attributes):
            text = xml_document(XML_EVENT.format(body))
            status, _, content = self.send(operator, "POST", "/epcis/capture", text, XML)
            if status == 202:  # of one event: its job says so
                job = self.get_json(operator, f"/epcis/capture/{self.last_job(operator)}")
                self.assertFalse(job["success"], body[:40])
            else:
                self.assertIn(status, (400, 413), content[:300])
        self.assertEqual(post("x", "text/plain")[:2], (415, "UnsupportedMediaTypeException"))
        self.assertEqual(post(document(), GS1_Capture_Error_Behaviour="guess")[0], 400)
        status, fields, _ = self.send(operator, "POST", "/epcis/capture", "{", Accept=XML)
        self.assertEqual((status, fields["Content-Type"]), (400, "application/problem+xml"))
        self.assertEqual(self.events_where(operator), [])

    def last_job(self, client):
        jobs = self.get_json(client, "/epcis/capture?perPage=1000")
        return jobs[-1]["captureID"]

    def memory(self, what):
        with open(f"/proc/{self.processes['theriacd'].pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(what)) // 1024

    def test_too_much_is_refused_and_memory_stays_bounded(self):
        operator = self.client("operator")
        self.must_capture(operator, event(1))
        before = self.memory("VmHWM")
        limit = int(self.send(operator, "OPTIONS", "/epcis/capture")[1]
                    ["GS1-EPCIS-Capture-File-Size-Limit"])
        events = int(self.send(operator, "OPTIONS", "/epcis/capture")[1]["GS1-EPCIS-Capture-Limit"])
        # 100 MB that announce themselves are not read; those that do not, up to the limit.
        status, _ = self.flood("Content-Length: 104857600\r\n", b" " * MIB, 100)
        self.assertEqual(status, 413)
        chunk = f"{MIB:x}\r\n".encode() + b" " * MIB + b"\r\n"
        status, sent = self.flood("Transfer-Encoding: chunked\r\n", chunk, 100)
        self.assertEqual(status, 413)
        self.assertLess(sent, 2 * limit)
        self.assertLess(self.memory("VmHWM") - before, 3 * limit // MIB)
        # One event over the limit, and as many as there may be.
        small = lambda n: event(None, epcList=[f"urn:epc:id:sgtin:0614141.107346.{n}"])
        over = document(*(small(n) for n in range(events + 1)))
        self.assertEqual(self.problem(operator, "POST", "/epcis/capture", over)[:2],
                         (413, "CaptureLimitExceededException"))
        # The heaviest that is read: as many bytes as may be, all of them events.
        self.assertLess(len(json.dumps(over)), limit)
        over["epcisBody"]["eventList"].pop()
        self.assertTrue(self.capture(operator, over)["success"])
        peak = self.memory("VmHWM")
        print(f"\n{self.id()}: {before} MiB before, {peak} MiB at most with {events} events")
        self.assertLess(peak - before, 700)
        page = self.get_json(operator, "/epcis/events?perPage=1000000")
        self.assertLessEqual(len(body_of(json.dumps(page))), 1000)

    def flood(self, field, piece, times):
        """A body that does not end, on a connection of its own: the status, and bytes sent."""
        context = ssl.create_default_context(cafile=self.path("tls.crt"))
        folder = self.path("operator")
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as raw:
            with context.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
                tls.sendall((f"POST /epcis/capture HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                             f"Content-Type: application/json\r\n{field}\r\n").encode())
                sent = 0
                try:
                    for _ in range(times):
                        tls.sendall(piece)
                        sent += len(piece)
                except OSError:
                    pass  # the server has said what it had to say
                reply = b""
                try:
                    while b"\r\n" not in reply:
                        more = tls.recv(4096)
                        if not more:
                            break
                        reply += more
                except OSError:
                    pass
        self.assertTrue(reply.startswith(b"HTTP/1.1 "), (field, sent, reply[:100]))
        return int(reply.split()[1]), sent

    def test_strangers_partners_and_roles(self):
        self.make_master()
        operator, shop = self.client("operator"), self.client("shop")
        with self.assertRaises((ssl.SSLError, ConnectionError, OSError)):
            self.client(None).ask("GET", "/epcis/events")
        for name, method, path in (("viewer", "POST", "/epcis/capture"),
                                   ("viewer", "POST", "/epcis/queries"),
                                   ("line", "GET", "/epcis/events"),
                                   ("gateway", "GET", "/epcis/"),
                                   ("quality", "POST", "/epcis/events")):
            status, kind, _ = self.problem(self.client(name), method, path,
                                           "{}" if method == "POST" else None)
            self.assertEqual((status, kind), (403, "SecurityException"), (name, path))
        theirs = "https://id.gs1.org/414/9506000140001"
        self.must_capture(operator, event(1), event(2, bizLocation={"id": theirs}),
                          event(3, destinationList=[{"type": "location", "destination": theirs}]))
        self.must_capture(shop, event(4))
        self.assertEqual(self.numbers_where(operator, ""), [1, 2, 3, 4])
        self.assertEqual(self.numbers_where(shop, ""), [2, 3, 4])
        self.assertEqual(self.numbers_where(shop, "EQ_bizStep=shipping&MATCH_epc=" +
                                            quoted("urn:epc:id:sgtin:0614141.107346.1")), [])
        self.get(shop, "/epcis/events/" + quoted(event(1)["eventID"]), 404)
        self.get(shop, "/epcis/capture/1", 404)
        self.assertEqual([one["captureID"] for one in self.get_json(shop, "/epcis/capture")], ["2"])
        # Somebody else's ID is not overwritten by a partner.
        job = self.capture(shop, document(event(1, action="DELETE")))
        self.assertFalse(job["success"])

    def test_what_events_say_of_our_own_is_done_or_becomes_work(self):
        self.make_master()
        operator, line = self.client("operator"), self.client("line")
        allocation = self.allocate(operator, 4)["id"]
        items = [self.link(serial) for serial in self.numbers(allocation)[0]]
        self.act(line, "commission", place=self.plant, lot=self.lot, items=items)
        plant = {"id": "https://id.gs1.org/414/9506000140018"}
        case, pallet = sscc(1), sscc(2)
        state = lambda item: self.must(operator, "POST", "/api/trace/items/where", {"item": item})

        def pack(number, parent, children, **changes):
            return event(number, type="AggregationEvent", action="ADD", bizStep="packing",
                         parentID=parent, childEPCs=children, epcList=None, readPoint=plant,
                         **{"eventTime": self.now(), **changes})

        self.must_capture(operator, pack(1, case, items[:2]), pack(2, pallet, [case]))
        self.assertEqual(state(items[0])["containers"], [case, pallet])
        # In a second container, a container in itself, and around itself: kept, and not done.
        before = len(self.audited("trace.capture-events"))
        self.must_capture(operator, pack(3, sscc(3), [items[0]]), pack(4, case, [pallet]),
                          pack(5, case, [case]))
        self.assertEqual(state(items[0])["containers"], [case, pallet])
        self.assertEqual(state(case)["containers"], [pallet])
        self.assertEqual(state(pallet).get("containers", []), [])
        self.stop("theriacd")
        entries = self.audited("trace.capture-events")
        self.assertEqual(len(entries), before + 1)
        self.assertIn(b'"work":3', entries[-1])
        self.assertFalse([one for one in entries if items[0].rsplit("/", 1)[1].encode() in one])
        self.start_server()
        self.wait_ready()
        # The batch again: the same events, and nothing done twice.
        operator = self.client("operator")
        was = self.events_where(operator, "EQ_eventID=" + quoted(event(1)["eventID"]))[0]
        self.must_capture(operator, pack(1, case, items[:2], eventTime=was["eventTime"]))
        self.assertEqual(state(items[0])["containers"], [case, pallet])
        self.assertEqual(self.numbers_where(operator, ""), [1, 2, 3, 4, 5])

    @staticmethod
    def now():
        import datetime  # pylint: disable=import-outside-toplevel
        return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def test_killed_during_capture_it_loses_and_doubles_nothing(self):
        asked, acknowledged = threading.Event(), []

        def work():
            client = self.client("operator")
            for batch in range(BATCHES):
                events = [event(batch * 10 + n + 1) for n in range(10)]
                # Every second batch without IDs: then the hash tells that it came before.
                if batch % 2:
                    for one in events:
                        del one["eventID"]
                asked.set()
                self.wait_until(lambda: self.tried(client, events), "capture")
                acknowledged.append(batch)

        worker = threading.Thread(target=work)
        worker.start()
        chance, pause, in_the_middle = random.Random(11), threading.Event(), 0
        for _ in range(KILLS):
            asked.clear()
            self.wait_until(lambda: asked.is_set() or not worker.is_alive(), "work")
            pause.wait(chance.random() / 10)
            in_the_middle += worker.is_alive()
            self.stop("theriacd", signal.SIGKILL)
            self.start_server()
            self.wait_ready()
        worker.join()
        self.assertGreater(in_the_middle, 0)
        self.assertEqual(acknowledged, list(range(BATCHES)))
        found = self.events_where(self.client("operator"), "perPage=1000")
        epcs = [one["epcList"][0] for one in found]
        self.assertEqual(len(epcs), 10 * BATCHES)
        self.assertEqual(len(set(epcs)), 10 * BATCHES)
        self.assertEqual(self.stop("theriacd"), 0)

    def tried(self, client, events):
        try:
            status, _, _ = self.send(client, "POST", "/epcis/capture", document(*events))
        except (OSError, ssl.SSLError, __import__("http.client").client.HTTPException):
            client.close()
            return False
        return status == 202


class SqliteTest(CaptureTest):
    pass


class PostgresqlTest(CaptureTest):
    postgresql = True


def load_tests(loader, _tests, _pattern):
    """The engines, and not the class that they share."""
    suite = unittest.TestSuite()
    for one in (SqliteTest, PostgresqlTest):
        suite.addTests(loader.loadTestsFromTestCase(one))
    return suite


if __name__ == "__main__":
    assert os.path.exists(BRIDGE) and CONTEXT
    sys.exit(unittest.main(verbosity=2))
