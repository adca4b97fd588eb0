"""Values of floats, documents, addresses, times, intervals and arrays, for generate.py's callers."""
import re
import struct

from generate import integers, moments, mutate, numerics, one_time, texts


def floats(rng, count):
    made = """0 -0 1 -1 1.5 1e23 9e22 1e15 1e14 123456789012345 1234567890123456 999999 1000000 1e6 0.0001
        0.00001 1.1 3.4028235e38 3.4028236e38 1e39 1.7976931348623157e308 1.8e308 5e-324 2e-324 1e-45 7e-46
        1e-46 2.2250738585072014e-308 NaN nan -nan inf -Infinity +inf infinit 0x10 0x1p-3 1e 1e5.5 .5 5. . ++1
        1_0 16777217 16777216 9007199254740993 9007199254740992 4503599627370497.5 32767.5 32768.5 0.5 1.5 2.5
        2147483647.5 9223372036854775807 9223372036854774784 -9223372036854775808 1e-400 8.41e21 2.0919495182368195e+19
        1.0e-7 36893488147419103232 5e-45 1.17549435e-38 33554432 8388609.5""".split()
    made += ["", " ", " 1 ", "1 2", "\t2\n"]
    while len(made) < count:
        mode = rng.randrange(4)
        if mode == 0:
            made.append(repr(struct.unpack(">d", rng.randbytes(8))[0]))
        elif mode == 1:
            made.append("%.9g" % struct.unpack(">f", rng.randbytes(4))[0])
        elif mode == 2:
            made.append(mutate(rng, f"{rng.uniform(-1, 1) * 10 ** rng.randrange(-8, 20):.{rng.randrange(1, 18)}g}"))
        else:
            made.append(f"{rng.randrange(1, 10 ** rng.randrange(1, 6))}e{rng.randrange(-30, 30)}")
    return [text.encode() for text in made]


def binary_floats(rng, size, count):
    made = [b"", b"\0" * (size - 1), b"\0" * (size + 1), b"\x80" + b"\0" * (size - 1)]
    while len(made) < count:
        bits = rng.getrandbits(8 * size)
        if rng.random() < 0.3:  # a power of two, or next to one: neighbours at unequal distances
            fraction = 52 if size == 8 else 23
            bits = (rng.randrange(1 << (8 * size - fraction)) << fraction) + rng.choice([0, 0, 1, 2])
        made.append((bits % (1 << 8 * size)).to_bytes(size, "big"))
        if rng.random() < 0.3:
            number = float(rng.randrange(-10 ** 6, 10 ** 6)) * 2.0 ** rng.randrange(-10, 60)
            made.append(struct.pack(">d" if size == 8 else ">f", number))
    return made


def bools(rng):
    return [w.encode() for w in """t f true false TRUE False y n yes no on off of o 1 0 tr tru truee fa ye 2 -1
        yess T F ON OF Off N nO""".split() + ["", " t ", "\tfalse\n", " ", "t f"]] * 2


def uuids(rng, count):
    made = [b"", b"{}", b"-"]
    while len(made) < count:
        digits = rng.randbytes(16).hex()
        if rng.random() < 0.2:
            digits = digits.upper()
        shape = rng.randrange(5)
        if shape < 2:
            digits = "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
        elif shape == 2:
            digits = "-".join(digits[i:i + 4] for i in range(0, 32, 4))
        elif shape == 3:
            digits = "{" + digits + "}"
        made.append(mutate(rng, digits).encode())
    return made


def byteas(rng, count):
    made = [rb"\x", rb"\x0", rb"\x00ff", rb"\x 00 ff ", rb"\x0 0", rb"\X00", rb"\\", rb"\000", rb"\377", rb"\400", rb"\08",
            rb"\1", b"\\", b"abc", b"", "é".encode(), b"a\\\\b\\001", rb"\xgg", b"\\x00\n01"]
    while len(made) < count:
        raw = rng.randbytes(rng.randrange(12))
        if rng.random() < 0.5:
            made.append(mutate(rng, "\\x" + raw.hex()).encode())
        else:
            made.append(mutate(rng, "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\{b:03o}" for b in raw))
                        .encode())
    return made


def one_json(rng, depth=0):
    kind = rng.randrange(8 if depth < 4 else 5)
    space = rng.choice(["", "", "", " ", "\n", "\t "])
    if kind == 0:
        return rng.choice(["true", "false", "null"]) + space
    if kind <= 2:
        return space + rng.choice(["0", "-0", "1", "1.0", "1.50", "-3.25e2", "1e5", "1E-3", "12345678901234567890", "0.1e1",
                                   "100e-2", str(rng.randrange(1000))])
    if kind <= 4:
        return '"' + "".join(rng.choice(["a", "b", "é", "中", "\\n", "\\u0041", "\\u00e9", "\\ud83d\\ude00", "\\/", "\\\"",
                                         "\\u001f", "\\t", " ", "\x7f"])
                             for _ in range(rng.randrange(5))) + '"' + space
    if kind == 5:
        return "[" + space + ",".join(one_json(rng, depth + 1) for _ in range(rng.randrange(4))) + "]"
    keys = ["a", "b", "aa", "ab", "é", "", "A", "\\u0061"]
    return "{" + space + ",".join(f'"{rng.choice(keys)}"{space}:{one_json(rng, depth + 1)}'
                                  for _ in range(rng.randrange(5))) + "}" + space


def jsons(rng, count):
    odd = """{ [ } ] "a nul truee -  .5 01 1. 1e 1e+ +1 {"a"} {"a":} {"a":1,} [1,] [,1] {1:2} "\\x" "\\u12" "\\u0000"
        "\\ud800" "\\udc00" "\\ud800\\u0041" NaN Infinity 1e400 1e200000 1e-20000 -0.0 'a' [1 "a"b {"a":1}{""" \
        .split() + ["", " ", "1 2", '"\t"', '"\x01"', " [1, 2] ", "// a", "\x0b1", '"\\u00"']
    made = [(text.encode(), True) for text in odd]
    while len(made) < count:
        made.append((mutate(rng, one_json(rng)).encode(), True))
    return made


def near_jsons():
    return [text.encode() for text in """1 1.0 1.00 10e-1 "1" "a" "A" "\\u0061" null true [1,2] [1.0,2] [2,1] [[1],2]
        {"a":1,"b":2} {"b":2,"a":1} {"a":0,"a":1,"b":2.0} {"a":1} {} [] [[]] "" {"":""} -0 0 0.0""".split()]


def one_address(rng):
    """An address, and whether network.hpp says that its form is read."""
    part = lambda: rng.choice([0, 0, 1, 10, 127, 192, 255, rng.randrange(256)])
    if rng.random() < 0.5:
        text = ".".join(str(part()) for _ in range(4))
        plain = True
        if rng.random() < 0.1:
            text, plain = rng.choice([("10", 0), ("10.1", 0), ("10.1.2", 0), ("010.1.1.1", 1), ("1.2.3.4.5", 1), ("256.1.1.1", 1),
                                      ("1..2.3", 1), ("0x0a010203", 0), ("1.2.3.0004", 0)])
        bits = 32
    else:
        words = [rng.choice([0, 0, 0, 1, 0xffff, 0xdb8, rng.randrange(65536)]) for _ in range(8)]
        if rng.random() < 0.3:
            words[:5] = [0] * 5
        text = ":".join(rng.choice(["%x", "%04x", "%X"]) % w for w in words)
        shape = rng.randrange(5)
        if shape == 0:
            text = ":".join("%x" % w for w in words[:rng.randrange(4)]) + "::" + ":".join(
                "%x" % w for w in words[:rng.randrange(4)])
        elif shape == 1:
            text = ":".join("%x" % w for w in words[:6]) + ":" + ".".join(str(part()) for _ in range(4))
        elif shape == 2:
            text = "::" + rng.choice(["", "ffff:"]) + ".".join(str(part()) for _ in range(4))
        plain, bits = True, 128
    if rng.random() < 0.5:
        text += "/" + str(rng.choice([0, 8, 16, 24, 31, 32, bits, bits, bits + 1, rng.randrange(bits)]))
    return text, plain


def addresses(rng, count):
    odd = """::|::1|::/0|0.0.0.0/0|10.0.0.0/8|1.2.3.4/|1.2.3.4/032|1.2.3.4/1x|1.2.3.4/33|:::|1:2|1::2::3|:1::|1:|::ffff:1.2.3.4|
        ::1.2.3.4|::1.2.3.4/96|2001:db8::/32|2001:DB8::1/64|fe80::1%eth0|12345::|::01.2.3.4|/8|1.2.3.4 |  1.2.3.4|-1.2.3.4|
        0:0:0:0:0:0:0:0|1:0:0:2:0:0:0:3|1:0:0:0:2:0:0:3|::2:3:4:5:6:7:8|1:2:3:4:5:6:7::|224.0.0.0|240.0.0.0|::ffff:0:0|::2""".split("|")
    made = [(text.strip("\n"), not text.endswith(" ")) for text in odd] + [("", True)]
    while len(made) < count:
        text, plain = one_address(rng)
        damaged = mutate(rng, text)
        made.append((damaged, plain and damaged == text))
    return [(text.encode(), plain) for text, plain in made]


def near_addresses():
    return [text.encode() for text in """10.0.0.1 10.0.0.1/32 10.0.0.1/24 10.0.0.0/24 10.0.0.0 10.0.0.0/8 ::1 ::1/128 0::1 ::1/64
        ::/64 ::ffff:10.0.0.1 ::10.0.0.1 0.0.0.0/0 ::/0""".split()]


def binary_addresses(rng, count):
    made = [b"", b"\2\x20\0"]
    while len(made) < count:
        family = rng.choice([2, 2, 3, 3, 3, 1])
        size = {2: 4, 3: 16}.get(family, 4)
        raw = bytes(rng.choice([0, 0, 255, rng.randrange(256)]) for _ in range(size + rng.choice([0] * 20 + [1, -1])))
        bits = rng.choice([8 * size, 8 * size, 0, 8, 24, rng.randrange(140)])
        if rng.random() < 0.5:
            kept = (int.from_bytes(raw, "big") >> max(0, 8 * len(raw) - bits)) << max(0, 8 * len(raw) - bits)
            raw = kept.to_bytes(len(raw), "big")
        made.append(bytes([family, bits, rng.choice([0, 1, 2]), size]) + raw)
    return made


def times(rng, count):
    made = [(text, False) for text in ["", "allballs", "now", "10", "1030", "10:30 UTC", "10:30 Asia/Shanghai", "T10:30", "10:3",
                                       "2026-11-21 10:30", "10:30:00 EST", "10:30:00+", "10:30:00.1.2", "10.30"]]
    made += [(text, True) for text in ["24:00", "24:00:00", "24:00:01", "23:59:60", "00:00:60", "10:30:61", "25:00", "103000",
                                       "10:30+08", "10:30:00-05:30", "103000.5", "0:00", "12:00 AM", "12:00 pm", "13:00 PM"]]
    while len(made) < count:
        text, plain = one_time(rng)
        regular = re.fullmatch(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[aApP][mM])?|\d{6}(\.\d+)?", text)
        damaged = mutate(rng, text)
        made.append((damaged, bool(regular) and damaged == text))
    return [(text.encode(), plain) for text, plain in made]


UNITS = """us usec microsecond microseconds ms msec millisecond milliseconds s sec secs second seconds m min mins minute minutes
    h hr hrs hour hours d day days w week weeks mon mons month months y yr yrs year years decade decades century centuries
    millennium millennia""".split()


def one_interval(rng):
    """An interval, and whether interval.hpp says that its form is read."""
    number = lambda: rng.choice(["", "", "-", "+"]) + str(rng.choice([0, 1, 2, 3, 12, 40, rng.randrange(10 ** rng.randrange(1, 7))]))
    part = lambda: rng.choice(["", "", "", ".5", ".25", ".000001", ".0000005", ".9999999", f".{rng.randrange(1000)}"])
    clock = lambda: (rng.choice(["", "", "-", "+"]) + f"{rng.choice([0, 1, 4, 23, 100, 20000]):02}:{rng.choice([0, 5, 59, 60]):02}" +
                     rng.choice(["", f":{rng.choice([0, 6, 59, 60]):02}{part()}"]))
    mode = rng.randrange(7)
    if mode < 3:
        units = rng.sample(["year", "mon", "week", "day", "hour", "min", "sec", "ms"], rng.randrange(1, 5))
        if rng.random() < 0.5:
            units = rng.sample(UNITS, rng.randrange(1, 4))
        text = " ".join(f"{number()}{part()}{rng.choice([' ', ' ', ''])}{unit}" for unit in units)
        if rng.random() < 0.3:
            text += " " + clock()
        if rng.random() < 0.15:
            text = "@ " + text
        if rng.random() < 0.2:
            text += " ago"
        return text, True
    if mode == 3:
        return rng.choice([clock(), f"{number()} {clock()}", number() + part(), f"{number()}-{rng.randrange(13)}",
                           f"{number()}-{rng.randrange(12)} {number()} {clock()}", f"{number()}-{rng.randrange(12)} {clock()}"]), True
    if mode == 4:
        date = "".join(f"{number()}{part()}{unit}" for unit in "YMWD" if rng.random() < 0.4)
        time = "".join(f"{number()}{part()}{unit}" for unit in "HMS" if rng.random() < 0.5)
        return "P" + date + ("T" + time if time else ""), True
    if mode == 5:
        return " ".join(rng.choice([number(), clock(), rng.choice(UNITS), "ago", "@", "1-2", "P1D", "T", "-", "1.5", "day"])
                        for _ in range(rng.randrange(1, 5))), False
    return rng.choice(["P0001-02-03T04:05:06", "P1Y2M10DT2H30M", "infinity", "", "1", "-1-2", "1 2", "1:2.5", "1 day 2 days", "P", "PT",
                       "P1D2Y", "PT1M2H", "1e3 sec", "2147483647 years", "178956970 years 7 mons", "178956970 years 8 mons",
                       "2562047788:00:54.775807", "2562047788:00:54.775808", "-2562047788:00:54.775808", "2147483648 days",
                       "2147483647 days 1 week", "9223372036854775807 us", "9223372036854775808 us", "1 quarter", "1 qtr"]), False


def intervals(rng, count):
    made = []
    while len(made) < count:
        text, plain = one_interval(rng)
        damaged = mutate(rng, text)
        made.append((damaged.encode(), plain and damaged == text))
    return made


def near_intervals(rng):
    return [text.encode() for text in """1 mon|30 days|720:00|1 day|24:00|24 hours|23:59:59.999999|1 year|12 mons|360 days|365 days|0|
        00:00|-1 day|1 mon -30 days|1 day -24:00|1 us|00:00:00.000001|2147483647 days|-1 mon|-30 days""".replace("\n        ", "")
            .split("|")]


def binary_intervals(rng, count):
    made = [b"", b"\0" * 15, b"\0" * 17, struct.pack(">qii", -2 ** 63, 0, 0), struct.pack(">qii", 2 ** 63 - 1, -2 ** 31, 2 ** 31 - 1)]
    while len(made) < count:
        pick = lambda bits: rng.choice([0, 1, -1, rng.randrange(-2 ** rng.randrange(1, bits), 2 ** rng.randrange(1, bits))])
        made.append(struct.pack(">qii", pick(62), pick(31), pick(31)))
    return made


def elements(rng, element):
    if element in ("text", "varchar", "citext"):
        return [t for t in texts(rng, 60) if b"\xff" not in t]
    plain = lambda pairs: [v for v, must in pairs if must]
    return {"int4": lambda: integers(rng, 40), "bool": lambda: bools(rng), "numeric": lambda: [n for n in numerics(rng, 150) if len(n) < 40],
            "float8": lambda: floats(rng, 60), "timestamptz": lambda: plain(moments(rng, 200)),
            "interval": lambda: plain(intervals(rng, 60)), "bytea": lambda: byteas(rng, 40),
            "jsonb": lambda: plain(jsons(rng, 100)), "inet": lambda: plain(addresses(rng, 60)),
            "mood": lambda: [b"sad", b"ok", "Très happy".encode(), b"bad"]}[element]()


def quote(rng, value):
    text = value.decode("latin-1")
    if rng.random() < 0.7 or not text or re.search(r'[\s"\\\\{},]', text) or text.lower() == "null":
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return rng.choice(["", "", "", " "]) + text + rng.choice(["", "", "", " "])


def one_array(rng, values, depth):
    count = rng.randrange(1, 4)
    if depth == 0:
        return "{" + ",".join("NULL" if rng.random() < 0.1 else rng.choice(["null", "Null"]) if rng.random() < 0.03
                              else quote(rng, rng.choice(values)) for _ in range(count)) + "}"
    inner = rng.getstate()
    parts = []
    for _ in range(count):
        rng.setstate(inner)
        parts.append(one_array(rng, values, depth - 1))
    return "{" + ",".join(parts) + "}"


def arrays(rng, values, count):
    odd = ["{}", "{ }", " {} ", "[1:0]={}", "{,}", "{a", "a}", "{a}}", "{{a},b}", "{{a},{b,c}}", "{a,}", "[2:3]={a}", "[2:2]={a}", "",
           "{{{{{{{a}}}}}}}", "[0:0][5:5]={{a}}", "[1:1]{a}", '{"a"b}', "{a b}", "{NULL}", '{"NULL"}', "{\\NULL}", "{a,{b}}", "{}x"]
    made = [(text.encode(), False) for text in odd]
    while len(made) < count:
        text = one_array(rng, values, rng.choice([0, 0, 0, 1, 2]))
        if rng.random() < 0.2:
            low = rng.choice([0, 2, -5, 1])
            flat = "{" not in text[1:].replace('"{', "")
            size = text.count(",") + 1
            if flat and '"' not in text:
                text = f"[{low}:{low + size - 1}]=" + text
        damaged = mutate(rng, text)
        made.append((damaged.encode("latin-1"), damaged == text))
    return made


def binary_arrays(rng, oid, count):
    made = [b"", struct.pack(">iiI", 0, 0, oid), struct.pack(">iiI", 7, 0, oid), struct.pack(">iiI", -1, 0, oid),
            struct.pack(">iiIii", 1, 0, oid, 0, 1), struct.pack(">iiIii", 1, 0, oid, 2 ** 31 - 1, 1)]
    while len(made) < count:
        sizes = [rng.randrange(4) for _ in range(rng.choice([1, 1, 2, 3]))]
        total = 1
        for size in sizes:
            total *= size
        out = struct.pack(">iiI", len(sizes), rng.choice([0, 1, 1, 0, 2]) if rng.random() < 0.2 else 0,
                          oid if rng.random() < 0.95 else 1043)
        for size in sizes:
            out += struct.pack(">ii", size, rng.choice([1, 1, 1, 0, -3, 2 ** 31 - 1]))
        for _ in range(total):
            value = rng.choice([None, b"a", b"", b"{b}", b"null"]) if oid == 25 else rng.choice(
                [None, struct.pack(">i", rng.randrange(-9, 9)), struct.pack(">i", 7)] + ([b"x"] if rng.random() < 0.02 else []))
            out += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
        made.append(out + (b"\0" if rng.random() < 0.02 else b""))
    return made


def near_arrays(values):
    made = ["{}", "{NULL}", "{NULL,NULL}"]
    for a in values:
        made += ["{%s}" % a, "[0:0]={%s}" % a, "{{%s}}" % a, "{%s,NULL}" % a]
        made += ["{%s,%s}" % (a, b) for b in values]
    return [text.encode() for text in made]
