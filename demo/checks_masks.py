"""A role with a rule for each column: what it sees, and that it cannot search."""
import math
import re

import acts
from stage import require

PHONE, NUMBER = "public.customers.contact_phone", "public.customers.contact_id_number"
RULES = {
    "contact": {"rest": "denied",
                "columns": {PHONE: {"mask": "phone"},
                            NUMBER: {"mask": "pseudonym", "recipient": "inspectorate"}}},
    "finance": {"mask": "band", "size": 1000},
}
PROBES = ("SELECT 1 FROM customers WHERE contact_phone = '13812345678'",
          "SELECT 1 FROM customers WHERE contact_id_number = '11010519900307123X'",
          "SELECT count(DISTINCT contact_id_number) FROM customers",
          "SELECT contact_phone, count(*) FROM customers GROUP BY contact_phone",
          "UPDATE customers SET contact_phone = '1' WHERE id = 1")


def phone_mask(value):
    digits = [i for i, c in enumerate(value) if c.isdigit()]
    kept = digits[:3] + digits[-4:] if len(digits) > 7 else []
    return "".join(c if i in kept or c in " -+()./" else "*" for i, c in enumerate(value))


def masks(run):
    stage = run.stage
    ask = ("SELECT contact_phone, credit_limit, contact_id_number FROM customers"
           " WHERE id <= 500 ORDER BY id")
    clear, masked = stage.erp(ask), stage.erp(ask, role="inspector")
    require(len(clear) == len(masked) > 100, f"{len(masked)} rows of {len(clear)}")
    for one, two in zip(clear, masked):
        require(two[0] == (one[0] and phone_mask(one[0])), f"telephone: {two[0]}")
        require(two[1] == (one[1] if one[1] is None else math.floor(one[1] / 1000) * 1000), f"band: {two[1]}")
        require((two[2] is None) == (one[2] is None), "a pseudonym for NULL")
        require(two[2] is None or re.fullmatch("[0-9A-HJKMNP-TV-Z]{16}", two[2]), f"pseudonym: {two[2]}")
    values = [(one[2], two[2]) for one, two in zip(clear, masked) if one[2] is not None]
    require(len({v for v, _ in values}) == len({p for _, p in values}) == len(set(values)),
            "values and pseudonyms are not one to one")
    require(stage.erp(ask, role="inspector") == masked, "pseudonyms are not stable")
    for sql in PROBES:
        acts.fail_unless(acts.sqlstate_of(lambda s=sql: stage.erp(s, role="inspector")), "42501",
                         f"a masked role probes: {sql}")
    return f"{len(masked)} rows, {len(values)} pseudonyms, {len(PROBES)} probes refused"
