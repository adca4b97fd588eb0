INSERT INTO people (id, name, phone, note, age, visits, balance, born, seen, city, score) VALUES
 (1, '张伟', '13800000001', 'note one', 30, 1, 1.50, '1990-03-07', '2026-01-02 03:04:05+00', 'Basel', 10),
 (2, 'Anna Müller', '13800000002', NULL, 41, 2, -3.00, '1979-12-31', '1999-12-31 23:59:59.999999+00', 'Bern', 20),
 (3, 'O''Neil \ "q"', NULL, '', NULL, 3, NULL, NULL, NULL, NULL, 30);
INSERT INTO calls (phone, remark, day, person) VALUES
 ('13800000001', 'first', '2026-02-01', 1), ('13800000001', E'second\tline\nbreak', '2026-02-02', 1), (NULL, NULL, '2026-02-03', 2);
INSERT INTO batches (lot, yield, released, grade) VALUES ('L-1', 97.5, '2026-01-01 00:00:00+00', 1), ('L-2', 97.50, NULL, 2), ('L-3', 'NaN', NULL, NULL);
INSERT INTO stays VALUES (1, '2025-02-01', 'Bob', 'x'), (2, '2026-02-01', 'Anna', 'y'), (3, '2026-02-02', 'Anna', 'z');
INSERT INTO gear VALUES (1, 'A-1', 'ward'), (2, NULL, NULL);
INSERT INTO pumps VALUES (1, 'P-1', 'ward', 7);
INSERT INTO cities VALUES ('Basel', 'CH'), ('Bern', 'CH');
INSERT INTO other.people VALUES (1, 'not protected');
SELECT setval('ticket', 107);
