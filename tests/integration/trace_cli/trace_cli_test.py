#!/usr/bin/env python3
"""theriac trace verify as a whole program: every verdict, both languages, every way in, every fault."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "trace"))
from site_of_tests import BIN, SiteTest  # noqa: E402

PACKS = 6


class TraceCliTest(SiteTest):
    def setUp(self):
        super().setUp()
        self.start_keyd()
        self.start_server()
        self.wait_ready()

    def verify(self, *arguments, who="viewer", stdin="", **environment):
        """(exit code, lines of output, errors)."""
        done = subprocess.run(
            [f"{BIN}/theriac", "trace", "verify", *arguments], input=stdin, capture_output=True,
            text=True, check=False, env={
                **os.environ, "LC_ALL": "C.UTF-8", "THERIAC_SERVER": f"127.0.0.1:{self.port}",
                "THERIAC_CERT": self.path(who), "THERIAC_SERVER_CA": self.path("tls.crt"), **environment})
        return done.returncode, done.stdout.splitlines(), done.stderr

    def make_packs(self):
        self.make_master()
        serials, _ = self.numbers(self.allocate(self.client("operator"), PACKS)["id"])
        items = [self.link(serial) for serial in serials]
        self.act(self.client("line"), "commission", place=self.plant, lot=self.lot, items=items)
        return serials, items

    def test_verdicts_in_every_form_and_both_languages(self):
        serials, items = self.make_packs()
        one = serials[0]
        forms = [self.link(one), f"(01)09506000134352(21){one}", f"]d20109506000134352" f"21{one}",
                 f"]d20109506000134352" f"10LOT1A\x1d21{one}", f"urn:epc:id:sgtin:9506000.013435.{one}"]
        for form in forms:
            self.assertEqual(self.verify(form)[:2], (0, ["    1  genuine: it may be given to a patient"]), form)
        code, lines, _ = self.verify(items[0], items[1])
        self.assertEqual((code, lines[-1]), (0, "2 scans, 2 genuine"))
        self.act(self.client("operator"), "decommission", place=self.plant, items=[items[1]], reason="test")
        wrong = f"]d20109506000134352" f"10OTHER\x1d21{one}"
        scans = [items[0], items[1], self.link("NEVERISSUED1"), "no code at all", wrong]
        code, lines, said = self.verify("-", "--json", stdin="\r\n".join(scans))
        self.assertEqual((code, said), (1, ""))
        self.assertEqual([json.loads(line)["verdict"] for line in lines],
                         ["genuine", "wrong-state", "unknown", "unknown", "suspicious"])
        self.assertFalse([line for line in lines if one in line])
        code, lines, _ = self.verify(*scans)
        self.assertIn("(alarm raised)", lines[4])
        self.assertEqual((code, lines[-1]), (1, "5 scans, 1 genuine"))
        code, lines, _ = self.verify(*scans, LC_ALL="", LC_MESSAGES="", LANG="zh_CN.UTF-8")
        self.assertEqual((code, lines[0], lines[-1]), (1, "    1  真品：可以发放", "共 5 次扫描，1 件为真品"))

    def test_two_places_give_a_copy_away(self):
        _, items = self.make_packs()
        with open(self.path("scans"), "w", encoding="utf-8") as file:
            file.write(f"{items[0]}\n\n{items[1]}\n")
        self.assertEqual(self.verify("--file", self.path("scans"), "--place", "9506000140018")[0], 0)
        code, lines, _ = self.verify(items[0], "--place", "9506000140001", "--json")
        self.assertEqual((code, json.loads(lines[0])["reason"]), (1, "two-places"))
        # A partner learns the verdict alone, and is at its own places only.
        code, lines, _ = self.verify(items[0], "--json", who="shop")
        self.assertEqual(set(json.loads(lines[0])), {"at", "text", "verdict"})
        code, lines, said = self.verify(items[0], "--place", "9506000140018", who="shop")
        self.assertEqual((code, lines), (1, []))
        self.assertIn("Denied", said)
        for place in ("9506000149998", "nonsense", "9506000140018.W1"):
            code, lines, said = self.verify(items[0], "--place", place)
            self.assertEqual((code, lines), (1, []), place)
            self.assertIn("--place", said)

    def test_who_guesses_is_stopped(self):
        self.make_packs()
        guesses = "".join(f"{self.link(f'GUESS{i:07}')}\n" for i in range(103))
        code, lines, said = self.verify("--file", "-", "--json", stdin=guesses)
        self.assertEqual((code, len(lines)), (1, 100))
        self.assertIn("asks to wait 3600 s", said)
        self.assertEqual(said.count("\n"), 1)
        self.assertNotIn("GUESS", said)

    def test_a_scanner_may_rest_and_the_server_may_be_started_again(self):
        _, items = self.make_packs()
        process = subprocess.Popen(
            [f"{BIN}/theriac", "trace", "verify", "-", "--json"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={
                **os.environ, "THERIAC_SERVER": f"127.0.0.1:{self.port}", "THERIAC_CERT": self.path("viewer"),
                "THERIAC_SERVER_CA": self.path("tls.crt")})
        self.addCleanup(process.stdout.close)

        def scan(item):
            process.stdin.write(item + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())["verdict"]

        self.assertEqual(scan(items[0]), "genuine")
        self.stop("theriacd")
        self.start_server()
        self.wait_ready()
        self.assertEqual(scan(items[1]), "genuine")
        process.stdin.close()
        self.assertEqual(process.wait(), 0)

    def test_faults_are_one_line_and_their_exit_code(self):
        scan = self.link("A")
        self.assertEqual(self.verify()[0], 2)
        self.assertEqual(self.verify(scan, "--server", "nonsense")[0], 2)
        self.assertEqual(self.verify("x" * 8193)[0], 1)
        shutil.copytree(self.path("viewer"), self.path("foreign"))
        self.run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-nodes", "-days", "1", "-subj", "/CN=viewer", "-keyout", self.path("foreign", "key.pem"),
                         "-out", self.path("foreign", "cert.pem"))
        for arguments, who, expected in (
                ((scan,), "foreign", ""), ((scan,), "gateway", "Denied"), ((scan,), "nobody", ""),
                ((scan, "--server-ca", self.path("viewer", "ca.pem")), "viewer", "BadCertificate"),
                ((scan, "--server", f"127.0.0.1:{self.health_port}"), "viewer", ""),
                ((scan, "--file", self.path("none")), "viewer", "NotFound")):
            code, lines, said = self.verify(*arguments, who=who)
            self.assertEqual((code, lines), (1, []), said)
            self.assertIn(f"theriac trace verify: {expected}", said)
            self.assertEqual(said.count("\n"), 1, said)
        self.stop("theriacd")
        code, _, said = self.verify(scan)
        self.assertEqual(code, 1)
        self.assertIn("theriac trace verify: Upstream: theriacd cannot be reached", said)

    def test_help_says_who_can_see_arguments(self):
        _, lines, _ = self.verify("--help")
        self.assertIn("visible to others", " ".join(" ".join(lines).split()))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
