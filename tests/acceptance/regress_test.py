#!/usr/bin/python3
"""PostgreSQL 15's regression suite, directly and through the gateway in enforce mode, in a database
that holds a protected table of no concern to the suite: catalogue queries are rewritten there.

usage: regress_test.py [TEST...]     default: the whole parallel schedule
  JOBS   tests at once (20)     OUT   folder that receives both runs and the differences
Both runs sign in as an ordinary role, since the gateway refuses superusers, with every right that can
be given to one. What differs is compared file by file; a file whose difference regress_known.txt does
not name fails. exit: 0 the same, 1 different, 77 skipped.
"""
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from stage import HERE, POLICY, ROLE, Stage

from place import POSTGRES_BIN  # stage says where it lies

TABLE = "unrelated.party"
KNOWN = HERE / "regress_known.txt"
SETTINGS = {"lc_messages": "C", "lc_monetary": "C", "lc_numeric": "C", "lc_time": "C",
            "bytea_output": "hex", "timezone_abbreviations": "Default",
            "intervalstyle": "postgres_verbose", "timezone": "PST8PDT", "datestyle": "Postgres, MDY"}
PG_REGRESS = POSTGRES_BIN.parent / "lib/pgxs/src/test/regress/pg_regress"


def prepare_suite():
    """Where PostgreSQL's sources and the suite's library lie, or None."""
    script = HERE.parent / "integration/passthrough/regress.sh"
    done = subprocess.run([script, "--prepare"], capture_output=True, text=True, check=False)
    found = re.search(r"^prepared: (.*)$", done.stdout, re.M)
    if not found:
        print(done.stdout + done.stderr)
        return None
    return pathlib.Path(found.group(1))


def make_database(stage, port):
    for (name,) in stage.ask("SELECT gid FROM pg_prepared_xacts"):
        stage.ask("ROLLBACK PREPARED %s", (name,), "regression")
    stage.ask("DROP DATABASE IF EXISTS regression WITH (FORCE)")
    for (name,) in stage.ask("SELECT datname FROM pg_database WHERE datname LIKE 'regress\\_%'"):
        stage.ask(f'DROP DATABASE "{name}" WITH (FORCE)')
    for (space,) in stage.ask("SELECT spcname FROM pg_tablespace WHERE spcname LIKE 'regress%'"):
        stage.ask(f'DROP TABLESPACE "{space}"')
    roles = [row[0] for row in stage.ask("SELECT rolname FROM pg_roles WHERE rolname LIKE 'regress\\_%'")]
    for role in roles:
        stage.ask(f'DROP OWNED BY "{role}"')
        stage.ask(f'DROP ROLE "{role}"')
    stage.ask("CREATE DATABASE regression TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' "
              f"ENCODING 'UTF8' OWNER {ROLE}")
    for name, value in SETTINGS.items():
        stage.ask(f"ALTER DATABASE regression SET {name} = '{value}'")
    stage.ask("UPDATE pg_language SET lanpltrusted = true WHERE lanname IN ('c', 'internal')",
              database="regression")
    stage.ask(f"GRANT USAGE ON LANGUAGE c, internal TO {ROLE}", database="regression")
    for statement in ("CREATE SCHEMA unrelated", "CREATE TABLE unrelated.party (id int, name text)",
                      "INSERT INTO unrelated.party VALUES (1, 'Zhang Wei')"):
        stage.cluster.ask(statement, None, ROLE, "regression", port)


def run(stage, cache, work, port, way, tests):
    """Folder of results. The suite runs in one place for both, since tests show its name."""
    make_database(stage, port)
    suite = cache / "src/src/test/regress"
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    for folder in (out, out / "in", out / "results"):
        folder.mkdir(parents=True)
        folder.chmod(0o777)
    for entry in ("sql", "data", "expected", "parallel_schedule", "resultmap"):
        if (suite / entry).exists():
            (out / "in" / entry).symlink_to(suite / entry)
    jobs = os.environ.get("JOBS", "20")
    began = time.monotonic()
    with open(out / "run.log", "wb") as log:
        subprocess.run([PG_REGRESS, f"--bindir={POSTGRES_BIN}", f"--inputdir={out / 'in'}",
                        f"--outputdir={out}", f"--dlpath={work / 'lib'}", "--use-existing",
                        "--host=127.0.0.1", f"--port={port}", f"--user={ROLE}", "--dbname=regression",
                        f"--max-concurrent-tests={jobs}", f"--max-connections={jobs}",
                        *(tests or [f"--schedule={suite / 'parallel_schedule'}"])],
                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                       env=stage.environment(port), cwd=out, timeout=1800)
    kept = stage.place.dir / "out" / way
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(out, kept, symlinks=True)
    verdicts = dict(re.findall(r"^(?:test |\s+)(\w+)\s+\.\.\. (ok|FAILED|failed)",
                               (kept / "run.log").read_text("utf-8", "replace"), re.M))
    print(f"{way}: {len(verdicts)} tests, {sum(v == 'ok' for v in verdicts.values())} as expected of a "
          f"superuser, {time.monotonic() - began:.0f} s", flush=True)
    return kept, verdicts


# What the gateway cannot know or does not say, the same in both outputs. SQL that does not parse is
# answered by the gateway, in fixed words and without a quotation: here by the errors that PostgreSQL's
# grammar raises.
PARSE = re.compile(
    r"^ERROR:  (?:the SQL does not parse with PostgreSQL 15's grammar.*|[^\n]* at or near .*"
    r"|[^\n]* at end of input|column number must be in range from 1 to 32767|invalid Unicode escape.*"
    r"|WHERE clause not allowed .*|missing argument|a column list with SET NULL is only .*"
    r"|constraint declared INITIALLY DEFERRED .*|FOREIGN KEY constraints cannot be marked .*"
    r"|for a generated column, GENERATED ALWAYS .*|CREATE SCHEMA IF NOT EXISTS cannot .*"
    r"|invalid (?:table|schema) name|invalid publication object list"
    r"|column specification not allowed for schema|unrecognized row security option .*)\n"
    r"(?:(?:LINE \d+: .*\n *\^|(?:HINT|DETAIL):  .*)\n)*", re.M)
# Numbers that the server gives out.
NUMBERS = re.compile(r"(type with OID|pg_toast\.pg_toast_|RI_ConstraintTrigger_[ac]_|pg_temp_) ?\d+")


def text_of(path):
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    text = PARSE.sub("ERROR:  (the SQL does not parse)\n", text)
    return NUMBERS.sub(r"\1 N", text).splitlines()


def differences(direct, gateway):
    """Name of test -> unified diff, of those whose output differs."""
    found = {}
    names = {p.name for way in (direct, gateway) for p in (way / "results").glob("*.out")}
    for name in sorted(names):
        diff = list(difflib.unified_diff(text_of(direct / "results" / name),
                                         text_of(gateway / "results" / name), "directly",
                                         "through the gateway", lineterm=""))
        if diff:
            found[name.removesuffix(".out")] = diff
    return found


def judge(stage, runs, run_again):
    """True if nothing differs but what is known, or differs between two direct runs as well."""
    known = {}
    for line in KNOWN.read_text("utf-8").splitlines():
        if line and line[0] != "#":
            name, lines, _ = line.split(None, 2)
            known[name] = int(lines)
    found = differences(runs["direct"][0], runs["gateway"][0])
    changed = {name: sum(line[0] in "+-" for line in diff[2:]) for name, diff in found.items()}
    fresh = [name for name in found if changed[name] > known.get(name, 0)]
    itself = differences(runs["direct"][0], run_again()[0]) if fresh else {}
    good = stage.gateway_lives() and runs["direct"][1].keys() == runs["gateway"][1].keys()
    for name, diff in found.items():
        cause = "known" if name not in fresh else "by itself" if name in itself else "NEW"
        print(f"differs ({cause}): {name}, {changed[name]} lines")
        if cause == "NEW":
            good = False
            print("\n".join(diff[:60]))
    print(f"{len(runs['direct'][1]) - len(found)} of {len(runs['direct'][1])} tests give the same output")
    return good, found


def main(tests):
    cache = prepare_suite()
    if cache is None:
        print("skipped: the suite's sources are not to be had")
        return 77
    # Its name comes into SQL texts, where our own would be a reason to refuse.
    with Stage("regress", POLICY.format(table=TABLE)) as stage, tempfile.TemporaryDirectory(prefix="suite-") as folder:
        work = pathlib.Path(folder)
        work.chmod(0o755)
        shutil.copytree(cache / "lib", work / "lib")
        stage.place.folder("out")
        for role in ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program",
                     "pg_monitor", "pg_signal_backend", "pg_checkpoint"):
            stage.ask(f"GRANT {role} TO {ROLE} WITH ADMIN OPTION")
        stage.ask(f"GRANT SET ON PARAMETER session_preload_libraries TO {ROLE}")
        runs = {"direct": run(stage, cache, work, stage.cluster.port, "direct", tests)}
        stage.start_gateway()
        runs["gateway"] = run(stage, cache, work, stage.gateway_port, "gateway", tests)
        good, found = judge(stage, runs, lambda: run(stage, cache, work, stage.cluster.port, "again",
                                                     tests))
        copy = os.environ.get("OUT")
        if copy:
            for name, diff in found.items():
                pathlib.Path(copy, f"{name}.diff").write_text("\n".join(diff) + "\n", "utf-8")
            shutil.copytree(stage.place.dir, pathlib.Path(copy) / "place", symlinks=True,
                            dirs_exist_ok=True, ignore=shutil.ignore_patterns("pg", "keyd", "certificates"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
