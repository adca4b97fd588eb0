"""The maker's side of the demonstration: its products, places and partners, and what is done to a lot.

A *lot* here is one that a run made: its numbers live in this process, as on a line, and nowhere else.
"""
import datetime
import json
import secrets
import subprocess

from stage import require
from trace_site import Refused

PREFIX = "9506000"  # of GS1's own examples: nobody's
POOL_CAPACITY = 10_000_000
SERIAL_CHARACTERS = 12


def with_check_digit(digits):
    """GS1 General Specifications 7.9."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


GTIN = with_check_digit("0950600013435")
PLANT = with_check_digit(PREFIX + "14001")
WAREHOUSE = with_check_digit(PREFIX + "14002")
HOSPITAL = with_check_digit(PREFIX + "14003")


def sscc(number):
    return with_check_digit(f"0{PREFIX}{number:09}")


def sscc_link(number):
    return f"https://id.gs1.org/00/{sscc(number)}"


def link(serial):
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def openssl_opens(sealed, folder):
    """What is in a hand-over, opened by OpenSSL with the key of a certificate's folder; None if that
    key does not open it."""
    done = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-recip", folder / "cert.pem",
                           "-inkey", folder / "key.pem"], input=sealed, capture_output=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def found(client, path, body):
    """The row, or None."""
    try:
        return client.post(path, body)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        return None


class Company:
    """Products, partners and places of the site, found or made."""

    def __init__(self, site):
        self.site = site
        self.admin, self.planner, self.quality, self.line, self.distributor, self.hospital, self.viewer = (
            site.client(name) for name in ("registrar-1", "planner-1", "quality-1", "line-1",
                                           "distributor-1", "hospital-1", "viewer-1"))
        self.product = self._row("/api/trace/products", {"gtin": GTIN}, {
            "gtin": GTIN, "name": "Coronary stent 3.0 x 18", "name_zh": "冠状动脉支架 3.0 x 18",
            "level": "each", "prefix_length": len(PREFIX), "kind": "device"})
        partners = {
            "distributor-1": self._partner("Distributor", WAREHOUSE, "wholesaler", "distributor-1"),
            "hospital-1": self._partner("Hospital", HOSPITAL, "hospital", "hospital-1")}
        self.plant = self._place(PLANT, "Plant", 0, lines=["line-1"])
        self.warehouse = self._place(WAREHOUSE, "Distributor's warehouse", partners["distributor-1"])
        self.ward = self._place(HOSPITAL, "Hospital", partners["hospital-1"])

    def _row(self, path, key, body):
        row = found(self.admin, f"{path}/find", key)
        return row["id"] if row else self.admin.post(path, body)["id"]

    def _partner(self, name, gln, kind, certificate):
        for row in self.admin.get("/api/trace/partners?limit=1000")["items"]:
            if row["gln"] == gln:
                return row["id"]
        return self.admin.post("/api/trace/partners", {
            "name": name, "gln": gln, "kind": kind, "certificates": [certificate]})["id"]

    def _place(self, gln, name, partner, **more):
        return self._row("/api/trace/places", {"gln": gln}, {
            "gln": gln, "name": name, "partner": partner, "prefix_length": len(PREFIX), **more})

    def pool(self, count):
        """(id, alphabet, the chance that a blind guess hits when all are issued) of one with so many left."""
        rows = self.admin.get(f"/api/trace/products/{self.product}/pools")["items"]
        for row in rows:
            if row["drawn"] and row["open"] and row["capacity"] - row["issued"] >= count:
                break
        else:  # of another length: two pools must not make one number
            made = self.admin.post("/api/trace/pools", {
                "product": self.product, "length": SERIAL_CHARACTERS + len(rows), "capacity": POOL_CAPACITY})
            row = self.admin.get(f"/api/trace/pools/{made['id']}")
        density = row["capacity"] / len(row["alphabet"]) ** (row["length"] - len(row["prefix"]))
        return row["id"], row["alphabet"], density

    def next_number(self, name, count=1):
        """Remembered before it is used: after a crash a number is skipped, never used twice."""
        first = self.site.place.state.get(name, 0) + 1
        self.site.place.remember(**{name: first + count - 1})
        return first


class Lot:
    """One that is made now: registered, released, and its numbers with the line."""

    def __init__(self, company, count, kind="L"):
        self.company = company
        today = datetime.date.today()
        self.made, self.expires = today, today.replace(day=1, year=today.year + 3)
        self.number = f"{kind}{today:%y%m%d}-{company.next_number('lots_made')}"
        self.id = company.admin.post("/api/trace/lots", {
            "product": company.product, "number": self.number, "made": str(self.made),
            "expires": str(self.expires), "certificate": "CoA-17", "certificate_sha256": "a" * 64})["id"]
        company.quality.post(f"/api/trace/lots/{self.id}/release", {"reason": "batch record reviewed"})
        pool, self.alphabet, self.density = company.pool(count)
        self.allocation = company.planner.post("/api/trace/allocations", {
            "pool": pool, "count": count, "lot": self.id, "place": company.plant})["id"]
        self.sealed = company.line.post(f"/api/trace/allocations/{self.allocation}/handover",
                                        {"format": "json"})
        opened = openssl_opens(self.sealed, company.site.folder_of("line-1"))
        require(opened is not None, "the line cannot open its numbers")
        self.serials = opened["serials"]
        require(len(set(self.serials)) == count, f"{count} numbers ordered, {len(set(self.serials))} came")
        self.items = [link(serial) for serial in self.serials]
        self.cases, self.pallets = [], []

    def made_up(self):
        """What somebody would try who knows the rule of the numbers."""
        return "".join(secrets.choice(self.alphabet) for _ in self.serials[0])

    def elements(self, serial):
        """As a person reads it."""
        return f"(01){GTIN}(17){self.expires:%y%m%d}(10){self.number}(21){serial}"

    def scan(self, serial, lot=None):
        """As a scanner gives a GS1 Data Matrix: symbology identifier, FNC1 as GS."""
        return f"]d201{GTIN}17{self.expires:%y%m%d}10{lot or self.number}\x1d21{serial}"

    def commission(self, batch=1000):
        for at in range(0, len(self.items), batch):
            self.company.line.act("commission", place=self.company.plant, lot=self.id,
                                  items=self.items[at:at + batch])

    def pack(self, in_a_case, on_a_pallet):
        line, plant = self.company.line, self.company.plant
        cases, pallets = len(self.items) // in_a_case, len(self.items) // in_a_case // on_a_pallet
        first = self.company.next_number("units_made", cases + pallets)
        self.case_numbers = list(range(first, first + cases))
        self.cases = [sscc_link(n) for n in self.case_numbers]
        self.pallets = [sscc_link(n) for n in range(first + cases, first + cases + pallets)]
        for at, case in enumerate(self.cases):
            line.act("pack", place=plant, container=case,
                     items=self.items[at * in_a_case:(at + 1) * in_a_case])
        for at, pallet in enumerate(self.pallets):
            line.act("pack", place=plant, container=pallet,
                     items=self.cases[at * on_a_pallet:(at + 1) * on_a_pallet])

    def ship_and_receive(self, units):
        company = self.company
        company.planner.act("ship", place=company.plant, to=company.warehouse, items=units)
        company.distributor.act("receive", place=company.warehouse, items=units)

    def to_the_hospital(self, cases):
        """By the distributor; the hospital unpacks them."""
        company = self.company
        company.distributor.act("ship", place=company.warehouse, to=company.ward, items=cases)
        company.hospital.act("receive", place=company.ward, items=cases)
        for case in cases:
            company.hospital.act("unpack", place=company.ward, container=case)

    def reconciliation(self):
        return self.company.planner.get(f"/api/trace/lots/{self.id}/reconciliation")


def verdict(client, scan, place=None):
    body = {"scan": scan} if place is None else {"scan": scan, "place": place}
    return client.post("/api/trace/verify", body)["verdict"]
