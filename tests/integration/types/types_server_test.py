#!/usr/bin/python3
"""What src/pgwire makes of a value is what PostgreSQL 15 makes of it: the same is accepted, and it
prints, sends and compares the same. Refusing what the server takes is allowed for dates and times in
forms that the reader's header does not list (datetime_read.hpp), and for nothing else; taking what
the server refuses is never allowed.

usage: types_server_test.py BRIDGE [SEED]
"""
import collections
import random
import subprocess
import sys
import unittest

import generate
import private_server
from libpq import Connection, ServerError

OIDS = {"text": 25, "varchar": 1043, "bpchar": 1042, "int2": 21, "int4": 23, "int8": 20,
        "numeric": 1700, "date": 1082, "timestamp": 1114, "timestamptz": 1184, "float8": 701,
        "bool": 16, "unknown": 705}
SHOWN = 20  # of each test's differences
STYLES = ["ISO,MDY", "ISO,DMY", "ISO,YMD", "SQL,MDY", "SQL,DMY", "Postgres,MDY", "Postgres,DMY",
          "Postgres,YMD", "German,DMY"]
ZONES = ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Dublin", "Australia/Lord_Howe",
         "Asia/Kolkata", "UTC+8", "<+0530>-5:30", "Africa/Monrovia", "Pacific/Apia", "CET"]


def shown(value):
    return value if len(value) < 80 else value[:77] + b"..."


class Bridge:
    def __init__(self, program):
        self.program = program

    def ask(self, lines):
        done = subprocess.run([self.program], input="\n".join(lines) + "\n", text=True,
                              stdout=subprocess.PIPE, check=True)
        answers = done.stdout.splitlines()
        assert len(answers) == len(lines), "the bridge lost a line"
        return [answer.split() for answer in answers]


def question(act, column, modifier, sent, binary, style, zone, value):
    return (f"{act} {OIDS[column]} {modifier} {OIDS[sent] if sent else 0} {int(binary)} "
            f"{style} {zone} {value.hex() or '-'}")


def unhex(field):
    return b"" if field == "-" else bytes.fromhex(field)


Case = collections.namedtuple("Case", "column typmod_sql modifier sent binary style zone value must",
                              defaults=[True])


class Comparison(unittest.TestCase):
    """One server and one random sequence for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.server = private_server.PrivateServer().__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.database = Connection(f"host={cls.server.folder} port={cls.server.port} user=postgres "
                                  "dbname=postgres client_encoding=UTF8")
        cls.addClassCleanup(cls.database.close)
        cls.database.run("set client_min_messages to warning")
        cls.bridge = Bridge(BRIDGE)
        cls.tables = {}
        cls.session = (None, None)

    def use(self, style, zone):
        if self.session != (style, zone):
            self.database.run(f"set datestyle to {style}")
            self.database.run(f"set timezone to '{zone}'")
            Comparison.session = (style, zone)

    def table(self, column_type):
        if column_type not in self.tables:
            name = f"t{len(self.tables)}"
            self.database.run(f"create temporary table {name} (c {column_type})")
            Comparison.tables[column_type] = name
        return self.tables[column_type]

    def ask_server(self, case):
        self.use(case.style, case.zone)
        table = self.table(case.column + case.typmod_sql)
        try:
            sql = (f"insert into {table} values ($1) returning c, "
                   f"encode({case.column}send(c), 'hex')" if case.column in ("text", "varchar", "bpchar") else
                   f"insert into {table} values ($1) returning c, "
                   f"encode({case.column}{'_' if case.column not in ('int2', 'int4', 'int8') else ''}"
                   f"send(c), 'hex')")
            [[text, binary]] = self.database.run(sql, case.value,
                                                 OIDS[case.sent] if case.sent else 0, case.binary)
            return text, bytes.fromhex(binary.decode())
        except ServerError as error:
            return error

    def compare(self, cases, expect_both=0.2):
        answers = self.bridge.ask([question("stored", c.column, c.modifier, c.sent, c.binary,
                                            c.style, c.zone, c.value) for c in cases])
        tally = collections.Counter()
        wrong = []
        for case, ours in zip(cases, answers):
            theirs = self.ask_server(case)
            if isinstance(theirs, ServerError):
                tally["both refuse" if ours[0] == "error" else "WRONGLY TAKEN"] += 1
                if ours[0] == "error":
                    tally[f"  {theirs.sqlstate} for our {ours[2]}"] += 1
                else:
                    wrong.append((case, str(theirs), unhex(ours[2])))
            elif ours[0] == "error":
                if not case.must or generate.is_listed_difference(case, theirs[0]):
                    tally["refused as documented"] += 1
                else:
                    tally["WRONGLY REFUSED"] += 1
                    wrong.append((case, theirs[0], " ".join(ours)))
            elif (unhex(ours[2]), unhex(ours[3])) == theirs:
                tally["same"] += 1
            else:
                tally["DIFFERENT"] += 1
                wrong.append((case, theirs, (unhex(ours[2]), unhex(ours[3]))))
        print(f"\n{self.id().split('.')[-1]}: {len(cases)} cases, {dict(tally)}")
        for case, theirs, mine in RANDOM.sample(wrong, min(len(wrong), SHOWN)):
            print(f"  {case.column}{case.typmod_sql} sent as {case.sent} binary={case.binary} "
                  f"{case.style} {case.zone} {shown(case.value)!r}\n    server: {theirs}\n"
                  f"    ours:   {mine}")
        self.assertEqual(len(wrong), 0)
        self.assertGreaterEqual(tally["same"], expect_both * len(cases),
                                "too few values that both accept: the test would show little")

    # --- one column type after the other -------------------------------------------------------

    def test_text(self):
        cases = [Case("text", "", -1, sent, binary, "ISO,MDY", "UTC", value)
                 for value in generate.texts(RANDOM, 400)
                 for sent, binary in [(None, False), ("text", True), ("varchar", False),
                                      ("bpchar", False), ("bpchar", True)]]
        self.compare(cases)

    def test_varchar(self):
        cases = [Case(column, f"({n})", n + 4, sent, binary, "ISO,MDY", "UTC", value)
                 for column in ("varchar", "bpchar")
                 for value in generate.texts(RANDOM, 300) for n in (1, 5, 12)
                 for sent, binary in [(None, False), ("text", True), ("bpchar", False)]]
        self.compare(cases)

    def test_integers(self):
        cases = []
        for column in ("int2", "int4", "int8"):
            cases += [Case(column, "", -1, sent, False, "ISO,MDY", "UTC", value)
                      for value in generate.integers(RANDOM, 500)
                      for sent in (None, "int2", "int4", "int8", "numeric")]
            cases += [Case(column, "", -1, sent, True, "ISO,MDY", "UTC", value)
                      for sent, size in (("int2", 2), ("int4", 4), ("int8", 8))
                      for value in generate.binary_integers(RANDOM, size, 200)]
            cases += [Case(column, "", -1, "numeric", False, "ISO,MDY", "UTC", value)
                      for value in generate.numerics(RANDOM, 300)]
        self.compare(cases)

    NUMERIC_TYPES = [("", -1), ("(10,2)", (10 << 16 | 2) + 4), ("(5)", (5 << 16) + 4),
                     ("(3,-2)", (3 << 16 | (-2 & 0x7ff)) + 4), ("(2,5)", (2 << 16 | 5) + 4),
                     ("(1000,1000)", (1000 << 16 | 1000) + 4)]

    def test_numeric_text(self):
        cases = [Case("numeric", sql, modifier, sent, False, "ISO,MDY", "UTC", value)
                 for value in generate.numerics(RANDOM, 900) for sql, modifier in self.NUMERIC_TYPES
                 for sent in (None, "numeric")]
        cases += [Case("numeric", sql, modifier, sent, False, "ISO,MDY", "UTC", value)
                  for value in generate.integers(RANDOM, 200) for sql, modifier in self.NUMERIC_TYPES
                  for sent in ("int2", "int8")]
        self.compare(cases)

    def test_numeric_binary(self):
        cases = [Case("numeric", sql, modifier, None, True, "ISO,MDY", "UTC", value)
                 for value in generate.binary_numerics(RANDOM, 1500)
                 for sql, modifier in self.NUMERIC_TYPES]
        self.compare(cases)

    def test_date(self):
        cases = [Case("date", "", -1, sent, False, RANDOM.choice(STYLES), RANDOM.choice(ZONES),
                      value, must)
                 for value, must in generate.moments(RANDOM, 12000)
                 for sent in [RANDOM.choice((None, None, "date", "timestamp", "timestamptz"))]]
        cases.sort(key=lambda c: (c.style, c.zone))
        self.compare(cases)

    def test_timestamptz(self):
        cases = [Case("timestamptz", sql, modifier, sent, False, RANDOM.choice(STYLES),
                      RANDOM.choice(ZONES), value, must)
                 for value, must in generate.moments(RANDOM, 16000)
                 for sql, modifier in [RANDOM.choice([("", -1), ("", -1), ("(0)", 0), ("(3)", 3)])]
                 for sent in [RANDOM.choice((None, None, "timestamptz", "date", "timestamp"))]]
        cases.sort(key=lambda c: (c.style, c.zone))
        self.compare(cases)

    def test_moments_binary(self):
        cases = []
        for column in ("date", "timestamptz"):
            for sent, size in (("date", 4), ("timestamp", 8), ("timestamptz", 8)):
                cases += [Case(column, "", -1, sent, True, RANDOM.choice(STYLES),
                               RANDOM.choice(ZONES), value)
                          for value in generate.binary_moments(RANDOM, size, 700)]
        cases.sort(key=lambda c: (c.style, c.zone))
        self.compare(cases)

    def test_other_types_into_text(self):
        sure = [(value, True) for value in generate.integers(RANDOM, 100)]
        decimals = [(value, True) for value in generate.numerics(RANDOM, 200)]
        cases = [Case("varchar", "(40)", 44, sent, False, RANDOM.choice(STYLES),
                      RANDOM.choice(ZONES), value, must)
                 for sent, values in [("int4", sure), ("numeric", decimals),
                                      ("date", generate.moments(RANDOM, 600)),
                                      ("timestamp", generate.moments(RANDOM, 600)),
                                      ("timestamptz", generate.moments(RANDOM, 600))]
                 for value, must in values]
        cases.sort(key=lambda c: (c.style, c.zone))
        self.compare(cases)

    def test_types_without_cast(self):
        """Where the server has no assignment cast, nothing is taken."""
        values = {"text": b"7", "varchar": b"7", "bpchar": b"7", "int4": b"7", "numeric": b"7",
                  "date": b"2026-11-21", "timestamp": b"2026-11-21", "timestamptz": b"2026-11-21",
                  "bool": b"t", "float8": b"7"}
        taken = 0
        for column in ("text", "varchar", "int4", "numeric", "date", "timestamptz"):
            for sent, value in values.items():
                case = Case(column, "", -1, sent, False, "ISO,MDY", "UTC", value)
                [ours] = self.bridge.ask([question("stored", column, -1, sent, False, "ISO,MDY",
                                                   "UTC", value)])
                theirs = self.ask_server(case)
                with self.subTest(column=column, sent=sent):
                    if isinstance(theirs, ServerError):
                        self.assertEqual(ours[0], "error")
                    elif sent not in ("bool", "float8"):  # documented: never taken
                        self.assertEqual(ours[0], "ok")
                        taken += 1
        self.assertGreater(taken, 15)

    # --- zones -----------------------------------------------------------------------------------

    def test_every_zone(self):
        """All zones of the server, at moments around changes of their rules and far away."""
        zones = [row[0].decode() for row in self.database.run(
            "select name from pg_timezone_names where name !~ '^(posix/|localtime|posixrules)'")]
        zones += ["UTC+8", "<+08>-08", "CET-1CEST,M3.5.0,M10.5.0/3", "8", "-3.5", "FOO5BAR",
                  "AAA3BBB,J60/2,J300", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "X0Y,0/0,J365/23",
                  "NZST-12NZDT,M9.5.0,M4.1.0/3"]
        self.assertGreater(len(zones), 500)
        moments = generate.zone_moments(RANDOM)
        lines, expected = [], []
        for zone in zones:
            style = RANDOM.choice(STYLES)
            locals_ = moments + generate.near_changes(RANDOM)
            self.use(style, zone)
            array = "{" + ",".join(f'"{m}"' for m in locals_) + "}"
            # As ISO: what a local time means. As printed: offsets or abbreviations.
            rows = self.database.run(
                "select m::timestamptz, extract(epoch from m::timestamptz)::text "
                "from unnest($1::text[]) m", array.encode(), 0)
            for moment, row in zip(locals_, rows):
                lines.append(question("stored", "timestamptz", -1, None, False, style, zone,
                                      moment.encode()))
                expected.append((zone, style, moment, row[0]))
        wrong = [(e, unhex(a[2]) if a[0] == "ok" else a)
                 for e, a in zip(expected, self.bridge.ask(lines))
                 if a[0] != "ok" or unhex(a[2]) != e[3]]
        print(f"\nzones: {len(zones)}, moments: {len(lines)}, different: {len(wrong)}")
        for item in wrong[:20]:
            print("  ", item)
        self.assertEqual(len(wrong), 0)

    # --- comparing -------------------------------------------------------------------------------

    def test_equality(self):
        """Equal forms exactly where the server says "=" between column and parameter."""
        zone, style = "America/New_York", "ISO,MDY"
        self.use(style, zone)
        numbers = generate.near_numbers(RANDOM)
        days = generate.near_moments(RANDOM)
        plan = [("text", "text", generate.near_texts(RANDOM)),
                ("varchar", "text", generate.near_texts(RANDOM)),
                ("text", "bpchar", generate.near_texts(RANDOM)),
                ("varchar", "bpchar", generate.near_texts(RANDOM)),
                ("varchar", None, generate.near_texts(RANDOM)),
                ("bpchar", None, generate.near_texts(RANDOM)),
                ("bpchar", "text", generate.near_texts(RANDOM)),
                ("bpchar", "bpchar", generate.near_texts(RANDOM))]
        plan += [(column, sent, numbers) for column in ("int2", "int4", "int8", "numeric")
                 for sent in (None, "int2", "int4", "int8", "numeric")]
        plan += [(column, sent, days) for column in ("date", "timestamptz")
                 for sent in (None, "date", "timestamp", "timestamptz")]
        pairs = equal = 0
        for column, sent, values in plan:
            table = f"e_{column}"
            self.database.run(f"drop table if exists {table}")
            self.database.run(f"create temporary table {table} (c {column})")
            kept = []
            for value in values:
                try:
                    [[text]] = self.database.run(f"insert into {table} values ($1) returning c",
                                                 value, 0)
                except ServerError:
                    continue
                kept.append((value, text))
            stored = self.bridge.ask([question("stored", column, -1, None, False, style, zone, v)
                                      for v, _ in kept])
            by_text = {text: answer[4] for (_, text), answer in zip(kept, stored)}
            asked = self.bridge.ask([question("comparand", column, -1, sent, False, style, zone, v)
                                     for v in values])
            for value, answer in zip(values, asked):
                try:
                    rows = self.database.run(f"select c, c = $1 from {table}", value,
                                             OIDS[sent] if sent else 0)
                except ServerError:
                    self.assertEqual(answer[0], "error", (column, sent, value))
                    continue
                if answer[0] == "error":
                    self.assertTrue(generate.is_documented_comparand_refusal(column, sent),
                                    (column, sent, value, answer))
                    continue
                for text, same in rows:
                    pairs += 1
                    equal += same == b"t"
                    self.assertEqual(by_text[text] == answer[4], same == b"t",
                                     (column, text, sent, value, by_text[text], answer))
        print(f"\nequality: {pairs} pairs, {equal} of them equal")
        self.assertGreater(equal, 1000)
        self.assertGreater(pairs - equal, 10000)

    def test_render_refuses_what_was_never_stored(self):
        """Only the server's own print of a value, in ISO and UTC, is a stored form."""
        taken = 0
        lines, values = [], []
        for column, texts in [("int4", generate.integers(RANDOM, 300)),
                              ("numeric", generate.numerics(RANDOM, 300)),
                              ("date", [v for v, _ in generate.moments(RANDOM, 300)]),
                              ("timestamptz", [v for v, _ in generate.moments(RANDOM, 300)])]:
            for value in texts:
                values.append((column, value))
                lines.append(question("render", column, -1, None, False, "ISO,MDY", "UTC", value))
        for (column, value), answer in zip(values, self.bridge.ask(lines)):
            case = Case(column, "", -1, None, False, "ISO,MDY", "UTC", value)
            theirs = self.ask_server(case)
            is_stored = not isinstance(theirs, ServerError) and theirs[0] == value
            taken += is_stored
            self.assertEqual(answer[0] == "ok", is_stored, (column, value, answer))
        self.assertGreater(taken, 50)


if __name__ == "__main__":
    if not private_server.available():
        print("SKIPPED: PostgreSQL 15's server programs are not installed")
        sys.exit(private_server.SKIPPED)
    BRIDGE = sys.argv[1]
    SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20261121
    RANDOM = random.Random(SEED)
    print(f"seed {SEED}")
    unittest.main(argv=sys.argv[:1], verbosity=1)
