"""Tryton's own suite of one module, unmodified; verdicts as JSON.

usage: run_tryton.py MODULE CONFIG OUT     env DB_NAME
"""
import logging
import sys

from trytond.config import config

import verdicts

module, settings, out = sys.argv[1:]
logging.disable(logging.CRITICAL)
config.update_etc(settings)
from trytond.tests.test_tryton import modules_suite  # noqa: E402  (it reads the settings)

verdicts.record(modules_suite([module], doc=True), out)
