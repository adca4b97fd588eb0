INSERT INTO people VALUES
 (1, '张伟', '13800000001', 'note one', 30, 1, 9007199254740993, 1.50, '1990-03-07', '2026-01-02 03:04:05+00', 'Basel', 10),
 (2, 'Anna Müller', '13800000002', NULL, 41, 2, -1, -3.00, '1979-12-31', '1999-12-31 23:59:59.999999+00', 'Bern', 20),
 (3, 'Bob', '13800000003', '', 30, 3, 0, 0.00, '2024-02-29', 'infinity', 'Basel', 30),
 (4, '张伟', NULL, 'a much longer note that goes beyond every bucket of its class, to be sure', NULL, NULL, NULL, NULL, NULL, NULL, 'Chur', 40),
 (5, 'O''Neil \ "q"', '13800000005', E'line\nbreak\ttab', -5, 2147483647, 9223372036854775807, 9999999999.99, '0044-03-15 BC', '2026-07-01 12:00:00+00', NULL, 50);
INSERT INTO calls (phone, remark, day, person) VALUES
 ('13800000001', 'first', '2026-02-01', 1), ('13800000001', 'second', '2026-02-02', 1),
 ('13800000003', NULL, '2026-02-03', 3), ('unknown', 'third', '2026-02-04', NULL), (NULL, 'x', NULL, 2);
INSERT INTO batches VALUES (1, 'L-1', 97.5, '2026-01-01 00:00:00+00', 1), (2, 'L-2', 97.50, NULL, 2),
 (3, 'L-3', NULL, '2026-06-30 10:00:00+00', 3), (4, 'L-4', 'NaN', NULL, NULL);
INSERT INTO cities VALUES ('Basel', 'CH'), ('Bern', 'CH'), ('Chur', 'CH');
INSERT INTO other.people VALUES (1, 'not protected');
INSERT INTO things VALUES
 (1, true, 1.1, 0.1, '10:30:00.1239', '2026-11-21 10:30:00.129', '1 mon 2 days 03:04:05.6',
  '00000000-0000-4000-8000-000000000001', '\x00ff41', '{"b": 1,  "a":[1,2]}', '{"b":1.0,"a":[1,2]}', '10.0.0.1', '10.0.0.0/8',
  'sad', 'Anna@Example.org', 'ab', '{a,"b c",NULL}', '{1.5,2}', '{sad,ok}', 'ab', 1),
 (2, false, '-0', 'NaN', '24:00', 'infinity', '-1 day', '00000000-0000-4000-8000-000000000002', '', 'null', '{}', '::1/64', '::/0',
  'Très heureux', 'ÉLAN@example.org', 'abcde', '[0:1]={x,y}', '{}', '{}', 'abcdef', 2),
 (3, NULL, 3.4e38, 1e300, '00:00', '0044-03-15 12:00:00 BC', '1 year', NULL, NULL, '"x"', '"x"', '192.168.0.1/24', '1.2.3.4',
  'ok', NULL, '', '{{a,b},{c,d}}', NULL, '{NULL}', '', 3),
 (4, true, 1.1, 0.1, '10:30:00.124', '2026-11-21 10:30:00.13', '32 days 03:04:05.6', '00000000-0000-4000-8000-000000000004', '\x00ff41',
  '{}', '{"a":[1,2.0],"b":1}', '10.0.0.1/32', '10.0.0.0/8', 'sad', 'bob@example.org', 'ab', '{a,"b c",NULL}', '{1.50,2.00}',
  '{sad,ok}', 'ab    ', 4);
INSERT INTO stays VALUES (1, '2025-02-01', '张伟', 'b1', 'fine', 10), (2, '2025-08-01', 'Bob', 'b2', NULL, 20),
 (3, '2026-03-01', 'Anna', NULL, 'ill', 30), (4, '2024-01-01', 'Bob', 'b4', '', NULL), (5, '2026-04-01', '张伟', 'b1', 'better', 50);
INSERT INTO assets VALUES (1, 'A-1', 'ward'), (2, 'A-2', NULL);
INSERT INTO pumps VALUES (1, 'A-1', 'ward', 5), (3, 'P-3', 'store', 7);
INSERT INTO big_pumps VALUES (1, 'A-1', 'x', 5, 90), (4, 'B-4', 'ward', 7, 91);
