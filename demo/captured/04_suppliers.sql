-- Suppliers, their prices and bank accounts, users of the ERP: purchasing and administration.
-- @ session buyer erp_app

SELECT id, name, country, contact_name, contact_email, rating FROM suppliers WHERE approved ORDER BY rating DESC, name

SELECT * FROM suppliers WHERE id = 4

SELECT id, name FROM suppliers WHERE bank_account = 'EX00000000000000031676'

SELECT id, name FROM suppliers WHERE lower(contact_email) = 'sales7@supplier.example'

-- @ extended Sales8@Supplier.Example
SELECT id, contact_email FROM suppliers WHERE lower(contact_email) = lower($1)

SELECT id, tags, contact_name FROM suppliers WHERE 'm1' = ANY (tags) ORDER BY id

SELECT id, tags[1], array_length(tags, 1), bank_account FROM suppliers WHERE tags @> ARRAY['m2'] ORDER BY id

SELECT s.name, p.material, p.unit_price, p.currency, p.valid_from FROM suppliers s JOIN supplier_prices p ON p.supplier_id = s.id WHERE p.material = 'material 5' ORDER BY p.valid_from

SELECT DISTINCT ON (supplier_id, material) supplier_id, material, unit_price, valid_from FROM supplier_prices ORDER BY supplier_id, material, valid_from DESC

-- @ extended 3 | 2025-03-01
SELECT material, unit_price FROM supplier_prices WHERE supplier_id = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) ORDER BY material

BEGIN

UPDATE supplier_prices SET valid_to = '2026-02-28' WHERE supplier_id = 3 AND material = 'material 2' AND valid_to IS NULL

INSERT INTO supplier_prices (supplier_id, material, unit_price, valid_from) VALUES (3, 'material 2', 88.1234, '2026-03-01') RETURNING id, unit_price, currency

-- @ fails 23503
INSERT INTO supplier_prices (supplier_id, material, unit_price, valid_from) VALUES (999, 'material 2', 1, '2026-03-01')

-- @ fails 25P02
SELECT 1

ROLLBACK

INSERT INTO supplier_prices (supplier_id, material, unit_price, valid_from) VALUES (3, 'material 2', 88.1234, '2026-03-01') ON CONFLICT (supplier_id, material, valid_from) DO UPDATE SET unit_price = EXCLUDED.unit_price RETURNING unit_price

SELECT supplier_id, count(*), min(valid_from), max(valid_from) FROM supplier_prices GROUP BY supplier_id ORDER BY supplier_id

INSERT INTO suppliers (name, country, contact_name, contact_email, bank_account) VALUES ('Example Alloys 示例合金', 'DE', 'Jonas Weaver', 'jonas@alloys.example', 'EX99') RETURNING id, approved, tags, created_at

UPDATE suppliers SET approved = true, approved_on = '2026-03-01', rating = 4.5, tags = array_append(tags, 'new') WHERE contact_email = 'jonas@alloys.example' RETURNING name, tags

UPDATE suppliers SET bank_account = 'EX98', contact_name = 'Karen Wright' WHERE bank_account = 'EX99' RETURNING bank_account, contact_name

UPDATE suppliers SET contact_email = NULL WHERE id = 30 RETURNING contact_email

SELECT country, count(*), round(avg(rating), 2) FROM suppliers GROUP BY country ORDER BY country

SELECT country, string_agg(name, '; ' ORDER BY name) FROM suppliers GROUP BY country ORDER BY country

SELECT contact_name, count(*) FROM suppliers GROUP BY contact_name

SELECT s.id, c.id AS customer FROM suppliers s JOIN customers c ON c.contact_name = s.contact_name ORDER BY s.id, c.id

DELETE FROM suppliers WHERE bank_account = 'EX98' RETURNING id

SELECT id, login, full_name, email, duty, active FROM app_users ORDER BY login

-- @ extended user7
SELECT id, password_hash, full_name, active FROM app_users WHERE login = $1 AND active

-- @ extended user9@erp.example
SELECT id, login FROM app_users WHERE email = $1

SELECT id, login FROM app_users WHERE lower(email) = 'user9@erp.example'

UPDATE app_users SET last_login = '2026-03-02 08:00+08' WHERE login = 'user7'

UPDATE app_users SET settings = settings || '{"rows": 99}' WHERE id = 7 RETURNING settings

UPDATE app_users SET settings = jsonb_set(settings, '{lang}', '"en"'), full_name = 'Liam Mason' WHERE id = 8 RETURNING settings->>'lang', full_name

SELECT login, settings->'rows' AS rows, full_name FROM app_users WHERE settings @> '{"lang": "en"}' ORDER BY id

SELECT u.login, k.key, k.value FROM app_users u, jsonb_each_text(u.settings) k WHERE u.id < 4 ORDER BY u.id, k.key

INSERT INTO app_users (login, full_name, email, password_hash, duty) VALUES ('user21', '钱 21', 'user21@erp.example', md5('21'), 'sales') RETURNING id, settings, active

-- @ fails 23505
INSERT INTO app_users (login, full_name, email, password_hash, duty) VALUES ('user22', 'x', 'user21@erp.example', 'y', 'sales')

SELECT duty, array_agg(login ORDER BY login) FROM app_users GROUP BY duty ORDER BY duty

SELECT login, CASE duty WHEN 'sales' THEN 1 WHEN 'quality' THEN 2 ELSE 3 END AS rank, email FROM app_users ORDER BY 2, 1

UPDATE app_users SET active = false, email = NULL WHERE login = 'user21' RETURNING email

DELETE FROM app_users WHERE login = 'user21'

SELECT key, value FROM settings ORDER BY key

INSERT INTO settings (key, value) VALUES ('theme', 'dark') ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value

DELETE FROM settings WHERE key = 'theme'

-- @ refused 0A000 min()
SELECT material, min(unit_price) FROM supplier_prices GROUP BY material ORDER BY material

-- @ refused 0A000 sum()
SELECT sum(unit_price) FROM supplier_prices WHERE supplier_id = 3

-- @ refused 0A000 ||
SELECT login, full_name || ' <' || email || '>' AS address FROM app_users ORDER BY login
