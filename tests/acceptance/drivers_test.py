#!/usr/bin/python3
"""Client libraries that others wrote: one small program each, directly and through the gateway.

Each makes tables whose columns the policy names, writes, reads, compares, copies and asks for the
catalogue in the ways that its library has. What it prints must be equal to the last character.

usage: drivers_test.py [NAME...]     env OUT: folder to keep what was printed
exit: 0 equal, 1 different, 77 no library is installed.
"""
import difflib
import os
import pathlib
import shutil
import subprocess
import sys

from stage import HERE, ROLE, Stage

DATABASE = "drivers"
POLICY = """
version: 1
tenant: acceptance
classes:
  person: {suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 0}
  record: {suite: sm4, bind_rows: true, buckets: [64, 256], grace_s: 0}
columns:
  - {table: public.customer, column: name, class: person, searchable: true, accept_leakage: true,
     domain: person_name}
  - {table: public.customer, column: email, class: person, searchable: true, accept_leakage: true}
  - {table: public.customer, column: birth, class: person, searchable: true, accept_leakage: true}
  - {table: public.customer, column: amount, class: record}
  - {table: public.customer, column: big, class: record}
  - {table: public.customer, column: score, class: record}
  - {table: public.customer, column: vip, class: person, searchable: true, accept_leakage: true}
  - {table: public.customer, column: notes, class: record}
  - {table: public.customer, column: tags, class: person}
  - {table: public.customer, column: ref, class: person, searchable: true, accept_leakage: true}
  - {table: public.customer, column: seen, class: record}
  - {table: public.customer, column: made, class: person}
  - {table: public.customer, column: photo, class: record}
  - {table: public.line_item, column: buyer, class: person, searchable: true, accept_leakage: true,
     domain: person_name}
  - {table: public.auth_user, column: email, class: person, searchable: true, accept_leakage: true}
  - {table: public.auth_user, column: first_name, class: person, searchable: true, accept_leakage: true,
     domain: person_name}
  - {table: public.auth_user, column: last_name, class: person, searchable: true, accept_leakage: true,
     domain: person_name}
roles:
  suite: {person: clear, record: clear}
"""

PYTHON = "/usr/bin/python3"
ACTS = HERE / "drivers"
SCHEMA = ACTS / "schema.sql"
JDBC = "/usr/share/java/postgresql.jar"
GO = "/usr/share/gocode"


def has_module(name):
    return subprocess.run([PYTHON, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def programs(scratch):
    """name -> (is its library here, how to run it, more environment)"""
    return {
        "psycopg3": (has_module("psycopg"), [PYTHON, ACTS / "psycopg3_acts.py"], {}),
        "asyncpg": (has_module("asyncpg"), [PYTHON, ACTS / "asyncpg_acts.py"], {}),
        "sqlalchemy": (has_module("sqlalchemy"), [PYTHON, "-W", "ignore", ACTS / "sqlalchemy_acts.py"], {}),
        "django": (has_module("django"), [PYTHON, "-W", "ignore", ACTS / "django_acts.py"], {}),
        "jdbc": (bool(shutil.which("java")) and os.path.exists(JDBC),
                 ["java", "-cp", JDBC, ACTS / "Acts.java", SCHEMA], {}),
        "odbc": (has_module("pyodbc"), [PYTHON, ACTS / "odbc_acts.py"], {}),
        "dbd-pg": (bool(shutil.which("perl")) and subprocess.run(
            ["perl", "-MDBD::Pg", "-e", "1"], capture_output=True, check=False).returncode == 0,
            ["perl", ACTS / "acts.pl", SCHEMA], {}),
        "ruby-pg": (bool(shutil.which("ruby")) and subprocess.run(
            ["ruby", "-e", "require 'pg'"], capture_output=True, check=False).returncode == 0,
            ["ruby", ACTS / "acts.rb", SCHEMA], {}),
        "php": (bool(shutil.which("php")), ["php", ACTS / "acts.php", SCHEMA], {}),
        "node-pg": (bool(shutil.which("node")) and subprocess.run(
            ["node", "-e", "require('pg')"], capture_output=True, check=False, env=node()).returncode == 0,
            ["node", ACTS / "acts.js", SCHEMA], node()),
        "pgx": (bool(shutil.which("go")) and os.path.isdir(f"{GO}/src/github.com/jackc/pgx"),
                ["go", "run", ACTS / "pgx_acts.go", SCHEMA],
                {"GOPATH": GO, "GO111MODULE": "off", "GOCACHE": str(scratch / "go"), "HOME": str(scratch)}),
    }


def node():
    return {**os.environ, "NODE_PATH": os.environ.get("NODE_PATH", "/usr/share/nodejs")}


def run(stage, port, command, more):
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False, timeout=600,
                          env={**stage.environment(port), "PGDATABASE": DATABASE, "TZ": "UTC", **more})
    text = done.stdout.decode("utf-8", "replace")
    return text + (f"exit {done.returncode}\n{done.stderr.decode('utf-8', 'replace')}" if done.returncode else "")


def ready(stage):
    """A database anew, so that object ids that nobody should print do not hide what differs."""
    stage.ask(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    stage.ask(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
    stage.ask(f"GRANT ALL ON SCHEMA public TO {ROLE}", database=DATABASE)


def main():
    wanted = sys.argv[1:]
    out = pathlib.Path(os.environ["OUT"]) if "OUT" in os.environ else None
    with Stage("drivers", POLICY) as stage:
        known = programs(stage.place.dir)
        chosen = {name: known[name] for name in wanted or known}
        skipped = [name for name, (here, _, _) in chosen.items() if not here]
        if len(skipped) == len(chosen):
            print("skipped: no client library is installed")
            return 77
        stage.start_gateway()
        failed = []
        for name, (here, command, more) in chosen.items():
            if not here:
                continue
            said = []
            for way, port in (("direct", stage.cluster.port), ("gateway", stage.gateway_port)):
                ready(stage)
                said.append(run(stage, port, command, more))
                if out:
                    (out / f"{name}.{way}").write_text(said[-1], "utf-8")
            good = said[0] == said[1] and "exit " not in said[0]
            print(f"{name}: {len(said[0].splitlines())} lines {'equal' if good else 'DIFFER'}", flush=True)
            if not good:
                failed.append(name)
                sys.stdout.writelines(list(difflib.unified_diff(
                    said[0].splitlines(True), said[1].splitlines(True), "direct", "gateway", n=1))[:60])
        lives = stage.gateway_lives()
    if skipped:
        print("not installed, skipped:", ", ".join(skipped))
    return 0 if not failed and lives else 1


if __name__ == "__main__":
    sys.exit(main())
