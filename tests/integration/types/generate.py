"""Values to try on src/pgwire and on a server: right ones, nearly right ones, and rubbish."""
import re
import struct


def mutate(rng, text):
    """One small damage, or none."""
    if not text or rng.random() < 0.85:
        return text
    at = rng.randrange(len(text))
    return rng.choice([text[:at] + text[at + 1:], text[:at] + text[at] + text[at:],
                       text[:at] + rng.choice("0159-+:./,eT zZ'_") + text[at + 1:],
                       text + rng.choice([" ", "x", "0", ".", "-"]), " " + text])


def texts(rng, count):
    letters = ["a", "B", " ", "  ", "é", "中", "文", "🙂", "'", "\\", "\t", "\n", "0"]
    made = [b"", b" ", b"     ", b"abc  ", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
            b"\xc0\x80", b"a\xff", b"\xe4\xb8", "中文中文中文".encode(), b"abcde     ", b"abcde   x"]
    while len(made) < count:
        text = "".join(rng.choice(letters) for _ in range(rng.randrange(16)))
        raw = (text + " " * rng.choice([0, 0, 1, 4])).encode()
        if rng.random() < 0.1 and raw:
            at = rng.randrange(len(raw))
            raw = raw[:at] + bytes([rng.randrange(1, 256)]) + raw[at + 1:]
        made.append(raw)
    return made


def integers(rng, count):
    edges = [base + step for base in (0, 2**15, -2**15, 2**31, -2**31, 2**63, -2**63)
             for step in (-1, 0, 1)]
    made = [str(edge).encode() for edge in edges]
    made += [b"", b" ", b"+", b"-", b"+5", b"-0", b"+-5", b"007", b" 7 ", b"\t7\n", b"7 7", b"1.0",
             b"1e3", b"0x10", b"1_000", "٣".encode(), b"99999999999999999999", b"\xff", b"- 5"]
    while len(made) < count:
        value = rng.randrange(-10**rng.randrange(1, 21), 10**rng.randrange(1, 21))
        made.append(mutate(rng, str(value)).encode())
    return made


def binary_integers(rng, size, count):
    made = [b"", b"\x00", b"\x00" * (size + 1)]
    while len(made) < count:
        made.append((rng.getrandbits(8 * size) >> rng.randrange(8 * size)).to_bytes(size, "big"))
        made.append(rng.randrange(-40000, 0).to_bytes(8, "big", signed=True)[-size:])
    return made


def numerics(rng, count):
    made = """0 -0 +0 0.00 -0.00 .5 5. . -. +.5e1 1e3 1E+3 1e-3 1.50 150e-2 1e 1e+ e5 1e5.5 NaN nan -NaN
        +nan Infinity -Infinity +infinity inf -inf +Inf infin 1e131071 1e131072 1e131071.5 1e-16383
        1e-16384 1e999999999 1e-999999999 1e1073741823 1e99999999999999999999 0e131072 0e-20000
        0e200000 9.995 9.994 -9.995 0.005 0.004999 99999999.994 99999999.995 99999999.99 150 149 50
        49 -50 99949 99950 0.00999 0.009994 0.009995 0.0000049 0.000005 12345 99999.5 99999.4 1.2.3
        1,5 --1 1-1 0x10 1_0 00001.10 000000 32767.5 -32768.5 32767.49 2147483647.5 2147483647.4
        9223372036854775807.4 9223372036854775807.5 -9223372036854775808.5""".split()
    made += ["", " ", " 1 ", "1 2", "\n1.5\t", "1e 5", "9" * 131072, "9" * 131073, "0." + "1" * 16383,
             "0." + "1" * 16384, "0" * 140000 + "1", "9" * 1000, "0." + "9" * 1001, "-" + "9" * 400]
    while len(made) < count:
        whole = "".join(rng.choice("0123456789") for _ in range(rng.choice([0, 1, 1, 2, 3, 5, 9, 30])))
        part = "".join(rng.choice("0000123456999") for _ in range(rng.choice([0, 0, 1, 2, 3, 6, 25])))
        text = rng.choice(["", "", "-", "+"]) + whole + ("." + part if part else "")
        if rng.random() < 0.2:
            text += rng.choice("eE") + rng.choice(["", "-", "+"]) + str(rng.randrange(40))
        made.append(mutate(rng, text))
    return [text.encode() for text in made]


def binary_numerics(rng, count):
    made = [b"", b"\x00" * 7, b"\x00" * 8, b"\x00" * 9]
    signs = [0, 0, 0, 0x4000, 0x4000, 0xC000, 0xD000, 0xF000, 0x8000, 1]
    while len(made) < count:
        digits = [rng.choice([0, 1, 9, 10, 99, 100, 999, 1000, 4999, 5000, 9999, rng.randrange(10000)])
                  for _ in range(rng.choice([0, 1, 1, 2, 3, 8]))]
        if rng.random() < 0.03:
            digits.append(rng.choice([10000, 0xFFFF]))
        weight = rng.choice([-3, -2, -1, 0, 0, 1, 2, 5, rng.randrange(-32768, 32768)])
        scale = rng.choice([0, 1, 2, 3, 4, 5, 10, 16383, 16384, 0xFFFF])
        count_word = len(digits) + rng.choice([0] * 30 + [1, -1])
        made.append(struct.pack(">HhHH", max(0, count_word), weight, rng.choice(signs), scale) +
                    b"".join(struct.pack(">H", d) for d in digits))
    return made


def near_texts(rng):
    words = ["", " ", "a", "a ", "a  ", "A", "á", "a\u0301", "b", "ab", "a b", "中", "中 ", "0", "00"]
    return [word.encode() for word in words for _ in range(3)]


def near_numbers(rng):
    made = ["0", "-0", "0.0", "0.000", "1", "1.0", "1.00", "1e0", "10e-1", "-1", "-1.0", "0.1", "0.10",
            "1.1", "100", "1e2", "100.0", "NaN", "nan", "Infinity", "-Infinity", "inf", "32767",
            "32768", "-32769", "2147483647", "2147483648", "9223372036854775807", "1e20",
            "100000000000000000000", "100000000000000000000.0", "12345.6789", "12345.67890", "7", "+7"]
    return [text.encode() for text in made + [str(rng.randrange(-3, 4)) for _ in range(20)]]


def near_moments(rng):
    made = ["infinity", "-infinity", "epoch", "5874897-01-01", "4714-11-24 BC"]
    for day in ("2026-03-08", "2026-11-01", "2026-11-21", "2026-11-22", "0044-03-15 BC", "9999-12-31"):
        made.append(day)
        date, _, era = day.partition(" ")
        for time in ("00:00:00", "00:00", "00:00:00.000001", "01:30:00", "24:00:00", "05:00:00+00",
                     "00:00:00-05", "04:00:00+00", "23:00:00+00", "00:00:00+00", "12:00:00.5"):
            made.append(f"{date} {time} {era}".strip())
    return [text.encode() for text in made]


def is_documented_comparand_refusal(column, sent):
    """varchar = character(n) ignores trailing spaces on both sides; character(n) = text with one at
    the end is never true."""
    return (column, sent) in (("varchar", "bpchar"), ("bpchar", "text"), ("citext", "text"),
                              ("int8", "float4"), ("int8", "float8"), ("int4", "float4"),
                              ("int4", "float8"), ("int2", "float4"), ("int2", "float8"),
                              ("timestamp", "timestamptz"))


# --- dates and times -------------------------------------------------------------------------------

MONTHS = ["Jan", "february", "MAR", "Apr", "may", "June", "Jul", "Aug", "sept", "Oct", "Nov", "december"]
DAYS = ["Mon", "tuesday", "Wed", "thurs", "FRI", "Sat", "sunday"]


def one_date(rng):
    """A date, and whether datetime_read.hpp says that its form is read."""
    year = rng.choice([2026, 2024, 2000, 1999, 1970, 1900, 1582, 44, 5, 99, 100, 10000, 12026, 294276,
                       294277, 4714, 4713, 5874897, 5874898, rng.randrange(1, 3000)])
    month, day = rng.randrange(1, 13), rng.choice([1, 2, 12, 13, 28, 29, 30, 31])
    if rng.random() < 0.02:
        month, day = rng.choice([0, 13, 99, month]), rng.choice([0, 32, 99, day])
    y4, m2, d2 = f"{year:04}", f"{month:02}", f"{day:02}"
    y2 = f"{year % 100:02}"
    name = MONTHS[(month - 1) % 12]
    if rng.random() < 0.15:
        return rng.choice([f"{y4}.{day * 10:03}", f"J{2400000 + day}", f"{y4}-{day * 7:03}",
                           f"{y4} {m2} {d2}", f"y{y4}m{m2}d{d2}", f"{y4}-{m2}-0{d2}",
                           f"{name}.{d2}-{y4}", f"{d2}{name}-{y4}", f"{y4}{m2}"]), False
    return rng.choice([
        f"{y4}-{m2}-{d2}", f"{y4}-{m2}-{d2}", f"{y4}-{m2}-{d2}", f"{y4}/{month}/{day}",
        f"{y4}.{m2}.{d2}", f"{m2}/{d2}/{y4}", f"{d2}/{m2}/{y4}", f"{day}-{month}-{y4}",
        f"{d2}.{m2}.{y4}", f"{m2}/{d2}/{y2}", f"{y2}-{m2}-{d2}", f"{d2}.{m2}.{y2}",
        f"{y4[-4:]}{m2}{d2}", f"{y2}{m2}{d2}", f"{day} {name} {y4[-5:]}", f"{name} {day}, {y4[-5:]}",
        f"{y4[-5:]} {name} {day}", f"{d2}-{name}-{y4}", f"{name}-{d2}-{y4}", f"{y4}-{name}-{d2}",
        f"{day}{name}{y4[-5:]}", f"{name} {day} {y2}", f"{d2}-{name}-{y2}", f"{y2}-{name}-{d2}",
        f"{name}.{d2}.{y4}"]), True


def one_time(rng):
    hour, minute, second = rng.randrange(24), rng.randrange(60), rng.randrange(60)
    part = rng.choice(["", "", "", ".5", ".123456", ".1234565", ".9999999", ".0000005", ".0000015",
                       ".000000", ".", ".12345650000000001", f".{rng.randrange(10**9):09}"])
    if rng.random() < 0.1:
        hour, minute, second = rng.choice([(24, 0, 0), (23, 59, 60), (24, 0, 1), (25, 0, 0), (0, 60, 0),
                                           (0, 0, 61), (12, 0, 0), (0, 0, 0), (23, 59, 59)])
        return rng.choice([(f"{hour:02}:{minute:02}:{second:02}{part}", True),
                           (f"{hour:02}{minute:02}{second:02}{part}", False)])
    if rng.random() < 0.1:
        return rng.choice([f"{minute}:{second}.25", f"{hour:02}{minute:02}.5", f"{hour:02}::{minute}",
                           f"{hour:02}:{minute:03}", f"{hour:03}:{minute:02}"]), False
    full = f"{hour:02}:{minute:02}:{second:02}{part}"
    return rng.choice([full, full, full, f"{hour:02}:{minute:02}", f"{hour}:{minute:02}:{second:02}",
                       f"{hour % 13}:{minute:02} {rng.choice(['AM', 'pm', 'PM'])}",
                       f"{hour:02}{minute:02}{second:02}{part}", f"{hour:02}{minute:02}",
                       f"{hour % 12 + 1}:{minute:02}:{second:02}pm"]), True


def one_zone(rng):
    hour, minute = rng.randrange(17), rng.choice([0, 0, 15, 30, 45, 60])
    sign = rng.choice("+-")
    if rng.random() < 0.15:
        return rng.choice(["EST", "CST", "msk", "Zulu", "Japan", f"{sign}00{hour:03}", "CET DST",
                           f"{sign}{hour:02}:", f"{sign} {hour:02}"]), False
    return rng.choice(["Z", "z", "UTC", "utc", "GMT", "+00", "-00:00", f"{sign}{hour:02}",
                       f"{sign}{hour:02}:{minute:02}", f"{sign}{hour:02}{minute:02}", f"{sign}{hour}",
                       f"{sign}{hour}{minute:02}", f"{sign}{hour:02}:{minute:02}:{hour:02}",
                       "Asia/Shanghai", "america/new_york", "Europe/Moscow", "Singapore", "UTC+8",
                       "GMT-3", "Etc/GMT+5", "EST5EDT", "Nowhere/City", "Gibberish",
                       "America/Argentina/Buenos_Aires"]), True


# What is read, as datetime_read.hpp lists it and as the server prints it, and limits of the types.
READ = """infinity|-infinity|Infinity| infinity |epoch|EPOCH|0000-01-01|0001-01-01 BC|0000-01-01 BC
    4714-11-24 BC|4714-11-23 BC|4714-11-23 16:00:00-08 BC|4714-11-24 07:59:59+08 BC
    294276-12-31 23:59:59.999999+00|294276-12-31 23:59:59.9999999+00|294277-01-01 00:00:00+00
    294277-01-01 07:00+08|5874897-12-31|5874898-01-01|2026-02-29|2024-02-29|1900-02-29|2000-02-29
    2026-11-21T10:30:00Z|2026-11-21t103000z|20261121T103000+0800|20261121T103000-08
    2026-11-21 24:00:00|Sat Nov 21 10:30:00 2026 UTC|Sat 21 Nov 10:30:00.5 2026 +08
    Nov 21 10:30:00 America/New_York 2026|21.11.2026 10:30:00 UTC|11/21/2026 10:30:00 GMT
    Fri 21 Nov 2026|2026-11-21 BC|2026-11-21 AD|44-03-15 BC|Mar 15 0044 BC|Mar 15 44 BC
    2026-11-21 10:30:00 +08 BC|2026/11/21-08|2026-11-21 +08|002026-11-21|126-1-1|26-1-1|26 Nov 21
    21 Nov 26|2026-11-21,10:30|2026-11-21 10:30:00 PST8PDT|2026-11-21 13:00 PM|2026-11-21 0:30 PM
    2026-11-21 12:30 AM|2026-11-21 10:30:00 utc+25|2026-11-21 10:30:00 Etc/GMT-14
    2026-11-21 103000.5|2026-11-21 103000-08:30|2026-11-21 T10:30:00|2026-11-21T 10:30:00"""
# What is not, or is nothing.
ODD = """+infinity|now|today|tomorrow|yesterday|allballs|| |-|+|x|2026|11|Nov|2026-11|10:30|10:30:00
    2026-11-21 now|today 10:00|infinity 10:00|2026-11-21 infinity|epoch 2026-11-21|2026-11-21 epoch
    - infinity|BC|2026-11-21T|T10:30|2026-11-21 10:30+|2026-11-21 10:30:00.123.456
    2026-11-21 10::30|2026-11-21 10:30:|2026--11-21|2026-11/21|2026-11-21-08|2026-011-21|2026-11-021
    2026-11-21;10:30|(2026-11-21)|2026-11-21 10:30:00 UTC UTC|2026-11-21 10:30:00+08+08
    2026-11-21 10:30 10:30|2026-11-21 2026-11-21|Sat Sat Nov 21 2026|Nov Nov 21 2026|10:30 2026-11-21
    +08 2026-11-21 10:30|UTC 2026-11-21 10:30|2026-11-21 PM|PM 2026-11-21 10:30|10:30 Nov 21 2026
    2026-11-21 10:30 at UTC|on 2026-11-21 at 10:30|2026-11-21 10:30 UTC DST|2026-11-21 10:30 dst
    2026-11-21 1030.5|2026-11-21 10:30:00é|中文|10:30 20261121|Sat 2026-11-21"""


def listed(text):
    """The separator keeps spaces at both ends of a value."""
    return [value for line in text.split("\n    ") for value in line.split("|")]


PIECES = """2026 11 21 26 5 345 20261121 261121 1030 103000 103000.5 10:30 10:30:00.5 0:00 12:30 24:00 Nov
    Feb may Sat wednesday PM am BC ad T t Z utc GMT +08 -05:30 -0800 +15 - + , . / : utc+3 EST5EDT
    America/New_York Singapore 2026-11-21 21/11/26 2026.11.21 21-Nov-26 Nov-21-2026 29-Feb-2024 99999
    123456 1234567 infinity epoch 0 00 0000 31 32 13""".split()


def soup(rng):
    """Parts in any order, run together or not: most are nothing, and some are surprising."""
    count = rng.randrange(1, 7)
    return "".join(rng.choice(PIECES) + rng.choice(["", " ", " ", " "]) for _ in range(count))


def moments(rng, count):
    """Pairs of a text and whether it must be read if the server reads it."""
    made = [(text, True) for text in listed(READ)] + [(text, False) for text in listed(ODD)]
    made.append(("\xa02026-11-21", False))
    made += [(soup(rng), False) for _ in range(count // 4)]
    while len(made) < count:
        text, plain = one_date(rng)
        timed = rng.random() < 0.7
        if timed:
            time, plain_time = one_time(rng)
            text += rng.choice([" ", " ", " ", "T", "  ", ", "]) + time
            plain &= plain_time
        if rng.random() < 0.5:
            zone, plain_zone = one_zone(rng)
            text += rng.choice(["", " "]) + zone
            # Run together, letters and digits join up to something else, except behind a time.
            plain &= plain_zone and (text.endswith(" " + zone) or (timed and zone[0] in "+-Zz"))
        if rng.random() < 0.1:
            text = rng.choice(DAYS) + rng.choice([" ", ", "]) + text
        if rng.random() < 0.1:
            text += " " + rng.choice(["BC", "AD", "bc"])
        damaged = mutate(rng, text)
        made.append((damaged, plain and damaged == text))
    return [(text.encode(), plain) for text, plain in made]


def is_listed_difference(case, printed):
    """What the server takes by accident; types.hpp and datetime_read.hpp name it."""
    # In YMD order 31-5-0005 is the fifth: a day of more than two digits.
    long_day = case.style.endswith("YMD") and re.search(
        rb"^\d\d?[-/.]\w+[-/.]\d{3,}|\w+[-/.]\d\d?[-/.]\d{3,}", case.value)
    # A moment whose local date is the day before the first one, and one that rounds up to the first
    # moment after the last: the server prints them but does not read them.
    before_first = case.column == "date" and b"4714" in printed and b"23" in printed
    after_last = case.typmod_sql and b"294276-12-31 23:59:59.99" in case.value
    # Bare numbers and times of two parts mean what the fields of an interval column say.
    fields = case.column == "interval" and case.typmod_sql.startswith(" ")
    # Rounding the longest time up wraps around in the server.
    wraps = case.column == "interval" and case.binary and case.typmod_sql and case.value[:1] == b"\x7f"
    return bool(long_day or before_first or after_last or fields or wraps)


def binary_moments(rng, size, count):
    if size == 4:
        edges = [-2451545, -2451546, 2145031948, 2145031949, 2**31 - 1, -2**31, 0, -10957, 106751990,
                 106751983, 106751982]
        made = [struct.pack(">i", edge) for edge in edges] + [b"", b"\x00" * 3, b"\x00" * 5]
        while len(made) < count:
            made.append(struct.pack(">i", rng.randrange(-10**rng.randrange(1, 7), 10**rng.randrange(1, 7))))
        return made
    edges = [-211813488000000000, -211813488000000001, 9223371331199999999, 9223371331200000000, 2**63 - 1,
             -2**63, 0, -1]
    made = [struct.pack(">q", edge) for edge in edges] + [b"", b"\x00" * 7, b"\x00" * 9]
    while len(made) < count:
        made.append(struct.pack(">q", rng.randrange(-10**rng.randrange(1, 18), 10**rng.randrange(1, 18))))
    return made


def zone_moments(rng):
    """Local times from before zones were invented to after the last written rule."""
    years = [1, 1000, 1700, 1850, 1883, 1890, 1901, 1911, 1919, 1927, 1940, 1943, 1945, 1952, 1967, 1970,
             1974, 1980, 1986, 1991, 1996, 2007, 2011, 2014, 2016, 2026, 2030, 2037, 2038, 2050, 2399,
             2500, 9999, 200000]
    return [f"{year:04}-{month:02}-15 12:34:56" for year in years for month in (1, 4, 7, 10)]


def near_changes(rng):
    """Sundays, first days and last days at the small hours: where clocks are set."""
    made = []
    for _ in range(60):
        year = rng.choice([1916, 1918, 1942, 1945, 1947, 1966, 1976, 1987, 1995, 2007, 2010, 2011, 2014,
                           2018, 2020, 2026, 2036, 2037, 2040, 2100])
        month = rng.choice([1, 3, 3, 4, 4, 5, 9, 10, 10, 11, 12])
        made.append(f"{year}-{month:02}-{rng.randrange(1, 29):02} "
                    f"{rng.choice([0, 0, 1, 1, 2, 2, 3, 23]):02}:{rng.choice([0, 15, 30, 59]):02}:"
                    f"{rng.choice([0, 0, 59]):02}")
    return made
