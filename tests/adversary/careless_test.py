#!/usr/bin/python3
"""Clients that ignore errors: random sequences of messages, sent at once, to PostgreSQL and through the
gateway. The answers must be the same: message types, SQLSTATEs, rows, tags, transaction states.

Longer: ADVERSARY_SEQUENCES=20000 ADVERSARY_SEED=7 careless_test.py"""
import os
import random
import struct
import sys

from stage import HERE, Stage

sys.path.insert(0, str(HERE.parent / "integration" / "passthrough"))
import wire  # noqa: E402

SEED = int(os.environ.get("ADVERSARY_SEED", "1"))
SEQUENCES = int(os.environ.get("ADVERSARY_SEQUENCES", "400"))
ROWS = """INSERT INTO customers (id, name, phone, note) VALUES
 (1, 'Anna', '555-1', 'n1'), (2, 'Bob', NULL, 'n2'), (3, NULL, '555-3', NULL), (4, 'Anna', '', '');
INSERT INTO orders (id, customer_id, contact) VALUES (1, 1, 'x'), (2, 4, 'y');"""
# (text, parameters); what the gateway refuses is, for the server, a text that fails in the same place.
REFUSED = ("SELECT id FROM customers WHERE phone LIKE '5%'", "SELECT id FROM customers WHERE none LIKE '5%'")
STATEMENTS = [
    ("SELECT id, name FROM customers ORDER BY id", 0),
    ("SELECT id, name, phone FROM customers WHERE name = 'Anna' ORDER BY id", 0),
    ("SELECT id, name FROM customers WHERE name = $1 ORDER BY id", 1),
    ("SELECT id, contact FROM orders ORDER BY id", 0),
    ("SELECT contact FROM orders WHERE id = $1", 1),
    ("SELECT 1", 0), ("", 0), ("SELECT 1; SELECT 2", 0),
    ("INSERT INTO customers (id, name) VALUES (5000, 'Carl')", 0),
    ("INSERT INTO customers (id, name, phone) VALUES ($1, $2, 'p')", 2),
    ("UPDATE customers SET name = 'Dora' WHERE name = 'Carl'", 0),
    ("UPDATE customers SET phone = $1 WHERE id >= 5000", 1),
    ("DELETE FROM customers WHERE id >= 5000", 0),
    ("DELETE FROM customers WHERE id >= 5000 RETURNING id", 0),
    ("UPDATE orders SET contact = contact", 0),
    ("this is no SQL", 0), ("SELECT * FROM no_such_table", 0), ("SELECT no_such_column FROM customers", 0),
    ("SELECT 1/0", 0), ("SELECT id / 0 FROM customers", 0), REFUSED,
    ("BEGIN", 0), ("COMMIT", 0), ("ROLLBACK", 0), ("SAVEPOINT s", 0), ("ROLLBACK TO s", 0),
    ("SET search_path = other", 0), ("SET search_path = public", 0), ("SET LOCAL search_path = other", 0),
    ("RESET ALL", 0), ("SHOW search_path", 0), ("DECLARE c CURSOR FOR SELECT name FROM customers ORDER BY id", 0),
    ("FETCH 2 FROM c", 0), ("CLOSE c", 0)]
QUERIES = [
    "SELECT name FROM customers ORDER BY id; SELECT 1",
    "SELECT 1; SELECT name FROM customers ORDER BY id",
    "BEGIN; SELECT name FROM customers WHERE id = 1; COMMIT",
    "INSERT INTO customers (id, name) VALUES (5001, 'Eve'); SELECT 1/0",
    "COPY customers (id, name) FROM STDIN", "COPY orders (id, contact) FROM STDIN",
    "COPY customers (id, name) TO STDOUT", "COPY orders (id) TO STDOUT",
    " ; ; ", "-- nothing", "SELECT name FROM customers ORDER BY id; this is no SQL"]
STATES = {"0A000": "42703"}  # of REFUSED: the gateway's and the server's


def either(text):
    """(for the server, for the gateway)"""
    return (REFUSED[1], REFUSED[0]) if text is REFUSED[0] else (text, text)


class Sequence:
    """Random messages, for the server and for the gateway."""

    def __init__(self, chosen):
        self.chosen = chosen
        self.story, self.server, self.gateway = [], b"", b""
        for _ in range(chosen.randrange(2, 14)):
            self.add()
        self.put("Sync", wire.SYNC)
        self.put("Sync", wire.SYNC)

    def put(self, told, server, gateway=None):
        self.story.append(told)
        self.server += server
        self.gateway += server if gateway is None else gateway

    def name(self):
        return self.chosen.choice(["", "", "", "a", "b"])

    def value(self):
        return self.chosen.choice([None, b"Anna", b"5002", b"1", b"", b"5003"])

    def bind(self, portal, name, count):
        values = [self.value() for _ in range(count)]
        body = portal.encode() + b"\0" + name.encode() + b"\0" + struct.pack("!hh", 0, count)
        for value in values:
            body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
        formats = self.chosen.choice([[], [], [0], [0, 0], [7]])
        self.put(f"Bind {portal!r} {name!r} {values} {formats}", wire.message(
            b"B", body + struct.pack(f"!h{len(formats)}h", len(formats), *formats)))

    def add(self):
        choose, name = self.chosen.random(), self.name()
        portal = self.name()
        if choose < 0.30:  # one that fits together
            text, count = self.statement()
            direct, through = either(text)
            self.put(f"Parse {name!r} {text}", wire.parse(name, direct), wire.parse(name, through))
            self.bind(portal, name, count)
            if self.chosen.random() < 0.4:
                self.put(f"Describe portal {portal!r}", wire.message(b"D", b"P" + portal.encode() + b"\0"))
            rows = self.chosen.choice([0, 0, 1])
            self.put(f"Execute {portal!r} {rows}", wire.execute(portal, rows))
        elif choose < 0.38:
            direct, through = either(self.statement()[0])
            self.put(f"Parse {name!r} {through}", wire.parse(name, direct), wire.parse(name, through))
        elif choose < 0.45:
            self.bind(portal, name, self.chosen.randrange(3))
        elif choose < 0.50:
            self.put(f"Execute {portal!r}", wire.execute(portal, self.chosen.randrange(3)))
        elif choose < 0.56:
            kind = self.chosen.choice("SP")
            self.put(f"Describe {kind} {name!r}", wire.message(b"D", kind.encode() + name.encode() + b"\0"))
        elif choose < 0.62:
            kind = self.chosen.choice("SP")
            self.put(f"Close {kind} {name!r}", wire.message(b"C", kind.encode() + name.encode() + b"\0"))
        elif choose < 0.66:
            self.put("Flush", wire.FLUSH)
        elif choose < 0.78:
            self.put("Sync", wire.SYNC)
        elif choose < 0.92:
            text = self.chosen.choice(QUERIES) if self.chosen.random() < 0.6 else self.statement()[0]
            direct, through = either(text)
            self.put(f"Query {through}", wire.query(direct), wire.query(through))
            if "FROM STDIN" in text:
                self.copy()
        elif choose < 0.97:
            self.copy()
        else:
            call = struct.pack("!ihhh", self.chosen.choice([0, 2078, 1299]), 0, 0, 0)
            self.put("FunctionCall", wire.message(b"F", call))

    def statement(self):
        made = self.chosen.choice(STATEMENTS)
        return (made[0], 0) if made is REFUSED else made

    def copy(self):
        for _ in range(self.chosen.randrange(3)):
            line = self.chosen.choice([b"5010\tFay\n", b"5011\t\\N\n", b"x\ty\tz\n", b"5012\n", b"\\.\n"])
            self.put(f"CopyData {line}", wire.message(b"d", line))
        tag, body = self.chosen.choice([(b"c", b""), (b"f", b"no\0"), (b"", b"")])
        if tag:
            self.put("CopyDone" if tag == b"c" else "CopyFail", wire.message(tag, body))


def answers(port, database, data, chunk):
    """What comes back up to the end of the session."""
    client = wire.Wire(port)
    client.sign_in(user="erp_app", database=database)
    client.socket.settimeout(30)
    # A COPY that nobody ends would wait for ever; then the Terminate is an error of the COPY.
    for at in range(0, len(data), chunk):
        client.send(data[at:at + chunk])
    client.send(wire.message(b"X"))
    raw = client.buffer + client.rest()
    client.socket.close()
    out = []
    while raw:
        size = struct.unpack("!i", raw[1:5])[0]
        tag, body = raw[:1].decode(), raw[5:size + 1]
        raw = raw[size + 1:]
        if tag == "E":
            state = wire.sqlstate(body)
            out.append(f"E {STATES.get(state, state)}")
        elif tag in "DCZdt":
            out.append(f"{tag} {body!r}")
        elif tag == "T":
            out.append(f"T {[f.split(bytes(1))[0] for f in [body[2:]]]} {body[:2]!r}")
        elif tag not in "SN":
            out.append(tag)
    # The server tells of the lost order of messages twice: as an error, and as the end of the session.
    return out[:-1] if out[-2:] == ["E 08P01"] * 2 else out


def main():
    failed = 0
    with Stage("careless", watched=False) as stage:
        for database, port in (("plain", stage.cluster.port), ("sealed", stage.parts.gateway.port)):
            client = wire.Wire(port)
            client.sign_in(user="erp_app", database=database)
            client.send(wire.query(ROWS))
            assert not [b for t, b in client.until(b"Z") if t == b"E"]
            client.socket.close()
        for number in range(SEQUENCES):
            chosen = random.Random(SEED * 1_000_003 + number)
            one = Sequence(chosen)
            chunk = chosen.choice([1 << 20, 1 << 20, 7, 64])
            direct = answers(stage.cluster.port, "plain", one.server, 1 << 20)
            through = answers(stage.parts.gateway.port, "sealed", one.gateway, chunk)
            if direct != through:
                failed += 1
                print(f"sequence {number}:", *one.story, sep="\n  ")
                print("server:", *direct, "gateway:", *through, sep="\n  ", flush=True)
                if failed >= int(os.environ.get("ADVERSARY_FAILURES", "3")):
                    break
                for database, port in (("plain", stage.cluster.port), ("sealed", stage.parts.gateway.port)):
                    stage.cluster.ask("DELETE FROM customers WHERE id >= 5000", role="erp_app",
                                      database=database, port=port)
    print(f"{number + 1} sequences, {failed} answered differently")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
