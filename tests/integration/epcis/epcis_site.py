"""A site that speaks EPCIS, on SQLite or PostgreSQL, and what its tests ask of it."""
import json
import os
import pathlib
import re
import subprocess
import urllib.parse
import uuid

import private_server
from site_of_tests import SiteTest

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT / "../shared/data/epcis"
BRIDGE = os.environ["THERIAC_EPCIS_BRIDGE"]
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
JSON, XML = "application/json", "application/xml"
MIB = 1 << 20


def quoted(text):
    return urllib.parse.quote(text, safe="")


def event(number=None, **changes):
    """An ObjectEvent of nobody's in particular."""
    made = {"type": "ObjectEvent", "eventTime": "2024-03-01T10:00:00Z",
            "eventTimeZoneOffset": "+00:00", "action": "OBSERVE", "bizStep": "shipping",
            "epcList": [f"urn:epc:id:sgtin:0614141.107346.{number or 1}"]}
    if number is not None:
        made["eventID"] = f"urn:uuid:00000000-0000-4000-8000-{number:012}"
    made.update(changes)
    return {key: value for key, value in made.items() if value is not None}


def document(*events, **changes):
    return {"@context": [CONTEXT], "type": "EPCISDocument", "schemaVersion": "2.0",
            "creationDate": "2024-03-01T10:00:00Z", "epcisBody": {"eventList": list(events)},
            **changes}


def xml_document(body, head="", root="epcis:EPCISDocument", ns="urn:epcglobal:epcis:xsd:2"):
    return (f'<?xml version="1.0" encoding="UTF-8"?>{head}<{root} xmlns:epcis="{ns}" '
            'schemaVersion="2.0" creationDate="2024-03-01T10:00:00Z"><EPCISBody><EventList>'
            f"{body}</EventList></EPCISBody></{root}>")


XML_EVENT = ("<ObjectEvent><eventTime>2024-03-01T10:00:00Z</eventTime><eventTimeZoneOffset>+00:00"
             "</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:0614141.107346.7</epc></epcList>"
             "<action>OBSERVE</action>{}</ObjectEvent>")


def bridge(source, target, text):
    """What src/epcis itself makes of a document."""
    data = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([BRIDGE, source, target, "/dev/stdin"], input=data, capture_output=True,
                          check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class EpcisSite(SiteTest):
    """Mixed into a test case for each engine."""
    postgresql = False

    def setUp(self):
        super().setUp()
        if not DATA.exists():
            self.skipTest("GS1's examples are not here")
        self.start_keyd()
        self.start_server()
        self.wait_ready()

    def write_config(self):
        super().write_config()
        lines = self.config_lines()
        if not lines:
            return
        with open(self.path("theriacd.yaml"), encoding="utf-8") as file:
            kept = [one for one in file if one.split(":")[0] not in lines]
        with open(self.path("theriacd.yaml"), "w", encoding="utf-8") as file:
            file.writelines(kept)
            file.writelines(f"{key}: {value}\n" for key, value in lines.items())

    def config_lines(self):
        if not self.postgresql:
            return {}
        if not private_server.available():
            self.skipTest("PostgreSQL is not installed")
        server = private_server.PrivateServer()
        server.__enter__()  # pylint: disable=unnecessary-dunder-call
        self.addCleanup(server.__exit__, None, None, None)
        return {"store": f"host={server.folder} port={server.port} user=postgres dbname=postgres"}

    # -- requests

    def send(self, client, method, path, body=None, media=JSON, **headers):
        """(status, header fields, bytes)."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        data = body.encode() if isinstance(body, str) else body
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            headers["Content-Type"] = media
        if client.connection is None:
            # The connection is made as the site's client makes it.
            client.ask("OPTIONS", "/epcis/")
        try:
            client.connection.request(method, path, data, headers)
            reply = client.connection.getresponse()
            content = reply.read()
        except Exception:
            client.close()
            raise
        if reply.getheader("Connection") == "close":
            client.close()
        return reply.status, reply.headers, content

    def get(self, client, path, status=200, **headers):
        got, fields, content = self.send(client, "GET", path, **headers)
        self.assertEqual(got, status, f"GET {path}: {content[:2000]}")
        return fields, content

    def get_json(self, client, path, **headers):
        return json.loads(self.get(client, path, **headers)[1])

    def capture(self, client, body, media=JSON, behaviour=None, **headers):
        """The capture job."""
        if behaviour is not None:
            headers["GS1_Capture_Error_Behaviour"] = behaviour
        status, fields, content = self.send(client, "POST", "/epcis/capture", body, media, **headers)
        self.assertEqual(status, 202, content[:2000])
        job = self.get_json(client, fields["Location"])
        self.assertFalse(job["running"])
        return job

    def must_capture(self, client, *events):
        job = self.capture(client, document(*events))
        self.assertTrue(job["success"], job)

    def problem(self, client, method, path, body=None, media=JSON, **headers):
        """(status, exception's name, all of it)."""
        status, fields, content = self.send(client, method, path, body, media, **headers)
        self.assertEqual(fields.get("Content-Type"), "application/problem+json",
                         f"{status} {content[:300]} {str(body)[:300]}")
        told = json.loads(content)
        self.assertEqual(told.get("status"), status)
        return status, told["type"].removeprefix("epcisException:"), told

    def pages(self, client, path, **headers):
        """Events of all pages, and how many there were."""
        events, count = [], 0
        while path:
            fields, content = self.get(client, path, **headers)
            count += 1
            events += json.loads(content)["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
            path = self.next_of(fields)
        return events, count

    @staticmethod
    def next_of(fields):
        found = re.fullmatch(r'<([^>]*)>; rel="next"', fields.get("Link", ""))
        return found.group(1) if found else None

    def events_where(self, client, query="", **headers):
        return self.pages(client, "/epcis/events?" + query, **headers)[0]

    def numbers_where(self, client, query):
        """Of events made by event(number)."""
        return sorted(int(one["eventID"][-12:]) for one in self.events_where(client, query))

    def audited(self, action):
        """Entries of the audit log, as bytes."""
        found = []
        for folder, _, names in os.walk(self.path("audit")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                found += re.findall(rb'\{"action":"' + action.encode() + rb'"[^\n\0]*?\}\}?', content)
        return found

    @staticmethod
    def fresh_ids(text, source):
        """The document with new event IDs: examples share theirs."""
        new = lambda _: f"urn:uuid:{uuid.uuid4()}"
        if source == "json":
            return re.sub(r'("eventID"\s*:\s*")[^"]*(?=")', lambda m: m.group(1) + new(m), text)
        return re.sub(r"(<eventID>)[^<]*(?=</eventID>)", lambda m: m.group(1) + new(m), text)
