"""The story of ./run: eleven lines, each printed only after what it says was seen. The first six are
about the ERP; story_trace.py has the others, about serial numbers."""
import signal

import acts
import story_trace
from parts import LEASE_S
from place import program, say
from stage import COLUMNS, clear_line, differences, progress, require, total_rows

NOT_PROTECTED = (
    "not protected against: whoever takes over the running gateway, who then reads what its users may",
    "read; seeing which rows are touched and which searchable values are equal; deleting rows, or",
    "putting an older value back into the same cell. docs/threat-model.md has the whole list.",
)


def grouped(number):
    return f"{number:,}"


def shortened(text, length):
    return text if len(text) <= length else text[:length] + "…"


def tell(stage):
    """All lines. Leaves everything running and sealed; returns the lot that was made."""
    first_lines(stage)
    hunt = acts.Hunt(stage)
    try:
        sealing(stage, hunt)
        who_sees_what(stage, hunt)
    finally:
        hunt.close()
    rotation(stage)
    attacks(stage)
    revocation(stage)
    lot = story_trace.tell(stage)
    for line in NOT_PROTECTED:
        say(line)
    return lot


def first_lines(stage):
    progress("[1/11] demo ERP: starting")
    stage.start_database(lambda table: progress(f"[1/11] demo ERP: loading {table}"))
    rows = grouped(total_rows(stage.cluster.count_rows()))
    if stage.registered_columns():
        clear_line()
        say(f"[1/11] demo ERP up, {rows} rows, sealed in an earlier run (./run --fresh starts over)")
        return
    (name, number), = stage.cluster.ask(
        "SELECT contact_name, contact_id_number FROM customers WHERE id = 1")
    (code, composition), = stage.cluster.ask("SELECT code, composition FROM formulas WHERE id = 1")
    require(name == "张伟" and number and composition, "the demonstration's rows are not the expected ones")
    clear_line()
    say(f"[1/11] demo ERP up, {rows} rows, PLAIN.     the DBA reads: {name} | {shortened(number, 14)}"
        f" | formula {code}: {shortened(composition, 24)}")


def sealing(stage, hunt):
    stage.start_keyd()
    if stage.protected_columns() == COLUMNS:
        stage.start_gateway()
        acts.remove_canaries(stage.erp)
        rows = stage.read_tables(stage.gateway_port(), "erp_app")
        opened = sum(len(table) for table in rows.values())
        say(f"[2/11] {COLUMNS} columns stay sealed: {grouped(opened)} rows opened, reversible with"
            " ./run undo")
        return
    resumed = stage.registered_columns() > 0  # an earlier run was stopped half-way
    before = {}
    if not resumed:
        acts.remove_canaries(stage.cluster.ask)
        before = stage.read_tables(stage.cluster.port, "dba")
        hunt.plant_before()
    report = stage.seal(show=True)
    require(stage.protected_columns() == COLUMNS, f"not all {COLUMNS} columns are sealed")
    stage.start_gateway()
    after = stage.read_tables(stage.gateway_port(), "erp_app")
    if resumed:  # what was sealed by then cannot be read plain; each row was compared when it was
        compared = sum(table.get("compared", 0) for table in report.get("tables", []))
    else:
        for table in after.values():
            for key in [k for k in table if acts.CANARY_ID <= k < acts.CANARY_ID + 1000]:
                del table[key]
        compared, bad = differences(before, after)
        require(not bad, f"{len(bad)} rows differ after sealing, the first in {bad[:1]}")
    say(f"[2/11] sealing {COLUMNS} columns  ████████████  {grouped(compared)}/{grouped(compared)}"
        " rows compared, reversible with ./run undo")


def who_sees_what(stage, hunt):
    erp = stage.erp("SELECT contact_name FROM customers WHERE id = 1")[0][0]
    warehouse = stage.erp("SELECT contact_name FROM customers WHERE id = 1", role="warehouse")[0][0]
    sealed_name, _ = acts.helper_names(stage, "customers", "contact_name")
    sealed = bytes(stage.cluster.ask(f"SELECT {sealed_name} FROM customers WHERE id = 1")[0][0])
    require(erp == "张伟" and warehouse == "张*", "ERP or warehouse do not see what the policy says")
    require("张伟".encode() not in sealed, "the sealed value holds the name")
    hunt.plant_through_gateway()
    hunt.plant_control()
    seen = hunt.search()
    leaks = {place: count for place, (count, _, _) in seen.items() if count}
    blind = [place for place, (_, control, _) in seen.items() if control is False]
    require(not leaks, f"canaries were found: {leaks}")
    require(not blind, f"the planted control was not found in: {', '.join(blind)}")
    say(f"[3/11] ERP: {erp}   warehouse: {warehouse}   DBA: {sealed[:4].hex(' ')}…      files, WAL, logs:"
        f" 0 of {len(hunt.canaries)} canaries (control found)")
    acts.remove_canaries(stage.erp)


def rotation(stage):
    outcome, before, after = acts.rotate_under_load(stage, "person")
    require(outcome.failed() == 0, f"statements failed during rotation: {outcome.examples}")
    require(before != after, "the key did not change")
    say(f"[4/11] key rotated under load: {grouped(outcome.statements)} statements, 0 failed")


def attacks(stage):
    sealed, _ = acts.helper_names(stage, "device_usage", "patient_name")
    rows = stage.erp("SELECT id FROM device_usage WHERE patient_name IS NOT NULL ORDER BY id LIMIT 2")
    (one,), (two,) = rows
    moved = acts.swap_and_read(stage, "device_usage", sealed, sealed, one, two, "patient_name")
    acts.fail_unless(moved, "XX001", "a value moved to another row")
    plain = acts.sqlstate_of(lambda: stage.cluster.ask(
        "UPDATE customers SET contact_name = 'plain' WHERE id = 1", role="erp_app"))
    require(plain, "a plain write around the gateway went through")
    as_dba = acts.sqlstate_of(lambda: stage.cluster.ask(
        "UPDATE customers SET contact_name = 'plain' WHERE id = 1"))
    acts.fail_unless(as_dba, "23514", "a plain write by the DBA")
    entry, finding = acts.edited_log_is_found(stage)
    say(f"[5/11] attacked: value moved → refused · plain write → refused · log edited → {finding} at entry"
        f" {entry}")


def revocation(stage):
    refused_s, restored_s, _ = acts.revoke_and_restore(stage, "person", LEASE_S)
    say(f"[6/11] key revoked → refused in {refused_s:.1f} s (lease {LEASE_S} s) · restored → works"
        f" ({restored_s:.1f} s)")


def what_next(stage, lot):
    gateway, direct = stage.gateway_port(), stage.cluster.port
    say("")
    say("Everything is up. Try, in another terminal:")
    some = "id, name, contact_name, contact_phone"
    for who, role, port, columns in (("the ERP", "erp_app", gateway, some),
                                     ("the warehouse", "warehouse", gateway, some),
                                     ("the inspector", "inspector", gateway, some),
                                     ("the DBA", "dba", direct, "*")):
        say(f"  {who + ':':15} psql postgres://{role}:{stage.place.password(role)}@127.0.0.1:{port}/erp"
            f" -c 'SELECT {columns} FROM customers LIMIT 3'")
    say(f"  {'the audit log:':15} {program('theriac')} audit verify {stage.parts.audit / 'gateway'}")
    story_trace.what_next(stage.trace, lot)
    say("Ctrl-C stops it all; then ./run undo takes the protection back.")


def wait_for_the_end():
    """Until Ctrl-C, SIGTERM or the end of the terminal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    try:
        signal.sigwait({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


def undo(stage):
    """Takes protection back and compares row by row what the ERP read before with what is plain now."""
    stage.start_database()
    if not stage.registered_columns():
        say("nothing is sealed: there is nothing to undo")
        return
    stage.start_keyd()
    whole = stage.protected_columns() == stage.registered_columns()
    before = {}
    if whole:
        stage.start_gateway()
        before = stage.read_tables(stage.gateway_port(), "erp_app")
        stage.parts.gateway.stop()
    report = stage.parts.unprotect(show=True)
    after = stage.read_tables(stage.cluster.port, "erp_app")
    if whole:
        compared, bad = differences(before, after)
        require(not bad, f"{len(bad)} of {compared} rows differ, the first in {bad[:1]}")
    else:  # an earlier run was stopped half-way, so there was no reading it through the gateway
        compared = sum(table.get("compared", 0) for table in report.get("tables", []))
    helpers = stage.cluster.ask("SELECT count(*) FROM pg_attribute WHERE attname LIKE 'theriac%'"
                                " AND NOT attisdropped")[0][0]
    require(helpers == 0, f"{helpers} helper columns are left")
    say(f"plain again: {grouped(compared)}/{grouped(compared)} rows compared, 0 differ")
