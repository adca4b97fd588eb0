"""What is done to the running system in the story and in the checks, and what was seen. Nothing here
prints; an act that did not go as it must raises Failed.
"""
import datetime
import decimal
import io
import json
import random
import re
import shutil
import struct
import time

import psycopg2

import canaries
import libpq
from place import Failed, is_root
from stage import require
from workload import Workload

CANARY_ID = 40_000_000
# Where text canaries go in turn: table, column, and what else the row needs.
TEXT_PLACES = (
    ("customers", "contact_name", {"name": "示例 canary", "kind": "clinic", "province": "x"}),
    ("customers", "contact_id_number", {"name": "示例 canary", "kind": "clinic", "province": "x",
                                        "contact_name": "x"}),
    ("customers", "contact_phone", {"name": "示例 canary", "kind": "clinic", "province": "x",
                                    "contact_name": "x"}),
    ("device_usage", "patient_name", {"batch_id": 1, "customer_id": 1, "udi": "x",
                                      "used_on": "2026-01-01"}),
    ("formulas", "composition", {"device_id": 1, "revision": 1, "approved_on": "2026-01-01"}),
)
NUMBER_PLACE = ("customers", "credit_limit", {"name": "示例 canary", "kind": "clinic", "province": "x",
                                              "contact_name": "x"})
MOMENT_PLACE = ("batches", "sterilised_at", {"device_id": 1, "formula_id": 1, "quantity": 1,
                                             "made_on": "2026-01-01", "expires_on": "2031-01-01",
                                             "status": "released"})


# --- canaries ---

class Hunt:
    """Two hundred canaries, half there before sealing and half written through the gateway."""

    def __init__(self, stage):
        self.stage = stage
        seed = random.SystemRandom().random()
        self.canaries = canaries.make(seed)
        self.control = canaries.control(seed)
        self.patterns = [p for c in self.canaries for p in c.patterns]
        self.canary_of = {p.data: i for i, c in enumerate(self.canaries) for p in c.patterns}
        self.planted = set()
        self.watched = []  # connections whose server processes are looked into

    def _rows(self, chosen):
        """(table, row) of each canary in `chosen` (indices)."""
        for i in sorted(chosen):
            self.planted.add(i)
            canary = self.canaries[i]
            table, column, rest = {"number": NUMBER_PLACE, "moment": MOMENT_PLACE}.get(
                canary.kind, TEXT_PLACES[i % len(TEXT_PLACES)])
            row = dict(rest, id=CANARY_ID + i, **{column: canary.value})
            if table == "batches":
                row["batch_no"] = f"CANARY-{i}"
            if table == "formulas":
                row["code"] = f"CANARY-{i}"
            yield table, row

    def plant_before(self):
        """Plain, with COPY: its rows are in files and WAL, but not in the statement log."""
        connection = self.stage.cluster.connect("dba")
        try:
            with connection.cursor() as cursor:
                for table, row in self._rows(range(0, len(self.canaries), 2)):
                    line = "\t".join(map(str, row.values())) + "\n"
                    cursor.copy_expert(f"COPY {table} ({', '.join(row)}) FROM STDIN", io.StringIO(line))
                cursor.execute("ANALYZE")
        finally:
            connection.close()

    def plant_through_gateway(self):
        """All others, as the ERP: literals in simple queries, parameters of the extended protocol."""
        rest = set(range(len(self.canaries))) - self.planted
        simple = self.stage.connect("erp_app")
        with libpq.Connection(self.stage.gateway_uri()) as extended:
            for number, (table, row) in enumerate(self._rows(rest)):
                names = ", ".join(row)
                if number % 2:
                    marks = ", ".join(f"${k}" for k in range(1, len(row) + 1))
                    extended.query(f"INSERT INTO {table} ({names}) VALUES ({marks})",
                                   list(row.values()))
                else:
                    marks = ", ".join(["%s"] * len(row))
                    with simple.cursor() as cursor:
                        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})",
                                       list(row.values()))
        self.watched.append(simple)

    def plant_control(self):
        """Plain columns and a comment, the same ways: it must turn up everywhere."""
        word = self.control.value
        # At the head of a segment: search() begins with a checkpoint, which deletes the segments before its own.
        self.stage.cluster.ask("SELECT pg_switch_wal()", database="postgres")
        with self.watched[0].cursor() as cursor:
            for i in range(40):
                cursor.execute("UPDATE customers SET note = %s WHERE id = %s", (word, 1_000 + i))
        direct = self.stage.cluster.connect("dba")
        with direct.cursor() as cursor:
            cursor.execute("ANALYZE customers")
            # A utility statement: pg_stat_statements keeps the text of a query only the first time.
            cursor.execute(f"SET application_name = '{word}'")
        self.watched.append(direct)

    def search(self):
        """Place -> (canaries seen there, control seen, bytes read)."""
        cluster = self.stage.cluster
        cluster.ask("CHECKPOINT", database="postgres")
        wanted = self.patterns + self.control.patterns
        seen = {}
        for name, path in (("data files", cluster.data / "base"),
                           ("write-ahead log", cluster.data / "pg_wal"),
                           ("server log", cluster.log)):
            found, size = canaries.search_folder(path, wanted)
            seen[name] = self._judge(found, size)
        with cluster.connect("dba") as connection:
            for view, found in canaries.search_views(connection, wanted).items():
                seen[view] = self._judge(found, 0)
        if is_root():
            search = canaries.Search(wanted)
            search.process(self.stage.erp_backend(self.watched[0]))
            seen["memory of the server process"] = self._judge(search.found, search.bytes)
        for name in ("log", "audit", "keyd"):
            search = canaries.Search(self.patterns)
            search.folder(self.stage.place.dir / name)
            seen[f"our {name}"] = (len(self._which(search.found)), None, search.bytes)
        return seen

    def _which(self, found):
        return {self.canary_of[f] for f in found if f in self.canary_of}

    def _judge(self, found, size):
        control = any(p.data in found for p in self.control.patterns)
        return len(self._which(found)), control, size

    def close(self):
        for connection in self.watched:
            connection.close()


def remove_canaries(run_sql):
    for table in ("device_usage", "batches", "formulas", "customers"):
        run_sql(f"DELETE FROM {table} WHERE id BETWEEN {CANARY_ID} AND {CANARY_ID + 999}")


# --- who sees what ---

def sqlstate_of(act):
    """The SQLSTATE an act fails with, or None if it went through."""
    try:
        act()
        return None
    except psycopg2.Error as error:
        return error.pgcode or "08006"


# --- keys ---

def rotate_under_load(stage, class_name, threads=4):
    """Rotates while the ERP works; returns (outcome, key ids seen on new values before, after)."""
    load = Workload(stage.gateway_uri(), threads, seed=time.time(),
                    first_id=int(time.time() * 1_000_000)).start()
    try:
        require(load.wait_for(1_000), f"the ERP's load does not run: {load.outcome.examples}")
        before = newest_key_id(stage)
        stage.parts.key("rotate", "--class", class_name, "--reason", "demonstration")
        end = time.monotonic() + 180
        while (after := newest_key_id(stage)) == before:
            require(time.monotonic() < end, "no value was sealed under the new key within 180 s")
            require(load.wait_for(50), f"the load stopped: {load.outcome.examples}")
        load.wait_for(1_000)
    finally:
        outcome = load.stop()
    return outcome, before, after


def helper_names(stage, table, column):
    """(sealed, index) helper columns of a protected column."""
    number = stage.cluster.ask(
        "SELECT number FROM theriac.columns WHERE relation = %s::regclass AND column_name = %s",
        (table, column))[0][0]
    return f"theriac_sealed_{number}", f"theriac_index_{number}"


def newest_key_id(stage):
    """Bytes 3 to 10 of the sealed contact name of the newest customer: the key's id."""
    sealed, _ = helper_names(stage, "customers", "contact_name")
    row = stage.cluster.ask(f"SELECT substr({sealed}, 4, 8) FROM customers WHERE {sealed} IS NOT NULL"
                            " ORDER BY id DESC LIMIT 1")
    return bytes(row[0][0])


def revoke_and_restore(stage, class_name, lease_s):
    """Seconds until reads and writes were refused, and until they worked again."""
    connection = stage.connect("erp_app")
    try:
        def read():
            with connection.cursor() as cursor:
                cursor.execute("SELECT contact_name FROM customers WHERE id = 1")
                return cursor.fetchone()

        def write():
            with connection.cursor() as cursor:
                cursor.execute("UPDATE customers SET contact_name = '张伟' WHERE id = 1")

        read()
        write()
        stage.parts.key("revoke", "--class", class_name, "--reason", "demonstration")
        revoked = time.monotonic()
        states = {}
        while len(states) < 2:
            for name, act in (("read", read), ("write", write)):
                if name not in states and (state := sqlstate_of(act)):
                    states[name] = state
            require(time.monotonic() - revoked <= lease_s + 1,
                    f"a revoked key still works after {lease_s} s, one whole lease")
        refused_s = time.monotonic() - revoked
        # A refusal holds: not one more row until the key is restored.
        require(sqlstate_of(read) and sqlstate_of(write), "a refused key worked again by itself")
        stage.parts.key("restore", "--class", class_name, "--reason", "demonstration")
        restored = time.monotonic()
        while sqlstate_of(read) or sqlstate_of(write):
            require(time.monotonic() - restored <= lease_s + 5, "a restored key does not work")
        require(read() == ("张伟",), "after restoring, the value read is another one")
        return refused_s, time.monotonic() - restored, states
    finally:
        connection.close()


# --- attacks ---

def swap_and_read(stage, table, sealed_from, sealed_to, row_from, row_to, column, role="erp_app"):
    """As a superuser, puts a sealed value elsewhere; the SQLSTATE its reader gets. Undone after."""
    dba = stage.cluster.connect("dba")
    try:
        with dba.cursor() as cursor:
            cursor.execute(f"SELECT {sealed_to} FROM {table} WHERE id = %s", (row_to,))
            kept = cursor.fetchone()[0]
            cursor.execute(f"UPDATE {table} SET {sealed_to} = (SELECT {sealed_from} FROM {table}"
                           f" WHERE id = %s) WHERE id = %s", (row_from, row_to))
        state = sqlstate_of(
            lambda: stage.erp(f"SELECT {column} FROM {table} WHERE id = {row_to}", role=role))
        with dba.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {sealed_to} = %s WHERE id = %s", (kept, row_to))
    finally:
        dba.close()
    require(sqlstate_of(lambda: stage.erp(f"SELECT {column} FROM {table} WHERE id = {row_to}",
                                          role=role)) is None,
            "the value does not open after it was put back")
    return state


def entry_bundles(folder):
    """Files of entries of a C2SP tiled log, with the index of their first entry."""
    for path in (folder / "tile" / "entries").rglob("*"):
        if path.is_file():
            digits = re.findall(r"\d{3}", str(path.relative_to(folder / "tile" / "entries"))
                                .split(".p")[0])
            yield path, int("".join(digits)) * 256


def copies_of_entry(folder, number):
    """(file, where the entry begins in it, its length) of each bundle that holds the entry."""
    for path, first in entry_bundles(folder):
        if not first <= number < first + 256:
            continue
        data, at = path.read_bytes(), 0
        for _ in range(number - first):
            if at + 2 > len(data):
                break
            at += 2 + struct.unpack(">H", data[at:at + 2])[0]
        if at + 2 <= len(data):
            yield path, at + 2, struct.unpack(">H", data[at:at + 2])[0]


def edit_entry(folder, number):
    """Changes one letter of who acted, in every copy of the entry."""
    edited = 0
    for path, start, length in copies_of_entry(folder, number):
        data = path.read_bytes()
        entry = data[start:start + length]
        old = b'"actor":' + json.dumps(json.loads(entry)["actor"], ensure_ascii=False).encode()
        new = old[:9] + (b"X" if old[9:10] != b"X" else b"Y") + old[10:]
        require(old in entry and len(old) == len(new), "an entry has no actor to change")
        path.write_bytes(data[:start] + entry.replace(old, new) + data[start + length:])
        edited += 1
    require(edited, f"entry {number} stands in no bundle")


def cut_log(folder, number):
    """Removes the entry and everything after it, wherever they stand."""
    for path, start, _ in list(copies_of_entry(folder, number)):
        path.write_bytes(path.read_bytes()[:start - 2])


def copy_log(source, target):
    """A copy of a log that may be being written: its checkpoint first, so that the tiles copied after
    it hold at least what it covers. Files that vanish meanwhile are replaced by later ones."""
    if target.exists():
        shutil.rmtree(target)

    def copy(one, two):
        try:
            shutil.copy2(one, two)
        except FileNotFoundError:
            pass

    target.mkdir(parents=True)
    copy(source / "checkpoint", target / "checkpoint")
    shutil.copytree(source, target, dirs_exist_ok=True, copy_function=copy,
                    ignore=shutil.ignore_patterns("checkpoint", "*.tmp"))
    return target


def consistent_copy(stage, source, name):
    """A copy of a log that is being written, taken until it verifies by itself."""
    end = time.monotonic() + 20
    while True:
        copy = copy_log(source, stage.place.dir / "copies" / name)
        code, verdict = stage.parts.verify(copy)
        if code == 0:
            return copy, verdict
        require(time.monotonic() < end, f"the log in {source} does not verify: {verdict}")


def edited_log_is_found(stage):
    """(entry that verification names, its word for what happened) after an edit of a copy."""
    copy, whole = consistent_copy(stage, stage.parts.audit / "gateway", "edited")
    entry = whole["entries"] * 3 // 4
    edit_entry(copy, entry)
    code, verdict = stage.parts.verify(copy)
    require(code == 1, f"an edited log verifies: {verdict}")
    require(verdict.get("bad_entry") == entry,
            f"entry {entry} was edited, verification names {verdict.get('bad_entry')}")
    return entry, "found"


def as_seen(value):
    """One form for comparing what several clients return."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc)
    if isinstance(value, decimal.Decimal):
        return value.normalize()
    return value


def fail_unless(state, wanted, what):
    if state != wanted:
        raise Failed(f"{what}: SQLSTATE {state or 'none, it went through'}, expected {wanted}")
