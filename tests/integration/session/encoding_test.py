#!/usr/bin/python3
"""client_encoding through the gateway and beside it: the same answers, byte for byte."""
import pathlib
import struct
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "copy")]
from stage import Stage  # noqa: E402  first: it sets the paths for what follows

import twin  # noqa: E402
import wire  # noqa: E402
from twin import EXECUTE, Twin, TwinCase  # noqa: E402

# PostgreSQL's name, Python's codec, a text of its characters.
ENCODINGS = [
    ("LATIN1", "latin-1", "Zo\u00eb \u00df\u00ff"), ("LATIN2", "iso8859-2", "\u0141\u00f3d\u017a"),
    ("LATIN5", "iso8859-9", "\u0130\u011f"), ("LATIN9", "iso8859-15", "\u20ac \u0153"),
    ("ISO_8859_5", "iso8859-5", "\u0416\u0443\u043a"), ("WIN1250", "cp1250", "P\u0159\u00edli\u0161"),
    ("WIN1251", "cp1251", "\u0418\u0432\u0430\u043d"), ("WIN1252", "cp1252", "\u201eZo\u00eb\u201c \u20ac"),
    ("WIN1253", "cp1253", "\u0391\u03b8\u03ae\u03bd\u03b1"), ("WIN866", "cp866", "\u0418\u0432\u0430\u043d"),
    ("KOI8R", "koi8-r", "\u0418\u0432\u0430\u043d"), ("KOI8U", "koi8-u", "\u0404\u0432\u0433\u0435\u043d"),
    ("EUC_JP", "euc-jp", "\u5c71\u7530\u592a\u90ce \u30bd\u8868"), ("EUC_KR", "euc-kr", "\uae40\ucca0\uc218"),
    ("UHC", "cp949", "\ub620 \ubc29"), ("EUC_CN", "gb2312", "\u5f20\u4f1f"),
    # Of these second bytes are backslashes, quotes, letters and braces.
    ("SJIS", "cp932", "\u8868 \u30bd \u80fd \u5341 \u2460 \uff71"), ("BIG5", "cp950", "\u8a31 \u529f \u84cb \u5b78"),
    ("GBK", "gbk", "\u8a97 \u9a41 \u7e40 \u4e02"), ("GB18030", "gb18030", "\u8a97 \U0001f600 \u4e02"),
]
# Characters that the gateway refuses and PostgreSQL does not.
LOST = {"BIG5": 7, "UHC": 189, "GB18030": 2068}
# What PostgreSQL itself reads in an encoding, and writes again.
CHARACTERS = """
CREATE OR REPLACE FUNCTION characters(name text) RETURNS TABLE (code bytea) LANGUAGE plpgsql AS $$
DECLARE low int; high int; size int; BEGIN
FOR size, low, high IN VALUES (1, 128, 255), (2, 33024, 65535), (3, 9413025, 9436926) LOOP
  CONTINUE WHEN size = 3 AND name <> 'EUC_JP';
  FOR i IN low .. high LOOP
    BEGIN
      code := substring(int4send(i) FROM 5 - size FOR size);
      CONTINUE WHEN length(convert_from(code, name)) <> 1;
      PERFORM convert_to(convert_from(code, name), name);
      RETURN NEXT;
    EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
END LOOP; END $$
"""
ADD = "INSERT INTO people (id, name, city, note, phone) VALUES ({}, '{}', '{}', '{}', '{}')"
ROWS = "SELECT id, name, city, note, lower(city) FROM people ORDER BY id"


class EncodingTest(TwinCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = Stage("session")
        cls.maxDiff = 4000

    @classmethod
    def tearDownClass(cls):
        cls.stage.stop()

    def setUp(self):
        for which in ("plain", "sealed"):
            with self.stage.connect(which) as link, link.cursor() as cursor:
                cursor.execute("TRUNCATE people, batches")
            link.close()
        self.stage.tap.to_server.clear()

    def exercise(self, both, codec, text):
        def say(sql, count=1):
            return self.same(both, twin.query(sql, codec), count)

        secret = "name " + text
        say("SHOW client_encoding")
        say("SELECT current_setting('client_encoding'), pg_client_encoding()")
        say(ADD.format(1, secret, text, "note " + text, "123"))
        say(ADD.format(2, "plain", text, "", "124"))
        answers = say(ROWS)
        self.assertIn(secret.encode(codec), self.rows_of(answers)[0])
        self.assertEqual(len(self.rows_of(say(f"SELECT id FROM people WHERE name = '{secret}'"))), 1)
        say(f"SELECT id FROM people WHERE name IN ('{secret}', 'other')")
        say(f'SELECT name AS "{text}" FROM people WHERE city = \'{text}\' ORDER BY id')
        say(f"UPDATE people SET name = '{secret}2' WHERE name = '{secret}'")
        say(f"SELECT name FROM people WHERE name = '{secret}2'; SELECT '{text}'")
        say(f"SELECT '{text}' FROM nowhere")
        say(f'SELECT "{text}" FROM people')
        # Extended, text and binary, with a statement of that name.
        for formats in ((0,), (1,)):
            prepared = (twin.parse(text, "SELECT id, name, city FROM people WHERE name = $1 OR city = $2",
                                   codec) + twin.describe("S", text, codec) +
                        twin.bind(text, [secret + "2", text], codec, formats, formats) +
                        twin.describe("P", "", codec) + EXECUTE + wire.SYNC)
            self.assertTrue(self.rows_of(self.same(both, prepared)))
            say(f'DEALLOCATE "{text}"')
        many = (twin.parse("", "SELECT id FROM people WHERE name = ANY ($1)", codec) +
                twin.bind("", ['{"' + secret + '2",x}'], codec) + EXECUTE + wire.SYNC)
        self.assertEqual(len(self.rows_of(self.same(both, many))), 1)
        say(f'PREPARE "{text}" AS SELECT id, name, $2::text, $3::text FROM people WHERE name = $1')
        self.assertEqual(len(self.rows_of(say(f"EXECUTE \"{text}\"('{secret}2', '{text}', '{text}' || '{text}')"))), 1)
        say(f'DEALLOCATE "{text}"')
        say("DELETE FROM people WHERE id = 2")
        self.hidden(secret.encode(codec), secret.encode())

    def test_set(self):
        for name, codec, text in ENCODINGS:
            with self.subTest(name), Twin(self.stage) as both:
                self.setUp()
                self.same(both, twin.query(f"SET client_encoding = '{name}'", "ascii"))
                self.exercise(both, codec, text)

    def test_startup(self):
        for name, codec, text in ENCODINGS[0], ENCODINGS[-4], ENCODINGS[-2]:
            with self.subTest(name), Twin(self.stage, client_encoding=name) as both:
                self.setUp()
                self.assertIn((b"S", b"client_encoding\0" + name.encode() + b"\0"),
                              both.greetings["sealed"])
                self.exercise(both, codec, text)

    def test_aliases(self):
        with Twin(self.stage) as both:
            for sql in ("SET NAMES 'latin1'", "SET client_encoding TO 'ISO-8859-1'", "SET NAMES sjis",
                        "SET client_encoding = 'Shift_JIS'", "SET client_encoding = 'MSKANJI'",
                        "SELECT set_config('client_encoding', 'win1252', false)",
                        "SET client_encoding = 'no such'", "SET client_encoding = sql_ascii",
                        "RESET client_encoding", "SET client_encoding = 'unicode'",
                        "SET client_encoding = DEFAULT", "DISCARD ALL"):
                self.same(both, twin.query(sql, "ascii"))
                self.same(both, twin.query("SHOW client_encoding", "ascii"))

    def test_transactions_bring_it_back(self):
        text, codec = "\u8868\u30bd", "cp932"
        with Twin(self.stage) as both:
            def say(sql, encoding):
                return self.same(both, twin.query(sql, encoding))

            def read(encoding, count):
                sql = ADD.format(count, text, text, text, count)
                say(sql, encoding)
                self.assertEqual(len(self.rows_of(say(f"SELECT 1 FROM people WHERE name = '{text}'",
                                                      encoding))), count)

            say("BEGIN", codec)
            say("SET client_encoding = 'SJIS'", codec)
            read(codec, 1)
            say("COMMIT", codec)
            read(codec, 2)
            for end, encoding in (("ROLLBACK", codec), ("COMMIT", codec)):
                say("BEGIN", codec)
                say("SET LOCAL client_encoding = 'UTF8'", codec)
                say(f"SELECT '{text}'", "utf-8")
                say(end, "utf-8")
                say(f"SELECT '{text}'", encoding)
            say("BEGIN", codec)
            say("SAVEPOINT one", codec)
            say("SET client_encoding = 'EUC_JP'", codec)
            say(f"SELECT '{text}'", "euc-jp")
            say("ROLLBACK TO one", "ascii")
            read(codec, 3)
            say("SELECT 1/0", codec)
            say("ROLLBACK", codec)
            read(codec, 3)

    def test_pipelines(self):
        """What comes after it in one breath is read by the new encoding."""
        text = "\u8868\u30bd"
        set_sjis = twin.parse("", "SET client_encoding = 'SJIS'") + twin.bind("", []) + EXECUTE
        read = twin.query(f"SELECT id, name FROM people WHERE name = '{text}'", "cp932")
        with Twin(self.stage) as both:
            self.same(both, twin.query(ADD.format(1, text, text, text, "1"), "utf-8"))
            one = self.same(both, set_sjis + wire.SYNC + read, 2)
            self.assertEqual(len(self.rows_of(one)), 1)
        inside = (twin.parse("", "SELECT id, name FROM people WHERE name = $1", "cp932") +
                  twin.bind("", [text], "cp932") + EXECUTE)
        with Twin(self.stage) as both:
            self.assertEqual(len(self.rows_of(self.same(both, set_sjis + inside + wire.SYNC + read, 2))), 2)
            # An error takes the setting back with the transaction that the pipeline is.
        with Twin(self.stage) as both:
            failing = twin.parse("", "SELECT 1/0") + twin.bind("", []) + EXECUTE
            utf8 = twin.query(f"SELECT id, name FROM people WHERE name = '{text}'", "utf-8")
            self.assertEqual(len(self.rows_of(self.same(both, set_sjis + failing + wire.SYNC + utf8, 2))), 1)

    def test_characters_that_are_not_there(self):
        with Twin(self.stage) as both:
            self.same(both, twin.query(ADD.format(1, "\u5f20\u4f1f", "x", "\u5f20", "1"), "utf-8"))
            self.same(both, twin.query(ADD.format(2, "ascii", "x", "", "2"), "utf-8"))
            self.same(both, twin.query("SET NAMES 'LATIN1'", "utf-8"))
            self.assertEqual([b for t, b in self.same(both, twin.query("SELECT note FROM people", "latin-1"))
                              if t == b"E"], [b"22P05"])
            plain, sealed = both.ask(twin.query("SELECT name FROM people WHERE id = 1", "latin-1"))
            self.assertEqual([a for a in plain if a[0] == b"E"], [a for a in sealed if a[0] == b"E"])
            self.same(both, twin.query("SELECT name FROM people WHERE id = 2", "latin-1"))
        for name, bad in (("SJIS", b"\x81"), ("SJIS", b"\xfd\xfe"), ("GBK", b"\x80"), ("EUC_KR", b"\x81\x41"),
                          ("WIN1252", b"\x81"), ("BIG5", b"\xff\xff"), ("GB18030", b"\x81\x30\x81")):
            with Twin(self.stage, client_encoding=name) as both:
                for sql in (b"SELECT id FROM people WHERE name = '" + bad + b"'", b"SELECT '" + bad + b"'"):
                    answers = self.same(both, twin.query(sql, None))
                    self.assertIn([b for t, b in answers if t == b"E"], ([b"22021"], [b"22P05"]), name)

    def test_copy(self):
        for name, codec, text in ENCODINGS[0], ENCODINGS[-4], ENCODINGS[-3], ENCODINGS[-2]:
            for more in "", " (FORMAT csv)", " (ENCODING 'UTF8')", " (FORMAT binary)":
                with self.subTest(name + more), Twin(self.stage, client_encoding=name) as both:
                    self.setUp()
                    self.same(both, twin.query(ADD.format(7, text, text, text, 7), codec))
                    columns = "(id, name, city, note)"
                    out = self.same(both, twin.query(f"COPY people {columns} TO STDOUT{more}", codec))
                    data = b"".join(body for tag, body in out if tag == b"d")
                    self.same(both, twin.query("DELETE FROM people", codec))
                    for end in both.ends.values():
                        end.send(twin.query(f"COPY people {columns} FROM STDIN{more}", codec))
                        end.until(b"G")
                    for at in range(0, len(data), 3):
                        for end in both.ends.values():
                            end.send(wire.message(b"d", data[at:at + 3]))
                    self.same(both, wire.message(b"c"))
                    rows = self.rows_of(self.same(both, twin.query(ROWS, codec)))
                    self.assertEqual(len(rows), 1)
                    self.assertIn(text.encode(codec), rows[0])

    def test_every_character(self):
        """What comes back of a protected column is what comes back of a plain one beside it."""
        self.stage.cluster.ask(CHARACTERS, database="plain")
        refused = {}
        for name, _, _ in ENCODINGS:
            rows = self.stage.cluster.ask(f"SELECT code FROM characters('{name}')", database="plain")
            characters = [bytes(row[0]) for row in rows]
            self.assertGreater(len(characters), 80)
            with wire.Wire(self.stage.gateway) as session, wire.Wire(self.stage.gateway) as utf8:
                session.sign_in(user="erp_app", database="sealed", client_encoding=name)
                utf8.sign_in(user="erp_app", database="sealed")
                for at in range(0, len(characters), 500):
                    self.keep(session, utf8, characters[at:at + 500], refused.setdefault(name, []))
        # Where the C library's table is another one, or has fewer.
        self.assertEqual({name: len(lost) for name, lost in refused.items() if lost}, LOST)

    def keep(self, session, utf8, characters, refused):
        text = b"".join(characters)
        session.send(twin.query(b"DELETE FROM people", None))
        session.until(b"Z")
        session.send(twin.query(b"INSERT INTO people (id, name, city) VALUES (1, '" + text + b"', '" + text +
                                b"')", None))
        if any(tag == b"E" for tag, _ in session.until(b"Z")):
            if len(characters) == 1:
                refused.append(text)
                return
            half = len(characters) // 2
            self.keep(session, utf8, characters[:half], refused)
            self.keep(session, utf8, characters[half:], refused)
            return
        for client in (session, utf8):
            client.send(twin.query(b"SELECT name, city FROM people", None))
            row = next(body for tag, body in client.until(b"Z") if tag == b"D")
            size = struct.unpack("!i", row[2:6])[0]
            self.assertEqual(row[6:6 + size], row[10 + size:], text[:40])

    def test_backslashes(self):
        """standard_conforming_strings = off: a plain literal is read as E'...'."""
        off = r"""SET standard_conforming_strings = off
SET escape_string_warning = off
SHOW standard_conforming_strings
INSERT INTO people (id, name, city) VALUES (1, 'secret a\'b\\c\x41\u00e9\n', 'a\'b\\c\x41\u00e9\n'), (2, 'it''s', '\\')
SELECT id, name, city FROM people ORDER BY id
SELECT id FROM people WHERE name = 'secret a\'b\\c\x41\u00e9\n'
SELECT id FROM people WHERE name = 'it\'s' AND city = N'\\'; SELECT 'two\\';
UPDATE people SET name = 'secret \\' WHERE name = 'it\'s' RETURNING name
UPDATE batches SET recipe = 'x\'' WHERE qty > 0
SELECT name FROM people WHERE name IN ('secret \
\', 'secret \\') OR city = 'a'
'b\''
SELECT U&'\0061', name FROM people
PREPARE find AS SELECT id, 'a\'b' FROM people WHERE name = $1
EXECUTE find('secret \\')
DEALLOCATE find
SELECT E'\'' || $$\'$$ || name, B'01', X'1F', "name" -- it's
DECLARE c CURSOR FOR SELECT '\''
COPY (SELECT name, '\\' FROM people WHERE name = 'secret \\') TO STDOUT (DELIMITER '\t', NULL '\\N')
SELECT relname FROM pg_class WHERE relname = 'peo\160le'
SELECT 'open \'
BEGIN
SET LOCAL standard_conforming_strings = on
SELECT id FROM people WHERE name = 'secret \'
ROLLBACK
SELECT id FROM people WHERE name = 'secret \\'
RESET standard_conforming_strings
SELECT id FROM people WHERE name = 'secret \'
SELECT set_config('standard_conforming_strings', 'off', false)
SELECT id FROM people WHERE name = 'secret \\'"""
        statements = off.split("\n")
        joined = []
        for line in statements:
            if joined and line[:1] in "\\'":
                joined[-1] += "\n" + line
            else:
                joined.append(line)
        with Twin(self.stage) as both:
            for sql in joined:
                with self.subTest(sql):
                    self.same(both, twin.query(sql, "utf-8"))
            sql = r"SELECT id FROM people WHERE name = $1 AND 'a\'b' <> ''"
            self.same(both, twin.parse("", sql) + twin.bind("", ["secret \\"]) + EXECUTE + wire.SYNC)
            self.hidden(b"secret")
        with Twin(self.stage, options="-c standard_conforming_strings=off -c escape_string_warning=off") as both:
            self.same(both, twin.query(r"SELECT id FROM people WHERE name = 'secret \\'", "utf-8"))

    def test_long_messages(self):
        with Twin(self.stage) as both:
            for size in (20 << 20, 70 << 20):
                answers = self.same(both, twin.query(b"SELECT length('" + b"x" * size + b"')", None))
                self.assertIn(str(size).encode(), self.rows_of(answers)[0])
            value = b"y" * (70 << 20)
            data = (twin.parse("", "SELECT id, length($1::text) FROM people WHERE name = 'x' OR id > 0") +
                    twin.bind("", [value]) + EXECUTE + wire.SYNC)
            self.same(both, data)

    def test_what_is_not_converted(self):
        for sql in ("SET client_encoding = 'MULE_INTERNAL'", "SET NAMES 'EUC_TW'", "SET NAMES 'JOHAB'",
                    "SELECT set_config('client_encoding', 'lat' || 'in1', false)"):
            with wire.Wire(self.stage.gateway) as client:
                client.sign_in(user="erp_app", database="sealed")
                client.send(wire.query(sql))
                self.assertEqual([wire.sqlstate(b) for t, b in client.until(b"Z") if t == b"E"], ["0A000"])
        with wire.Wire(self.stage.gateway) as client:
            client.send(wire.startup(user="erp_app", database="sealed", client_encoding="EUC_TW"))
            self.assertEqual(wire.sqlstate_in(client.rest()), "22021")


if __name__ == "__main__":
    unittest.main(verbosity=2)
