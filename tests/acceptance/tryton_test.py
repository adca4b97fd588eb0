#!/usr/bin/python3
"""Tryton 6.0's own module suites, directly and through the gateway with what is personal protected.

usage: tryton_test.py [MODULE...]     default: party country company product
The suites make their databases through the gateway: the policy's columns are awaited, and protected
by the DDL that Tryton sends. Every test gives its direct verdict, or ends in a refusal that
tryton_known.txt lists. exit: 0 so, 1 not so, 77 skipped.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

from stage import HERE, ROLE, Stage

MODULES = ("party", "country", "company", "product")
POLICY = (HERE / "tryton_policy.yaml").read_text("utf-8")
KNOWN = HERE / "tryton_known.txt"


def run(stage, module, port, way):
    """Verdicts of the module's suite; None if it died before it could write them."""
    out = stage.place.folder("out")
    settings, verdicts = out / f"{way}.conf", out / f"{module}-{way}.json"
    settings.write_text(
        f"[database]\nuri = postgresql://{ROLE}:{stage.place.password(ROLE)}@127.0.0.1:{port}/\n"
        f"path = {out}/filestore\n[session]\nsuper_pwd =\n", "utf-8")
    environment = stage.environment(port) | {"DB_NAME": f"tryton_{module}"}
    environment.pop("DB_CACHE", None)
    stage.ask(f"DROP DATABASE IF EXISTS tryton_{module} WITH (FORCE)")
    began = time.monotonic()
    with open(out / f"{module}-{way}.log", "wb") as log:
        subprocess.run(["/usr/bin/python3", "-W", "ignore", HERE / "run_tryton.py", module, settings,
                        verdicts], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                       env=environment, cwd=HERE, timeout=1800)
    print(f"{module} {way}: {time.monotonic() - began:.0f} s", flush=True)
    return json.loads(verdicts.read_text("utf-8")) if verdicts.exists() else None


def main(modules):
    from verdicts import compare, read_known
    try:
        import trytond  # noqa: F401
        import proteus  # noqa: F401
    except ImportError:
        print("skipped: tryton-server, tryton-proteus and tryton-modules-all are not installed")
        return 77
    known = read_known(KNOWN)
    good = True
    with Stage("tryton", POLICY) as stage:
        direct = {module: run(stage, module, stage.cluster.port, "direct") for module in modules}
        stage.start_gateway()
        for module in modules:
            gateway = run(stage, module, stage.gateway_port, "gateway")
            if not direct[module] or gateway is None:
                print(f"{module}: no verdicts")
                good = False
            else:
                good &= compare(direct[module], gateway, module, known)
        good &= stage.gateway_lives()
        copy = os.environ.get("OUT")
        if copy:
            subprocess.run(["cp", "-r", stage.place.dir / "out", stage.place.dir / "log", copy],
                           check=False)
    return 0 if good else 1


if __name__ == "__main__":
    pathlib.Path(os.environ.get("OUT", "/")).mkdir(exist_ok=True)
    sys.exit(main(sys.argv[1:] or MODULES))
