#!/usr/bin/python3
"""Writes docs/errors.md from src/base/error_codes.inc.

usage: tools/errors_doc.py           writes it
       tools/errors_doc.py --check   compares; exit 1 if they differ
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = """# Errors

Generated from `src/base/error_codes.inc` by `tools/errors_doc.py`; do not edit.

Every error has a stable name. On the PostgreSQL wire it is an ErrorResponse with the SQLSTATE, on
HTTP a problem+json with the status, on the command line exit code 1 (2 for `Usage`) and one line:
what happened, where, what to do. Neither holds text from a secret, a stored value or a client's
input.

| name | SQLSTATE | HTTP | what happened | what to do |
|---|---|---|---|---|
"""


def document():
    source = (ROOT / "src/base/error_codes.inc").read_text("utf-8")
    text = r'"((?:[^"\\]|\\.)*)"'
    entries = re.findall(rf'^THERIAC_ERROR\((\w+), {text}, (\d+),\s*{text},\s*{text}\)', source, re.M)
    if len(entries) != len(re.findall(r"^THERIAC_ERROR\(", source, re.M)):
        sys.exit("errors_doc: an entry of error_codes.inc was not understood")
    rows = ("| " + " | ".join((f"`{name}`", f"`{state}`", http, what, todo)) + " |\n"
            for name, state, http, what, todo in entries)
    return HEAD + "".join(rows)


def main():
    path = ROOT / "docs/errors.md"
    if sys.argv[1:] == ["--check"]:
        if not path.exists() or path.read_text("utf-8") != document():
            sys.exit("docs/errors.md is not what tools/errors_doc.py writes: run it")
    elif len(sys.argv) == 1:
        path.write_text(document(), "utf-8")
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
