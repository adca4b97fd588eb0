#!/usr/bin/python3
"""Stores of 10^5, 10^6 and 10^7 items: how fast they fill, what is asked of them, what they weigh.

The folder (--folder) is kept: what is filled once goes on from there, and the larger sizes take long.
"""
import json
import pathlib
import shutil
import sqlite3
import subprocess
import time

from contestants import AS_POSTGRES, BIN, PG, free_port

SIZES = (100_000, 1_000_000, 10_000_000)
KINDS = ("items", "events", "terms")


class Sqlite:
    name = "SQLite"

    def __init__(self, folder):
        self.path = folder / "trace.db"
        self.where = f"sqlite:{self.path}"

    def sizes(self):
        """Bytes by table, indexes with their table."""
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as store:
            rows = store.execute("SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_schema m USING (name) "
                                 "WHERE s.aggregate = 1 GROUP BY 1").fetchall()
        return dict(rows)

    def written(self):
        return 0

    def stop(self):
        pass


class Postgres:
    name = "PostgreSQL"

    def __init__(self, folder):
        self.folder = folder / "pg"
        self.data = self.folder / "data"
        self.port = free_port()
        if not self.data.exists():
            self.folder.mkdir(parents=True)
            if AS_POSTGRES:
                shutil.chown(self.folder, "postgres")
            self.run("initdb", "-D", self.data, "-U", "bench", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust")
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder,
                    "shared_buffers": "1GB", "max_wal_size": "2GB", "wal_compression": "on"}
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o",
                 " ".join(f"-c {k}={v}" for k, v in settings.items()), "start")
        self.where = f"host=127.0.0.1 port={self.port} user=bench dbname=postgres"

    @staticmethod
    def run(program, *arguments):
        subprocess.run([*AS_POSTGRES, str(PG / program), *map(str, arguments)], check=True,
                       stdout=subprocess.DEVNULL, cwd="/")

    def ask(self, sql):
        done = subprocess.run(["psql", self.where, "-XAt", "-F", "|", "-c", sql], check=True, capture_output=True,
                              text=True)
        return [line.split("|") for line in done.stdout.splitlines()]

    def sizes(self):
        rows = self.ask("SELECT regexp_replace(c.relname, '_p[0-9]+$', ''), sum(pg_total_relation_size(c.oid)) "
                        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                        "WHERE n.nspname = 'theriac_trace' AND c.relkind IN ('r', 'p') GROUP BY 1")
        return {name: int(size) for name, size in rows}

    def written(self):
        """Bytes of write-ahead log so far."""
        return int(self.ask("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")[0][0])

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "fast", "stop")


def one_size(store, items, options):
    before, began = store.written(), time.monotonic()
    filled, found, there = [], {}, 0
    with subprocess.Popen(["nice", "-n", str(options.nice), BIN / "trace_growth", store.where, str(items)],
                          stdout=subprocess.PIPE, text=True) as work:
        for line in work.stdout:
            said = json.loads(line)
            if "what" in said:
                found[said["what"]] = said
            else:
                filled.append(said["per_second"])
            there = said["items"]
            print(store.name, line.strip(), f"{time.monotonic() - began:.0f} s", flush=True)
    if work.returncode != 0:
        raise SystemExit(f"trace_growth: {work.returncode}")
    sizes = store.sizes()
    of_kind = {kind: size / there for kind, size in sizes.items() if kind in KINDS}
    row = {"engine": store.name, "items": there, "last_rate": filled[-1] if filled else 0,
           "bytes": sum(sizes.values()) / there, "of": of_kind, "found": found,
           "wal": (store.written() - before) / there if filled and store.written() else 0}
    print(row, flush=True)
    return row


def measure(options):
    folder = pathlib.Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    results = folder / "rows.json"
    rows = json.loads(results.read_text()) if results.exists() else []
    for items in [one for one in SIZES if one <= options.items]:
        for kind in (Sqlite, Postgres):
            if any(r["engine"] == kind.name and r["items"] == items for r in rows):
                continue
            store = kind(folder)
            try:
                rows.append(one_size(store, items, options))
            finally:
                store.stop()
            results.write_text(json.dumps(rows))
    return rows


def table(rows):
    lines = ["| store | items | filled at, items/s | where, ms: p50, p99 | history | pallet of 10,000 | bytes an item, "
             "all | items and their indexes | events | terms |", "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for r in sorted(rows, key=lambda row: (row["engine"] != Sqlite.name, row["items"])):
        took = {what: f"{one['p50_ms']:.2f}, {one['p99_ms']:.2f}" for what, one in r["found"].items()}
        part = {kind: f"{r['of'].get(kind, 0):.0f}" for kind in KINDS}
        lines.append(f"| {r['engine']} | {r['items']:,} | {r['last_rate']:,.0f} | {took['where']} | {took['history']} | "
                     f"{took['contents']} | {r['bytes']:.0f} | {part['items']} | {part['events']} | {part['terms']} |")
    return "\n".join(lines)

