#include "protect/adoption_texts.hpp"

namespace theriac::protect {

// As views.hpp and view_making.hpp say.
const std::string_view kViewsSql = R"(
-- The name under which the registry keeps what a view says; error texts of PostgreSQL's show it.
CREATE OR REPLACE FUNCTION theriac.view_name(view oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT 'view_' || CASE WHEN octet_length(c.relname) > 50 OR EXISTS (
      SELECT FROM pg_class o WHERE o.relnamespace = 'theriac'::regnamespace
        AND o.relname = 'view_' || c.relname) THEN c.oid::text ELSE c.relname::text END
  FROM pg_class c WHERE c.oid = view
$f$;

-- A view that is going to be dropped: what it said goes first, since it may need another view that
-- goes with it.
CREATE OR REPLACE FUNCTION theriac.forget_view(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  kept regclass := (SELECT original FROM theriac.views WHERE view = wanted::regclass);
BEGIN
  DELETE FROM theriac.views WHERE view = wanted::regclass;
  DELETE FROM theriac.view_columns WHERE view = wanted::regclass;
  IF kept IS NOT NULL THEN EXECUTE format('DROP VIEW %s', kept); END IF;
END $f$;

-- A view that is going to be replaced becomes what it said: its helpers would stand in the way.
CREATE OR REPLACE FUNCTION theriac.unform_view(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  kept regclass;
  rights jsonb;
  subject text := wanted::regclass::text;
  statements text[];
  statement text;
BEGIN
  SELECT v.original, v.rights INTO kept, rights FROM theriac.views v WHERE v.view = wanted::regclass;
  IF kept IS NULL THEN
    PERFORM theriac.forget_view(wanted);
    RETURN;
  ELSIF EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> wanted
                WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
                  AND d.refobjid = wanted) THEN
    PERFORM theriac.refuse('CREATE OR REPLACE of a view on protected columns that other views read',
                           'drop the views over it and make them again afterwards');
  END IF;
  SELECT ARRAY[format('CREATE VIEW %s%s AS %s', subject, coalesce(' WITH (' || (
        SELECT string_agg(quote_ident(o.option_name) || '=' || quote_literal(o.option_value), ', ')
        FROM pg_options_to_table(c.reloptions) o) || ')', ''), rtrim(pg_get_viewdef(kept), ';')),
      format('ALTER VIEW %s OWNER TO %I', subject, pg_get_userbyid(c.relowner))]
    || ARRAY[format('COMMENT ON VIEW %s IS %L', subject, obj_description(wanted, 'pg_class'))]
    || ARRAY(SELECT format('COMMENT ON COLUMN %s.%I IS %L', subject, a.attname, d.description)
             FROM pg_attribute a JOIN pg_description d ON d.objoid = wanted AND d.objsubid = a.attnum
               AND d.classoid = 'pg_class'::regclass WHERE a.attrelid = wanted AND a.attnum > 0)
    || ARRAY(SELECT format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', subject, a.attname,
                           pg_get_expr(d.adbin, d.adrelid))
             FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = wanted)
    || format('SELECT theriac.take_view_rights(%L::regclass)', subject)
    || ARRAY(SELECT format('GRANT %s%s ON %s TO %s%s', e->>3,
                           CASE WHEN e->>0 = '' THEN '' ELSE format(' (%I)', e->>0) END, subject,
                           CASE WHEN e->>1 = '' THEN 'PUBLIC' ELSE quote_ident(e->>1) END,
                           CASE WHEN (e->>4)::boolean THEN ' WITH GRANT OPTION' ELSE '' END)
             FROM jsonb_array_elements(rights->'grants') WITH ORDINALITY AS x(e, place)
             WHERE e->>1 = '' OR EXISTS (SELECT FROM pg_roles WHERE rolname = e->>1) ORDER BY place)
    INTO statements FROM pg_class c WHERE c.oid = wanted;
  PERFORM theriac.forget_view(wanted);
  EXECUTE format('DROP VIEW %s', subject);
  FOREACH statement IN ARRAY statements LOOP
    EXECUTE statement;
  END LOOP;
END $f$;

-- Views that are gone: what they said goes, too. A new owner, and a column's new name, are those of
-- what the view said as well.
CREATE OR REPLACE FUNCTION theriac.follow_views() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  v record;
BEGIN
  FOR v IN DELETE FROM theriac.views w WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = w.view)
      RETURNING w.original LOOP
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = v.original) THEN
      EXECUTE format('DROP VIEW %s', v.original);
    END IF;
  END LOOP;
  FOR v IN SELECT w.original, pg_get_userbyid(o.relowner)::text AS was, pg_get_userbyid(c.relowner)::text AS now
      FROM theriac.views w JOIN pg_class c ON c.oid = w.view JOIN pg_class o ON o.oid = w.original
      WHERE c.relowner <> o.relowner LOOP
    EXECUTE format('ALTER VIEW %s OWNER TO %I', v.original, v.now);
    UPDATE theriac.views w SET rights = jsonb_build_object('owner', v.now, 'grants', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(of, grantee, grantor, privilege, option) ORDER BY place), '[]')
        FROM (SELECT e->>0 AS of, CASE WHEN e->>1 = v.was THEN v.now ELSE e->>1 END AS grantee, CASE WHEN e->>2 = v.was THEN v.now ELSE e->>2 END AS grantor,
                     e->>3 AS privilege, bool_or((e->>4)::boolean) AS option, min(place) AS place
              FROM jsonb_array_elements(w.rights->'grants') WITH ORDINALITY AS x(e, place)
              GROUP BY 1, 2, 3, 4) AS given))
      WHERE w.original = v.original;
  END LOOP;
  DELETE FROM theriac.view_columns w WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = w.view);
  FOR v IN SELECT w.original, o.attname::text AS was, a.attname::text AS now FROM theriac.views w
      JOIN pg_attribute a ON a.attrelid = w.view AND a.attnum > 0
      JOIN pg_attribute o ON o.attrelid = w.original AND o.attnum = a.attnum AND o.attname <> a.attname LOOP
    EXECUTE format('ALTER VIEW %s RENAME COLUMN %I TO %I', v.original, v.was, v.now);
    UPDATE theriac.views w SET rights = jsonb_set(w.rights, '{grants}', (
        SELECT jsonb_agg(CASE WHEN e->>0 = v.was THEN jsonb_set(e, '{0}', to_jsonb(v.now)) ELSE e END
                         ORDER BY place)
        FROM jsonb_array_elements(w.rights->'grants') WITH ORDINALITY AS x(e, place)))
      WHERE w.original = v.original;
  END LOOP;
END $f$;

-- Rights on a view as rights.hpp has them: [column or '', grantee, grantor, privilege, grantable].
CREATE OR REPLACE FUNCTION theriac.view_rights(wanted oid) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT jsonb_build_object('owner', pg_get_userbyid(c.relowner), 'grants', coalesce((
    SELECT jsonb_agg(jsonb_build_array(x.attname, coalesce(e.rolname, ''), coalesce(r.rolname, ''),
                       x.privilege_type, x.is_grantable) ORDER BY x.attnum, x.place)
    FROM (SELECT '' AS attname, 0 AS attnum, t.* FROM aclexplode(coalesce(c.relacl,
            acldefault('r', c.relowner))) WITH ORDINALITY
            AS t(grantor, grantee, privilege_type, is_grantable, place)
          UNION ALL SELECT a.attname, a.attnum, t.* FROM pg_attribute a
          CROSS JOIN LATERAL aclexplode(a.attacl) WITH ORDINALITY
            AS t(grantor, grantee, privilege_type, is_grantable, place)
          WHERE a.attrelid = c.oid AND NOT a.attisdropped) x
    LEFT JOIN pg_roles e ON e.oid = x.grantee LEFT JOIN pg_roles r ON r.oid = x.grantor), '[]'))
  FROM pg_class c WHERE c.oid = wanted
$f$;

-- The view's columns; `helper_of`: which one a helper stands for; `secret`: it has helpers.
CREATE OR REPLACE FUNCTION theriac.view_parts(wanted oid)
  RETURNS TABLE (name text, secret boolean, helper_of text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT a.attname::text,
         EXISTS (SELECT FROM theriac.view_columns v WHERE v.view = a.attrelid::regclass
                 AND v.attribute = a.attnum AND v.attribute > 0),
         (SELECT p.attname::text FROM pg_attribute p
          WHERE p.attrelid = a.attrelid AND a.attname ~ '^theriac_(sealed|index)_v[0-9]+(_|$)'
            AND p.attnum = substring(a.attname::text FROM '_v([0-9]+)')::smallint)
  FROM pg_attribute a WHERE a.attrelid = wanted AND a.attnum > 0 AND NOT a.attisdropped
$f$;

CREATE OR REPLACE FUNCTION theriac.take_view_rights(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  g record;
BEGIN
  FOR g IN SELECT DISTINCT CASE WHEN r->>1 = '' THEN 'PUBLIC' ELSE quote_ident(r->>1) END AS who
      FROM jsonb_array_elements(theriac.view_rights(wanted)->'grants') AS r LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s CASCADE', wanted::regclass, g.who);
  END LOOP;
END $f$;

-- Makes the rights on the view what its recorded rights become: rights.hpp, grant_translated().
CREATE OR REPLACE FUNCTION theriac.give_view_rights(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  g record;
  names text;
BEGIN
  IF NOT EXISTS (SELECT FROM theriac.view_parts(wanted) WHERE secret) THEN RETURN; END IF;
  PERFORM theriac.take_view_rights(wanted);
  FOR g IN SELECT e->>0 AS of, e->>1 AS grantee, e->>3 AS privilege, (e->>4)::boolean AS option,
        e->>3 IN ('SELECT', 'INSERT') AS by_column
      FROM theriac.views v CROSS JOIN LATERAL jsonb_array_elements(v.rights->'grants')
        WITH ORDINALITY AS x(e, place)
      WHERE v.view = wanted::regclass
        AND (e->>1 = '' OR EXISTS (SELECT FROM pg_roles WHERE rolname = e->>1)) ORDER BY place LOOP
    SELECT string_agg(quote_ident(p.name), ', ') INTO names FROM theriac.view_parts(wanted) p
      WHERE CASE WHEN g.of = '' THEN g.by_column AND NOT p.secret
                 WHEN p.name = g.of THEN NOT (p.secret AND g.by_column)
                 ELSE p.helper_of = g.of AND g.privilege <> 'REFERENCES' END;
    CONTINUE WHEN names IS NULL AND (g.of <> '' OR g.by_column);
    EXECUTE format('GRANT %s%s ON %s TO %s%s', g.privilege, coalesce(' (' || names || ')', ''),
      wanted::regclass, CASE WHEN g.grantee = '' THEN 'PUBLIC' ELSE quote_ident(g.grantee) END,
      CASE WHEN g.option THEN ' WITH GRANT OPTION' ELSE '' END);
  END LOOP;
END $f$;

-- After GRANT and REVOKE on the view: what of the recorded rights is left, and what is new.
CREATE OR REPLACE FUNCTION theriac.follow_view_rights(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  given jsonb := theriac.view_rights(wanted);
  made jsonb;
BEGIN
  IF EXISTS (SELECT FROM theriac.view_parts(wanted) WHERE secret) THEN
    WITH now AS (
      SELECT e->>0 AS of, e->>1 AS grantee, e->>3 AS privilege, (e->>4)::boolean AS option, place,
             p.secret, p.helper_of
      FROM jsonb_array_elements(given->'grants') WITH ORDINALITY AS x(e, place)
      LEFT JOIN theriac.view_parts(wanted) p ON p.name = e->>0
    ), old AS (
      SELECT e->>0 AS of, e->>1 AS grantee, e->>3 AS privilege, place
      FROM theriac.views v CROSS JOIN LATERAL jsonb_array_elements(v.rights->'grants')
        WITH ORDINALITY AS x(e, place) WHERE v.view = wanted::regclass
    ), merged AS (
      -- SELECT and INSERT, on the whole view or a protected column, stand on helpers.
      SELECT o.of, o.grantee, o.privilege, n.option, 0 AS part, o.place
      FROM old o JOIN now n ON n.grantee = o.grantee AND n.privilege = o.privilege
        AND n.helper_of IS NOT NULL AND (o.of = '' OR n.helper_of = o.of)
      WHERE o.privilege IN ('SELECT', 'INSERT')
      UNION ALL
      SELECT n.of, n.grantee, n.privilege, n.option, 1, n.place
      FROM now n WHERE n.helper_of IS NULL AND NOT (n.of <> '' AND NOT n.secret
        AND n.privilege IN ('SELECT', 'INSERT') AND EXISTS (
          SELECT FROM old o JOIN now h ON h.grantee = o.grantee AND h.privilege = o.privilege
            AND h.helper_of IS NOT NULL
          WHERE o.of = '' AND o.grantee = n.grantee AND o.privilege = n.privilege))
    ), rights AS (
      SELECT of, grantee, privilege, bool_or(option) AS option, min(part) AS part, min(place) AS place
      FROM merged GROUP BY 1, 2, 3)
    SELECT jsonb_agg(jsonb_build_array(of, grantee, given->>'owner', privilege, option)
                     ORDER BY of <> '', part, place) INTO made FROM rights;
    given := jsonb_set(given, '{grants}', coalesce(made, '[]'));
  END IF;
  UPDATE theriac.views SET rights = given WHERE view = wanted::regclass;
END $f$;

CREATE OR REPLACE FUNCTION theriac.keep_view(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  kept text := format('theriac.%I', theriac.view_name(wanted));
BEGIN
  EXECUTE format('CREATE VIEW %s AS %s', kept, rtrim(pg_get_viewdef(wanted), ';'));
  EXECUTE format('ALTER VIEW %s OWNER TO %I', kept,
                 (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = wanted));
  INSERT INTO theriac.views (view, original, rights)
    VALUES (wanted::regclass, kept::regclass, theriac.view_rights(wanted));
END $f$;

-- The registered column of {"relation", "attribute"}.
CREATE OR REPLACE FUNCTION theriac.number_of(which jsonb) RETURNS integer
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT k.number FROM theriac.columns k
  WHERE k.relation = (which->>'relation')::oid::regclass AND k.state = 'sealed'
    AND theriac.plain_attribute(k.relation, k.number) = (which->>'attribute')::smallint
$f$;

CREATE OR REPLACE FUNCTION theriac.settle_view(given jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  wanted oid := (given->>'relation')::oid;
BEGIN
  INSERT INTO theriac.views (view, rights) VALUES (wanted::regclass, theriac.view_rights(wanted))
    ON CONFLICT (view) DO NOTHING;
  DELETE FROM theriac.view_columns WHERE view = wanted::regclass;
  INSERT INTO theriac.view_columns (view, attribute, rank, number, with_row, searchable, searches)
    SELECT wanted::regclass, 0, 0, min(number), false, false, '[]'::jsonb FROM theriac.columns
    UNION ALL
    SELECT wanted::regclass, 0, rank, theriac.number_of(c), false, false, '[]'::jsonb
    FROM jsonb_array_elements(given->'compared') WITH ORDINALITY AS x(c, rank)
    UNION ALL
    SELECT wanted::regclass, (c->>'attribute')::smallint, rank - 1, theriac.number_of(o),
           (o->>'with_row')::boolean, (c->>'searchable')::boolean, c->'searches'
    FROM jsonb_array_elements(given->'columns') AS c
    CROSS JOIN LATERAL jsonb_array_elements(c->'origins') WITH ORDINALITY AS x(o, rank);
  PERFORM theriac.give_view_rights(wanted);
END $f$;
)";

}  // namespace theriac::protect
