"""psycopg2's own suite, unmodified, with the installed psycopg2; verdicts as JSON.

usage: run_psycopg2.py SOURCES OUT     env PSYCOPG2_TESTDB...
"""
import os
import sys

import verdicts

sources, out = sys.argv[1:]
out = os.path.abspath(out)
os.chdir(sources)
sys.path.insert(0, sources)
import tests  # noqa: E402  (the suite's package)

verdicts.record(tests.test_suite(), out)
