#!/usr/bin/python3
"""Our HTTP server beside nginx: a static reply over TLS 1.3 on kept connections, both on one core.

  bench/http_static.py                     rounds in turns; a table of requests per second and processor
                                    time for a request, and the ratios to nginx of the same round
  bench/http_static.py --plain             without TLS
  bench/http_static.py --clients 32,200 --bytes 256 --seconds 4 --rounds 5

Needs a release build, and nginx-light and wrk from Debian (apt-get install --no-install-recommends;
nginx is started with a configuration of its own in a temporary folder, never as a service). Both
send the same fields. The load has the other core. Absolute figures say little; ratios do.
"""
import argparse
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from contestants import BIN, await_port, free_port, processor_seconds

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
        dir=folder, port=port, mask=format(1 << options.cpu, "b"), body="x" * options.bytes,
        tls="" if options.plain else "ssl",
        hsts="" if options.plain else 'add_header Strict-Transport-Security "max-age=31536000";',
        certificates="" if options.plain else f"ssl_certificate {certificate}; ssl_certificate_key {key};"
                                              " ssl_protocols TLSv1.3; ssl_session_tickets off;"))
    pinned = ["taskset", "-c", str(options.cpu)]
    yield Contestant("nginx", port, [*pinned, options.nginx, "-c", config, "-p", folder])
    port = free_port()
    yield Contestant("theriac", port, [*pinned, BIN / "http_server", port, certificate, key, options.bytes,
                                       *(["plain"] if options.plain else [])])


def load(one, clients, options):
    """(requests per second, processor microseconds for a request)"""
    scheme = "http" if options.plain else "https"
    before = one.seconds()
    out = subprocess.run(["taskset", "-c", str(options.load_cpu), "wrk", "-t1", f"-c{clients}", f"-d{options.seconds}s", "--timeout", "20s",
                          f"{scheme}://127.0.0.1:{one.port}/"], check=True, capture_output=True, text=True).stdout
    spent = one.seconds() - before
    done = int(re.search(r"(\d+) requests in", out).group(1))
    if "Non-2xx" in out or re.search(r"Socket errors: (?!connect 0, read 0, write 0)", out) or not done:
        sys.exit(f"{one.name}: {out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), spent / done * 1e6


def measure(contestants, clients, options):
    rates = {c.name: [] for c in contestants}
    costs = {c.name: [] for c in contestants}
    for turn in range(options.rounds):
        for one in contestants if turn % 2 == 0 else reversed(contestants):
            rate, cost = load(one, clients, options)
            rates[one.name].append(rate)
            costs[one.name].append(cost)
    median = statistics.median
    rate = median(a / b for a, b in zip(rates["theriac"], rates["nginx"]))
    cost = median(a / b for a, b in zip(costs["theriac"], costs["nginx"]))
    print(f"| {clients} | {median(rates['nginx']):.0f} ({median(costs['nginx']):.1f}) | "
          f"{median(rates['theriac']):.0f} ({median(costs['theriac']):.1f}) | {rate:.2f} | {cost:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="1,32,200")
    parser.add_argument("--bytes", type=int, default=256)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu", type=int, default=0)
    parser.add_argument("--load-cpu", type=int, default=1)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    options.nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not options.nginx or not shutil.which("wrk"):
        sys.exit("bench/http_static.py needs nginx-light and wrk (Debian packages)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="theriac-bench-http-"))
    folder.chmod(0o755)
    contestants = []
    try:
        for one in start(folder, options):
            contestants.append(one)
        print(f"static reply of {options.bytes} bytes, {'plain' if options.plain else 'TLS 1.3'}, kept connections\n\n"
              "| clients | nginx, requests/s (us of CPU each) | theriac | requests, ratio | CPU, ratio |\n"
              "|---:|---:|---:|---:|---:|", flush=True)
        for clients in map(int, options.clients.split(",")):
            measure(contestants, clients, options)
    finally:
        for one in contestants:
            one.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
