"""Two hundred values that occur nowhere else, and a search for them in every place where PostgreSQL
keeps or shows data. A planted control, written to plain columns in the same way, must be found in
each of these places: a search that finds nothing proves something only if it can find.
"""
import collections
import datetime
import json
import os
import pathlib
import random
import struct
import subprocess
import sys

from place import as_postgres

TEXTS, NUMBERS, MOMENTS = 140, 30, 30
GROUP = 7351  # first four digits of every number: makes the search fast
EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
HOUR = 840_000_000_000_000 // 3_600_000_000  # 2026-08, counted in hours since EPOCH
MINUTE = 37

# data[first:last] is the part that all patterns of a kind share.
Pattern = collections.namedtuple("Pattern", "data first last")


class Canary:
    """A value as SQL takes it, and the byte strings that would give it away."""

    def __init__(self, kind, value, patterns):
        self.kind = kind
        self.value = value
        self.patterns = patterns


def text_canary(rng, word="kanari"):
    value = f"{word}{rng.randrange(16 ** 10):010x}"
    wide = value.encode("utf-16-le")
    return Canary("text", value, [Pattern(value.encode(), 0, len(word)),
                                  Pattern(wide, 0, 2 * len(word))])


def number_canary(rng):
    """numeric(14,2): twelve digits before the point; on disk four digits of base 10000."""
    groups = [GROUP, rng.randrange(1_000, 10_000), rng.randrange(1_000, 10_000),
              rng.randrange(11, 100) * 100]
    value = f"{groups[0]}{groups[1]:04d}{groups[2]:04d}.{groups[3] // 100:02d}"
    return Canary("number", value, [Pattern(value.encode(), 0, 4),
                                    Pattern(struct.pack("<4h", *groups), 0, 2),
                                    Pattern(struct.pack(">4h", *groups), 0, 2)])


def moment_canary(rng):
    """timestamptz: microseconds since 2000 in eight bytes; as text, minutes to microseconds, which
    look the same in every time zone that differs from UTC by whole hours."""
    micros = HOUR * 3_600_000_000 + MINUTE * 60_000_000 + rng.randrange(60_000_000 - 10)
    micros += micros % 10 == 0  # so that all six digits are printed
    moment = EPOCH + datetime.timedelta(microseconds=micros)
    return Canary("moment", moment.isoformat(), [Pattern(moment.strftime("%M:%S.%f").encode(), 0, 3),
                                                 Pattern(struct.pack("<q", micros), 4, 8),
                                                 Pattern(struct.pack(">q", micros), 0, 4)])


def make(seed):
    """Deterministic for a seed; draw the seed at random so that no earlier run's values count."""
    rng = random.Random(f"canaries/{seed}")
    made, seen = [], set()
    for kind, count in ((text_canary, TEXTS), (number_canary, NUMBERS), (moment_canary, MOMENTS)):
        while count:
            canary = kind(rng)
            if canary.value not in seen:
                seen.add(canary.value)
                made.append(canary)
                count -= 1
    return made


def control(seed):
    return text_canary(random.Random(f"control/{seed}"), "contr0l")


class Search:
    """Finds which of many patterns occur: looks for the few anchors, then compares around them."""

    def __init__(self, patterns):
        self.families = collections.defaultdict(set)
        for p in patterns:
            self.families[p.data[p.first:p.last], p.first, len(p.data)].add(p.data)
        self.overlap = max(len(p.data) for p in patterns) - 1
        self.found = set()
        self.bytes = 0
        self.tail = b""

    def feed(self, chunk):
        self.bytes += len(chunk)
        text = self.tail + chunk
        for (anchor, before, length), members in self.families.items():
            at = text.find(anchor)
            while at >= 0:
                start = at - before
                if start >= 0 and text[start:start + length] in members:
                    self.found.add(text[start:start + length])
                at = text.find(anchor, at + 1)
        self.tail = text[-self.overlap:]

    def end(self):
        """Of one file: what follows is not adjacent to it."""
        self.tail = b""

    def file(self, path):
        try:
            with open(path, "rb") as file:
                while chunk := file.read(8 << 20):
                    self.feed(chunk)
        except FileNotFoundError:
            pass  # deleted meanwhile
        self.end()

    def folder(self, folder):
        for top, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(top, name)
                if os.path.isfile(path):
                    self.file(path)

    def process(self, pid):
        """What a core dump of the process would hold: its readable memory. Needs root where the
        kernel forbids looking into processes that are not one's children."""
        with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, \
                open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                span, rights, *rest = line.split()
                if "r" not in rights or (rest[3:] and rest[3] in ("[vvar]", "[vsyscall]")):
                    continue
                first, last = (int(x, 16) for x in span.split("-"))
                while first < last:
                    try:
                        memory.seek(first)
                        self.feed(memory.read(min(8 << 20, last - first)))
                    except OSError:
                        break
                    first += 8 << 20
                self.end()


STATISTICS = {
    "pg_stat_activity": "SELECT a::text FROM pg_stat_activity a",
    "pg_stat_statements": "SELECT s::text FROM pg_stat_statements s",
    "pg_stats": "SELECT s::text FROM pg_stats s",
    "pg_statistic": "SELECT s::text FROM pg_statistic s",
}


def search_views(connection, patterns):
    """Which patterns each of the server's statistics shows to a superuser."""
    found = {}
    with connection.cursor() as cursor:
        for name, sql in STATISTICS.items():
            cursor.execute(sql)
            search = Search(patterns)
            for (text,) in cursor:
                search.feed(text.encode())
                search.end()
            found[name] = search.found
    return found


def search_folder(folder, patterns):
    """A file, or every file below a folder, read by the account that owns the database's files,
    which runs this file with the job on standard input. (patterns found, bytes read)"""
    here = pathlib.Path(__file__).read_text("utf-8").replace("from place import as_postgres\n", "")
    job = {"folder": str(folder), "patterns": [(p.data.hex(), p.first, p.last) for p in patterns]}
    done = subprocess.run(as_postgres(["/usr/bin/python3", "-c", here]), input=json.dumps(job),
                          capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0:
        raise OSError(done.stderr.strip()[-300:])
    answer = json.loads(done.stdout)
    return {bytes.fromhex(p) for p in answer["found"]}, answer["bytes"]


def main():
    job = json.load(sys.stdin)
    search = Search([Pattern(bytes.fromhex(d), first, last) for d, first, last in job["patterns"]])
    if os.path.isfile(job["folder"]):
        search.file(job["folder"])
    else:
        search.folder(job["folder"])
    json.dump({"found": [p.hex() for p in search.found], "bytes": search.bytes}, sys.stdout)


if __name__ == "__main__":
    main()
