#!/usr/bin/python3
"""EPCIS over HTTPS as an outsider tries it: GS1's test cases TCR-53 and TCR-54, the paths and
headers of its OpenAPI document, named queries, and subscriptions with a receiver of our own."""
import hashlib
import hmac
import http.server
import json
import ssl
import sys
import threading
import unittest

from epcis_site import CONTEXT, DATA, JSON, XML, EpcisSite, document, event, quoted
from site_of_tests import free_port

TOKEN = "13df38d8275b13f05704629e5f1cf3d45d6132d5"
VERSIONS = {f"GS1-{what}-{which}": "2.0.0" for what in ("EPCIS", "CBV")
            for which in ("Version", "Min", "Max")}


def sensed(number, metadata=None, element=None, **report):
    return event(number, sensorElementList=[{
        **({"sensorMetadata": metadata} if metadata else {}),
        "sensorReport": [{"type": "Temperature", **report}], **(element or {})}])


class Receiver:
    """Somebody else's server: keeps what it is sent, and answers as it is told to."""

    def __init__(self, port, certificate, key):
        self.got, self.answers, self.arrived = [], [], threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.arrived:
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    receiver.got.append((status, self.path, dict(self.headers), body))
                    receiver.arrived.notify_all()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "https://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def wait(self, count):
        with self.arrived:
            if not self.arrived.wait_for(lambda: len(self.got) >= count, timeout=120):
                raise AssertionError(f"{len(self.got)} of {count} deliveries came")
            return list(self.got)


def events_of(body):
    return json.loads(body)["epcisBody"]["queryResults"]["resultsBody"]["eventList"]


class ConformanceTest(EpcisSite):
    def config_lines(self):
        self.hook_port = free_port()
        return {**super().config_lines(), "webhook-ca": self.path("tls.crt"),
                "webhook-private": f"127.0.0.1:{self.hook_port}"}

    def test_sensors_tcr_53(self):
        operator = self.client("operator")
        ext = {"ext": "https://example.com/ext/"}
        device, method = "urn:epc:id:giai:4000001.111", "https://example.com/method/1"
        rules = "https://example.com/rules/1"
        meta = {"time": "2024-02-01T10:00:00Z", "deviceID": device,
                "deviceMetadata": "https://example.com/device/1",
                "rawData": "https://example.com/raw/1", "dataProcessingMethod": method,
                "bizRules": rules, "startTime": "2024-02-01T09:00:00Z",
                "endTime": "2024-02-01T10:00:00Z", "ext:metadata": "7"}
        set1 = [
            sensed(1, value=26, uom="CEL", minValue=20, maxValue=30, meanValue=25, sDev=1,
                   percRank=50, percValue=24),
            sensed(2, meta, {"ext:element": "5"}, value=10, uom="CEL", **{"ext:report": "9"}),
            sensed(3, type="AbsoluteHumidity", microorganism="https://example.com/taxon/1", value=3,
                   uom="C62"),
            sensed(4, type="AmountOfSubstancePerUnitVolume", chemicalSubstance="https://example.com/inchi/1",
                   stringValue="high", booleanValue=True, hexBinaryValue="f0f1",
                   uriValue="https://example.com/v/1"),
            event(5)]
        job = self.capture(operator, document(*set1, **{"@context": [CONTEXT, ext]}))
        self.assertTrue(job["success"], job)
        has = lambda query, *numbers: self.assertEqual(
            sorted(int(one["eventID"][-12:]) for one in self.events_where(
                operator, query, GS1_Extensions="ext=https://example.com/ext/")),
            sorted(numbers), query)
        has("GE_recordTime=2020-01-01T00:00:00Z", 1, 2, 3, 4, 5)
        has("EXISTS_sensorElement=", 1, 2, 3, 4)
        has("EXISTS_sensorElementList=", 1, 2, 3, 4)
        has("GE_time=2024-02-01T10:00:00Z&LT_time=2024-02-01T11:00:00Z", 2)
        has("GE_time=2024-02-01T10:00:01Z&LT_time=2024-02-01T11:00:00Z")
        has("GE_startTime=2024-02-01T09:00:00Z&LT_startTime=2024-02-01T09:00:01Z", 2)
        has("GE_endTime=2024-02-01T10:00:01Z&LT_endTime=2024-02-01T11:00:00Z")
        has("EQ_type=Temperature", 1, 2)
        has("EQ_type=" + quoted("gs1:Temperature"), 1, 2)
        has("EQ_deviceID=" + quoted(device), 2)
        has("EQ_dataProcessingMethod=" + quoted(method), 2)
        has("EQ_microorganism=" + quoted("https://example.com/taxon/1"), 3)
        has("EQ_chemicalSubstance=" + quoted("https://example.com/inchi/1"), 4)
        has("EQ_bizRules=" + quoted(rules), 2)
        has("EQ_value_CEL=26", 1)
        has("GE_value_CEL=10&LT_value_CEL=26", 2)
        has("GE_minValue_CEL=20&LT_minValue_CEL=21", 1)
        has("GE_maxValue_CEL=31")
        has("GE_meanValue_CEL=25&LT_meanValue_CEL=26", 1)
        has("EQ_stringValue=high", 4)
        has("EQ_booleanValue=true", 4)
        has("EQ_booleanValue=false")
        has("EQ_hexBinaryValue=F0F1", 4)
        has("EQ_uriValue=" + quoted("https://example.com/v/1"), 4)
        for where, value, number in (("SENSORELEMENT_ext:element", 5, 2),
                                     ("SENSORMETADATA_ext:metadata", 7, 2),
                                     ("SENSORREPORT_ext:report", 9, 2)):
            has(f"EQ_{quoted(where)}={value}", number)
            has(f"GT_{quoted(where)}={value}")
            has(f"GE_{quoted(where)}={value}&LE_{quoted(where)}={value}", number)
            has(f"LT_{quoted(where)}={value + 1}", number)
        has("GE_sDev_CEL=1&LT_sDev_CEL=2", 1)
        has("GE_percRank=50&LT_percRank=51", 1)
        has("GE_percValue_CEL=24&LT_percValue_CEL=25", 1)
        # Step 26: asked in kelvin, stored in degrees Celsius.
        has("EQ_type=" + quoted("gs1:Temperature") + "&GE_value_KEL=299.15", 1)
        # Steps 27 and 28: of the element, or of one report.
        said = {"deviceID": "urn:epc:id:giai:4000001.222", "rawData": "https://example.com/raw/2"}
        self.must_capture(operator, sensed(6, said, value=1, uom="CEL"),
                          sensed(7, None, value=1, uom="CEL", **said))
        has("EQ_deviceID=" + quoted(said["deviceID"]), 6, 7)
        # Step 29: of both. (In the same words it is read: so GS1's own examples have it.)
        other = {**said, "deviceID": "urn:epc:id:giai:4000001.333"}
        job = self.capture(operator, document(sensed(8, said, value=1, uom="CEL", **other)))
        self.assertEqual((job["success"], job["errors"][0]["title"]), (False, "SensorFieldDiffers"))

    def test_associations_tcr_54(self):
        operator = self.client("operator")
        of = lambda number, **changes: event(number, type="AssociationEvent", epcList=None,
                                             **changes)
        children = {"childEPCs": ["urn:epc:id:grai:4012345.55555.987"]}
        place = {"parentID": "urn:epc:id:sgln:4012345.00001.0"}
        self.must_capture(operator, of(1, action="ADD", **place, **children))
        self.assertEqual(self.events_where(operator)[0]["parentID"], place["parentID"])
        for action in ("ADD", "DELETE"):
            self.assertFalse(self.capture(operator, document(
                of(2, action=action, **children)))["success"])
        for action in ("ADD", "OBSERVE"):
            self.assertFalse(self.capture(operator, document(
                of(3, action=action, **place)))["success"])
        self.assertEqual(self.numbers_where(operator, ""), [1])

    def test_every_path_of_the_openapi_document(self):
        """Whatever GS1's document has is there, says which versions, and answers OPTIONS."""
        with open(DATA / "REST Bindings/openapi.json", encoding="utf-8") as file:
            paths = json.load(file)["paths"]
        operator = self.client("operator")
        self.must_capture(operator, event(1, readPoint={"id": "urn:epc:id:sgln:4012345.00001.0"},
                                          bizLocation={"id": "urn:epc:id:sgln:4012345.00002.0"},
                                          disposition="active"))
        self.must_add_query(operator, "q", {"EQ_bizStep": ["shipping"]})
        status, fields, _ = self.send(operator, "POST", "/epcis/queries/q/subscriptions", {
            "dest": "https://example.com/", "schedule": {"hour": "1"}})
        self.assertEqual(status, 201)
        values = {"{captureID}": "1", "{eventID}": event(1)["eventID"], "{eventType}": "ObjectEvent",
                  "{epc}": event(1)["epcList"][0], "{bizStep}": "shipping",
                  "{bizLocation}": "urn:epc:id:sgln:4012345.00002.0",
                  "{readPoint}": "urn:epc:id:sgln:4012345.00001.0", "{disposition}": "active",
                  "{queryName}": "q", "{subscriptionID}": fields["Location"].rsplit("/", 1)[1],
                  "{token}": "t"}
        count = 0
        for path, methods in paths.items():
            at = "/epcis" + path
            for name, value in values.items():
                at = at.replace(name, quoted(value))
            for method in ("get", "options"):
                if method not in methods:
                    continue
                status, fields, content = self.send(operator, method.upper(), at)
                self.assertEqual(status, 200 if method == "get" else 204, f"{at} {content[:300]}")
                for name, value in VERSIONS.items():
                    self.assertEqual(fields.get(name), value, f"{at} {name}")
                count += 1
            if "options" in methods:
                allowed = {one.strip() for one in fields["Allow"].split(",")}
                wanted = {one.upper() for one in methods if one in ("get", "post", "delete")}
                self.assertEqual(allowed, wanted | {"OPTIONS", "HEAD"}, at)
        self.assertEqual(count, 56)
        _, fields, _ = self.send(operator, "OPTIONS", "/epcis/capture")
        self.assertEqual(fields["GS1-Capture-Error-Behaviour"], "all")
        self.assertEqual(fields["GS1-EPC-Format"], "No_Preference")
        self.assertTrue(fields["GS1-Vendor-Version"])
        self.assertEqual(self.problem(operator, "DELETE", "/epcis/nextPageToken/t")[:2],
                         (501, "ImplementationException"))
        for at in ("eventTypes/QuantityEvent", "epcs/urn:epc:id:sgtin:0614141.107346.99",
                   "bizSteps/receiving", "bizLocations/" + quoted("https://id.gs1.org/414/1"),
                   "readPoints/x", "dispositions/lost", "events/urn:x:y", "capture/99",
                   "queries/none", "queries/none/events", "queries/none/subscriptions",
                   "queries/q/subscriptions/none"):
            self.assertEqual(self.problem(operator, "GET", f"/epcis/{at}")[:2],
                             (404, "NoSuchResourceException"), at)
        # An address that is too long.
        long = "/epcis/events?MATCH_epc=" + "a" * 10_000
        self.assertEqual(self.send(operator, "GET", long)[0], 414)

    def test_versions_and_formats_are_negotiated(self):
        operator = self.client("operator")
        self.make_master()
        link = "https://id.gs1.org/01/09506000134352/21/9"
        self.must_capture(operator, event(1), event(2, epcList=[link]))
        asked = lambda status, **headers: self.get(operator, "/epcis/events", status, **headers)
        for headers in ({"GS1_EPCIS_Min": "2.0.0"}, {"GS1_EPCIS_Min": "1.2", "GS1_EPCIS_Max": "2.1"},
                        {"GS1_CBV_Max": "2"}, {"GS1_EPCIS_Version": "2.0"}):
            asked(200, **headers)
        for headers in ({"GS1_EPCIS_Max": "1.2"}, {"GS1_EPCIS_Min": "2.0.1"},
                        {"GS1_CBV_Min": "3.0"}, {"GS1_CBV_Max": "1.2.2"}, {"GS1_EPCIS_Min": "x"},
                        {"GS1_EPCIS_Version": "3.0"}, {"GS1_EPC_Format": "Always"},
                        {"GS1_CBV_XML_Format": "Never"}, {"Accept": "text/html"}):
            _, content = asked(406, **headers)
            self.assertEqual(json.loads(content)["type"], "epcisException:NotAcceptableException")
        epcs = lambda **headers: [one["epcList"][0] for one in self.events_where(
            operator, "", **headers)]
        self.assertEqual(epcs(GS1_EPC_Format="Always_GS1_Digital_Link"),
                         ["https://id.gs1.org/01/10614141073464/21/1", link])
        self.assertEqual(epcs(GS1_EPC_Format="Always_EPC_URN"),
                         [event(1)["epcList"][0], "urn:epc:id:sgtin:9506000.013435.9"])
        self.assertEqual(epcs(GS1_EPC_Format="Never_Translates"), [event(1)["epcList"][0], link])
        _, text = asked(200, Accept=XML, GS1_CBV_XML_Format="Always_Web_URI")
        self.assertIn(b"https://ref.gs1.org/cbv/BizStep-shipping", text)
        _, text = asked(200, Accept="text/html, application/xml", GS1_CBV_XML_Format="Always_URN")
        self.assertIn(b"urn:epcglobal:cbv:bizstep:shipping", text)
        # The repository says when it was recorded, whatever the sender says.
        self.must_capture(operator, event(3, recordTime="2001-01-01T00:00:00Z"))
        got = self.events_where(operator, "EQ_eventID=" + quoted(event(3)["eventID"]))
        self.assertTrue(got[0]["recordTime"] > "2020")
        self.assertEqual(self.numbers_where(operator, "LT_recordTime=2020-01-01T00:00:00Z"), [])

    def test_lists_page_by_page(self):
        self.make_master()
        operator, shop = self.client("operator"), self.client("shop")
        own = "https://example.com/steps/polishing"
        theirs = "https://id.gs1.org/414/9506000140001"
        points = [f"urn:epc:id:sgln:4012345.00001.{n}" for n in range(5)]
        self.must_capture(operator, *(event(n + 1, readPoint={"id": point}, bizStep=own)
                                      for n, point in enumerate(points)))
        self.must_capture(operator, event(10, bizLocation={"id": theirs}, epcList=[
            "urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.77"]))
        self.must_capture(operator, event(11, type="TransformationEvent", action=None, epcList=None,
                                          inputEPCList=["urn:epc:id:sgtin:0614141.107346.5"],
                                          outputEPCList=["urn:epc:id:sgtin:0614141.107346.88"]))

        def members(client, at, per_page, **headers):
            found, path, pages = [], f"/epcis/{at}?perPage={per_page}", 0
            while path:
                fields, content = self.get(client, path, **headers)
                one = json.loads(content)
                self.assertEqual(one["type"], "Collection")
                self.assertLessEqual(len(one["member"]), per_page)
                found += one["member"]
                path, pages = self.next_of(fields), pages + 1
            return found, pages

        epcs = [f"urn:epc:id:sgtin:0614141.107346.{n}" for n in (1, 2, 3, 4, 5, 77, 88)]
        for per_page in (1, 2, 3, 7, 100):
            self.assertEqual(members(operator, "epcs", per_page)[0], epcs, per_page)
            self.assertEqual(members(operator, "readPoints", per_page)[0], points)
            self.assertEqual(members(operator, "bizLocations", per_page)[0], [theirs])
            self.assertEqual(members(shop, "bizLocations", per_page)[0], [theirs])
            self.assertEqual(members(shop, "readPoints", per_page)[0], [])
            self.assertEqual(members(shop, "epcs", per_page)[0], [epcs[0], epcs[5]])
            steps = members(operator, "bizSteps", per_page)[0]
            self.assertEqual((len(steps), steps[-1], len(set(steps))), (42, own, 42))
            self.assertEqual(len(members(shop, "bizSteps", per_page)[0]), 41)
            self.assertEqual(len(members(operator, "dispositions", per_page)[0]), 33)
        self.assertEqual(members(operator, "readPoints", 2)[1], 3)
        self.assertEqual(members(operator, "epcs", 100, GS1_EPC_Format="Always_GS1_Digital_Link")[0]
                         [0], "https://id.gs1.org/01/10614141073464/21/1")
        self.assertEqual(len(self.get_json(operator, "/epcis/eventTypes")["member"]), 5)
        self.assertEqual(len(self.get_json(operator, "/epcis/")["member"]), 9)
        self.assertEqual(self.problem(operator, "GET", "/epcis/epcs?perPage=0")[0], 400)

    def test_page_tokens_tell_nothing_and_are_their_callers(self):
        self.make_master()
        operator, viewer = self.client("operator"), self.client("viewer")
        self.must_capture(operator, *(event(n + 1) for n in range(5)))
        fields, _ = self.get(operator, "/epcis/events?perPage=2")
        path = self.next_of(fields)
        self.assertTrue(fields["GS1-Next-Page-Token-Expires"] > "2020")
        token = path.rsplit("nextPageToken=", 1)[1]
        self.assertGreaterEqual(len(token), 50)
        self.get(operator, path)
        events, pages = self.pages(operator, "/epcis/events?perPage=2")
        self.assertEqual((len(events), pages), (5, 3))
        bad = lambda client, at: self.assertEqual(
            self.problem(client, "GET", at)[:2], (400, "QueryParameterException"), at)
        bad(viewer, path)
        bad(operator, path.replace("/events?", "/bizSteps/shipping/events?"))
        bad(operator, path + "&EQ_action=OBSERVE")
        changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
        for other in (changed, token[:-4], token + "AAAA", "2", "AAAA", token + "="):
            bad(operator, "/epcis/events?perPage=2&nextPageToken=" + other)
        # How many there are at most: as a limit, and as a refusal.
        events, pages = self.pages(operator, "/epcis/events?perPage=2&eventCountLimit=3")
        self.assertEqual((len(events), pages), (3, 2))
        self.assertEqual(self.problem(operator, "GET", "/epcis/events?maxEventCount=4")[:2],
                         (413, "QueryTooLargeException"))
        self.assertEqual(len(self.events_where(operator, "maxEventCount=5&perPage=2")), 5)
        ordered = self.pages(operator, "/epcis/events?perPage=2&orderBy=eventTime")[0]
        self.assertEqual(len({one["eventID"] for one in ordered}), 5)

    def test_queries_use_our_master_data_patterns_and_declarations(self):
        self.make_master()
        admin, operator = self.client("admin"), self.client("operator")
        for extension in ("DOCK", "GATE"):
            self.must(admin, "POST", "/api/trace/places", {
                "gln": "9506000140018", "extension": extension, "name": f"The {extension}",
                "prefix_length": 7})
        plant = "https://id.gs1.org/414/9506000140018"
        link = "https://id.gs1.org/01/09506000134352/21/"
        declared = {"declarationTime": "2024-04-01T00:00:00Z", "reason": "incorrect_data",
                    "correctiveEventIDs": [event(6)["eventID"]]}
        self.must_capture(
            operator, event(1, bizLocation={"id": plant}),
            event(2, bizLocation={"id": plant + "/254/DOCK"}),
            event(3, bizLocation={"id": "urn:epc:id:sgln:9506000.14001.GATE"}),
            event(4, bizLocation={"id": "https://id.gs1.org/414/9506000140001"}),
            event(5, epcList=None, quantityList=[{
                "epcClass": "https://id.gs1.org/01/09506000134352", "quantity": 2}]),
            event(6, epcList=[link + "A"]), event(7, epcList=["urn:epc:id:sgtin:9506000.013435.B"]))
        self.must_capture(operator, event(8), event(8, errorDeclaration=declared))
        has = lambda query, *numbers: self.assertEqual(self.numbers_where(operator, query),
                                                       sorted(numbers), query)
        has("WD_bizLocation=" + quoted(plant), 1, 2, 3)
        has("WD_bizLocation=" + quoted(plant + "/254/DOCK"), 2)
        has("EQ_bizLocation=" + quoted(plant), 1)
        has("HASATTR_bizLocation=name", 1, 2, 3, 4)
        has("HASATTR_bizLocation=colour")
        has("EQATTR_bizLocation_name=" + quoted("The DOCK"), 2)
        has("EQATTR_bizLocation_" + quoted("urn:epcglobal:cbv:mda:name") + "=Hospital", 4)
        has("EQATTR_epcClass_regulatedProductName=" + quoted("Stent 3.0 x 18"), 5)
        has("EQATTR_epcClass_regulatedProductName=" + quoted("支架"), 5)
        has("MATCH_epc=" + quoted("urn:epc:idpat:sgtin:9506000.013435.*"), 6, 7)
        has("MATCH_epc=" + quoted("urn:epc:idpat:sgtin:9506000.*.*"), 6, 7)
        has("MATCH_anyEPC=" + quoted("urn:epc:id:sgtin:9506000.013435.A"), 6)
        has("MATCH_epcClass=" + quoted("urn:epc:idpat:sgtin:9506000.013435.*"), 5)
        has("EXISTS_errorDeclaration=", 8)
        has("EQ_errorReason=incorrect_data", 8)
        has("EQ_correctiveEventID=" + quoted(event(6)["eventID"]), 8)
        has("GE_errorDeclarationTime=2024-04-01T00:00:00Z", 8)
        has("LT_errorDeclarationTime=2024-04-01T00:00:00Z")
        # The event and what declares it wrong, under one ID.
        has("EQ_eventID=" + quoted(event(8)["eventID"]), 8, 8)
        self.assertEqual(len(events_of(self.get(
            operator, "/epcis/events/" + quoted(event(8)["eventID"]))[1])), 2)
        for query in ("EQ_nonsense=1", "GE_eventTime=yesterday", "EQ_bizStep=flying",
                      "orderBy=colour", "eventCountLimit=1&maxEventCount=1", "EQ_action=MAKE",
                      "MATCH_epc=notauri", "EQ_x:y=1", "EQ_action=ADD&EQ_action=ADD"):
            self.assertEqual(self.problem(operator, "GET", "/epcis/events?" + query)[0], 400, query)

    # -- named queries and subscriptions

    def must_add_query(self, client, name, query, **headers):
        status, fields, content = self.send(client, "POST", "/epcis/queries",
                                            {"name": name, "query": query}, **headers)
        self.assertEqual(status, 201, content[:500])
        self.assertEqual(fields["Location"], "/epcis/queries/" + quoted(name))

    def test_named_queries(self):
        self.make_master()
        operator, shop = self.client("operator"), self.client("shop")
        query = {"eventType": ["ObjectEvent"], "EQ_bizStep": ["shipping", "receiving"]}
        self.must_add_query(operator, "my query/1", query)
        at = "/epcis/queries/" + quoted("my query/1")
        self.assertEqual(self.get_json(operator, at), {"name": "my query/1", "query": query})
        self.assertEqual(self.problem(operator, "POST", "/epcis/queries",
                                      {"name": "my query/1", "query": {}})[:2],
                         (409, "ResourceAlreadyExistsException"))
        self.must_capture(operator, event(1), event(2, bizStep="receiving"),
                          event(3, bizStep="packing"))
        events, pages = self.pages(operator, at + "/events?perPage=1")
        self.assertEqual(([one["eventID"][-1] for one in events], pages), (["1", "2"], 2))
        self.assertEqual(self.get_json(operator, at + "/events")["epcisBody"]["queryResults"]
                         ["queryName"], "my query/1")
        self.get(operator, at + "/events", Accept=XML)
        # Each party's names are its own, and so is what its queries see.
        self.get(shop, at, 404)
        self.must_add_query(shop, "my query/1", {})
        self.assertEqual(self.pages(shop, at + "/events")[0], [])
        self.must_add_query(operator, "prefixed", {"EQ_ext:a": ["1"]},
                            GS1_Extensions="ext=https://example.com/ext/")
        self.get(operator, "/epcis/queries/prefixed/events")
        self.assertEqual([one["name"] for one in self.get_json(operator, "/epcis/queries")],
                         ["my query/1", "prefixed"])
        fields, content = self.get(operator, "/epcis/queries?perPage=1")
        self.assertEqual(len(json.loads(content)), 1)
        self.assertEqual(len(self.get_json(operator, self.next_of(fields))), 1)
        for body in ({"name": "x", "query": {"EQ_nonsense": ["1"]}}, {"name": "", "query": {}},
                     {"name": "a" * 201, "query": {}}, {"name": "x"}, {"query": {}}, "{", "[]",
                     {"name": "x", "query": []}, {"name": "x", "query": {}, "more": 1},
                     {"name": "x", "query": {"EQ_no:prefix": ["1"]}}):
            self.assertEqual(self.problem(operator, "POST", "/epcis/queries", body)[0], 400, body)
        self.assertEqual(self.problem(operator, "POST", "/epcis/queries", "x", "text/plain")[0], 400)
        self.assertEqual(self.problem(operator, "GET", at + "/events", Upgrade="websocket")[0], 501)
        self.assertEqual(self.problem(operator, "GET", at + "/events?stream=true")[:2],
                         (400, "SubscriptionControlsException"))
        self.assertEqual(self.send(operator, "DELETE", at)[0], 204)
        self.assertEqual(self.send(operator, "DELETE", at)[0], 404)
        self.get(operator, at + "/events", 404)
        self.get(shop, at)

    def subscribe(self, client, query, status=201, **body):
        body.setdefault("dest", f"https://127.0.0.1:{self.hook_port}/hook?a=b")
        got, fields, content = self.send(client, "POST", f"/epcis/queries/{query}/subscriptions",
                                         body)
        self.assertEqual(got, status, content[:500])
        return json.loads(content), fields.get("Location")

    def receiver(self):
        made = Receiver(self.hook_port, self.path("tls.crt"), self.path("tls.key"))
        self.addCleanup(made.close)
        return made

    def test_a_stream_is_delivered_signed_durably_and_again_until_it_is_taken(self):
        self.make_master()
        operator, shop = self.client("operator"), self.client("shop")
        self.must_capture(operator, event(1))
        self.must_add_query(operator, "all", {})
        self.must_add_query(shop, "mine", {"EQ_bizStep": ["shipping"]})
        made, at = self.subscribe(operator, "all", stream=True, signatureToken=TOKEN)
        self.assertNotIn("signatureToken", made)
        self.assertNotIn(TOKEN, json.dumps(self.get_json(operator, at)))
        self.assertEqual(self.get_json(operator, "/epcis/queries/all/subscriptions")[0]
                         ["subscriptionID"], made["subscriptionID"])
        self.subscribe(shop, "mine", stream=True, dest=f"https://127.0.0.1:{self.hook_port}/shop")
        # Nobody listens yet: it is kept, across a restart too.
        theirs = "https://id.gs1.org/414/9506000140001"
        self.must_capture(operator, event(2), event(3, bizLocation={"id": theirs}))
        self.assertEqual(self.stop("theriacd"), 0)
        receiver = self.receiver()
        receiver.answers = [500, 302, 413]
        self.start_server()
        self.wait_ready()
        taken = lambda path: [one for one in receiver.wait(1) if one[0] == 200 and one[1] == path]
        self.wait_until(lambda: taken("/hook?a=b") and taken("/shop"), "deliveries")
        operator, shop = self.client("operator"), self.client("shop")
        numbers = lambda path: [int(event["eventID"][-12:]) for _, _, _, body in taken(path)
                                for event in events_of(body)]
        self.wait_until(lambda: sorted(set(numbers("/hook?a=b"))) == [2, 3], "all of them")
        self.assertEqual(numbers("/shop"), [3])
        _, _, fields, body = taken("/hook?a=b")[0]
        self.assertEqual(fields["GS1-Signature"],
                         hmac.new(TOKEN.encode(), body, hashlib.sha256).hexdigest())
        self.assertNotIn("GS1-Signature", taken("/shop")[0][2])
        self.assertEqual(fields["Content-Type"], JSON)
        results = json.loads(body)["epcisBody"]["queryResults"]
        self.assertEqual((results["queryName"], results["subscriptionID"]),
                         ("all", made["subscriptionID"]))
        # What comes now is sent at once, and once.
        before = len(numbers("/hook?a=b"))
        self.must_capture(operator, event(4))
        self.wait_until(lambda: len(numbers("/hook?a=b")) > before, "the new one")
        self.assertEqual(numbers("/hook?a=b")[before:], [4])
        self.wait_until(lambda: "lastNotifiedAt" in self.get_json(operator, at), "notified")
        # Ended: nothing more.
        self.assertEqual(self.send(operator, "DELETE", at)[0], 204)
        self.get(operator, at, 404)
        self.must_capture(operator, event(5, bizLocation={"id": theirs}))
        self.wait_until(lambda: 5 in numbers("/shop"), "the other one")
        self.assertNotIn(5, numbers("/hook?a=b"))
        self.assertEqual(self.stop("theriacd"), 0)
        self.assertGreaterEqual(len(self.audited("trace.deliver-events")), 4)

    def test_a_schedule_and_what_was_before(self):
        operator = self.client("operator")
        self.must_capture(operator, event(1), event(2))
        self.must_add_query(operator, "all", {"EQ_action": ["OBSERVE"]})
        receiver = self.receiver()
        self.subscribe(operator, "all", schedule={"second": "0/1"}, reportIfEmpty=True,
                       initialRecordTime="2020-01-01T00:00:00Z")
        got = receiver.wait(2)
        self.assertEqual(len(events_of(got[0][3])), 2)
        self.assertEqual(events_of(got[1][3]), [])
        for body in ({}, {"stream": True, "schedule": {"second": "1"}}, {"stream": False},
                     {"schedule": {}}, {"schedule": {"second": "60"}}, {"schedule": {"year": "1"}},
                     {"schedule": {"second": 1}}, {"stream": True, "dest": "http://127.0.0.1/"},
                     {"stream": True, "dest": "file:///etc/passwd"}, {"stream": True, "more": 1},
                     {"stream": True, "initialRecordTime": "yesterday"}):
            told, _ = self.subscribe(operator, "all", 400, **body)
            self.assertEqual(told["type"], "epcisException:SubscriptionControlsException", body)
        self.must_add_query(operator, "ordered", {"orderBy": "eventTime"})
        self.subscribe(operator, "ordered", 400, stream=True)

    def test_nothing_is_sent_to_private_places_or_to_strangers(self):
        """To what is not configured, or shows another certificate, nothing goes; others still get
        theirs."""
        operator = self.client("operator")
        other = free_port()
        hidden = Receiver(other, self.path("tls.crt"), self.path("tls.key"))
        self.addCleanup(hidden.close)
        self.must_add_query(operator, "all", {})
        for dest in (f"https://127.0.0.1:{other}/", f"https://localhost:{other}/",
                     f"https://localhost:{self.hook_port}/", f"https://[::1]:{other}/",
                     f"https://2130706433:{other}/", f"https://0x7f.1:{other}/",
                     f"https://[::ffff:127.0.0.1]:{other}/", "https://169.254.169.254/"):
            self.subscribe(operator, "all", stream=True, dest=dest)
        receiver = self.receiver()
        self.subscribe(operator, "all", stream=True)
        self.must_capture(operator, event(1))
        receiver.wait(1)
        self.must_capture(operator, event(2))
        receiver.wait(2)
        self.assertEqual(hidden.got, [])
        for one in self.get_json(operator, "/epcis/queries/all/subscriptions")[:8]:
            self.assertNotIn("lastNotifiedAt", one)


class SqliteTest(ConformanceTest):
    pass


class PostgresqlTest(ConformanceTest):
    postgresql = True


def load_tests(loader, _tests, _pattern):
    """The engines, and not the class that they share."""
    suite = unittest.TestSuite()
    for one in (SqliteTest, PostgresqlTest):
        suite.addTests(loader.loadTestsFromTestCase(one))
    return suite


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
