#!/usr/bin/env python3
"""theriacd as a whole program: a lot of a thousand packs, strangers, crashes, and what files tell."""
import http.client
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import unittest

from site_of_tests import BIN, SiteTest, sscc

PACKS = 1000
IN_A_CASE = 100
KILLS = 4


class TraceTest(SiteTest):
    def test_a_lot_from_its_making_to_the_patient(self):
        self.start_keyd()
        self.start_server()
        self.wait_ready()
        self.make_master()
        operator, line, shop = (self.client(name) for name in ("operator", "line", "shop"))
        allocation = self.allocate(operator, PACKS)["id"]
        serials, sealed = self.numbers(allocation)
        self.assertEqual(len(set(serials)), PACKS)
        self.assertFalse([s for s in serials if s.encode() in sealed])
        items = [self.link(serial) for serial in serials]

        done = self.act(line, "commission", place=self.plant, lot=self.lot, items=items)
        self.assertEqual((done["done"], done["refused"]), (PACKS, []))
        cases = [sscc(n) for n in range(PACKS // IN_A_CASE)]
        for at, case in enumerate(cases):
            self.act(line, "pack", place=self.plant, container=case,
                     items=items[at * IN_A_CASE : (at + 1) * IN_A_CASE])
        where = self.must(operator, "POST", "/api/trace/items/where", {"item": items[0]})
        self.assertEqual((where["state"], where["containers"]), ("commissioned", [cases[0]]))
        self.act(operator, "ship", place=self.plant, to=self.shop, items=cases)
        self.act(shop, "receive", place=self.shop, items=cases)
        for case in cases:
            self.act(shop, "unpack", place=self.shop, container=case)
        self.assertEqual(self.act(shop, "dispense", place=self.shop, items=items)["done"], PACKS)
        # A second time nothing is dispensed, and it is said why.
        status, reply = shop.ask("POST", "/api/trace/acts", {
            "act": "dispense", "place": self.shop, "items": items[:3]}, "again",
            **{"Accept-Language": "zh"})
        self.assertEqual(status, 409)
        self.assertEqual({one["text"] for one in reply["refused"]}, {"该物品已发放或使用"})
        total = self.must(operator, "GET", f"/api/trace/lots/{self.lot}/reconciliation")
        self.assertEqual((total["issued"], total["commissioned"], total["adds_up"]),
                         (PACKS, PACKS, True))
        self.check_metrics(serials)
        self.assertEqual(self.stop("theriacd"), 0, self.logged("theriacd"))
        self.check_files(serials)
        self.run_program(f"{BIN}/theriac", "audit", "verify", self.path("audit"))

    def check_metrics(self, serials):
        status, text = self.health("/metrics")
        self.assertEqual(status, 200)
        self.assertIn('route="/api/trace/acts"', text)
        self.assertFalse([serial for serial in serials if serial in text])

    def check_files(self, serials):
        """No file of the site but its sealed ones' readers knows a serial; a planted one is found."""
        self.assertEqual(self.find_serials(serials), set())
        control = self.path("store", "control")
        with open(control, "w", encoding="utf-8") as file:
            file.write(f"xx{serials[-1]}xx")
        self.assertEqual(self.find_serials(serials), {control})
        os.remove(control)

    def test_strangers_and_wrong_roles_are_refused(self):
        self.start_keyd()
        self.start_server()
        self.wait_ready()
        self.make_master()
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            self.client(None).ask("GET", "/api/trace/products")
        os.makedirs(self.path("stranger"))
        self.run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=admin",
                         "-addext", "subjectAltName=URI:urn:theriac:role:trace-admin,"
                         "URI:urn:theriac:tenant:demo", "-keyout", self.path("stranger", "key.pem"),
                         "-out", self.path("stranger", "cert.pem"))
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            self.client("stranger").ask("GET", "/api/trace/products")
        old = self.client("viewer")
        old.context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            old.ask("GET", "/api/trace/products")
        for name, method, path, body in (
                ("gateway", "GET", "/api/trace/products", None),
                ("viewer", "POST", "/api/trace/acts", {"act": "ship"}),
                ("line", "POST", f"/api/trace/lots/{self.lot}/release", {"reason": "x"}),
                ("operator", "POST", "/api/trace/pools", {}),
                ("shop", "GET", "/api/trace/products", None)):
            status, reply = self.client(name).ask(method, path, body, "k")
            self.assertEqual((status, reply["code"]), (403, "Denied"), name)
        # A partner acts at its own places only.
        status, reply = self.client("shop").ask("POST", "/api/trace/acts", {
            "act": "receive", "place": self.plant, "items": [sscc(1)]}, "k2")
        self.assertEqual((status, reply["code"]), (403, "Denied"))
        self.assertEqual(self.stop("theriacd"), 0)
        listed = self.run_program("grep", "-rac", '"outcome":"denied"', self.path("audit"))
        counts = [int(line.rsplit(b":", 1)[1]) for line in listed.stdout.splitlines()]
        self.assertGreater(sum(counts), 0)

    def test_killed_in_the_middle_it_loses_and_doubles_nothing(self):
        self.start_keyd()
        self.start_server()
        self.wait_ready()
        self.make_master()
        operator = self.client("operator")
        allocated = self.allocate(operator, 400, "first")
        serials, _ = self.numbers(allocated["id"])
        items = [self.link(serial) for serial in serials]
        batches = [items[at : at + 10] for at in range(0, len(items), 10)]
        asked, answered = threading.Event(), []
        more = []

        def work():
            """Sends each batch under its key until it is answered, as a line would."""
            client = self.client("line")
            for number, batch in enumerate(batches):
                asked.set()
                answered.append(self.insist(client, "/api/trace/acts", {
                    "act": "commission", "place": self.plant, "lot": self.lot, "items": batch},
                    f"batch-{number}"))
                more.append(self.insist(self.client("operator"), "/api/trace/allocations", {
                    "pool": self.pool, "count": 3, "lot": self.lot, "place": self.plant},
                    f"more-{number}"))

        worker = threading.Thread(target=work)
        worker.start()
        chance = random.Random(7)
        pause = threading.Event()
        in_the_middle = 0
        for _ in range(KILLS):
            asked.clear()
            self.wait_until(lambda: asked.is_set() or not worker.is_alive(), "work")
            pause.wait(chance.random() / 5)
            in_the_middle += worker.is_alive()
            self.stop("theriacd", signal.SIGKILL)
            self.start_server()
            self.wait_ready()
        worker.join()
        self.assertGreater(in_the_middle, 0)
        operator = self.client("operator")
        self.assertEqual([one["done"] for one in answered], [10] * len(batches))
        # The replies, asked for again, are the same; nothing was allocated twice.
        self.assertEqual(self.allocate(operator, 400, "first"), allocated)
        self.assertEqual(len({one["id"] for one in more}), len(batches))
        pool = self.must(operator, "GET", f"/api/trace/pools/{self.pool}")
        self.assertEqual(pool["issued"], 400 + 3 * len(batches))
        total = self.must(operator, "GET", f"/api/trace/lots/{self.lot}/reconciliation")
        self.assertEqual((total["commissioned"], total["unused"]), (400, 3 * len(batches)))
        self.assertEqual(self.stop("theriacd"), 0)
        self.run_program(f"{BIN}/theriac", "audit", "verify", self.path("audit"))

    def test_it_says_what_is_missing_and_goes_on_when_it_is_there(self):
        self.start_server()
        status, text = self.health("/healthz")
        self.assertEqual((status, text), (200, '{"alive":true}'))
        self.wait_until(lambda: self.ready()[1]["store"] == "ok", "store")
        is_ready, said = self.ready()
        self.assertFalse(is_ready)
        self.assertEqual((said["audit"], said["ready"]), ("ok", False))
        self.assertNotEqual(said["keys"], "ok")
        status, reply = self.client("admin").ask("GET", "/api/trace/products")
        self.assertIn(status, (502, 503), reply)
        self.start_keyd()
        self.wait_ready()
        self.must(self.client("admin"), "GET", "/api/trace/products")
        document = self.must(self.client("viewer"), "GET", "/api/openapi.json")
        self.assertEqual(document["openapi"], "3.1.0")
        self.assertEqual(self.stop("theriacd"), 0)

    def test_an_address_that_is_taken_is_said(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.health_port))
            other.listen()
            done = subprocess.run([f"{BIN}/theriacd", "--config", self.path("theriacd.yaml")],
                                  capture_output=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)

    def test_the_configuration_is_checked(self):
        config = ["--config", self.path("theriacd.yaml"), "--check-config"]
        self.run_program(f"{BIN}/theriacd", *config)
        self.run_program(f"{BIN}/theriacd", *config, "--workers", "0", code=2)
        self.run_program(f"{BIN}/theriacd", "--check-config", code=2)
        with open(self.path("theriacd.yaml"), "a", encoding="utf-8") as file:
            file.write("unknown: 1\n")
        done = subprocess.run([f"{BIN}/theriacd", *config], capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"no setting is called unknown", done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
