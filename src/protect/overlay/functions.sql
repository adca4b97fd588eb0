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
      definition, pg_catalog.format('\mtheriac_index_%s\M', key.number),
      pg_catalog.replace(key.text, '\', '\\'));
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
      definition, pg_catalog.format('\mtheriac_index_%s\M', key.number),
      pg_catalog.replace(key.text, '\', '\\'), 'g');
  END LOOP;
  RETURN definition;
END $body$;

CREATE FUNCTION theriac_catalog.pg_get_constraintdef(oid) RETURNS text LANGUAGE sql STABLE STRICT
RETURN theriac_catalog.theriac_constraint_text($1, pg_catalog.pg_get_constraintdef($1));
CREATE FUNCTION theriac_catalog.pg_get_constraintdef(oid, boolean) RETURNS text LANGUAGE sql STABLE STRICT
RETURN theriac_catalog.theriac_constraint_text($1, pg_catalog.pg_get_constraintdef($1, $2));

-- These two take rows of catalogues, which come from our views now.
CREATE FUNCTION theriac_catalog._pg_truetypid(theriac_catalog.pg_attribute, theriac_catalog.pg_type)
RETURNS oid LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN CASE WHEN $2.typtype = 'd' THEN $2.typbasetype ELSE $1.atttypid END;
CREATE FUNCTION theriac_catalog._pg_truetypmod(theriac_catalog.pg_attribute, theriac_catalog.pg_type)
RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN CASE WHEN $2.typtype = 'd' THEN $2.typtypmod ELSE $1.atttypmod END;

-- SELECT and INSERT on a table stand on tableoid, on a protected column on its sealed helper. Each
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
             pg_catalog.has_column_privilege(%3$s%2$s, (-6)::int2, p.privilege)
             ELSE pg_catalog.has_table_privilege(%3$s%2$s, p.privilege) END)
           FROM regexp_split_to_table($%5$s, ',') AS p(privilege))
        ELSE pg_catalog.has_table_privilege(%3$s$%4$s, $%5$s) END$create$,
        arguments, relation, call, n, n + 1);
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
