-- What an ORM, a driver or a report designer asks of the catalogue before it works.
-- @ session orm erp_app

SELECT current_catalog IS NOT NULL, current_schemas(false)

SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY nspname

SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1

SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name

SELECT column_name, data_type, is_nullable, column_default, character_maximum_length, numeric_precision FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'customers' ORDER BY ordinal_position

SELECT table_name, count(*) FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name ORDER BY table_name

SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = 'suppliers'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- @ extended patients
SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'customers'::regclass ORDER BY conname

SELECT i.relname, x.indisunique, x.indisprimary, pg_get_indexdef(i.oid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = 'app_users'::regclass ORDER BY 1

SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'patients' ORDER BY indexname

SELECT tc.constraint_name, kcu.column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON kcu.constraint_name = tc.constraint_name AND kcu.table_name = tc.table_name WHERE tc.table_name = 'customers' AND tc.constraint_type = 'UNIQUE' ORDER BY 1, 2

SELECT conrelid::regclass, confrelid::regclass, conname FROM pg_constraint WHERE contype = 'f' ORDER BY conname

SELECT sequencename, start_value, increment_by FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1

SELECT pg_get_serial_sequence('customers', 'id')

SELECT viewname FROM pg_views WHERE schemaname = 'public' ORDER BY 1

SELECT typname, oid > 0 AS known FROM pg_type WHERE typname IN ('hstore', 'json', 'jsonb') ORDER BY 1

SELECT obj_description('customers'::regclass), col_description('suppliers'::regclass, 4)

SELECT has_table_privilege('customers', 'SELECT'), has_column_privilege('customers', 'contact_name', 'UPDATE')

SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'customers' AND grantee = 'erp_app' ORDER BY 2

SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1

SELECT proname, pg_get_function_result(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' ORDER BY 1

SELECT to_regclass('public.customers') IS NOT NULL AS there, to_regclass('public.theriac') IS NULL AS nothing

SELECT attname FROM pg_stats WHERE tablename = 'devices' ORDER BY 1

SELECT setting FROM pg_settings WHERE name = 'standard_conforming_strings'

-- @ shape
SELECT state, usename, application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()

-- @ shape
SELECT relname, n_live_tup >= 0 FROM pg_stat_user_tables ORDER BY relname

SELECT count(*) FROM pg_locks WHERE relation = 'customers'::regclass AND NOT granted

SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user

SELECT extname FROM pg_extension ORDER BY extname

SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()

SELECT * FROM customers WHERE false

SELECT * FROM patients LIMIT 0
