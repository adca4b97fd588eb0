#!/usr/bin/python3
"""What the documents promise about each other and about the code."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def text(name):
    return (ROOT / name).read_text("utf-8")


def code_blocks(document):
    return re.findall(r"```(?:sh|yaml)\n(.*?)```", document, re.S)


class Documents(unittest.TestCase):
    def test_both_readmes_have_the_same_commands(self):
        english, chinese = code_blocks(text("README.md")), code_blocks(text("README.zh-CN.md"))
        self.assertTrue(english)
        self.assertEqual(english, chinese)

    def test_readmes_name_the_two_scripts(self):
        for name in ("README.md", "README.zh-CN.md"):
            self.assertIn("./run", text(name))
            self.assertIn("./test", text(name))

    def test_own_database_in_ten_commands(self):
        block = re.search(r"<!-- own-database -->\n+```sh\n(.*?)```", text("README.md"), re.S)
        self.assertIsNotNone(block)
        joined = re.sub(r"\\\n", " ", block.group(1))
        joined = re.sub(r"<<'(\w+)'\n.*?\n\1\n", "\n", joined, flags=re.S)  # a document is no command
        commands = [line for line in joined.splitlines() if line.strip() and line[0] not in "# "]
        self.assertLessEqual(len(commands), 10)

    def test_every_design_and_decision_is_in_the_index(self):
        index = text("docs/README.md")
        for path in sorted((ROOT / "docs").rglob("*.md")):
            name = str(path.relative_to(ROOT / "docs"))
            if name != "README.md":
                self.assertIn(f"({name})", index, f"docs/README.md does not list {name}")

    def test_limits_are_those_of_the_headers(self):
        rows = re.findall(r"`(\w+/\w+\.hpp)` `(k\w+)` \| ([^|]+?) \|", text("docs/limits.md"))
        self.assertGreater(len(rows), 25)
        for header, name, figure in rows:
            source = text(f"src/{header}")
            found = re.search(rf"\b{name}(?: = |{{)(.*?)}}?;", source)
            self.assertIsNotNone(found, f"{header} has no {name}")
            self.assertEqual(found.group(1).strip(), figure, f"{header} {name}")

    def test_gateway_settings_and_metrics_are_documented(self):
        document = text("docs/gateway.md")
        settings = re.findall(r'^ +\{"([a-z-]+)", "', text("src/gateway/gateway_config.cpp"), re.M)
        self.assertGreater(len(settings), 15)
        metrics = re.findall(r'Row\{"(theriac_\w+)"', text("src/gateway/gateway_metrics.cpp"))
        metrics += ["theriac_" + name for name in
                    re.findall(r'line\("(\w+)"', text("src/gateway/enforce_wiring.cpp"))]
        self.assertGreater(len(metrics), 12)
        for name in [f"`--{key}`" for key in settings] + metrics:
            self.assertIn(name, document)

    def test_ci_runs_everything(self):
        self.assertIn("./test all", text(".ci/run"))


if __name__ == "__main__":
    unittest.main()
