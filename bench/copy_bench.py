"""COPY of 100,000 rows of ten columns, three of them sealed, through the gateway in enforce mode;
beside it COPY of the same plain table through the same gateway in pass-through, and pgcrypto in the
server (INSERT ... SELECT of the same rows).

Named so because a module `copy` would hide Python's own.
"""
import io
import os
import statistics
import sys
import tempfile
import time

from contestants import ROOT, Proxy, pass_through, processor_seconds

os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-bench-"))
sys.path.insert(0, str(ROOT / "demo"))
from stand import Stand  # noqa: E402

ROWS = 100_000
COLUMNS = """(id int PRIMARY KEY, name text, phone text, limit_cny numeric, city text,
  street text, born date, visits int, kind text, changed timestamptz)"""
TABLE = f"""
CREATE TABLE people {COLUMNS};
CREATE TABLE marked {COLUMNS};
GRANT SELECT, INSERT, TRUNCATE ON people, marked TO erp_app;
"""
# `people`: sealed only; `marked`: two of the three can be searched, so the server keeps two indexes.
POLICY = """
version: 1
tenant: bench
classes:
  person: {suite: aes, bind_rows: false, buckets: [16, 32, 64]}
columns:
  - {table: public.people, column: name, class: person}
  - {table: public.people, column: phone, class: person}
  - {table: public.people, column: limit_cny, class: person}
  - {table: public.marked, column: name, class: person, searchable: true}
  - {table: public.marked, column: phone, class: person, searchable: true}
  - {table: public.marked, column: limit_cny, class: person}
roles:
  erp_app: {person: clear}
"""
CIPHERS = {
    "pgcrypto encrypt_iv": ("encrypt_iv(convert_to({0}::text, 'UTF8'), '\\x{key}', "
                            "gen_random_bytes(16), 'aes')", 100_000),
    "pgcrypto pgp_sym_encrypt": ("pgp_sym_encrypt({0}::text, '{key}')", 5_000),
}


def rows():
    return "".join(f"{i}\tPerson number {i}\t138{10000000 + i}\t{i * 1.25}\tSuzhou\tXinghai Street "
                   f"{i}\t19{60 + i % 40}-02-03\t{i % 50}\thospital\t2026-11-21 02:30:00+00\n"
                   for i in range(1, ROWS + 1)).encode()


def timed(connection, sql, stream):
    with connection.cursor() as cursor:
        begin = time.perf_counter()
        cursor.copy_expert(sql, stream, 65536)
        return time.perf_counter() - begin


class Bench:
    def __init__(self, links, proxies, options):
        self.links, self.proxies, self.options = links, proxies, options

    def one(self, which, table, work, form, data):
        cost = processor_seconds(self.proxies[which].pid)
        with self.links[which].cursor() as cursor:
            if work == "in":
                cursor.execute(f"TRUNCATE {table}")
        stream = io.BytesIO(data[form] if work == "in" else b"")
        direction = "FROM STDIN" if work == "in" else "TO STDOUT"
        seconds = timed(self.links[which], f"COPY {table} {direction} (FORMAT {form})", stream)
        return seconds, processor_seconds(self.proxies[which].pid) - cost

    def compare(self, table, work, form, data):
        took = {which: [] for which in self.links}
        costs = {which: [] for which in self.links}
        for _ in range(self.options.rounds):
            for which in self.links:
                seconds, cost = self.one(which, table, work, form, data)
                took[which].append(seconds)
                costs[which].append(cost)
        ratio = statistics.median(a / b for a, b in zip(took["plain"], took["sealed"]))
        row = {"table": table, "work": work, "form": form, "ratio": ratio,
               "plain": statistics.median(took["plain"]), "sealed": statistics.median(took["sealed"]),
               "cost": [statistics.median(costs[w]) / ROWS * 1e6 for w in ("plain", "sealed")]}
        print(f"{table:7} {work:3} {form:6}: plain {row['plain']:.2f} s ({row['cost'][0]:.2f} us a row), "
              f"sealed {row['sealed']:.2f} s ({row['cost'][1]:.2f} us): {ratio:.2f}", flush=True)
        return row


def pgcrypto(cluster):
    """Seconds for ROWS rows; the slow one on fewer rows, scaled."""
    cluster.ask("CREATE EXTENSION pgcrypto", database="plain")
    took = {}
    for name, (cipher, count) in CIPHERS.items():
        cipher = cipher.replace("{key}", "5e" * 32)
        cluster.ask("DROP TABLE IF EXISTS ciphered; CREATE TABLE ciphered (id int PRIMARY KEY, name "
                    "bytea, phone bytea, limit_cny bytea, city text, street text, born date, visits "
                    "int, kind text, changed timestamptz)", database="plain")
        values = ", ".join(cipher.format(column) for column in ("name", "phone", "limit_cny"))
        begin = time.perf_counter()
        cluster.ask(f"INSERT INTO ciphered SELECT id, {values}, city, street, born, visits, kind, "
                    f"changed FROM people WHERE id <= {count}", database="plain")
        took[name] = (time.perf_counter() - begin) * ROWS / count
        print(f"{name}: {took[name]:.2f} s for {ROWS} rows", flush=True)
    return took


def measure(options):
    here, proxies = Stand("bench", TABLE, POLICY, ("plain", "sealed"), lease_s=60, logged=False), {}
    cluster = here.cluster
    try:
        proxies["plain"] = pass_through(options.gateway, cluster.port, options.cpu)
        service = here.parts.gateway_service()
        proxies["sealed"] = Proxy("enforce", service.port, service.argv, options.cpu)
        links = {which: cluster.connect("erp_app", which, proxies[which].port) for which in proxies}
        bench = Bench(links, proxies, options)
        data = {"text": rows()}
        timed(links["plain"], "COPY people FROM STDIN", io.BytesIO(data["text"]))
        for form in ("csv", "binary"):
            stream = io.BytesIO()
            timed(links["plain"], f"COPY people TO STDOUT (FORMAT {form})", stream)
            data[form] = stream.getvalue()
        made = [bench.compare(table, work, form, data) for table in ("people", "marked")
                for form in ("text", "csv", "binary") for work in ("in", "out")]
        return made, pgcrypto(cluster)
    finally:
        for proxy in proxies.values():
            proxy.stop()
        here.stop()


def table(measured):
    made, rivals = measured
    lines = ["| table | work | format | pass-through, s | enforce / pass-through | CPU of pass-through, "
             "us a row | CPU of enforce, us a row |", "|---|---|---|---:|---:|---:|---:|"]
    names = {"people": "3 sealed of 10", "marked": "3 sealed of 10, 2 searchable"}
    lines += [f"| {names[r['table']]} | {r['work']} | {r['form']} | {r['plain']:.2f} | {r['ratio']:.2f} "
              f"| {r['cost'][0]:.2f} | {r['cost'][1]:.2f} |" for r in made]
    ours = next(r["sealed"] for r in made if (r["table"], r["work"], r["form"]) ==
                ("people", "in", "text"))
    lines += ["", "| the same rows sealed in bulk | seconds | times as long as COPY through the gateway |",
              "|---|---:|---:|", f"| COPY FROM, text, through the gateway | {ours:.2f} | 1 |"]
    lines += [f"| {name}, INSERT ... SELECT in the server | {s:.2f} | {s / ours:.1f} |"
              for name, s in rivals.items()]
    return "\n".join(lines)
