"""The verdict of every test of a unittest suite, and what two runs have in common.

record() runs in the suite's own process and writes JSON: test -> {verdict, errors, text}.
compare() says what a run through the gateway did otherwise than the direct one.
"""
import collections
import json
import re
import unittest

# As psycopg2 names SQLSTATE 0A000 in a traceback.
REFUSAL = "FeatureNotSupported"
ERRORS = re.compile(r"psycopg2\.errors?\.?(\w*): (.*)")


class Recorder(unittest.TextTestResult):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.verdicts = {}

    def note(self, test, verdict, error=None):
        text = self._exc_info_to_string(error, test) if error else ""
        known = self.verdicts.get(test.id())
        if known and known["verdict"] != "ok":  # the first failure of subtests is the one that counts
            return
        self.verdicts[test.id()] = {"verdict": verdict, "errors": ERRORS.findall(text),
                                    "text": text[-6000:]}

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "ok")

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "error", err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "fail", err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.note(test, "fail", err)


def record(suite, path):
    result = unittest.TextTestRunner(verbosity=2, resultclass=Recorder).run(suite)
    with open(path, "w", encoding="utf-8") as out:
        json.dump(result.verdicts, out, indent=1, sort_keys=True)


def is_refusal(verdict):
    """It ended in our own refusal, and nothing else went wrong before."""
    return bool(verdict["errors"]) and verdict["errors"][0][0] == REFUSAL and \
        verdict["errors"][0][1].startswith("theriac: ")


def read_known(path):
    """Test -> what the gateway's answer contains. A line is `test<TAB>text`; # begins a comment."""
    lines = (line for line in path.read_text("utf-8").splitlines() if line and line[0] != "#")
    return dict(line.split("\t", 1) for line in lines)


def compare(direct, gateway, title, known):
    """Prints what differs. True if every test gave the direct verdict, or ended as `known` says."""
    same, refused, other = [], {}, {}
    for test in sorted(direct.keys() | gateway.keys()):
        here, there = direct.get(test), gateway.get(test)
        if here and there and here["verdict"] == there["verdict"]:
            same.append(test)
        elif here and there and is_refusal(there):
            refused[test] = there["errors"][0][1]
        else:
            other[test] = (here, there)
    counts = collections.Counter(v["verdict"] for v in direct.values())
    print(f"{title}: {len(direct)} tests directly ({dict(counts)}); through the gateway "
          f"{len(same)} the same, {len(refused)} refused, {len(other)} otherwise different")
    for text, count in collections.Counter(refused.values()).most_common():
        print(f"  {count} x {text}")
    good = True
    for test in [*refused, *other]:
        there = gateway.get(test)
        expected = test in known and there is not None and known[test] in there["text"]
        good &= expected
        print(f"  {'known' if expected else 'NEW'}: {test}")
        if not expected:
            print("    " + (there or direct[test])["text"].strip().replace("\n", "\n    "))
    for test in set(known) & set(same):
        print(f"  no longer different: {test}")
    return good
