#!/usr/bin/env python3
"""theriacd and what comes after the line: verification, recalls, devices, the work list, revocation."""
import signal
import sys
import threading
import time
import unittest

from site_of_tests import BIN, LEASE_SECONDS, SiteTest, sscc

MANY = 100_000
GUESSES = 100


class FieldTest(SiteTest):
    def setUp(self):
        super().setUp()
        self.start_keyd()
        self.start_server()
        self.wait_ready()
        self.make_master()

    def made(self, count):
        serials, _ = self.numbers(self.allocate(self.client("operator"), count)["id"])
        items = [self.link(serial) for serial in serials]
        self.act(self.client("line"), "commission", place=self.plant, lot=self.lot, items=items)
        return serials, items

    def to_shop(self, items):
        self.act(self.client("operator"), "ship", place=self.plant, to=self.shop, items=items)
        self.act(self.client("shop"), "receive", place=self.shop, items=items)

    def verdict(self, client, scan, **more):
        reply = self.must(client, "POST", "/api/trace/verify", {"scan": scan, **more})
        return reply["verdict"], reply.get("reason")

    def refused(self, client, act, language="en", **body):
        self.keys_made += 1
        status, reply = client.ask("POST", "/api/trace/acts", {"act": act, **body},
                                   f"refused-{self.keys_made}", **{"Accept-Language": language})
        self.assertEqual(status, 409, reply)
        return {one["why"] for one in reply["refused"]}, {one["text"] for one in reply["refused"]}

    # -- a caller whose certificate is revoked

    def test_a_revoked_certificate_is_refused_also_on_an_open_connection(self):
        line, operator = self.client("line"), self.client("operator")
        self.must(line, "GET", "/api/trace/products")
        open_connection = line.connection
        self.key("revoke-certificate", "line", "--reason", "station stolen")
        begun = time.monotonic()
        status = reply = None

        def is_refused():
            nonlocal status, reply
            status, reply = line.ask("GET", "/api/trace/products")
            return status != 200

        self.wait_until(is_refused, "the revoked line is still served")
        took = time.monotonic() - begun
        # Within one lease; the rest is room for a loaded machine.
        self.assertLess(took, LEASE_SECONDS + 10)
        self.assertEqual(reply["code"], "BadCertificate", reply)
        self.assertIs(line.connection, open_connection)
        for method, path, body in (("POST", "/api/trace/acts", {"act": "commission"}),
                                   ("GET", "/api/openapi.json", None)):
            status, reply = self.client("line").ask(method, path, body, "k")
            self.assertEqual((status // 100, reply["code"]), (4, "BadCertificate"))
        self.must(operator, "GET", "/api/trace/products")
        # It outlives the server: the first lease after a crash says so again.
        self.stop("theriacd", signal.SIGKILL)
        self.start_server()
        self.wait_ready()
        status, reply = self.client("line").ask("GET", "/api/trace/products")
        self.assertEqual(reply["code"], "BadCertificate")
        self.must(self.client("operator"), "GET", "/api/trace/products")
        self.assertEqual(self.stop("theriacd"), 0)
        listed = self.run_program("grep", "-rah", '"error":"BadCertificate"', self.path("audit"))
        self.assertIn(b'"actor":"line"', listed.stdout)

    # -- verification

    def test_every_verdict_over_https(self):
        operator, shop, viewer = (self.client(name) for name in ("operator", "shop", "viewer"))
        _, items = self.made(6)
        copied, sold, gone, recalled, spare, stolen = items
        self.assertEqual(self.verdict(viewer, copied, place=self.plant), ("genuine", None))
        self.assertEqual(self.verdict(operator, copied, place=self.shop),
                         ("suspicious", "two-places"))
        self.to_shop([sold])
        self.act(shop, "dispense", place=self.shop, items=[sold])
        self.assertEqual(self.verdict(viewer, sold, place=self.shop), ("wrong-state", "state"))
        self.assertEqual(self.verdict(viewer, sold, place=self.plant),
                         ("suspicious", "dispensed-twice"))
        # Taken out of use by one client, another one is told so within the second.
        self.act(operator, "decommission", place=self.plant, items=[gone], reason="damaged")
        done = time.monotonic()
        self.assertEqual(self.verdict(viewer, gone), ("wrong-state", "state"))
        self.assertLess(time.monotonic() - done, 1)
        self.act(operator, "report-stolen", place=self.plant, items=[stolen], reason="break-in")
        self.assertEqual(self.verdict(viewer, stolen), ("wrong-state", "state"))
        # Beside the number a code says lot and expiry.
        serial = spare.rsplit("/", 1)[1]
        self.assertEqual(
            self.verdict(viewer, f"(01)09506000134352(10)LOT1A(21){serial}")[0], "genuine")
        self.assertEqual(
            self.verdict(viewer, f"(01)09506000134352(17)280101(10)LOT1A(21){serial}"),
            ("suspicious", "data-differ"))
        self.must(self.client("quality"), "POST", "/api/trace/recalls",
                  {"level": "I", "reason": "tips", "items": [recalled]})
        self.assertEqual(self.verdict(viewer, recalled)[0], "recalled")
        self.expired()
        kinds = [one["kind"] for one in self.must(operator, "GET", "/api/trace/work")["items"]]
        self.assertEqual(set(kinds), {"alarm"})
        self.guess()

    def expired(self):
        admin, quality, operator = (self.client(name) for name in ("admin", "quality", "operator"))
        lot = self.must(admin, "POST", "/api/trace/lots", {
            "product": self.product, "number": "OLD", "made": "2020-01-01", "expires": "2021-01-01",
            "certificate": "CoA", "certificate_sha256": "b" * 64})["id"]
        self.must(quality, "POST", f"/api/trace/lots/{lot}/release", {"reason": "late"})
        issued = self.must(operator, "POST", "/api/trace/allocations", {
            "pool": self.pool, "count": 1, "lot": lot, "place": self.plant})["id"]
        item = self.link(self.numbers(issued)[0][0])
        self.act(self.client("line"), "commission", place=self.plant, lot=lot, items=[item])
        self.assertEqual(self.verdict(operator, item)[0], "expired")
        why, _ = self.refused(operator, "ship", place=self.plant, to=self.shop, items=[item])
        self.assertEqual(why, {"IsExpired"})

    def guess(self):
        """Who tries numbers is stopped, and a person is told."""
        shop = self.client("shop")
        for number in range(GUESSES):
            self.assertEqual(self.verdict(shop, self.link(f"ACDEFHJK{number:04}"))[0], "unknown")
        status, _ = shop.ask("POST", "/api/trace/verify", {"scan": self.link("ACDEFHJKLMNP")})
        self.assertEqual(status, 429)
        work = self.must(self.client("operator"), "GET", "/api/trace/work?kind=guessing")["items"]
        self.assertEqual(work[0]["details"], {"caller": "shop"})
        status, _ = shop.ask("GET", "/api/trace/work")
        self.assertEqual(status, 403)

    # -- many items, and what is refused of them

    def test_a_hundred_thousand_items_in_one_call(self):
        operator, line, shop = (self.client(name) for name in ("operator", "line", "shop"))
        serials, _ = self.numbers(self.allocate(operator, MANY)["id"])
        items = [self.link(serial) for serial in serials]
        status, reply = line.ask("POST", "/api/trace/acts", {
            "act": "commission", "place": self.plant, "lot": self.lot, "items": items + items[:1]},
            "too-many")
        self.assertEqual((status, reply["code"]), (413, "TooLarge"))
        done = self.act(line, "commission", place=self.plant, lot=self.lot, items=items)
        self.assertEqual((done["done"], done["refused"]), (MANY, []))
        self.check_containers(operator, line, items)
        self.check_times(operator, shop, items)
        total = self.must(operator, "GET", f"/api/trace/lots/{self.lot}/reconciliation")
        self.assertEqual((total["issued"], total["adds_up"]), (MANY, True))
        # Not one of the refusals changed anything.
        self.assertEqual((total["commissioned"], total["unused"]), (MANY, 0))

    def check_containers(self, operator, line, items):
        first, second = sscc(1), sscc(2)
        self.act(line, "pack", place=self.plant, container=first, items=items[:10])
        self.act(line, "pack", place=self.plant, container=second, items=[first])
        refused = lambda **body: self.refused(operator, "pack", place=self.plant, **body)[0]
        self.assertEqual(refused(container=first, items=[second]), {"Cycle"})
        self.assertEqual(refused(container=second, items=[second]), {"Cycle"})
        self.assertEqual(refused(container=sscc(3), items=items[:2]), {"IsPacked"})
        self.assertEqual(refused(container=sscc(3), items=[items[20], items[20]]), {"Twice"})
        # A part of it comes out; the rest stays.
        self.act(line, "unpack", place=self.plant, container=first, items=items[:4])
        page = self.must(operator, "POST", "/api/trace/items/contents", {"container": first})
        self.assertEqual({one["item"] for one in page["items"]}, set(items[4:10]))
        self.assertEqual(refused(container=first, items=[second]), {"Cycle"})
        _, texts = self.refused(operator, "ship", "zh", place=self.plant, to=self.shop,
                                items=[items[5]])
        self.assertEqual(texts, {"该物品已装箱，请先拆箱"})

    def check_times(self, operator, shop, items):
        item = items[50]
        self.assertEqual(self.refused(operator, "sample", place=self.plant, items=[item],
                                      when="2099-01-01T00:00:00Z")[0], {"InTheFuture"})
        self.assertEqual(self.refused(operator, "sample", place=self.plant, items=[item],
                                      when="2020-01-01T00:00:00Z")[0], {"BeforeLastAct"})
        self.to_shop([item])
        self.act(shop, "dispense", place=self.shop, items=[item])
        self.assertEqual(self.refused(operator, "undo", place=self.plant, items=[item],
                                      reason="x")[0], {"UndoElsewhere"})
        self.act(shop, "undo", place=self.shop, items=[item], reason="wrong pack scanned")
        self.assertEqual(self.verdict(operator, item)[0], "genuine")

    # -- devices, recalls, work

    def test_devices_recalls_and_the_work_list(self):
        operator, shop, line, quality = (self.client(name)
                                         for name in ("operator", "shop", "line", "quality"))
        serials, items = self.made(12)
        self.act(line, "pack", place=self.plant, container=sscc(1), items=items[:6])
        self.to_shop([sscc(1)])
        self.act(shop, "unpack", place=self.shop, container=sscc(1))
        # Killed while a user reports: what was answered is there, once.
        reports = [("place", {}), ("install", {"fields": {"patient": "PATIENT-4711"}}),
                   ("calibrate", {"due": "2099-01-01T00:00:00Z"}), ("software", {"software": "2.1"})]
        answered = []

        def report_all():
            client = self.client("shop")
            for at, item in enumerate(items[:3]):
                for act, more in reports:
                    answered.append(self.insist(client, "/api/trace/devices/records", {
                        "act": act, "device": item, "place": self.shop, "person": "Nurse Wang",
                        **more}, f"report-{at}-{act}"))

        worker = threading.Thread(target=report_all)
        worker.start()
        self.wait_until(lambda: len(answered) > 1 or not worker.is_alive(), "reports")
        self.stop("theriacd", signal.SIGKILL)
        self.start_server()
        self.wait_ready()
        worker.join()
        self.assertEqual(len(answered), 3 * len(reports))
        operator, shop, line, quality = (self.client(name)
                                         for name in ("operator", "shop", "line", "quality"))
        device = self.must(operator, "POST", "/api/trace/devices/find", {"device": items[0]})
        self.assertEqual((device["state"], device["software"]), ("in-use", "2.1"))
        records = self.must(shop, "GET", f"/api/trace/devices/{device['id']}/records")["items"]
        self.assertEqual([one["act"] for one in records], [act for act, _ in reports])
        self.assertEqual(records[3]["before"]["software"], "")
        self.check_recall(operator, quality, shop, items)
        self.check_work(operator, line, items)
        self.assertEqual(self.stop("theriacd"), 0, self.logged("theriacd"))
        self.assertEqual(self.find_serials(serials + ["PATIENT-4711", "Nurse Wang"]), set())
        self.run_program(f"{BIN}/theriac", "audit", "verify", self.path("audit"))

    def check_recall(self, operator, quality, shop, items):
        search = {"product": self.product, "received_by": self.partner}
        found = self.must(quality, "POST", "/api/trace/recalls/preview", search)
        self.assertEqual(found["items"], 6)
        recall = self.must(quality, "POST", "/api/trace/recalls", {
            "level": "I", "reason": "too warm", "search": search, "expected": 6})["id"]
        path = f"/api/trace/recalls/{recall}"
        self.must(operator, "POST", f"{path}/notices",
                  {"partner": self.partner, "how": "telephone"})
        self.must(shop, "POST", f"{path}/answer", {"missing": 1, "answer": "searched"})
        effect = self.must(operator, "GET", f"{path}/effectiveness")
        self.assertEqual((effect["items"], effect["in_stock"], effect["outstanding"],
                          effect["notified"], effect["reported_missing"]), (6, 6, 6, 1, 1))
        self.assertEqual(sum(one["count"] for one in effect["devices"]), 3)
        page = self.must(operator, "GET", f"{path}/page")
        self.assertIn(b"telephone", page)
        self.assertEqual(self.verdict(operator, items[5])[0], "recalled")
        self.assertEqual(self.verdict(operator, items[6])[0], "genuine")

    def check_work(self, operator, line, items):
        self.refused(line, "sample", place=self.plant, items=[items[0]])
        counted = self.must(operator, "POST", f"/api/trace/lots/{self.lot}/reconciliation",
                            {"commissioned": 11})
        self.assertEqual(counted["differences"],
                         [{"what": "commissioned", "here": 12, "counted": 11}])
        work = self.must(operator, "GET", "/api/trace/work")["items"]
        self.assertEqual([one["kind"] for one in work], ["line-refused", "not-balanced"])
        one = f"/api/trace/work/{work[0]['id']}"
        self.must(operator, "POST", f"{one}/assign", {"to": "quality"})
        self.assertEqual(self.must(operator, "POST", f"{one}/retry", {"reason": "x"})["closed"],
                         False)
        self.must(operator, "POST", f"{one}/resolve", {"reason": "scanned at the wrong place"})
        self.assertEqual(len(self.must(operator, "GET", "/api/trace/work")["items"]), 1)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
