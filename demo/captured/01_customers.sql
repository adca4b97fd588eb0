-- Customers and their contacts, as the ERP's screens ask: a list, a form, a search, a save.
-- @ session clerk erp_app

SET application_name = 'erp-web'

SET TIME ZONE 'Asia/Shanghai'

SELECT id, name, kind, province FROM customers ORDER BY id LIMIT 20

SELECT id, name, contact_name, contact_phone FROM customers ORDER BY id LIMIT 20 OFFSET 40

SELECT count(*) FROM customers

SELECT count(*) FROM customers WHERE kind = 'hospital' AND province IN ('上海', '北京')

SELECT * FROM customers WHERE id = 1

-- @ extended 17
SELECT * FROM customers WHERE id = $1

-- @ binary 23
SELECT id, name, contact_name, contact_id_number, contact_phone, credit_limit, updated_at FROM customers WHERE id = $1

-- @ prepared 5
-- @ again 6
-- @ again 1000000
SELECT c.id, c.name, c.contact_name, d.name AS distributor FROM customers c LEFT JOIN distributors d ON d.id = c.distributor_id WHERE c.id = $1

SELECT id, name FROM customers WHERE contact_name = '张伟'

SELECT id, name, contact_phone FROM customers WHERE contact_name = '张伟' AND kind <> 'laboratory' ORDER BY name

-- @ extended 张伟 | 5
SELECT id, name FROM customers WHERE contact_name = $1 ORDER BY id LIMIT $2

SELECT id FROM customers WHERE contact_name IN ('张伟', 'Alice Archer', '李娜') ORDER BY id

-- @ extended {张伟,"Ben Baker",NULL}
SELECT id, contact_name FROM customers WHERE contact_name = ANY ($1) ORDER BY id

SELECT id, name FROM customers WHERE contact_id_number = '99000119900101001X'

SELECT EXISTS (SELECT 1 FROM customers WHERE contact_id_number = '99000119900101001X')

SELECT id FROM customers WHERE contact_phone IS NULL ORDER BY id

SELECT id, name FROM customers WHERE contact_phone IS NOT NULL AND credit_limit IS NULL ORDER BY id

-- @ extended 100-0000-0000
SELECT 1 FROM customers WHERE contact_phone = $1 LIMIT 1

SELECT id, name FROM customers WHERE name LIKE '示例%医院' ORDER BY id LIMIT 10

SELECT id, name, contact_name FROM customers WHERE name ILIKE '%general%' AND contact_phone IS NOT NULL ORDER BY name, id

SELECT id, upper(name), length(name), contact_name FROM customers WHERE id BETWEEN 10 AND 15 ORDER BY id

SELECT id, COALESCE(contact_phone, 'no telephone') AS phone FROM customers WHERE id < 40 ORDER BY id

SELECT id, CASE WHEN contact_phone IS NULL THEN 'letter' ELSE 'call' END AS way FROM customers ORDER BY id LIMIT 30

SELECT id, credit_limit IS NULL AS unlimited FROM customers WHERE id <= 30 ORDER BY id

SELECT DISTINCT province FROM customers ORDER BY province

SELECT DISTINCT kind, province FROM customers ORDER BY kind, province

SELECT DISTINCT ON (province) province, id, contact_name FROM customers ORDER BY province, id

SELECT c.id, c.contact_name, d.country FROM customers c JOIN distributors d ON c.distributor_id = d.id WHERE d.country = 'CN' ORDER BY c.id LIMIT 25

SELECT c.id, c.contact_name, d.name FROM customers c, distributors d WHERE c.distributor_id = d.id AND d.id = 3 ORDER BY c.id

SELECT a.id, b.id FROM customers a JOIN customers b ON a.contact_name = b.contact_name AND a.id < b.id ORDER BY a.id, b.id LIMIT 50

SELECT (SELECT count(*) FROM invoices i WHERE i.customer_id = c.id) AS invoices, c.contact_name FROM customers c WHERE c.id IN (1, 2, 3) ORDER BY c.id

BEGIN

INSERT INTO customers (name, kind, province, contact_name, contact_id_number, contact_phone, credit_limit) VALUES ('示例 new clinic', 'clinic', '上海', '王小明', '990001199001010099', '100-1234-5678', 25000.50) RETURNING id

SELECT id, name, contact_name, contact_id_number, contact_phone, credit_limit FROM customers WHERE contact_id_number = '990001199001010099'

SAVEPOINT before_duplicate

-- @ fails 23505
INSERT INTO customers (name, kind, province, contact_name, contact_id_number) VALUES ('again', 'clinic', '上海', 'Zoë', '990001199001010099')

ROLLBACK TO SAVEPOINT before_duplicate

RELEASE SAVEPOINT before_duplicate

UPDATE customers SET contact_phone = '100-8765-4321' WHERE contact_id_number = '990001199001010099'

-- @ extended 30000 | Alice Archer | 990001199001010099
UPDATE customers SET credit_limit = $1, contact_name = $2, updated_at = '2026-03-01' WHERE contact_id_number = $3 RETURNING name, contact_name, credit_limit

COMMIT

-- @ fails 23502
INSERT INTO customers (name, kind, province, contact_name) VALUES ('nobody', 'clinic', 'x', NULL)

-- @ fails 23514
INSERT INTO customers (name, kind, province, contact_name) VALUES ('wrong kind', 'shop', 'x', 'y')

-- @ fails 22001
UPDATE customers SET contact_id_number = '1234567890123456789012' WHERE id = 2

-- @ fails 23503
UPDATE customers SET distributor_id = 99999 WHERE id = 2

-- @ extended 示例 clinic 2 | clinic | 江苏 | Emma O'Brien | \N | 100-7777-0000 | 5000
INSERT INTO customers (name, kind, province, contact_name, contact_id_number, contact_phone, credit_limit) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, name, contact_name

-- @ prepared 示例 a | clinic | x | 甲
-- @ again 示例 b | hospital | y | 乙
-- @ again 示例 c | laboratory | z | 丙
INSERT INTO customers (name, kind, province, contact_name) VALUES ($1, $2, $3, $4)

INSERT INTO customers (name, kind, province, contact_name, credit_limit) VALUES ('m1', 'clinic', 'x', '丁', 1), ('m2', 'clinic', 'x', '戊', NULL), ('m3', 'clinic', 'x', '己', 2.5) RETURNING id, contact_name, credit_limit

INSERT INTO customers (id, name, kind, province, contact_name) VALUES (3, 'taken', 'clinic', 'x', 'x') ON CONFLICT (id) DO NOTHING

INSERT INTO customers (id, name, kind, province, contact_name, contact_phone) VALUES (3, 'known', 'clinic', 'x', '庚', '100-3333-3333') ON CONFLICT (id) DO UPDATE SET contact_name = EXCLUDED.contact_name, contact_phone = EXCLUDED.contact_phone RETURNING id, contact_name, contact_phone

INSERT INTO customers (name, kind, province, contact_name, contact_id_number) VALUES ('upsert', 'clinic', 'x', '辛', '990001199001010099') ON CONFLICT (contact_id_number) DO UPDATE SET note = 'seen again' RETURNING name, note, contact_name

UPDATE customers SET note = 'called' WHERE contact_name = '丁'

UPDATE customers SET contact_name = '丁二' WHERE name = 'm1' RETURNING id, contact_name

UPDATE customers SET contact_phone = NULL, credit_limit = NULL WHERE name = 'm2'

UPDATE customers SET credit_limit = DEFAULT WHERE name = 'm3'

UPDATE customers SET contact_phone = '100-0000-1111' WHERE province = 'x' AND kind = 'clinic' AND distributor_id IS NULL

UPDATE customers c SET note = d.name FROM distributors d WHERE d.id = c.distributor_id AND c.id < 5

UPDATE customers SET (contact_name, contact_phone) = ('壬', '100-4444-4444') WHERE id = 4

SELECT id, contact_name, contact_phone, credit_limit, note FROM customers WHERE id < 6 OR province = 'x' ORDER BY id

DELETE FROM customers WHERE contact_name = '丁二' RETURNING name

DELETE FROM customers WHERE name IN ('m2', 'm3')

-- @ fails 23503
DELETE FROM customers WHERE id = (SELECT min(customer_id) FROM invoices)

SELECT id, name, contact_name FROM customers WHERE id = 9 FOR UPDATE

SELECT id, contact_name FROM customers WHERE id > 9 AND id < 13 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED

SELECT c.id, c.contact_name FROM customers c WHERE c.distributor_id = 2 ORDER BY c.id FOR SHARE OF c

-- @ refused 0A000 ORDER BY
SELECT id, contact_name FROM customers ORDER BY contact_name LIMIT 20

-- @ refused 0A000 LIKE
SELECT id, contact_name FROM customers WHERE contact_name LIKE '张%'

-- @ refused 0A000 >
SELECT id, name FROM customers WHERE credit_limit > 100000 ORDER BY id
