-- Each view of pg_catalog and information_schema that reads one of those catalogues, again from its
-- own text. Printed with both schemas on the path its names come bare; made with theriac_catalog in
-- front of them they mean ours.
DO $make$
DECLARE
  view record; definition text; options text; reader text;
  names text[] := ARRAY(SELECT c.relname FROM pg_class c
                        WHERE c.relnamespace = 'theriac_catalog'::regnamespace AND c.relkind = 'v'
                          AND c.relname NOT LIKE 'theriac\_%'
                        UNION SELECT p.proname FROM pg_proc p
                        WHERE p.pronamespace = 'theriac_catalog'::regnamespace
                          AND p.proname NOT LIKE 'theriac\_%');
BEGIN
  FOR view IN SELECT c.oid, c.relname, c.relacl, c.reloptions, n.nspname FROM pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind = 'v' AND n.nspname IN ('pg_catalog', 'information_schema')
              ORDER BY c.oid LOOP
    PERFORM set_config('search_path', 'pg_catalog, information_schema', true);
    definition := pg_get_viewdef(view.oid);
    CONTINUE WHEN NOT EXISTS (SELECT FROM regexp_matches(definition, '\m[a-z_0-9]+\M', 'g') AS w
                              WHERE w[1] = ANY (names));
    definition := regexp_replace(definition, '''(\w+)''::regclass', '''pg_catalog.\1''::regclass', 'g');
    -- Published columns come by number, and a dropped one has none.
    definition := replace(definition, '(a.attnum = ANY ((gpt.attrs)::smallint[]))',
                          '(a.attnum = ANY ((gpt.attrs)::smallint[]) AND NOT a.attisdropped)');
    definition := replace(definition, '::anyarray', '::text');
    definition := regexp_replace(definition, '(\(stat\.a\)\.stavalues\d)', '(\1)::text', 'g');
    IF definition ~ '\.tableoid\M' THEN  -- our views have it under another name
      definition := regexp_replace(definition, '(FROM|JOIN)([\s(]+)(' || (
        SELECT string_agg(substr(c.relname, 16), '|') FROM pg_class c
        WHERE c.relnamespace = 'theriac_catalog'::regnamespace
          AND c.relname LIKE 'theriac\_system\_%') || ')\M', '\1\2theriac_system_\3', 'g');
    END IF;
    PERFORM set_config('search_path', 'theriac_catalog, pg_catalog, information_schema', true);
    options := coalesce('WITH (' || array_to_string(view.reloptions, ', ') || ') ', '');
    EXECUTE format('CREATE VIEW theriac_catalog.%I %sAS %s', view.relname, options, definition);
    names := names || view.relname::text;
    FOR reader IN SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC'
                              ELSE quote_ident(pg_get_userbyid(x.grantee)) END
                  FROM aclexplode(view.relacl) x WHERE x.privilege_type = 'SELECT' LOOP
      EXECUTE format('GRANT SELECT ON theriac_catalog.%I TO %s', view.relname, reader);
    END LOOP;
  END LOOP;
END $make$;
