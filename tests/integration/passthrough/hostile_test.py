#!/usr/bin/python3
"""What no decent client sends: each gets a typed error or a closed connection, and the gateway
keeps serving everybody else."""
import os
import random
import struct
import unittest

import wire
from servers import Gateway, Postgres, clients_are

SEED = 20261121


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres().__enter__()
        cls.gateway = Gateway(f"127.0.0.1:{cls.postgres.port}", "--sign-in-timeout", 2)

    @classmethod
    def tearDownClass(cls):
        cls.gateway.kill()
        cls.postgres.__exit__()

    def setUp(self):
        self.addCleanup(self.check_service)  # last: after the test's own connections are closed

    def check_service(self):
        # Somebody else is served, no session is left over, nothing failed inside.
        with wire.Wire(self.gateway.port) as client:
            client.sign_in()
            client.send(wire.query("select 'served'"))
            self.assertIn(b"served", client.until(b"Z")[1][1])
        self.postgres.await_true(clients_are(0, "trust_user"))
        self.assertIsNone(self.gateway.process.poll())
        self.assertEqual(self.gateway.metrics()['theriac_gateway_errors_total{code="Internal"}'], 0)

    def answer(self, data, state):
        with wire.Wire(self.gateway.port) as client:
            client.send(data)
            self.assertEqual(wire.sqlstate_in(client.rest()), state)

    def session(self):
        client = wire.Wire(self.gateway.port)
        self.addCleanup(client.socket.close)
        client.sign_in()
        return client

    def test_first_packets(self):
        self.answer(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "54000")
        self.answer(struct.pack("!ii", 4, 0), "08P01")
        self.answer(struct.pack("!i", 0), "08P01")
        self.answer(struct.pack("!i", -1), "54000")
        self.answer(struct.pack("!i", 10_005), "54000")
        self.answer(struct.pack("!ii", 8, 99), "08P01")
        self.answer(b"\x16\x03\x01\x02\x00\x01", "08P01")
        self.answer(wire.startup()[:-1] + b"x", "08P01")  # not terminated
        self.answer(struct.pack("!ii", 9, 196608) + b"u", "08P01")

    def test_requests_answered_then_refused_when_doubled(self):
        for request in (wire.SSL_REQUEST, wire.GSS_REQUEST):
            with wire.Wire(self.gateway.port) as client:
                client.send(request)
                self.assertEqual(client.receive(1), b"N")
                client.send(request)
                self.assertEqual(wire.sqlstate_in(client.rest()), "08P01")
        with wire.Wire(self.gateway.port) as client:
            client.send(wire.GSS_REQUEST)
            self.assertEqual(client.receive(1), b"N")
            client.send(wire.SSL_REQUEST)
            self.assertEqual(client.receive(1), b"N")
            client.sign_in()

    def test_truncated_packets(self):
        packet = wire.startup()
        for size in range(len(packet)):
            with wire.Wire(self.gateway.port) as client:
                client.send(packet[:size])
                client.socket.shutdown(1)
                self.assertEqual(client.rest(), b"")

    def test_slow_sign_in_is_ended(self):
        with wire.Wire(self.gateway.port) as silent, wire.Wire(self.gateway.port) as half, \
                wire.Wire(self.gateway.port) as unanswered:
            half.send(wire.startup()[:7])
            unanswered.send(wire.startup(user="app"))
            self.assertEqual(unanswered.next()[0], b"R")
            self.assertEqual(silent.rest(), b"")
            self.assertEqual(half.rest(), b"")
            self.assertEqual(wire.sqlstate_in(unanswered.rest()), "57014")

    def test_cancel_with_a_wrong_key_harms_nobody(self):
        with wire.Wire(self.gateway.port) as client:
            client.send(struct.pack("!iiii", 16, 80877102, 4711, 42))
            self.assertEqual(client.rest(), b"")

    def test_broken_lengths_in_a_session(self):
        for length in (0, 3, -1, 0x7FFFFFFF, 0x40000005):
            client = self.session()
            client.send(b"Q" + struct.pack("!i", length) + b"select 1\0")
            self.assertEqual(wire.sqlstate_in(client.rest()), "08P01", length)

    def test_broken_bodies_are_the_servers_business(self):
        for bad in (wire.message(b"Q", b"select 1"), wire.message(b"P", b"x"),
                    wire.message(b"B", b"\xff" * 10), wire.message(b"y", b""),
                    wire.message(b"E", b"")):
            client = self.session()
            client.send(bad + wire.SYNC)
            tag, body = client.next()
            self.assertEqual(tag, b"E")
            self.assertIn(wire.sqlstate(body), ("08P01", "22021"))

    def test_large_message_announced_and_never_sent(self):
        client = self.session()
        client.send(b"Q" + struct.pack("!i", 0x3FFFFFFF) + b"select")
        client.socket.close()

    def test_client_that_ignores_errors(self):
        client = self.session()
        for _ in range(2000):
            client.send(wire.query("this is no sql"))
        client.send(wire.query("select 'still here'"))
        states = [m for m in client.until(b"T") if m[0] == b"E"]
        self.assertEqual(len(states), 2000)

    def test_messages_one_byte_at_a_time(self):
        client = wire.Wire(self.gateway.port)
        self.addCleanup(client.socket.close)
        for byte in wire.startup() + wire.query("select 'slowly'"):
            client.send(bytes([byte]))
        client.until(b"Z")
        self.assertIn(b"slowly", client.until(b"Z")[1][1])

    def test_random_bytes(self):
        numbers = random.Random(SEED)
        for _ in range(150):
            with wire.Wire(self.gateway.port) as client:
                client.send(numbers.randbytes(numbers.randrange(1, 400)))
                client.socket.shutdown(1)
                client.rest()

    def test_random_bytes_in_a_session(self):
        numbers = random.Random(SEED)
        tags = b"QPBEDCSHXdcfFp"
        for _ in range(60):
            with wire.Wire(self.gateway.port) as client:
                client.sign_in()
                try:
                    for _ in range(numbers.randrange(1, 20)):
                        body = numbers.randbytes(numbers.randrange(0, 60))
                        client.send(wire.message(bytes([numbers.choice(tags)]), body))
                    client.send(numbers.randbytes(50))
                    client.socket.shutdown(1)
                except OSError:
                    pass  # the server had enough
                client.rest()


class Descriptors(unittest.TestCase):
    def test_running_out_of_descriptors(self):
        import resource
        with Postgres() as postgres, Gateway(f"127.0.0.1:{postgres.port}") as gateway:
            used = len(os.listdir(f"/proc/{gateway.process.pid}/fd"))
            resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (used + 8, used + 8))
            waiting = []
            for _ in range(20):
                client = wire.Wire(gateway.port)
                client.send(wire.startup())
                waiting.append(client)
            for client in waiting:
                client.socket.close()
            # Room again: the gateway finds it by itself, once those before are gone.
            for _ in range(100):
                with wire.Wire(gateway.port) as client:
                    try:
                        client.sign_in()
                        return
                    except (EOFError, ConnectionError):
                        postgres.admin("select pg_sleep(0.1)")
            self.fail("nobody is served any more")


if __name__ == "__main__":
    unittest.main(verbosity=2)
