"""./run --check: the main job end to end, one line per check, in a folder of its own (var/check)."""
import time
import traceback

import psycopg2
import yaml

import acts
import checks_data
import checks_exchange
import checks_faults
import checks_masks
import checks_trace
import checks_trace_calls
import checks_trace_faults
import checks_views
from checks_data import BENCH_TABLES
from libpq import SqlError
from place import DEMO, Failed, Place, say
from stage import COLUMNS, Stage, differences, interruptible, require, total_rows


class CheckStage(Stage):
    """The demonstration, plus pgbench's tables and an unprotected twin of each protected table."""

    def policy_file(self):
        policy = yaml.safe_load((DEMO / "policy.yaml").read_text("utf-8"))
        policy["classes"]["bench"] = {"suite": "aes", "buckets": [128]}
        policy["columns"] += [{"table": f"public.{t}", "column": "filler", "class": "bench"}
                              for t in BENCH_TABLES]
        policy["roles"]["erp_app"]["bench"] = "clear"
        policy["roles"]["inspector"].update(checks_masks.RULES)
        for role, rule in checks_exchange.RULES.items():
            policy["roles"][role] = {**({} if "backup" in rule else policy["roles"]["erp_app"]), **rule}
        path = self.place.dir / "policy.yaml"
        path.write_text(yaml.safe_dump(policy, allow_unicode=True, sort_keys=False), "utf-8")
        return path


class Run:
    """What the checks share."""

    def __init__(self, stage):
        self.stage = stage
        self.before = {}
        self.hunt = None
        self.protected = {}
        self.site = self.company = self.lot = None  # checks_trace.site_of


def bring_up(run):
    stage = run.stage
    stage.start_database()
    checks_data.make_bench(stage)
    checks_data.make_twins(stage)
    checks_exchange.make_roles(stage)
    run.hunt = acts.Hunt(stage)
    run.hunt.plant_before()
    run.before = stage.read_tables(stage.cluster.port, "dba")
    stage.start_keyd()
    return f"{total_rows(stage.cluster.count_rows()):,} rows"


def seal(run):
    stage = run.stage
    began = time.monotonic()
    run.protected = stage.seal()
    seconds = time.monotonic() - began
    want = COLUMNS + len(BENCH_TABLES)
    require(stage.protected_columns() == want, f"not all {want} columns are sealed")
    stage.start_gateway()
    after = stage.read_tables(stage.gateway_port(), "erp_app")
    compared, bad = differences(run.before, after)
    require(not bad, f"{len(bad)} rows differ, the first in {bad[:1]}")
    return f"{want} columns, {compared:,} rows compared, {seconds:.0f} s"


def unseal(run):
    stage = run.stage
    before = stage.read_tables(stage.gateway_port(), "erp_app")
    stage.parts.gateway.stop()
    stage.parts.unprotect()
    after = stage.read_tables(stage.cluster.port, "erp_app")
    compared, bad = differences(before, after)
    require(not bad, f"{len(bad)} rows differ, the first in {bad[:1]}")
    helpers = stage.cluster.ask("SELECT count(*) FROM pg_attribute WHERE attname LIKE 'theriac%%'"
                                " AND NOT attisdropped AND attrelid::regclass::text NOT LIKE 'theriac%%'",
                                ())[0][0]
    require(helpers == 0, f"{helpers} helper columns are left")
    return f"{compared:,} rows compared"


CHECKS = (
    ("the company comes up with plain rows", bring_up),
    ("a filled database is sealed, every row compared", seal),
    ("read directly the columns are sealed", checks_data.sealed_directly),
    ("rows of psql and psycopg2 read back equal, text and binary", checks_data.round_trip),
    ("COPY in and out is what a plain table gives, sealed at rest", checks_exchange.copy),
    ("pgbench TPC-B runs with its filler columns sealed", checks_data.pgbench),
    ("200 canaries are nowhere; a planted control is found", checks_data.canaries_nowhere),
    ("gateway and key service leave no core dump; a control does", checks_faults.no_core_dump),
    ("a masked role gets masks, a denied role is refused", checks_data.roles),
    ("telephone, band and pseudonym masks show what the policy says", checks_masks.masks),
    ("a view over protected columns is opened, masked and searched", checks_views.views),
    ("equal values have different sealed bytes", checks_data.equal_values),
    ("a value moved to another column or row does not open", checks_data.moved_values),
    ("direct SELECT *, SELECT c, INSERT, DELETE WHERE c IS NULL fail", checks_data.direct_access),
    ("keys rotate under load without a failed statement", checks_faults.rotation),
    ("audit verifies; edited, cut or rolled back it does not", checks_faults.audit),
    ("a revoked key stops reads and writes; restored it works", checks_faults.revocation),
    ("kill -9 of gateway and key service loses no acknowledged row", checks_faults.kills),
    ("the application changes its tables, protection follows", checks_exchange.schema_change),
    ("a sealed backup restores; an export is in clear and on record", checks_exchange.dump),
    ("protection is taken back, every row compared", unseal),
    ("who knows 1,000 serial numbers guesses no better than chance", checks_trace.numbers),
    ("10,000 packs from their numbers to their recall, as ./run tells", checks_trace_calls.life),
    ("guesses over HTTPS miss, are stopped and on record", checks_trace_calls.guesses),
    ("a pack decommissioned by one is refused by others at once", checks_trace_calls.decommissioned),
    ("labels are read back by an independent decoder", checks_trace_calls.labels_read_back),
    ("EPCIS events come back as they were captured", checks_trace_calls.events),
    ("kill -9 of theriacd loses and doubles nothing acknowledged", checks_trace_faults.kills),
    ("1,000 serials are in no file, log or backup; a control is", checks_trace.hidden),
    ("nor in PostgreSQL's files, write-ahead log or dump", checks_trace.hidden_in_postgresql),
    ("on PostgreSQL kill -9 loses and doubles nothing either", checks_trace_faults.kills_on_postgresql),
    ("the ERP's captured workload gives what a plain database gives", checks_exchange.workload),
)
NEEDED = (bring_up, seal)  # without these the others mean nothing


def run_checks():
    passed, failed = 0, 0
    with Place("check") as place, interruptible():
        stage = CheckStage(place)
        try:
            stage.start_over()
            run = Run(stage)
            broken = None
            for name, check in CHECKS:
                began = time.monotonic()
                try:
                    require(broken is None, f"not run, because this failed: {broken}")
                    detail = check(run)
                    passed += 1
                    say(f"ok      {name}{f' ({detail})' if detail else ''}"
                        f" [{time.monotonic() - began:.1f} s]")
                except (Failed, psycopg2.Error, SqlError, OSError, AssertionError, KeyError, IndexError,
                        TypeError, ValueError) as error:
                    failed += 1
                    reason = str(error).strip().replace("\n", " ")
                    say(f"FAILED  {name}: {type(error).__name__}: {reason}")
                    if not isinstance(error, Failed):
                        traceback.print_exc()
                    if check in NEEDED:
                        broken = broken or name
            if run.hunt:
                run.hunt.close()
        finally:
            stage.down()
        if passed and not failed:
            place.erase()  # nothing to look at: everything held
    say(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
