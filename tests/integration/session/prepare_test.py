#!/usr/bin/python3
"""PREPARE, EXECUTE and DEALLOCATE of SQL through the gateway and beside it: the same answers."""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "copy")]
from stage import Stage  # noqa: E402  first: it sets the paths for what follows

from processes import wait_until  # noqa: E402

import twin  # noqa: E402
import wire  # noqa: E402
from twin import EXECUTE, Twin, TwinCase  # noqa: E402


class PrepareTest(TwinCase):
    """PREPARE, EXECUTE and DEALLOCATE of SQL."""

    @classmethod
    def setUpClass(cls):
        cls.stage = Stage("prepare")
        cls.maxDiff = 4000

    @classmethod
    def tearDownClass(cls):
        cls.stage.stop()

    def setUp(self):
        for which in ("plain", "sealed"):
            with self.stage.connect(which) as link, link.cursor() as cursor:
                cursor.execute("TRUNCATE people, batches")
                cursor.execute("INSERT INTO people (id, name, city, phone, credit, age) VALUES "
                               "(1, 'Anna', 'Suzhou', '01', 12.50, 44), (2, 'Bob', 'Basel', '02', -1, 7), "
                               "(3, 'Anna', NULL, NULL, NULL, NULL)")
                cursor.execute("INSERT INTO batches VALUES (1, 'one', 10), (2, 'two', 20)")
            link.close()
        self.stage.tap.to_server.clear()

    def say(self, both, *texts):
        for sql in texts:
            with self.subTest(sql):
                answers = self.same(both, twin.query(sql, "utf-8"))
        return answers

    def test_simple(self):
        with Twin(self.stage) as both:
            self.say(
                both,
                "PREPARE find (text) AS SELECT id, name, city FROM people WHERE name = $1 ORDER BY id",
                "EXECUTE find('Anna')", "EXECUTE find('Nobody')", "EXECUTE find(NULL)",
                "EXECUTE find('Bob'::text)", "execute FIND('Bob');",
                "EXECUTE find", "EXECUTE find('a', 'b')", "EXECUTE other('x')",
                "PREPARE find AS SELECT 1", "PREPARE find AS SELECT name FROM people",
                "EXECUTE find('Anna')",
                "PREPARE add (int, text, varchar, numeric, int) AS INSERT INTO people (id, name, phone, credit, age) "
                "VALUES ($1, $2, $3, $4, $5) RETURNING id, name, credit",
                "EXECUTE add(10, 'secret Carl', '77', 3.25, 31)", "EXECUTE add(11, 'secret Dora', '78', 4, -2)",
                "EXECUTE add(12, NULL, NULL, NULL, NULL)", "EXECUTE add(10 + 3, 'secret Emil', '79', '5', '8')",
                "EXECUTE add('14'::int, 'secret Fay'::text, 80::text, 6::numeric, 9)",
                "EXECUTE add(length('four') * 5, 'x', 'x', 1, 2)", "EXECUTE add(now(), 'x', 'x', 1, 1)",
                "EXECUTE add(10, 'again', '1', 1, 1)", "EXECUTE add(40, 'x', 'much too long for it', 1, 1)",
                "PREPARE infer AS SELECT name FROM people WHERE name = $1 OR id = $2 ORDER BY id",
                "EXECUTE infer('Bob', 1)", "EXECUTE infer('Bob', '1')", "EXECUTE infer('Bob', 'x')",
                "EXECUTE infer('Bob', 2 - 1)", "EXECUTE infer('Bob', 1.4)", "EXECUTE infer('Bob', true)",
                "PREPARE many AS UPDATE people SET name = $1, city = $2 WHERE id < $3 RETURNING id, name, city",
                "EXECUTE many('secret Gus', 'Oslo', 3)", "EXECUTE many('secret Hal', lower('OSLO'), 2 + 2)",
                "SELECT id, name, city, phone, credit, age FROM people ORDER BY id",
                "PREPARE recipe AS UPDATE batches SET recipe = $1 WHERE qty > $2",
                "EXECUTE recipe('secret soup', 5)", "SELECT * FROM batches ORDER BY id",
                "PREPARE gone (text) AS DELETE FROM people WHERE name = $1", "EXECUTE gone('secret Hal')",
                "PREPARE literal AS INSERT INTO people (id, name) VALUES (50, 'secret Ida') RETURNING name",
                "EXECUTE literal", "EXECUTE literal", "SELECT name FROM people WHERE id = 50",
                "DEALLOCATE find", "EXECUTE find('Anna')", "DEALLOCATE find", "DEALLOCATE PREPARE add",
                "PREPARE find AS SELECT count(*) FROM people WHERE age = $1", "EXECUTE find(7)",
                "DEALLOCATE ALL", "EXECUTE find(7)", "EXECUTE many('a', 'b', 1)",
                "PREPARE find (no_such_type) AS SELECT name FROM people WHERE name = $1",
                "PREPARE \"Odd; name\" (pg_catalog.varchar(3), \"char\") AS SELECT name FROM people "
                "WHERE name = $1 AND $2 = 'x'",
                "EXECUTE \"Odd; name\"('Bob', 'x')", "DISCARD ALL", "EXECUTE \"Odd; name\"('Bob', 'x')",
                "PREPARE plain AS SELECT $1::int + 1", "EXECUTE plain(3)", "EXECUTE plain(3 + 4)",
                "EXPLAIN (COSTS off) EXECUTE plain(3)", "CREATE TEMP TABLE made AS EXECUTE plain(5)",
                "TABLE made", "DROP TABLE made")
            self.hidden(b"secret")

    def test_strings_and_transactions(self):
        with Twin(self.stage) as both:
            self.say(
                both,
                "PREPARE one AS SELECT name FROM people WHERE id = $1; EXECUTE one(1); EXECUTE one(2); DEALLOCATE one",
                "EXECUTE one(1)",
                "PREPARE one AS SELECT 1; EXECUTE one; DEALLOCATE one; PREPARE one AS SELECT name FROM people "
                "ORDER BY id LIMIT 1; EXECUTE one",
                "EXECUTE one; SELECT 1/0; DEALLOCATE one", "EXECUTE one",
                "DEALLOCATE one; SELECT 1/0", "EXECUTE one", "BEGIN",
                "PREPARE two (text) AS SELECT id FROM people WHERE name = $1", "EXECUTE two('Bob')", "SELECT 1/0",
                "EXECUTE two('Bob')", "PREPARE three AS SELECT name FROM people", "DEALLOCATE two", "ROLLBACK",
                "EXECUTE two('Bob')", "EXECUTE three", "BEGIN", "DEALLOCATE two", "ROLLBACK", "EXECUTE two('Bob')",
                "BEGIN; PREPARE two (text) AS SELECT id FROM people WHERE name = $1; ROLLBACK",
                "EXECUTE two('Bob')")

    def test_the_protocol_shares_the_names(self):
        run = EXECUTE + wire.SYNC
        with Twin(self.stage) as both:
            self.same(both, twin.parse("seen", "SELECT id, name FROM people WHERE name = $1 ORDER BY id") + wire.SYNC)
            self.say(both, "EXECUTE seen('Anna')", "PREPARE seen AS SELECT 1",
                     "PREPARE made (text) AS SELECT id, name FROM people WHERE name = $1 ORDER BY id")
            self.same(both, twin.bind("made", ["Anna"]) + twin.describe("P", "") + run)
            self.same(both, twin.describe("S", "made") + wire.SYNC)
            self.same(both, twin.parse("made", "SELECT 1") + wire.SYNC)
            self.same(both, wire.message(b"C", b"Smade\0") + wire.SYNC)
            self.say(both, "EXECUTE made('Anna')", "DEALLOCATE seen")
            self.same(both, twin.bind("seen", ["Anna"]) + run)

    def test_through_parse(self):
        run = EXECUTE + wire.SYNC
        with Twin(self.stage) as both:
            def go(sql):
                return self.same(both, twin.parse("", sql) + twin.describe("S", "") + twin.bind("", []) +
                                 twin.describe("P", "") + run)

            go("PREPARE find (text, int) AS SELECT id, name FROM people WHERE name = $1 OR id = $2 ORDER BY id")
            self.assertEqual(len(self.rows_of(go("EXECUTE find('secret Anna', 2)"))), 1)
            go("EXECUTE find('Anna', NULL)")
            both_ways = both.ask(twin.parse("", "EXECUTE find('Anna')") + twin.bind("", []) + run)
            for answers in both_ways:  # through the gateway as soon as it is parsed
                self.assertEqual([b for t, b in answers if t == b"E"], [b"42601"])
            go("PREPARE find AS SELECT name FROM people")
            go("PREPARE add AS INSERT INTO people (id, name) VALUES ($1, $2)")
            go("EXECUTE add(70, 'secret Jo')")
            go("PREPARE change AS UPDATE batches SET recipe = $1 WHERE qty > 1")
            go("EXECUTE change('secret soup')")
            go("SELECT name FROM people WHERE id = 70")
            go("DEALLOCATE find")
            go("EXECUTE find('Anna', 1)")
            go("DEALLOCATE ALL")
            go("EXECUTE add(71, 'x')")
            # Held, then bound twice; and a name that is taken away in a pipeline that fails.
            self.same(both, twin.parse("p", "PREPARE held (text) AS SELECT id FROM people WHERE name = $1") +
                      twin.bind("p", []) + run)
            self.same(both, twin.parse("q", "EXECUTE held('Bob')") + wire.SYNC)
            self.same(both, (twin.bind("q", []) + EXECUTE) * 2 + wire.SYNC)
            bad = twin.parse("", "SELECT 1/0") + twin.bind("", []) + EXECUTE
            gone = twin.parse("", "DEALLOCATE held") + twin.bind("", []) + EXECUTE
            self.same(both, bad + gone + wire.message(b"C", b"Sq\0") + wire.SYNC)
            self.same(both, twin.bind("q", []) + run)
            self.same(both, twin.bind("held", ["secret Bob"]) + run)
            self.same(both, gone + wire.SYNC)
            self.same(both, twin.bind("held", ["secret Bob"]) + run)
            self.hidden(b"secret")

    def test_what_is_refused(self):
        with wire.Wire(self.stage.gateway) as client:
            client.sign_in(user="erp_app", database="sealed")

            def state(sql):
                client.send(wire.query(sql))
                return [wire.sqlstate(body) for tag, body in client.until(b"Z") if tag == b"E"]

            self.assertEqual(state("PREPARE find (text) AS SELECT id FROM people WHERE name = $1"), [])
            for sql in ("EXECUTE find(upper('secret'))", "EXECUTE find('sec' || 'ret')",
                        "EXPLAIN EXECUTE find('secret')", "CREATE TEMP TABLE t AS EXECUTE find('secret')",
                        "PREPARE sorted AS SELECT name FROM people ORDER BY name",
                        "PREPARE U&\"x\" AS SELECT name FROM people"):
                self.assertEqual(state(sql), ["0A000"], sql)
            for sql in ("PREPARE theriac_x AS SELECT 1", "EXECUTE theriac_gather_1", "DEALLOCATE theriac_x"):
                self.assertEqual(state(sql), ["42501"], sql)
            self.assertEqual(state("EXECUTE find('Anna')"), [])
            self.hidden(b"secret")

    def test_a_name_that_comes_to_mean_a_protected_table(self):
        self.stage.cluster.ask("CREATE SCHEMA other; CREATE TABLE other.people (id int, name text); "
                               "GRANT USAGE ON SCHEMA other TO erp_app; GRANT ALL ON other.people TO erp_app",
                               database="sealed")
        with wire.Wire(self.stage.gateway) as client:
            client.sign_in(user="erp_app", database="sealed")

            def say(sql):
                client.send(wire.query(sql))
                return [(tag, wire.sqlstate(body) if tag == b"E" else body) for tag, body in client.until(b"Z")
                        if tag in (b"E", b"C")]

            say("SET search_path = other, public")
            prepare = "PREPARE put AS INSERT INTO people (id, name) VALUES ($1, $2)"
            wait_until(lambda: say(prepare) == [(b"C", b"PREPARE\0")], 10, "the new table is seen")
            say("PREPARE typed (int, text) AS INSERT INTO people (id, name) VALUES ($1, $2)")
            self.assertEqual(say("EXECUTE put(1, 'open')"), [(b"C", b"INSERT 0 1\0")])
            say("SET search_path = public")
            self.assertEqual(say("EXECUTE put(90, 'secret Kim')"), [(b"C", b"INSERT 0 1\0")])
            self.assertEqual(say("EXECUTE typed(91, 'secret Lee')"), [(b"E", "0A000")])
            say("SET search_path = other")
            self.assertEqual(say("EXECUTE put(2, 'open')"), [(b"C", b"INSERT 0 1\0")])
            self.hidden(b"secret")
        self.assertEqual(self.stage.cluster.ask("SELECT count(*) FROM other.people", database="sealed")[0][0], 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
