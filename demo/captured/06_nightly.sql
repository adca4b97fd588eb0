-- Nightly jobs: queues, temporary tables, bulk statements, maintenance, prepared statements in SQL.
-- @ session nightly erp_app

SELECT pg_try_advisory_lock(7301)

BEGIN

SELECT id, kind, payload FROM job_queue WHERE state = 'waiting' AND due <= '2026-02-01 00:10+08' ORDER BY due LIMIT 5 FOR UPDATE SKIP LOCKED

UPDATE job_queue SET state = 'taken', taken = 'nightly' WHERE id = (SELECT id FROM job_queue WHERE state = 'waiting' ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, kind

WITH next AS (SELECT id FROM job_queue WHERE state = 'waiting' ORDER BY due LIMIT 3 FOR UPDATE SKIP LOCKED) UPDATE job_queue q SET state = 'taken' FROM next WHERE q.id = next.id RETURNING q.id, q.kind

COMMIT

DELETE FROM job_queue WHERE state = 'taken' RETURNING id

CREATE TEMPORARY TABLE due_customers (customer_id bigint PRIMARY KEY, due numeric)

INSERT INTO due_customers SELECT customer_id, sum(amount) FROM invoices WHERE paid_on IS NULL GROUP BY customer_id

ANALYZE due_customers

SELECT d.customer_id, d.due, c.contact_name, c.contact_phone FROM due_customers d JOIN customers c ON c.id = d.customer_id ORDER BY d.due DESC, d.customer_id LIMIT 15

UPDATE customers SET note = 'reminded' FROM due_customers d WHERE d.customer_id = customers.id AND d.due > 500000

DROP TABLE due_customers

CREATE TEMP TABLE top_ids AS SELECT customer_id, count(*) AS n FROM device_usage GROUP BY customer_id ORDER BY n DESC, customer_id LIMIT 10

SELECT t.n, c.name, c.contact_name FROM top_ids t JOIN customers c ON c.id = t.customer_id ORDER BY t.n DESC, c.id

DISCARD TEMP

UPDATE batches SET status = 'expired' WHERE expires_on < '2027-03-01' AND status = 'released'

UPDATE sales_orders SET status = 'cancelled' WHERE status = 'draft' AND ordered_on < '2026-01-15' RETURNING order_no

UPDATE invoices SET paid_on = '2026-03-01' WHERE id IN (SELECT id FROM invoices WHERE paid_on IS NULL ORDER BY id LIMIT 3)

DELETE FROM stock_moves WHERE quantity = 0

DELETE FROM order_lines USING sales_orders o WHERE o.id = order_lines.order_id AND o.status = 'cancelled' AND order_lines.line_no = 3

INSERT INTO change_log (what, key, action) SELECT 'batches', id, 'expired' FROM batches WHERE status = 'expired' ORDER BY id

SELECT action, count(*) FROM change_log GROUP BY action ORDER BY action

UPDATE device_usage SET outcome = 'unknown' WHERE outcome IS NULL AND used_on < '2024-01-01'

UPDATE customers SET contact_phone = '100-0000-2222' WHERE id BETWEEN 300 AND 310

UPDATE complaints SET status = 'closed', closed_at = '2026-03-05 00:00+08' WHERE status = 'open' AND reported_on < '2026-01-10' RETURNING complaint_no, reporter_name

INSERT INTO complaints (complaint_no, batch_id, customer_id, reported_on, reporter_name, description) SELECT 'D-' || complaint_no, batch_id, customer_id, reported_on, reporter_name, description FROM complaints WHERE severity = 4 AND id < 20 RETURNING complaint_no, reporter_name, description

DELETE FROM complaints WHERE complaint_no LIKE 'D-%'

INSERT INTO supplier_prices (supplier_id, material, unit_price, currency, valid_from) SELECT supplier_id, material, unit_price, currency, date '2026-06-01' FROM supplier_prices WHERE valid_to IS NULL AND supplier_id < 4 ORDER BY id ON CONFLICT DO NOTHING

SELECT supplier_id, material, unit_price FROM supplier_prices WHERE valid_from = '2026-06-01' ORDER BY supplier_id, material

UPDATE suppliers SET contact_email = NULL WHERE NOT approved

SELECT nextval('stock_moves_id_seq') > 0 AS moved

INSERT INTO job_queue (kind, due) VALUES ('mail', '2026-03-01') RETURNING id

SELECT currval('job_queue_id_seq')

SELECT lastval()

SELECT pg_advisory_unlock(7301)

PREPARE invoice_by_id (int) AS SELECT id, amount, currency FROM invoices WHERE id = $1

EXECUTE invoice_by_id (3)

EXECUTE invoice_by_id (4)

DEALLOCATE invoice_by_id

BEGIN

LOCK TABLE price_list IN SHARE ROW EXCLUSIVE MODE

COMMIT

-- @ simple
SELECT o.order_no FROM sales_orders o WHERE o.status = 'shipped' ORDER BY o.order_no; SELECT count(*) FROM customers WHERE contact_phone IS NULL; UPDATE settings SET value = 'night' WHERE key = 'currency' AND false

BEGIN; UPDATE customers SET contact_phone = '100-5555-0000' WHERE id = 11; SELECT contact_phone FROM customers WHERE id = 11; ROLLBACK

SELECT contact_phone FROM customers WHERE id = 11

BEGIN

SAVEPOINT a

UPDATE patients SET full_name = '患者 undo' WHERE id = 5

SAVEPOINT b

UPDATE patients SET birth_date = '2001-01-01' WHERE id = 5

ROLLBACK TO b

SELECT full_name, birth_date FROM patients WHERE id = 5

ROLLBACK TO a

SELECT full_name, birth_date FROM patients WHERE id = 5

COMMIT

BEGIN ISOLATION LEVEL SERIALIZABLE

SELECT count(*) FROM complaints WHERE reporter_name = '报告人 2'

UPDATE complaints SET severity = severity + 1 WHERE reporter_name = '报告人 2' AND severity < 4

COMMIT

SET CONSTRAINTS ALL IMMEDIATE

SHOW server_version_num

SHOW TIME ZONE

SET LOCAL work_mem = '8MB'

SELECT set_config('application_name', 'nightly', false)

SELECT current_setting('application_name')

-- @ shape
SELECT now(), clock_timestamp() > now() AS later, current_date

-- @ shape
SELECT pg_backend_pid() > 0 AS pid, version()

SELECT current_user, session_user, current_schema

-- @ shape
EXPLAIN SELECT id, contact_name FROM customers WHERE id = 1

NOTIFY erp_jobs, 'done'

LISTEN erp_jobs

UNLISTEN *

DISCARD ALL
