-- Reading.
SELECT * FROM people ORDER BY id;
SELECT id, name FROM people ORDER BY id;
SELECT name FROM people WHERE id = 3;
SELECT p.* FROM people p WHERE p.id < 4 ORDER BY p.id;
SELECT p.name AS who, p.phone AS "Phone No", p.score + 1 AS next FROM people AS p ORDER BY p.id;
SELECT people.name FROM people WHERE people.id = 1;
SELECT public.people.name FROM public.people WHERE id = 2;
SELECT id, age, visits, total, balance, born, seen FROM people ORDER BY id;
SELECT name, name FROM people WHERE id = 1;
SELECT count(*) FROM people;
SELECT city, count(*) FROM people GROUP BY city ORDER BY city;
SELECT DISTINCT city FROM people ORDER BY city;
SELECT id FROM people ORDER BY id LIMIT 3 OFFSET 1;
TABLE cities;
TABLE people;
SELECT name FROM other.people ORDER BY id;
SELECT 1;
SELECT 'name', 1.50, NULL;
-- Searching.
SELECT id, name FROM people WHERE name = '张伟' ORDER BY id;
SELECT id FROM people WHERE phone = '13800000003';
SELECT id FROM people WHERE phone = '13800000003'::varchar;
SELECT id FROM people WHERE phone = 'none';
SELECT id FROM people WHERE phone::text = '13800000003';
SELECT id, name FROM people WHERE name = 'Anna Müller' AND score > 0 ORDER BY id;
SELECT id FROM people WHERE name IN ('张伟', 'Bob', 'nobody') ORDER BY id;
SELECT id FROM people WHERE name NOT IN ('张伟', 'Bob') ORDER BY id;
SELECT id FROM people WHERE name <> 'Bob' ORDER BY id;
SELECT id FROM people WHERE name = 'Bob' OR score = 30 ORDER BY id;
SELECT id FROM people WHERE NOT (name = 'Bob') ORDER BY id;
SELECT id FROM people WHERE phone IS NULL ORDER BY id;
SELECT id FROM people WHERE phone IS NOT NULL ORDER BY id;
SELECT id FROM people WHERE note IS NULL ORDER BY id;
SELECT id FROM people WHERE age = 30 ORDER BY id;
SELECT id FROM people WHERE age IN (30, 41) ORDER BY id;
SELECT id FROM people WHERE total = 9007199254740993 ORDER BY id;
SELECT id FROM people WHERE balance = 1.5 ORDER BY id;
SELECT id FROM people WHERE balance = 1.50 ORDER BY id;
SELECT id FROM people WHERE balance = -3 ORDER BY id;
SELECT id FROM people WHERE born = '1990-03-07' ORDER BY id;
SELECT id FROM people WHERE born = date '1990-03-07' ORDER BY id;
SELECT id FROM people WHERE seen = '2026-01-02 03:04:05+00' ORDER BY id;
SELECT id FROM people WHERE seen = timestamptz '2026-01-02 11:04:05+08' ORDER BY id;
SELECT id FROM people WHERE name = NULL;
SELECT id FROM people WHERE phone IS DISTINCT FROM '13800000003' ORDER BY id;
SELECT CASE WHEN name = 'Bob' THEN 'x' ELSE 'y' END FROM people ORDER BY id;
SELECT id, name = 'Bob' FROM people ORDER BY id;
SELECT count(*) FILTER (WHERE name = 'Bob') FROM people;
--$ Bob
SELECT id, name FROM people WHERE name = $1;
--$ \N
SELECT id, name FROM people WHERE name = $1;
--$ Bob|10
SELECT id, name, score FROM people WHERE name = $1 AND score >= $2;
--$ 30
SELECT id, age FROM people WHERE age = $1 ORDER BY id;
--@ 23
--$ 30
SELECT id, age FROM people WHERE age = $1 ORDER BY id;
--$ 1.500
SELECT id, balance FROM people WHERE balance = $1 ORDER BY id;
--$ 1990-03-07
SELECT id, born FROM people WHERE born = $1 ORDER BY id;
--@ 25
--$ Bob
SELECT id FROM people WHERE name = $1;
--$ Bob|张伟
SELECT id FROM people WHERE name IN ($1, $2) ORDER BY id;
--$ {Bob,张伟,NULL}
SELECT id, name FROM people WHERE name = ANY ($1) ORDER BY id;
--$ {Bob}
SELECT id FROM people WHERE name <> ALL ($1) ORDER BY id;
--@ 1015
--$ {"13800000003",x}
SELECT id FROM people WHERE phone = ANY ($1) ORDER BY id;
--$ {30,41}
SELECT id FROM people WHERE age = ANY ($1) ORDER BY id;
--$ {1.5,-3}
SELECT id FROM people WHERE balance = ANY ($1) ORDER BY id;
--$ {1990-03-07}
SELECT id FROM people WHERE born = ANY ($1) ORDER BY id;
--$ \N
SELECT id FROM people WHERE name = ANY ($1);
SELECT id FROM people WHERE name = ANY ('{Bob,"O''Neil \\\\ \\"q\\""}') ORDER BY id;
SELECT id FROM people WHERE name = ANY ('{Bob}'::text[]) ORDER BY id;
-- Joins, sub-selects, common table expressions.
SELECT p.name, c.remark FROM people p JOIN calls c ON c.person = p.id ORDER BY p.id, c.id;
SELECT p.name, c.remark FROM people p JOIN calls c ON c.phone = p.phone ORDER BY p.id, c.id;
SELECT p.name, c.remark FROM people p LEFT JOIN calls c ON c.phone = p.phone ORDER BY p.id, c.id;
SELECT p.id, c.id FROM people p, calls c WHERE p.phone = c.phone ORDER BY p.id, c.id;
SELECT p.name, t.country FROM people p JOIN cities t USING (city) ORDER BY p.id;
SELECT s.name FROM (SELECT id, name FROM people) s ORDER BY s.id;
SELECT s.name FROM (SELECT id, name FROM people) s WHERE s.name = 'Bob';
SELECT who FROM (SELECT id, name AS who FROM people WHERE score > 5) s ORDER BY id;
WITH x AS (SELECT id, name, phone FROM people) SELECT x.name FROM x WHERE x.id = 2;
WITH x AS (SELECT id, name, phone FROM people) SELECT * FROM x WHERE name = 'Bob';
SELECT id FROM people WHERE phone IN (SELECT phone FROM calls) ORDER BY id;
SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM calls c WHERE c.phone = p.phone) ORDER BY id;
SELECT id FROM people p WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.phone = p.phone) ORDER BY id;
SELECT (SELECT name FROM people WHERE id = 1) AS first;
SELECT c.id, (SELECT p.name FROM people p WHERE p.phone = c.phone) FROM calls c ORDER BY c.id;
SELECT p.name, l.remark FROM people p, LATERAL (SELECT remark FROM calls c WHERE c.phone = p.phone ORDER BY c.id LIMIT 1) l ORDER BY p.id;
SELECT a.name, b.name FROM people a JOIN people b ON a.name = b.name AND a.id < b.id ORDER BY a.id, b.id;
SELECT * FROM people p JOIN cities t ON t.city = p.city ORDER BY p.id;
-- Groups, set operations, alternatives.
SELECT DISTINCT name FROM people;
SELECT DISTINCT name, city FROM people;
SELECT count(*) FROM (SELECT DISTINCT phone, age FROM people) q;
SELECT DISTINCT ON (name) name FROM people;
SELECT name, count(*), sum(score) FROM people GROUP BY name;
SELECT name AS who, phone, count(*) FROM people GROUP BY 1, phone;
SELECT age, count(*) FROM people GROUP BY age HAVING count(*) > 1;
SELECT age, count(*) FROM people GROUP BY age HAVING age = 30;
SELECT p.id, p.name, count(c.id) FROM people p LEFT JOIN calls c ON c.phone = p.phone GROUP BY p.id, p.name ORDER BY p.id;
SELECT count(DISTINCT name), count(DISTINCT phone), count(phone) FROM people;
SELECT phone FROM people UNION SELECT phone FROM calls;
SELECT phone FROM people UNION ALL SELECT phone FROM calls;
SELECT phone FROM people INTERSECT SELECT phone FROM calls;
SELECT phone FROM people EXCEPT SELECT phone FROM calls;
SELECT phone FROM people EXCEPT ALL SELECT phone FROM calls;
SELECT phone FROM people INTERSECT ALL SELECT phone FROM calls;
SELECT id, name FROM people UNION ALL SELECT 0, 'nobody' ORDER BY id;
SELECT COALESCE(phone, 'none') FROM people ORDER BY id;
SELECT COALESCE(phone, name) FROM people ORDER BY id;
SELECT id FROM people WHERE COALESCE(phone, '') = '' ORDER BY id;
SELECT CASE WHEN score > 10 THEN name ELSE 'low' END AS shown FROM people ORDER BY id;
SELECT CASE name WHEN 'Bob' THEN 1 WHEN '张伟' THEN 2 ELSE 3 END FROM people ORDER BY id;
SELECT NULLIF(name, 'Bob') FROM people ORDER BY id;
SELECT id, lag(name) OVER (ORDER BY id), first_value(name) OVER (PARTITION BY city ORDER BY id) FROM people ORDER BY id;
SELECT id, count(*) OVER (PARTITION BY name) FROM people ORDER BY id;
SELECT id FROM people WHERE (name, id) = ('Bob', 2) ORDER BY id;
SELECT id FROM people WHERE (name, id) IN (('Bob', 2), ('张伟', 1)) ORDER BY id;
SELECT id FROM people WHERE (name, score) IS DISTINCT FROM ('Bob', 20) ORDER BY id;
SELECT id FROM people WHERE 'Bob' IN (name, phone) ORDER BY id;
SELECT age::bigint, balance::text, name::varchar FROM people ORDER BY id;
SELECT s.name, count(*) FROM (SELECT name, city FROM people UNION SELECT name, 'x' FROM people) s GROUP BY s.name;
SELECT yield, count(*) FROM batches GROUP BY yield;
SELECT DISTINCT yield FROM batches;
SELECT COALESCE(yield, 0) FROM batches ORDER BY id;
--$ none
SELECT COALESCE(phone, $1) FROM people ORDER BY id;
-- Values that are read, opened and sealed again.
INSERT INTO people (id, name) SELECT id + 700, name FROM people WHERE id < 5;
INSERT INTO people (id, name, phone, age) SELECT id + 800, name, NULL, age FROM people WHERE id < 4 RETURNING id, name, age;
INSERT INTO people (id, name, note) SELECT 900 + n, 'made ' , 'note' FROM generate_series(1, 3) AS g(n) RETURNING *;
--$ given|700
INSERT INTO people (id, name) SELECT id + 1000, $1 FROM people WHERE id > $2 AND id < 800;
INSERT INTO batches (id, lot, yield, grade) SELECT id + 60, lot, yield, grade FROM batches WHERE id < 10 RETURNING *;
SELECT * FROM people WHERE id > 600 ORDER BY id;
UPDATE people SET note = city WHERE id > 600;
UPDATE people SET note = name, score = score + 1 WHERE id > 600 RETURNING id, note;
UPDATE people SET name = COALESCE(note, name) WHERE id > 600;
UPDATE people SET name = c.country FROM cities c WHERE c.city = people.city AND people.id > 600;
UPDATE people SET (name, score) = (SELECT c.country, 7 FROM cities c WHERE c.city = people.city) WHERE id BETWEEN 700 AND 702 AND city IS NOT NULL;
UPDATE people SET (name, note, score) = ('x', 'y', 9) WHERE id > 900 AND id < 950 RETURNING *;
UPDATE people SET born = current_date WHERE id = 701;
UPDATE batches SET lot = 'L-new', yield = yield WHERE id > 60;
UPDATE batches SET yield = grade WHERE id > 60 RETURNING id, yield;
SELECT id, name, phone, note, age, visits, balance, city, score FROM people WHERE id > 600 ORDER BY id;
SELECT * FROM batches WHERE id > 60 ORDER BY id;
DELETE FROM batches WHERE id > 60;
DELETE FROM people WHERE id > 600;
INSERT INTO people (id, name, phone) VALUES (650, 'x', '13800000003') ON CONFLICT (phone) DO NOTHING;
INSERT INTO people (id, name, phone) VALUES (650, 'x', '13800000003') ON CONFLICT (phone) DO UPDATE SET note = excluded.note RETURNING id, note;
INSERT INTO people (id, name, phone) VALUES (650, 'x', '13800000003') ON CONFLICT ON CONSTRAINT people_phone_key DO UPDATE SET note = people.note WHERE people.name <> excluded.name RETURNING id;
INSERT INTO people (id, name) VALUES (3, 'y'), (651, 'z') ON CONFLICT (id) DO UPDATE SET name = 'w' RETURNING id, name;
--$ 3|Bob
INSERT INTO people (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = $2, note = NULL RETURNING id, name, note;
UPDATE people SET note = 'x' WHERE id = 3;
DELETE FROM people WHERE id > 600;
INSERT INTO people (id, name) VALUES (652, (SELECT p.name FROM people p WHERE p.id = 2)) RETURNING *;
INSERT INTO people (id, name, born, visits) VALUES (653, (SELECT country FROM cities WHERE city = 'Basel'), current_date, DEFAULT) RETURNING id, name, visits;
INSERT INTO batches (id, lot, yield, released) VALUES (1, 'L-9', 5, NULL) ON CONFLICT (id) DO UPDATE SET yield = excluded.yield, released = excluded.released, lot = excluded.lot RETURNING *;
INSERT INTO batches (id, lot, yield) VALUES (1, 'L-8', 6) ON CONFLICT (id) DO UPDATE SET yield = excluded.yield, lot = excluded.lot RETURNING *;
INSERT INTO batches AS b (id, lot, yield, released) VALUES (70, 'L-70', 7, '2026-02-02 00:00:00+00'), (2, 'L-2', 97.50, NULL), (3, 'L-3', 5, '2026-03-03 00:00:00+00') ON CONFLICT (id) DO UPDATE SET released = excluded.released, yield = b.yield WHERE b.id < 3 RETURNING *;
--$ 1|5.25
INSERT INTO batches (id, lot, yield) VALUES ($1, 'L-1', $2) ON CONFLICT (id) DO UPDATE SET yield = 8 RETURNING *;
--$ 71|5.25
INSERT INTO batches (id, lot, yield) VALUES ($1, 'L-71', $2) ON CONFLICT (id) DO UPDATE SET yield = excluded.yield RETURNING *;
INSERT INTO batches (id, lot, yield) VALUES (1, 'L-1', 9) ON CONFLICT (id) DO UPDATE SET yield = DEFAULT RETURNING *;
INSERT INTO batches (id, lot, yield) VALUES (72, 'L-72', 9), (72, 'L-72', 9) ON CONFLICT (id) DO UPDATE SET yield = excluded.yield;
WITH w AS (SELECT 1 AS one) INSERT INTO batches (id, lot, yield) VALUES (1, 'L-1', 97.5) ON CONFLICT (id) DO UPDATE SET yield = excluded.yield, grade = (SELECT one FROM w) RETURNING *;
WITH i AS (INSERT INTO batches (id, lot, yield) VALUES (73, 'L-73', 1), (74, 'L-74', 2) RETURNING id, yield) INSERT INTO batches (id, lot, yield) VALUES (75, 'L-75', 3), (1, 'L-1', 97.5) ON CONFLICT (id) DO UPDATE SET yield = excluded.yield RETURNING *;
WITH i AS (INSERT INTO batches (id, lot, yield) VALUES (76, 'L-76', 1) RETURNING id) INSERT INTO batches (id, lot, yield) VALUES (2, 'L-2', 3) ON CONFLICT (id) DO UPDATE SET yield = 97.50 RETURNING *;
SELECT * FROM batches WHERE id > 70 ORDER BY id;
SELECT id, lot FROM batches WHERE yield = 97.5 ORDER BY id;
DELETE FROM batches WHERE id > 60;
UPDATE batches SET lot = 'L-' || id WHERE id < 3;
DELETE FROM people WHERE id > 600;
-- Bound rows.
SELECT * FROM batches ORDER BY id;
SELECT lot, yield FROM batches WHERE yield = 97.5 ORDER BY id;
SELECT b.yield, b.released FROM batches b WHERE b.lot = 'L-2';
SELECT s.yield FROM (SELECT * FROM batches) s ORDER BY s.id;
-- Writing.
INSERT INTO people (id, name, phone, age, balance, born, seen) VALUES (100, 'Dora', '100', 33, 12.345, '2000-02-29', '2026-05-06 07:08:09.123456+02');
SELECT * FROM people WHERE id = 100;
DELETE FROM people WHERE id = 100;
INSERT INTO people VALUES (101, 'Emil', '101', 'n', 1, 2, 3, 4, '2001-01-01', '2026-01-01 00:00:00Z', 'Bern', 5);
INSERT INTO people (id, name) VALUES (102, 'Fred'), (103, 'Gina'), (104, 'Hugo') RETURNING id, name, visits;
SELECT * FROM people WHERE id >= 101 ORDER BY id;
INSERT INTO people (id, name, visits) VALUES (105, 'Ines', DEFAULT) RETURNING *;
UPDATE people SET note = 'changed' WHERE id = 101;
UPDATE people SET note = 'all the same', score = score + 1 WHERE id >= 101;
UPDATE people SET phone = '555' WHERE name = 'Gina' RETURNING id, phone;
UPDATE people SET phone = NULL WHERE name = 'Gina' RETURNING id, phone;
UPDATE people SET city = 'Chur' WHERE name = 'Gina';
UPDATE people SET visits = DEFAULT WHERE id = 101 RETURNING visits;
UPDATE people SET note = 'nobody' WHERE id = 99999;
SELECT id, note, phone, city, visits FROM people WHERE id >= 101 ORDER BY id;
DELETE FROM people WHERE name = 'Hugo' RETURNING id, name;
DELETE FROM people WHERE id >= 100;
--$ 110|Ida|110110
INSERT INTO people (id, name, phone) VALUES ($1, $2, $3);
--$ new note|110
UPDATE people SET note = $1 WHERE id = $2 RETURNING note;
--$ note for many|0
UPDATE people SET note = $1 WHERE score > $2;
--$ Ida
DELETE FROM people WHERE name = $1;
INSERT INTO batches VALUES (50, 'L-50', 88.80, '2026-03-01 00:00:00+00', 1), (51, 'L-51', NULL, NULL, 2);
UPDATE batches SET yield = 90 WHERE id >= 50;
UPDATE batches SET yield = 91, released = '2026-04-01 12:00:00+00' WHERE lot = 'L-51' RETURNING *;
SELECT * FROM batches ORDER BY id;
DELETE FROM batches WHERE id >= 50;
INSERT INTO calls (phone, remark, day, person) VALUES ('13800000003', 'made now', '2026-01-01', 3);
DELETE FROM calls WHERE remark IS NOT NULL AND day = '2026-01-01';
WITH gone AS (DELETE FROM people WHERE id = -1 RETURNING id) SELECT count(*) FROM gone;
INSERT INTO people (id, name) VALUES (120, 'Jo') ON CONFLICT DO NOTHING;
INSERT INTO people (id, name) VALUES (120, 'Jo') ON CONFLICT (id) DO NOTHING;
DELETE FROM people WHERE id = 120;
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING name;
UPDATE people SET name = '张伟' WHERE id = 1 RETURNING *;
-- The plan of one text serves others that differ in literals: each with its own.
INSERT INTO people (id, name, phone) VALUES (660, 'One', '660');
INSERT INTO people (id, name, phone) VALUES (661, 'Two', '661');
INSERT INTO people (id, name, phone) VALUES (662, 'Three', NULL);
UPDATE people SET note = 'first' WHERE name = 'One';
UPDATE people SET note = 'second' WHERE name = 'Two';
UPDATE people SET note = 'third', score = -3 WHERE name = 'Three' AND id > 600;
UPDATE people SET note = 'fourth', score = -4 WHERE name = 'Two' AND id > 601;
SELECT id, note FROM people WHERE name = 'One';
SELECT id, note FROM people WHERE name = 'Two';
SELECT id, note FROM people WHERE name IN ('One', 'Two') ORDER BY id;
SELECT id, note FROM people WHERE name IN ('Three', 'None') ORDER BY id;
SELECT id, COALESCE(phone, 'no phone') FROM people WHERE id > 659 ORDER BY 1;
SELECT id, COALESCE(phone, 'nothing') FROM people WHERE id > 661 ORDER BY 1;
INSERT INTO people (id, name, note) SELECT id + 10, 'copied', note FROM people WHERE name = 'One';
INSERT INTO people (id, name, note) SELECT id + 20, 'again', note FROM people WHERE name = 'Two';
DELETE FROM people WHERE name = 'copied' RETURNING id, note;
DELETE FROM people WHERE name = 'again' RETURNING id, note;
SELECT id, name, note, score FROM people WHERE id > 659 ORDER BY id;
DELETE FROM people WHERE id > 659;
-- Errors are PostgreSQL's.
INSERT INTO people (id, name) VALUES (1, 'double');
INSERT INTO people (id, name, phone) VALUES (130, 'x', '13800000003');
INSERT INTO people (id, name) VALUES (130, NULL);
INSERT INTO people (id) VALUES (130);
INSERT INTO people (id, name, age) VALUES (130, 'x', 40000);
INSERT INTO people (id, name, age) VALUES (130, 'x', 'abc');
INSERT INTO people (id, name, phone) VALUES (130, 'x', '123456789012345678901');
INSERT INTO people (id, name, balance) VALUES (130, 'x', 12345678901.00);
INSERT INTO people (id, name, born) VALUES (130, 'x', '2026-02-30');
SELECT nothing FROM people;
SELECT * FROM nowhere;
SELEC 1;
-- Transactions.
BEGIN;
INSERT INTO people (id, name) VALUES (140, 'Kim');
SELECT name FROM people WHERE id = 140;
SAVEPOINT s;
INSERT INTO people (id, name) VALUES (140, 'Kim again');
ROLLBACK TO s;
SELECT name FROM people WHERE id = 140;
ROLLBACK;
SELECT name FROM people WHERE id = 140;
--once
BEGIN;
--once
INSERT INTO people (id, name, age) VALUES (141, 'x', 'abc');
--once
SELECT 1;
--once
ROLLBACK;
-- Settings change how values read and print.
SET DateStyle = 'German, DMY';
SELECT born, seen FROM people ORDER BY id;
SELECT id FROM people WHERE born = '07.03.1990';
SET DateStyle = 'ISO, MDY';
SET TimeZone = 'Asia/Shanghai';
SELECT seen FROM people ORDER BY id;
SELECT id FROM people WHERE seen = '2026-01-02 11:04:05';
RESET TimeZone;
SET search_path = other, public;
SELECT * FROM people ORDER BY id;
SELECT public.people.name FROM public.people WHERE id = 1;
SET search_path = public;
SELECT name FROM people WHERE id = 1;
-- Cursors.
BEGIN;
DECLARE c CURSOR FOR SELECT id, name FROM people ORDER BY id;
FETCH 2 FROM c;
FETCH ALL FROM c;
CLOSE c;
DECLARE d CURSOR FOR SELECT id, yield FROM batches ORDER BY id;
FETCH ALL FROM d;
COMMIT;
-- Refused: nothing is evaluated on sealed values yet.
--!
SELECT upper(name) FROM people;
--!
SELECT name FROM people ORDER BY name;
--!
SELECT id FROM people WHERE name LIKE 'A%';
--!
SELECT id FROM people WHERE age > 30;
--!
SELECT sum(balance) FROM people;
--!
SELECT max(born) FROM people;
--!
SELECT name || 'x' FROM people;
--!
SELECT id FROM people WHERE note = 'x';
--!
SELECT p = p FROM people p;
--!
SELECT row_to_json(p) FROM people p;
--!
SELECT id FROM people WHERE name = city;
--!
SELECT id FROM people WHERE name = phone;
--!
SELECT id FROM people WHERE id = 1 AND name = lower('BOB');
--!
INSERT INTO cities SELECT name, 'x' FROM people;
--!
INSERT INTO people (id, name) VALUES (150, upper('x'));
--!
UPDATE people SET city = name WHERE id = 1;
--!
UPDATE people SET name = name || 'x' WHERE id = 1;
--!
CREATE TEMP VIEW v AS SELECT name FROM people;
--!
CREATE TABLE t2 AS SELECT * FROM people;
--!
ALTER TABLE people ADD CHECK (name <> '');
--!
CREATE INDEX i ON people (lower(name));
PREPARE q AS SELECT name FROM people WHERE id < 5 ORDER BY id;
EXECUTE q;
DEALLOCATE q;
--!
DO $$ BEGIN UPDATE people SET name = 'x'; END $$;
--!
SELECT theriac_sealed_1 FROM people;
--!
SELECT id FROM people WHERE theriac_sealed_1 IS NULL;
--!
MERGE INTO people p USING cities c ON p.city = c.city WHEN MATCHED THEN UPDATE SET note = 'x';
--!
SET client_encoding = 'EUC_TW';
-- Every type.
SELECT * FROM things ORDER BY id;
SELECT id, flag, small, large, at, moment, span FROM things ORDER BY id;
SELECT id, key, bytes, doc, docb, host, net, mood, mail, short, words, numbers, moods, code FROM things ORDER BY id;
SELECT id FROM things WHERE flag = true ORDER BY id;
SELECT id FROM things WHERE flag = 'f' ORDER BY id;
SELECT id FROM things WHERE flag IN (true, 'no') ORDER BY id;
SELECT id FROM things WHERE flag <> true ORDER BY id;
SELECT id FROM things WHERE flag IS NULL;
SELECT id FROM things WHERE small = '1.1' ORDER BY id;
SELECT id FROM things WHERE small = 1.1 ORDER BY id;
SELECT id FROM things WHERE small = 0 ORDER BY id;
SELECT id FROM things WHERE small = '1.1'::real ORDER BY id;
SELECT id FROM things WHERE large = 0.1 ORDER BY id;
SELECT id FROM things WHERE large IN (0.1, 'NaN') ORDER BY id;
SELECT id FROM things WHERE large = 'NaN'::float8;
SELECT id FROM things WHERE at = '10:30:00.124' ORDER BY id;
SELECT id FROM things WHERE at = TIME '24:00';
SELECT id FROM things WHERE moment = '2026-11-21 10:30:00.13' ORDER BY id;
SELECT id FROM things WHERE moment = TIMESTAMP '2026-11-21 10:30:00.13' ORDER BY id;
SELECT id FROM things WHERE moment = '2026-11-21'::date;
SELECT id FROM things WHERE moment = 'infinity';
SELECT id FROM things WHERE span = '-24:00' ORDER BY id;
SELECT id FROM things WHERE span = '32 days 03:04:05.6' ORDER BY id;
SELECT id FROM things WHERE span = INTERVAL '360' DAY;
SELECT id FROM things WHERE span IN ('12 mons', '-1 day') ORDER BY id;
SELECT id FROM things WHERE key = '{00000000-0000-4000-8000-000000000002}';
SELECT id FROM things WHERE key = '00000000-0000-4000-8000-000000000002'::uuid;
SELECT id FROM things WHERE key = ANY (ARRAY['00000000-0000-4000-8000-000000000002', '00000000000040008000000000000004']::uuid[]) ORDER BY id;
SELECT id FROM things WHERE bytes = '\x00FF41' ORDER BY id;
SELECT id FROM things WHERE bytes = E'\\000\\377A'::bytea ORDER BY id;
SELECT id FROM things WHERE docb = '{"a": [1, 2], "b": 1.00}' ORDER BY id;
SELECT id FROM things WHERE docb = '{}'::jsonb;
SELECT id FROM things WHERE host = '10.0.0.1' ORDER BY id;
SELECT id FROM things WHERE host = '10.0.0.1/32'::inet ORDER BY id;
SELECT id FROM things WHERE net = '10.0.0.0/8' ORDER BY id;
SELECT id FROM things WHERE net = '10.0.0.1/8' ORDER BY id;
SELECT id FROM things WHERE mood = 'sad' ORDER BY id;
SELECT id FROM things WHERE mood = 'sad'::mood ORDER BY id;
SELECT id FROM things WHERE mood = 'Très heureux'::public.mood;
SELECT id FROM things WHERE mood IN ('ok', 'Très heureux') ORDER BY id;
SELECT id FROM things WHERE mail = 'ANNA@example.ORG';
SELECT id FROM things WHERE mail = 'élan@example.org';
SELECT id FROM things WHERE mail = 'Bob@Example.org'::citext;
SELECT id FROM things WHERE short = 'ab' ORDER BY id;
SELECT id FROM things WHERE short = 'abcdefg' ORDER BY id;
SELECT id FROM things WHERE words = '{a,"b c",NULL}' ORDER BY id;
SELECT id FROM things WHERE words = ARRAY['a', 'b c', NULL] ORDER BY id;
SELECT id FROM things WHERE words = '[0:1]={x,y}'::text[];
SELECT id FROM things WHERE numbers = '{1.5,2}' ORDER BY id;
SELECT id FROM things WHERE moods = '{sad,ok}' ORDER BY id;
SELECT id FROM things WHERE moods = ARRAY['sad', 'ok']::mood[] ORDER BY id;
SELECT id FROM things WHERE code = 'ab' ORDER BY id;
SELECT a.id, b.id FROM things a JOIN things b ON a.mail = b.mail ORDER BY 1, 2;
SELECT a.id, b.id FROM things a JOIN things b ON a.span = b.span ORDER BY 1, 2;
SELECT a.id, b.id FROM things a JOIN things b ON a.docb = b.docb ORDER BY 1, 2;
SELECT count(DISTINCT mood) FROM things;
SELECT count(DISTINCT host) FROM things;
SELECT id, words FROM things WHERE mood = 'sad' AND words = '{a,"b c",NULL}' ORDER BY id;
SELECT coalesce(mood, 'ok') FROM things ORDER BY id;
SELECT coalesce(mail, 'nobody') FROM things ORDER BY id;
SELECT coalesce(span, '1 day') FROM things ORDER BY id;
SELECT coalesce(flag, true) FROM things ORDER BY id;
-- Every type in other settings.
SET bytea_output = escape;
SELECT bytes FROM things ORDER BY id;
SET extra_float_digits = 0;
SELECT small, large FROM things ORDER BY id;
SET IntervalStyle = iso_8601;
SELECT span FROM things ORDER BY id;
SET DateStyle = 'German, DMY';
SELECT moment, span FROM things ORDER BY id;
SET extra_float_digits = -3;
SELECT small, large, bytes FROM things ORDER BY id;
RESET bytea_output;
RESET extra_float_digits;
RESET IntervalStyle;
RESET DateStyle;
SELECT moment, span, bytes, small FROM things ORDER BY id;
-- Writing every type.
INSERT INTO things (id, flag, small, large, at, moment, span) VALUES (10, 'yes', 1.5, 2, '10:30 PM', '2026-11-21 10:30:00.999', '90 min');
INSERT INTO things (id, key, bytes, doc, docb, host, net) VALUES (11, '00000000000040008000000000000011', 'a\\b', '[1, 2]', '[1,  2]', '1.2.3.4/8', '1.0.0.0/8');
INSERT INTO things (id, mood, mail, short, words, numbers, moods, code) VALUES (12, 'ok', 'Case@Kept.org', 'xy   ', ARRAY['p','q'], '{1.005}', '{ok}', 'z');
SELECT * FROM things WHERE id >= 10 ORDER BY id;
INSERT INTO things (id, mail) VALUES (13, 'case@kept.ORG');
INSERT INTO things (id, mood) VALUES (13, 'happy');
INSERT INTO things (id, short) VALUES (13, 'abcdef');
INSERT INTO things (id, small) VALUES (13, 1e40);
INSERT INTO things (id, at) VALUES (13, '25:00');
INSERT INTO things (id, key) VALUES (13, 'x');
INSERT INTO things (id, docb) VALUES (13, '{');
INSERT INTO things (id, host) VALUES (13, '300.1.1.1');
INSERT INTO things (id, net) VALUES (13, '1.2.3.4/8');
INSERT INTO things (id, words) VALUES (13, '{');
INSERT INTO things (id, bytes) VALUES (13, 'a\4');
INSERT INTO things (id) VALUES (13);
SELECT flag, mood FROM things WHERE id = 13;
UPDATE things SET mood = 'sad', span = '2 hours', words = '{}' WHERE id = 13;
UPDATE things SET docb = '{"k":  [true]}', doc = '{"k":  [true]}', flag = false WHERE grade > 2;
SELECT flag, doc, docb, mood, span, words FROM things ORDER BY id;
DELETE FROM things WHERE mail = 'CASE@KEPT.ORG' RETURNING id, mail, short;
DELETE FROM things WHERE key = '00000000-0000-4000-8000-000000000011' RETURNING key, bytes;
--$ t|1.1|2.5|10:30|2026-11-21 10:30:00|3 days
INSERT INTO things (id, flag, small, large, at, moment, span) VALUES (20, $1, $2, $3, $4, $5, $6);
--$ 00000000-0000-4000-8000-000000000020|\x01|{}|[1]|1.2.3.4|1.0.0.0/8
INSERT INTO things (id, key, bytes, doc, docb, host, net) VALUES (21, $1, $2, $3, $4, $5, $6);
--$ ok|Mail|{a,b}|{1.5}|{ok}|c
INSERT INTO things (id, mood, mail, words, numbers, moods, code) VALUES (22, $1, $2, $3, $4, $5, $6);
--$ ab
INSERT INTO things (id, short) VALUES (23, $1);
SELECT * FROM things WHERE id >= 20 ORDER BY id;
--$ mail
SELECT id FROM things WHERE mail = $1;
--$ 00000000-0000-4000-8000-000000000020
--@ 1043
SELECT id FROM things WHERE key = $1::uuid;
--$ 1.1
--@ 701
SELECT id FROM things WHERE small = $1 ORDER BY id;
--$ 1.1
--@ 700
SELECT id FROM things WHERE small = $1 ORDER BY id;
--$ ok|3 days|{a,b}
UPDATE things SET mood = $1, span = $2, words = $3 WHERE id = 20 RETURNING mood, span, words;
DELETE FROM things WHERE id >= 20;
UPDATE things SET large = small WHERE id = 1;
SELECT large FROM things WHERE id = 1;
INSERT INTO things (id, moment, mood, words, net) SELECT id + 50, moment, mood, words, net FROM things WHERE id < 4;
SELECT moment, mood, words, net FROM things WHERE id > 50 ORDER BY id;
DELETE FROM things WHERE id > 50;
-- Every type refused.
--!
INSERT INTO things (id, large) VALUES (13, true);
--!
SELECT id FROM things WHERE small IN (1.1, 1.5);
--!
SELECT id FROM things WHERE net IN ('10.0.0.0/8');
--!
SELECT id FROM things WHERE mail = ANY (ARRAY['a']);
--!
SELECT id FROM things WHERE mail = 'a'::text;
--!
SELECT id FROM things WHERE flag;
--!
SELECT docb->'a' FROM things;
--!
SELECT words[1] FROM things;
--!
SELECT id FROM things WHERE 'a' = ANY (words);
--!
UPDATE things SET words[1] = 'x' WHERE id = 1;
--!
SELECT doc FROM things WHERE doc IS DISTINCT FROM NULL AND doc = '1';
-- Expressions with an index of their own.
SELECT id, name FROM people WHERE lower(name) = 'anna müller' ORDER BY id;
SELECT id FROM people WHERE lower(name) = lower('BOB') ORDER BY id;
SELECT id FROM people WHERE lower(name) <> 'bob' ORDER BY id;
SELECT id FROM people WHERE lower(name) IN ('bob', 'anna müller', 'x') ORDER BY id;
SELECT id FROM people WHERE upper(left(name, 1)) = 'B' ORDER BY id;
SELECT id FROM people WHERE right(phone, 4) = '0003' ORDER BY id;
SELECT id FROM people WHERE right(phone::text, 4) = '0003' ORDER BY id;
SELECT id FROM people WHERE right(phone, 4) = ANY (ARRAY['0001', '0005']) ORDER BY id;
SELECT id FROM people WHERE right(phone, 4) IS DISTINCT FROM '0003' ORDER BY id;
SELECT p.id, c.id FROM people p JOIN calls c ON right(p.phone, 4) = right(c.phone, 4) ORDER BY 1, 2;
SELECT id FROM things WHERE right(upper(code), 2) = 'AB' ORDER BY id;
SELECT id FROM things WHERE right(upper(code), 2) = 'AB ' ORDER BY id;
SELECT id FROM things WHERE lower(mail) = 'bob@example.org' ORDER BY id;
SELECT id FROM things WHERE lower(mail) = 'BOB@example.org' ORDER BY id;
--$ ANNA müller
SELECT id FROM people WHERE lower(name) = lower($1) ORDER BY id;
--$ 0001
SELECT id FROM people WHERE right(phone, 4) = $1 ORDER BY id;
INSERT INTO people (id, name, phone) VALUES (200, 'ÉMILE', '5550200');
SELECT id, name FROM people WHERE lower(name) = 'émile';
UPDATE people SET phone = '5550201' WHERE lower(name) = 'émile';
SELECT id, phone FROM people WHERE right(phone, 4) = '0201';
UPDATE people SET name = 'Zoë', phone = NULL WHERE id = 200;
SELECT id FROM people WHERE right(phone, 4) = '0201' OR lower(name) = 'zoë';
INSERT INTO people (id, name, phone) VALUES (200, 'ZOÉ', '7770200') ON CONFLICT (id) DO UPDATE SET name = excluded.name, phone = excluded.phone;
SELECT id FROM people WHERE lower(name) = 'zoé' AND right(phone, 4) = '0200';
DELETE FROM people WHERE lower(name) = lower('ZOÉ') RETURNING id, name;
--!
SELECT id FROM people WHERE upper(name) = 'BOB';
--!
SELECT id FROM people WHERE lower(name) LIKE 'b%';
-- The number in right() is part of what the text means, not a value that may differ.
SELECT id FROM people WHERE right(phone, 4) = '0003';
--!
SELECT id FROM people WHERE right(phone, 3) = '0003';
SELECT id FROM things WHERE span = INTERVAL '3' DAY;
SELECT id FROM things WHERE span = INTERVAL '360' DAY;
SELECT id FROM things WHERE words = ARRAY['a', 'b c'];
SELECT id FROM things WHERE words = ARRAY['a', 'x'];
-- Views.
SELECT * FROM directory ORDER BY number;
SELECT who, tel FROM directory WHERE who = '张伟' ORDER BY number;
SELECT number FROM directory WHERE upper(left(who, 1)) = 'B' AND right(tel, 4) = '0003';
SELECT d.who, c.remark FROM directory d LEFT JOIN calls c ON c.phone = d.tel ORDER BY d.number, c.id;
SELECT * FROM yields ORDER BY id;
SELECT id, yield FROM yields WHERE yield = 1.5 ORDER BY id;
SELECT count(*), count(phone), count(DISTINCT phone) FROM numbers;
SELECT kind FROM numbers WHERE phone = '13800000003' ORDER BY kind;
SELECT n FROM tally WHERE who = 'Bob';
SELECT count(*) FROM callers;
INSERT INTO directory (number, who, tel) VALUES (901, 'Vera', '13900000901');
SELECT id, name, phone, city FROM people WHERE id = 901;
UPDATE directory SET city = 'Bern' WHERE who = 'Vera';
SELECT * FROM directory WHERE tel = '13900000901';
DELETE FROM directory WHERE who = 'Vera';
--!
SELECT who FROM directory ORDER BY who;
SELECT d FROM directory d ORDER BY number;
--!
UPDATE directory SET who = 'x' WHERE city = 'Bern';
UPDATE yields SET lot = 'L' WHERE id = 1;
SELECT * FROM yields WHERE lot = 'L';
UPDATE directory SET who = 'Anna', city = 'Bern' WHERE number = 1 RETURNING who, tel, city;
UPDATE directory SET tel = NULL WHERE number = 2;
UPDATE directory SET who = who, city = 'Chur' WHERE number = 3;
--$ Carl
UPDATE directory SET who = $1 WHERE number = 3;
UPDATE directory SET who = NULL WHERE number = 3;
SELECT id, name, phone, city FROM people WHERE id < 5 ORDER BY id;
SELECT * FROM directory WHERE who = 'Anna' ORDER BY number;
-- Partitions and inheriting tables.
SELECT * FROM stays ORDER BY id;
SELECT * FROM ONLY stays;
SELECT * FROM stays_2025 ORDER BY id;
SELECT * FROM stays_2026 ORDER BY id;
SELECT tableoid::regclass::text, id, patient, bed, finding FROM stays ORDER BY id;
SELECT id, finding FROM stays WHERE patient = 'Bob' ORDER BY id;
SELECT id FROM stays_2026 WHERE patient = '张伟' AND bed = 'b1';
SELECT id FROM stays WHERE lower(patient) = 'anna';
SELECT patient, count(*) FROM stays GROUP BY patient ORDER BY count(*), min(id);
SELECT s.id, p.id FROM stays s JOIN people p ON p.name = s.patient ORDER BY s.id, p.id;
SELECT a.id, b.id FROM stays a JOIN stays_2026 b ON a.patient = b.patient ORDER BY a.id, b.id;
SELECT s FROM (SELECT id, patient FROM stays) AS s(i, s) ORDER BY i;
INSERT INTO stays (id, day, patient, bed, finding, fee) VALUES (10, '2026-05-01', 'New', 'b10', 'f10', 1) RETURNING *;
INSERT INTO stays (id, day) VALUES (11, '2025-05-01') RETURNING *;
INSERT INTO stays_2026 (id, day, patient) VALUES (12, '2026-05-02', 'Direct') RETURNING *;
INSERT INTO stays_2026 (id, day) VALUES (13, '2026-05-02');
INSERT INTO stays_2026 (id, day, patient) VALUES (13, '2025-05-02', 'wrong');
INSERT INTO stays (id, day, patient, bed) VALUES (14, '2026-05-01', 'x', 'b10');
INSERT INTO stays (id, day, patient, bed) VALUES (14, '2026-05-01', 'x', 'b10') ON CONFLICT (bed, day) DO NOTHING;
INSERT INTO stays (id, day, patient, bed) VALUES (14, '2026-05-01', 'other', 'b10') ON CONFLICT (bed, day) DO UPDATE SET patient = excluded.patient, finding = 'again' RETURNING id, patient, finding;
INSERT INTO stays (id, day, patient, bed, finding) VALUES (14, '2026-05-01', 'other', 'b10', 'again') ON CONFLICT (bed, day) DO UPDATE SET patient = excluded.patient, bed = excluded.bed, finding = excluded.finding RETURNING id, patient, finding;
INSERT INTO stays (id, day, patient, finding) SELECT id + 20, day + 1, patient, finding FROM stays WHERE id < 6 RETURNING id, patient, finding;
--$ Param
SELECT id FROM stays WHERE patient = $1;
UPDATE stays SET finding = 'seen' WHERE fee > 10;
UPDATE stays SET finding = 'by key' WHERE id = 3 AND day = '2026-03-01' RETURNING *;
UPDATE stays SET patient = 'all the same' WHERE id >= 20 RETURNING id, patient;
UPDATE stays SET day = '2025-03-03' WHERE id = 10 RETURNING tableoid::regclass::text, *;
UPDATE stays SET day = '2026-06-06', patient = 'moved', finding = 'too' WHERE id = 10 RETURNING tableoid::regclass::text, *;
UPDATE stays SET day = '2019-01-01', bed = 'far' WHERE id IN (10, 11) RETURNING tableoid::regclass::text, *;
UPDATE stays_2026 SET finding = patient WHERE id = 12 RETURNING *;
UPDATE stays_2026 SET day = '2025-01-01' WHERE id = 12;
UPDATE ONLY stays SET finding = 'none' RETURNING id;
UPDATE stays SET patient = p.name FROM people p WHERE p.id = stays.id AND stays.id < 4 RETURNING stays.id, patient;
SELECT tableoid::regclass::text, * FROM stays ORDER BY id, day;
SELECT * FROM stays_2025_a ORDER BY id;
MERGE INTO stays s USING (VALUES (1, date '2025-02-01', 'merged', 'b1', 'f'), (40, date '2026-02-01', 'more', 'b40', 'g')) v(id, day, who, bed, finding) ON s.id = v.id AND s.day = v.day WHEN MATCHED THEN UPDATE SET patient = v.who, bed = v.bed, finding = v.finding WHEN NOT MATCHED THEN INSERT (id, day, patient, bed, finding) VALUES (v.id, v.day, v.who, v.bed, v.finding);
MERGE INTO stays s USING people p ON s.id = p.id WHEN MATCHED AND p.id > 90 THEN DELETE;
SELECT stays FROM stays WHERE id = 1;
SELECT count(stays), count(stays.*) FROM stays;
SELECT tableoid::regclass::text, patient FROM stays WHERE id IN (1, 40) ORDER BY id;
DELETE FROM stays WHERE patient = 'all the same' RETURNING id;
DELETE FROM stays WHERE id >= 10;
TRUNCATE stays_other;
SELECT * FROM assets ORDER BY id, tableoid::regclass::text;
SELECT * FROM ONLY assets ORDER BY id;
SELECT * FROM pumps ORDER BY id, tableoid::regclass::text;
SELECT tableoid::regclass::text, id, serial FROM assets WHERE serial = 'A-1' ORDER BY tableoid::regclass::text;
SELECT b.id, a.place FROM big_pumps b JOIN ONLY assets a ON a.serial = b.serial;
INSERT INTO big_pumps (id, weight) VALUES (7, 1) RETURNING *;
INSERT INTO pumps (id, serial) VALUES (7, 'P-7') RETURNING *;
INSERT INTO assets (id, serial) VALUES (8, 'A-1');
INSERT INTO assets (id, serial) VALUES (2, 'A-22') ON CONFLICT (id) DO UPDATE SET serial = 'A-23', place = 'moved' RETURNING *;
UPDATE assets SET place = 'everywhere' WHERE id = 1 RETURNING tableoid::regclass::text, *;
UPDATE assets SET serial = place, place = serial WHERE id > 2 RETURNING tableoid::regclass::text, *;
UPDATE ONLY assets SET place = 'here' WHERE id = 1;
UPDATE pumps SET place = NULL WHERE id = 1;
SELECT tableoid::regclass::text, id, serial, place FROM assets ORDER BY 1, 2;
DELETE FROM assets WHERE serial = 'A-1' AND id = 1;
DELETE FROM ONLY assets;
-- Whole rows.
SELECT p FROM people p ORDER BY id;
SELECT b FROM batches b ORDER BY id;
SELECT t FROM things t ORDER BY id;
SELECT c.id, p FROM calls c LEFT JOIN people p ON p.phone = c.phone ORDER BY c.id;
SELECT p.id, c FROM calls c RIGHT JOIN people p ON p.phone = c.phone AND c.day IS NULL ORDER BY p.id, c.id;
SELECT (p).* FROM people p WHERE id = 1;
SELECT (p).name, (p.*).city FROM people p ORDER BY id;
SELECT ROW(id, name, born, 'x', NULL, note) FROM people ORDER BY id;
SELECT (id, phone, balance) AS r FROM people ORDER BY id;
SELECT q FROM (SELECT id, name, phone FROM people) q ORDER BY q.id;
WITH w AS (SELECT id, age, seen FROM people) SELECT w, id FROM w ORDER BY id;
SELECT count(p), count(p.*), count(*) FROM people p;
SELECT count(p) FROM calls c LEFT JOIN people p ON p.phone = c.phone;
SELECT id, p IS NULL, p IS NOT NULL FROM people p ORDER BY id;
SELECT c.id FROM calls c LEFT JOIN people p ON p.phone = c.phone WHERE p IS NULL ORDER BY c.id;
SELECT c.id FROM calls c LEFT JOIN people p ON p.phone = c.phone WHERE p.* IS NOT NULL ORDER BY c.id;
SELECT id FROM batches b WHERE b IS NOT NULL ORDER BY id;
--$ Anna Müller
SELECT p, p.id FROM people p WHERE name = $1;
--once
INSERT INTO people (id, name, phone, note) VALUES (300, 'a "b" \c', '(1, 2)', '') RETURNING people;
SELECT p FROM people p WHERE id = 300;
UPDATE people p SET note = 'x,y', phone = NULL WHERE id = 300 RETURNING p, (p).note, ROW(p.id, p.note);
--once
DELETE FROM people p WHERE id = 300 RETURNING p.*, p;
TABLE batches ORDER BY id LIMIT 2;
TABLE calls;
SET bytea_output = escape;
SELECT t FROM things t ORDER BY id;
SELECT p FROM people p ORDER BY id;
RESET bytea_output;
--!
SELECT DISTINCT p FROM people p;
--!
SELECT p FROM people p ORDER BY p;
--!
SELECT x.p FROM (SELECT p FROM people p) x;
--!
SELECT p::text FROM people p;
--!
COPY (SELECT p FROM people p) TO STDOUT;
-- MERGE.
MERGE INTO people p USING (VALUES (1, 'Anna Müller', 30), (301, 'Merged', 31)) s(id, name, age) ON p.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name, score = 77 WHEN NOT MATCHED THEN INSERT (id, name, age) VALUES (s.id, s.name, s.age);
SELECT id, name, age, score, visits, city FROM people WHERE id IN (1, 301) ORDER BY id;
SELECT id FROM people WHERE name = 'Merged' AND age = 31;
--$ 302|Param|9.5
MERGE INTO people p USING (VALUES ($1::int, $2, $3::numeric)) s(id, name, b) ON p.id = s.id WHEN MATCHED THEN UPDATE SET balance = s.b WHEN NOT MATCHED THEN INSERT (id, name, balance) VALUES (s.id, s.name, s.b);
SELECT id, name, balance FROM people WHERE id > 300 ORDER BY id;
--!
MERGE INTO people p USING (VALUES ('Merged', 'new note'), ('nobody', 'x')) s(name, note) ON p.name = s.name WHEN MATCHED AND p.note IS NULL THEN UPDATE SET note = NULL, city = s.note;
MERGE INTO people p USING (VALUES ('Merged', 'new note'), ('nobody', 'x')) s(name, note) ON p.name = s.name WHEN MATCHED AND p.note IS NULL THEN UPDATE SET name = s.name, city = s.note;
SELECT id, note, city FROM people WHERE id = 301;
MERGE INTO calls c USING people p ON c.person = p.id AND p.id > 300 WHEN MATCHED THEN UPDATE SET phone = p.phone WHEN NOT MATCHED AND p.id > 300 THEN INSERT (id, phone, remark, person) VALUES (p.id, p.phone, p.note, p.id);
SELECT phone, remark, person FROM calls WHERE person > 300 ORDER BY person;
MERGE INTO people p USING calls c ON p.id = c.person AND c.person > 300 WHEN MATCHED AND c.id = 301 THEN DELETE WHEN MATCHED THEN UPDATE SET note = c.remark, phone = 'm302';
SELECT id, name, phone, note FROM people WHERE id > 300 ORDER BY id;
MERGE INTO batches b USING (VALUES (1, 3.5, '2026-01-01 00:00:00+00'::timestamptz), (50, 4, NULL)) s(id, y, r) ON b.id = s.id WHEN MATCHED THEN UPDATE SET yield = s.y, released = s.r WHEN NOT MATCHED THEN INSERT (id, lot, yield, released) VALUES (s.id, 'L50', s.y, s.r);
SELECT id, lot, yield, released FROM batches ORDER BY id;
SELECT id FROM batches WHERE yield = 3.50;
MERGE INTO batches b USING cities c ON b.lot = c.city WHEN MATCHED THEN UPDATE SET yield = NULL WHEN NOT MATCHED AND c.country = 'nowhere' THEN INSERT (id, lot) VALUES (1, 'x');
DELETE FROM batches WHERE id = 50;
MERGE INTO people p USING cities c ON p.city = c.city AND p.id = 302 WHEN MATCHED THEN UPDATE SET score = 1 WHEN NOT MATCHED THEN DO NOTHING;
MERGE INTO people p USING (VALUES (302)) s(id) ON p.id = s.id WHEN MATCHED THEN UPDATE SET visits = DEFAULT, total = NULL, age = 300;
MERGE INTO people p USING (VALUES (302)) s(id) ON p.id = s.id WHEN MATCHED THEN UPDATE SET phone = '1234567890123456789012345';
MERGE INTO people p USING (VALUES (302), (302)) s(id) ON p.id = s.id WHEN MATCHED THEN UPDATE SET age = 3;
SELECT id, visits, total, age FROM people WHERE id > 300 ORDER BY id;
DELETE FROM calls WHERE person > 300;
DELETE FROM people WHERE id > 300;
--!
MERGE INTO people p USING cities c ON p.city = c.city WHEN MATCHED THEN UPDATE SET note = 'x';
--!
MERGE INTO batches b USING (VALUES (1, 2)) s(id, y) ON b.id = s.id WHEN MATCHED THEN UPDATE SET yield = s.y;
--!
MERGE INTO cities c USING people p ON c.city = p.city WHEN MATCHED THEN UPDATE SET country = p.name;
-- Values on a detour.
UPDATE people SET name = v.name, phone = v.phone FROM (VALUES (1, 'Anna Müller', 'p1'), (2, 'Bob', NULL)) AS v(id, name, phone) WHERE people.id = v.id;
SELECT id, name, phone FROM people WHERE id < 3 ORDER BY id;
--$ 1|Anna Müller|2|Bob
UPDATE people SET name = v.name FROM (VALUES ($1::int, $2), ($3, $4)) AS v(id, name) WHERE people.id = v.id AND people.name IS DISTINCT FROM v.name RETURNING people.id, people.name;
UPDATE people SET born = v.born FROM (VALUES (2, date '1990-03-07')) v(id, born) WHERE people.id = v.id RETURNING people.id, people.born;
UPDATE people SET born = v.born FROM (VALUES (2, '1990-03-07')) v(id, born) WHERE people.id = v.id;
WITH v(id, name) AS (VALUES (310, 'Vera'), (311, 'Ivo')) INSERT INTO people (id, name) SELECT id, name FROM v ON CONFLICT (id) DO NOTHING;
INSERT INTO people (id, name, phone) SELECT v.id, v.name, v.phone FROM (VALUES (312, 'Wim', '555312'), (313, 'Xenia', NULL)) v(id, name, phone) WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = v.id);
SELECT id, name, phone FROM people WHERE id > 300 ORDER BY id;
DELETE FROM people WHERE id > 300;
--!
UPDATE people SET name = x FROM unnest(ARRAY['secret']) x WHERE id = 1;
--$ {a,b}
--!
INSERT INTO people (id, name) SELECT 400, x FROM unnest($1::text[]) x;
--!
UPDATE people SET name = upper(v.x) FROM (VALUES (1, 'secret')) v(id, x) WHERE people.id = v.id;
-- Writing WITH.
WITH u AS (UPDATE people SET note = 'seen' WHERE score > 5 RETURNING id, note) SELECT * FROM u ORDER BY id;
WITH u AS (UPDATE people SET note = NULL, score = score WHERE score > 5 RETURNING id) SELECT count(*) FROM u;
WITH p AS (SELECT id FROM people WHERE name = 'Bob'), u AS (UPDATE people SET note = 'bob' WHERE id IN (SELECT id FROM p) RETURNING id, note) SELECT id, note FROM u ORDER BY id;
WITH u AS (UPDATE people SET age = 33 WHERE city = 'Basel' AND id > 2 RETURNING id, age) INSERT INTO cities SELECT 'u' || id, age::text FROM (SELECT id, 1 AS age FROM u) x ON CONFLICT DO NOTHING;
WITH i AS (INSERT INTO calls (id, phone, remark) SELECT id + 900, phone, note FROM people WHERE id < 3 ON CONFLICT (id) DO NOTHING RETURNING id, phone, remark) SELECT * FROM i ORDER BY id;
WITH d AS (DELETE FROM calls WHERE id > 900 RETURNING id) UPDATE people SET note = 'gone' WHERE id = 2 OR score = 77 RETURNING id, note;
DELETE FROM cities WHERE city LIKE 'u%';
--!
WITH d AS (DELETE FROM calls WHERE id > 900 RETURNING person) UPDATE people SET note = 'x' WHERE id IN (SELECT person FROM d);
