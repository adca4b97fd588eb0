#!/usr/bin/python3
"""sqlsmith (Debian's package) makes statements from the catalogue that it sees through the gateway. Each runs as
it does directly, or is refused; the gateway lives, has no internal error, and sends nothing protected.

Longer: ADVERSARY_QUERIES=50000 ADVERSARY_SEED=7 sqlsmith_test.py"""
import os
import re
import shutil
import subprocess
import sys

from stage import Stage

import psycopg2
from place import program, say

SEED = os.environ.get("ADVERSARY_SEED", "1")
QUERIES = os.environ.get("ADVERSARY_QUERIES", "600")
SKIP = 77  # of CTest
# Which rows come, or what they hold, is not the same twice.
UNCERTAIN = re.compile(r"\blimit\b|tablesample|\bctid\b|\bxmin\b|\bxmax\b|\bcmin\b|\bcmax\b|tableoid|pg_|"
                       r"random|clock|now\(|timeofday|current_|txid|version\(|inet_|\bover\b", re.I)


def asked(connection, sql):
    """Rows as a multiset, or the SQLSTATE."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql)
            return sorted(map(repr, cursor.fetchall())) if cursor.description else cursor.statusmessage
        except psycopg2.Error as error:
            return f"error {error.pgcode}"
        finally:
            if not connection.closed:
                connection.rollback()


def queries(stage):
    """What sqlsmith sends through the gateway."""
    done = subprocess.run(
        ["sqlsmith", f"--target={stage.sealed}", f"--seed={SEED}", f"--max-queries={QUERIES}",
         "--dump-all-queries", "--exclude-catalog"], capture_output=True, text=True, errors="replace",
        check=False, timeout=3000)
    if "--exclude-catalog" not in done.args or done.returncode not in (0, 1):
        say(done.stderr[-2000:])
    text = done.stdout + "\n" + done.stderr
    return [q.strip() for q in re.split(r";\s*\n", text) if re.match(r"\s*(select|insert|update|delete|with|merge)\b",
                                                                        q, re.I)]


def connect(stage, sealed):
    connection = stage.cluster.connect("erp_app", "sealed" if sealed else "plain",
                                       stage.parts.gateway.port if sealed else None, autocommit=False,
                                       options="-c statement_timeout=2000" if not sealed else "")
    if sealed:
        connection.cursor().execute("SET statement_timeout = 2000")
        connection.commit()
    return connection


def main():
    if shutil.which("sqlsmith") is None:
        return SKIP
    with Stage("sqlsmith", loud=False, gateway=["--threads", "2"]) as stage:
        pid = stage.parts.gateway.pid()
        filling = subprocess.run([program("random_driver"), "--plain", stage.plain, "--sealed", stage.sealed,
                                  "--cases", "0"], check=False, stdout=subprocess.DEVNULL)
        made = queries(stage)
        plain, sealed = connect(stage, False), connect(stage, True)
        counts = {"equal": 0, "refused": 0, "uncertain": 0, "different": 0, "errors": 0}
        for sql in made:
            through = asked(sealed, sql)
            if through == "error 0A000":
                counts["refused"] += 1
                continue
            direct = asked(plain, sql)
            if through == direct:
                counts["errors" if str(direct).startswith("error") else "equal"] += 1
            elif through == "error XX000" or sealed.closed or not (
                    UNCERTAIN.search(sql) or "57014" in f"{direct}{through}" or asked(plain, sql) != direct):
                counts["different"] += 1
                if counts["different"] <= 5:
                    say(f"{sql}\n  direct: {str(direct)[:300]}\n  gateway: {str(through)[:300]}")
            else:
                counts["uncertain"] += 1
            if sealed.closed:
                sealed = connect(stage, True)
            if plain.closed:
                plain = connect(stage, False)
        alive = stage.parts.gateway.pid() == pid
        seen, hits = stage.watcher.stop()
        say(f"{len(made)} statements of sqlsmith: {counts}; wire: {seen}; filled: {filling.returncode}")
        say("\n".join(hits[:5]))
        enough = len(made) > int(QUERIES) // 4 and counts["equal"] + counts["errors"] > 20
        return 0 if alive and enough and not counts["different"] and not seen["hits"] else 1


if __name__ == "__main__":
    sys.exit(main())
