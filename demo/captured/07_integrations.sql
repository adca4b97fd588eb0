-- Integrations: COPY in and out, binary results, arrays as parameters, wide statements.
-- @ session exchange erp_app

-- @ copy
COPY suppliers (id, name, contact_name, contact_email, bank_account, rating) FROM STDIN
501	Example Copy 1	王芳 1	copy1@supplier.example	EX501	4.5
502	Example Copy 2	\N	\N	EX502	\N
503	tab\there	O'Brien "Q"	Copy3@supplier.example	\N	0.0
\.

SELECT id, name, contact_name, contact_email, bank_account, rating FROM suppliers WHERE id > 500 ORDER BY id

-- @ copy
COPY patients (id, mrn, full_name, birth_date, consent) FROM STDIN WITH (FORMAT csv, HEADER)
id,mrn,full_name,birth_date,consent
9501,MRN950001,"患者, eins",1970-01-01,t
9502,,"患者 ""zwei""",,f
9503,MRN950003,,1999-12-31,t
\.

SELECT id, mrn, full_name, birth_date, consent FROM patients WHERE id > 9500 ORDER BY id

-- @ copy
-- @ fails 23505
COPY patients (mrn, full_name) FROM STDIN
MRN960001	neu
MRN950001	doppelt
\.

-- @ copy
-- @ fails 22008
COPY patients (mrn, birth_date) FROM STDIN
MRN960002	1990-13-45
\.

SELECT count(*) FROM patients WHERE mrn IN ('MRN960001', 'MRN960002')

-- @ copy
COPY (SELECT id, name, contact_name, contact_email, bank_account FROM suppliers ORDER BY id) TO STDOUT

-- @ copy
COPY (SELECT mrn, full_name, birth_date FROM patients ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER, FORCE_QUOTE *)

-- @ copy
COPY (SELECT id, contact_name, contact_phone, credit_limit, note FROM customers ORDER BY id) TO STDOUT (FORMAT binary)

-- @ copy
COPY (SELECT c.id, c.contact_name, o.order_no FROM customers c JOIN sales_orders o ON o.customer_id = c.id WHERE c.id < 20 ORDER BY o.id) TO STDOUT (DELIMITER '|', NULL 'none')

-- @ copy
COPY price_list TO STDOUT CSV

-- @ copy
COPY devices (id, udi_di, name) TO STDOUT

-- @ copy
COPY stock_moves (batch_id, place, quantity, moved_at) FROM STDIN
3	A1	7	2026-03-04 10:00:00+08
4	A2	-2	2026-03-04 10:05:00+08
\.

-- @ copy
COPY complaints (complaint_no, reported_on, reporter_name, reporter_phone, description) FROM STDIN (DELIMITER ';', NULL '')
E-1;2026-03-05;报告人 1;100-1;text with \; mark
E-2;2026-03-05;;;
\.

SELECT complaint_no, reporter_name, reporter_phone, description FROM complaints WHERE complaint_no LIKE 'E-%' ORDER BY complaint_no

-- @ binary {1,2,3,4}
SELECT id, contact_name, contact_id_number, contact_phone, credit_limit, updated_at, note FROM customers WHERE id = ANY ($1::bigint[]) ORDER BY id

-- @ binary MRN950001
SELECT id, mrn, full_name, birth_date, consent FROM patients WHERE mrn = $1

-- @ binary 12
SELECT id, batch_no, sterilised_at, quantity, made_on, status FROM batches WHERE id <= $1 ORDER BY id

-- @ binary 5
SELECT supplier_id, material, unit_price, currency FROM supplier_prices WHERE supplier_id = $1 ORDER BY id

-- @ binary
SELECT id, settings, full_name, active, last_login FROM app_users ORDER BY id

-- @ extended {501,502} | {5,6}
UPDATE suppliers SET rating = v.rating FROM (SELECT unnest($1::int[]) AS id, unnest($2::numeric[]) AS rating) v WHERE suppliers.id = v.id RETURNING suppliers.id, suppliers.rating, suppliers.contact_name

-- @ extended 504 | Batch 1 | 甲 | 505 | Batch 2 | 乙 | 506 | Batch 3 | \N
INSERT INTO suppliers (id, name, contact_name) VALUES ($1, $2, $3), ($4, $5, $6), ($7, $8, $9)

-- @ extended 507 | 丙
INSERT INTO suppliers (id, name, contact_name) VALUES ($1, 'typed', $2::varchar) RETURNING contact_name

-- @ prepared 508 | Prep 1 | p1@supplier.example
-- @ again 509 | Prep 2 | \N
INSERT INTO suppliers (id, name, contact_email) VALUES ($1, $2, $3) RETURNING id, contact_email

-- @ prepared p1@supplier.example
-- @ again P1@supplier.example
SELECT id, name FROM suppliers WHERE contact_email = $1

-- @ prepared 甲甲 | 504
-- @ again 乙乙 | 505
UPDATE suppliers SET contact_name = $1 WHERE id = $2 RETURNING contact_name

-- @ prepared 506
-- @ again 507
DELETE FROM suppliers WHERE id = $1 RETURNING contact_name

-- @ extended 10 | 0
SELECT id, name, contact_name FROM suppliers ORDER BY id LIMIT $1 OFFSET $2

-- @ extended 2 | 张伟
SELECT count(*) FROM customers WHERE distributor_id = $1 OR contact_name = $2

-- @ extended \N
SELECT id FROM suppliers WHERE ($1::text IS NULL OR country = $1) ORDER BY id LIMIT 5

-- @ extended 王芳 1
SELECT id FROM suppliers WHERE contact_name IS NOT DISTINCT FROM $1 ORDER BY id

-- @ extended {甲甲,乙乙}
SELECT id FROM suppliers WHERE contact_name <> ALL ($1) ORDER BY id LIMIT 5

-- @ extended 501 | 乙乙
SELECT id FROM suppliers WHERE (id, contact_name) IN (($1, '王芳 1'), (505, $2)) ORDER BY id

-- @ fails 42P02
SELECT id FROM suppliers WHERE id = $1

-- @ fails 42601
SELEC id FROM suppliers

-- @ fails 42883
SELECT no_such_function(id) FROM suppliers

/* erp-sync:7f3a */ SELECT id, /* the key */ name, contact_name FROM suppliers WHERE id = 501 -- one

SELECT "s"."id", "s"."contact_name" AS "Contact" FROM "public"."suppliers" AS "s" WHERE "s"."id" = 501

SELECT row_to_json(t) FROM (SELECT id, batch_no, quantity FROM batches WHERE id < 4 ORDER BY id) t

SELECT json_agg(json_build_object('id', id, 'no', order_no) ORDER BY id) FROM sales_orders WHERE customer_id = 2

SELECT xmlelement(name batch, xmlattributes(id AS id), batch_no) FROM batches WHERE id = 2

SELECT E'line\nbreak' AS a, $$dollar$$ AS b, 'it''s' AS c, U&'\5F20' AS d, 1e3 AS e, NULL AS f

SELECT id, contact_name FROM suppliers WHERE contact_name = E'O\'Brien "Q"'

SELECT id FROM suppliers WHERE contact_name = $q$王芳 1$q$ ORDER BY id

DELETE FROM suppliers WHERE id > 500

DELETE FROM patients WHERE id > 9500

DELETE FROM complaints WHERE complaint_no LIKE 'E-%'

-- @ refused 0A000 a whole row
SELECT row_to_json(s) FROM suppliers s WHERE s.id = 3

-- @ refused 0A000 a function call
SELECT json_build_object('id', id, 'name', full_name) FROM patients WHERE id = 1
