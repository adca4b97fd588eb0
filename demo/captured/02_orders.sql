-- Orders, lines, prices and stock: transactions of several statements, optimistic locking, numbering.
-- @ session sales erp_app

BEGIN ISOLATION LEVEL READ COMMITTED

SELECT value FROM settings WHERE key = 'next_order' FOR UPDATE

UPDATE settings SET value = (value::int + 1)::text WHERE key = 'next_order' RETURNING value

INSERT INTO sales_orders (order_no, customer_id, ordered_on, ship_to) VALUES ('SO-000151', 7, '2026-03-02', '示例路 1号') RETURNING id, status, total, version

SELECT contact_name, contact_phone, credit_limit FROM customers WHERE id = 7

SELECT price FROM price_list WHERE device_id = 2 AND currency = 'CNY'

-- @ extended 2 | CNY
SELECT price, floor FROM price_list WHERE device_id = $1 AND currency = $2

INSERT INTO order_lines (order_id, line_no, device_id, batch_id, quantity, unit_price) SELECT id, 1, 2, 5, 10, 203.00 FROM sales_orders WHERE order_no = 'SO-000151'

INSERT INTO order_lines (order_id, line_no, device_id, quantity, unit_price, discount) SELECT id, 2, 3, 4, 303.00, 5 FROM sales_orders WHERE order_no = 'SO-000151' RETURNING line_no, quantity * unit_price

UPDATE sales_orders SET total = order_total(id), status = 'open', version = version + 1 WHERE order_no = 'SO-000151' AND version = 0 RETURNING total, version

UPDATE sales_orders SET status = 'paid', version = version + 1 WHERE order_no = 'SO-000151' AND version = 0

COMMIT AND CHAIN

SELECT o.order_no, o.total, c.name, c.contact_name FROM sales_orders o JOIN customers c ON c.id = o.customer_id WHERE o.order_no = 'SO-000151'

COMMIT WORK

SELECT o.id, o.order_no, o.ordered_on, o.status, o.total, c.name AS customer, c.contact_name AS contact FROM sales_orders o INNER JOIN customers c ON c.id = o.customer_id WHERE o.status = 'open' ORDER BY o.ordered_on DESC, o.id DESC LIMIT 30

SELECT l.line_no, v.name, l.quantity, l.unit_price, l.discount, round(l.quantity * l.unit_price * (1 - l.discount / 100), 2) AS amount FROM order_lines l JOIN devices v ON v.id = l.device_id WHERE l.order_id = 12 ORDER BY l.line_no

-- @ extended {1,2,3}
SELECT l.* FROM order_lines l WHERE l.order_id = ANY ($1::bigint[]) ORDER BY l.order_id, l.line_no

SELECT o.*, c.contact_name FROM sales_orders o LEFT OUTER JOIN customers c ON c.id = o.customer_id WHERE o.id IN (4, 5, 6) ORDER BY o.id

SELECT sales_orders.id AS sales_orders_id, sales_orders.order_no AS sales_orders_order_no, customers_1.id AS customers_1_id, customers_1.contact_name AS customers_1_contact_name, customers_1.contact_phone AS customers_1_contact_phone FROM sales_orders LEFT OUTER JOIN customers AS customers_1 ON customers_1.id = sales_orders.customer_id WHERE sales_orders.id = 8

SELECT anon_1.id, anon_1.order_no, c.contact_name FROM (SELECT sales_orders.id AS id, sales_orders.order_no AS order_no, sales_orders.customer_id AS customer_id FROM sales_orders ORDER BY sales_orders.id LIMIT 5) AS anon_1 JOIN customers AS c ON c.id = anon_1.customer_id ORDER BY anon_1.id

SELECT count(*) AS count_1 FROM (SELECT o.id FROM sales_orders o JOIN customers c ON c.id = o.customer_id WHERE c.contact_name = '张伟') AS anon_1

SELECT id, order_no FROM sales_orders WHERE customer_id = (SELECT id FROM customers WHERE contact_name = '张伟' ORDER BY id LIMIT 1) ORDER BY id

SELECT o.order_no FROM sales_orders o WHERE EXISTS (SELECT * FROM customers c WHERE c.id = o.customer_id AND c.contact_phone IS NULL) ORDER BY o.order_no

SELECT o.order_no FROM sales_orders o WHERE o.customer_id IN (SELECT c.id FROM customers c WHERE c.contact_name IN ('张伟', '庚')) ORDER BY o.order_no

SELECT o.order_no FROM sales_orders o WHERE NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.batch_id IS NOT NULL) ORDER BY 1

SELECT id, order_no, total FROM open_orders WHERE customer_id = 5 ORDER BY id

SELECT place, sum(quantity) FROM stock GROUP BY place ORDER BY place

SELECT s.batch_id, b.batch_no, b.sterilised_at, s.quantity FROM stock s JOIN batches b ON b.id = s.batch_id WHERE s.place = 'A1' AND s.quantity > 60 ORDER BY s.batch_id

INSERT INTO stock_moves (batch_id, place, quantity, moved_at, moved_by) VALUES (5, 'A1', -10, '2026-03-02 10:00+08', 4)

INSERT INTO stock_moves (batch_id, place, quantity, moved_at) SELECT l.batch_id, 'A2', -l.quantity, '2026-03-02 11:00+08' FROM order_lines l WHERE l.order_id = 20 AND l.batch_id IS NOT NULL RETURNING batch_id, quantity

WITH moved AS (DELETE FROM stock_moves WHERE place = 'B1' AND batch_id = 9 RETURNING batch_id, quantity) INSERT INTO stock_moves (batch_id, place, quantity, moved_at) SELECT batch_id, 'A1', quantity, '2026-03-03 08:00+08' FROM moved

WITH latest AS (SELECT batch_id, max(moved_at) AS at FROM stock_moves GROUP BY batch_id) SELECT m.batch_id, m.place, m.quantity, u.login FROM stock_moves m JOIN latest l ON l.batch_id = m.batch_id AND l.at = m.moved_at LEFT JOIN app_users u ON u.id = m.moved_by ORDER BY m.batch_id, m.id LIMIT 20

UPDATE order_lines SET quantity = quantity + 1, discount = 3 WHERE order_id = 30 AND line_no = 2

UPDATE sales_orders o SET total = s.amount FROM (SELECT order_id, sum(quantity * unit_price) AS amount FROM order_lines GROUP BY order_id) s WHERE s.order_id = o.id AND o.id BETWEEN 30 AND 35

SELECT what, key, action, before->>'status' FROM change_log ORDER BY id

-- @ fails 23514
UPDATE order_lines SET quantity = 0 WHERE order_id = 1 AND line_no = 1

-- @ fails 23505
INSERT INTO sales_orders (order_no, customer_id, ordered_on) VALUES ('SO-000001', 1, '2026-01-01')

-- @ fails 22P02
SELECT * FROM sales_orders WHERE id = 'twelve'

-- @ fails 42P01
SELECT * FROM sales_order

-- @ fails 42703
SELECT order_number FROM sales_orders

DELETE FROM order_lines WHERE order_id = 150 AND line_no = 3

DELETE FROM sales_orders WHERE order_no = 'SO-000149' RETURNING id, order_no

INSERT INTO price_list (device_id, currency, price, floor) VALUES (1, 'USD', 15.5, 12.25) RETURNING *

INSERT INTO price_list VALUES (1, 'USD', 16, 13) ON CONFLICT (device_id, currency) DO UPDATE SET price = EXCLUDED.price, floor = EXCLUDED.floor RETURNING price, floor

UPDATE price_list SET price = price * 1.1 WHERE currency = 'EUR' RETURNING device_id, price, floor

UPDATE price_list SET floor = 80 WHERE device_id = 1 AND currency = 'CNY' RETURNING floor

SELECT device_id, currency, price, floor FROM price_list ORDER BY device_id, currency

SELECT v.name, p.price, p.floor FROM devices v CROSS JOIN LATERAL (SELECT price, floor FROM price_list WHERE device_id = v.id ORDER BY currency LIMIT 1) p ORDER BY v.id

DELETE FROM price_list WHERE floor IS NULL

-- @ refused 0A000 <
SELECT device_id, currency FROM price_list WHERE price < floor

-- @ refused 0A000 -
SELECT device_id, price - floor AS room FROM price_list WHERE currency = 'CNY' ORDER BY device_id
