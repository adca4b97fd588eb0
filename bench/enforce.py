"""A table of ten columns, three of them sealed, read and written by key through the gateway in
enforce mode; beside it the same table unsealed through the same gateway in pass-through.

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


def scripts(folder, mode):
    text = "'person :v'" if mode == "simple" else ":v"
    works = [("read", READ), ("write", WRITE.replace("{text}", text)),
             ("read and write", READ + WRITE.replace("{text}", text))]
    if mode == "simple":
        works.append(("read, each text new", READ_ANEW))
    for work, script in works:
        path = pathlib.Path(folder) / f"{mode}-{work.replace(' ', '-')}.sql"
        path.write_text(script)
        yield work, path


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
        at = {"theriac": cluster.uri("erp_app", "plain", proxies[0].port),
              "enforce": cluster.uri("erp_app", "sealed", proxies[1].port)}
        return [one_row(proxies, at, mode, work, script, options, metrics)
                for mode in options.modes.split(",")
                for work, script in scripts(here.place.dir, mode)]
    finally:
        for proxy in proxies:
            proxy.stop()
        here.stop()


def plans(port):
    """(statements whose plan was known, statements that had to be analysed) so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
        text = reply.read().decode()
    return [int(re.search(rf"^theriac_plans_{word}_total (\d+)$", text, re.M).group(1)) for word in ("found", "made")]


def one_row(proxies, at, mode, work, script, options, metrics):
    before = plans(metrics)
    tps = {p.name: [] for p in proxies}
    costs = {p.name: [] for p in proxies}
    for turn in range(options.rounds):
        for proxy in proxies[::1 if turn % 2 else -1]:
            spent = processor_seconds(proxy.pid)
            rate, done = run_pgbench(at[proxy.name], CLIENTS, options.seconds, "-M", mode, "-f",
                                     str(script))
            costs[proxy.name].append((processor_seconds(proxy.pid) - spent) / done * 1e6)
            tps[proxy.name].append(rate)
    found, made = (after - was for after, was in zip(plans(metrics), before))
    row = {"found": found / max(1, found + made), "mode": mode, "work": work, "plain": statistics.median(tps["theriac"]),
           "tps": statistics.median(a / b for a, b in zip(tps["enforce"], tps["theriac"])),
           "cost": [statistics.median(costs[p.name]) for p in proxies]}
    print(f"{mode:9} {work:14}: pass-through {row['plain']:8.0f} tps ({row['cost'][0]:.1f} us); "
          f"enforce {row['tps']:.2f} ({row['cost'][1]:.1f} us), "
          f"plans found {row['found']:.4f}", flush=True)
    return row


def table(rows):
    lines = ["| protocol | work | pass-through, tps | enforce / pass-through | CPU of pass-through, us "
             "| CPU of enforce, us | plans found |", "|---|---|---:|---:|---:|---:|---:|"]
    lines += [f"| {r['mode']} | {r['work']} | {r['plain']:.0f} | {r['tps']:.2f} | "
              f"{r['cost'][0]:.1f} | {r['cost'][1]:.1f} | {100 * r['found']:.2f} % |" for r in rows]
    return "\n".join(lines)
