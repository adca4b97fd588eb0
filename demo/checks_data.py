"""Checks of what is stored and what is read."""
import os
import subprocess

import acts
import libpq
from place import POSTGRES_BIN, Failed, is_root
from stage import TABLES, require

FIRST_ID = 30_000_000
BENCH_TABLES = ("pgbench_accounts", "pgbench_branches", "pgbench_tellers", "pgbench_history")
# Values at the edges of each protected type, as SQL literals. NULL where the column allows it.
EDGES = {
    "customers": {
        "rest": {"name": "'示例 edge'", "kind": "'clinic'", "province": "'x'",
                 "updated_at": "'2026-01-01 00:00:00+00'"},
        "contact_name": ["''", "'张伟'", "'O''Brien \\ \"quoted\" ☃'", "'" + "长" * 80 + "'", "' two  spaces '"],
        "contact_id_number": ["'99000019900101001X'", "NULL", "'edge-3'", "'edge-4'", "'edge-5'"],
        "contact_phone": ["NULL", "''", "'100-0000-0000'", "'" + "9" * 3000 + "'", "E'tab\\there'"],
        "credit_limit": ["0", "-0.01", "999999999999.99", "NULL", "1234.5"],
    },
    "formulas": {
        "rest": {"device_id": "1", "revision": "1", "approved_on": "'2026-01-01'"},
        "composition": ["''", "'Ti-6Al-4V 90 %'", "'" + "氧" * 900 + "'"],
        "sinter_minutes": ["-2147483648", "2147483647", "NULL"],
    },
    "batches": {
        "rest": {"device_id": "1", "formula_id": "1", "quantity": "1", "made_on": "'2026-01-01'",
                 "expires_on": "'2031-01-01'", "status": "'released'"},
        "sterilised_at": ["'2026-02-28 23:59:59.999999+08'", "'infinity'", "NULL",
                          "'0044-03-15 12:00:00+00 BC'", "'1969-07-20 20:17:40.5Z'"],
    },
    "clinical_subjects": {
        "rest": {"device_id": "1", "site_id": "1", "enrolled_on": "'2026-01-01'"},
        "birth_date": ["'0001-01-01'", "'1999-12-31'", "'4713-01-01 BC'", "'-infinity'",
                       "'2000-02-29'"],
    },
    "device_usage": {
        "rest": {"batch_id": "1", "customer_id": "1", "udi": "'x'", "used_on": "'2026-01-01'"},
        "patient_name": ["'王芳'", "NULL", "''"],
    },
}
KEYS = {"formulas": ("code", "'EDGE-{id}'"), "batches": ("batch_no", "'EDGE-{id}'"),
        "clinical_subjects": ("subject_code", "'EDGE-{id}'")}
SETTINGS = ("", "SET datestyle = 'SQL, DMY'; SET timezone = 'America/New_York'",
            "SET datestyle = 'German'; SET timezone = 'Asia/Kathmandu'")


def edge_rows(table, first):
    """INSERT statements' column lists and values, one for each edge; {t} stands for the table."""
    spec = EDGES[table]
    columns = [c for c in spec if c != "rest"]
    for i in range(max(len(spec[c]) for c in columns)):
        row = {"id": str(first + i), **spec["rest"]}
        for column in columns:
            row[column] = spec[column][i % len(spec[column])]
        if table in KEYS:
            name, form = KEYS[table]
            row[name] = form.format(id=first + i)
        yield (f"INSERT INTO {{t}} ({', '.join(row)}) VALUES ({', '.join(row.values())})")


def make_twins(stage):
    """Schema twin: the same tables, unprotected, to compare with byte by byte."""
    stage.cluster.ask("CREATE SCHEMA twin AUTHORIZATION erp_owner")
    for table in TABLES:
        stage.cluster.ask(f"CREATE TABLE twin.{table} (LIKE public.{table} INCLUDING DEFAULTS)")
        stage.cluster.ask(f"ALTER TABLE twin.{table} OWNER TO erp_owner")
    stage.cluster.ask("GRANT USAGE ON SCHEMA twin TO erp_app")
    stage.cluster.ask("GRANT ALL ON ALL TABLES IN SCHEMA twin TO erp_app")


def psql(stage, sql, role="erp_app", port=None):
    env = dict(os.environ, PGPASSWORD=stage.place.password(role), PGCLIENTENCODING="UTF8")
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-h",
         "127.0.0.1", "-p", str(port or stage.gateway_port()), "-U", role, "-d", "erp", "-c", sql],
        capture_output=True, text=True, env=env, check=False)
    require(done.returncode == 0, f"psql: {done.stderr.strip()}")
    return done.stdout


def round_trip(run):
    stage = run.stage
    written = 0
    connection = stage.connect("erp_app")
    with connection.cursor() as cursor:
        for number, table in enumerate(EDGES):
            by_psql = list(edge_rows(table, FIRST_ID + 1_000 * number))
            by_psycopg = list(edge_rows(table, FIRST_ID + 1_000 * number + 500))
            if table == "customers":  # a unique column: other values for the second writer
                by_psycopg = [s.replace("99000019900101001X", "990000199001010021")
                              .replace("'edge-", "'again-") for s in by_psycopg]
            for target in (table, f"twin.{table}"):
                for statement in by_psql:
                    psql(stage, statement.format(t=target))
                for statement in by_psycopg:
                    cursor.execute(statement.format(t=target))
            written += len(by_psql) + len(by_psycopg)
    connection.close()
    compared = sum(compare_with_twin(stage, table) for table in EDGES)
    parameters(stage)
    return f"{written} rows at the edges of six types, {compared} values compared with a plain twin"


def compare_with_twin(stage, table):
    values = 0
    columns = ", ".join(["id", *TABLES[table][1]])
    where = f"WHERE id >= {FIRST_ID} AND id < {FIRST_ID + 10_000} ORDER BY id"
    with libpq.Connection(stage.gateway_uri()) as link:
        for settings in SETTINGS:
            for statement in filter(None, settings.split("; ")):
                link.query(statement)
            for result_format in (libpq.TEXT, libpq.BINARY):
                sealed = link.query(f"SELECT {columns} FROM {table} {where}", (), result_format)
                plain = link.query(f"SELECT {columns} FROM twin.{table} {where}", (), result_format)
                require(plain and len(plain) == len(sealed), f"{table}: rows are missing")
                for one, two in zip(sealed, plain):
                    if one != two:
                        at = next(i for i, pair in enumerate(zip(one, two)) if pair[0] != pair[1])
                        raise Failed(f"{table}.{columns.split(', ')[at]} of id {plain[0][0]!r} differs "
                                     f"from its twin in {'binary' if result_format else 'text'} "
                                     f"({settings or 'defaults'})")
                values += sum(map(len, plain))
    one = psql(stage, f"SELECT {columns} FROM {table} {where}")
    two = psql(stage, f"SELECT {columns} FROM twin.{table} {where}")
    require(one == two, f"psql prints {table} differently from its twin")
    return values


def parameters(stage):
    """Binary parameters of the extended protocol, found again by equality."""
    with libpq.Connection(stage.gateway_uri()) as link:
        name = "参数 binary".encode()
        link.query("INSERT INTO customers (id, name, kind, province, contact_name, credit_limit)"
                   " VALUES ($1, 'x', 'clinic', 'x', $2, $3)",
                   [str(FIRST_ID + 9_000), (libpq.TEXT_OID, name), "77.70"])
        link.query("INSERT INTO formulas (id, code, device_id, revision, composition, sinter_minutes,"
                   " approved_on) VALUES ($1, 'BIN', 1, 1, 'x', $2, '2026-01-01')",
                   [str(FIRST_ID + 9_000), (libpq.INT4, (-7).to_bytes(4, "big", signed=True))])
        rows = link.query("SELECT id, credit_limit FROM customers WHERE contact_name = $1",
                          [(libpq.TEXT_OID, name)])
        require(rows == [[str(FIRST_ID + 9_000).encode(), b"77.70"]],
                "a row is not found by the value it was written with")
        rows = link.query("SELECT sinter_minutes FROM formulas WHERE code = 'BIN'", (), libpq.BINARY)
        require(rows == [[(-7).to_bytes(4, "big", signed=True)]], "an integer comes back different")


def sealed_directly(run):
    """What a superuser reads: plain columns empty, helpers of the right form, no value inside."""
    stage, values = run.stage, 0
    for table, (_, columns) in TABLES.items():
        for column in columns:
            sealed, _ = acts.helper_names(stage, table, column)
            plain, = stage.cluster.ask(f"SELECT count({column}) FROM {table}")[0]
            require(plain == 0, f"{table}.{column} still holds {plain} plain values")
            clear = {key: row[column] for key, row in run.before[table].items()}
            for key, data in stage.cluster.ask(f"SELECT id, {sealed} FROM {table}"):
                require((data is None) == (clear[key] is None), f"{table}.{column}: NULLs differ")
                if data is None:
                    continue
                data = bytes(data)
                require(data[0] == 1 and data[1] in (1, 2), f"{table}.{column} is not of the sealed form")
                text = str(clear[key]).encode()
                require(len(text) < 4 or text not in data, f"{table}.{column} holds its value in clear")
                values += 1
    return f"{values:,} values"


def make_bench(stage):
    """pgbench's own tables as pgbench makes them, owned like the others; fillers get something to hide."""
    env = dict(os.environ, PGPASSWORD=stage.place.password("dba"))
    done = subprocess.run([str(POSTGRES_BIN / "pgbench"), "-i", "-q", "-s", "1", "-h", "127.0.0.1", "-p",
                           str(stage.cluster.port), "-U", "dba", "erp"], env=env, capture_output=True,
                          text=True, check=False)
    require(done.returncode == 0, f"pgbench -i: {done.stderr.strip()[-300:]}")
    for table in BENCH_TABLES:
        if table != "pgbench_history":
            stage.cluster.ask(f"UPDATE {table} SET filler = 'filler ' || "
                              f"(SELECT md5(random()::text || {table}.ctid::text))")
        stage.cluster.ask(f"ALTER TABLE {table} OWNER TO erp_owner")
        stage.cluster.ask(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO erp_app")


def pgbench(run):
    stage = run.stage
    sealed, _ = acts.helper_names(stage, "pgbench_accounts", "filler")
    direct = stage.cluster.ask(f"SELECT count(filler), count({sealed}) FROM pgbench_accounts")[0]
    require(direct == (0, 100_000), f"fillers read directly: {direct[0]} plain, {direct[1]} sealed")
    before = stage.erp("SELECT md5(string_agg(aid || coalesce(abalance, 0)::text, ',' ORDER BY aid))"
                       " FROM pgbench_accounts")
    fillers = stage.erp("SELECT aid, filler FROM pgbench_accounts WHERE aid <= 2000 ORDER BY aid")
    require(all(f and f.startswith("filler ") for _, f in fillers), "fillers do not open")
    env = dict(os.environ, PGPASSWORD=stage.place.password("erp_app"))
    for mode in ("simple", "extended", "prepared"):
        done = subprocess.run([str(POSTGRES_BIN / "pgbench"), "-n", "-b", "tpcb-like", "-M", mode, "-c",
                               "4", "-j", "2", "-t", "100", "-h", "127.0.0.1", "-p",
                               str(stage.gateway_port()), "-U", "erp_app", "erp"], env=env,
                              capture_output=True, text=True, check=False)
        require(done.returncode == 0 and "transactions actually processed: 400/400" in done.stdout
                and "failed transactions: 0 " in done.stdout,
                f"pgbench {mode}: {(done.stderr or done.stdout).strip()[-300:]}")
    sums = stage.erp("SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(bbalance) FROM"
                     " pgbench_branches), (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(delta)"
                     " FROM pgbench_history), (SELECT count(*) FROM pgbench_history)")[0]
    require(len(set(sums[:4])) == 1 and sums[4] == 1_200, f"the books do not balance: {sums}")
    after = stage.erp("SELECT md5(string_agg(aid || coalesce(abalance, 0)::text, ',' ORDER BY aid))"
                      " FROM pgbench_accounts")
    require(before != after, "pgbench changed nothing")
    again = stage.erp("SELECT aid, filler FROM pgbench_accounts WHERE aid <= 2000 ORDER BY aid")
    require(again == fillers, "a filler changed")
    return "1,200 transactions in three protocol modes, books balance"


def canaries_nowhere(run):
    hunt = run.hunt
    hunt.plant_through_gateway()
    hunt.plant_control()
    seen = hunt.search()
    leaks = {place: count for place, (count, _, _) in seen.items() if count}
    blind = [place for place, (_, control, _) in seen.items() if control is False]
    require(not leaks, f"canaries were found: {leaks}")
    require(not blind, f"the planted control was not found in: {', '.join(blind)}")
    mebibytes = sum(size for _, _, size in seen.values()) >> 20
    places = ", ".join(seen)
    return f"{mebibytes} MiB: {places}{'' if is_root() else '; server memory needs root'}"

# What would tell a masked role which values are equal, or to one that it guesses.
PROBES = (
    "SELECT id FROM customers WHERE contact_name = '张伟'",
    "SELECT id FROM customers WHERE contact_name IN ('张伟', '李娜')",
    "SELECT count(DISTINCT contact_name) FROM customers",
    "SELECT b.id FROM customers a JOIN customers b ON a.contact_name = b.contact_name WHERE a.id = 1",
    "SELECT b.id FROM customers a JOIN customers b USING (contact_name) WHERE a.id = 1",
    "SELECT id FROM customers WHERE contact_name IN (SELECT contact_name FROM customers WHERE id = 1)",
)


def roles(run):
    stage = run.stage
    row = stage.erp("SELECT contact_name, contact_phone, name FROM customers WHERE id = 1")[0]
    masked = stage.erp("SELECT contact_name, contact_phone, name FROM customers WHERE id = 1",
                       role="warehouse")[0]
    require(masked[0] == row[0][0] + "*" and masked[2] == row[2], f"masks: {masked}")
    require(masked[1] != row[1] and masked[1].endswith(row[1][-4:]), "the telephone mask is wrong")
    for role, column, table in (("inspector", "contact_name", "customers"),
                                ("inspector", "sinter_minutes", "formulas"),
                                ("inspector", "birth_date", "clinical_subjects"),
                                ("warehouse", "credit_limit", "customers")):
        acts.fail_unless(acts.sqlstate_of(
            lambda c=column, t=table, r=role: stage.erp(f"SELECT {c} FROM {t} LIMIT 1", role=r)),
            "42501", f"{role} reads {table}.{column}")
    for sql in PROBES:
        acts.fail_unless(acts.sqlstate_of(lambda s=sql: stage.erp(s, role="warehouse")), "42501",
                         f"a masked role probes: {sql}")
    require(stage.erp("SELECT name FROM customers WHERE id = 1", role="inspector") == [(row[2],)],
            "a denied role cannot read what is not protected")
    return "warehouse sees " + masked[0]


def equal_values(run):
    stage = run.stage
    sealed, index = acts.helper_names(stage, "customers", "contact_name")
    stage.erp("UPDATE customers SET contact_name = '同名' WHERE id BETWEEN 101 AND 140")
    rows = stage.cluster.ask(f"SELECT {sealed}, {index} FROM customers WHERE id BETWEEN 101 AND 140")
    require(len(rows) == 40 and len({bytes(s) for s, _ in rows}) == 40, "two sealed values are equal")
    require(len({bytes(i) for _, i in rows}) == 1, "equal values have different blind indexes")
    require(stage.erp("SELECT count(*) FROM customers WHERE contact_name = '同名'")[0][0] >= 40,
            "equal values are not found")
    return "40 of 40 different, all found by equality"


def moved_values(run):
    stage = run.stage
    name, _ = acts.helper_names(stage, "customers", "contact_name")
    phone, _ = acts.helper_names(stage, "customers", "contact_phone")
    patient, _ = acts.helper_names(stage, "device_usage", "patient_name")
    when, _ = acts.helper_names(stage, "batches", "sterilised_at")
    cid = stage.erp("SELECT id FROM customers WHERE contact_phone IS NOT NULL ORDER BY id LIMIT 1")[0][0]
    acts.fail_unless(acts.swap_and_read(stage, "customers", name, phone, cid, cid, "contact_phone"),
                     "XX001", "a name moved into the telephone column")
    for table, sealed, column in (("device_usage", patient, "patient_name"),
                                  ("batches", when, "sterilised_at")):
        (one,), (two,) = stage.erp(
            f"SELECT id FROM {table} WHERE {column} IS NOT NULL ORDER BY id LIMIT 2")
        acts.fail_unless(acts.swap_and_read(stage, table, sealed, sealed, one, two, column), "XX001",
                         f"{column} moved to another row")
    return "column, and rows of two bound classes"


def direct_access(run):
    stage, count = run.stage, 0
    for table, (_, columns) in TABLES.items():
        before = stage.cluster.ask(f"SELECT count(*) FROM {table}")[0][0]
        for column in columns:
            for role in ("erp_app", "erp_owner"):
                for sql in (f"SELECT * FROM {table} LIMIT 1", f"SELECT {column} FROM {table} LIMIT 1",
                            f"INSERT INTO {table} ({column}) VALUES (NULL)",
                            f"DELETE FROM {table} WHERE {column} IS NULL"):
                    state = acts.sqlstate_of(lambda s=sql, r=role: stage.cluster.ask(s, role=r))
                    acts.fail_unless(state, "42501", f"{role}: {sql}")
                    count += 1
            first = stage.cluster.ask(f"SELECT min(id) FROM {table}")[0][0]
            value = {"credit_limit": "1", "sinter_minutes": "1", "sterilised_at": "now()",
                     "birth_date": "now()"}.get(column, "'plain'")
            state = acts.sqlstate_of(lambda: stage.cluster.ask(
                f"UPDATE {table} SET {column} = {value} WHERE id = {first}"))
            acts.fail_unless(state, "23514", f"the DBA writes {table}.{column}")
            count += 1
        after = stage.cluster.ask(f"SELECT count(*) FROM {table}")[0][0]
        require(before == after, f"{table}: rows changed")
    return f"{count} statements refused"
