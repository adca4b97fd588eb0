"""theriacd killed in the middle of its work."""
import collections
import random
import secrets
import signal
import threading

import epcis_documents as epcis
from checks_trace import on_postgresql, site_of
from packs import Company, Lot
from processes import wait_until
from stage import require

KILLS = 10
IN_A_BATCH, EVENTS_IN_A_CAPTURE, NUMBERS_IN_AN_ALLOCATION = 5, 4, 3
NUMBERS = 20_000  # more than are commissioned meanwhile
BETWEEN_KILLS = (3, 25)  # acknowledged requests


class Load:
    """A line that commissions, a planner who allocates, and a warehouse that captures, each with one
    request under way, sent again until it is answered."""

    def __init__(self, company):
        self.company = company
        self.lot = Lot(company, NUMBERS, kind="K")
        self.pool = company.pool(NUMBERS)[0]
        self.point = f"https://id.gs1.org/414/9521321000017/254/{secrets.token_hex(4)}"
        self.stopping = threading.Event()
        self.acknowledged = collections.Counter()
        self.repeated = 0
        self.allocations, self.event_ids, self.failures = set(), set(), []
        self.threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (
            self._commission, self._allocate, self._capture)]

    def _guarded(self, work):
        try:
            number = 0
            while not self.stopping.is_set():
                work(number)
                number += 1
                self.acknowledged[work.__name__] += 1
        except Exception as failure:  # pylint: disable=broad-except
            self.failures.append(f"{type(failure).__name__}: {failure}")

    def _send(self, caller, expected, send):
        client = self.company.site.client(caller)
        tries = 0

        def counted(with_client):
            nonlocal tries
            tries += 1
            return send(with_client)

        status, reply = client.insist(counted)
        client.close()
        self.repeated += tries > 1
        require(status == expected, f"answered {status}: {reply}")
        return reply

    def _commission(self, number):
        items = self.lot.items[number * IN_A_BATCH:(number + 1) * IN_A_BATCH]
        body = {"act": "commission", "place": self.company.plant, "lot": self.lot.id, "items": items}
        key = f"{self.lot.number}-{number}"
        reply = self._send("line-1", 200, lambda c: c.ask("POST", "/api/trace/acts", body, key))
        require(reply["done"] == IN_A_BATCH, f"{reply['done']} items were commissioned")

    def _allocate(self, number):
        body = {"pool": self.pool, "place": self.company.plant, "count": NUMBERS_IN_AN_ALLOCATION,
                "lot": self.lot.id}
        key = f"{self.lot.number}-more-{number}"
        reply = self._send("planner-1", 200, lambda c: c.ask("POST", "/api/trace/allocations", body, key))
        self.allocations.add(reply["id"])

    def _capture(self, number):
        events = [epcis.observed(self.point, [f"{epcis.MAKER}{number}A{i}"]) for i in range(EVENTS_IN_A_CAPTURE)]
        body = epcis.document(events)
        self._send("planner-1", 202, lambda c: c.ask("POST", "/epcis/capture", body,
                                                     headers={"Content-Type": "application/json"}))
        self.event_ids.update(one["eventID"] for one in events)

    def total(self):
        return sum(self.acknowledged.values())

    def wait_for(self, more):
        end = self.total() + more
        wait_until(lambda: self.total() >= end or self.failures, 120, "theriacd works on")
        require(not self.failures, f"an answer came that must not: {self.failures[:1]}")


def kills(run):
    company, _ = site_of(run)
    return killed(run, company)


def kills_on_postgresql(run):
    with on_postgresql(run) as site:
        return killed(run, Company(site))


def killed(run, company):
    site, load = company.site, Load(company)
    chance = random.Random()
    for thread in load.threads:
        thread.start()
    try:
        for _ in range(KILLS):
            load.wait_for(chance.randrange(*BETWEEN_KILLS))
            site.service.kill(signal.SIGKILL)
            site.start()
        load.wait_for(30)
    finally:
        load.stopping.set()
        for thread in load.threads:
            thread.join()
    require(not load.failures, f"an answer came that must not: {load.failures[:1]}")
    require(load.repeated > 0, "no request was under way when it was killed")
    counted(company, load)
    code, answer = run.stage.parts.verify(site.audit)
    require(code == 0, f"the audit log does not verify: {answer}")
    return (f"{load.total():,} answers, {load.repeated} requests sent again, {KILLS} kills; items, numbers and"
            f" {len(load.event_ids):,} events counted, the audit log verifies")


def counted(company, load):
    """What is there is what was acknowledged, once."""
    commissioned = load.acknowledged["_commission"] * IN_A_BATCH
    more = load.acknowledged["_allocate"] * NUMBERS_IN_AN_ALLOCATION
    sums = load.lot.reconciliation()
    require(sums["commissioned"] == commissioned and sums["adds_up"] and sums["issued"] == NUMBERS + more,
            f"{commissioned} items of {NUMBERS + more} numbers were acknowledged, the lot has {sums}")
    require(len(load.allocations) == load.acknowledged["_allocate"], "an allocation was given twice")
    ids = collections.Counter(one["eventID"] for one in epcis.find(
        company.planner, f"EQ_readPoint={load.point}", per_page=100))
    doubled = [one for one, count in ids.items() if count > 1]
    require(ids.keys() == load.event_ids and not doubled,
            f"{len(load.event_ids)} events were acknowledged, {len(ids)} are there, {len(doubled)} twice")
