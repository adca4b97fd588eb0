#!/usr/bin/python3
"""Every job of continuous integration, runnable at home.

usage: tools/ci.py JOB
  programs   builds the programs (release); silent when nothing is to be done
  fast       builds all (release), runs the fast tests and replays the fuzz corpus
  all        fast, slow and regression tests, then ./run --check
  asan tsan  the fast tests under address + undefined-behaviour, or thread sanitizer
  fuzz       every fuzz target for THERIAC_FUZZ_S seconds (60)
  tidy       clang-tidy over our sources
  format     clang-format, without changing anything
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ("theriac", "theriac-keyd", "theriac-gateway", "theriacd")
SHARED = ROOT.parent / "shared"


def jobs():
    """Compilers at once: one per processor, if there are 1.5 GB of memory for each."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(os.cpu_count() or 1, memory // 1_500_000_000))


def run(*argv, **extra):
    return subprocess.run([str(a) for a in argv], cwd=ROOT, check=False, **extra).returncode


def configure(preset):
    folder = ROOT / "build" / preset
    if (folder / "build.ninja").exists():
        return
    done = subprocess.run(["cmake", "--preset", preset], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(f"{done.stdout[-2000:]}{done.stderr[-4000:]}\nci: configuring {preset} failed")


def build(preset, *targets):
    """With ninja's own progress; an up-to-date tree stays silent."""
    configure(preset)
    folder = ROOT / "build" / preset
    probe = subprocess.run(["ninja", "-C", folder, "-n", *targets], capture_output=True, text=True,
                           check=False)
    if "no work to do" in probe.stdout:
        return
    print(f"building ({preset}) ...", flush=True)
    env = dict(os.environ, NINJA_STATUS="  [%f/%t] ")
    if run("ninja", "-C", folder, "-j", jobs(), *targets, env=env):
        sys.exit("ci: the build failed")


class Score:
    """Counts what ran. A GoogleTest program counts by its cases, anything else as one."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add(self, name, good):
        if good:
            self.passed += 1
        else:
            self.failed.append(name)

    def add_gtest(self, path):
        """True if a case failed."""
        failed_before = len(self.failed)
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if case.find("skipped") is not None or case.get("result") == "skipped":
                self.skipped.append(name)
            else:
                self.add(name, case.find("failure") is None)
        return len(self.failed) > failed_before

    def close(self):
        for name in self.skipped:
            print(f"skipped: {name}")
        if self.skipped and SHARED.is_dir():
            print("nothing may be skipped where ../shared exists")
            self.failed.extend(self.skipped)
        for name in self.failed:
            print(f"FAILED: {name}")
        print(f"{self.passed} passed, {len(self.failed)} failed")
        return 1 if self.failed or not self.passed else 0


def ctest(preset, labels, score, parallel):
    folder = ROOT / "build" / preset
    reports = folder / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    junit = reports / "ctest.xml"
    # Each GoogleTest program writes <name of program>.xml here, beside ctest's own report.
    cases = reports / "gtest"
    cases.mkdir()
    env = dict(os.environ, GTEST_OUTPUT=f"xml:{cases}/", THERIAC_BIN=str(folder / "bin"))
    run("ctest", "--test-dir", folder, "-L", labels, "-j", parallel, "--output-on-failure",
        "--output-junit", junit, "--no-tests=ignore", env=env)
    if not junit.exists():
        score.add("ctest", False)
        return
    blamed = {}  # program -> its report names a failed case
    for path in sorted(cases.glob("*.xml")):
        program = re.sub(r"_\d+$", "", path.stem)
        blamed[program] = score.add_gtest(path) or blamed.get(program, False)
    commands = programs_of(folder)
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        name, good = case.get("name"), case.get("status") == "run"
        program = commands.get(name)
        if case.get("status") == "disabled" or case.find("skipped") is not None:
            score.skipped.append(name)
        elif program not in blamed:  # no GoogleTest program, or one that died without a report
            score.add(name, good)
        elif not good and not blamed[program]:  # all cases passed, and then it died
            score.add(name, False)


def programs_of(folder):
    """Name of test -> name of the program it runs."""
    shown = subprocess.run(["ctest", "--test-dir", folder, "--show-only=json-v1"],
                           capture_output=True, text=True, check=True).stdout
    return {test["name"]: pathlib.Path(test["command"][0]).name
            for test in json.loads(shown)["tests"] if test.get("command")}


def fast(score=None):
    build("release")
    total = score or Score()
    ctest("release", "^(fast|fuzz)$", total, jobs())
    return total.close() if score is None else 0


def all_tests():
    total = Score()
    fast(total)
    ctest("release", "^(slow|regress)$", total, 1)
    print("./run --check", flush=True)
    check = subprocess.Popen([ROOT / "run", "--check"], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    summary = None
    for line in check.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        match = re.fullmatch(r"(\d+) passed, (\d+) failed\n?", line)
        summary = tuple(map(int, match.groups())) if match else summary
    code = check.wait()
    if summary:
        total.passed += summary[0]
        total.failed += ["./run --check"] * summary[1]
    if summary is None or (code != 0) != (summary[1] != 0):
        total.add("./run --check", False)
    return total.close()


def sanitize(preset):
    build(preset)
    total = Score()
    ctest(preset, "^(fast|fuzz)$", total, jobs())
    return total.close()


def fuzz():
    build("fuzz")
    seconds = os.environ.get("THERIAC_FUZZ_S", "60")
    total = Score()
    for target in sorted((ROOT / "build/fuzz/bin").glob("*_fuzz")):
        corpus = ROOT / "tests/corpus" / target.name
        found = ROOT / "build/fuzz/found" / target.name
        found.mkdir(parents=True, exist_ok=True)
        print(f"{target.name}: {seconds} s", flush=True)
        total.add(target.name, run(target, f"-max_total_time={seconds}", "-print_final_stats=1",
                                   f"-artifact_prefix={found}/crash-", found, corpus,
                                   stderr=subprocess.DEVNULL) == 0)
    return total.close()


def sources(*suffixes):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [p for p in listed if p.endswith(suffixes) and (ROOT / p).is_file()]


def tidy():
    configure("dev")
    runner = shutil.which("run-clang-tidy-22") or sys.exit("ci: clang-tidy-22 is missing")
    return run(runner, "-clang-tidy-binary", "clang-tidy-22", "-p", "build/dev", "-quiet",
               "-j", jobs(), rf"{ROOT}/(src|apps|tests)/.*\.cpp")


def formatting():
    return run("clang-format-22", "--dry-run", "--Werror", *sources(".cpp", ".hpp"))


def programs():
    build("release", *PROGRAMS)
    return 0


JOBS = {"programs": programs, "fast": fast, "all": all_tests, "asan": lambda: sanitize("asan"),
        "tsan": lambda: sanitize("tsan"), "fuzz": fuzz, "tidy": tidy, "format": formatting}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in JOBS:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(JOBS[sys.argv[1]]())
