-- What drivers and programs ask the catalogue, in their shape. One statement a paragraph; each has to
-- give the same rows on both twins.

-- Java (DatabaseMetaData.getTables)
SELECT NULL AS "TABLE_CAT", n.nspname AS "TABLE_SCHEM", c.relname AS "TABLE_NAME", CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN 'SYSTEM' WHEN false THEN CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'i' THEN 'INDEX' WHEN 'P' THEN 'PARTITIONED INDEX' WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END ELSE NULL END AS "TABLE_TYPE", d.description AS "REMARKS" FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 4, 2, 3

-- Java (getColumns)
SELECT * FROM (SELECT n.nspname, c.relname, a.attname, a.atttypid::regtype, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull, a.atttypmod, a.attlen, t.typtypmod, row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum, nullif(a.attidentity, '') AS attidentity, nullif(a.attgenerated, '') AS attgenerated, pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc, dsc.description, t.typtype FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid = def.adrelid AND a.attnum = def.adnum) LEFT JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid) LEFT JOIN pg_catalog.pg_class dc ON (dc.oid = dsc.classoid AND dc.relname = 'pg_class') LEFT JOIN pg_catalog.pg_namespace dn ON (dc.relnamespace = dn.oid AND dn.nspname = 'pg_catalog') WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname LIKE 'public') c WHERE true ORDER BY nspname, c.relname, attnum

-- Java (getPrimaryKeys)
SELECT result.table_name, result.column_name, result.key_seq, result.pk_name FROM (SELECT n.nspname AS table_schem, ct.relname AS table_name, a.attname AS column_name, (information_schema._pg_expandarray(i.indkey)).n AS key_seq, ci.relname AS pk_name, information_schema._pg_expandarray(i.indkey) AS keys, a.attnum AS a_attnum FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true AND i.indisprimary) result WHERE result.a_attnum = (result.keys).x ORDER BY result.table_name, result.pk_name, result.key_seq

-- Java (getIndexInfo)
SELECT tmp.table_name, tmp.non_unique, tmp.index_name, tmp.type, tmp.ordinal_position, trim(BOTH '"' FROM pg_catalog.pg_get_indexdef(tmp.ci_oid, tmp.ordinal_position, false)) AS column_name, CASE tmp.am_name WHEN 'btree' THEN CASE tmp.i_indoption[tmp.ordinal_position - 1] & 1::smallint WHEN 1 THEN 'D' ELSE 'A' END ELSE NULL END AS asc_or_desc, tmp.filter_condition FROM (SELECT n.nspname AS table_schem, ct.relname AS table_name, NOT i.indisunique AS non_unique, ci.relname AS index_name, CASE i.indisclustered WHEN true THEN 1 ELSE 3 END AS type, (information_schema._pg_expandarray(i.indkey)).n AS ordinal_position, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS filter_condition, ci.oid AS ci_oid, i.indoption AS i_indoption, am.amname AS am_name FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (ct.oid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) JOIN pg_catalog.pg_am am ON (ci.relam = am.oid) WHERE n.nspname = 'public') AS tmp ORDER BY non_unique, type, index_name, ordinal_position

-- Java (getImportedKeys)
SELECT pkn.nspname, pkc.relname, pka.attname, fkn.nspname, fkc.relname, fka.attname, pos.n, con.confupdtype, con.confdeltype, con.conname, pkic.relname, con.condeferrable, con.condeferred FROM pg_catalog.pg_namespace pkn, pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, pg_catalog.pg_namespace fkn, pg_catalog.pg_class fkc, pg_catalog.pg_attribute fka, pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 32) pos(n), pg_catalog.pg_class pkic WHERE pkn.oid = pkc.relnamespace AND pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid AND fkn.oid = fkc.relnamespace AND fkc.oid = fka.attrelid AND fka.attnum = con.conkey[pos.n] AND con.conrelid = fkc.oid AND con.contype = 'f' AND pkic.relkind = 'i' AND pkic.oid = con.conindid ORDER BY pkn.nspname, pkc.relname, con.conname, pos.n

-- Java (getColumnPrivileges, getTablePrivileges)
SELECT n.nspname, c.relname, r.rolname, c.relacl, a.attacl, a.attname FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c, pg_catalog.pg_roles r, pg_catalog.pg_attribute a WHERE c.relnamespace = n.oid AND c.relowner = r.oid AND c.oid = a.attrelid AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = 'public' ORDER BY n.nspname, c.relname, a.attname

-- .NET (types when it connects)
SELECT ns.nspname, t.typname, t.typtype, t.typnotnull, CASE WHEN t.typtype = 'a' THEN e.typname END AS element, t.ord FROM (SELECT typ.oid, typ.typnamespace, typ.typname, CASE WHEN proc.proname = 'array_recv' THEN 'a' ELSE typ.typtype END AS typtype, typ.typnotnull, typ.typelem, CASE WHEN proc.proname = 'array_recv' THEN 2 WHEN typ.typtype = 'r' THEN 1 ELSE 0 END AS ord FROM pg_type AS typ LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid) LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive WHERE typ.typtype IN ('b', 'r', 'm', 'e', 'd') OR (typ.typtype = 'c' AND cls.relkind = 'c')) AS t JOIN pg_namespace AS ns ON (ns.oid = t.typnamespace) LEFT JOIN pg_type e ON e.oid = t.typelem ORDER BY t.ord, ns.nspname, t.typname

-- .NET (fields of a composite type)
SELECT typ.typname, att.attname, att.attnum FROM pg_type AS typ JOIN pg_namespace AS ns ON (ns.oid = typ.typnamespace) JOIN pg_class AS cls ON (cls.oid = typ.typrelid) JOIN pg_attribute AS att ON (att.attrelid = typ.typrelid) WHERE typ.typtype = 'c' AND cls.relkind = 'c' AND att.attnum > 0 AND NOT att.attisdropped ORDER BY typ.oid, att.attnum

-- Tryton (TableHandler)
SELECT 1 FROM information_schema.tables WHERE table_name = 'people' AND table_schema = 'public'

SELECT column_name, udt_name, is_nullable, character_maximum_length, column_default FROM information_schema.columns WHERE table_name = 'people' AND table_schema = 'public' ORDER BY ordinal_position

SELECT constraint_name FROM information_schema.table_constraints WHERE table_name = 'people' AND table_schema = 'public' AND constraint_name NOT LIKE '%_not_null' ORDER BY 1

SELECT k.column_name, r.delete_rule, k.constraint_name FROM information_schema.key_column_usage AS k JOIN information_schema.referential_constraints AS r ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name WHERE k.table_name = 'calls' AND k.table_schema = 'public'

SELECT cl2.relname FROM pg_index ind JOIN pg_class cl ON cl.oid = ind.indrelid JOIN pg_namespace n ON cl.relnamespace = n.oid JOIN pg_class cl2 ON cl2.oid = ind.indexrelid WHERE cl.relname = 'people' AND n.nspname = 'public' ORDER BY 1

SELECT p.pronargs, n.nspname, p.proname FROM pg_proc p JOIN pg_namespace n ON p.pronamespace = n.oid WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 2, 3

-- Rights
SELECT c.relname, has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT, UPDATE'), has_table_privilege('warehouse', c.oid, 'SELECT'), has_table_privilege('inspector', c.oid, 'SELECT WITH GRANT OPTION'), has_any_column_privilege('warehouse', c.oid, 'SELECT') FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1

SELECT has_table_privilege('people', 'SELECT'), pg_catalog.has_table_privilege('warehouse', 'calls', 'INSERT'), has_column_privilege('people', 'name', 'SELECT'), has_column_privilege('warehouse', 'people', 'phone', 'SELECT'), has_column_privilege('warehouse', 'people', 'name', 'UPDATE'), has_column_privilege('people', 2::smallint, 'INSERT')

SELECT has_column_privilege('nobody', 'people', 'name', 'SELECT')

SELECT has_column_privilege('people', 'nothing', 'SELECT')

SELECT has_table_privilege('nowhere', 'SELECT')

-- Forms of SQL
WITH pg_class AS (SELECT 1 AS relname) SELECT relname FROM pg_class

SELECT pg_class.relname, pg_catalog.pg_class.relkind FROM pg_catalog.pg_class WHERE pg_catalog.pg_class.relname = 'people' AND relnamespace = 'public'::regnamespace

SELECT "relname" FROM "pg_catalog"."pg_class" AS "C" WHERE "C"."relname" OPERATOR(pg_catalog.~) '^(people)$' COLLATE pg_catalog.default ORDER BY 1

SELECT attname FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 AND NOT attisdropped UNION SELECT attname FROM pg_attribute WHERE attrelid = 'calls'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1

SELECT c.relname, c.tableoid::regclass, a.tableoid = 'pg_attribute'::regclass FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relname = 'people' AND a.attname = 'name' ORDER BY 1, 3

SELECT relchecks, relhasindex, relnatts FROM pg_class WHERE oid = 'people'::regclass

SELECT count(*) FROM pg_depend WHERE refobjid = 'people'::regclass AND refobjsubid > 0

EXPLAIN (COSTS OFF) SELECT 1 FROM pg_class WHERE false

SELECT array(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indexrelid ORDER BY attnum) FROM pg_index i WHERE i.indrelid = 'people'::regclass ORDER BY i.indexrelid::regclass::text

SELECT p.name, c.relname FROM people p JOIN pg_class c ON c.relname = 'people' AND c.relnamespace = 'public'::regnamespace WHERE p.id = 2

SELECT people.name, (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = 'people'::regclass AND NOT a.attisdropped AND a.attnum > 0) FROM people WHERE name = 'Anna Müller'

-- Views.
SELECT viewname, viewowner, definition FROM pg_views WHERE schemaname IN ('public', 'other') ORDER BY 1

SELECT table_name, view_definition, check_option, is_updatable, is_insertable_into
FROM information_schema.views WHERE table_schema IN ('public', 'other') ORDER BY 1

SELECT view_name, table_name, column_name FROM information_schema.view_column_usage
WHERE view_schema IN ('public', 'other') ORDER BY 1, 2, 3

SELECT c.relname, pg_get_viewdef(c.oid), pg_get_viewdef(c.oid, true), pg_get_viewdef(c.oid, 60),
       pg_get_viewdef(c.oid::regclass::text, true), c.relnatts, c.relacl, c.reloptions
FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace ORDER BY 1

SELECT pg_get_ruledef(r.oid), pg_get_ruledef(r.oid, true) FROM pg_rewrite r
WHERE r.ev_class IN ('v_contacts'::regclass, 'v_callers'::regclass) ORDER BY 1

SELECT a.attrelid::regclass::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'v'
WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2

SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, is_updatable, collation_name
FROM information_schema.columns WHERE table_name LIKE 'v\_%' ORDER BY 1, ordinal_position

SELECT v.relname, t.relname, a.attname, d.deptype FROM pg_depend d
JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
JOIN pg_class v ON v.oid = r.ev_class JOIN pg_class t ON t.oid = d.refobjid
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE d.refclassid = 'pg_class'::regclass AND v.relname LIKE 'v\_%' AND t.relnamespace <> 'pg_catalog'::regnamespace
ORDER BY 1, 2, 3 NULLS FIRST, 4

SELECT has_table_privilege('v_contacts', 'SELECT'), has_table_privilege('inspector', 'v_contacts', 'SELECT WITH GRANT OPTION'),
       has_table_privilege('warehouse', 'v_contacts', 'SELECT'), has_table_privilege('erp_app', 'v_contacts', 'UPDATE'),
       has_column_privilege('warehouse', 'v_contacts', 'Full name', 'SELECT'),
       has_column_privilege('warehouse', 'v_contacts', 'tel', 'SELECT'),
       has_column_privilege('erp_app', 'v_contacts', 'tel', 'INSERT'),
       has_any_column_privilege('warehouse', 'v_contacts', 'SELECT')
