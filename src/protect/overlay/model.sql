-- What the views and functions of theriac_catalog are made of: which columns are protected, which
-- objects are ours. Owner's rights: PUBLIC reads no table of the registry, and learns from here
-- nothing but object ids and attribute numbers of the physical form, which pg_catalog shows as well.
CREATE SCHEMA theriac_catalog;
REVOKE ALL ON SCHEMA theriac_catalog FROM PUBLIC;
GRANT USAGE ON SCHEMA theriac_catalog TO PUBLIC;

-- Views in their protected form, and what keeps what they said (theriac.views.original).
CREATE VIEW theriac_catalog.theriac_view AS
SELECT v.view::oid AS view, v.original::oid AS original, r.oid AS rule, o.oid AS original_rule
FROM theriac.views v
JOIN pg_rewrite r ON r.ev_class = v.view::oid AND r.rulename = '_RETURN'
JOIN pg_rewrite o ON o.ev_class = v.original::oid AND o.rulename = '_RETURN';

CREATE VIEW theriac_catalog.theriac_relation AS
SELECT t.relation::oid AS relation FROM theriac.tables t
UNION ALL SELECT v.view::oid FROM theriac.views v WHERE v.original IS NOT NULL;

-- attribute: the plain column; sealed, index: its helpers; attrdef: its default, on a table of ours.
CREATE VIEW theriac_catalog.theriac_column_now AS
SELECT c.relation::oid AS relation, k.conkey[1] AS attribute, s.attnum AS sealed,
       i.attnum AS index, c.number, c.not_null, d.oid AS attrdef, d.adrelid AS holder
FROM theriac.columns c
JOIN pg_constraint k ON k.conrelid = c.relation::oid
  AND k.conname = ('theriac_plain_' || c.number)::name
JOIN pg_attribute s ON s.attrelid = c.relation::oid
  AND s.attname = ('theriac_sealed_' || c.number)::name
LEFT JOIN pg_attribute i ON i.attrelid = c.relation::oid
  AND i.attname = ('theriac_index_' || c.number)::name
LEFT JOIN pg_class h ON h.relname = ('theriac_default_' || c.number
    || CASE WHEN c.member > 0 THEN '_' || c.member ELSE '' END)::name
  AND h.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'theriac_catalog')
LEFT JOIN pg_attrdef d ON d.adrelid = h.oid AND d.adnum = 1
WHERE k.contype = 'c'
UNION ALL
SELECT a.attrelid, a.attnum, s.attnum, i.attnum, NULL::int4, false, NULL::oid, NULL::oid
FROM theriac.view_columns v
JOIN pg_attribute a ON a.attrelid = v.view::oid AND a.attnum = v.attribute
JOIN pg_attribute s ON s.attrelid = a.attrelid AND s.attname = ('theriac_sealed_v' || v.attribute)::name
LEFT JOIN pg_attribute i ON i.attrelid = a.attrelid
  AND i.attname = ('theriac_index_v' || v.attribute)::name
WHERE v.rank = 0 AND v.attribute > 0;

-- Keys of indexes that stand on an index helper: place 1 is the first key.
CREATE VIEW theriac_catalog.theriac_index_key_now AS
SELECT i.indexrelid, u.place::int2 AS place, m.relation, m.attribute, m.number,
       r.key ->> 'suffix' AS suffix, r.key ->> 'class_schema' AS class_schema, r.key ->> 'class_name' AS class_name
FROM theriac_catalog.theriac_column_now m
JOIN pg_index i ON i.indrelid = m.relation
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS u(attribute, place)
JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN LATERAL (
  SELECT e.index -> 'keys' -> (u.place - 1)::int4 AS key
  FROM theriac.tables t, jsonb_array_elements(t.original -> 'indexes') AS e(index)
  WHERE t.relation::oid = m.relation AND e.index ->> 'name' = x.relname) r ON true
WHERE u.attribute = m.index;

CREATE VIEW theriac_catalog.theriac_own_relation AS
SELECT c.oid, c.reltoastrelid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('theriac', 'theriac_catalog');

CREATE VIEW theriac_catalog.theriac_hidden_relation_now AS
SELECT oid FROM theriac_catalog.theriac_own_relation
UNION ALL SELECT reltoastrelid FROM theriac_catalog.theriac_own_relation WHERE reltoastrelid <> 0
UNION ALL SELECT i.indexrelid FROM theriac_catalog.theriac_own_relation o
          JOIN pg_index i ON i.indrelid = o.reltoastrelid
UNION ALL SELECT i.indexrelid FROM theriac.tables t
          JOIN pg_index i ON i.indrelid = t.relation::oid
          JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE 'theriac\_%';

CREATE VIEW theriac_catalog.theriac_hidden_object_now AS
WITH schemas AS (SELECT oid FROM pg_namespace WHERE nspname IN ('theriac', 'theriac_catalog'))
SELECT 'pg_catalog.pg_class'::regclass::oid AS class, oid AS object
  FROM theriac_catalog.theriac_hidden_relation_now
UNION ALL SELECT 'pg_catalog.pg_namespace'::regclass, oid FROM schemas
UNION ALL SELECT 'pg_catalog.pg_type'::regclass, oid FROM pg_type
  WHERE typnamespace IN (SELECT oid FROM schemas)
UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, oid FROM pg_proc
  WHERE pronamespace IN (SELECT oid FROM schemas)
UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, oid FROM pg_constraint
  WHERE connamespace IN (SELECT oid FROM schemas) OR (conname LIKE 'theriac\_%'
    AND conrelid IN (SELECT relation FROM theriac_catalog.theriac_relation))
UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, r.oid FROM pg_rewrite r
  WHERE r.ev_class IN (SELECT oid FROM theriac_catalog.theriac_own_relation)
UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, g.oid FROM pg_trigger g
  WHERE g.tgrelid IN (SELECT oid FROM theriac_catalog.theriac_own_relation)
     OR g.tgname LIKE 'theriac\_%'
UNION ALL SELECT 'pg_catalog.pg_event_trigger'::regclass, oid FROM pg_event_trigger
  WHERE evtname LIKE 'theriac\_%'
UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid FROM pg_attrdef d
  WHERE d.adrelid IN (SELECT oid FROM theriac_catalog.theriac_own_relation)
    AND d.oid NOT IN (SELECT attrdef FROM theriac_catalog.theriac_column_now WHERE attrdef IS NOT NULL);

-- The order in which grantees stood when the table was protected; attribute 0 is the table.
CREATE VIEW theriac_catalog.theriac_grant_order AS
SELECT t.relation::oid AS relation, coalesce(a.attnum, 0::int2) AS attribute,
       g.given ->> 1 AS grantee, min(g.place) AS place
FROM theriac.tables t
CROSS JOIN LATERAL jsonb_array_elements(t.original -> 'rights' -> 'grants')
  WITH ORDINALITY AS g(given, place)
LEFT JOIN pg_attribute a ON a.attrelid = t.relation::oid AND a.attname = g.given ->> 0
GROUP BY 1, 2, 3;

-- A right on the table stands on a system column as well: SELECT on cmax (others may have ctid and
-- tableoid), INSERT on tableoid.
CREATE VIEW theriac_catalog.theriac_table_right AS
SELECT c.oid AS relation, x.grantor, x.grantee, x.privilege_type, x.is_grantable, x.place
FROM pg_class c
CROSS JOIN LATERAL aclexplode(c.relacl)
  WITH ORDINALITY AS x(grantor, grantee, privilege_type, is_grantable, place)
WHERE c.relkind <> 'v' AND c.oid IN (SELECT relation FROM theriac_catalog.theriac_relation)
UNION
SELECT a.attrelid, x.grantor, x.grantee, x.privilege_type, x.is_grantable, x.place
FROM pg_attribute a
CROSS JOIN LATERAL aclexplode(a.attacl)
  WITH ORDINALITY AS x(grantor, grantee, privilege_type, is_grantable, place)
WHERE (a.attnum, x.privilege_type) IN ((-5, 'SELECT'), (-6, 'INSERT'))
  AND a.attrelid IN (SELECT relation FROM theriac_catalog.theriac_relation);

CREATE VIEW theriac_catalog.theriac_column_right AS
SELECT s.relation, s.attribute, x.grantor, x.grantee, x.privilege_type, x.is_grantable, x.place
FROM (SELECT a.attrelid AS relation, a.attnum AS attribute, a.attacl AS acl,
             CASE WHEN m.sealed IS NULL THEN 'SELECT INSERT UPDATE REFERENCES'
                  ELSE 'UPDATE REFERENCES' END AS privileges
      FROM pg_attribute a
      LEFT JOIN theriac_catalog.theriac_column_now m ON m.relation = a.attrelid AND m.attribute = a.attnum
      WHERE a.attnum > 0 AND a.attrelid IN (SELECT t.relation::oid FROM theriac.tables t)
      UNION ALL
      SELECT m.relation, m.attribute, a.attacl, 'SELECT INSERT'
      FROM theriac_catalog.theriac_column_now m
      JOIN pg_attribute a ON a.attrelid = m.relation AND a.attnum = m.sealed
      WHERE m.number IS NOT NULL) s
CROSS JOIN LATERAL aclexplode(s.acl)
  WITH ORDINALITY AS x(grantor, grantee, privilege_type, is_grantable, place)
WHERE position(x.privilege_type IN s.privileges) > 0
  AND NOT EXISTS (SELECT FROM theriac_catalog.theriac_table_right t
                  WHERE t.relation = s.relation AND t.grantor = x.grantor
                    AND t.grantee = x.grantee AND t.privilege_type = x.privilege_type
                    AND t.privilege_type IN ('SELECT', 'INSERT'));

-- A view has no system columns on which a right on all of it could stand: the registry knows them.
CREATE VIEW theriac_catalog.theriac_view_right AS
SELECT v.view::oid AS relation, coalesce(a.attnum, 0::int2) AS attribute, r.oid AS grantor,
       coalesce(e.oid, 0::oid) AS grantee, g.given ->> 3 AS privilege_type,
       (g.given ->> 4)::boolean AS is_grantable, g.place
FROM theriac.views v
CROSS JOIN LATERAL jsonb_array_elements(v.rights -> 'grants') WITH ORDINALITY AS g(given, place)
LEFT JOIN pg_attribute a ON a.attrelid = v.view::oid AND a.attname = g.given ->> 0
LEFT JOIN pg_roles e ON e.rolname = g.given ->> 1
JOIN pg_roles r ON r.rolname = g.given ->> 2
WHERE v.original IS NOT NULL AND (e.oid IS NOT NULL OR g.given ->> 1 = '')
  AND (a.attnum IS NOT NULL OR g.given ->> 0 = '');

-- One ACL item for each grantor and grantee, as PostgreSQL prints it.
CREATE VIEW theriac_catalog.theriac_acl_now AS
WITH rights AS (
  SELECT relation, 0::int2 AS attribute, grantor, grantee, privilege_type, is_grantable, place
  FROM theriac_catalog.theriac_table_right
  UNION ALL
  SELECT relation, attribute, grantor, grantee, privilege_type, is_grantable, place
  FROM theriac_catalog.theriac_column_right
  UNION ALL
  SELECT relation, attribute, grantor, grantee, privilege_type, is_grantable, place
  FROM theriac_catalog.theriac_view_right
), items AS (
  SELECT r.relation, r.attribute, min(r.place) AS place, r.grantee,
         format('%s=%s/%s', CASE WHEN r.grantee <> 0
                            THEN '"' || replace(pg_get_userbyid(r.grantee), '"', '""') || '"' END,
                string_agg(l.letter || CASE WHEN r.is_grantable THEN '*' ELSE '' END, ''
                           ORDER BY l.place),
                '"' || replace(pg_get_userbyid(r.grantor), '"', '""') || '"')::aclitem AS item
  FROM rights r
  JOIN (VALUES ('INSERT', 'a', 1), ('SELECT', 'r', 2), ('UPDATE', 'w', 3), ('DELETE', 'd', 4),
               ('TRUNCATE', 'D', 5), ('REFERENCES', 'x', 6), ('TRIGGER', 't', 7))
    AS l(privilege, letter, place) ON l.privilege = r.privilege_type
  GROUP BY r.relation, r.attribute, r.grantor, r.grantee)
SELECT i.relation, i.attribute,
       array_agg(i.item ORDER BY o.place NULLS LAST, i.place, i.grantee) AS acl
FROM items i
LEFT JOIN theriac_catalog.theriac_grant_order o ON o.relation = i.relation
  AND o.attribute = i.attribute
  AND o.grantee = CASE WHEN i.grantee = 0 THEN '' ELSE pg_get_userbyid(i.grantee) END
GROUP BY i.relation, i.attribute;

-- Views over functions: PL/pgSQL keeps the plan of such a body for the session, where a view would be
-- planned anew as a part of each of the client's statements.
DO $make$
DECLARE part record;
BEGIN
  FOR part IN SELECT * FROM (VALUES
      ('theriac_column', 20), ('theriac_index_key', 20), ('theriac_hidden_relation', 200),
      ('theriac_hidden_object', 1000), ('theriac_acl', 100)) AS v(name, lines) LOOP
    EXECUTE format($create$
      CREATE FUNCTION theriac_catalog.%1$s_rows() RETURNS SETOF theriac_catalog.%1$s_now
      LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS %2$s SET search_path = pg_catalog, pg_temp
      AS 'BEGIN RETURN QUERY SELECT * FROM theriac_catalog.%1$s_now; END';
      CREATE VIEW theriac_catalog.%1$s WITH (security_invoker = true) AS
      SELECT * FROM theriac_catalog.%1$s_rows();
      GRANT SELECT ON theriac_catalog.%1$s TO PUBLIC$create$, part.name, part.lines);
  END LOOP;
END $make$;
GRANT SELECT ON theriac_catalog.theriac_relation, theriac_catalog.theriac_own_relation,
  theriac_catalog.theriac_view, theriac_catalog.theriac_view_right TO PUBLIC;
