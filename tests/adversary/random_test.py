#!/usr/bin/python3
"""Random SQL through the gateway, compared with a plain twin, while the wire to the server is watched.

Quick by itself. Longer: ADVERSARY_CASES=100000 ADVERSARY_SEED=7 random_test.py; with ADVERSARY_STATE=FILE
it goes on where it was interrupted. ADVERSARY_THREADS: sessions at once."""
import os
import subprocess
import sys

from stage import Stage, Watcher

from place import program, say

SEED = int(os.environ.get("ADVERSARY_SEED", "1"))
CASES = os.environ.get("ADVERSARY_CASES", "1500")


def drive(stage, *more):
    argv = [program("random_driver"), "--plain", stage.plain, "--sealed", stage.sealed, "--seed",
            str(SEED), "--cases", CASES, "--threads", os.environ.get("ADVERSARY_THREADS", "4"), *more]
    return subprocess.run(argv, check=False).returncode


def proof(stage):
    """The watcher finds what a session without gateway sends: else its silence says nothing."""
    canaries = subprocess.run([program("wire_watcher"), "--seed", str(SEED), "--print"], check=True,
                              capture_output=True, text=True).stdout.splitlines()
    watcher = Watcher(stage.place, SEED, stage.cluster.port)
    for canary in canaries:
        for text in (canary, canary[::-1], canary.encode("utf-16-le").hex(), canary[2:11]):
            stage.cluster.ask("SELECT %s::text = ''", (text,), role="erp_app", database="plain",
                              port=watcher.port)
    seen, _ = watcher.stop()
    return len(canaries) > 20 and seen["hits"] >= 3 * len(canaries)


def main():
    state = os.environ.get("ADVERSARY_STATE")
    with Stage("random", seed=SEED, loud=not state, gateway=["--threads", "2"]) as stage:
        code = drive(stage, *(["--state", state] if state else []),
                     *(["--failures", os.environ["ADVERSARY_FAILURES"]]
                       if "ADVERSARY_FAILURES" in os.environ else []))
        written, lines = stage.search(stage.written_down())
        if written["hits"]:
            say("\n".join(lines))
        stage.parts.gateway.stop()
        seen, hits = stage.watcher.stop()
        say("\n".join(hits))
        say(f"wire: {seen}; logs: {written}")
        good = code == 0 and seen["hits"] == 0 and written["hits"] == 0 and seen["to_server"] > 0
        if not proof(stage):
            say("FAILED: the watcher does not find what is sent in clear")
            good = False
        if "ADVERSARY_KEEP" in os.environ:
            input("kept; Enter ends it\n")
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
