"""Serial numbers under attack by somebody who knows some of them."""
import json
import subprocess

from place import program
from stage import require

LEAKED, GUESSES = 1000, 20_000


def attack(*more):
    done = subprocess.run([program("theriac"), "trace", "attack", "--json", "--leaked", str(LEAKED),
                           "--guesses", str(GUESSES), *more], capture_output=True, text=True, check=False)
    require(done.stdout.startswith("{"), f"theriac trace attack: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    require(report["holds"] == (done.returncode == 0), "report and exit code say different things")
    return report


def numbers(run):
    """Ours hold at the fullest a pool may be; a counter and a shift register do not."""
    # 10,000 times as many texts as numbers: the limit of the law.
    full = attack("--alphabet", "digits", "--length", "10", "--issued", "1000000")
    require(full["holds"] and full["density"] <= 1e-4, f"guesses hit better than chance: {full['strategies']}")
    for bits in ([], ["--sm4"]):
        sparse = attack("--issued", "200000", *bits)
        hits = sum(one["hits"] for one in sparse["strategies"])
        require(sparse["holds"] and hits == 0, f"{hits} numbers were guessed")
    counted = run.stage.place.dir / "counted.txt"
    counted.write_text("".join(f"{4_000_000 + 7 * i:012}\n" for i in range(50_000)))
    register, state = run.stage.place.dir / "register.txt", 0x5a5a5a5a5a
    lines = []
    while len(lines) < 50_000:
        state = state >> 1 ^ (0x8e20000000 if state & 1 else 0)
        if state < 10 ** 12:
            lines.append(f"{state:012}\n")
    register.write_text("".join(lines))
    for weak in (counted, register):
        require(not attack("--numbers", str(weak), "--alphabet", "digits")["holds"], f"{weak.name} was not seen through")
    guesses = sum(one["guesses"] for one in full["strategies"])
    return f"{LEAKED} known, {guesses:,} guesses, 1 in {1 / full['density']:,.0f}; a counter and a register are found"
