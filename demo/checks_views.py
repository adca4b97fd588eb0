"""A view over protected columns: read like a table, by each role as its policy says."""
import acts
from stage import require

TABLE = "SELECT id, name, contact_name, contact_phone, province FROM customers WHERE id <= 500 ORDER BY id"
VIEW = "SELECT * FROM customer_directory WHERE id <= 500 ORDER BY id"


def views(run):
    stage = run.stage
    clear, masked = stage.erp(VIEW), stage.erp(VIEW, role="warehouse")
    require(clear == stage.erp(TABLE) and len(clear) > 100, "the view does not show what the table holds")
    require(masked == stage.erp(TABLE, role="warehouse"), "a masked role sees other things through the view")
    require(all(one[2] != two[2] for one, two in zip(clear, masked)), "a name is not masked")
    person, phone = next((row[2], row[3]) for row in clear if row[3] is not None)
    found = stage.erp("SELECT id FROM customer_directory WHERE person = %s AND phone = %s", (person, phone))
    require(len(found) >= 1, "nobody is found by name and telephone")
    require(stage.erp("SELECT pg_get_viewdef('customer_directory'::regclass)")[0][0].count("theriac") == 0,
            "the view's definition shows its physical form")
    for role, sql in (("warehouse", "SELECT id FROM customer_directory WHERE phone = '1'"),
                      ("inspector", "SELECT person FROM customer_directory")):
        acts.fail_unless(acts.sqlstate_of(lambda r=role, s=sql: stage.erp(s, role=r)), "42501", f"{role}: {sql}")
    direct = acts.sqlstate_of(lambda: stage.cluster.ask(VIEW, role="erp_app"))
    acts.fail_unless(direct, "42501", "the view read directly")
    return f"{len(clear)} rows, opened and masked"
