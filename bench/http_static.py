#!/usr/bin/python3
"""Our HTTP server beside nginx: a static reply over TLS 1.3 on kept connections, both on one core.

nginx is started with a configuration of its own in a temporary folder, never as a service. Both send
the same fields. The load has the other core.
"""
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from contestants import BIN, await_port, free_port, processor_seconds

CLIENTS = (1, 32, 200)
BYTES = 256
NGINX = """
worker_processes 1;
worker_cpu_affinity {mask};
error_log {dir}/error.log;
pid {dir}/pid;
daemon off;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;
  uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
  keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port} {tls};
    {certificates}
    location = / {{
      default_type text/plain;
      add_header X-Request-Id $request_id;
      add_header X-Content-Type-Options nosniff;
      add_header Cache-Control no-store;
      {hsts}
      return 200 "{body}";
    }}
  }}
}}
"""


class Contestant:
    def __init__(self, name, port, argv):
        self.name, self.port = name, port
        self.process = subprocess.Popen([str(a) for a in argv])
        await_port(port, self.process)

    def pids(self):
        """nginx works in a child."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(p) for p in children.read_text().split()] or [self.process.pid]

    def seconds(self):
        return sum(processor_seconds(p) for p in self.pids())

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def start(folder, options):
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"],
                   check=True, capture_output=True)
    key.chmod(0o600)
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(
        dir=folder, port=port, mask=format(1 << options.cpu, "b"), body="x" * BYTES,
        tls="ssl",
        hsts='add_header Strict-Transport-Security "max-age=31536000";',
        certificates=f"ssl_certificate {certificate}; ssl_certificate_key {key};"
                                              " ssl_protocols TLSv1.3; ssl_session_tickets off;"))
    pinned = ["taskset", "-c", str(options.cpu)]
    yield Contestant("nginx", port, [*pinned, options.nginx, "-c", config, "-p", folder])
    port = free_port()
    yield Contestant("theriac", port, [*pinned, BIN / "http_server", port, certificate, key, BYTES])


def load(one, clients, options):
    """(requests per second, processor microseconds for a request)"""
    before = one.seconds()
    out = subprocess.run(["taskset", "-c", str(1 - min(options.cpu, 1)), "wrk", "-t1", f"-c{clients}", f"-d{options.seconds}s", "--timeout", "20s",
                          f"https://127.0.0.1:{one.port}/"], check=True, capture_output=True, text=True).stdout
    spent = one.seconds() - before
    done = int(re.search(r"(\d+) requests in", out).group(1))
    if "Non-2xx" in out or re.search(r"Socket errors: (?!connect 0, read 0, write 0)", out) or not done:
        sys.exit(f"{one.name}: {out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), spent / done * 1e6


def one_row(contestants, clients, options):
    rates = {c.name: [] for c in contestants}
    costs = {c.name: [] for c in contestants}
    for turn in range(options.rounds):
        for one in contestants if turn % 2 == 0 else reversed(contestants):
            rate, cost = load(one, clients, options)
            rates[one.name].append(rate)
            costs[one.name].append(cost)
    median = statistics.median
    row = {"clients": clients, "rate": {name: median(all_) for name, all_ in rates.items()},
           "cost": {name: median(all_) for name, all_ in costs.items()},
           "rates": median(a / b for a, b in zip(rates["theriac"], rates["nginx"])),
           "costs": median(a / b for a, b in zip(costs["theriac"], costs["nginx"]))}
    print(f"{clients:4} clients: theriac / nginx {row['rates']:.2f} requests, {row['costs']:.2f} CPU", flush=True)
    return row


def measure(options):
    options.nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not options.nginx or not shutil.which("wrk"):
        sys.exit("this part needs nginx-light and wrk (Debian packages)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="theriac-bench-http-"))
    folder.chmod(0o755)
    contestants = []
    try:
        for one in start(folder, options):
            contestants.append(one)
        return [one_row(contestants, clients, options) for clients in CLIENTS]
    finally:
        for one in contestants:
            one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def table(rows):
    lines = ["| clients | nginx, requests/s (us of CPU each) | theriac | requests, ratio | CPU, ratio |",
             "|---:|---:|---:|---:|---:|"]
    lines += [f"| {r['clients']} | {r['rate']['nginx']:.0f} ({r['cost']['nginx']:.1f}) | "
              f"{r['rate']['theriac']:.0f} ({r['cost']['theriac']:.1f}) | {r['rates']:.2f} | {r['costs']:.2f} |"
              for r in rows]
    return "\n".join(lines)
