-- Functions that print or answer from the physical form. Invoker's rights, no search_path of their
-- own: pg_get_indexdef() prints names by the caller's.

-- `definition` with each index helper replaced by its column (and what stood behind it).
CREATE FUNCTION theriac_catalog.theriac_index_text(index oid, definition text) RETURNS text
LANGUAGE plpgsql STABLE AS $body$
DECLARE key record;
BEGIN
  IF definition IS NULL OR pg_catalog.strpos(definition, 'theriac_index_') OPERATOR(pg_catalog.=) 0 THEN
    RETURN definition;
  END IF;
  FOR key IN SELECT x.number, pg_catalog.concat(pg_catalog.quote_ident(a.attname), x.suffix) AS text
             FROM theriac_catalog.theriac_index_key x
             JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) x.relation
               AND a.attnum OPERATOR(pg_catalog.=) x.attribute
             WHERE x.indexrelid OPERATOR(pg_catalog.=) index ORDER BY x.place LOOP
    definition := pg_catalog.regexp_replace(
      definition, pg_catalog.format(E'\\mtheriac_index_%s\\M', key.number),
      pg_catalog.replace(key.text, E'\\', E'\\\\'));
  END LOOP;
  RETURN definition;
END $body$;

CREATE FUNCTION theriac_catalog.pg_get_indexdef(oid) RETURNS text LANGUAGE sql STABLE STRICT
RETURN theriac_catalog.theriac_index_text($1, pg_catalog.pg_get_indexdef($1));

CREATE FUNCTION theriac_catalog.pg_get_indexdef(oid, integer, boolean) RETURNS text
LANGUAGE sql STABLE STRICT
RETURN CASE WHEN $2 = 0 THEN
  theriac_catalog.theriac_index_text($1, pg_catalog.pg_get_indexdef($1, 0, $3))
ELSE coalesce(
  (SELECT quote_ident(a.attname) FROM theriac_catalog.theriac_index_key x
   JOIN pg_catalog.pg_attribute a ON a.attrelid = x.relation AND a.attnum = x.attribute
   WHERE x.indexrelid = $1 AND x.place = $2),
  pg_catalog.pg_get_indexdef($1, $2, $3)) END;

CREATE FUNCTION theriac_catalog.theriac_constraint_text(constrained oid, definition text) RETURNS text
LANGUAGE plpgsql STABLE AS $body$
DECLARE key record;
BEGIN
  IF definition IS NULL OR pg_catalog.strpos(definition, 'theriac_index_') OPERATOR(pg_catalog.=) 0 THEN
    RETURN definition;
  END IF;
  FOR key IN SELECT m.number, pg_catalog.quote_ident(a.attname) AS text
             FROM theriac_catalog.theriac_column m
             JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) m.relation
               AND a.attnum OPERATOR(pg_catalog.=) m.attribute
             JOIN pg_catalog.pg_constraint k ON k.conrelid OPERATOR(pg_catalog.=) m.relation
             WHERE k.oid OPERATOR(pg_catalog.=) constrained LOOP
    definition := pg_catalog.regexp_replace(
      definition, pg_catalog.format(E'\\mtheriac_index_%s\\M', key.number),
      pg_catalog.replace(key.text, E'\\', E'\\\\'), 'g');
  END LOOP;
  RETURN definition;
END $body$;

CREATE FUNCTION theriac_catalog.pg_get_constraintdef(oid) RETURNS text LANGUAGE sql STABLE STRICT
RETURN theriac_catalog.theriac_constraint_text($1, pg_catalog.pg_get_constraintdef($1));
CREATE FUNCTION theriac_catalog.pg_get_constraintdef(oid, boolean) RETURNS text LANGUAGE sql STABLE STRICT
RETURN theriac_catalog.theriac_constraint_text($1, pg_catalog.pg_get_constraintdef($1, $2));

-- A view in its protected form prints as what it said.
CREATE FUNCTION theriac_catalog.theriac_said(view oid) RETURNS oid LANGUAGE sql STABLE STRICT
RETURN coalesce((SELECT v.original FROM theriac_catalog.theriac_view v WHERE v.view = $1), $1);
CREATE FUNCTION theriac_catalog.pg_get_viewdef(oid) RETURNS text LANGUAGE sql STABLE STRICT
RETURN pg_catalog.pg_get_viewdef(theriac_catalog.theriac_said($1));
CREATE FUNCTION theriac_catalog.pg_get_viewdef(oid, boolean) RETURNS text LANGUAGE sql STABLE STRICT
RETURN pg_catalog.pg_get_viewdef(theriac_catalog.theriac_said($1), $2);
CREATE FUNCTION theriac_catalog.pg_get_viewdef(oid, integer) RETURNS text LANGUAGE sql STABLE STRICT
RETURN pg_catalog.pg_get_viewdef(theriac_catalog.theriac_said($1), $2);
CREATE FUNCTION theriac_catalog.pg_get_viewdef(text) RETURNS text LANGUAGE sql STABLE STRICT
RETURN pg_catalog.pg_get_viewdef(theriac_catalog.theriac_said($1::regclass::oid));
CREATE FUNCTION theriac_catalog.pg_get_viewdef(text, boolean) RETURNS text LANGUAGE sql STABLE STRICT
RETURN pg_catalog.pg_get_viewdef(theriac_catalog.theriac_said($1::regclass::oid), $2);
CREATE FUNCTION theriac_catalog.theriac_rule_text(rule oid, pretty boolean) RETURNS text
LANGUAGE sql STABLE STRICT
RETURN coalesce((SELECT replace(pg_catalog.pg_get_ruledef(v.original_rule, $2), ' ' || v.original::regclass::text || ' ',
                                ' ' || CASE WHEN $2 THEN v.view::regclass::text
                                  ELSE format('%I.%I', n.nspname, c.relname) END || ' ')
                 FROM theriac_catalog.theriac_view v JOIN pg_catalog.pg_class c ON c.oid = v.view
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE v.rule = $1),
                pg_catalog.pg_get_ruledef($1, $2));
CREATE FUNCTION theriac_catalog.pg_get_ruledef(oid) RETURNS text LANGUAGE sql STABLE STRICT
RETURN theriac_catalog.theriac_rule_text($1, false);
CREATE FUNCTION theriac_catalog.pg_get_ruledef(oid, boolean) RETURNS text LANGUAGE sql STABLE STRICT
RETURN theriac_catalog.theriac_rule_text($1, $2);
CREATE FUNCTION theriac_catalog.pg_column_is_updatable(regclass, smallint, boolean) RETURNS boolean
LANGUAGE sql STABLE STRICT
RETURN pg_catalog.pg_column_is_updatable(theriac_catalog.theriac_said($1), $2, $3);

-- These two take rows of catalogues, which come from our views now.
CREATE FUNCTION theriac_catalog._pg_truetypid(theriac_catalog.pg_attribute, theriac_catalog.pg_type)
RETURNS oid LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN CASE WHEN $2.typtype = 'd' THEN $2.typbasetype ELSE $1.atttypid END;
CREATE FUNCTION theriac_catalog._pg_truetypmod(theriac_catalog.pg_attribute, theriac_catalog.pg_type)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN CASE WHEN $2.typtype = 'd' THEN $2.typtypmod ELSE $1.atttypmod END;

-- Whether a role has SELECT or INSERT on the whole of a view.
CREATE FUNCTION theriac_catalog.theriac_view_allows(who oid, wanted oid, privilege text) RETURNS boolean
LANGUAGE sql STABLE
RETURN coalesce((SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = who), false) OR EXISTS (
  SELECT FROM theriac_catalog.theriac_view_right r
  JOIN pg_catalog.pg_class c ON c.oid = r.relation
  WHERE r.relation = wanted AND r.attribute = 0 AND r.privilege_type = split_part(privilege, ' ', 1)
    AND (r.grantee = 0 OR pg_has_role(who, r.grantee, 'USAGE'))
    AND (privilege !~ 'GRANT' OR r.is_grantable OR pg_has_role(who, c.relowner, 'USAGE')));

-- SELECT on a table stands on cmax, INSERT on tableoid, both on a protected column on its sealed helper. Each
-- form of PostgreSQL's takes a user by name, by id or none, and a table by name or id.
DO $make$
DECLARE
  who text; which text; what text; arguments text; call text; relation text; n int; passed text;
BEGIN
  FOREACH who IN ARRAY ARRAY['', 'name', 'oid'] LOOP
    FOREACH which IN ARRAY ARRAY['text', 'oid'] LOOP
      n := CASE WHEN who = '' THEN 1 ELSE 2 END;  -- place of the table
      call := CASE WHEN who = '' THEN '' ELSE '$1, ' END;
      arguments := CASE WHEN who = '' THEN '' ELSE who || ', ' END || which;
      relation := format(CASE WHEN which = 'text' THEN '$%s::regclass::oid' ELSE '$%s' END, n);
      EXECUTE format($create$
        CREATE FUNCTION theriac_catalog.has_table_privilege(%1$s, text) RETURNS boolean
        LANGUAGE sql STABLE STRICT
        RETURN CASE WHEN %2$s IN (SELECT relation FROM theriac_catalog.theriac_relation) THEN
          (SELECT bool_or(CASE WHEN upper(trim(p.privilege)) ~ '^(SELECT|INSERT)' THEN
             CASE WHEN %2$s IN (SELECT view FROM theriac_catalog.theriac_view)
               THEN theriac_catalog.theriac_view_allows(%6$s, %2$s, upper(trim(p.privilege)))
               ELSE pg_catalog.has_column_privilege(%3$s%2$s, 
                 CASE WHEN upper(trim(p.privilege)) ~ '^SELECT' THEN (-5)::int2 ELSE (-6)::int2 END,
                 p.privilege) END
             ELSE pg_catalog.has_table_privilege(%3$s%2$s, p.privilege) END)
           FROM regexp_split_to_table($%5$s, ',') AS p(privilege))
        ELSE pg_catalog.has_table_privilege(%3$s$%4$s, $%5$s) END$create$,
        arguments, relation, call, n, n + 1,
        CASE who WHEN '' THEN 'CURRENT_USER::regrole::oid' WHEN 'oid' THEN '$1'
          ELSE '(SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1)' END);
      FOREACH what IN ARRAY ARRAY['text', 'smallint'] LOOP
        passed := CASE WHEN what = 'text' THEN format(
          '(SELECT a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid = m.relation '
          'AND a.attname = $%s)', n + 1) ELSE format('$%s', n + 1) END;
        EXECUTE format($create$
          CREATE FUNCTION theriac_catalog.has_column_privilege(%1$s, %8$s, text) RETURNS boolean
          LANGUAGE sql STABLE STRICT
          RETURN CASE WHEN %2$s IN (SELECT relation FROM theriac_catalog.theriac_relation) THEN
            (SELECT bool_or(CASE
              WHEN m.sealed IS NOT NULL AND upper(trim(p.privilege)) ~ '^(SELECT|INSERT)' THEN
                pg_catalog.has_column_privilege(%3$s%2$s, m.sealed, p.privilege)
              ELSE pg_catalog.has_column_privilege(%3$s$%4$s, $%5$s, p.privilege) END)
            FROM regexp_split_to_table($%6$s, ',') AS p(privilege)
            LEFT JOIN theriac_catalog.theriac_column m ON m.relation = %2$s AND m.attribute = %7$s)
          ELSE pg_catalog.has_column_privilege(%3$s$%4$s, $%5$s, $%6$s) END$create$, arguments, relation, call, n, n + 1, n + 2, passed, what);
      END LOOP;
    END LOOP;
  END LOOP;
END $make$;
