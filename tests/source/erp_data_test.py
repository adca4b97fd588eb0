#!/usr/bin/python3
"""The demonstration's rows: the same for the same seed, valid where a standard says so, nobody's."""
import hashlib
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "demo"))
import erp_data  # noqa: E402


def table(name, scale=0.02, seed=erp_data.SEED):
    names = [c.strip() for c in erp_data.COLUMNS[name].split(",")]
    return [dict(zip(names, row)) for row in erp_data.rows(name, scale, seed)]


def digest(name, seed):
    lines = "".join(erp_data.copy_line(r) for r in erp_data.rows(name, 0.02, seed))
    return hashlib.sha256(lines.encode()).hexdigest()


class Rows(unittest.TestCase):
    def test_numbers_of_rows(self):
        counts = erp_data.counts(1.0)
        self.assertEqual((counts["customers"], counts["batches"], counts["device_usage"]),
                         (20_000, 5_000, 50_000))
        for name in erp_data.ROWS:
            self.assertEqual(len(table(name)), erp_data.counts(0.02)[name], name)

    def test_same_seed_same_rows(self):
        for name in erp_data.ROWS:
            self.assertEqual(digest(name, 1), digest(name, 1), name)
            if name != "distributors" and name != "devices":
                self.assertNotEqual(digest(name, 1), digest(name, 2), name)

    def test_check_digits_of_the_standards(self):
        # GS1 General Specifications, figure 7.9.1: 4 0 0 6 3 8 1 3 3 3 9 3 -> 1
        self.assertEqual(erp_data.gs1_check_digit("400638133393"), "1")
        # GB 11643-1999, the two examples of its text
        for body, check in (("11010519491231002", "X"), ("44052418800101001", "4")):
            total = sum(int(d) * (2 ** (17 - i) % 11) for i, d in enumerate(body))
            self.assertEqual("10X98765432"[total % 11], check)

    def test_identity_numbers(self):
        seen = set()
        for row in table("customers", 0.2):
            number = row["contact_id_number"]
            if number is None:
                continue
            self.assertRegex(number, r"^99\d{15}[\dX]$")  # no province has code 99
            total = sum((10 if c == "X" else int(c)) * (2 ** (17 - i) % 11)
                        for i, c in enumerate(number))
            self.assertEqual(total % 11, 1)  # ISO 7064 MOD 11-2
            self.assertNotIn(number, seen)
            seen.add(number)

    def test_gtins(self):
        for row in table("devices", 1.0):
            self.assertRegex(row["udi_di"], r"^02\d{12}$")  # prefix 2: restricted circulation
            self.assertEqual(erp_data.gs1_check_digit(row["udi_di"][:-1]), row["udi_di"][-1])

    def test_names_are_nobodys(self):
        for name in ("customers", "distributors"):
            for row in table(name):
                self.assertTrue(re.search("Example|示例", row["name"]), row["name"])
        for row in table("customers"):
            self.assertTrue(row["contact_phone"] is None or row["contact_phone"].startswith("100-"))

    def test_foreign_keys(self):
        for child, column, parent in (("batches", "formula_id", "formulas"),
                                      ("device_usage", "batch_id", "batches"),
                                      ("invoices", "customer_id", "customers")):
            ids = {row["id"] for row in table(parent)}
            self.assertTrue(all(row[column] in ids for row in table(child)), child)

    def test_copy_form(self):
        self.assertEqual(erp_data.copy_line((1, None, "a\tb\\c\nd")), "1\t\\N\ta\\tb\\\\c\\nd\n")
        stream = erp_data.CopyStream("devices", 1.0)
        pieces = []
        while piece := stream.read(100):
            self.assertLessEqual(len(piece), 100)
            pieces.append(piece)
        whole = "".join(map(erp_data.copy_line, erp_data.rows("devices", 1.0)))
        self.assertEqual(b"".join(pieces).decode(), whole)


if __name__ == "__main__":
    unittest.main()
