#!/usr/bin/python3
"""The twins' statements once more, with every byte between gateway and server searched for the values that
stand in protected columns of their rows."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration" / "twins")]

from stage import Watcher  # noqa: E402
import twins_test  # noqa: E402

from place import say  # noqa: E402

# Of rows.sql and statements.sql; none is used for a column that is not protected.
WORDS = ["13800000001", "13800000003", "13800000005", "Anna Müller", "a much longer note that goes beyond",
         "9007199254740993", "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000004",
         "Anna@Example.org", "ÉLAN@example.org", "bob@example.org", "O'Neil \\ \"q\"", "9999999999.99"]


class Watched(twins_test.Parts):
    """The gateway's server is the watcher."""
    watcher = None

    def __init__(self, place, upstream=None, **more):
        words = place.dir / "words"
        words.write_text("\n".join(WORDS), "utf-8")
        Watched.watcher = Watcher(place, 0, upstream.rpartition(":")[2], words)
        super().__init__(place, upstream=f"127.0.0.1:{Watched.watcher.port}", **more)


def main():
    twins_test.Parts = Watched
    code = twins_test.main()
    seen, hits = Watched.watcher.stop()
    say("\n".join(hits))
    say(f"wire: {seen}")
    return 1 if code or seen["hits"] or seen["to_server"] < 100_000 else 0


if __name__ == "__main__":
    sys.exit(main())
