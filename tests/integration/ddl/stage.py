"""A server, keys, a gateway that provisions, and a fresh database for each test."""
import os
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "demo")]
os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-ddl-"))

import psycopg2  # noqa: E402
from cluster import Cluster  # noqa: E402
from parts import Parts  # noqa: E402
from place import Place  # noqa: E402

POLICY = """
version: 1
tenant: ddl
classes:
  person: {suite: aes, bind_rows: false, buckets: [16, 32, 64], grace_s: 0}
  batch:  {suite: sm4, bind_rows: true, buckets: [32], grace_s: 0}
columns:
  - {table: public.party, column: name, class: person, searchable: true, domain: name, accept_leakage: true}
  - {table: public.party, column: code, class: person, searchable: true, accept_leakage: true}
  - {table: public.party, column: birth, class: person}
  - {table: public.party, column: rank, class: person, searchable: true, accept_leakage: true}
  - {table: public.lot, column: recipe, class: batch}
  - {table: public.visit, column: patient, class: person, searchable: true, domain: name, accept_leakage: true}
  - {table: public.visit, column: finding, class: batch}
  - {table: public.asset, column: serial, class: person, searchable: true, accept_leakage: true}
roles:
  erp_owner: {person: clear, batch: clear}
  erp_app: {person: clear, batch: clear}
  inspector: {person: {mask: name}, batch: denied}
  warehouse: {person: clear}
"""


class Stage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place("ddl").__enter__()
        cls.cluster = Cluster(cls.place).start()
        cls.cluster.make_roles()
        cls.cluster.ask("ALTER ROLE erp_owner CREATEDB", database="postgres")
        policy = cls.place.dir / "policy.yaml"
        policy.write_text(POLICY, "utf-8")
        cls.parts = Parts(cls.place, policy=policy, database=cls.cluster.uri("dba", "postgres"),
                          catalogue=cls.cluster.uri("theriac_gateway", "postgres"),
                          upstream=f"127.0.0.1:{cls.cluster.port}")
        cls.parts.prepare()
        cls.parts.start_keyd()
        os.environ["DDL_TEST_PROVISION"] = cls.cluster.uri("dba", "postgres")
        service = cls.parts.gateway_service()
        service.argv = [*service.argv, "--provision", "env:DDL_TEST_PROVISION"]
        service.start()
        cls.parts.gateway = service
        cls.port = service.port

    @classmethod
    def tearDownClass(cls):
        cls.parts.stop()
        cls.cluster.stop()
        cls.place.__exit__(None, None, None)

    def setUp(self):
        self.name = "t_" + self.id().rsplit(".", 1)[1].lower()[5:]
        self.open_ones = []
        self.direct("DROP DATABASE IF EXISTS " + self.name, database="postgres")
        self.ask("CREATE DATABASE " + self.name, database="template1")

    def tearDown(self):
        for connection in self.open_ones:
            connection.close()

    def session(self, role="erp_owner", database=None, autocommit=True):
        connection = self.cluster.connect(role, database or self.name, self.port, autocommit)
        self.open_ones.append(connection)
        return connection

    def ask(self, sql, args=None, role="erp_owner", database=None):
        return self.cluster.ask(sql, args, role, database or self.name, self.port)

    def direct(self, sql, database=None, role="dba"):
        return self.cluster.ask(sql, None, role, database or self.name)

    def refused(self, state, sql, run=None):
        with self.assertRaises(psycopg2.Error, msg=sql) as caught:
            (run or self.ask)(sql)
        self.assertEqual(caught.exception.pgcode, state, (sql, str(caught.exception)))
        return str(caught.exception)

    def no_plain(self, *words):
        """No word stands in any column of any table of the application."""
        for schema, table in self.direct(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN "
                "('pg_catalog', 'information_schema', 'theriac')"):
            text = str(self.direct(f'SELECT t::text FROM "{schema}"."{table}" t'))
            for word in words:
                self.assertNotIn(word, text, table)
