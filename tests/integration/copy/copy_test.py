#!/usr/bin/python3
"""COPY through the gateway and COPY of a plain twin: the same bytes, rows, errors and lines."""
import contextlib
import io
import itertools
import os
import random
import re
import signal
import struct
import subprocess
import sys
import unittest

from stage import ROLES, Stage  # first: it sets the paths for what follows

import psycopg2
import wire
from processes import wait_until

CANARY = "kanari-7f3a9c"
SELECTS = {
    "people": "SELECT * FROM people ORDER BY id",
    "batches": "SELECT * FROM batches ORDER BY id",
    '"Odd Name"': 'SELECT * FROM "Odd Name" ORDER BY "C d"',
    "orders": "SELECT * FROM orders ORDER BY id",
}
PEOPLE = [
    (1, "Zhang Wei", "Suzhou", "13800000001", "12.50", "1970-02-03", "2026-11-21 02:30:00.5+08",
     "plain", 44),
    (2, "\u5f20\u4f1f", None, None, None, None, None, None, None),
    (3, "", "", "", "0", "2000-01-01", "2026-01-01 00:00:00+00", "", 0),
    (4, "a\tb\nc\rd\\e\bf\fg\vh", "x\ty\nz\rw\\v", "1\t2", "-3.25", "0044-03-15",
     "infinity", "\\.", -5),
    (5, "\\.", "\\N", "\\N", "99999.99", "2024-02-29", "2020-02-29 12:00:00+00", '"', 7),
    (6, 'say "hi", it\'s; a|b', "comma, here", ",", "1", "1999-12-31", "epoch", "'q'", 8),
    (7, " lead and trail ", " ", " ", "10", "2010-10-10", "2010-10-10 10:10:10+00", "none", 9),
    (8, "none", "none", "none", "11", "2011-11-11", "2011-11-11 11:11:11+00", "NULL", 10),
    (9, "na\u00efve \u00a9 \U0001f600", "\u8463", "\u00e9", "12", "2012-12-12",
     "2012-12-12 12:12:12+00", "\u00df", 11),
]
INSERT = ("INSERT INTO people (id, name, city, phone, credit, born, seen, note, age) VALUES "
          "(%s, %s, %s, %s, %s, %s, %s, %s, %s)")
OUT_OPTIONS = [
    "", "DELIMITER '|'", "DELIMITER ';', NULL 'none'", "NULL ''", "HEADER", "HEADER true, NULL 'x'",
    "DELIMITER E'\\x01'", "DELIMITER 'Z'", "FORMAT csv", "FORMAT csv, HEADER",
    "FORMAT csv, FORCE_QUOTE *", "FORMAT csv, FORCE_QUOTE (name, note)",
    "FORMAT csv, FORCE_QUOTE (city), NULL 'none'", "FORMAT csv, DELIMITER E'\\t', QUOTE ''''",
    "FORMAT csv, ESCAPE E'\\\\'", "FORMAT csv, QUOTE '|', ESCAPE 'x', DELIMITER 'a'",
    "FORMAT csv, DELIMITER '0', QUOTE 'e'", "FORMAT csv, NULL '\\N'", "FORMAT csv, QUOTE E'\\\\'",
    "FORMAT binary", "ENCODING 'UTF8'", "ENCODING 'sql_ascii'",
]
BAD_OPTIONS = [
    "FORMAT xml", "DELIMITER 'ab'", "DELIMITER 'a'", "DELIMITER E'\\n'", "QUOTE 'x'", "ESCAPE 'x'",
    "FORMAT csv, QUOTE ','", "FORMAT csv, NULL ','", "FORMAT csv, NULL '\"'", "NULL E'a\\nb'",
    "FORMAT binary, DELIMITER ','", "FORMAT binary, NULL ''", "FORMAT binary, HEADER",
    "FORCE_QUOTE *", "FORMAT text, FORMAT csv", "DELIMITER ',', DELIMITER ','", "NONSENSE",
    "ENCODING 'nothing'", "HEADER maybe", "HEADER match, FORMAT csv, FORCE_NULL (name)",
    "FORMAT csv, FORCE_QUOTE (nothing)", "FREEZE",
]


def outcome(error):
    """What the client is told; of PostgreSQL's context only the place."""
    line = re.search(r"line (\d+)", error.diag.context or "")
    column = re.search(r"column ([^:,]+)", error.diag.context or "")
    told = error.diag.message_primary if error.pgcode == "22P04" else None
    if told and told.startswith("column name mismatch"):
        told = re.sub(r"got [^,]*, |got null value \(.*\), ", "", told)  # it may be a value
    return (error.pgcode, told, line and line.group(1), column and column.group(1))


class CopyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = Stage()
        cls.links = {which: cls.stage.connect(which) for which in ("plain", "sealed")}
        cls.maxDiff = 4000

    @classmethod
    def tearDownClass(cls):
        for link in cls.links.values():
            link.close()
        cls.stage.stop()

    def setUp(self):
        for link in self.links.values():
            if link.closed:
                self.fail("a connection of another test was lost")
            with link.cursor() as cursor:
                cursor.execute("ROLLBACK; TRUNCATE people, batches, \"Odd Name\", alone, orders")

    # --- asking both

    def run_on(self, link, sql, args=None):
        with link.cursor() as cursor:
            cursor.execute(sql, args)
            return cursor.fetchall() if cursor.description else None

    def both(self, sql, args=None):
        answers = [self.run_on(link, sql, args) for link in self.links.values()]
        self.assertEqual(*answers, sql)
        return answers[0]

    def out_of(self, link, sql):
        stream = io.BytesIO()
        try:
            with link.cursor() as cursor:
                cursor.copy_expert(sql, stream)
        except psycopg2.Error as error:
            return outcome(error)
        return stream.getvalue()

    def into(self, link, sql, data, size=8192):
        try:
            with link.cursor() as cursor:
                cursor.copy_expert(sql, io.BytesIO(data), size)
                return cursor.rowcount
        except psycopg2.Error as error:
            return outcome(error)

    def same_out(self, sql):
        plain, sealed = (self.out_of(link, sql) for link in self.links.values())
        self.assertEqual(plain, sealed, sql)
        return plain

    def same_in(self, sql, data, table, size=8192):
        plain, sealed = (self.into(link, sql, data, size) for link in self.links.values())
        self.assertEqual(plain, sealed, (sql, data))
        self.both(SELECTS[table])
        return plain

    def fill(self):
        for link in self.links.values():
            with link.cursor() as cursor:
                for row in PEOPLE:
                    cursor.execute(INSERT, row)
                for i in range(3):
                    cursor.execute("INSERT INTO batches VALUES (%s, %s, %s)",
                                   (i, f"recipe \\ {i}", i))
                cursor.execute('INSERT INTO "Odd Name" VALUES (%s, %s)', ('x "y", z', 1))
                cursor.execute("INSERT INTO alone VALUES (%s), (%s), (%s), (NULL)",
                               ("\\.", "", "x"))

    # --- out

    def test_out_with_every_option(self):
        self.fill()
        copied = 0
        for option in OUT_OPTIONS:
            options = f" WITH ({option})" if option else ""
            for what in ("people", "people (note, name)", "people (name)", "batches",
                         "(SELECT name AS note, id, age FROM people ORDER BY id)"):
                if "FORCE_QUOTE (" in option and what == "batches":
                    continue
                copied += isinstance(self.same_out(f"COPY {what} TO STDOUT{options}"), bytes)
        self.assertGreater(copied, 100)
        for option in ("", " CSV", " CSV HEADER FORCE QUOTE *", " (FORMAT binary)"):
            self.same_out(f'COPY "Odd Name" TO STDOUT{option}')
            self.same_out(f"COPY (SELECT name FROM alone) TO STDOUT{option}")

    def test_out_of_queries(self):
        self.fill()
        for query in ("SELECT id FROM people WHERE name = 'none'",
                      "SELECT p.name, b.recipe FROM people p JOIN batches b ON b.id = p.id",
                      "SELECT name, id FROM people WHERE age = 7 OR name = 'none' ORDER BY id",
                      "DELETE FROM batches WHERE id = 0 RETURNING id, recipe",
                      "INSERT INTO batches VALUES (77, 'new', 1) RETURNING recipe",
                      "INSERT INTO people (id, name) VALUES (77, 'new') RETURNING name, age",
                      "SELECT * FROM batches WHERE false"):
            self.same_out(f"COPY ({query}) TO STDOUT")
            self.same_out(f"COPY ({query.replace('77', '78')}) TO STDOUT CSV HEADER")
        self.both(SELECTS["people"])
        self.both(SELECTS["batches"])

    def test_out_in_other_encodings(self):
        self.both("INSERT INTO people (id, name, city) VALUES (1, '\u5f20\u4f1f', '\u82cf\u5dde')")
        for name in ("GBK", "gb18030", "EUC_CN", "EUC_JP", "UHC", "LATIN1", "WIN1252"):
            self.same_out(f"COPY people TO STDOUT (ENCODING '{name}')")

    def test_in_from_other_encodings(self):
        for place, (name, python) in enumerate((("GBK", "gbk"), ("gb18030", "gb18030"),
                                                ("EUC_JP", "euc_jp"), ("LATIN1", "latin1"),
                                                ("WIN1252", "cp1252"), ("UHC", "cp949"))):
            text = "\u00e9" if python in ("latin1", "cp1252") else "\u674e\u6797|\u5409"
            data = f"{place}\t{text}\t{text}\n".encode(python)
            self.assertEqual(self.same_in(
                f"COPY people (id, name, city) FROM STDIN (ENCODING '{name}')", data, "people", 1), 1)
        for bad in (b"9\t\xff\xff\tx\n", b"9\tx\t\xb0"):
            self.assertEqual(self.into(self.links["sealed"],
                                       "COPY people (id, name, city) FROM STDIN (ENCODING 'GBK')",
                                       bad)[0], "22021")

    def test_bad_options(self):
        for option in BAD_OPTIONS:
            for sql in (f"COPY people FROM STDIN WITH ({option})",
                        f"COPY people (id, name) TO STDOUT WITH ({option})"):
                codes = []
                for link in self.links.values():
                    if " FROM " in sql:
                        told = self.into(link, sql, b"")
                    else:
                        told = self.out_of(link, sql)
                    codes.append(told[0] if isinstance(told, tuple) else "fine")
                if codes[0] in ("0A000", "22023", "42601", "42703", "42P10"):
                    self.assertIn(codes[1], ("0A000", "22023", "42601", "42703", "42P10"), sql)
                else:
                    self.assertEqual(*codes, sql)

    # --- in

    def test_round_trip(self):
        self.fill()
        for option, size in itertools.product(OUT_OPTIONS, (1, 7, 8192)):
            if "FORCE_QUOTE (" in option:
                continue
            options = f" WITH ({option})" if option else ""
            data = self.same_out(f"COPY people (age, id, name, city, phone, credit, born, seen) "
                                 f"TO STDOUT{options}")
            self.both("CREATE TEMP TABLE kept AS SELECT 1")
            self.both("DROP TABLE kept; TRUNCATE people")
            options = re.sub(r",? ?FORCE_QUOTE \*", "", options)
            self.assertEqual(
                self.same_in(f"COPY people (age, id, name, city, phone, credit, born, seen) "
                             f"FROM STDIN{options}", data, "people", size), len(PEOPLE))
            self.both("TRUNCATE people, batches, alone, \"Odd Name\"")
            self.fill()

    def test_in_by_rules_of_the_formats(self):
        text = "COPY people (id, name, note) FROM STDIN"
        csv = text + " WITH (FORMAT csv{})"
        cases = [
            (text, b"1\ta\tb\n2\t\\N\t\\N\n"), (text, b"1\ta\tb"), (text, b""), (text, b"\n"),
            (text, b"1\ta\n"), (text, b"1\ta\tb\n2\tx\n"), (text, b"1\ta\tb\tc\n"),
            (text, b"1\ta\tb\r\n2\tc\td\r\n"), (text, b"1\ta\tb\r2\tc\td\r"),
            (text, b"1\ta\tb\r\n2\tc\td\n"), (text, b"1\ta\tb\n2\tc\td\r\n"),
            (text, b"1\ta\tb\r2\tc\td\n"), (text, b"1\ta\tb\n\\.\nnonsense"),
            (text, b"1\ta\tb\n\\.x\n"), (text, b"1\ta\tb\n\\.\r\n"), (text, b"1\ta\tb\r\n\\.\n"),
            (text, b"1\ta\tb\r\n\\.\r\n"), (text, b"1\ta\tb\\.\n"), (text, b"1\ta\tb\n\\."),
            (text, b"1\t\\x41\\102\\b\\f\\q\t\\x4\n"), (text, b"1\ta\\\nb\tc\\\td\n"),
            (text, b"1\tab\\"), (text, b"1\tx\ty\\"), (text, b"1\t\\000\tx\n"),
            (text, b"1\tx\t\\000\n"), (text, b"1\t\xff\tx\n"), (text, b"1\tx\t\xff\n"),
            (text, b"1\ta\tb\nx\ta\tb\n"), (text + " (NULL 'x')", b"1\tx\t\\x78\n"),
            (text + " (DELIMITER '|')", b"1|a\\|b|c\n"), (text + " (HEADER)", b"x\ty\n1\ta\tb\n"),
            (text + " (HEADER match)", b"id\tname\tnote\n1\ta\tb\n"),
            (text + " (HEADER match)", b"id\tname\n1\ta\tb\n"),
            (text + " (HEADER match)", b"id\tnote\tname\n1\ta\tb\n"),
            (text + " (HEADER match)", b"id\tname\tnote\tmore\n1\ta\tb\n"),
            (text + " (HEADER match)", b"id\t\\N\tnote\n1\ta\tb\n"),
            (text + " (HEADER)", b"only"), (text + " (HEADER match)", b""),
            (csv.format(""), b'1,a,b\n2,"x,y","q""r"\n3,,""\n'), (csv.format(""), b'1,"a\nb",c\n'),
            (csv.format(""), b'1,"a\r\nb",c\r\n2,x,y\r\n'), (csv.format(""), b'1,"a'),
            (csv.format(""), b'1,"a\nb",c\n2,"x\n'), (csv.format(""), b"1,a\n"),
            (csv.format(""), b"1,a,b,c\n"), (csv.format(""), b"1,a,b\n\\.\nnonsense,"),
            (csv.format(""), b"1,\\.,b\n2,x,\\.\n"), (csv.format(""), b"\\.,a,b\n"),
            (csv.format(""), b"1,a,b\r\n2,c,d\n"), (csv.format(""), b"1,a,b\n2,c\r,d\n"),
            (csv.format(", HEADER match"), b'"id",name,"note"\n1,a,b\n'),
            (csv.format(", ESCAPE E'\\\\'"), b'1,"a\\"b","c\\\\d"\n2,"x\\y",z\n'),
            (csv.format(", QUOTE ''''"), b"1,'a''b',\"c\"\n"),
            (csv.format(", FORCE_NULL (name, note)"), b'1,"",""\n2,,\n'),
            (csv.format(", FORCE_NOT_NULL (name, note)"), b'1,"",""\n2,,\n'),
            (csv.format(", FORCE_NULL (name), NULL 'x'"), b'1,"x",x\n2,x,"x"\n'),
            (csv.format(", FORCE_NOT_NULL (name), NULL 'x'"), b'1,"x",x\n2,x,"x"\n'),
            (csv.format(", FORCE_NULL (name), FORCE_NOT_NULL (name), NULL 'x'"), b'1,"x",x\n2,x,q\n'),
            (csv.format(", NULL 'x', DELIMITER ';'"), b"1;x;x\n"),
            ("COPY people (name, id) FROM STDIN WITH (FORMAT csv)", b"\\.,1\n"),
            ("COPY people (id, age, born) FROM STDIN", b"1\t7\t2020-01-01\n2\tx\t2020-01-01\n"),
            ("COPY people (id, age, born) FROM STDIN", b"1\t7\t2020-01-01\n2\t3\t2020-02-30\n"),
            ("COPY people (id, age) FROM STDIN", b"1\t7\n2\t99999999999\n"),
            ("COPY people (id, phone) FROM STDIN", b"1\t7\n2\t123456789012345\n"),
            ("COPY people (id, credit) FROM STDIN", b"1\t7.555\n2\t1e11\n"),
            ("COPY people (id, name) FROM STDIN", b"1\tx\n1\ty\n"),
            ("COPY people (id, name) FROM STDIN (FREEZE false)", b"1\tx\n"),
            ("COPY people (id, name, age) FROM STDIN WHERE age = 7", b"1\tx\t7\n2\ty\t8\n3\tz\t\\N\n"),
            ("COPY people (id, name) FROM STDIN WHERE age IS NULL", b"1\tx\n"),
            ("COPY people (id, name) FROM STDIN WHERE id > 1 AND name <> 'y'", b"1\tx\n2\ty\n3\tz\n"),
            ("COPY people FROM STDIN CSV", b"1,n,c,1,1,2020-01-01,2020-01-01,note,3\n"),
        ]
        for sql, data in cases:
            for size in (1, 8192):
                self.both("TRUNCATE people")
                self.same_in(sql, data, "people", size)

    def test_in_of_binary(self):
        self.fill()
        sql = "COPY people (id, name, note, born) {} (FORMAT binary)"
        data = self.same_out(sql.format("TO STDOUT"))
        self.both("TRUNCATE people")
        head = data[:19]
        row = struct.pack("!hi", 4, 4) + struct.pack("!ii", 9, 1) + b"x" + b"\xff" * 8
        extended = data[:15] + struct.pack("!i", 3) + b"abc" + row + b"\xff\xff"
        for bad in (data, data[:-2], data[:-1], data + b"x", data[:5], data[:14], data[:17], b"x" + data,
                    head + b"\x00\x03", head + b"\x00", extended, data[:11] + b"\x00\x01\x00\x00" +
                    data[15:], data[:11] + b"\x00\x02\x00\x00" + data[15:], head + row, head + row[:-1],
                    head + struct.pack("!hi", 4, -2), head + struct.pack("!hi", 4, 4) + b"abcd",
                    data[:15] + b"\xff\xff\xff\xff" + data[19:], head + row + row[:2]):
            for size in (1, 8192):
                self.both("TRUNCATE people")
                self.same_in(sql.format("FROM STDIN"), bad, "people", size)

    def test_random_streams(self):
        chooser = random.Random(20261122)
        pieces = [b"1", b"a", b"\t", b",", b"\n", b"\r", b"\r\n", b"\\", b"\\N", b"\\.", b'"', b'""',
                  b"|", b"\\.\n", b"x", b"'", b"\\x4", b"\\07", b"\\t"]
        for turn in range(600):
            option = chooser.choice(["", "FORMAT csv", "FORMAT csv, ESCAPE E'\\\\'", "DELIMITER '|'",
                                     "FORMAT csv, QUOTE '''', NULL 'a'", "NULL 'a'",
                                     "FORMAT csv, QUOTE E'\\\\'", "FORMAT csv, ESCAPE 'x'"])
            data = b"".join(chooser.choices(pieces, k=chooser.randrange(1, 14)))
            sql = f"COPY \"Odd Name\" (\"A b\") FROM STDIN ({option})" if option else \
                "COPY \"Odd Name\" (\"A b\") FROM STDIN"
            self.both("TRUNCATE \"Odd Name\"")
            # Given in pieces, PostgreSQL itself loses count of quotes that are backslashes.
            size = chooser.choice((1, 3, 8192)) if "QUOTE E" not in option else 8192
            plain, sealed = (self.into(link, sql, data, size)
                             for link in self.links.values())
            self.assertEqual(plain, sealed, (turn, sql, data))
            rows = [sorted(self.run_on(link, 'SELECT "A b" FROM "Odd Name"'), key=repr)
                    for link in self.links.values()]
            self.assertEqual(*rows, (turn, sql, data))

    def test_defaults_and_bound_rows(self):
        self.same_in("COPY people (id, name) FROM STDIN", b"1\tx\n2\ty\n", "people")
        self.same_in("COPY batches FROM STDIN", b"1\tx\t3\n2\t\\N\t\\N\n", "batches")
        self.same_in("COPY batches (qty, id) FROM STDIN CSV", b"1,5\n,6\n", "batches")
        self.same_in('COPY "Odd Name" FROM STDIN CSV HEADER MATCH',
                     b'A b,"C d"\nx,1\n', '"Odd Name"')
        self.assertEqual(self.both("SELECT id FROM people WHERE name = 'y'"), [(2,)])
        self.same_in("COPY people (id, name, phone) FROM STDIN", b"3\tAnna\t12345\n", "people")
        self.assertEqual(self.both("SELECT id FROM people WHERE lower(name) = 'anna' "
                                   "AND right(phone, 2) = '45'"), [(3,)])
        rows = self.stage.cluster.ask("SELECT count(DISTINCT theriac_row), count(*) FROM batches",
                                      database="sealed")
        self.assertEqual(rows, [(4, 4)])

    def test_psycopg2_shortcuts_and_psql(self):
        for which, link in self.links.items():
            with link.cursor() as cursor:
                cursor.copy_from(io.StringIO("1|x|\\N\n2|y|z\n"), "people", sep="|",
                                 columns=("id", "name", "city"))
                out = io.StringIO()
                cursor.copy_to(out, "people", columns=("id", "name", "city"))
                self.assertEqual(out.getvalue(), "1\tx\t\\N\n2\ty\tz\n", which)
        answers = []
        for which, port in (("plain", self.stage.cluster.port), ("sealed", self.stage.gateway)):
            done = subprocess.run(
                ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port), "-U",
                 "erp_app", "-d", which],
                input="\\copy people (id, name, age) from stdin csv\n3,\"q,r\",5\n4,,6\n\\.\n"
                      "\\copy people (id, name, age) to stdout csv header\n"
                      "COPY batches FROM STDIN;\n1\tx\t2\n\\.\nCOPY batches TO STDOUT;\n",
                capture_output=True, text=True, check=True)
            answers.append((done.stdout, done.stderr))
        self.assertEqual(*answers)
        self.assertIn('3,"q,r",5', answers[0][0])

    # --- the protocol by hand

    def wires(self):
        for which, port in (("plain", self.stage.cluster.port), ("sealed", self.stage.gateway)):
            with wire.Wire(port) as link:
                link.sign_in(user="erp_app", database=which)
                yield link

    @staticmethod
    def picture(messages):
        """Tags, with data, states and SQLSTATEs; what the server says of itself left out."""
        shown = []
        for tag, body in messages:
            if tag in (b"S", b"N"):
                continue
            if tag in (b"d", b"Z", b"C", b"G", b"H", b"D"):
                shown.append((tag, body))
            elif tag == b"E":
                shown.append((tag, wire.sqlstate(body)))
            else:
                shown.append((tag, b""))
        return shown

    def same_talk(self, talk):
        plain, sealed = (self.picture(talk(link)) for link in self.wires())
        self.assertEqual(plain, sealed)
        self.both(SELECTS["people"])
        return plain

    def test_protocols(self):
        data = wire.message(b"d", b"1\tx\n2\ty\n")
        done = wire.message(b"c")
        fail = wire.message(b"f", b"no more\0")
        into = "COPY people (id, name) FROM STDIN"
        out = "COPY (SELECT id, name FROM people ORDER BY id) TO STDOUT"
        ask = wire.parse("", into) + wire.bind("", "") + wire.execute("", 0)
        get = wire.parse("", out) + wire.bind("", "") + wire.execute("", 0)

        def talk(*parts):
            def run(link):
                messages = []
                for sent, until in parts:
                    link.send(sent)
                    messages += link.until(until)
                return messages
            return run
        describe = wire.message(b"D", b"P\0")
        talks = [
            # simple: data, failure, nothing; several in one string; other statements beside them
            talk((wire.query(into), b"G"), (data + done, b"Z")),
            talk((wire.query(into), b"G"), (data + fail, b"Z")),
            talk((wire.query(into), b"G"), (done, b"Z")),
            talk((wire.query(f"{into}; {out}; {into}"), b"G"), (data + done, b"G"),
                 (wire.message(b"d", b"3\tz\n") + done, b"Z")),
            talk((wire.query(f"INSERT INTO people (id, name) VALUES (9, 'n'); {into}; SELECT name "
                             f"FROM people WHERE name = 'n'"), b"G"), (data + done, b"Z")),
            talk((wire.query(f"{into}; COPY orders FROM STDIN"), b"G"), (data + done, b"G"),
                 (wire.message(b"d", b"1\t2\tx\n") + done, b"Z")),
            talk((wire.query("COPY orders FROM STDIN; COPY orders TO STDOUT"), b"G"),
                 (wire.message(b"d", b"1\t2\tx\n") + done, b"Z")),
            talk((wire.query(f"SELECT 1/0; {into}"), b"Z"), (wire.query("SELECT 1"), b"Z")),
            talk((wire.query(f"{into}; SELECT 1/0"), b"G"), (data + done, b"Z")),
            talk((wire.query(f"{into}; SELECT name FROM people"), b"G"), (data + fail, b"Z")),
            # extended: with the Sync libpq sends too early, without, described, failing, pipelined
            talk((ask + wire.SYNC, b"G"), (data + done + wire.SYNC, b"Z")),
            talk((wire.parse("", into) + wire.bind("", "") + describe + wire.execute("", 0) +
                  wire.FLUSH, b"G"), (data + wire.FLUSH + done + wire.SYNC, b"Z")),
            talk((ask + wire.FLUSH, b"G"), (data + fail + wire.SYNC, b"Z")),
            talk((ask + wire.SYNC, b"G"), (data + fail + wire.SYNC, b"Z")),
            talk((ask + data + done + wire.SYNC, b"Z")),
            talk((ask + data + done + get + wire.SYNC, b"Z")),
            talk((get + get + wire.SYNC, b"Z")),
            talk((wire.query("SELECT 1") + wire.query(out) + wire.query("SELECT 2"), b"Z")),
            talk((wire.parse("s", out) + wire.bind("", "s") + wire.execute("", 0) +
                  wire.bind("p", "s") + wire.execute("p", 0) + wire.SYNC, b"Z")),
            talk((wire.parse("", "SELECT 1/0") + wire.bind("", "") + wire.execute("", 0) + ask +
                  wire.SYNC, b"Z"), (wire.query("SELECT 1"), b"Z")),
            # bad data: the client still sends, then goes on
            talk((wire.query(into), b"G"), (data + wire.message(b"d", b"x\n"), b"Z"),
                 (data + done + wire.query("SELECT 1"), b"Z")),
            talk((wire.query(into), b"G"), (wire.message(b"d", b"x\ty\n"), b"E"),
                 (data + done, b"Z"), (wire.query("SELECT 1"), b"Z")),
            talk((ask + wire.FLUSH, b"G"), (wire.message(b"d", b"1\ty\tz\n") + data, b"E"),
                 (data + done + wire.SYNC, b"Z")),
            talk((wire.query("BEGIN"), b"Z"), (wire.query(into), b"G"),
                 (wire.message(b"d", b"1\n"), b"Z"), (wire.query("SELECT 1"), b"Z"),
                 (wire.query("ROLLBACK"), b"Z")),
            talk((wire.query("BEGIN"), b"Z"), (wire.query(into), b"G"), (data + done, b"Z"),
                 (wire.query(out), b"Z"), (wire.query("ROLLBACK"), b"Z")),
            # strays that PostgreSQL ignores
            talk((data + done + fail + wire.query("SELECT 1"), b"Z")),
            talk((wire.query("COPY people (id, nothing) FROM STDIN"), b"Z"), (wire.query(out), b"Z")),
        ]
        for number, one in enumerate(talks):
            with self.subTest(talk=number):
                self.both("TRUNCATE people, orders")
                self.same_talk(one)

    def test_prepared_copy_seals_anew(self):
        link = wire.Wire(self.stage.gateway)
        with link:
            link.sign_in(user="erp_app", database="sealed")
            insert = "COPY (INSERT INTO alone VALUES ('same') RETURNING name) TO STDOUT"
            link.send(wire.parse("s", insert) + (wire.bind("", "s") + wire.execute("", 0)) * 2 +
                      wire.SYNC)
            got = self.picture(link.until(b"Z"))
        self.assertEqual([body for tag, body in got if tag == b"d"], [b"same\n"] * 2)
        number = self.stage.cluster.ask("SELECT number FROM theriac.columns WHERE relation = "
                                        "'alone'::regclass", database="sealed")[0][0]
        sealed = self.stage.cluster.ask(f"SELECT count(DISTINCT theriac_sealed_{number}) FROM alone",
                                        database="sealed")
        self.assertEqual(sealed, [(2,)])

    # --- rights, leaks, ends

    def test_roles(self):
        self.fill()
        with contextlib.closing(self.stage.connect("sealed", "warehouse")) as masked:
            got = self.out_of(masked, "COPY people (id, name, age) TO STDOUT")
            self.assertNotIn(b"Zhang Wei", got)
            shown = self.run_on(masked, "SELECT name FROM people WHERE id = 1")[0][0]
            self.assertIn(f"1\t{shown}\t44\n".encode(), got)
            self.assertEqual(self.into(masked, "COPY people (id, name) FROM STDIN", b"90\tx\n")[0],
                             "42501")
            self.assertEqual(self.into(masked, "COPY batches FROM STDIN", b"90\tx\t1\n"), 1)
        with contextlib.closing(self.stage.connect("sealed", "inspector")) as denied:
            self.assertEqual(self.out_of(denied, "COPY people TO STDOUT")[0], "42501")
            self.assertEqual(self.out_of(denied, "COPY people (id, age) TO STDOUT")[:5], b"1\t44\n")
            self.assertEqual(self.into(denied, "COPY people (id, phone) FROM STDIN", b"")[0], "42501")

    def test_refused(self):
        for sql in ("COPY people TO '/tmp/x'", "COPY people FROM '/tmp/x'", "COPY people TO PROGRAM 'cat'",
                    "COPY people (id, name) FROM STDIN WHERE age > 3",
                    "COPY (SELECT upper(name) FROM people) TO STDOUT"):
            self.assertEqual(self.out_of(self.links["sealed"], sql)[0], "0A000", sql)

    def test_nothing_clear_reaches_the_server(self):
        link = self.links["sealed"]
        name = CANARY.encode()
        self.assertEqual(self.into(link, "COPY people (id, name, phone) FROM STDIN",
                                   b"1\t%s\t%s\n" % (name, name[:14])), 1)
        self.assertEqual(self.into(link, "COPY people (id, name) FROM STDIN CSV HEADER",
                                   name + b",x\n2,%s\n" % name), 1)
        self.assertEqual(self.into(link, "COPY people (id, age) FROM STDIN",
                                   b"3\t%s\n" % name)[0], "22P02")
        self.assertEqual(self.into(link, "COPY people (id, name) FROM STDIN",
                                   b"3\t%s\t\n" % name)[0], "22P04")
        self.assertEqual(self.into(link, "COPY people (name, id) FROM STDIN (HEADER match)",
                                   b"%s\t3\n" % name)[0], "22P04")
        self.assertIn(name, self.out_of(link, f"COPY (SELECT name FROM people WHERE name = '{CANARY}')"
                                              " TO STDOUT"))

        class Broken(io.RawIOBase):
            def read(self, *_):
                raise ValueError(CANARY)
        with self.assertRaises(psycopg2.errors.QueryCanceled), link.cursor() as cursor:
            cursor.copy_expert("COPY people (id, name) FROM STDIN", Broken())
        # A control: an unprotected value is found in each place that is searched.
        self.assertEqual(self.into(link, "COPY people (id, city) FROM STDIN", b"5\tcontrol-5512\n"), 1)
        self.stage.cluster.ask("CHECKPOINT", database="sealed")
        self.run_on(link, "SELECT 'control-5512'")
        home = self.stage.cluster.home
        for wanted, places in ((b"control-5512", 3), (name, 0), (name.hex().encode(), 0)):
            found = subprocess.run(["grep", "-rlaF", wanted.decode(), str(home)], check=False,
                                   capture_output=True, text=True).stdout.split()
            kinds = {kind for kind in ("postgres.log", "pg_wal", "base") for f in found if kind in f}
            self.assertEqual(len(kinds), places, found)
            self.assertEqual(wanted in self.stage.tap.to_server, places > 0)

    def test_killed_in_the_middle(self):
        gateway = self.stage.parts.gateway
        with wire.Wire(self.stage.gateway) as link:
            link.sign_in(user="erp_app", database="sealed")
            link.send(wire.query("COPY people (id, name) FROM STDIN"))
            link.until(b"G")
            link.send(wire.message(b"d", b"".join(b"%d\tx\n" % i for i in range(20_000))))
            gateway.kill(signal.SIGKILL)
            link.rest()
        self.stage.parts.gateway = None
        self.stage.gateway = self.stage.parts.start_gateway().port
        self.links["sealed"] = self.stage.connect("sealed")
        self.assertEqual(self.both("SELECT count(*) FROM people"), [(0,)])

    def test_lost_keys_end_a_copy(self):
        with wire.Wire(self.stage.gateway) as link:
            link.sign_in(user="erp_app", database="sealed")
            link.send(wire.query("COPY people (id, name) FROM STDIN"))
            link.until(b"G")
            link.send(wire.message(b"d", b"1\tx\n"))
            self.stage.parts.keyd.stop()
            link.socket.settimeout(0.05)
            ended = None
            for i in range(2, 100_000):
                link.send(wire.message(b"d", b"%d\tx\n" % i))
                try:
                    ended = link.next()
                    break
                except TimeoutError:
                    continue
            self.assertEqual((ended[0], wire.sqlstate(ended[1])), (b"E", "57P03"))
            link.socket.settimeout(60)
            link.until(b"Z")
        self.stage.parts.keyd = None
        self.stage.parts.start_keyd()
        wait_until(lambda: self.into(self.links["sealed"], "COPY alone FROM STDIN", b"") == 0, 30,
                   "keys are leased again")
        self.assertEqual(self.stage.cluster.ask("SELECT count(*) FROM people", database="sealed"),
                         [(0,)])

    def test_audit_counts_values(self):
        self.into(self.links["sealed"], "COPY people (id, name, age) FROM STDIN", b"1\tx\t2\n2\t\\N\t3\n")
        self.out_of(self.links["sealed"], "COPY people TO STDOUT")
        wait_until(lambda: {'"sealed":3', '"opened":3', '"object":"COPY"'} <= set(subprocess.run(
            ["grep", "-rhaoE", '"object":"COPY"|"(opened|sealed)":[0-9]+',
             str(self.stage.parts.audit / "gateway")], check=False, capture_output=True,
            text=True).stdout.split()), 30, "both COPYs stand in the audit log with their values")


if __name__ == "__main__":
    assert ROLES
    unittest.main(argv=[sys.argv[0], *os.environ.get("COPY_TESTS", "").split(), *sys.argv[1:]],
                  verbosity=2)
