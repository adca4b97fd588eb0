"""Programs that others wrote, each run on the plain database and through the gateway; what they print must be the
same: psql's commands, pg_dump, SQLAlchemy and, where its driver is installed, JDBC.
"""
import collections
import importlib.util
import itertools
import os
import pathlib
import re
import subprocess
import urllib.parse

from place import Failed

PSQL = (
    r"\d", r"\dt", r"\dt+", r"\d customers", r"\d+ suppliers", r"\d patients", r"\d complaints", r"\di", r"\ds", r"\dv",
    r"\d open_orders", r"\dn", r"\df", r"\dT", r"\du", r"\dp customers", r"\l", r"\dx", r"\dd", r"\sf order_total",
    r"\sv stock", r"\dg", r"\do", r"\dC", r"\db", r"\dconfig work_mem", r"\encoding",
    r"\copy (SELECT id, contact_name FROM customers ORDER BY id) TO STDOUT CSV HEADER",
    r"\gdesc", r"SELECT id, contact_name, credit_limit FROM customers WHERE id < 5 ORDER BY id \gx",
    r"SELECT kind, province, count(*) FROM customers GROUP BY 1, 2 ORDER BY 1, 2 \crosstabview",
    r"SELECT format('SELECT contact_name FROM customers WHERE id = %s', n) FROM generate_series(1, 3) n \gexec",
)
DUMPS = (("--schema-only",), ("--data-only", "--inserts", "-t", "customers"), ("-t", "patients"),
         ("--column-inserts", "--data-only", "-t", "suppliers"), ())
# What differs in any two databases, or is said of sizes, which sealed tables have others of.
VARYING = (r"^\\(un)?restrict \w+$", r"^-- (Dumped|Started|Completed|Name: .*Owner).*$", r"database \"\w+\"", r"\b\d+ (kB|MB|bytes)\b",
           r"port \"\d+\"", r"^SELECT pg_catalog.setval.*$")


def plain_text(text):
    for pattern in VARYING:
        text = re.sub(pattern, "~", text, flags=re.M)
    return text


def run(argv, **extra):
    """What it printed, by lines."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, timeout=120, **extra)
    if done.returncode != 0 or not done.stdout.strip():
        raise Failed(f"{argv[0]} {argv[1]} with {len(argv)} arguments ended with {done.returncode}: "
                     f"{done.stderr.strip()[-300:]}")
    return plain_text(done.stdout + done.stderr).splitlines()


def psql(uri):
    for command in PSQL:
        yield f"psql {command}", run(["psql", "-X", "-A", "-d", uri("erp_app")], input=command + "\n")


def pg_dump(uri):
    for options in DUMPS:
        # Rows lie in the order of their last writing.
        dumped = run(["pg_dump", *options, "-d", uri("exporter")])
        yield f"pg_dump {' '.join(options)}", sorted(line for line in dumped if line not in ("", "--"))


def sqlalchemy(uri):
    """An ORM at work: reflection, a unit of work, relations loaded in each way, a cursor on the server's side."""
    if importlib.util.find_spec("sqlalchemy") is None:
        return
    import orm_session
    for name, seen in orm_session.work(uri("erp_app").replace("postgres://", "postgresql+psycopg2://")):
        yield f"SQLAlchemy: {name}", seen


def jdbc(uri):
    """JDBC's metadata and statements, printed by a Java program."""
    driver = pathlib.Path(os.environ.get("THERIAC_JDBC", "/usr/share/java/postgresql.jar"))
    if not driver.exists():
        return
    at = urllib.parse.urlsplit(uri("erp_app"))
    url = f"jdbc:postgresql://{at.hostname}:{at.port}{at.path}?user={at.username}&password={at.password}"
    here = pathlib.Path(__file__).resolve().parent
    yield "JDBC", run(["java", "-cp", driver, here / "captured" / "JdbcSession.java", url])


PROGRAMS = (psql, pg_dump, sqlalchemy, jdbc)


def compare(uri, administer, tally):
    """`uri(which, role)`; adds what differs to the tally. The number of things compared."""
    for which in ("plain", "sealed"):
        administer(which, "UPDATE customers SET updated_at = '2026-03-01' WHERE updated_at > '2026-03-02'")
    count = 0
    for program in PROGRAMS:
        plain = list(program(lambda role: uri("plain", role)))
        sealed = list(program(lambda role: uri("sealed", role)))
        for (name, wanted), (_, got) in zip(plain, sealed):
            count += 1
            if wanted != got:
                tally.failed.append(f"{name}: {first_difference(wanted, got)}")
        if len(plain) != len(sealed):
            raise Failed(f"{program.__name__} did not end")
    return count


def first_difference(wanted, got):
    if isinstance(wanted, list) and isinstance(got, list):
        missing, added = (list((a - b).elements()) for a, b in itertools.permutations(
            (collections.Counter(map(str, wanted)), collections.Counter(map(str, got)))))
        return f"without {str(missing[:3])[:400]}, with {str(added[:3])[:400]}"
    return f"{str(wanted)[:400]} became {str(got)[:400]}"
