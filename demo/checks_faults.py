"""Checks of what happens when something is attacked, killed or taken away."""
import os
import resource
import signal
import subprocess
import sys

import acts
from canaries import Search
from processes import wait_until
from parts import LEASE_S, invoke
from place import program
from stage import require
from workload import Workload, compare_acknowledged


KILLS = (("gateway",), ("keyd",), ("gateway", "keyd")) * 3


def no_core_dump(run):
    """Both services get SIGABRT with unlimited core size; a control process shows that a dump would
    have been written, and that its contents would have been found."""
    stage = run.stage
    place = stage.place
    folder = place.folder("cores")
    control = run.hunt.control.value
    program = ("import os, resource, signal\n"
               "resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)\n"
               f"kept = {control!r}\nos.kill(os.getpid(), signal.SIGABRT)\n")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        program = program.replace("(resource.RLIM_INFINITY,) * 2",
                                  "(resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2")
    done = os.waitpid(subprocess.Popen([sys.executable, "-c", program], cwd=folder,
                                       stderr=subprocess.DEVNULL).pid, 0)[1]
    require(os.WIFSIGNALED(done), "the control process did not abort")
    control_dumped = os.WCOREDUMP(done)
    dumped = []
    for service in (stage.parts.gateway, stage.parts.keyd):
        limits = resource.prlimit(service.pid(), resource.RLIMIT_CORE)
        status = service.abort()
        require(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT,
                f"{service.name} did not end by SIGABRT")
        if os.WCOREDUMP(status) or limits[0] != 0:
            dumped.append(service.name)
    stage.start_keyd_again()
    stage.start_gateway()
    search = Search(run.hunt.patterns)
    search.folder(folder)
    require(not dumped, f"core dumps are possible: {', '.join(dumped)}")
    require(not search.found, "a canary is in a core dump")
    if not control_dumped:
        return "core size 0 in both; this machine writes no core dumps at all, so no control"
    found = Search(run.hunt.control.patterns)
    found.folder(folder)
    where = "found in its dump" if found.found else "dumped elsewhere (kernel.core_pattern)"
    return f"control: {where}"


def rotation(run):
    outcome, before, after = acts.rotate_under_load(run.stage, "person")
    require(outcome.failed() == 0, f"statements failed: {outcome.examples}")
    require(before != after, "the key did not change")
    connection = run.stage.connect("erp_app")
    bad = compare_acknowledged(connection, outcome)
    connection.close()
    require(not bad, f"{len(bad)} acknowledged rows are missing or differ")
    return f"{outcome.statements:,} statements, 0 failed"


def audit(run):
    stage, found = run.stage, []
    for name, folder in (("gateway", stage.parts.audit / "gateway"),
                         ("keyd", stage.parts.keyd_state / "audit")):
        remembered = stage.place.dir / f"{name}.remembered"
        older, verdict = acts.consistent_copy(stage, folder, f"{name}-older")
        grow(stage)
        wait_until(lambda f=folder: remember(stage, f, remembered, verdict["entries"]), 30,
                   f"the {name} log grows")
        now, verdict = acts.consistent_copy(stage, folder, f"{name}-now")
        code, answer = stage.parts.verify(now, "--remembered", remembered)
        require(code == 0, f"the {name} log does not verify: {answer}")

        edited = acts.copy_log(now, stage.place.dir / "copies" / f"{name}-edited")
        entry = verdict["entries"] * 3 // 4
        acts.edit_entry(edited, entry)
        code, answer = stage.parts.verify(edited)
        require(code == 1 and answer.get("bad_entry") == entry,
                f"{name}: entry {entry} was edited, verification says {answer}")
        cut = acts.copy_log(now, stage.place.dir / "copies" / f"{name}-cut")
        acts.cut_log(cut, verdict["entries"] - 1)
        code, answer = stage.parts.verify(cut)
        require(code == 1, f"{name}: a cut log verifies: {answer}")
        code, answer = stage.parts.verify(older)
        require(code == 0, f"{name}: an older copy alone is a valid log, but was refused: {answer}")
        code, answer = stage.parts.verify(older, "--remembered", remembered)
        require(code == 1, f"{name}: a restored older copy verifies against a later checkpoint")
        found.append(f"{name}: {verdict['entries']:,} entries, edit found at {entry}")
    return "; ".join(found)


def grow(stage):
    """A session and a key act: both logs get entries."""
    stage.erp("SELECT contact_name FROM customers WHERE id = 1")
    stage.parts.key("rotate", "--class", "bench", "--reason", "check", "--wait")


def remember(stage, folder, target, more_than):
    code, verdict = stage.parts.verify(folder)
    if code != 0 or verdict.get("entries", 0) <= more_than:
        return False
    target.unlink(missing_ok=True)
    invoke([program("theriac"), "audit", "remember", folder, "--out", target])
    return True


def revocation(run):
    refused_s, restored_s, states = acts.revoke_and_restore(run.stage, "person", LEASE_S)
    return (f"read {states['read']} and write {states['write']} within {refused_s:.1f} s of a lease of "
            f"{LEASE_S} s; restored in {restored_s:.1f} s")


def kills(run):
    stage = run.stage
    load = Workload(stage.gateway_uri(), 4, seed=3, reconnect=True, writes_only=True,
                    first_id=70_000_000).start()
    try:
        for victims in KILLS:
            require(load.wait_for(150, 60), f"the load does not run: {load.outcome.examples}")
            for victim in victims:
                getattr(stage.parts, victim).kill(signal.SIGKILL)
            if "keyd" in victims:
                stage.start_keyd_again()
            if "gateway" in victims:
                stage.start_gateway()
        require(load.wait_for(150, 60), f"the load does not go on: {load.outcome.examples}")
    finally:
        outcome = load.stop()
    require(len(outcome.acknowledged) > 500, "too few rows to mean anything")
    connection = stage.connect("erp_app")
    bad = compare_acknowledged(connection, outcome)
    connection.close()
    require(not bad, f"{len(bad)} acknowledged rows are missing or differ")
    for folder in (stage.parts.audit / "gateway", stage.parts.keyd_state / "audit"):
        acts.consistent_copy(stage, folder, "after-kills")
    return (f"{len(outcome.acknowledged):,} rows acknowledged, 0 lost,"
            f" {sum(map(len, KILLS))} kills, both logs verify")

