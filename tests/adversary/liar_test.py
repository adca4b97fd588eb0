#!/usr/bin/python3
"""A server that lies. The gateway refuses or ends the session; it never shows a value that is not the
column's, never sends anything clear, and goes on serving others."""
import struct
import sys
import unittest

from stage import HERE, Stage

sys.path.insert(0, str(HERE.parent / "integration" / "passthrough"))
import wire  # noqa: E402
from liar import Liar, columns_of, description, fields_of, row, status  # noqa: E402

FORGED = b"forged by the server"
CANARY = b"a canary of the liar's"
ROWS = ["INSERT INTO customers (id, name, phone, note) VALUES (1, 'Anna', '555-1', 'n1'), (2, 'Bob', '555-2', 'n2')",
        "INSERT INTO batches (id, batch_no, recipe, qty) VALUES (1, 'first', 'flour', 1), (2, 'second', 'sugar', 2)",
        "INSERT INTO orders (id, customer_id, contact) VALUES (1, 1, 'x')"]
# What may be shown for each: nothing else may.
READS = {
    "SELECT name FROM customers WHERE id = 1": {("Anna",)},
    "SELECT id, name, phone FROM customers ORDER BY id": {("1", "Anna", "555-1"), ("2", "Bob", "555-2")},
    "SELECT batch_no, recipe FROM batches WHERE id = 1": {("first", "flour")},
    "SELECT c.name, b.recipe FROM customers c JOIN batches b ON b.id = c.id": {("Anna", "flour"), ("Bob", "sugar")},
    "SELECT id FROM customers WHERE name = 'Bob'": {("2",)},
    "SELECT name FROM customers UNION SELECT patient FROM usage": {("Anna",), ("Bob",)}}
WRITES = [f"INSERT INTO customers (id, name) VALUES (77, '{CANARY.decode()}')",
          f"UPDATE customers SET name = '{CANARY.decode()}', phone = '{CANARY.decode()}' WHERE id > 1",
          f"SELECT id FROM customers WHERE name = '{CANARY.decode()}'"]


def change_field(change):
    def lie(tag, body, _):
        if tag != b"T":
            return None
        fields = fields_of(body)
        return description(change(fields)) if fields else None
    return lie


def in_rest(at, form, value):
    """The same field with other bytes: 0 table, 4 attribute, 6 type, 10 size, 12 modifier, 16 format."""
    def change(fields):
        packed = struct.pack(form, value)
        return [(n, r[:at] + packed + r[at + len(packed):]) for n, r in fields]
    return change_field(change)


def change_row(change):
    def lie(tag, body, memory):
        if tag != b"D":
            return None
        values = columns_of(body)
        made = change(values, memory)
        memory.setdefault("values", []).extend(values)
        return made
    return lie


def on(wanted, told):
    return lambda tag, body, memory: told if tag == wanted else None


def before(wanted, told):
    return lambda tag, body, memory: told + wire.message(tag, body) if tag == wanted else None


def swapped(values, _):
    return row(*values[::-1]) if len(values) > 1 else None


def other_row(values, memory):
    kept = memory.setdefault("row", values)
    return row(*kept)


def other_value(values, memory):
    seen = [v for v in memory.get("values", []) if v is not None and len(v) > 30]
    return row(*[seen[0] if seen and v is not None and len(v) > 30 else v for v in values])


LIES = {
    "one field more": change_field(lambda f: f + [f[0]]),
    "one field less": change_field(lambda f: f[:-1]),
    "no fields": change_field(lambda f: []),
    "fields the other way round": change_field(lambda f: f[::-1]),
    "other names": change_field(lambda f: [(b"theriac_sealed_1", r) for _, r in f]),
    "another table": in_rest(0, "!i", 1259), "no table": in_rest(0, "!i", 0),
    "another attribute": in_rest(4, "!h", 1), "no attribute": in_rest(4, "!h", 0),
    "another type": in_rest(6, "!i", 25), "binary": in_rest(16, "!h", 1), "text": in_rest(16, "!h", 0),
    "no format": in_rest(16, "!h", 9),
    "a broken description": on(b"T", wire.message(b"T", b"\0\5abc")),
    "a row of one column": change_row(lambda v, m: row(v[0])),
    "a row of no columns": change_row(lambda v, m: row()),
    "a column more": change_row(lambda v, m: row(*v, FORGED)),
    "columns swapped": change_row(swapped),
    "forged values": change_row(lambda v, m: row(*[FORGED] * len(v))),
    "forged hex": change_row(lambda v, m: row(*[b"\\x" + FORGED.hex().encode()] * len(v))),
    "empty values": change_row(lambda v, m: row(*[b""] * len(v))),
    "truncated values": change_row(lambda v, m: row(*[x and x[:-1] for x in v])),
    "a bit changed": change_row(lambda v, m: row(*[x and x[:-1] + bytes([x[-1] ^ 1]) for x in v])),
    "values of another column or table": change_row(other_value),
    "lengths that do not fit": on(b"D", wire.message(b"D", struct.pack("!hi", 1, 1 << 30) + b"x")),
    "a negative length": on(b"D", wire.message(b"D", struct.pack("!hi", 1, -7) + b"x")),
    "an error without a state": on(b"C", wire.message(b"E", b"Mno state\0\0")),
    "an error without fields": on(b"C", wire.message(b"E", b"\0")),
    "a broken error": on(b"C", wire.message(b"E", b"C")),
    "ready in a transaction": on(b"Z", wire.message(b"Z", b"T")),
    "ready and failed": on(b"Z", wire.message(b"Z", b"E")),
    "ready in no known state": on(b"Z", wire.message(b"Z", b"?")),
    "ready without a state": on(b"Z", wire.message(b"Z", b"")),
    "ready twice": before(b"Z", wire.message(b"Z", b"I")),
    "no command complete": on(b"C", b""),
    "complete twice": before(b"C", wire.message(b"C", b"SELECT 1\0")),
    "bound twice": before(b"2", wire.message(b"2")),
    "parsed twice": before(b"1", wire.message(b"1")),
    "rows before their description": before(b"T", row(FORGED)),
    "a second description": before(b"D", description([(b"x", struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))])),
    "rows unasked": before(b"Z", row(FORGED)),
    "COPY IN unasked": before(b"C", wire.message(b"G", b"\0\0\0")),
    "COPY OUT unasked": before(b"C", wire.message(b"H", b"\0\0\0")),
    "COPY OUT with data": before(b"C", wire.message(b"H", b"\0\0\1\0\0") + wire.message(b"d", FORGED)),
    "COPY BOTH": before(b"C", wire.message(b"W", b"\0\0\0")),
    "copied data unasked": before(b"C", wire.message(b"d", FORGED)),
    "a huge length": on(b"D", b"D\x7f\xff\xff\xff"), "a length of nothing": on(b"D", b"D\0\0\0\0"),
    "an unknown message": before(b"C", wire.message(b"~", b"x")),
    "a sign-in in the middle": before(b"C", wire.message(b"R", struct.pack("!i", 3))),
    "signed in again": before(b"C", wire.message(b"R", struct.pack("!i", 0))),
    "key data in the middle": before(b"C", wire.message(b"K", b"\0" * 8)),
    "portal suspended": on(b"C", wire.message(b"s")), "empty query": on(b"C", wire.message(b"I")),
    "another encoding": before(b"C", status("client_encoding", "SJIS")),
    "strings of the old kind": before(b"C", status("standard_conforming_strings", "off")),
    "another search_path": before(b"C", status("search_path", "other")),
    "a superuser": before(b"C", status("is_superuser", "on")),
    "another user": before(b"C", status("session_authorization", "dba")),
    "another date style": before(b"C", status("DateStyle", "nonsense, more")),
    "a broken status": before(b"C", wire.message(b"S", b"x")),
    "a broken notice": before(b"C", wire.message(b"N", b"xyz")),
    "a function's result": before(b"C", wire.message(b"V", struct.pack("!i", 4) + b"abcd")),
    "parameters unasked": before(b"C", wire.message(b"t", b"\0\1\0\0\0\x19")),
    "broken parameters": on(b"t", wire.message(b"t", b"\0\7\0")),
    "no data": on(b"T", wire.message(b"n")),
}
STARTS = {
    "ready at once": lambda tag, body: wire.message(b"Z", b"I") if tag == b"R" else None,
    "a password in clear": lambda tag, body: wire.message(b"R", struct.pack("!i", 3)) if tag == b"R" else None,
    "md5": lambda tag, body: wire.message(b"R", struct.pack("!i", 5) + b"salt") if tag == b"R" else None,
    "SASL of another kind": lambda tag, body: wire.message(b"R", struct.pack("!i", 10) + b"NONE\0\0"),
    "an unknown kind": lambda tag, body: wire.message(b"R", struct.pack("!i", 99)) if tag == b"R" else None,
    "signed in twice": lambda tag, body: wire.message(tag, body) * 2 if tag == b"R" else None,
    "rows at sign-in": lambda tag, body: row(FORGED) if tag == b"K" else None,
    "another encoding": lambda tag, body: status("client_encoding", "LATIN1") + wire.message(tag, body)
    if tag == b"K" else None,
    "strings of the old kind": lambda tag, body: status("standard_conforming_strings", "off") +
    wire.message(tag, body) if tag == b"K" else None,
    "another protocol": lambda tag, body: wire.message(b"v", struct.pack("!ii", 0, 0)) if tag == b"R" else None,
}


class Lying(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        def between(port):
            cls.liar = Liar(port)
            return cls.liar.port
        cls.stage = Stage("liar", watched=False, between=between).__enter__()
        cls.addClassCleanup(cls.stage.__exit__)
        for sql in ROWS:
            cls.stage.cluster.ask(sql, role="erp_app", database="sealed", port=cls.stage.parts.gateway.port)
        cls.pid = cls.stage.parts.gateway.pid()

    def tearDown(self):
        self.liar.lie = self.liar.at_start = None
        self.assertEqual(self.stage.parts.gateway.pid(), self.pid, "the gateway died")
        self.assertEqual(self.rows_of("SELECT name FROM customers WHERE id = 1", False), [("Anna",)])

    def rows_of(self, sql, extended):
        """What the client is shown, in a session of its own."""
        client = wire.Wire(self.stage.parts.gateway.port)
        client.socket.settimeout(3)
        shown = []
        try:
            client.sign_in(user="erp_app", database="sealed")
            self.liar.armed = True
            if extended:
                client.send(wire.parse("", sql) + wire.bind("", "") + wire.message(b"D", b"P\0") +
                            wire.execute("", 0) + wire.SYNC)
            else:
                client.send(wire.query(sql))
            while True:
                tag, body = client.next()
                if tag == b"D":
                    shown.append(tuple(v if v is None else v.decode("utf-8", "replace")
                                       for v in columns_of(body)))
                if tag == b"d":
                    shown.append((body.decode("utf-8", "replace"),))
                if tag == b"Z":
                    break
        except (OSError, EOFError):
            pass
        finally:
            self.liar.armed = False
            client.socket.close()
        return shown

    def test_what_is_shown_is_true(self):
        for name, lie in LIES.items():
            for sql, true in READS.items():
                for extended in (False, True):
                    with self.subTest(lie=name, sql=sql, extended=extended):
                        self.liar.memory = {}
                        self.liar.lie = lie
                        for shown in self.rows_of(sql, extended):
                            if shown in true:
                                continue
                            # `id` is not sealed; all else in these statements is.
                            sealed = [v for i, v in enumerate(shown)
                                      if not (sql.startswith("SELECT id") and i == 0)]
                            wanted = {v for one in true for v in one}
                            self.assertTrue(all(v in wanted for v in sealed if v is not None),
                                            f"shown {shown}")
            self.assertGreater(self.liar.told, 0, name)

    def test_a_bound_value_of_another_row_is_not_shown(self):
        sql = "SELECT batch_no, recipe FROM batches ORDER BY id"

        def lie(tag, body, memory):
            if tag != b"D":
                return None
            values = columns_of(body)
            first = memory.setdefault("row", values)
            # Its identity stays; what is sealed comes from the first row.
            return row(*[f if f is not None and len(f) > 30 else v for f, v in zip(first, values)])
        self.liar.memory, self.liar.lie = {}, lie
        shown = self.rows_of(sql, False)
        self.assertIn(shown, ([], [("first", "flour")], [("first", "flour")] * 2))

    def test_nothing_clear_is_sent(self):
        for name, lie in LIES.items():
            for sql in WRITES:
                for extended in (False, True):
                    with self.subTest(lie=name, sql=sql, extended=extended):
                        self.liar.memory, self.liar.lie = {}, lie
                        self.liar.heard.clear()
                        self.rows_of(sql, extended)
                        self.assertNotIn(CANARY, bytes(self.liar.heard))
                        self.assertNotIn(CANARY.hex().encode(), bytes(self.liar.heard))

    def test_sign_in(self):
        for name, lie in STARTS.items():
            with self.subTest(lie=name):
                self.liar.at_start = lie
                self.liar.heard.clear()
                for sql in WRITES:
                    self.rows_of(sql, False)
                self.assertNotIn(CANARY, bytes(self.liar.heard))
                for shown in self.rows_of("SELECT name FROM customers WHERE id = 1", False):
                    self.assertEqual(shown, ("Anna",))
                self.liar.at_start = None

    def test_endless_rows(self):
        """The gateway hands on what comes, keeping nothing: its memory stays."""
        def memory_kb():
            with open(f"/proc/{self.pid}/status", encoding="ascii") as text:
                return next(int(line.split()[1]) for line in text if line.startswith("VmRSS"))
        start = memory_kb()
        for sql in ("SELECT id FROM orders", "SELECT name FROM customers", WRITES[1]):
            told = []

            def lie(tag, body, _, told=told):
                if tag != b"D" or told:
                    return None
                told.append(1)
                return wire.message(tag, body) * 300_000
            self.liar.lie = lie
            self.rows_of(sql, False)
        self.assertLess(memory_kb() - start, 150_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
