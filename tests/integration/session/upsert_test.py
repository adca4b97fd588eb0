#!/usr/bin/python3
"""ON CONFLICT DO UPDATE of values that are bound to their row, by sessions that meet."""
import pathlib
import sys
import threading
import unittest

import psycopg2
from psycopg2 import errors

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "copy")]
from stage import Stage  # noqa: E402  first: it sets the paths for what follows

from processes import wait_until  # noqa: E402

UPSERT = "INSERT INTO batches (id, recipe, qty) VALUES (%s, 'new', 1) ON CONFLICT (id) DO UPDATE SET recipe = %s"


class UpsertTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = Stage("upsert")

    @classmethod
    def tearDownClass(cls):
        cls.stage.stop()

    def setUp(self):
        self.links = [self.stage.connect("sealed") for _ in range(2)]
        self.first, self.second = (link.cursor() for link in self.links)
        for link in self.links:
            link.rollback()
            link.autocommit = False
        self.first.execute("DELETE FROM batches; INSERT INTO batches VALUES (1, 'one', 10)")
        self.links[0].commit()

    def tearDown(self):
        for link in self.links:
            link.close()

    def waits(self):
        return self.stage.cluster.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
                                      database="sealed")[0][0] == 1

    def meet(self, *arguments):
        """The second session's upsert, while the first holds what it meets; ends when that commits."""
        problem = []

        def run():
            try:
                self.second.execute(UPSERT, arguments)
                self.links[1].commit()
            except psycopg2.Error as error:
                problem.append(error)
                self.links[1].rollback()

        thread = threading.Thread(target=run)
        thread.start()
        wait_until(self.waits, 10, "the second session waits")
        self.links[0].commit()
        thread.join(20)
        return problem

    def rows(self):
        self.first.execute("SELECT id, recipe, qty FROM batches ORDER BY id")
        return self.first.fetchall()

    def test_a_row_that_another_session_changes(self):
        self.first.execute("UPDATE batches SET qty = 11, recipe = 'changed' WHERE id = 1")
        self.assertEqual(self.meet(1, "met"), [])
        self.assertEqual(self.rows(), [(1, "met", 11)])

    def test_a_row_that_another_session_deletes(self):
        self.first.execute("DELETE FROM batches WHERE id = 1")
        self.assertEqual(self.meet(1, "met"), [])
        self.assertEqual(self.rows(), [(1, "new", 1)])

    def test_a_row_that_another_session_inserts(self):
        self.first.execute("INSERT INTO batches VALUES (2, 'two', 20)")
        problem = self.meet(2, "met")
        self.assertIsInstance(problem[0], errors.SerializationFailure)
        self.assertIn("at the same time", str(problem[0]))
        self.assertIn("send the transaction again", problem[0].diag.message_hint)
        self.second.execute(UPSERT, (2, "met"))
        self.links[1].commit()
        self.assertEqual(self.rows(), [(1, "one", 10), (2, "met", 20)])

    def test_no_value_of_one_row_is_taken_for_anothers(self):
        for number in range(3, 30):
            self.second.execute(UPSERT, (number % 5, f"met {number}"))
            self.links[1].commit()
        self.assertEqual(self.rows(), [(0, "met 25", 1), (1, "met 26", 10), (2, "met 27", 1), (3, "met 28", 1),
                                       (4, "met 29", 1)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
