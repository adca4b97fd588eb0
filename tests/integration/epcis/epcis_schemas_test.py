#!/usr/bin/python3
"""What src/epcis writes as JSON is valid to GS1's JSON schema; EPCIS 1.2 is read as GS1's own
converter to 2.0 has it.

usage: epcis_schemas_test.py <epcis_bridge>
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT / "../shared/data/epcis"
SKIPPED = 77


def bridge(program, source, target, path):
    done = subprocess.run([program, source, target, str(path)], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def check_json(program, validator):
    """Every example of GS1's, from JSON and XML, written as JSON."""
    failures, count = [], 0
    files = [("json", p) for folder in ("JSON", "JSON-simple-context")
             for p in sorted((DATA / folder).rglob("*.jsonld"))]
    files += [("xml", p) for p in sorted((DATA / "XML").rglob("*.xml"))]
    files += [("xml", p) for p in sorted((DATA / "XSL/1.2/XML").rglob("*.xml"))]
    refused = []
    for source, path in files:
        code, out, told = bridge(program, source, "json", path)
        if code != 0:
            refused.append(path.name)
            continue
        errors = list(validator.iter_errors(json.loads(out)))
        if errors:
            failures.append(f"{path.name}: {errors[0].message[:200]}")
        count += 1
    print(f"{count} documents written as JSON and valid, {len(refused)} not written")
    for name in refused:
        print(f"  not written: {name}")
    if count != 124 or len(refused) != 11:
        failures.append("the number of documents is not what it was")
    return failures


def converted(program, path, folder):
    """The same document through GS1's converter. (What it writes is not valid in all cases.)"""
    new = pathlib.Path(folder) / path.name
    with open(new, "wb") as out:
        subprocess.run(["xsltproc", str(DATA / "XSL/convert-1.2-to-2.0.xsl"), str(path)],
                       stdout=out, stderr=subprocess.DEVNULL, check=True)
    code, out, told = bridge(program, "xml", "json", new)
    return code, out, told


def check_converter(program):
    failures, count = [], 0
    if shutil.which("xsltproc") is None:
        print("not compared with the converter: no xsltproc")
        return []
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted((DATA / "XSL/1.2/XML").rglob("*.xml")):
            code, ours, told = bridge(program, "xml", "json", path)
            if code != 0:
                failures.append(f"{path.name}: {told}")
                continue
            code, theirs, told = converted(program, path, folder)
            if code != 0:
                failures.append(f"{path.name}, converted: {told}")
                continue
            a, b = json.loads(ours), json.loads(theirs)
            for event in a["epcisBody"]["eventList"]:
                if event["type"] == "AssociationEvent":  # the converter forgets these
                    event.pop("sourceList", None)
                    event.pop("destinationList", None)
            if a["epcisBody"] != b["epcisBody"]:
                failures.append(f"{path.name}: unlike the converter's\n{ours}\n{theirs}")
            count += 1
    print(f"{count} documents of 1.2 read as the converter has them")
    if count != 5:
        failures.append("the number of documents is not what it was")
    return failures


def main():
    try:
        import jsonschema
    except ImportError:
        print("skipped: python3-jsonschema is not installed")
        return SKIPPED
    if not DATA.exists():
        print("skipped: GS1's examples are not here")
        return SKIPPED
    schema = json.loads((DATA / "EPCIS-JSON-Schema.json").read_text("utf-8"))
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    failures = check_json(sys.argv[1], validator) + check_converter(sys.argv[1])
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
