"""Checks of what goes in and out in bulk, and of what the application does to its own tables."""
import io
import subprocess

import acts
import replay
from place import Failed, Place, program
from processes import wait_until
from stage import TABLES, require

FIRST_ID = 33_000_000
ROWS = 300
COLUMNS = ("id, name, kind, province, contact_name, contact_id_number, contact_phone, credit_limit, note, "
           "updated_at")
FORMATS = ("text", "csv, HEADER", "binary")
KEEPER, EXPORTER = "keeper", "exporter"
RULES = {KEEPER: {"backup": True}, EXPORTER: {"export": True}}


def make_roles(stage):
    """A role for backups and one for exports, both of which may only read."""
    for role in RULES:
        stage.cluster.ask(f"CREATE ROLE {role} LOGIN BYPASSRLS", database="postgres")
        stage.cluster.set_password(role)
        stage.cluster.ask(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        stage.cluster.ask(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")


def copied(connection, sql, data=None):
    """What COPY gives, or takes."""
    stream = io.BytesIO(data if data is not None else b"")
    with connection.cursor() as cursor:
        cursor.copy_expert(sql, stream)
    return stream.getvalue()


def contact(i):
    return f"联系 contact {i}"


def customer_lines():
    """Rows in COPY's text form: escapes, NULLs, empty and long values."""
    for i in range(ROWS):
        phone = (r"\N", "", f"100-{i}", r"tab\tand\\slash", "9" * 200)[i % 5]
        yield "\t".join((str(FIRST_ID + i), f"示例 copy {i}", "clinic", "x", contact(i),
                         f"COPY{i:08d}", phone, r"\N" if i % 7 == 0 else f"{i * 1.25:.2f}",
                         "note, \"quoted\"", "2026-03-01 00:00:00+00"))


def copy(run):
    stage = run.stage
    sealed, _ = acts.helper_names(stage, "customers", "contact_name")
    span = f"id BETWEEN {FIRST_ID} AND {FIRST_ID + ROWS}"
    ours = stage.connect("erp_app")
    moved = 0
    try:
        copied(ours, f"COPY twin.customers ({COLUMNS}) FROM STDIN",
               "".join(line + "\n" for line in customer_lines()).encode())
        for form in FORMATS:
            options = f"(FORMAT {form})"
            out = f"COPY (SELECT {COLUMNS} FROM {{}} WHERE {span} ORDER BY id) TO STDOUT {options}"
            plain = copied(ours, out.format("twin.customers"))
            copied(ours, f"COPY customers ({COLUMNS}) FROM STDIN {options}", plain)
            require(copied(ours, out.format("customers")) == plain,
                    f"COPY ({form}) out is not what COPY in was given")
            rows = stage.cluster.ask(f"SELECT contact_name, {sealed} FROM customers WHERE {span} ORDER BY id")
            require(len(rows) == ROWS and all(clear is None for clear, _ in rows),
                    f"COPY ({form}) left values in the plain column")
            require(not any(contact(i).encode() in bytes(data) for i, (_, data) in enumerate(rows)),
                    f"COPY ({form}) left values in clear in the sealed column")
            require(len({bytes(data) for _, data in rows}) == ROWS, "sealed values are equal")
            stage.erp(f"DELETE FROM customers WHERE {span}")
            moved += len(plain)
    finally:
        ours.close()
    return f"{ROWS} rows in and out in text, CSV and binary, {moved:,} bytes alike, sealed at rest"


def run_tool(*argv, text=None):
    done = subprocess.run([str(a) for a in argv], input=text, capture_output=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{argv[0]}: {done.stderr.decode(errors='replace').strip()[-400:]}")
    return done.stdout


def fresh_database(stage, name):
    stage.cluster.ask(f"DROP DATABASE IF EXISTS {name}", database="postgres")
    stage.cluster.ask(f"CREATE DATABASE {name} TEMPLATE template0", database="postgres")
    return stage.cluster.uri("dba", name)


def read_table(stage, table, role, database="erp", port=None):
    """Its rows by id, as COPY prints them."""
    connection = stage.cluster.connect(role, database, port)
    try:
        return copied(connection, f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT").decode().splitlines()
    finally:
        connection.close()


def dump(run):
    stage = run.stage
    port = stage.gateway_port()
    clear = {table: read_table(stage, table, "erp_app", port=port) for table in TABLES}
    names = {name for row in clear["customers"] if len(name := row.split("\t")[5]) > 4}
    # As it lies there: for a backup that nobody can read.
    file = stage.place.dir / "backup.dump"
    run_tool("pg_dump", "-Fc", "-N", "twin", "-f", file, stage.cluster.uri(KEEPER, port=port))
    script = run_tool("pg_restore", "-f", "-", file).decode()
    require("theriac_sealed_" in script, "the backup holds no sealed column")
    found = sum(name in script for name in list(names)[:200])
    require(found == 0, f"{found} names stand in clear in the backup")
    restored = fresh_database(stage, "restored")
    run_tool("pg_restore", "--exit-on-error", "-d", restored, file)
    for table, rows in clear.items():
        require(read_table(stage, table, "erp_app", "restored", port) == rows,
                f"{table} of the restored backup reads differently through the gateway")
    # In clear: for who may, and it is on record.
    opened = run_tool("pg_dump", "--no-owner", "--no-privileges", "-t", "distributors", "-t", "customers",
                      stage.cluster.uri(EXPORTER, port=port))
    require(b"theriac" not in opened, "the export knows of Theriac")
    exported = fresh_database(stage, "exported")
    run_tool("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", exported, text=opened)
    require(read_table(stage, "customers", "dba", "exported") == clear["customers"],
            "the exported customers differ")
    wait_until(lambda: on_record(stage), 30, "the export is on the audit log")
    for name in ("restored", "exported"):
        stage.cluster.ask(f"DROP DATABASE {name} WITH (FORCE)", database="postgres")
    file.unlink()
    return f"{sum(map(len, clear.values())):,} rows from a sealed backup, the export is on the audit log"


def on_record(stage):
    copy_of_log, _ = acts.consistent_copy(stage, stage.parts.audit / "gateway", "export")
    shown = run_tool(program("theriac"), "audit", "show", copy_of_log, "--json").decode()
    return any('"export"' in line and "public.customers" in line and EXPORTER in line
               for line in shown.splitlines())


VIEW = "customer_directory"  # PostgreSQL changes no type under a view: an upgrade makes it anew
CHANGES = (f"DROP VIEW {VIEW}",
           "ALTER TABLE customers ADD COLUMN fax text",
           "ALTER TABLE customers RENAME COLUMN contact_phone TO telephone",
           "ALTER TABLE customers ALTER COLUMN contact_name TYPE varchar(120)",
           "ALTER TABLE formulas ALTER COLUMN sinter_minutes TYPE bigint",
           f"CREATE VIEW {VIEW} AS SELECT id, name, contact_name AS person, telephone AS phone, province "
           "FROM customers",
           f"GRANT SELECT ON {VIEW} TO erp_app, warehouse, inspector")
BACK = ("ALTER TABLE customers DROP COLUMN fax",
        "ALTER TABLE customers RENAME COLUMN telephone TO contact_phone")


def schema_change(run):
    """A session that was there before goes on with the changed tables."""
    stage = run.stage
    long_name = "长" * 120
    app = stage.connect("erp_app")
    owner = stage.connect("erp_owner")
    sealed, _ = acts.helper_names(stage, "customers", "contact_phone")
    try:
        with app.cursor() as work, owner.cursor() as change:
            work.execute("SELECT contact_name, contact_phone FROM customers WHERE id = 3")
            before = work.fetchone()
            for sql in CHANGES:
                change.execute(sql)
            work.execute("SELECT contact_name, telephone, fax FROM customers WHERE id = 3")
            require(work.fetchone() == (*before, None), "the changed table reads differently")
            work.execute("UPDATE customers SET contact_name = %s, telephone = '100-1', fax = '100-2'"
                         " WHERE id = 3", (long_name,))
            work.execute("UPDATE formulas SET sinter_minutes = 3000000000 WHERE id = 1")
            work.execute("SELECT contact_name, telephone, fax FROM customers WHERE telephone = '100-1'")
            require(work.fetchone() == (long_name, "100-1", "100-2"), "the changed row reads differently")
            work.execute(f"SELECT person, phone FROM {VIEW} WHERE id = 3")
            require(work.fetchone() == (long_name, "100-1"), "the view that was made anew reads differently")
            work.execute("SELECT sinter_minutes FROM formulas WHERE id = 1")
            require(work.fetchone() == (3_000_000_000,), "a larger integer is not what was written")
            (plain, data), = stage.cluster.ask(f"SELECT telephone, {sealed} FROM customers WHERE id = 3")
            require(plain is None and b"100-1" not in bytes(data), "the renamed column is not sealed")
            work.execute("UPDATE formulas SET sinter_minutes = 90 WHERE id = 1")
            for sql in BACK:
                change.execute(sql)
            work.execute("UPDATE customers SET contact_name = %s, contact_phone = %s WHERE id = 3", before)
            work.execute("SELECT contact_name, contact_phone FROM customers WHERE id = 3")
            require(work.fetchone() == before, "after the change back the row reads differently")
    finally:
        app.close()
        owner.close()
    return f"{len(CHANGES) + len(BACK)} changes by the owner, a session beside it goes on"


def workload(run):
    del run
    with Place("replay") as place:
        place.erase()
        company = replay.Company(place)
        try:
            tally = replay.replay(company.start(), programs=False)
        finally:
            company.stop()
        require(not tally.failed, "; ".join(tally.failed[:2]))
        place.erase()
    return f"{tally.statements} statements of {len(tally.shapes)} shapes, {len(tally.refused)} refused as listed"
