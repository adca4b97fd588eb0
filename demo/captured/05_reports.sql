-- Reports: a read-only session with joins, groups, windows, set operations and cursors.
-- @ session reports erp_app

SET default_transaction_read_only = on

SET statement_timeout = '60s'

BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY

SELECT c.province, count(*) AS customers, count(c.contact_phone) AS with_phone FROM customers c GROUP BY c.province ORDER BY customers DESC, c.province

SELECT date_trunc('month', i.issued_on)::date AS month, i.currency, sum(i.amount) FROM invoices i GROUP BY 1, 2 ORDER BY 1, 2

SELECT c.id, c.name, c.contact_name, sum(i.amount) AS turnover FROM customers c JOIN invoices i ON i.customer_id = c.id GROUP BY c.id ORDER BY turnover DESC, c.id LIMIT 10

SELECT c.id, c.name, c.contact_name, c.credit_limit, open.due FROM customers c JOIN (SELECT customer_id, sum(amount) AS due FROM invoices WHERE paid_on IS NULL GROUP BY customer_id) open ON open.customer_id = c.id ORDER BY open.due DESC, c.id LIMIT 20

SELECT i.customer_id, i.issued_on, i.amount, sum(i.amount) OVER (PARTITION BY i.customer_id ORDER BY i.issued_on, i.id) AS running FROM invoices i ORDER BY i.customer_id, i.issued_on, i.id LIMIT 60

SELECT rank() OVER (ORDER BY sum(i.amount) DESC) AS place, i.customer_id FROM invoices i GROUP BY i.customer_id ORDER BY 1, 2 LIMIT 10

SELECT d.name, row_number() OVER (PARTITION BY d.country ORDER BY d.name) AS n, count(c.id) AS customers FROM distributors d LEFT JOIN customers c ON c.distributor_id = d.id GROUP BY d.id, d.name, d.country ORDER BY d.country, n

SELECT t.id, t.contact_name, t.n FROM (SELECT id, contact_name, row_number() OVER (PARTITION BY province ORDER BY id) AS n FROM customers) t WHERE t.n <= 2 ORDER BY t.id

SELECT id, lag(contact_name) OVER (ORDER BY id) AS previous, contact_name FROM customers WHERE id < 15 ORDER BY id

SELECT contact_name, count(*) AS n FROM customers GROUP BY contact_name HAVING count(*) > 1

SELECT extract(year FROM used_on) AS year, count(*), count(DISTINCT customer_id) FROM device_usage GROUP BY 1 ORDER BY 1

SELECT d.risk_class, b.status, sum(b.quantity) FROM batches b JOIN devices d ON d.id = b.device_id GROUP BY ROLLUP (d.risk_class, b.status) ORDER BY 1, 2

SELECT GROUPING(d.risk_class) AS g, d.risk_class, count(*) FROM devices d GROUP BY CUBE (d.risk_class) ORDER BY 1, 2

SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM invoices

SELECT corr(quantity, unit_price), stddev_samp(quantity)::numeric(10, 4) FROM order_lines

WITH RECURSIVE months AS (SELECT date '2026-01-01' AS m UNION ALL SELECT (m + interval '1 month')::date FROM months WHERE m < '2026-06-01') SELECT m, (SELECT count(*) FROM sales_orders o WHERE o.ordered_on >= m AND o.ordered_on < m + interval '1 month') FROM months ORDER BY m

WITH late AS (SELECT customer_id, count(*) AS n FROM invoices WHERE paid_on IS NULL GROUP BY customer_id), top AS (SELECT * FROM late ORDER BY n DESC, customer_id LIMIT 5) SELECT top.n, c.name, c.contact_name, c.contact_phone FROM top JOIN customers c ON c.id = top.customer_id ORDER BY top.n DESC, c.id

WITH usage AS MATERIALIZED (SELECT batch_id, count(*) AS uses FROM device_usage GROUP BY batch_id) SELECT b.batch_no, b.sterilised_at, usage.uses FROM usage JOIN batches b ON b.id = usage.batch_id ORDER BY usage.uses DESC, b.id LIMIT 10

SELECT c.kind, b.status, count(*) FROM device_usage u JOIN customers c ON c.id = u.customer_id JOIN batches b ON b.id = u.batch_id GROUP BY c.kind, b.status ORDER BY 1, 2

SELECT u.outcome, count(*) FILTER (WHERE u.patient_name IS NOT NULL) AS named, count(*) AS all FROM device_usage u GROUP BY u.outcome ORDER BY u.outcome NULLS LAST

SELECT generate_series('2026-01-01'::date, '2026-01-07', '1 day')::date AS day

SELECT to_char(o.ordered_on, 'YYYY-MM') AS month, to_char(sum(o.total), 'FM999G999G990D00') FROM sales_orders o GROUP BY 1 ORDER BY 1

SELECT name, regexp_replace(name, '[^A-Za-z ]', '', 'g') AS latin FROM devices ORDER BY id

SELECT id, contact_name FROM customers WHERE id < 5 UNION ALL SELECT id, contact_name FROM customers WHERE id BETWEEN 395 AND 400 ORDER BY id

SELECT contact_name FROM customers WHERE province = '上海' INTERSECT SELECT contact_name FROM customers WHERE province = '北京'

SELECT contact_name FROM customers EXCEPT SELECT contact_name FROM customers WHERE kind = 'hospital'

SELECT customer_id FROM sales_orders EXCEPT SELECT customer_id FROM invoices ORDER BY 1

VALUES (1, 'one'), (2, 'two')

TABLE price_list

SELECT * FROM (VALUES ('hospital', 'H'), ('clinic', 'C')) AS k (kind, letter) JOIN customers c ON c.kind = k.kind WHERE c.id < 10 ORDER BY c.id

SELECT count(*) FROM customers TABLESAMPLE BERNOULLI (100)

SELECT c.id, c.contact_name, x.order_no FROM customers c LEFT JOIN LATERAL (SELECT order_no FROM sales_orders o WHERE o.customer_id = c.id ORDER BY o.id DESC LIMIT 1) x ON true WHERE c.id <= 12 ORDER BY c.id

SELECT c.name, n.note FROM customers c JOIN (SELECT id, note FROM customers WHERE note IS NOT NULL) n USING (id) WHERE c.contact_phone IS NOT NULL ORDER BY c.id LIMIT 10

SELECT k.month, count(*) FROM (SELECT date_trunc('month', reported_on) AS month, reporter_name FROM complaints) k GROUP BY k.month ORDER BY 1

COMMIT

BEGIN

DECLARE all_customers CURSOR FOR SELECT id, name, contact_name, contact_phone, credit_limit FROM customers ORDER BY id

FETCH 3 FROM all_customers

FETCH FORWARD 50 FROM all_customers

MOVE 100 IN all_customers

FETCH NEXT FROM all_customers

FETCH ALL FROM all_customers

CLOSE all_customers

DECLARE usage_report INSENSITIVE SCROLL CURSOR FOR SELECT u.id, u.patient_name, c.contact_name FROM device_usage u JOIN customers c ON c.id = u.customer_id WHERE u.id <= 60 ORDER BY u.id

FETCH LAST FROM usage_report

FETCH PRIOR FROM usage_report

FETCH ABSOLUTE 10 FROM usage_report

FETCH RELATIVE -2 FROM usage_report

FETCH BACKWARD 3 FROM usage_report

FETCH FIRST FROM usage_report

COMMIT

RESET default_transaction_read_only

RESET ALL
