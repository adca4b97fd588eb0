-- Batches, formulas, certificates, complaints and patients: traceability and vigilance.
-- @ session quality erp_app

SELECT * FROM formulas WHERE id = 1

SELECT code, revision, composition, sinter_minutes FROM formulas ORDER BY code

-- @ extended 2 | 200
SELECT f.code, f.composition, d.name FROM formulas f JOIN devices d ON d.id = f.device_id WHERE f.revision >= $1 AND f.id < $2 ORDER BY f.id

-- @ binary 3
SELECT code, composition, sinter_minutes, approved_on FROM formulas WHERE id = $1

INSERT INTO formulas (id, code, device_id, revision, composition, sinter_minutes, approved_on) VALUES (9001, 'X-9001', 1, 1, 'PEEK 100.0 %; sinter 1200 °C 烧结', 95, '2026-03-01')

UPDATE formulas SET revision = revision + 1, composition = 'PEEK 99.0 %; PMMA 1.0 %', sinter_minutes = 97 WHERE id = 9001 RETURNING revision, composition, sinter_minutes

-- @ fails 22003
UPDATE formulas SET sinter_minutes = 2147483648 WHERE id = 9001

-- @ fails 22P02
UPDATE formulas SET sinter_minutes = 'long' WHERE id = 9001

SELECT b.id, b.batch_no, b.quantity, b.sterilised_at, b.status FROM batches b WHERE b.status = 'quarantine' ORDER BY b.made_on, b.id

SELECT b.batch_no, b.sterilised_at, f.code, f.composition FROM batches b JOIN formulas f ON f.id = b.formula_id WHERE b.id = 12

SELECT batch_no, sterilised_at IS NULL AS unsterile FROM batches ORDER BY id LIMIT 40

SELECT batch_no, expires_on, expires_on - date '2026-03-01' AS days_left FROM batches WHERE expires_on < '2029-01-01' ORDER BY expires_on, id

UPDATE batches SET status = 'released', sterilised_at = '2026-03-01 12:34:56.789+08' WHERE id = 20 RETURNING batch_no, sterilised_at

-- @ extended 2026-03-02 01:02:03+00 | 21
UPDATE batches SET sterilised_at = $1 WHERE id = $2

UPDATE batches SET sterilised_at = NULL, status = 'rejected' WHERE id = 22

INSERT INTO batches (id, batch_no, device_id, formula_id, quantity, made_on, expires_on, sterilised_at, status) VALUES (9001, 'L2603-9001', 1, 9001, 40, '2026-03-01', '2031-03-01', NULL, 'quarantine')

SELECT status, count(*), sum(quantity) FROM batches GROUP BY status ORDER BY status

SELECT count(*) AS n, count(sterilised_at) AS sterile FROM batches

SELECT q.test, q.result, q.unit, q.passed, b.batch_no FROM quality_records q JOIN batches b ON b.id = q.batch_id WHERE NOT q.passed ORDER BY q.id

INSERT INTO quality_records (id, batch_id, test, result, unit, passed, tested_at) VALUES (90001, 9001, 'bioburden 生物负载', 11.5, 'CFU', true, '2026-03-02 09:00+08'), (90002, 9001, 'endotoxin 内毒素', 0.12, 'EU/mL', true, '2026-03-02 09:30+08')

SELECT b.batch_no, bool_and(q.passed) AS good, count(*) FROM batches b JOIN quality_records q ON q.batch_id = b.id GROUP BY b.batch_no ORDER BY b.batch_no

SELECT k.number, k.kind, d.name FROM certificates k JOIN devices d ON d.id = k.device_id WHERE k.expires_on BETWEEN '2026-01-01' AND '2028-12-31' ORDER BY k.expires_on, k.id

SELECT u.used_on, u.udi, u.patient_name, c.name, c.contact_name, c.contact_phone FROM device_usage u JOIN customers c ON c.id = u.customer_id WHERE u.batch_id = 17 ORDER BY u.used_on, u.id

SELECT u.id, b.batch_no, b.sterilised_at, f.code, f.composition, u.patient_name FROM device_usage u JOIN batches b ON b.id = u.batch_id JOIN formulas f ON f.id = b.formula_id JOIN customers c ON c.id = u.customer_id WHERE u.udi = (SELECT udi FROM device_usage WHERE id = 5) ORDER BY u.id

SELECT count(*) FROM device_usage WHERE patient_name IS NULL

SELECT id, patient_name FROM device_usage WHERE patient_name = (SELECT patient_name FROM device_usage WHERE id = 3) ORDER BY id

INSERT INTO device_usage (batch_id, customer_id, udi, used_on, patient_name, outcome) VALUES (17, 1, '(01)02(10)17', '2026-03-01', '患者 3', 'good') RETURNING id, patient_name

SELECT u.id, p.mrn, p.full_name FROM device_usage u JOIN patients p ON p.full_name = u.patient_name ORDER BY u.id, p.id

SELECT mrn, full_name, birth_date, blood_type FROM patients WHERE mrn = 'MRN000017'

-- @ extended 患者 3
SELECT id, mrn, birth_date FROM patients WHERE full_name = $1 ORDER BY id

-- @ prepared MRN000001
-- @ again MRN000002
-- @ again none
-- @ again \N
SELECT p.full_name, p.birth_date, c.name FROM patients p LEFT JOIN customers c ON c.id = p.hospital_id WHERE p.mrn = $1

INSERT INTO patients (mrn, full_name, birth_date, blood_type, consent, hospital_id) VALUES ('MRN900001', '患者 新', '1988-02-29', 'AB', true, 3) RETURNING *

-- @ fails 23505
INSERT INTO patients (mrn, full_name) VALUES ('MRN900001', 'twice')

-- @ fails 22008
UPDATE patients SET birth_date = '1988-02-30' WHERE mrn = 'MRN900001'

INSERT INTO patients (mrn, full_name, birth_date, consent) VALUES ('MRN900001', '患者 改', '1988-03-01', false) ON CONFLICT (mrn) DO UPDATE SET mrn = EXCLUDED.mrn, full_name = EXCLUDED.full_name, birth_date = EXCLUDED.birth_date, consent = EXCLUDED.consent RETURNING mrn, full_name, birth_date, consent

INSERT INTO patients (mrn, full_name) VALUES ('MRN900001', '患者 再') ON CONFLICT (mrn) DO UPDATE SET full_name = EXCLUDED.full_name

UPDATE patients SET consent = true WHERE full_name = '患者 3' RETURNING id

UPDATE patients SET full_name = '患者 三' WHERE full_name = '患者 3'

SELECT full_name, count(*) FROM patients GROUP BY full_name HAVING count(*) > 2

SELECT blood_type, count(*) FROM patients GROUP BY blood_type ORDER BY 1

SELECT count(DISTINCT full_name) FROM patients

SELECT c.complaint_no, c.reported_on, c.reporter_name, c.severity, b.batch_no FROM complaints c LEFT JOIN batches b ON b.id = c.batch_id WHERE c.status = 'open' ORDER BY c.severity DESC, c.reported_on, c.id

SELECT * FROM complaints WHERE complaint_no = 'C-00007'

-- @ extended 报告人 4
SELECT complaint_no, description FROM complaints WHERE reporter_name = $1 ORDER BY complaint_no

SELECT k.complaint_no, k.description, p.full_name, p.birth_date, c.contact_name FROM complaints k JOIN patients p ON p.id = k.patient_id JOIN customers c ON c.id = k.customer_id WHERE k.id < 12 ORDER BY k.id

INSERT INTO complaints (complaint_no, batch_id, customer_id, reported_on, reporter_name, reporter_phone, description, severity) VALUES ('C-90001', 17, 1, '2026-03-03', '报告人 新', '100-9999-0000', 'cracked on first load 首次受力开裂', 4) RETURNING id, status

UPDATE complaints SET status = 'closed', closed_at = '2026-03-04 09:00+08', description = 'cracked; replaced' WHERE complaint_no = 'C-90001' RETURNING status, description, closed_at

UPDATE complaints SET patient_id = (SELECT id FROM patients WHERE mrn = 'MRN000004') WHERE complaint_no = 'C-90001' RETURNING patient_id

SELECT severity, count(*) FILTER (WHERE status = 'open') AS open, count(*) FILTER (WHERE status = 'closed') AS closed FROM complaints GROUP BY severity ORDER BY severity

SELECT reporter_name FROM complaints UNION SELECT contact_name FROM suppliers WHERE contact_name IS NOT NULL

SELECT s.subject_code, s.birth_date, s.enrolled_on, c.name AS site FROM clinical_subjects s JOIN customers c ON c.id = s.site_id ORDER BY s.subject_code

SELECT device_id, count(*) FROM clinical_subjects GROUP BY device_id ORDER BY device_id

INSERT INTO clinical_subjects (id, subject_code, device_id, site_id, birth_date, enrolled_on) VALUES (9001, 'EX-90-00001', 1, 2, '1970-05-06', '2026-03-01') RETURNING birth_date

UPDATE clinical_subjects SET birth_date = '1970-05-07' WHERE subject_code = 'EX-90-00001'

DELETE FROM clinical_subjects WHERE subject_code = 'EX-90-00001' RETURNING *

-- @ refused 0A000 extract()
SELECT extract(year FROM birth_date) AS year, count(*) FROM patients GROUP BY 1 ORDER BY 1

-- @ refused 0A000 BETWEEN
SELECT batch_no FROM batches WHERE sterilised_at BETWEEN '2026-01-01' AND '2026-02-01'

-- @ refused 0A000 ILIKE
SELECT complaint_no FROM complaints WHERE description ILIKE '%crack%'
