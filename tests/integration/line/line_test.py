#!/usr/bin/env python3
"""A packaging line through folders: a shift online and without the server, kills, thieves, bad files."""
import datetime
import glob
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import unittest

from line_site import GTIN, LineTest
from site_of_tests import BIN, sscc

SHIFT = 5000
REQUEST = 500
IN_A_CASE = 100
KILLS = 20


class ShiftTest(LineTest):
    stock = 3000

    def make_packs(self, serials, first_case):
        """What a line does with some numbers: most good, a few rejected, sampled, unused."""
        good, rejected, sampled, unused = serials[:-4], serials[-4:-3], serials[-3:-2], serials[-2:]
        self.report({"act": "commission", "serials": good + sampled},
                    {"act": "reject", "serials": rejected},
                    {"act": "sample", "serials": sampled})
        for at in range(0, len(good), IN_A_CASE):
            self.report({"act": "pack", "container": sscc(first_case + at // IN_A_CASE)[-18:],
                         "serials": good[at : at + IN_A_CASE]})
        self.report({"act": "return", "serials": unused})
        return len(good)

    def test_a_shift_online_and_without_the_server(self):
        self.start_all()
        made, serials = 0, []
        while len(serials) < SHIFT // 2:
            some = self.get_numbers(REQUEST)
            made += self.make_packs(some, 10 * len(serials) // REQUEST)
            serials += some
        self.wait_sent()
        self.wait_until(lambda: self.left() >= SHIFT // 2, "the stock is not filled")
        online = self.reconciliation()
        self.assertEqual(online["commissioned"], made)

        self.stop("theriacd", signal.SIGKILL)
        while len(serials) < SHIFT:
            some = self.get_numbers(REQUEST)
            made += self.make_packs(some, 10 * len(serials) // REQUEST)
            serials += some
        self.assertEqual(len(set(serials)), SHIFT)
        self.assertGreater(self.status()["waiting"], 0)
        # Nothing on the disk of the line tells a number; a planted one is found.
        copy = self.copy_of_floor("stolen")
        self.assertEqual(self.files_with(serials, copy), set())
        with open(os.path.join(copy, "control"), "w", encoding="utf-8") as file:
            file.write(f"x{serials[7]}x")
        self.assertEqual(self.files_with(serials, copy), {os.path.join(copy, "control")})
        # When the stock is used up it is said, in both languages, and nothing else stops.
        name = self.ask_numbers(self.stock)
        self.wait_taken(name)
        text = self.reason(name)
        self.assertIn("StockEmpty", text)
        self.assertIn("无法连接服务器", text)

        self.start_server()
        self.wait_ready()
        self.wait_sent()
        self.assertEqual([one for one in self.refusals() if "call" in one], [])
        name = self.drop(self.order("close"))
        self.wait_taken(name)
        self.wait_sent()
        total = self.reconciliation()
        requests = SHIFT // REQUEST
        self.assertTrue(total["adds_up"])
        self.assertEqual((total["commissioned"], total["rejected"], total["sampled"]),
                         (made, requests, requests))
        self.assertEqual(total["unused"], 0)
        self.assertEqual(total["returned"], total["issued"] - made - 2 * requests)
        # With its own time of event, from when the server was not there.
        item = self.must(self.client("operator"), "POST", "/api/trace/items/where",
                         {"item": self.link(serials[-5])})
        self.assertEqual((item["state"], len(item["containers"])), ("commissioned", 1))
        self.assertEqual(self.stop("shop-floor"), 0, self.logged("shop-floor"))
        self.assertEqual(self.stop("theriacd"), 0)
        self.assertEqual(self.files_with(serials, self.path("store"), self.path("audit")), set())


class KillTest(LineTest):
    stock = 400

    def test_killed_at_random_it_doubles_and_loses_nothing(self):
        self.start_all()
        serials, stop = [], threading.Event()

        def work():
            while not stop.is_set():
                some = self.get_numbers(10)
                serials.extend(some)
                self.report({"act": "commission", "serials": some})

        worker = threading.Thread(target=work)
        worker.start()
        chance, pause = random.Random(11), threading.Event()
        try:
            for _ in range(KILLS):
                self.wait_until(lambda seen=len(serials): len(serials) > seen, "work")
                pause.wait(chance.random() / 4)
                self.kill_line()
                self.start_line()
            self.wait_until(lambda seen=len(serials): len(serials) > seen, "work")
        finally:
            stop.set()
            worker.join()
        self.wait_sent()
        self.assertEqual(len(serials), len(set(serials)), "a number was given twice")
        self.assertEqual([one for one in self.refusals()], [])
        total = self.reconciliation()
        self.assertEqual((total["commissioned"], total["adds_up"]), (len(serials), True))
        self.wait_taken(self.drop(self.order("close")))
        self.wait_sent()
        total = self.reconciliation()
        self.assertEqual((total["commissioned"], total["unused"]), (len(serials), 0))

    def test_the_server_killed_in_the_middle_gets_each_report_once(self):
        self.start_all()
        serials = self.get_numbers(300)
        chance, pause = random.Random(5), threading.Event()
        for at in range(0, 300, 10):
            self.report({"act": "commission", "serials": serials[at : at + 10]})
            if at % 60 == 0:
                pause.wait(chance.random() / 5)
                self.stop("theriacd", signal.SIGKILL)
                self.start_server()
        self.wait_ready()
        self.wait_sent()
        self.assertEqual(self.refusals(), [])
        self.assertEqual(self.reconciliation()["commissioned"], 300)


class BadInputTest(LineTest):
    stock = 100

    def refused(self, name, reason):
        self.wait_taken(name)
        self.assertIn(reason, self.reason(name))

    def test_bad_files_are_refused_and_stop_nothing(self):
        self.start_all()
        good = self.get_numbers(5)
        cases = [("not JSON", "BadJson"), (b'{"ask":"\xff"}', "NotUtf8"), ("[]", "BadJson"),
                 ('{"ask":"numbers","ask":"open"}', "BadJson"),
                 ({"ask": "steal", "gtin": GTIN, "lot": "LOT1A"}, "BadAsk"),
                 (self.order("numbers", count=0), "BadCount"),
                 (self.order("numbers", count=100_001), "BadCount"),
                 (self.order("numbers", count=1, more=1), "BadMember"),
                 ({"ask": "numbers", "gtin": "09506000134353", "lot": "LOT1A", "count": 1},
                  "BadGtin"),
                 (self.order("numbers", "LOT 9", count=1), "BadLot"),
                 (self.order("numbers", "OTHER", count=1), "LotUnknown"),
                 (self.order("report", events=[{"act": "ship", "serials": ["A"]}]), "BadAct"),
                 (self.order("report", events=[{"act": "return", "serials": ["A"]}]), "NotOurs")]
        for content, reason in cases:
            self.refused(self.drop(content), reason)
        self.refused(self.drop("ask,gtin\nx", ".csv"), "BadCsv")
        self.refused(self.drop("hello", ".txt"), "UnknownForm")
        self.refused(self.drop(b" " * (16 << 20) + b"{}"), "TooLarge")
        os.symlink("/etc/passwd", self.floor("in", "link.json"))
        self.refused("link.json", "NotAFile")
        self.assertTrue(any(os.path.islink(self.floor("refused", one)) for one in self.refusals()))
        os.mkdir(self.floor("in", "folder.json"))
        self.refused("folder.json", "NotAFile")
        os.mkfifo(self.floor("in", "pipe.json"))
        self.refused("pipe.json", "NotAFile")
        self.drop("{}", name="a b.json")
        self.wait_taken("a b.json")
        self.assertIn("BadName", self.reason("unnamed."))
        # Half written: under a hidden name it is left alone.
        with open(self.floor("in", "slow.json.tmp"), "w", encoding="utf-8") as file:
            file.write("{")
        # What was refused is sealed: the line's key opens it.
        sealed = [one for one in self.refusals() if one.endswith(".p7m")][0]
        with open(self.floor("refused", sealed), "rb") as file:
            opened = self.run_program("openssl", "cms", "-decrypt", "-inform", "DER", "-recip",
                                      self.path("line", "cert.pem"), "-inkey",
                                      self.path("line", "key.pem"), stdin=file.read())
        self.assertEqual(opened.stdout, b"not JSON")
        # What only the server can refuse comes back as a file, and is work for a person.
        self.report({"act": "commission", "serials": good})
        again = self.report({"act": "commission", "serials": good[:2] + ["NEVERISSUED1"]})
        self.wait_sent()
        text = self.reason(f"{again}.call-")
        self.assertIn("item 1: AlreadyCommissioned", text)
        self.assertIn("item 3: NeverIssued", text)
        self.assertIn("该编码从未发放", text)
        self.assertTrue(os.path.exists(self.floor("in", "slow.json.tmp")))
        self.assertEqual(self.files_with(good, self.floor()), set())
        self.assertEqual(len(self.get_numbers(5)), 5)

    def test_the_same_file_twice_is_done_once(self):
        self.start_all()
        name = self.ask_numbers(7)
        self.wait_taken(name)
        first = self.take_answer(name)
        self.drop(self.order("numbers", count=7), name=name)
        self.wait_taken(name)
        self.assertFalse(os.path.exists(self.floor("out", name)))
        report = self.order("report", events=[{"act": "commission", "serials": first}])
        for _ in range(2):
            self.wait_taken(self.drop(report, name="report.json"))
        self.wait_sent()
        self.assertEqual(self.refusals(), [])
        self.assertEqual(self.reconciliation()["commissioned"], 7)
        # An answer that nobody took goes when its numbers are reported.
        name = self.drop(f"ask,gtin,lot,count\r\nnumbers,{GTIN},LOT1A,3\r\n", ".csv")
        self.wait_taken(name)
        with open(self.floor("out", name), encoding="utf-8", newline="") as file:
            rows = file.read().splitlines()[1:]
        # Under its name no other answer is given, which would cover it.
        self.wait_taken(self.drop(f"ask,gtin,lot,count\r\nnumbers,{GTIN},LOT1A,4\r\n", name=name))
        self.assertIn("NameTaken", self.reason(name))
        lines = ["act,gtin,lot,serial"] + \
            [f"commission,{GTIN},LOT1A,{row.split(',')[2]}" for row in rows]
        self.wait_taken(self.drop("\n".join(lines) + "\n", ".csv"))
        self.assertFalse(os.path.exists(self.floor("out", name)))


class AdversityTest(LineTest):
    stock = 200

    def test_another_certificate_opens_nothing_and_gets_nothing(self):
        self.keyd("enrol", "--name", "line-2", "--role", "trace-line", "--out", self.path("line-2"))
        self.start_all()
        serials = self.get_numbers(20)
        self.stop("shop-floor")
        self.copy_of_floor("stolen")
        self.write_line_config("line-2", "stolen")
        done = subprocess.run([f"{BIN}/theriac", "line", "run", "--config", self.path("stolen.yaml")],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"NotAuthentic", done.stderr)
        self.assertEqual(self.files_with(serials, self.path("stolen")), set())
        # Nor does the server let it act, draw or take at a place that does not name it.
        other = self.client("line-2")
        for path, body in (
                ("/api/trace/lines/draw", {"lot": self.lot, "place": self.plant, "count": 1}),
                ("/api/trace/allocations/1/handover", {}),
                ("/api/trace/allocations/1/return", {"serials": serials[:1]}),
                ("/api/trace/acts", {"act": "commission", "lot": self.lot, "place": self.plant,
                                     "items": [self.link(serials[0])]})):
            status, reply = other.ask("POST", path, body, path)
            self.assertEqual((status, reply["code"]), (403, "Denied"), path)

    def test_a_clock_set_back_and_a_stock_too_old(self):
        self.start_all()
        self.get_numbers(20)
        self.wait_until(lambda: self.left() >= 100, "the stock is not filled")
        self.stop("shop-floor")
        self.stop("theriacd", signal.SIGKILL)
        for shift, reason in (("-2h", "ClockMoved"), ("+25h", "StockTooOld")):
            self.start_shifted(shift)
            name = self.ask_numbers(1)
            self.wait_taken(name)
            self.assertIn(reason, self.reason(name))
            self.stop("shop-floor")
        # The clock is right again and the server there: it goes on, what is left of the stock too.
        self.start_server()
        self.wait_ready()
        self.start_line()
        self.wait_until(lambda: self.status()["contact"] != "" and
                        not self.status()["trouble"], "no contact")
        self.get_numbers(1)

    def start_shifted(self, shift):
        """Under faketime, where it is installed, only the wall clock moves."""
        library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not library:
            self.skipTest("faketime is not installed")
        self.start_line(env={**os.environ, "LD_PRELOAD": library[0], "FAKETIME": shift,
                             "FAKETIME_DONT_FAKE_MONOTONIC": "1"})

    def test_a_full_disk_loses_nothing(self):
        self.start_all()
        first = self.get_numbers(5)
        self.wait_until(lambda: self.left() >= 100, "the stock is not filled")
        self.stop("shop-floor")
        self.start_line(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                              (1000, resource.RLIM_INFINITY)))
        name = self.ask_numbers(60)
        self.wait_until(lambda: any(word in self.logged("shop-floor")
                                    for word in ("line.trouble", "line.look", "DiskFull", "Io")),
                        "no trouble")
        self.assertFalse(self.taken(name))
        self.kill_line()
        self.start_line()
        self.wait_taken(name)
        serials = first + self.take_answer(name)
        self.assertEqual(len(set(serials)), 65)
        self.report({"act": "commission", "serials": serials})
        self.wait_sent()
        self.assertEqual(self.reconciliation()["commissioned"], 65)

    def test_its_events_keep_their_time(self):
        self.start_all()
        serials = self.get_numbers(4)
        now = datetime.datetime.now(datetime.timezone.utc)
        text = lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")
        at = text(now - datetime.timedelta(minutes=2))
        self.report({"act": "commission", "serials": serials[:1], "when": at})
        late = self.report({"act": "commission", "serials": serials[1:2],
                            "when": text(now - datetime.timedelta(days=8))})
        ahead = self.report({"act": "commission", "serials": serials[2:3],
                             "when": text(now + datetime.timedelta(hours=1))})
        early = self.report({"act": "commission", "serials": serials[3:4],
                             "when": text(now - datetime.timedelta(hours=3))})
        self.wait_sent()
        item = self.must(self.client("operator"), "POST", "/api/trace/items/where",
                         {"item": self.link(serials[0])})
        self.assertEqual(item["changed"][:19] + "Z", at)
        for name, reason in ((late, "TooLongAgo"), (ahead, "InTheFuture"), (early, "BeforeIssued")):
            self.assertIn(reason, self.reason(f"{name}.call-"))

    def test_it_is_alone_and_says_what_is_wrong_with_its_settings(self):
        self.start_all()
        self.get_numbers(1)
        run = [f"{BIN}/theriac", "line", "run", "--config", self.path("shop-floor.yaml")]
        done = subprocess.run(run, capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Busy", done.stderr)
        text = self.run_program(f"{BIN}/theriac", "line", "status", *run[3:]).stdout.decode()
        self.assertIn("last heard of", text)
        self.write_line_config(folder="nowhere")
        done = subprocess.run([f"{BIN}/theriac", "line", "status", "--config",
                               self.path("nowhere.yaml")], capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertFalse(os.path.exists(self.path("nowhere")))
        self.write_line_config(folder="wrong", stock=0)
        done = subprocess.run([*run[:4], self.path("wrong.yaml")], capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"PolicyInvalid", done.stderr)
        self.assertEqual(self.stop("shop-floor"), 0)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
