#!/usr/bin/python3
"""The search for serials finds them in every form and place in which a program could have left them."""
import base64
import os
import pathlib
import secrets
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "demo"))
import serial_search  # noqa: E402

SERIALS = [serial_search.make_control() for _ in range(200)]


class SerialSearch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.hunt = serial_search.Hunt(SERIALS)

    def seen(self, data):
        (self.folder / "file").write_bytes(data)
        serials, control, size = self.hunt.search(self.folder)
        self.assertEqual(size, len(data))
        return serials, control

    def test_every_form_is_found_and_named(self):
        for name, data in serial_search.forms(self.hunt.control).items():
            self.assertEqual(self.seen(b"\x00\xff" + data + b"\n\x80"), (set(), {name}))
        self.assertEqual(self.seen(b"".join(serial_search.forms(SERIALS[7]).values())), ({SERIALS[7]}, set()))

    def test_base64_at_any_place_of_longer_data(self):
        for before in range(9):
            for after in range(4):
                text = base64.b64encode(os.urandom(before) + SERIALS[0].encode() + os.urandom(after))
                self.assertEqual(self.seen(b'{"x":"' + text + b'"}')[0], {SERIALS[0]}, (before, after))

    def test_utf_16_in_either_order(self):
        for encoding in ("utf-16-le", "utf-16-be"):
            self.assertEqual(self.seen(f"a{SERIALS[1]}b".encode(encoding))[0], {SERIALS[1]}, encoding)

    def test_nothing_is_found_where_nothing_is(self):
        noise = os.urandom(1 << 20) + base64.b64encode(os.urandom(1 << 18)) + secrets.token_hex(1 << 17).encode()
        self.assertEqual(self.seen(noise + SERIALS[0][:-1].encode()), (set(), set()))

    def test_folders_below_are_searched_and_what_cannot_be_read_is_an_error(self):
        (self.folder / "a" / "b").mkdir(parents=True)
        (self.folder / "a" / "b" / "c").write_text(f"{SERIALS[2]}{SERIALS[3]}", "ascii")
        self.assertEqual(self.hunt.search(self.folder)[0], {SERIALS[2], SERIALS[3]})
        if os.geteuid() != 0:
            (self.folder / "a" / "b" / "c").chmod(0)
            with self.assertRaises(OSError):
                self.hunt.search(self.folder)


if __name__ == "__main__":
    unittest.main()
