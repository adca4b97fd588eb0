"""The PostgreSQL protocol by hand: for messages that no library would send."""
import socket
import ssl
import struct


def message(tag, body=b""):
    return tag + struct.pack("!i", len(body) + 4) + body


def startup(user="trust_user", database="postgres", protocol=196608, **more):
    words = {"user": user, "database": database, **more}
    body = struct.pack("!i", protocol)
    for name, value in words.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def parse(name, sql):
    return message(b"P", name.encode() + b"\0" + sql.encode() + b"\0" + struct.pack("!h", 0))


def bind(portal, name):
    return message(b"B", portal.encode() + b"\0" + name.encode() + b"\0" + struct.pack("!hhh", 0, 0, 0))


def execute(portal, rows):
    return message(b"E", portal.encode() + b"\0" + struct.pack("!i", rows))


SYNC = message(b"S")
FLUSH = message(b"H")


class Wire:
    def __init__(self, port, context=None, alpn=False):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.buffer = b""
        if context is not None:
            if not alpn:
                self.send(SSL_REQUEST)
                assert self.socket.recv(1) == b"S"
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, count):
        while len(self.buffer) < count:
            got = self.socket.recv(65536)
            if not got:
                raise EOFError
            self.buffer += got
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def next(self):
        """(tag, body) of the next message."""
        head = self.receive(5)
        return head[:1], self.receive(struct.unpack("!i", head[1:])[0] - 4)

    def until(self, tag):
        """All messages up to the first with this tag."""
        messages = []
        while not messages or messages[-1][0] != tag:
            messages.append(self.next())
        return messages

    def rest(self):
        """Everything until the other side closes, or resets."""
        try:
            while True:
                got = self.socket.recv(65536)
                if not got:
                    break
                self.buffer += got
        except (ConnectionResetError, ssl.SSLError):
            pass
        taken, self.buffer = self.buffer, b""
        return taken

    def sign_in(self, **more):
        self.send(startup(**more))
        return self.until(b"Z")


def sqlstate(body):
    """Of an ErrorResponse's body."""
    for field in body.split(b"\0"):
        if field[:1] == b"C":
            return field[1:].decode()
    return None


def sqlstate_in(data):
    """Of the one message that `data` is."""
    assert data[:1] == b"E", data
    return sqlstate(data[5:])
