"""What sessions cost the gateway: memory of idle ones, and 2,000 at once beside a direct connection and pgbouncer.

Memory is the growth of the gateway's proportional set size (its own share of every page) from a few warm sessions
to many: as signed in, and after each has run protected statements, one of them prepared, and is idle again.
"""
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import threading

from contestants import ROOT, Proxy, free_port, pgbouncer, run_pgbench

os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-bench-"))
sys.path.insert(0, str(ROOT / "demo"))
import cluster as clusters  # noqa: E402
from enforce import ROWS, stand  # noqa: E402
from processes import wait_until  # noqa: E402
from replay_client import Client  # noqa: E402

COUNTS = (500, 2_000)
WARM = 20
AT_ONCE = 2_000
EACH = 20  # statements of each of those
BUDGET_KIB = 100
STATEMENTS = ("SELECT * FROM people WHERE id = {n}", "UPDATE people SET name = 'person {n}' WHERE id = {n}",
              "SELECT count(*) FROM people WHERE name = 'person {n}'")
PREPARED = "SELECT name, phone, limit_cny FROM people WHERE id = $1"
READ = f"\\set id random(1, {ROWS})\nSELECT * FROM people WHERE id = :id;\n"


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def connect(uri, number):
    made = []

    def some(count):
        for _ in range(count):
            made.append(Client(uri))

    threads = [threading.Thread(target=some, args=(number // 4,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if len(made) != number // 4 * 4:
        sys.exit(f"only {len(made)} of {number} sessions were let in")
    return made


def work(links):
    for number, link in enumerate(links):
        key = str(number % ROWS + 1)
        answers = [a for sql in STATEMENTS for a in link.simple(sql.format(n=key))]
        answers += link.prepare("by_id", PREPARED) + link.execute("by_id", [key])
        for one in answers:
            if one.kind == "error":
                sys.exit(f"a session was refused: {one.text}")


def await_end_of_sessions(cluster):
    """The server lets nobody in while those before are on their way out."""
    counting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'erp_app'"
    wait_until(lambda: cluster.ask(counting, database="postgres")[0][0] == 0, 120, "the sessions before have ended")


def memory(cluster, name, proxy, uri):
    """Rows of the table: (mode, sessions, KiB a session as signed in, KiB a session after work)."""
    await_end_of_sessions(cluster)
    links = connect(uri, WARM)
    work(links)
    rows = []
    try:
        for count in COUNTS:
            before, had = pss_kib(proxy.pid), len(links)
            fresh = connect(uri, count - had)
            links += fresh
            opened = pss_kib(proxy.pid)
            work(fresh)
            worked = pss_kib(proxy.pid)
            rows.append((name, len(links), (opened - before) / len(fresh), (worked - before) / len(fresh)))
            print(f"{name}: {len(links)} sessions, {rows[-1][2]:.1f} KiB each as signed in, {rows[-1][3]:.1f} KiB "
                  "after work", flush=True)
    finally:
        for link in links:
            link.close()
    return rows


def at_once(cluster, at, folder, options):
    """Ratios of throughput to the direct connection of the same round, with AT_ONCE clients."""
    script = folder / "read.sql"
    script.write_text(READ)
    ratios = {name: [] for name in at if name != "direct"}
    direct = []
    for _ in range(max(1, options.rounds // 2)):
        for name, uri in at.items():
            await_end_of_sessions(cluster)
            tps, done = run_pgbench(uri, AT_ONCE, None, "-t", str(EACH), "-M", "prepared", "-f", str(script))
            if done != AT_ONCE * EACH:
                sys.exit(f"{name}: {done} statements of {AT_ONCE} clients were answered")
            if name == "direct":
                direct.append(tps)
            else:
                ratios[name].append(tps / direct[-1])
    print(f"{AT_ONCE} clients: direct {statistics.median(direct):.0f} tps; " + ", ".join(
        f"{name} {statistics.median(r):.2f}" for name, r in ratios.items()), flush=True)
    return statistics.median(direct), {name: statistics.median(r) for name, r in ratios.items()}


def measure(options):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Sign-in is not what is measured.
    clusters.HBA = "host all erp_app 127.0.0.1/32 trust\n" + clusters.HBA
    clusters.SETTINGS = clusters.SETTINGS.replace("max_connections = 120", f"max_connections = {AT_ONCE + 200}")
    here, proxies = stand(), {}
    cluster = here.cluster
    try:
        limit = ["--sessions-max", str(AT_ONCE + 200)]
        port = free_port()
        proxies["pass-through"] = Proxy("pass-through", port, [
            options.gateway, "--listen", f"127.0.0.1:{port}", "--upstream", f"127.0.0.1:{cluster.port}", *limit],
            options.cpu)
        service = here.parts.gateway_service(more=limit)
        proxies["enforce"] = Proxy("enforce", service.port, service.argv, options.cpu)
        at = {"direct": cluster.uri("erp_app", "plain"),
              "pass-through": cluster.uri("erp_app", "plain", proxies["pass-through"].port),
              "enforce": cluster.uri("erp_app", "sealed", proxies["enforce"].port)}
        rows = [row for name in ("pass-through", "enforce") for row in memory(cluster, name, proxies[name], at[name])]
        with tempfile.TemporaryDirectory(prefix="theriac-bouncer-") as folder:
            pathlib.Path(folder).chmod(0o755)
            proxies["pgbouncer"] = pgbouncer(pathlib.Path(folder), cluster.port, options.cpu, "erp_app", AT_ONCE)
            at["pgbouncer"] = cluster.uri("erp_app", "plain", proxies["pgbouncer"].port)
            return rows, at_once(cluster, at, here.place.dir, options)
    finally:
        for proxy in proxies.values():
            proxy.stop()
        here.stop()


def table(measured):
    rows, (direct, ratios) = measured
    lines = [f"| mode | sessions | KiB a session, signed in | KiB a session, after protected statements | budget |",
             "|---|---:|---:|---:|---:|"]
    lines += [f"| {name} | {count} | {idle:.0f} | {worked:.0f} | {BUDGET_KIB} |" for name, count, idle, worked in rows]
    lines += ["", f"| {AT_ONCE} clients at once, all answered | share of direct ({direct:.0f} tps) |", "|---|---:|"]
    lines += [f"| {name} | {ratio:.2f} |" for name, ratio in ratios.items()]
    return "\n".join(lines)
