"""A table of ten columns, three of them sealed, read and written by key through the gateway in
enforce mode; beside it, through the same gateway in pass-through, the same table unsealed and one
whose columns are as long and as many as the sealed ones are: what no gateway could save.

Both gateways stand before one durable PostgreSQL and are pinned to one core; reading asks for all
ten columns, writing sets the three sealed ones.
"""
import os
import pathlib
import re
import statistics
import sys
import tempfile
import urllib.request

from contestants import (ROOT, Proxy, free_port, pass_through, processor_seconds, run_pgbench)

os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-bench-"))
sys.path.insert(0, str(ROOT / "demo"))
from stand import Stand  # noqa: E402

ROWS = 20_000
CLIENTS = 8
TABLE = f"""
CREATE TABLE people (id int PRIMARY KEY, name text, phone text, limit_cny numeric, city text,
  street text, born date, visits int, kind text, changed timestamptz);
INSERT INTO people SELECT i, 'Person number ' || i, '138' || (10000000 + i), i * 1.25, 'Suzhou',
  'Xinghai Street ' || i, date '1960-01-01' + i % 20000, i % 50, 'hospital', now()
  FROM generate_series(1, {ROWS}) AS i;
GRANT SELECT, UPDATE ON people TO erp_app;
"""
POLICY = """
version: 1
tenant: bench
classes:
  person: {suite: aes, bind_rows: false, buckets: [16, 32, 64]}
columns:
  - {table: public.people, column: name, class: person, searchable: true}
  - {table: public.people, column: phone, class: person, searchable: true}
  - {table: public.people, column: limit_cny, class: person}
roles:
  erp_app: {person: clear}
"""
# A parameter stands where the mode sends one; simple mode writes it into the statement's text.
READ = f"\\set id random(1, {ROWS})\nSELECT * FROM people WHERE id = :id;\n"
WRITE = (f"\\set id random(1, {ROWS})\n\\set v random(1, 1000000)\n"
         "UPDATE people SET name = {text}, phone = {text}, limit_cny = :v WHERE id = :id;\n")
# Names, not only literals, are others in each text: no plan serves two of them.
READ_ANEW = f"\\set id random(1, {ROWS})\n\\set v random(1, 1000000000)\nSELECT p:v.* FROM people p:v WHERE p:v.id = :id;\n"


# The physical form in plain text: nothing is sealed; as many bytes are stored, indexed and sent, and rights are on columns.
WIDE = """
CREATE TABLE wide AS SELECT id, NULL::text AS name, NULL::text AS phone, NULL::numeric AS limit_cny, city, street,
  born, visits, kind, changed, {columns} FROM people;
ALTER TABLE wide ADD PRIMARY KEY (id);
{indexes}
GRANT SELECT (id, city, street, born, visits, kind, changed, {names}), UPDATE ON wide TO erp_app;
VACUUM ANALYZE wide;
"""
READ_WIDE = (f"\\set id random(1, {ROWS})\nSELECT id, {{sealed}}, city, street, born, visits, kind, changed "
             "FROM wide WHERE id = :id;\n")
WRITE_WIDE = (f"\\set id random(1, {ROWS})\n\\set v random(1, 1000000)\n"
              "UPDATE wide SET name = NULL, phone = NULL, limit_cny = NULL, {sets} WHERE id = :id;\n")


def scripts(folder, mode, wide):
    """(work, script for `people`, script for `wide` or None)"""
    text = "'person :v'" if mode == "simple" else ":v"
    write, sealed = WRITE.replace("{text}", text), [name for name in wide if "sealed" in name]
    read_wide = READ_WIDE.format(sealed=", ".join(sealed))
    write_wide = WRITE_WIDE.format(sets=", ".join(f"{name} = lpad((:v)::text, {n})" for name, n in wide.items()))
    works = [("read", READ, read_wide), ("write", write, write_wide),
             ("read and write", READ + write, read_wide + write_wide)]
    if mode == "simple":
        works.append(("read, each text new", READ_ANEW, None))
    for work, *texts in works:
        paths = []
        for kind, script in zip(("people", "wide"), texts):
            path = pathlib.Path(folder) / f"{mode}-{work.replace(' ', '-')}-{kind}.sql"
            path.write_text(script or "")
            paths.append(path if script else None)
        yield work, *paths


def make_wide(cluster):
    """Makes `wide` beside the plain table; the lengths of its added columns by name."""
    names = [name for name, in cluster.ask(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'people'::regclass AND NOT attisdropped "
        "AND attname LIKE 'theriac%' AND atttypid = 'bytea'::regtype ORDER BY attnum", database="sealed")]
    lengths, = cluster.ask(f"SELECT {', '.join(f'round(avg(length({n})))::int' for n in names)} FROM people",
                           database="sealed")
    wide = dict(zip(names, lengths))
    columns = ", ".join(f"lpad(id::text, {n}) AS {name}" for name, n in wide.items())
    indexes = "".join(f"CREATE INDEX ON wide ({name});\n" for name in names if "index" in name)
    for line in WIDE.format(columns=columns, indexes=indexes, names=', '.join(names)).split(";\n"):
        if line.strip():
            cluster.ask(line, database="plain")
    return wide


def stand():
    return Stand("bench", TABLE, POLICY, ("plain", "sealed"), lease_s=60, logged=False, after="VACUUM ANALYZE people")


def measure(options):
    here, proxies = stand(), []
    cluster = here.cluster
    try:
        proxies.append(pass_through(options.gateway, cluster.port, options.cpu))
        metrics = free_port()
        service = here.parts.gateway_service(more=["--metrics", f"127.0.0.1:{metrics}"])
        proxies.append(Proxy("enforce", service.port, service.argv, options.cpu))
        wide = make_wide(cluster)
        at = {"plain": (proxies[0], cluster.uri("erp_app", "plain", proxies[0].port)),
              "sealed": (proxies[1], cluster.uri("erp_app", "sealed", proxies[1].port))}
        at["wide"] = at["plain"]
        return [one_row(at, mode, work, {"plain": people, "wide": same_bytes, "sealed": people}, options, metrics)
                for mode in options.modes.split(",")
                for work, people, same_bytes in scripts(here.place.dir, mode, wide)]
    finally:
        for proxy in proxies:
            proxy.stop()
        here.stop()


def plans(port):
    """(statements whose plan was known, statements that had to be analysed) so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
        text = reply.read().decode()
    return [int(re.search(rf"^theriac_plans_{word}_total (\d+)$", text, re.M).group(1)) for word in ("found", "made")]


def one_row(at, mode, work, texts, options, metrics):
    before = plans(metrics)
    names = [name for name in texts if texts[name]]
    tps, costs = ({name: [] for name in names} for _ in range(2))
    for turn in range(options.rounds):
        for name in names[::1 if turn % 2 else -1]:
            proxy, uri = at[name]
            spent = processor_seconds(proxy.pid)
            rate, done = run_pgbench(uri, CLIENTS, options.seconds, "-M", mode, "-f", str(texts[name]))
            costs[name].append((processor_seconds(proxy.pid) - spent) / done * 1e6)
            tps[name].append(rate)
    found, made = (after - was for after, was in zip(plans(metrics), before))
    row = {"found": found / max(1, found + made), "mode": mode, "work": work, "plain": statistics.median(tps["plain"]),
           "cost": {name: statistics.median(costs[name]) for name in names},
           "ratio": {(a, b): statistics.median(x / y for x, y in zip(tps[a], tps[b]))
                     for a, b in (("wide", "plain"), ("sealed", "plain"), ("sealed", "wide")) if a in tps and b in tps}}
    print(f"{mode:9} {work:14}: plain {row['plain']:8.0f} tps, ratios "
          f"{' '.join(f'{a}/{b} {r:.2f}' for (a, b), r in row['ratio'].items())}, us "
          f"{' '.join(f'{n} {c:.1f}' for n, c in row['cost'].items())}, plans found {row['found']:.4f}", flush=True)
    return row


def table(rows):
    lines = ["| protocol | work | pass-through, tps | enforce / pass-through | as many bytes in pass-through / "
             "pass-through | enforce / as many bytes | CPU of pass-through, us | CPU of enforce, us | plans found |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for r in rows:
        ratio = [f"{r['ratio'][pair]:.2f}" if pair in r["ratio"] else ""
                 for pair in (("sealed", "plain"), ("wide", "plain"), ("sealed", "wide"))]
        lines.append(f"| {r['mode']} | {r['work']} | {r['plain']:.0f} | {' | '.join(ratio)} | "
                     f"{r['cost']['plain']:.1f} | {r['cost']['sealed']:.1f} | {100 * r['found']:.2f} % |")
    return "\n".join(lines)
