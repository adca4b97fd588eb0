"""One session to the plain database and one through the gateway, which must answer alike."""
import struct
import unittest

import wire


def query(sql, encoding):
    return wire.message(b"Q", (sql if isinstance(sql, bytes) else sql.encode(encoding)) + b"\0")


def parse(name, sql, encoding="utf-8", types=()):
    return wire.message(b"P", name.encode(encoding) + b"\0" + sql.encode(encoding) + b"\0" +
                        struct.pack(f"!h{len(types)}I", len(types), *types))


def bind(name, values, encoding="utf-8", formats=(), results=()):
    """Values are None, bytes, or texts of the encoding."""
    body = b"\0" + name.encode(encoding) + b"\0" + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(values))
    for value in values:
        raw = value.encode(encoding) if isinstance(value, str) else value
        body += struct.pack("!i", -1) if raw is None else struct.pack("!i", len(raw)) + raw
    return wire.message(b"B", body + struct.pack(f"!h{len(results)}h", len(results), *results))


def describe(kind, name, encoding="utf-8"):
    return wire.message(b"D", kind.encode() + name.encode(encoding) + b"\0")


EXECUTE = wire.execute("", 0)


def fields(body):
    """RowDescription without what names the table: object ids and numbers differ."""
    count = struct.unpack("!h", body[:2])[0]
    at, out = 2, []
    for _ in range(count):
        end = body.index(b"\0", at)
        rest = struct.unpack("!IhIhih", body[end + 1:end + 19])
        out.append((body[at:end], rest[2:]))
        at = end + 19
    return out


def told(tag, body):
    if tag == b"T":
        return tag, fields(body)
    if tag in (b"E", b"N"):
        parts = {part[:1]: part[1:] for part in body.split(b"\0") if part}
        return tag, parts.get(b"C")
    return tag, body


class Twin:
    """Sends the same bytes to both; `same` compares what they answer."""

    def __init__(self, stage, role="erp_app", **startup):
        self.ends = {}
        self.greetings = {}
        for which, port in (("plain", stage.cluster.port), ("sealed", stage.gateway)):
            self.ends[which] = wire.Wire(port)
            self.greetings[which] = self.ends[which].sign_in(user=role, database=which, **startup)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in self.ends.values():
            end.socket.close()

    def ask(self, data, ready=1):
        """What each answers until it is ready for the `ready`th time."""
        answers = {}
        for which, end in self.ends.items():
            end.send(data)
        for which, end in self.ends.items():
            got = []
            for _ in range(ready):
                got += end.until(b"Z")
            got = [told(tag, body) for tag, body in got]
            # Of a simple INSERT ... RETURNING that fails PostgreSQL does not tell the columns.
            answers[which] = [one for one, after in zip(got, got[1:] + [(None, None)])
                              if one[0] != b"T" or after[0] != b"E"]
        return answers["plain"], answers["sealed"]


class TwinCase(unittest.TestCase):
    """`stage` is set by those who inherit it."""

    def same(self, both, data, ready=1):
        plain, sealed = both.ask(data, ready)
        self.assertEqual(plain, sealed)
        return sealed

    def rows_of(self, answers):
        return [body for tag, body in answers if tag == b"D"]

    def hidden(self, *secrets):
        for secret in secrets:
            self.assertNotIn(secret, bytes(self.stage.tap.to_server))
