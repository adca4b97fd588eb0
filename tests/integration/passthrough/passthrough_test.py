#!/usr/bin/python3
"""The gateway in pass-through: an unmodified client must not notice it."""
import concurrent.futures
import io
import os
import pathlib
import re
import signal
import subprocess
import threading
import unittest

import psycopg2
import psycopg2.extensions

import wire
from servers import BINARIES, GATEWAY, Gateway, Postgres, clients_are

PIPELINE = pathlib.Path(os.environ["THERIAC_BIN"]) / "passthrough_pipeline"

SCRIPT = r"""
\set VERBOSITY verbose
\set SHOW_CONTEXT always
select 1 as one, null as nothing, E'\u00e9\u5f20\u4f1f' as text, '{1,2}'::int[] as list;
select 1; select 2/0; select 3;
select $$two$$ as a \gdesc
create temp table t (id int primary key, name text);
insert into t values (1, 'a'), (2, 'b') returning *;
insert into t values (1, 'again');
begin; select count(*) from t; select nope; select 1; rollback;
do $$ begin raise notice 'from the server'; raise warning 'twice'; end $$;
declare c cursor with hold for select generate_series(1, 10);
fetch 3 from c; fetch backward 2 from c; close c;
prepare p(int) as select $1 + 1; execute p(41); deallocate p;
copy t to stdout with csv header;
copy t from stdin;
3	c
4	\N
\.
select * from t order by id;
begin; savepoint s; insert into t values (1, ''); rollback to s; select 'alive'; commit;
prepare transaction 'x';
listen channel; notify channel, 'payload';
select set_config('application_name', 'changed', false);
show server_version; show client_encoding;
set client_encoding to latin1; select chr(233) = 'x'; reset client_encoding;
select repeat('long', 100000) = repeat('long', 100000);
select * from generate_series(1, 3000) \g /dev/null
syntax error here;
"""


class PassThrough(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres().__enter__()
        cls.gateway = Gateway(f"127.0.0.1:{cls.postgres.port}", "--threads", 2)

    @classmethod
    def tearDownClass(cls):
        cls.gateway.kill()
        cls.postgres.__exit__()

    def connect(self, gateway=None, **more):
        connection = psycopg2.connect((gateway or self.gateway).conninfo(**more))
        self.addCleanup(connection.close)
        return connection

    def direct(self):
        return (f"host=127.0.0.1 port={self.postgres.port} user=app password=app-password "
                "dbname=postgres")

    def psql(self, conninfo, script, *flags):
        # The process id in NOTIFY and the number of a session's temporary schema differ between
        # any two sessions.
        done = subprocess.run([str(BINARIES / "psql"), "-X", "-a", *flags, conninfo], input=script,
                              capture_output=True, text=True, check=False)
        lines = re.sub(r"pg_temp_\d+", "pg_temp_N", done.stdout + done.stderr).splitlines()
        return "\n".join(line for line in lines if "server process with PID" not in line)

    def test_psql_sees_the_same(self):
        direct = self.psql(self.direct(), SCRIPT)
        self.assertIn("22012", direct)
        self.assertIn("from the server", direct)
        self.assertEqual(self.psql(self.gateway.conninfo(), SCRIPT), direct)

    def test_pgbench_in_every_protocol(self):
        run = ["pgbench", "-h", "127.0.0.1", "-p", str(self.gateway.port), "-U", "app", "postgres"]
        env = {**os.environ, "PGPASSWORD": "app-password"}
        subprocess.run([*run, "-i", "-q"], env=env, check=True, capture_output=True)
        for mode in ("simple", "extended", "prepared"):
            done = subprocess.run([*run, "-M", mode, "-c", "8", "-j", "2", "-t", "100", "-n"],
                                  env=env, check=True, capture_output=True, text=True)
            self.assertIn("processed: 800/800", done.stdout)
            self.assertIn("failed transactions: 0", done.stdout)
        # -C: a connection for each transaction.
        subprocess.run([*run, "-C", "-c", "4", "-t", "20", "-n", "-S"], env=env, check=True,
                       capture_output=True)

    def test_pipelines(self):
        runs = [subprocess.run([str(PIPELINE), conninfo], capture_output=True, text=True,
                               check=True).stdout
                for conninfo in (self.direct(), self.gateway.conninfo())]
        self.assertIn("PGRES_PIPELINE_ABORTED", runs[0])
        self.assertEqual(runs[0].count("PGRES_TUPLES_OK 1 rows"), 304)
        self.assertEqual(runs[0], runs[1])

    def test_types_and_server_side_cursors(self):
        connection = self.connect()
        cursor = connection.cursor()
        cursor.execute("select %s, %s, %s, %s::bytea, %s", (1, "张伟", None, b"\0\xff", [1.5, 2]))
        row = cursor.fetchone()
        self.assertEqual((row[0], row[1], row[2], bytes(row[3])), (1, "张伟", None, b"\0\xff"))
        named = connection.cursor("named")
        named.itersize = 100
        named.execute("select generate_series(1, 5000)")
        self.assertEqual(sum(row[0] for row in named), 5000 * 5001 // 2)
        named.close()
        with self.assertRaises(psycopg2.errors.UniqueViolation):
            cursor.execute("create temp table u (a int unique); insert into u values (1), (1)")
        with self.assertRaises(psycopg2.errors.InFailedSqlTransaction):
            cursor.execute("select 1")
        connection.rollback()
        cursor.execute("select 1")

    def test_notifications_and_notices(self):
        listener, talker = self.connect(), self.connect()
        for connection in (listener, talker):
            connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        listener.cursor().execute("listen bell")
        talker.cursor().execute("notify bell, 'rung'")
        while not listener.notifies:
            listener.cursor().execute("select 1")
        self.assertEqual(listener.notifies[0].payload, "rung")
        talker.cursor().execute("do $$ begin raise notice 'heard'; end $$")
        self.assertIn("heard", talker.notices[-1])

    def test_portals_with_row_limits(self):
        with wire.Wire(self.gateway.port) as client:
            client.sign_in()
            client.send(wire.parse("s", "select generate_series(1, 7)") + wire.bind("p", "s") +
                        wire.execute("p", 3) + wire.execute("p", 3) + wire.FLUSH)
            tags = b"".join(tag for tag, _ in client.until(b"s") + client.until(b"s"))
            self.assertEqual(tags, b"12" + b"DDDs" * 2)
            client.send(wire.execute("p", 3) + wire.SYNC)
            self.assertEqual(b"".join(tag for tag, _ in client.until(b"Z")), b"DCZ")
            # An error skips to the next Sync, on which the server answers for itself.
            client.send(wire.parse("", "select 1/(0*random())::int") + wire.bind("", "") + wire.execute("", 0) +
                        wire.execute("", 0) + wire.SYNC + wire.query("select 2"))
            self.assertEqual(b"".join(tag for tag, _ in client.until(b"Z")), b"12EZ")
            self.assertEqual(b"".join(tag for tag, _ in client.until(b"Z")), b"TDCZ")

    def test_client_that_sends_ahead_of_its_sign_in(self):
        with wire.Wire(self.gateway.port) as client:
            client.send(wire.startup() + wire.query("select 42"))
            client.until(b"Z")
            self.assertIn(b"42", client.until(b"Z")[1][1])

    def test_cancel(self):
        connection = self.connect(application_name="to_cancel")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(connection.cursor().execute, "select pg_sleep(600)")
            self.postgres.await_true("count(*) = 1 from pg_stat_activity where state = 'active' "
                                     "and application_name = 'to_cancel'")
            connection.cancel()
            with self.assertRaises(psycopg2.errors.QueryCanceled):
                waiting.result(60)
        connection.rollback()
        connection.cursor().execute("select 1")

    def test_copy_both_ways(self):
        connection = self.connect()
        cursor = connection.cursor()
        cursor.execute("create temp table c (id int, body text)")
        body = "x" * 1000
        data = "".join(f"{n}\t{body}\n" for n in range(10_000))
        self.assertGreater(len(data), 10_000_000)
        cursor.copy_expert("copy c from stdin", io.StringIO(data))
        cursor.execute("select count(*), sum(length(body)) from c")
        self.assertEqual(cursor.fetchone(), (10_000, 10_000_000))
        for form in ("", " with (format binary)"):
            out = io.BytesIO()
            cursor.copy_expert(f"copy c to stdout{form}", out)
            self.assertGreater(out.tell(), 10_000_000)
            cursor.execute("truncate c")
            out.seek(0)
            cursor.copy_expert(f"copy c from stdin{form}", out)
            cursor.execute("select count(*), sum(id), sum(length(body)) from c")
            self.assertEqual(cursor.fetchone(), (10_000, 49_995_000, 10_000_000))
        with self.assertRaises(psycopg2.errors.BadCopyFileFormat):
            cursor.copy_expert("copy c from stdin", io.StringIO("1\n" * 50_000))
        connection.rollback()

    def test_large_messages(self):
        connection = self.connect()
        cursor = connection.cursor()
        large = "é" * 25_000_000  # 50 MB
        cursor.execute("select %s, length(%s)", (large, "x" * 1000))
        self.assertTrue(cursor.fetchone()[0] == large)

    def test_client_that_vanishes_ends_its_backend(self):
        with wire.Wire(self.gateway.port) as client:
            client.sign_in(application_name="vanishes")
            client.send(wire.query("select repeat('x', 1000), generate_series(1, 1000000000)"))
            client.receive(100_000)
        self.postgres.await_true(
            "count(*) = 0 from pg_stat_activity where application_name = 'vanishes'")

    def test_idle_client_that_vanishes_ends_its_backend(self):
        with wire.Wire(self.gateway.port) as client:
            client.sign_in(application_name="leaves")
        self.postgres.await_true(
            "count(*) = 0 from pg_stat_activity where application_name = 'leaves'")

    def test_churn(self):
        def visit(number):
            connection = psycopg2.connect(self.gateway.conninfo())
            cursor = connection.cursor()
            cursor.execute("select %s", (number,))
            answer = cursor.fetchone()[0]
            connection.close()
            return answer

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertEqual(list(pool.map(visit, range(200))), list(range(200)))
        together = [self.connect() for _ in range(200)]
        for number, connection in enumerate(together):
            connection.cursor().execute("select %s", (number,))
        for connection in together:
            connection.close()
        self.postgres.await_true(clients_are(0))

    def test_many_threads_on_few_sessions(self):
        # Eight sessions, each used hard at the same time: nothing is mixed up between them.
        wrong = []

        def work(seed):
            connection = psycopg2.connect(self.gateway.conninfo())
            cursor = connection.cursor()
            for n in range(200):
                size = (seed * 7919 + n * 104729) % 50_000
                cursor.execute("select %s, repeat(%s, %s)", (f"{seed}/{n}", str(seed), size))
                if cursor.fetchone() != (f"{seed}/{n}", str(seed) * size):
                    wrong.append((seed, n))
            connection.close()

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_unix_socket_upstream(self):
        with Gateway(f"{self.postgres.folder}:{self.postgres.port}") as gateway:
            cursor = self.connect(gateway).cursor()
            cursor.execute("select inet_client_addr() is null, current_user")
            self.assertEqual(cursor.fetchone(), (True, "app"))

    def test_every_sign_in_of_the_server_passes(self):
        for user in ("app", "plain", "md5_user", "clear_user", "trust_user"):
            cursor = self.connect(user=user).cursor()
            cursor.execute("select current_user")
            self.assertEqual(cursor.fetchone()[0], user)
            if user == "trust_user":
                continue
            with self.assertRaises(psycopg2.OperationalError) as refused:
                psycopg2.connect(self.gateway.conninfo(user=user, password="wrong"))
            self.assertIn("password authentication failed", str(refused.exception))


class Operation(unittest.TestCase):
    """Stopping, killing, limits, configuration: each with a gateway of its own."""

    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres().__enter__()
        cls.upstream = f"127.0.0.1:{cls.postgres.port}"

    @classmethod
    def tearDownClass(cls):
        cls.postgres.__exit__()

    def test_kill_frees_the_server(self):
        with Gateway(self.upstream) as gateway:
            connections = [psycopg2.connect(gateway.conninfo()) for _ in range(10)]
            connections[0].cursor().execute("begin; create table killed ()")
            self.postgres.await_true(clients_are(10))
            gateway.kill()
            self.postgres.await_true(clients_are(0))
            with self.assertRaises(psycopg2.OperationalError):
                connections[1].cursor().execute("select 1")
        self.assertEqual(self.postgres.admin("select to_regclass('killed') is null"), "t")

    def test_stop_ends_idle_sessions_and_lets_work_finish(self):
        with Gateway(self.upstream, "--stop-timeout", 60) as gateway:
            idle = wire.Wire(gateway.port)
            self.addCleanup(idle.socket.close)
            idle.sign_in()
            busy = psycopg2.connect(gateway.conninfo())
            cursor = busy.cursor()
            cursor.execute("create temp table work (n int)")  # opens a transaction
            gateway.stop()
            self.assertEqual(wire.sqlstate_in(idle.rest()), "57P01")
            with self.assertRaises(psycopg2.OperationalError):
                psycopg2.connect(gateway.conninfo())
            cursor.execute("insert into work select generate_series(1, 1000)")
            busy.commit()
            code, log = gateway.wait()
            self.assertEqual(code, 0, log)

    def test_stop_timeout_ends_work(self):
        with Gateway(self.upstream, "--stop-timeout", 0) as gateway:
            busy = psycopg2.connect(gateway.conninfo())
            busy.cursor().execute("create temp table work (n int)")
            gateway.stop(signal.SIGINT)
            self.assertEqual(gateway.wait()[0], 0)
        self.postgres.await_true(clients_are(0))

    def test_too_many_sessions(self):
        with Gateway(self.upstream, "--sessions-max", 2) as gateway:
            kept = [psycopg2.connect(gateway.conninfo()) for _ in range(2)]
            with wire.Wire(gateway.port) as third:
                third.send(wire.startup())
                self.assertEqual(wire.sqlstate_in(third.rest()), "53300")
            kept[0].close()
            self.postgres.await_true(clients_are(1))
            psycopg2.connect(gateway.conninfo()).close()
            self.assertEqual(gateway.metrics()['theriac_gateway_errors_total{code="Busy"}'], 1)

    def test_server_restarts(self):
        with Postgres() as postgres, Gateway(f"127.0.0.1:{postgres.port}") as gateway:
            connection = psycopg2.connect(gateway.conninfo())
            connection.cursor().execute("select 1")
            postgres.stop()
            with self.assertRaises((psycopg2.errors.AdminShutdown, psycopg2.OperationalError)):
                connection.cursor().execute("select 1")
            with wire.Wire(gateway.port) as client:
                client.send(wire.startup())
                self.assertEqual(wire.sqlstate_in(client.rest()), "08001")
            postgres.start()
            cursor = psycopg2.connect(gateway.conninfo()).cursor()
            cursor.execute("select 'back'")
            self.assertEqual(cursor.fetchone()[0], "back")

    def test_idle_timeout(self):
        with Gateway(self.upstream, "--idle-timeout", 1) as gateway, \
                wire.Wire(gateway.port) as client:
            client.sign_in()
            self.assertEqual(wire.sqlstate_in(client.rest()), "57P05")

    def test_metrics_count(self):
        with Gateway(self.upstream) as gateway:
            connection = psycopg2.connect(gateway.conninfo())
            connection.cursor().execute("select 1")
            counted = gateway.metrics()
            self.assertEqual(counted["theriac_gateway_sessions"], 1)
            self.assertGreater(counted['theriac_gateway_messages_total{from="client"}'], 1)
            self.assertGreater(counted['theriac_gateway_messages_total{from="server"}'], 10)
            connection.close()
            self.postgres.await_true(clients_are(0))
            with wire.Wire(gateway.metrics_port) as other:
                other.send(b"GET / HTTP/1.1\r\n\r\n")
                self.assertIn(b"404", other.rest())

    def run_gateway(self, *flags):
        return subprocess.run([str(GATEWAY), *flags], capture_output=True, text=True, check=False,
                              timeout=60)

    def test_configuration(self):
        good = ["--listen", "127.0.0.1:0", "--upstream", self.upstream]
        self.assertEqual(self.run_gateway("--check-config", *good).returncode, 0)
        done = self.run_gateway("--check-config", "--json", *good)
        self.assertIn('"mode":"passthrough"', done.stdout)
        self.assertEqual(self.run_gateway("--help").returncode, 0)
        for bad in (["--nonsense"], ["--listen", "x"], ["--upstream", self.upstream],
                    [*good, "--mode", "guess"], [*good, "--tls-cert", "a"],
                    [*good, "--threads", "0"], ["--config", "/nonexistent.yaml"]):
            done = self.run_gateway(*bad)
            self.assertEqual(done.returncode, 2, bad)
            self.assertTrue(done.stderr or done.stdout, bad)
        for failing in ([*good, "--tls-cert", "/none.crt", "--tls-key", "/none.key"],
                        ["--listen", "192.0.2.1:1", "--upstream", self.upstream]):
            done = self.run_gateway(*failing)
            self.assertEqual(done.returncode, 1, failing)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1)

    def test_flags_win_over_the_file(self):
        path = self.postgres.folder / "gateway.yaml"
        path.write_text(f"listen: 127.0.0.1:0\nupstream: {self.upstream}\nthreads: 3\n")
        done = self.run_gateway("--config", str(path), "--threads", "2", "--check-config", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"threads":2', done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
