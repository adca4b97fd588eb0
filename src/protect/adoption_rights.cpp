#include "protect/adoption_texts.hpp"

namespace theriac::protect {

// As rights.hpp says; what was given on the whole table is kept in theriac.tables.grants, so that a
// column added later is covered as it would have been.
const std::string_view kRightsSql = R"(
CREATE OR REPLACE FUNCTION theriac.check_grants(wanted oid) RETURNS void
  LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $f$
  -- REVOKE on the table took the rights on its helpers, which nobody else can take.
  UPDATE theriac.tables t SET grants = coalesce((
      SELECT jsonb_agg(g.entry ORDER BY g.place)
      FROM jsonb_array_elements(coalesce(t.grants, (
          SELECT jsonb_agg(jsonb_build_array(o.entry->1, o.entry->3, o.entry->4))
          FROM jsonb_array_elements(t.original->'rights'->'grants') AS o(entry)
          WHERE o.entry->>0 = '' AND o.entry->>3 IN ('SELECT', 'INSERT')), '[]'))
        WITH ORDINALITY AS g(entry, place)
      WHERE NOT EXISTS (
        SELECT FROM theriac.columns c
        JOIN pg_attribute a ON a.attrelid = c.relation AND a.attname = 'theriac_sealed_' || c.number
        WHERE c.relation = t.relation AND c.state = 'sealed' AND NOT EXISTS (
          SELECT FROM aclexplode(a.attacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
          WHERE coalesce(r.rolname, '') = g.entry->>0 AND x.privilege_type = g.entry->>1))), '[]')
  WHERE t.relation = wanted::regclass
$f$;

CREATE OR REPLACE FUNCTION theriac.wanted_rights(wanted oid)
  RETURNS TABLE (grantee text, privilege text, grantable boolean, column_name text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  WITH hidden AS (
    SELECT theriac.plain_attribute(c.relation, c.number) AS attribute,
           ARRAY(SELECT theriac.helpers_of(c.relation, c.number))
           || CASE WHEN t.bound THEN ARRAY['theriac_row'] ELSE '{}' END AS helpers
    FROM theriac.columns c JOIN theriac.tables t ON t.relation = c.relation
    WHERE c.relation = wanted::regclass AND c.state = 'sealed'
  ), given AS (
    SELECT a.attnum, a.attname, coalesce(r.rolname::text, '') AS grantee, x.privilege_type AS privilege,
           x.is_grantable AS grantable
    FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
    WHERE a.attrelid = wanted AND NOT a.attisdropped
  ), on_table AS (
    SELECT coalesce(r.rolname::text, '') AS grantee, x.privilege_type AS privilege
    FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
    LEFT JOIN pg_roles r ON r.oid = x.grantee WHERE c.oid = wanted
  ), places AS (
    SELECT unnest(ARRAY['ctid', 'tableoid'] || CASE WHEN t.bound THEN ARRAY['theriac_row'] END) AS place
    FROM theriac.tables t WHERE t.relation = wanted::regclass
  ), recorded AS (
    SELECT g->>0 AS grantee, g->>1 AS privilege, bool_or((g->>2)::boolean) AS grantable
    FROM theriac.tables t CROSS JOIN LATERAL jsonb_array_elements(t.grants) AS g
    WHERE t.relation = wanted::regclass
      AND (g->>0 = '' OR EXISTS (SELECT FROM pg_roles WHERE rolname = g->>0)) GROUP BY 1, 2)
  SELECT g.grantee, g.privilege, g.grantable, a.attname::text FROM recorded g
    JOIN pg_attribute a ON a.attrelid = wanted AND NOT a.attisdropped
     AND (a.attnum > 0 OR g.privilege = 'SELECT' OR a.attname = 'tableoid')
    WHERE a.attnum NOT IN (SELECT attribute FROM hidden WHERE attribute IS NOT NULL)
  UNION SELECT g.grantee, g.privilege, g.grantable, g.attname::text FROM given g
    WHERE g.privilege IN ('SELECT', 'INSERT')
      AND g.attnum NOT IN (SELECT attribute FROM hidden WHERE attribute IS NOT NULL)
  UNION SELECT g.grantee, g.privilege, g.grantable, p.helper FROM given g
    JOIN hidden h ON h.attribute = g.attnum CROSS JOIN LATERAL unnest(h.helpers) AS p(helper)
    WHERE g.privilege IN ('SELECT', 'INSERT') OR (g.privilege = 'UPDATE' AND p.helper <> 'theriac_row')
  -- Who may change rows may have them located by the gateway.
  UNION SELECT o.grantee, 'SELECT', false, p.place FROM on_table o
    CROSS JOIN places p WHERE o.privilege = 'UPDATE'
  UNION SELECT g.grantee, 'SELECT', false, p.place FROM given g
    CROSS JOIN places p WHERE g.privilege = 'UPDATE'
$f$;

CREATE OR REPLACE FUNCTION theriac.settle_rights(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  g record;
  rights jsonb;
BEGIN
  UPDATE theriac.tables t SET grants = t.grants || coalesce((
      SELECT jsonb_agg(jsonb_build_array(coalesce(r.rolname, ''), x.privilege_type, x.is_grantable))
      FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
      LEFT JOIN pg_roles r ON r.oid = x.grantee
      WHERE c.oid = wanted AND x.privilege_type IN ('SELECT', 'INSERT')
        AND NOT t.grants @> jsonb_build_array(jsonb_build_array(coalesce(r.rolname, ''),
                                              x.privilege_type, x.is_grantable))), '[]')
    WHERE t.relation = wanted::regclass;
  SELECT jsonb_agg(to_jsonb(w)) INTO rights FROM theriac.wanted_rights(wanted) w;
  -- A right on the table covers every column, the plain ones too; taking it takes the columns' too.
  FOR g IN SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END AS who
      FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
      WHERE c.oid = wanted AND x.privilege_type IN ('SELECT', 'INSERT') LOOP
    EXECUTE format('REVOKE SELECT, INSERT ON %s FROM %s CASCADE', wanted::regclass, g.who);
  END LOOP;
  FOR g IN SELECT DISTINCT a.attname,
        CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END AS who
      FROM theriac.columns c JOIN pg_attribute a ON a.attrelid = c.relation
        AND a.attnum = theriac.plain_attribute(c.relation, c.number)
      CROSS JOIN LATERAL aclexplode(a.attacl) x
      WHERE c.relation = wanted::regclass AND x.privilege_type IN ('SELECT', 'INSERT') LOOP
    EXECUTE format('REVOKE SELECT (%1$I), INSERT (%1$I) ON %2$s FROM %3$s CASCADE', g.attname,
                   wanted::regclass, g.who);
  END LOOP;
  FOR g IN SELECT w.privilege, w.grantee, w.grantable,
        string_agg(quote_ident(w.column_name), ', ') AS columns
      FROM jsonb_to_recordset(rights) AS w(grantee text, privilege text, grantable boolean, column_name text)
      JOIN pg_attribute a ON a.attrelid = wanted AND a.attname = w.column_name
      WHERE NOT EXISTS (
        SELECT FROM aclexplode(a.attacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
        WHERE coalesce(r.rolname, '') = w.grantee AND x.privilege_type = w.privilege
          AND (x.is_grantable OR NOT w.grantable)) GROUP BY 1, 2, 3 LOOP
    EXECUTE format('GRANT %s (%s) ON %s TO %s%s', g.privilege, g.columns, wanted::regclass,
      CASE WHEN g.grantee = '' THEN 'PUBLIC' ELSE quote_ident(g.grantee) END,
      CASE WHEN g.grantable THEN ' WITH GRANT OPTION' ELSE '' END);
  END LOOP;
  UPDATE theriac.tables SET rights_after = (
      SELECT coalesce(c.relacl::text, '') || coalesce((
        SELECT string_agg(' ' || a.attname || a.attacl::text, '' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped), '')
      FROM pg_class c WHERE c.oid = wanted) WHERE relation = wanted::regclass;
END $f$;

CREATE OR REPLACE FUNCTION theriac.revoke_helpers(wanted oid, act jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  p text;
  r text;
  helper text;
BEGIN
  FOR p, r IN SELECT priv, who FROM jsonb_array_elements_text(act->'privileges') AS priv
      CROSS JOIN jsonb_array_elements_text(act->'roles') AS who LOOP
    -- What was given on the whole table is not taken away by column.
    CONTINUE WHEN p NOT IN ('SELECT', 'INSERT', 'UPDATE') OR EXISTS (
      SELECT FROM theriac.tables t CROSS JOIN LATERAL jsonb_array_elements(t.grants) AS g
      WHERE t.relation = wanted::regclass AND g->>0 = r AND g->>1 = p);
    FOR helper IN SELECT theriac.helpers_of(wanted, (act->>'number')::integer) LOOP
      EXECUTE format('REVOKE %s%s (%I) ON %s FROM %s CASCADE',
        CASE WHEN (act->>'option')::boolean THEN 'GRANT OPTION FOR ' ELSE '' END, p, helper,
        wanted::regclass, CASE WHEN r = '' THEN 'PUBLIC' ELSE quote_ident(r) END);
    END LOOP;
  END LOOP;
END $f$;
)";

}  // namespace theriac::protect
