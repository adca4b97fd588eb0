#!/usr/bin/python3
"""psycopg2's own suite, directly and through the gateway with a protected table beside its own.

usage: psycopg2_test.py     env SUITE: sources of psycopg2 2.9.5, holding tests/
exit: 0 same verdicts but for psycopg2_known.txt, 1 different, 77 skipped.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

from stage import HERE, POLICY, ROLE, Stage

DATABASE = "psycopg2_test"
TABLE = "public.unrelated_party"


def prepare(stage, port):
    stage.ask(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    stage.ask(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
    stage.ask("CREATE EXTENSION hstore", database=DATABASE)
    stage.ask(f"GRANT ALL ON SCHEMA public TO {ROLE}", database=DATABASE)
    # Through the gateway this is a protected table, and the catalogue is rewritten.
    stage.cluster.ask("CREATE TABLE unrelated_party (id serial PRIMARY KEY, name text NOT NULL)",
                      None, ROLE, DATABASE, port)


def run(stage, sources, port, way):
    prepare(stage, port)
    out = stage.place.folder("out")
    verdicts = out / f"{way}.json"
    environment = stage.environment(port) | {
        "PSYCOPG2_TESTDB": DATABASE, "PSYCOPG2_TESTDB_HOST": "127.0.0.1",
        "PSYCOPG2_TESTDB_PORT": str(port), "PSYCOPG2_TESTDB_USER": ROLE,
        "PSYCOPG2_TESTDB_PASSWORD": stage.place.password(ROLE)}
    began = time.monotonic()
    with open(out / f"{way}.log", "wb") as log:
        subprocess.run(["/usr/bin/python3", "-W", "ignore", HERE / "run_psycopg2.py", sources, verdicts],
                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, env=environment,
                       cwd=HERE, timeout=900)
    print(f"psycopg2 {way}: {time.monotonic() - began:.0f} s", flush=True)
    return json.loads(verdicts.read_text("utf-8"))


def main():
    from verdicts import compare, read_known
    sources = os.environ.get("SUITE", "")
    if not (pathlib.Path(sources) / "tests" / "testutils.py").exists():
        print("skipped: SUITE does not name the sources of psycopg2")
        return 77
    with Stage("psycopg2", POLICY.format(table=TABLE)) as stage:
        direct = run(stage, sources, stage.cluster.port, "direct")
        stage.start_gateway()
        gateway = run(stage, sources, stage.gateway_port, "gateway")
        protected = stage.ask("SELECT count(*) FROM theriac.columns", database=DATABASE)[0][0]
        known = read_known(HERE / "psycopg2_known.txt")
        good = compare(direct, gateway, "psycopg2", known) and protected == 1 and stage.gateway_lives()
        copy = os.environ.get("OUT")
        if copy:
            subprocess.run(["cp", "-r", stage.place.dir / "out", stage.place.dir / "log", copy],
                           check=False)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
