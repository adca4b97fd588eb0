"""The lease protocol's client side, from docs/design/lease-protocol.md alone."""
import json
import secrets
import socket
import ssl
import struct


class Refused(Exception):
    def __init__(self, name, where):
        super().__init__(f"{name} ({where})")
        self.name = name
        self.where = where


class Closed(Exception):
    """The service ended the connection or refused the certificate in the handshake."""


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Client:
    def __init__(self, directory, port, ca=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.load_verify_locations(ca or f"{directory}/ca.pem")
        if directory:
            context.load_cert_chain(f"{directory}/cert.pem", f"{directory}/key.pem")
        try:
            raw = socket.create_connection(("127.0.0.1", port), timeout=20)
            self.socket = context.wrap_socket(raw)
        except (ssl.SSLError, ConnectionError) as error:
            raise Closed(str(error)) from error

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def _read(self, size):
        data = b""
        while len(data) < size:
            try:
                piece = self.socket.recv(size - len(data))
            except (ssl.SSLError, ConnectionError) as error:
                raise Closed(str(error)) from error
            if not piece:
                raise Closed("end of stream")
            data += piece
        return data

    def _frame(self):
        return self._read(struct.unpack(">I", self._read(4))[0])

    def send(self, payload):
        try:
            self.socket.sendall(struct.pack(">I", len(payload)) + payload)
        except (ssl.SSLError, ConnectionError) as error:
            raise Closed(str(error)) from error

    def exchange(self, payload):
        self.send(payload)
        reply = json.loads(self._frame())
        if not reply["ok"]:
            raise Refused(reply["error"], reply["where"])
        if reply.get("secret_bytes", 0) > 0:
            secret = self._frame()
            assert len(secret) == reply["secret_bytes"] == 32 * len(reply["keys"])
            for number, key in enumerate(reply["keys"]):
                key["material"] = secret[32 * number : 32 * number + 32]
        return reply

    def ask(self, op, **fields):
        return self.exchange(canonical({"v": 1, "op": op, **fields}))


def lease_request(classes, token=None, tenant="demo"):
    fields = {
        "v": 1,
        "op": "renew" if token else "lease",
        "boot": secrets.token_hex(16),
        "nonce": secrets.token_hex(16),
        "tenant": tenant,
        "classes": classes,
    }
    if token:
        fields["token"] = token
    return canonical(fields)
