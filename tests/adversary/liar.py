"""A server that lies: between gateway and PostgreSQL, follows the messages of the server and changes some of
them; records what the gateway sends."""
import socket
import struct
import threading

import wire


def row(*values):
    """A DataRow."""
    body = struct.pack("!h", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return wire.message(b"D", body)


def columns_of(body):
    out, at = [], 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        size = struct.unpack("!i", body[at:at + 4])[0]
        out.append(None if size < 0 else body[at + 4:at + 4 + size])
        at += 4 + max(size, 0)
    return out


def fields_of(body):
    """[(name, rest of 18 bytes)]"""
    out, at = [], 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        end = body.index(b"\0", at)
        out.append((body[at:end], body[end + 1:end + 19]))
        at = end + 19
    return out


def description(fields):
    return wire.message(b"T", struct.pack("!h", len(fields)) + b"".join(n + b"\0" + rest for n, rest in fields))


def status(name, value):
    return wire.message(b"S", name.encode() + b"\0" + value.encode() + b"\0")


class Liar:
    """`lie(tag, body, memory)` gives the bytes to send instead, or None for the truth. It is asked for each
    message of the server once `armed`; `at_start(tag, body)` for those before the first ReadyForQuery."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.lie = self.at_start = None
        self.armed = False
        self.told = 0
        self.heard = bytearray()
        self.memory = {}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.upstream))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    @staticmethod
    def _end(*sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _up(self, client, server):
        try:
            while data := client.recv(65536):
                self.heard += data
                server.sendall(data)
        except OSError:
            pass
        self._end(server, client)

    def _down(self, server, client):
        buffer, ready = b"", False
        try:
            while data := server.recv(65536):
                buffer += data
                while len(buffer) >= 5:
                    size = struct.unpack("!i", buffer[1:5])[0] + 1
                    if len(buffer) < size:
                        break
                    tag, body, raw = buffer[:1], buffer[5:size], buffer[:size]
                    buffer = buffer[size:]
                    told = None
                    if not ready:
                        told = self.at_start(tag, body) if self.at_start else None
                        ready = tag == b"Z"
                    elif self.armed and self.lie:
                        told = self.lie(tag, body, self.memory)
                    if told is not None:
                        self.told += 1
                    client.sendall(raw if told is None else told)
        except OSError:
            pass
        self._end(server, client)
