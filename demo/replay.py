#!/usr/bin/python3
"""The ERP's captured workload (captured/): every statement runs on a plain database and, through the gateway, on
the same database protected; what comes back must be the same, but for the refusals that the files name.

usage: replay.py [--only PART] [--keep]    PART of a file's name, or a file; --keep leaves both databases running
"""
import argparse
import pathlib
import re
import sys

import psycopg2
import yaml

import replay_client
import replay_programs
from cluster import Cluster
from parts import Parts
from place import DEMO, Failed, Place, say
from processes import wait_until

CAPTURED = DEMO / "captured"
SCALE = 0.02
WHICH = ("plain", "sealed")
FIRST_OF_USERS = 16384  # FirstNormalObjectId
EXPORTER = "exporter"
EXTRA_ROLES = {EXPORTER: {"export": True}}


class Block:
    """A statement of the file, with its markers."""

    def __init__(self, file, line):
        self.where = f"{file.name}:{line}"
        self.protocol = "simple"
        self.values = []       # of each execution
        self.fails = None      # SQLSTATE that both answer
        self.refused = None    # (SQLSTATE, construct) that the gateway may answer
        self.follows = False   # makes sense only if the statement before it was not refused
        self.shape_only = False
        self.session = None    # (name, role) to go on with
        self.sql = ""
        self.data = b""

    def mark(self, text):
        word, _, rest = text.partition(" ")
        if word in ("simple", "copy"):
            self.protocol = "simple"
        elif word in ("extended", "binary", "prepared"):
            self.protocol = word
            self.values.append(values_of(rest))
        elif word == "again":
            self.values.append(values_of(rest))
        elif word == "fails":
            self.fails = rest.strip()
        elif word == "refused":
            self.refused = tuple(rest.split(" ", 1))
        elif word == "follows":
            self.follows = True
        elif word == "shape":
            self.shape_only = True
        elif word == "session":
            self.session = tuple(rest.split())
        else:
            raise Failed(f"{self.where}: no such marker: {word}")


def values_of(text):
    """`a | \\N | b`: parameters as text, \\N for NULL."""
    if not text.strip():
        return []
    return [None if v.strip() == r"\N" else v.strip() for v in text.split(" | ")]


def blocks_of(file):
    """Blocks stand apart by empty lines; a COPY's data follows its first line up to `\\.`."""
    block, start = [], 1
    for number, line in enumerate([*file.read_text("utf-8").splitlines(), ""], 1):
        if line.strip():
            if not block:
                start = number
            block.append(line)
        elif block:
            yield make_block(file, start, block)
            block = []


def make_block(file, start, lines):
    made = Block(file, start)
    text = [line for line in lines if not line.startswith("--")]
    for line in lines:
        if line.startswith("-- @ "):
            made.mark(line[5:])
    if text and text[-1] == r"\.":
        made.sql = text[0]
        made.data = "".join(line + "\n" for line in text[1:-1]).encode()
    else:
        made.sql = "\n".join(text)
    return made


def shape(sql):
    """What is left of a statement without its literals, lists and spacing: statements of one shape differ only
    in values."""
    sql = re.sub(r"/\*.*?\*/|--[^\n]*", " ", sql, flags=re.S)
    sql = re.sub(r"[eE]?'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", "?", sql, flags=re.S)
    sql = re.sub(r"\$\d+|\b\d+(?:\.\d+)?\b", "?", sql)
    sql = re.sub(r"\(\s*\?(?:\s*,\s*\?)*\s*\)(?:\s*,\s*\(\s*\?(?:\s*,\s*\?)*\s*\))*", "(?)", sql)
    return " ".join(sql.split()).lower()


class Tally:
    """What was seen."""

    def __init__(self):
        self.statements = 0
        self.shapes = set()
        self.refused = []
        self.passed_now = []   # marked as refused, and not refused any more
        self.failed = []
        self.programs = 0      # runs of programs that were compared

    def text(self):
        return (f"{self.statements} statements of {len(self.shapes)} shapes and {self.programs} things that programs "
                f"print: {len(self.refused)} refused as the files say, {len(self.failed)} otherwise")


class Replay:
    """Runs blocks in pairs of sessions; `uri(which, role)` says where they connect to, `names` what a table's
    number means in each database."""

    def __init__(self, uri, names):
        self.uri = uri
        self.names = names
        self.sessions = {}
        self.current = None
        self.was_refused = False
        self.tally = Tally()

    def close(self):
        for pair in self.sessions.values():
            for client in pair:
                client.close()

    def run_file(self, file):
        for block in blocks_of(file):
            if block.session:
                self.current = block.session
                if block.session not in self.sessions:
                    self.sessions[block.session] = [
                        replay_client.Client(self.uri(which, block.session[1])) for which in WHICH]
            if block.sql and not (block.follows and self.was_refused):
                self.run_block(block)

    def run_block(self, block):
        plain, sealed = self.sessions[self.current]
        self.tally.statements += max(1, len(block.values))
        self.tally.shapes.add(shape(block.sql))
        if block.refused and self.expect_refusal(block, plain, sealed):
            return
        wanted, got = play(plain, block), play(sealed, block)
        problem = difference(block, *(self.name_tables(*pair) for pair in zip(WHICH, (wanted, got))))
        if problem:
            self.fail(block, problem)
        if block.fails is None and any(a.kind == "error" for a in wanted):
            self.fail(block, "fails on the plain database: " + error_of(wanted))
        if block.fails and not any(a.kind == "error" and a.tag == block.fails for a in wanted):
            self.fail(block, f"does not fail with {block.fails} on the plain database: {error_of(wanted)}")

    def expect_refusal(self, block, plain, sealed):
        """Tries it in transactions that are undone: it must work without us, and be refused as announced or not
        at all. True if it was refused."""
        answers = []
        for client in (plain, sealed):
            began, ended = ("SAVEPOINT trial", "ROLLBACK TO trial; RELEASE trial") \
                if client.in_transaction() else ("BEGIN", "ROLLBACK")
            client.simple(began)
            answers.append(play(client, block))
            client.simple(ended)
        if any(a.kind == "error" for a in answers[0]):
            self.fail(block, f"is refused by PostgreSQL itself: {error_of(answers[0])}")
        error = next((a for a in answers[1] if a.kind == "error"), None)
        self.was_refused = error is not None
        if error is None:
            self.tally.passed_now.append(block.where)
            return False
        state, construct = block.refused
        if error.tag != state or construct not in error.text or "HINT" not in error.text:
            self.fail(block, f"is refused otherwise: {error.text}")
        self.tally.refused.append(f"{block.where}: {construct}")
        return True

    def name_tables(self, which, answers):
        return [a._replace(columns=tuple(
            c._replace(table=self.names.column(which, c.table, c.number), number=0,
                       type=self.names.type(which, c.type)) for c in a.columns)) for a in answers]

    def fail(self, block, problem):
        self.tally.failed.append(f"{block.where}: {' '.join(problem.split())}\n    {block.sql[:200]}")


def play(client, block):
    if block.protocol == "simple":
        return client.simple(block.sql, block.data)
    form = replay_client.BINARY if block.protocol == "binary" else replay_client.TEXT
    if block.protocol != "prepared":
        return [a for values in block.values for a in client.extended(block.sql, values, form)]
    name = "s_" + block.where.replace(":", "_").replace(".", "_")
    answers = client.prepare(name, block.sql)
    if not any(a.kind == "error" for a in answers):
        for values in block.values:
            answers += client.execute(name, values, form)
    return answers


def error_of(answers):
    return next((f"{a.tag} {a.text}" for a in answers if a.kind == "error"), "no error")


def difference(block, wanted, got):
    """In words, or None. Rows in any order where the statement asks for none."""
    if [a.kind for a in wanted] != [a.kind for a in got]:
        return f"{[a.kind for a in wanted]} became {[a.kind for a in got]}: {error_of(got)}"
    for one, two in zip(wanted, got):
        if one.kind == "error":
            if one.tag != two.tag:
                return f"SQLSTATE {one.tag} became {two.tag}: {two.text}"
            continue
        if one.columns != two.columns:
            pair = next((p for p in zip(one.columns, two.columns) if p[0] != p[1]), "their number")
            return f"columns differ: {pair}"
        if block.shape_only:
            continue
        if one.tag != two.tag:
            return f"tag {one.tag} became {two.tag}"
        if one.rows != two.rows and (ordered(block.sql) or sorted(map(repr, one.rows)) !=
                                     sorted(map(repr, two.rows))):
            row = next((i for i, p in enumerate(zip(one.rows, two.rows)) if p[0] != p[1]), "their number")
            return f"rows differ, the first at {row}: {one.rows[:3]} {two.rows[:3]}" if row == "their number" \
                else f"row {row} differs: {one.rows[row]} became {two.rows[row]}"
    return None


def ordered(sql):
    return re.search(r"\border\s+by\b(?!.*\))", sql, re.I | re.S) is not None


class Company:
    """A database of the ERP with all of its tables, and the same one protected, behind a gateway."""

    def __init__(self, place):
        self.place = place
        self.cluster = Cluster(place).start()
        self.parts = None

    def start(self):
        cluster = self.cluster
        cluster.make_erp(SCALE)
        connection = cluster.connect("dba")
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE erp_owner")
            cursor.execute((CAPTURED / "schema.sql").read_text("utf-8"))
            cursor.execute("RESET ROLE")
            for role in EXTRA_ROLES:
                cursor.execute(f"CREATE ROLE {role} LOGIN BYPASSRLS")
                cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
                cursor.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
            cursor.execute("ANALYZE")
        connection.close()
        for role in EXTRA_ROLES:
            cluster.set_password(role)
        # One is a copy of the other, so that all objects have the same numbers in both.
        for name in ("plain", "sealed"):
            cluster.ask(f"CREATE DATABASE {name} OWNER erp_owner TEMPLATE erp", database="postgres")
        database = cluster.uri("dba", "sealed")
        self.parts = Parts(self.place, policy=self.policy(), database=database, catalogue=database,
                           upstream=f"127.0.0.1:{cluster.port}")
        self.parts.prepare()
        self.parts.start_keyd()
        self.parts.protect()
        self.parts.start_gateway()
        wait_until(self.serves, 30, "the gateway serves a statement")
        return self

    def policy(self):
        whole = yaml.safe_load((DEMO / "policy.yaml").read_text("utf-8"))
        more = yaml.safe_load((CAPTURED / "policy.yaml").read_text("utf-8"))
        whole["columns"] += more["columns"]
        whole["roles"].update(more["roles"])
        clear = {name: "clear" for name in whole["classes"]}
        whole["roles"].update({role: {**clear, **rule} for role, rule in EXTRA_ROLES.items()})
        path = self.place.dir / "policy.yaml"
        path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), "utf-8")
        return path

    def serves(self):
        try:
            return self.cluster.ask("SELECT 1", role="erp_app", database="sealed",
                                    port=self.parts.gateway.port) == [(1,)]
        except psycopg2.Error:
            return False

    def uri(self, which, role):
        port = self.parts.gateway.port if which == "sealed" else None
        return self.cluster.uri(role, which, port)

    def administer(self, which, sql):
        """As the database's administrator, beside the gateway."""
        self.cluster.ask(sql, database=which)

    def stop(self):
        if self.parts:
            self.parts.stop()
        self.cluster.stop()


class Names:
    """What numbers in RowDescription mean. A catalogue that the gateway answers from a view of its own has another
    number, a column added to a protected table comes after helper columns, and types made while replaying
    have whatever number came."""

    COLUMN = """SELECT CASE WHEN n.nspname IN ('pg_catalog', 'information_schema', 'theriac_catalog') THEN c.relname
                         WHEN n.nspname LIKE 'pg_temp%%' THEN 'temporary ' || c.relname
                         ELSE c.oid::regclass::text END || '.' || a.attname
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = %s AND a.attnum = %s"""

    def __init__(self, cluster):
        self.connections = {which: cluster.connect("dba", which) for which in WHICH}

    def column(self, which, table, number):
        return self.ask(which, self.COLUMN, table, number) if table else None

    def type(self, which, number):
        return self.ask(which, "SELECT typname FROM pg_type WHERE oid = %s", number) \
            if number >= FIRST_OF_USERS else number

    def ask(self, which, sql, *arguments):
        with self.connections[which].cursor() as cursor:
            cursor.execute(sql, arguments)
            found = cursor.fetchone()
        return found[0] if found else "dropped meanwhile"

    def close(self):
        for connection in self.connections.values():
            connection.close()


def files(only=None):
    if only and pathlib.Path(only).is_file():
        return [pathlib.Path(only)]
    return [f for f in sorted(CAPTURED.glob("[0-9]*.sql")) if only is None or only in f.name]


def replay(company, only=None, programs=True):
    names = Names(company.cluster)
    run = Replay(company.uri, names)
    try:
        for file in files(only):
            run.run_file(file)
    finally:
        run.close()
        names.close()
    if programs and not only:
        run.tally.programs = replay_programs.compare(company.uri, company.administer, run.tally)
    return run.tally


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", help="part of a file's name")
    parser.add_argument("--keep", action="store_true", help="leave both databases running until Enter")
    args = parser.parse_args()
    with Place("replay") as place:
        place.erase()
        company, failed = Company(place), True
        try:
            tally = replay(company.start(), args.only)
            for line in tally.refused:
                say(f"refused, as written: {line}")
            for line in tally.passed_now:
                say(f"not refused any more: {line}")
            for line in tally.failed:
                say(f"FAILED: {line}")
            say(tally.text())
            if args.keep:
                say(f"plain: {company.uri('plain', 'erp_app')}\nsealed: {company.uri('sealed', 'erp_app')}")
                input("Enter ends it\n")
            failed = bool(tally.failed) or not tally.statements
            return 1 if failed else 0
        except Failed as failure:
            say(f"FAILED: {failure}")
            return 1
        finally:
            company.stop()
            if not failed:
                place.erase()  # nothing to look at


if __name__ == "__main__":
    sys.exit(main())
