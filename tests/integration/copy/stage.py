"""Two databases, plain and sealed, and a gateway that reaches the second through a tap."""
import os
import pathlib
import socket
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "demo"), str(HERE.parent / "passthrough")]
os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-copy-"))

import cluster as clusters  # noqa: E402
from parts import Parts  # noqa: E402
from place import Place  # noqa: E402

ROLES = ("erp_app", "warehouse", "inspector")
TABLES = """
CREATE TABLE people (id int PRIMARY KEY, name text, city text, phone varchar(14),
  credit numeric(12,2), born date, seen timestamptz, note text, age int DEFAULT 30,
  city_length int GENERATED ALWAYS AS (length(city)) STORED);
CREATE TABLE batches (id int PRIMARY KEY, recipe text, qty int);
CREATE TABLE "Odd Name" ("A b" text, "C d" int);
CREATE TABLE alone (name text);
CREATE TABLE orders (id int PRIMARY KEY, total numeric, remark text);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public
  TO erp_app, warehouse, inspector;
"""
POLICY = """
version: 1
tenant: copy
classes:
  person:  {suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 0}
  medical: {suite: sm4, bind_rows: false, buckets: [16, 64], grace_s: 0}
  formula: {suite: aes, bind_rows: true, buckets: [32], grace_s: 0}
columns:
  - {table: public.people, column: name, class: person, searchable: true, accept_leakage: true,
     search: [lower]}
  - {table: public.people, column: phone, class: person, accept_leakage: true,
     search: [{name: last2, expression: "right(value, 2)"}]}
  - {table: public.people, column: credit, class: medical, searchable: true, accept_leakage: true}
  - {table: public.people, column: born, class: person}
  - {table: public.people, column: seen, class: person}
  - {table: public.people, column: age, class: medical, searchable: true, accept_leakage: true}
  - {table: public.batches, column: recipe, class: formula}
  - {table: 'public.Odd Name', column: A b, class: person, searchable: true, accept_leakage: true}
  - {table: public.alone, column: name, class: person}
roles:
  erp_app: {person: clear, medical: clear, formula: clear}
  warehouse: {person: {mask: name}, medical: clear, formula: clear}
  inspector: {person: denied, medical: clear, formula: clear}
"""


class Tap:
    """Passes connections on and keeps what the server is sent."""

    def __init__(self, port):
        self.to_server = bytearray()
        self.upstream = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.upstream))
            for source, sink, keep in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, sink, keep), daemon=True).start()

    def _pump(self, source, sink, keep):
        try:
            while data := source.recv(65536):
                if keep:
                    self.to_server += data
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.close()


class Stage:
    """start(), stop(); plain and sealed are ports, `database` both databases' names."""

    def __init__(self, name="copy", tables=TABLES, policy=POLICY, lease_s=6):
        # Sign-in by hand is not what these tests are about.
        clusters.HBA = "".join(f"host all {r} 127.0.0.1/32 trust\n" for r in ROLES) + clusters.HBA
        self.place = Place(name).__enter__()
        self.cluster = clusters.Cluster(self.place).start()
        self.parts = self.tap = None
        try:
            self.cluster.make_roles()
            for database in ("plain", "sealed"):
                self.cluster.ask(f"CREATE DATABASE {database} TEMPLATE template0",
                                 database="postgres")
                self.cluster.ask(tables, database=database)
            self.policy = self.place.dir / "policy.yaml"
            self.policy.write_text(policy)
            uri = self.cluster.uri("dba", "sealed")
            self.tap = Tap(self.cluster.port)
            self.parts = Parts(self.place, policy=self.policy, database=uri, catalogue=uri,
                               upstream=f"127.0.0.1:{self.tap.port}", lease_s=lease_s)
            self.parts.prepare()
            self.parts.start_keyd()
            self.parts.protect()
            self.gateway = self.parts.start_gateway().port
        except BaseException:
            self.stop()
            raise

    def connect(self, which, role="erp_app", **more):
        port = self.cluster.port if which == "plain" else self.gateway
        return self.cluster.connect(role, which, port, **more)

    def stop(self):
        if self.parts:
            self.parts.stop()
        if self.tap:
            self.tap.stop()
        self.cluster.stop()
        self.place.__exit__()
