#!/usr/bin/python3
"""The gateway on a bad network, on both legs. No answer may be wrong; what was acknowledged stands in the
table, what stands in the table was acknowledged or under way when the connection went; the gateway keeps no
session, descriptor or memory of what ended, and goes on serving.

Longer: ADVERSARY_SECONDS=600 ADVERSARY_SEED=7 chaos_test.py"""
import os
import random
import struct
import sys
import threading
import time
import urllib.request

from chaos import Chaos
from stage import HERE, Stage

sys.path.insert(0, str(HERE.parent / "integration" / "passthrough"))
import wire  # noqa: E402
from processes import wait_until  # noqa: E402

SEED = int(os.environ.get("ADVERSARY_SEED", "1"))
SECONDS = float(os.environ.get("ADVERSARY_SECONDS", "25"))
CLIENTS = 6
# What a client may be told when its connection, or the server's, is in trouble.
ENDS = ("08006", "08001", "08003", "08P01", "57P01", "57P03", "57P05", "25P03", "08000", "57014", "53300")


class Wrong(Exception):
    """An answer that is not right."""


class Client(threading.Thread):
    """Writes rows and reads them back; connects again whenever the connection goes."""

    def __init__(self, number, port, until):
        super().__init__()
        self.number, self.port, self.until = number, port, until
        self.chosen = random.Random(SEED * 1009 + number)
        self.next_id = 1_000_000 * (number + 1)
        self.kept, self.unknown = {}, {}
        self.lost, self.told, self.wrong = 0, {}, None

    def value(self, key):
        return f"Person {key} of {self.number} " + "x" * (key % 50)

    def run(self):
        while time.monotonic() < self.until and self.wrong is None:
            client = None
            try:
                client = wire.Wire(self.port)
                client.socket.settimeout(2)
                if any(tag == b"E" and self.note(body) for tag, body in self.greeting(client)):
                    continue
                for _ in range(self.chosen.randrange(1, 60)):
                    if time.monotonic() < self.until:
                        self.act(client)
            except (OSError, EOFError):
                self.lost += 1
            except Wrong as wrong:
                self.wrong = str(wrong)
            finally:
                if client:
                    client.socket.close()

    def greeting(self, client):
        client.send(wire.startup(user="erp_app", database="sealed"))
        out = []
        while not out or out[-1][0] not in (b"Z", b"E"):
            out.append(client.next())
        return out

    def note(self, body):
        state = wire.sqlstate(body)
        self.told[state] = self.told.get(state, 0) + 1
        if state not in ENDS:
            raise Wrong(f"told {state}: {body!r}")
        return True

    def ask(self, client, data):
        """Rows and tags up to ReadyForQuery."""
        client.send(data)
        rows, tags = [], []
        while True:
            tag, body = client.next()
            if tag == b"Z":
                return rows, tags
            if tag == b"E":
                self.note(body)
                raise EOFError
            if tag == b"C":
                tags.append(body[:-1].decode())
            if tag == b"D":
                row, at = [], 2
                for _ in range(struct.unpack("!h", body[:2])[0]):
                    size = struct.unpack("!i", body[at:at + 4])[0]
                    row.append(None if size < 0 else body[at + 4:at + 4 + size].decode())
                    at += 4 + max(size, 0)
                rows.append(tuple(row))

    def send_sql(self, sql):
        if self.chosen.random() < 0.5:
            return wire.query(sql)
        return wire.parse("", sql) + wire.bind("", "") + wire.execute("", 0) + wire.SYNC

    def act(self, client):
        if self.chosen.random() < 0.5 or not self.kept:
            key = self.next_id
            self.next_id += 1
            self.unknown[key] = self.value(key)
            _, tags = self.ask(client, self.send_sql(
                f"INSERT INTO customers (id, name) VALUES ({key}, '{self.value(key)}')"))
            if tags != ["INSERT 0 1"]:
                raise Wrong(f"INSERT: {tags}")
            self.kept[key] = self.unknown.pop(key)
            return
        keys = self.chosen.sample(sorted(self.kept), min(len(self.kept), self.chosen.choice([1, 3, 40])))
        if self.chosen.random() < 0.5:
            wanted = sorted((str(k), self.kept[k]) for k in keys)
            rows, _ = self.ask(client, self.send_sql(
                f"SELECT id, name FROM customers WHERE id IN ({', '.join(map(str, keys))})"))
            if sorted(rows) != wanted:
                raise Wrong(f"rows {rows} instead of {wanted}")
        else:
            rows, _ = self.ask(client, self.send_sql(
                f"SELECT id FROM customers WHERE name = '{self.kept[keys[0]]}'"))
            if rows != [(str(keys[0]),)]:
                raise Wrong(f"rows {rows} instead of {keys[0]}")


def serves(port):
    """The network to the server is still bad: not every attempt succeeds."""
    one = Client(CLIENTS, port, 0)
    try:
        client = wire.Wire(port)
        client.socket.settimeout(2)
        one.greeting(client)
        return one.ask(client, wire.query("SELECT count(name) >= 0 FROM customers"))[0] == [("t",)]
    except (OSError, EOFError):
        return False


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def main():
    legs = []

    def between(port):
        legs.append(Chaos(port, SEED + 1).start())
        return legs[0].port

    with Stage("chaos", watched=False, between=between, gateway=[
            "--idle-timeout", "4", "--write-timeout", "3",
            "--sign-in-timeout", "3", "--threads", "2"]) as stage:
        gateway = stage.parts.gateway
        pid = gateway.pid()
        before = descriptors(pid)
        legs.append(Chaos(gateway.port, SEED).start())
        until = time.monotonic() + SECONDS
        clients = [Client(number, legs[1].port, until) for number in range(CLIENTS)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
        legs[1].stop()
        problems = [f"client {c.number}: {c.wrong}" for c in clients if c.wrong]

        def sessions():
            with urllib.request.urlopen(f"http://127.0.0.1:{stage.metrics}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
            return sum(float(line.split()[-1]) for line in lines
                       if line.startswith(("theriac_gateway_sessions ", "theriac_gateway_sessions{")))

        wait_until(lambda: sessions() == 0, 60, "all sessions end")
        wait_until(lambda: descriptors(pid) <= before + 4, 30, "descriptors are given back")
        if gateway.pid() != pid:
            problems.append("the gateway died")
        wait_until(lambda: serves(gateway.port), 60, "the gateway goes on serving")
        memory = memory_kb(pid)
        # What is left, past the bad network.
        rows = dict(stage.cluster.ask("SELECT id, name FROM customers", role="erp_app", database="sealed",
                                      port=stage.plain_gateway().port))
        kept = {k: v for c in clients for k, v in c.kept.items()}
        unknown = {k: v for c in clients for k, v in c.unknown.items()}
        problems += [f"row {k} was acknowledged and is {rows.get(k)!r}" for k in kept
                     if rows.get(k) != kept[k]]
        problems += [f"row {k} is {v!r}, nobody wrote that" for k, v in rows.items()
                     if {**kept, **unknown}.get(k) != v]
        told = {}
        for one in clients:
            for state, count in one.told.items():
                told[state] = told.get(state, 0) + count
        print(f"{len(kept)} rows kept, {len(unknown)} unknown, {sum(c.lost for c in clients)} connections "
              f"lost, told {told}; moods {legs[1].seen} and {legs[0].seen}; {memory} kB")
        print(*problems[:20], sep="\n")
        for leg in legs[:1]:
            leg.stop()
        enough = len(kept) > 50 and sum(c.lost for c in clients) > 10
        return 1 if problems or not enough else 0


if __name__ == "__main__":
    sys.exit(main())
