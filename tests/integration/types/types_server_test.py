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
import generate_other
import private_server
from libpq import Connection, ServerError

OIDS = {"time": 1083, "interval": 1186, "uuid": 2950, "bytea": 17, "json": 114, "jsonb": 3802, "inet": 869,
        "cidr": 650, "float4": 700, "_text": 1009, "_varchar": 1015, "_int4": 1007, "_int8": 1016,
        "_float8": 1022, "_numeric": 1231, "_timestamptz": 1185, "_bool": 1000, "_bytea": 1001,
        "_interval": 1187, "_bpchar": 1014, "_jsonb": 3807, "_json": 199, "_inet": 1041,
        "text": 25, "varchar": 1043, "bpchar": 1042, "int2": 21, "int4": 23, "int8": 20,
        "numeric": 1700, "date": 1082, "timestamp": 1114, "timestamptz": 1184, "float8": 701,
        "bool": 16, "unknown": 705}
SPECS = {}  # of types whose object id alone does not tell what they are
SENDERS = {"int2": "int2send", "int4": "int4send", "int8": "int8send", "bool": "boolsend",
           "float4": "float4send", "float8": "float8send", "text": "textsend", "varchar": "varcharsend",
           "bpchar": "bpcharsend", "bytea": "byteasend", "citext": "citextsend", "mood": "enum_send"}
PLAIN = "postgres,hex,1"  # IntervalStyle, bytea_output, extra_float_digits
OTHERS = [PLAIN, PLAIN, "postgres_verbose,escape,0", "sql_standard,hex,-3", "iso_8601,escape,3",
          "postgres,hex,-15"]
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


def question(act, column, modifier, sent, binary, style, zone, value, others=PLAIN):
    return (f"{act} {SPECS.get(column, OIDS[column])} {modifier} {OIDS[sent] if sent else 0} "
            f"{int(binary)} {style} {zone} {others} {value.hex() or '-'}")


def sender(column):
    return "array_send" if column.startswith("_") else SENDERS.get(column, column + "_send")


def unhex(field):
    return b"" if field == "-" else bytes.fromhex(field)


Case = collections.namedtuple("Case", "column typmod_sql modifier sent binary style zone value must "
                                      "others", defaults=[True, PLAIN])


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
        cls.database.run("create extension citext")
        cls.database.run("create type mood as enum ('sad', 'ok', 'Très happy')")
        for name, oid, array in cls.database.run(
                "select typname, oid, typarray from pg_type where typname in ('citext', 'mood')"):
            OIDS[name.decode()], OIDS["_" + name.decode()] = int(oid), int(array)
        labels = ",".join(label.encode().hex() for label in ("sad", "ok", "Très happy"))
        SPECS["mood"] = f"enum:{OIDS['mood']}:{labels}"
        SPECS["citext"] = f"citext:{OIDS['citext']}:C.UTF-8"
        for name in ("mood", "citext"):
            SPECS["_" + name] = f"array:{OIDS['_' + name]}:{SPECS[name]}"
        cls.bridge = Bridge(BRIDGE)
        cls.tables = {}
        cls.session = None

    def use(self, style, zone, others=PLAIN):
        if self.session != (style, zone, others):
            self.database.run(f"set datestyle to {style}")
            self.database.run(f"set timezone to '{zone}'")
            for name, value in zip(("intervalstyle", "bytea_output", "extra_float_digits"),
                                   others.split(",")):
                self.database.run(f"set {name} to '{value}'")
            Comparison.session = (style, zone, others)

    def table(self, column_type):
        if column_type not in self.tables:
            name = f"t{len(self.tables)}"
            self.database.run(f"create temporary table {name} (c {column_type})")
            Comparison.tables[column_type] = name
        return self.tables[column_type]

    def ask_server(self, case):
        self.use(case.style, case.zone, case.others)
        column = case.column[1:] if case.column.startswith("_") else case.column
        table = self.table(column + case.typmod_sql + ("[]" if column != case.column else ""))
        try:
            sql = (f"insert into {table} values ($1) returning c, "
                   f"encode({sender(case.column)}(c), 'hex')")
            [[text, binary]] = self.database.run(sql, case.value,
                                                 OIDS[case.sent] if case.sent else 0, case.binary)
            if text is None:
                return ServerError("NULL", "the cast gave NULL")
            return text, bytes.fromhex(binary.decode())
        except ServerError as error:
            return error

    def compare(self, cases, expect_both=0.2):
        answers = self.bridge.ask([question("stored", c.column, c.modifier, c.sent, c.binary,
                                            c.style, c.zone, c.value, c.others) for c in cases])
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
            elif (unhex(ours[2]), unhex(ours[3])) == theirs or (
                    b"NaN" in theirs[0] and unhex(ours[2]) == theirs[0] and "float" in case.column):
                tally["same"] += 1
            else:
                tally["DIFFERENT"] += 1
                wrong.append((case, theirs, (unhex(ours[2]), unhex(ours[3]))))
        print(f"\n{self.id().split('.')[-1]}: {len(cases)} cases, {dict(tally)}")
        for case, theirs, mine in RANDOM.sample(wrong, min(len(wrong), SHOWN)):
            print(f"  {case.column}{case.typmod_sql} sent as {case.sent} binary={case.binary} "
                  f"{case.style} {case.zone} {case.others} {shown(case.value)!r}\n    server: {theirs}\n"
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

    # --- the other types ---------------------------------------------------------------------------

    def cases_of(self, column, values, sents=(None,), binary=False, typmods=(("", -1),)):
        made = []
        for each in values:
            value, must = each if isinstance(each, tuple) else (each, True)
            sql, modifier = RANDOM.choice(typmods)
            made.append(Case(column, sql, modifier, RANDOM.choice(sents), binary,
                             RANDOM.choice(STYLES), RANDOM.choice(ZONES), value, must,
                             RANDOM.choice(OTHERS)))
        made.sort(key=lambda case: (case.style, case.zone, case.others))
        return made

    def test_floats(self):
        for column, size in (("float4", 4), ("float8", 8)):
            self.compare(self.cases_of(column, generate_other.floats(RANDOM, 3000),
                                       (None, "float4", "float8")))
            self.compare(self.cases_of(column, generate.numerics(RANDOM, 600), ("numeric",)))
            self.compare(self.cases_of(column, generate.integers(RANDOM, 400), ("int4", "int8")))
            self.compare(self.cases_of(column, generate_other.binary_floats(RANDOM, size, 3000), (None,),
                                       True))
        self.compare(self.cases_of("float8", generate_other.binary_floats(RANDOM, 4, 2000), ("float4",), True))
        self.compare(self.cases_of("float4", generate_other.binary_floats(RANDOM, 8, 2000), ("float8",), True),
                     expect_both=0.05)

    def test_floats_into_numbers(self):
        for column in ("int2", "int4", "int8", "numeric"):
            for sent in ("float4", "float8"):
                self.compare(self.cases_of(column, generate_other.floats(RANDOM, 800), (sent,)),
                             expect_both=0.1)

    def test_bool_uuid_bytea(self):
        self.compare(self.cases_of("bool", generate_other.bools(RANDOM), (None, "bool")))
        self.compare(self.cases_of("bool", [b"\0", b"\1", b"\2", b"", b"\0\0"], (None,), True))
        self.compare(self.cases_of("uuid", generate_other.uuids(RANDOM, 1500)))
        self.compare(self.cases_of("uuid", [RANDOM.randbytes(n) for n in (15, 16, 16, 16, 17)], (None,),
                                   True))
        self.compare(self.cases_of("bytea", generate_other.byteas(RANDOM, 1500)))
        self.compare(self.cases_of("bytea", [RANDOM.randbytes(RANDOM.randrange(30)) for _ in range(300)],
                                   (None,), True))

    def test_json(self):
        values = generate_other.jsons(RANDOM, 3000)
        for column in ("json", "jsonb"):
            self.compare(self.cases_of(column, values, (None, "json", "jsonb")))
        self.compare(self.cases_of("jsonb", [RANDOM.choice([b"\1", b"\1", b"\2", b""]) + v
                                             for v, _ in values[:600]], (None,), True))

    def test_network(self):
        values = generate_other.addresses(RANDOM, 4000)
        for column in ("inet", "cidr"):
            self.compare(self.cases_of(column, values, (None, "inet", "cidr")))
            self.compare(self.cases_of(column, generate_other.binary_addresses(RANDOM, 1500), (None,), True),
                         expect_both=0.05)

    def test_time(self):
        typmods = (("", -1), ("(0)", 0), ("(3)", 3))
        self.compare(self.cases_of("time", generate_other.times(RANDOM, 3000), typmods=typmods))
        self.compare(self.cases_of("time", generate.moments(RANDOM, 3000), ("timestamp", "timestamptz"),
                                   typmods=typmods))
        self.compare(self.cases_of("time", generate.binary_moments(RANDOM, 8, 800), (None,), True),
                     expect_both=0.1)
        self.compare(self.cases_of("time", generate_other.intervals(RANDOM, 800), ("interval",)))

    def test_timestamp(self):
        typmods = (("", -1), ("(0)", 0), ("(3)", 3))
        self.compare(self.cases_of("timestamp", generate.moments(RANDOM, 12000),
                                   (None, "timestamp", "timestamptz", "date"), typmods=typmods))
        for sent, size in (("date", 4), ("timestamp", 8), ("timestamptz", 8)):
            self.compare(self.cases_of("timestamp", generate.binary_moments(RANDOM, size, 600), (sent,),
                                       True))

    INTERVALS = (("", -1), ("", -1), ("(0)", 0x7fff0000), ("(3)", 0x7fff0003),
                 (" year", (4 << 16) | 0xffff), (" year to month", (6 << 16) | 0xffff),
                 (" day to hour", (1032 << 16) | 0xffff), (" day to second(2)", (7176 << 16) | 2),
                 (" minute", (2048 << 16) | 0xffff), (" month", (2 << 16) | 0xffff))

    def test_interval(self):
        self.compare(self.cases_of("interval", generate_other.intervals(RANDOM, 12000), (None, "interval"),
                                   typmods=self.INTERVALS))
        self.compare(self.cases_of("interval", generate_other.times(RANDOM, 300), ("time",)))
        self.compare(self.cases_of("interval", generate_other.binary_intervals(RANDOM, 3000), (None,), True,
                                   self.INTERVALS))

    def test_citext_and_enum(self):
        texts = generate.texts(RANDOM, 600)
        self.compare(self.cases_of("citext", texts, (None, "text", "varchar", "bpchar")))
        self.compare(self.cases_of("citext", texts, (None,), True))
        labels = ["sad", "ok", "Très happy", "SAD", " sad", "", "sadly", "Tr\u00e8s"]
        for binary in (False, True):
            self.compare(self.cases_of("mood", [label.encode() for label in labels * 3], (None,), binary))

    ARRAYS = {"_int4": "int4", "_text": "text", "_varchar": "varchar", "_bool": "bool",
              "_numeric": "numeric", "_float8": "float8", "_timestamptz": "timestamptz",
              "_interval": "interval", "_bytea": "bytea", "_jsonb": "jsonb", "_inet": "inet",
              "_mood": "mood", "_citext": "citext"}

    def test_arrays(self):
        for column, element in self.ARRAYS.items():
            elements = generate_other.elements(RANDOM, element)
            self.compare(self.cases_of(column, generate_other.arrays(RANDOM, elements, 500)))
        self.compare(self.cases_of("_varchar", generate_other.arrays(RANDOM, generate.texts(RANDOM, 40), 400),
                                   (None, "_text", "_varchar"), typmods=(("(5)", 9), ("", -1))))
        for column, sent in (("_int4", "_int8"), ("_int8", "_int4"), ("_numeric", "_int4"),
                             ("_float8", "_numeric"), ("_text", "_int4")):
            numbers = [b"1", b"2", b"-3", b"40000", b"3000000000"]
            self.compare(self.cases_of(column, generate_other.arrays(RANDOM, numbers, 200), (sent,)))
        self.compare(self.cases_of("_text", generate_other.binary_arrays(RANDOM, 25, 1200), (None,), True))
        self.compare(self.cases_of("_int4", generate_other.binary_arrays(RANDOM, 23, 1200), (None,), True))

    def test_every_type_into_text(self):
        values = {"bool": [b"t", b"f"], "float4": generate_other.floats(RANDOM, 100),
                  "float8": generate_other.floats(RANDOM, 100), "uuid": generate_other.uuids(RANDOM, 30),
                  "bytea": generate_other.byteas(RANDOM, 60), "json": generate_other.jsons(RANDOM, 60),
                  "jsonb": generate_other.jsons(RANDOM, 60), "inet": generate_other.addresses(RANDOM, 100),
                  "cidr": generate_other.addresses(RANDOM, 200), "time": generate_other.times(RANDOM, 60),
                  "interval": generate_other.intervals(RANDOM, 200)}
        for sent, each in values.items():
            for column in ("text", "varchar", "citext"):
                self.compare(self.cases_of(column, each, (sent,)))

    def test_lower(self):
        """Every character, as the server's lower() and upper() change it."""
        ours = self.bridge.ask(["lower C.UTF-8 all", "lower C all"])
        for (status, small, large), server in zip(ours, ("default", "C")):
            self.assertEqual(status, "ok")
            [[theirs_small, theirs_large]] = self.database.run(
                f"""select encode(lower(t collate "{server}")::bytea, 'hex'),
                           encode(upper(t collate "{server}")::bytea, 'hex')
                from (select replace(string_agg(chr(i), '' order by i), chr(92), chr(92)) as t
                      from (select generate_series(1, 55295) union all
                            select generate_series(57344, 1114111)) as g(i) where i <> 92) as s""")
            cut = small.replace("5c", "", 1), large.replace("5c", "", 1)
            self.assertEqual(cut[0], theirs_small.decode())
            self.assertEqual(cut[1], theirs_large.decode())
            self.assertNotEqual(small, large)

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
                    else:
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
        floats = numbers + [v for v in generate_other.floats(RANDOM, 60)]
        plan += [(column, sent, floats) for column in ("float4", "float8")
                 for sent in (None, "float4", "float8", "int4", "int8", "numeric")]
        plan += [(column, sent, floats) for column in ("int2", "int4", "int8")
                 for sent in ("float4", "float8")]
        plan += [("timestamp", sent, days) for sent in (None, "date", "timestamp", "timestamptz")]
        plan += [("time", None, [v for v, _ in generate_other.times(RANDOM, 60)] * 2),
                 ("interval", None, generate_other.near_intervals(RANDOM)),
                 ("interval", "interval", generate_other.near_intervals(RANDOM)),
                 ("interval", "time", [b"01:00", b"24:00", b"00:00", b"1"]),
                 ("bool", None, generate_other.bools(RANDOM)),
                 ("uuid", None, generate_other.uuids(RANDOM, 40) * 2),
                 ("bytea", None, generate_other.byteas(RANDOM, 40) * 2),
                 ("jsonb", None, generate_other.near_jsons()),
                 ("citext", None, generate.near_texts(RANDOM) + [b"\xc3\x81", b"AB", "\u0130".encode()]),
                 ("citext", "text", generate.near_texts(RANDOM)),
                 ("mood", None, [b"sad", b"ok", b"Sad"])]
        plan += [(column, sent, generate_other.near_addresses()) for column in ("inet", "cidr")
                 for sent in (None, "inet", "cidr")]
        plan += [(column, None, generate_other.near_arrays(each)) for column, each in
                 (("_int4", ["1", "2"]), ("_numeric", ["1", "1.0", "2"]), ("_text", ["a", "b"]),
                  ("_float8", ["0", "-0", "NaN"]), ("_citext", ["a", "A", "b"]),
                  ("_bpchar", ["a", '"a "', "b"]), ("_interval", ["24:00", "1day"]),
                  ("_jsonb", ["1", "1.0"]))]
        pairs = equal = 0
        for column, sent, values in plan:
            sql_type = column[1:] + "[]" if column.startswith("_") else column
            table = f"e_{column}"
            self.database.run(f"drop table if exists {table}")
            self.database.run(f"create temporary table {table} (c {sql_type})")
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
            # What is refused in a form no reader lists is refused as a comparand as well.
            refused_values = {(column, v) for (v, _), answer in zip(kept, stored)
                              if answer[0] == "error"}
            kept, stored = zip(*[(k, a) for k, a in zip(kept, stored) if a[0] == "ok"])
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
                    if (column, value) not in refused_values:
                        self.assertTrue(generate.is_documented_comparand_refusal(column, sent),
                                        (column, sent, value, answer))
                    continue
                for text, same in rows:
                    if text not in by_text:
                        continue
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
