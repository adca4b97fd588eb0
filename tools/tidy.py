#!/usr/bin/python3
"""A test that reads the source: what a compiler does not say and a reviewer should not have to.

usage: tools/tidy.py             every rule below; one line per finding; exit 1 if there is one
       tools/tidy.py --headers   compiles each header alone (slow)
"""
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_WARN, LINES_MAX = 500, 600
CODE = {".cpp", ".hpp", ".inc", ".py", ".sh"}

# Spelled in pieces where this file would find itself.
BANNED_EVERYWHERE = {
    r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b": "unfinished work: do it, or write it into an issue",
    r"(?<![\w.])/(wo" r"rk|fa" r"rm)/": "a path of somebody's workplace",
}
BANNED_CPP = {
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|tmpnam|mktemp|alloca)\s*\(": "unsafe C function",
    r"\b(atoi|atol|atof)\s*\(": "does not report errors: use std::from_chars",
    r"(?<![\w.:>])(system|popen)\s*\(": "runs a shell",
    r"(?<![\w.>])(rand|srand)\s*\(": "not random: use base/random.hpp",
    r"\busing namespace std\s*;": "names would collide",
    r"\.detach\s*\(\s*\)": "nobody waits for that thread",
    r"\bstd::endl\b": "flushes: use '\\n'",
    r"(?<=[;{}])\s*rc::check\s*\(": "its result is lost, so it cannot fail: EXPECT_TRUE(rc::check(...))",
    r"\bcatch\s*\(\s*\.\.\.\s*\)\s*\{\s*\}": "swallows everything",
}
RANDOM_BYTES = r"\bRAND_(priv_)?bytes\s*\("
SLEEPS = r"\b(sleep_for|sleep_until|usleep|nanosleep|time\.sleep)\b|(?<![\w.])sleep\s*\("

findings = []
warnings = []


def report(path, line, text):
    findings.append(f"{path}:{line}: {text}")


def tracked():
    try:
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                                cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = listed.splitlines()
    except (OSError, subprocess.CalledProcessError):  # a source archive without git
        paths = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                 if p.is_file() and p.relative_to(ROOT).parts[0] not in ("build", "var", ".git")]
    return sorted(p for p in paths if (ROOT / p).is_file() and not (ROOT / p).is_symlink())


def is_text(path):
    with open(ROOT / path, "rb") as file:
        return b"\0" not in file.read(4096)


def is_test(path):
    return path.startswith("tests/") or re.search(r"_test\.(cpp|py)$", path) is not None


def strip_cpp(text):
    """Blanks comments and string literals, keeping lines."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def search(path, text, rules):
    for pattern, why in rules.items():
        for match in re.finditer(pattern, text):
            report(path, text.count("\n", 0, match.start()) + 1, f"{match.group().strip()}: {why}")


def check_file(path):
    text = (ROOT / path).read_text("utf-8", errors="replace")
    suffix = pathlib.PurePath(path).suffix
    if path != "LICENSE":
        search(path, text, BANNED_EVERYWHERE)
    if suffix in CODE and not path.endswith("_vectors.inc"):
        lines = text.count("\n")
        if lines > LINES_MAX:
            report(path, lines, f"longer than {LINES_MAX} lines")
        elif lines > LINES_WARN:
            warnings.append(f"{path}: {lines} lines")
    if suffix in (".cpp", ".hpp"):
        bare = strip_cpp(text)
        search(path, bare, BANNED_CPP)
        if not path.startswith(("src/crypto/", "src/pki/")):
            search(path, bare, {RANDOM_BYTES: "randomness comes through base/random.hpp"})
    if suffix == ".hpp":
        if not text.startswith("//"):
            report(path, 1, "a header begins with a comment: contract, units, errors, threading")
        if "#pragma once" not in text:
            report(path, 1, "no #pragma once")
    if is_test(path) and suffix in CODE:
        search(path, strip_cpp(text) if suffix != ".py" else text,
               {SLEEPS: "a sleep in a test: wait for the condition instead"})
    if suffix == ".md":
        check_links(path, text)


def check_links(path, text):
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    for match in re.finditer(r"\]\(([^)\s]+)\)|<img[^>]*src=\"([^\"]+)\"", without_code):
        target = (match.group(1) or match.group(2)).split("#")[0]
        if target and not re.match(r"[a-z]+:", target) and \
                not (ROOT / path).parent.joinpath(target).exists():
            report(path, without_code.count("\n", 0, match.start()) + 1, f"dead link {target}")


def check_house():
    for folder in sorted((ROOT / "src").iterdir()):
        has_code = any(folder.glob("*.hpp")) or any(folder.glob("*.cpp"))
        if folder.is_dir() and has_code and not (folder / "README.md").exists():
            report(f"src/{folder.name}", 0, "has no README.md")
    licence = ROOT / "LICENSE"
    if not licence.exists() or "Apache License" not in licence.read_text("utf-8")[:200]:
        report("LICENSE", 0, "is not the Apache License")
    for program in sorted((ROOT / "apps").glob("*/*.cpp")):
        lines = program.read_text("utf-8").count("\n")
        if lines > 300:
            report(program.relative_to(ROOT), lines, "a program is wiring only: under 300 lines")
    for name in ("run", "test", ".ci/run", "tools/setup.sh"):
        if not os.access(ROOT / name, os.X_OK):
            report(name, 0, "is not executable")


def compile_headers():
    import json
    database = next((p for p in (ROOT / f"build/{n}/compile_commands.json"
                                 for n in ("release", "dev")) if p.exists()), None)
    if database is None:
        sys.exit("tidy: no build/*/compile_commands.json; configure a preset first")
    commands = json.loads(database.read_text("utf-8"))

    def flags_of(folder):
        """Of the library; with the system folders of its tests, whose headers stand beside it."""
        words, system = [f"-I{ROOT}/src", "-std=c++23"], []
        for entry in commands:
            if not pathlib.PurePath(entry["file"]).match(f"src/{folder}/*.cpp"):
                continue
            all_words = shlex.split(entry["command"])
            system += [f for w, x in zip(all_words, all_words[1:]) if w == "-isystem" for f in (w, x)]
            if not entry["file"].endswith("_test.cpp"):
                words = [w for w in all_words if re.match(r"-(I|D|std|W(?!l,))", w)]
        return system + words

    def compile_one(path):
        argv = ["clang++-22", "-fsyntax-only", "-x", "c++", *flags_of(path.parts[1]),
                "-Wno-pragma-once-outside-header", f'-DTHERIAC_SOURCE_DIR="{ROOT}"',
                str(ROOT / path)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return path, done

    headers = [pathlib.PurePath(p) for p in tracked() if p.startswith("src/") and p.endswith(".hpp")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, done in pool.map(compile_one, headers):
            if done.returncode != 0:
                report(path, 0, "does not compile alone:\n" + done.stderr[:1500])
    print(f"{len(headers)} headers compiled alone")


def main():
    if sys.argv[1:] == ["--headers"]:
        compile_headers()
    else:
        paths = [p for p in tracked() if is_text(p) and not p.startswith("tests/corpus/")]
        for path in paths:
            check_file(path)
        check_house()
        for line in warnings:
            print(f"long: {line}")
        print(f"{len(paths)} files read")
    for line in findings:
        print(line)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
