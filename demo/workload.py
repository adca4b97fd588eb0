#!/usr/bin/python3
"""Behaves like the ERP: many short transactions over customers, batches and device usage, by an
unmodified client library that knows nothing of Theriac.

usage: workload.py URI [--threads 4] [--seconds 10]
"""
import argparse
import collections
import datetime
import decimal
import itertools
import random
import threading
import time

import psycopg2

SURNAMES = "张王李赵刘陈杨黄"
GIVEN = "伟芳娜敏静丽强磊"
FIRST_ID = 50_000_000
COLUMNS = ("id", "contact_name", "contact_id_number", "contact_phone", "credit_limit")


class Outcome:
    """What the threads saw; counts grow while they run."""

    def __init__(self):
        self.lock = threading.Lock()
        self.statements = 0
        self.errors = collections.Counter()  # SQLSTATE -> count
        self.examples = {}
        self.acknowledged = {}  # id -> row, once its COMMIT was acknowledged
        self.doubtful = set()   # ids whose COMMIT was sent and never answered

    def failed(self):
        return sum(self.errors.values())


class Workload:
    """start(), stop(); `outcome` may be read at any time."""

    def __init__(self, uri, threads=4, seed=1, reconnect=False, first_id=FIRST_ID, writes_only=False):
        self.uri = uri
        self.reconnect = reconnect
        self.writes_only = writes_only
        self.outcome = Outcome()
        self.ids = itertools.count(first_id)
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(random.Random(f"{seed}/{i}"),),
                                         daemon=True) for i in range(threads)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        return self.outcome

    def wait_for(self, statements, seconds=60):
        """Until so many statements have succeeded since now."""
        goal = self.outcome.statements + statements
        end = time.monotonic() + seconds
        while self.outcome.statements < goal:
            if time.monotonic() > end or not any(t.is_alive() for t in self.threads):
                return False
            time.sleep(0.01)
        return True

    def _note(self, error):
        state = getattr(error, "pgcode", None) or "connection"
        with self.outcome.lock:
            self.outcome.errors[state] += 1
            self.outcome.examples.setdefault(state, str(error).strip().splitlines()[:1])

    def _work(self, rng):
        connection = None
        while not self.stopping.is_set():
            try:
                if connection is None or connection.closed:
                    connection = psycopg2.connect(self.uri, connect_timeout=5)
                self._transaction(connection, rng)
            except psycopg2.Error as error:
                self._note(error)
                lost = connection is None or connection.closed or not error.pgcode
                if lost:
                    if connection is not None:
                        connection.close()
                    connection = None
                    if not self.reconnect:
                        return
                    self.stopping.wait(0.05)
                else:
                    connection.rollback()
        if connection is not None:
            connection.close()

    def _transaction(self, connection, rng):
        act = self._new_customer if self.writes_only else rng.choice(
            (self._new_customer, self._look_up, self._look_up, self._history, self._raise_limit))
        done, row = act(connection, rng)
        if row:
            with self.outcome.lock:
                self.outcome.doubtful.add(row[0])
        connection.commit()
        with self.outcome.lock:
            self.outcome.statements += done
            if row:
                self.outcome.doubtful.discard(row[0])
                self.outcome.acknowledged[row[0]] = row

    def _new_customer(self, connection, rng):
        number = next(self.ids)
        name = rng.choice(SURNAMES) + rng.choice(GIVEN) + rng.choice(GIVEN)
        row = (number, name, f"98{number:016d}", f"100-{rng.randrange(10 ** 8):08d}",
               decimal.Decimal(rng.randrange(1_000, 10 ** 8)) / 100)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO customers (id, name, kind, province, contact_name, contact_id_number,"
                " contact_phone, credit_limit) VALUES (%s, '示例 load', 'clinic', '上海', %s, %s, %s, %s)",
                row)
        return 1, row

    def _look_up(self, connection, rng):
        number = rng.randrange(1, 100)
        with connection.cursor() as cursor:
            cursor.execute("SELECT contact_name, contact_phone FROM customers WHERE id = %s", (number,))
            name = cursor.fetchone()
            if name:
                cursor.execute("SELECT id, name, credit_limit FROM customers WHERE contact_name = %s",
                               (name[0],))
                found = {r[0] for r in cursor.fetchall()}
                if number not in found:
                    raise psycopg2.DataError("a customer was not found by its own contact's name")
        return 2, None

    def _history(self, connection, rng):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT u.udi, u.used_on, u.patient_name, b.batch_no, b.sterilised_at"
                " FROM device_usage u JOIN batches b ON b.id = u.batch_id WHERE u.batch_id = %s",
                (rng.randrange(1, 5_000),))
            for row in cursor.fetchall():
                if row[4] is not None and not isinstance(row[4], datetime.datetime):
                    raise psycopg2.DataError("sterilised_at is not a moment")
        return 1, None

    def _raise_limit(self, connection, rng):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE customers SET credit_limit = %s WHERE id = %s",
                           (decimal.Decimal(rng.randrange(10_000, 10 ** 7)) / 100,
                            rng.randrange(200, 19_000)))
        return 1, None


def compare_acknowledged(connection, outcome):
    """Acknowledged rows that are missing or differ, read back by the same kind of client."""
    bad = []
    ids = sorted(outcome.acknowledged)
    with connection.cursor() as cursor:
        for start in range(0, len(ids), 500):
            part = ids[start:start + 500]
            cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM customers WHERE id = ANY(%s)", (part,))
            found = {row[0]: row for row in cursor.fetchall()}
            bad += [i for i in part if found.get(i) != outcome.acknowledged[i]]
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("uri")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    load = Workload(args.uri, args.threads, seed=time.time(), first_id=int(time.time() * 1000)).start()
    load.stopping.wait(args.seconds)
    outcome = load.stop()
    print(f"{outcome.statements:,} statements, {outcome.failed()} failed")
    for state, example in outcome.examples.items():
        print(f"  {outcome.errors[state]} x {state}: {' '.join(example)}")
    return 1 if outcome.failed() else 0


if __name__ == "__main__":
    raise SystemExit(main())
