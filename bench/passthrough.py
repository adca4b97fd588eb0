"""pgbench's select-only script directly, through the gateway in pass-through and through rivals."""
import statistics

from contestants import (BIN, Cluster, Proxy, free_port, pass_through, pgbouncer, processor_seconds,
                         run_pgbench)


def start_proxies(cluster, options):
    yield pgbouncer(cluster.dir, cluster.port, options.cpu, "bench", 100)
    port = free_port()
    yield Proxy("bare forwarder", port, [BIN / "bare_forwarder", port, cluster.port], options.cpu)
    yield pass_through(options.gateway, cluster.port, options.cpu)


def measure(options):
    """Rows of the table: medians over rounds, in which the contestants take turns."""
    cluster = Cluster(options.scale)
    proxies = []
    try:
        for proxy in start_proxies(cluster, options):
            proxies.append(proxy)
        return [one_row(cluster, proxies, mode, clients, options)
                for mode in options.modes.split(",") for clients in map(int, options.clients.split(","))]
    finally:
        for proxy in proxies:
            proxy.stop()
        cluster.stop()


def one_row(cluster, proxies, mode, clients, options):
    ratios = {p.name: [] for p in proxies}
    costs = {p.name: [] for p in proxies}
    direct = []
    for turn in range(options.rounds):
        script = ("-S", "-M", mode)
        tps, _ = run_pgbench(cluster.at(cluster.port), clients, options.seconds, *script)
        direct.append(tps)
        shift = turn % len(proxies)
        for proxy in proxies[shift:] + proxies[:shift]:
            before = processor_seconds(proxy.pid)
            through, done = run_pgbench(cluster.at(proxy.port), clients, options.seconds, *script)
            costs[proxy.name].append((processor_seconds(proxy.pid) - before) / done * 1e6)
            ratios[proxy.name].append(through / tps)
    row = {"mode": mode, "clients": clients, "direct": statistics.median(direct)}
    for proxy in proxies:
        row[proxy.name] = (statistics.median(ratios[proxy.name]),
                           statistics.median(costs[proxy.name]))
    row["tps"] = statistics.median(
        a / b for a, b in zip(ratios["theriac"], ratios["pgbouncer"]))
    row["cpu"] = statistics.median(a / b for a, b in zip(costs["theriac"], costs["pgbouncer"]))
    print(f"{mode:9} {clients:3} clients: direct {row['direct']:8.0f} tps; " + "; ".join(
        f"{p.name} {row[p.name][0]:.2f} ({row[p.name][1]:.1f} us)" for p in proxies) +
        f"; theriac / pgbouncer: tps {row['tps']:.2f}, cpu {row['cpu']:.2f}", flush=True)
    return row


def table(rows):
    lines = ["| pgbench -S | clients | direct, tps | pgbouncer | bare forwarder | theriac | "
             "theriac / pgbouncer: tps | CPU |",
             "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        cells = [f"{row[n][0]:.2f} ({row[n][1]:.1f})"
                 for n in ("pgbouncer", "bare forwarder", "theriac")]
        lines.append(f"| {row['mode']} | {row['clients']} | {row['direct']:.0f} | " +
                     " | ".join(cells) + f" | {row['tps']:.2f} | {row['cpu']:.2f} |")
    tps, cpu = (statistics.geometric_mean(row[name] for row in rows) for name in ("tps", "cpu"))
    lines.append(f"| geometric mean | | | | | | {tps:.2f} | {cpu:.2f} |")
    return "\n".join(lines)
