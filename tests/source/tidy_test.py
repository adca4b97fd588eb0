#!/usr/bin/python3
"""tools/tidy.py must find each thing it forbids: a checker that finds nothing proves nothing."""
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import tidy  # noqa: E402

FORBIDDEN = {
    "src/x/a.cpp": [
        "// TO" + "DO later\n", "int n = atoi(text);\n", "std::system(\"ls\");\nsystem(name);\n",
        "using namespace std;\n", "int r = rand();\n", "worker.detach();\n", "char* p = strcpy(a, b);\n",
        "RAND_bytes(p, 3);\n", "try { f(); } catch (...) {}\n", "x;\n" * 601,
        "auto p = \"/wo" + "rk/main\";\n", "f();\n  rc::check(g);\n",
    ],
    "src/x/a.hpp": ["#pragma once\nint f();\n", "// Fine, but without the guard.\nint f();\n"],
    "src/x/a_test.cpp": ["std::this_thread::sl" + "eep_for(1ms);\n", "usl" + "eep(5);\n"],
    "tests/x/a.py": ["time.sl" + "eep(1)\n"],
    "docs/x.md": ["see [there](not-a-file.md)\n"],
}
ALLOWED = {
    "src/x/a.cpp": [
        "// the system() of the hospital, not atoi( or rand()\nint f();\n",
        "const char* text = \"rand() strcpy( using namespace std;\";\n", "run(system_clock, grand());\n",
        "filesystem(path);\n", "catalogue.system(name);\n",
        "f();\nEXPECT_TRUE(\n    rc::check(g));\n",
    ],
    "src/x/a.hpp": ["// Contract.\n#pragma once\n"],
    "src/crypto/a.cpp": ["RAND_bytes(p, 3);\n"],
    "docs/x.md": ["[code](https://example.org/x) and `[a](b)`\n"],
}


class Rules(unittest.TestCase):
    def findings(self, path, text):
        tidy.findings.clear()
        folder = pathlib.Path(self.folder.name)
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        tidy.check_file(path)
        return list(tidy.findings)

    def setUp(self):
        import tempfile
        self.folder = tempfile.TemporaryDirectory()
        self.root, tidy.ROOT = tidy.ROOT, pathlib.Path(self.folder.name)

    def tearDown(self):
        tidy.ROOT = self.root
        self.folder.cleanup()

    def test_forbidden_is_found(self):
        for path, texts in FORBIDDEN.items():
            for text in texts:
                with self.subTest(path=path, text=text[:60]):
                    self.assertTrue(self.findings(path, text))

    def test_allowed_is_not(self):
        for path, texts in ALLOWED.items():
            for text in texts:
                with self.subTest(path=path, text=text[:60]):
                    self.assertEqual(self.findings(path, text), [])

    def test_line_numbers(self):
        found = self.findings("src/x/a.cpp", "int a;\n/* two\nlines */\nint n = atoi(text);\n")
        self.assertTrue(found[0].startswith("src/x/a.cpp:4:"), found)


if __name__ == "__main__":
    unittest.main()
