-- An upgrade of the ERP: the owner changes tables, protected ones among them, and goes on with them.
-- @ session upgrade erp_owner

BEGIN

CREATE TABLE schema_version (version integer PRIMARY KEY, applied_at timestamptz DEFAULT now())

INSERT INTO schema_version (version) VALUES (12)

ALTER TABLE suppliers ADD COLUMN website text

ALTER TABLE suppliers ADD COLUMN terms_days integer NOT NULL DEFAULT 30

COMMENT ON COLUMN suppliers.contact_name IS 'who is asked first'

ALTER TABLE suppliers ALTER COLUMN contact_name TYPE varchar(120)

CREATE INDEX suppliers_by_country ON suppliers (country)

COMMIT

SELECT id, name, contact_name, website, terms_days FROM suppliers WHERE id < 4 ORDER BY id

ALTER TABLE suppliers RENAME COLUMN contact_name TO contact_person

UPDATE suppliers SET contact_person = '周 upgraded' WHERE id = 2 RETURNING contact_person

SELECT id FROM suppliers WHERE contact_person = '周 upgraded'

ALTER TABLE suppliers RENAME COLUMN contact_person TO contact_name

ALTER TABLE complaints RENAME TO reports

SELECT complaint_no, reporter_name FROM reports WHERE id < 4 ORDER BY id

ALTER TABLE reports RENAME TO complaints

ALTER TABLE app_users ALTER COLUMN full_name SET NOT NULL

-- @ fails 23502
INSERT INTO app_users (login, password_hash, duty) VALUES ('nobody', 'x', 'sales')

ALTER TABLE app_users ALTER COLUMN full_name DROP NOT NULL

ALTER TABLE suppliers DROP COLUMN website

ALTER TABLE suppliers DROP COLUMN terms_days

ALTER TABLE sales_orders ADD COLUMN channel varchar(10) DEFAULT 'web'

ALTER TABLE sales_orders ADD CONSTRAINT channel_known CHECK (channel IN ('web', 'edi', 'fax'))

UPDATE sales_orders SET channel = 'edi' WHERE id = 3 RETURNING channel

ALTER TABLE sales_orders DROP COLUMN channel

CREATE TABLE recalls (id serial PRIMARY KEY, batch_id integer REFERENCES batches, opened_on date NOT NULL, reason text)

GRANT SELECT, INSERT ON recalls TO erp_app

INSERT INTO recalls (batch_id, opened_on, reason) VALUES (17, '2026-03-05', 'label') RETURNING id

SELECT r.reason, b.batch_no, b.sterilised_at FROM recalls r JOIN batches b ON b.id = r.batch_id

ALTER TABLE recalls ALTER COLUMN reason SET DEFAULT 'unknown', ADD COLUMN closed boolean NOT NULL DEFAULT false

CREATE UNIQUE INDEX recalls_one ON recalls (batch_id) WHERE NOT closed

-- @ refused 0A000 CREATE MATERIALIZED VIEW
CREATE MATERIALIZED VIEW usage_by_month AS SELECT date_trunc('month', used_on) AS month, count(*) AS n FROM device_usage GROUP BY 1

-- @ follows
REFRESH MATERIALIZED VIEW usage_by_month

-- @ follows
SELECT count(*), sum(n) FROM usage_by_month

-- @ follows
DROP MATERIALIZED VIEW usage_by_month

CREATE VIEW recall_list AS SELECT r.id, b.batch_no, r.reason FROM recalls r JOIN batches b ON b.id = r.batch_id

SELECT batch_no, reason FROM recall_list

DROP VIEW recall_list

CREATE TYPE recall_level AS ENUM ('I', 'II', 'III')

ALTER TABLE recalls ADD COLUMN level recall_level

UPDATE recalls SET level = 'II' RETURNING level

CREATE SEQUENCE recall_numbers START 100

SELECT nextval('recall_numbers')

CREATE FUNCTION recall_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM recalls'

SELECT recall_count()

DROP FUNCTION recall_count()

DROP SEQUENCE recall_numbers

DROP TABLE recalls

DROP TYPE recall_level

TRUNCATE change_log RESTART IDENTITY

VACUUM (ANALYZE) suppliers

ANALYZE customers

REINDEX TABLE price_list

DROP TABLE schema_version

REVOKE INSERT ON suppliers FROM erp_app

GRANT INSERT ON suppliers TO erp_app
