-- One view for each catalogue that shows something of the physical form, with the same columns in
-- the same order. A second one, theriac_system_*, also has the system columns, which a view lacks.
CREATE FUNCTION pg_temp.overlay(relation text, changes jsonb, condition text) RETURNS void
LANGUAGE plpgsql AS $make$
DECLARE columns text;
BEGIN
  SELECT string_agg(format('(%s)::%s AS %I', coalesce(changes ->> a.attname, format('c.%I', a.attname)),
                           format_type(a.atttypid, a.atttypmod), a.attname), ', ' ORDER BY a.attnum)
  INTO columns FROM pg_attribute a
  WHERE a.attrelid = format('pg_catalog.%I', relation)::regclass AND a.attnum > 0 AND NOT a.attisdropped;
  -- A view outside of pg_catalog cannot have an anyarray; as text it reads the same.
  columns := replace(columns, ')::anyarray', ')::text');
  EXECUTE format('CREATE VIEW theriac_catalog.%I WITH (security_invoker = true) AS '
                 'SELECT %s FROM pg_catalog.%I c %s', relation, columns, relation, condition);
  EXECUTE format('CREATE VIEW theriac_catalog.%I WITH (security_invoker = true) AS SELECT %s, '
                 'c.tableoid, c.ctid, c.xmin, c.xmax, c.cmin, c.cmax FROM pg_catalog.%I c %s',
                 'theriac_system_' || relation, columns, relation, condition);
  EXECUTE format('GRANT SELECT ON theriac_catalog.%I, theriac_catalog.%I TO PUBLIC', relation,
                 'theriac_system_' || relation);
END $make$;

SELECT pg_temp.overlay('pg_namespace', '{}', $$WHERE c.nspname NOT IN ('theriac', 'theriac_catalog')$$);

SELECT pg_temp.overlay('pg_class', jsonb_build_object(
  'relacl', $$CASE WHEN c.oid IN (SELECT relation FROM theriac_catalog.theriac_relation) THEN
      (SELECT CASE WHEN a.acl::text <> acldefault('r', c.relowner)::text THEN a.acl END
       FROM theriac_catalog.theriac_acl a WHERE a.relation = c.oid AND a.attribute = 0)
    ELSE c.relacl END$$,
  'relchecks', $$CASE WHEN c.oid IN (SELECT relation FROM theriac_catalog.theriac_relation) THEN
      (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'
         AND k.conname NOT LIKE 'theriac\_%')
    ELSE c.relchecks END$$,
  'relnatts', $$coalesce((SELECT o.relnatts FROM theriac_catalog.theriac_view v
      JOIN pg_catalog.pg_class o ON o.oid = v.original WHERE v.view = c.oid), c.relnatts)$$,
  'relhasindex', $$CASE WHEN c.oid IN (SELECT relation FROM theriac_catalog.theriac_relation) THEN
      EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indexrelid NOT IN
              (SELECT oid FROM theriac_catalog.theriac_hidden_relation))
    ELSE c.relhasindex END$$),
  $$WHERE c.oid NOT IN (SELECT oid FROM theriac_catalog.theriac_hidden_relation)$$);

-- A helper column is shown as a dropped one, so that attribute numbers keep their meaning. m: a
-- protected column; p: the column that a key of an index on an index helper is for. LATERAL with
-- OFFSET 0 keeps the order in which pg_attribute is read, which clients see where they do not sort, and
-- keeps `helper` from being planned anew wherever a column of this view is named.
SELECT pg_temp.overlay('pg_attribute', (
  SELECT jsonb_object_agg(name, format('CASE WHEN p.indexrelid IS NOT NULL THEN p.%I ELSE c.%1$I END', name))
  FROM unnest(ARRAY['attlen', 'attndims', 'atttypmod', 'attbyval', 'attalign', 'attstorage',
                    'attcompression', 'attcollation']) AS name)
  || jsonb_build_object(
  'attname', $$CASE WHEN h.helper THEN '........pg.dropped.' || c.attnum || '........'
                    WHEN p.indexrelid IS NOT NULL THEN p.attname ELSE c.attname END$$,
  'atttypid', $$CASE WHEN h.helper THEN 0::oid WHEN p.indexrelid IS NOT NULL THEN p.atttypid
                     ELSE c.atttypid END$$,
  'attstattarget', $$CASE WHEN h.helper THEN 0 ELSE c.attstattarget END$$,
  'attnotnull', $$CASE WHEN h.helper THEN false WHEN m.relation IS NOT NULL THEN m.not_null
                       ELSE c.attnotnull END$$,
  'atthasdef', $$NOT h.helper AND (c.atthasdef OR m.attrdef IS NOT NULL)$$,
  'atthasmissing', $$NOT h.helper AND c.atthasmissing$$,
  'attisdropped', $$h.helper OR c.attisdropped$$,
  'attacl', $$CASE WHEN h.helper OR c.attacl IS NULL AND m.relation IS NULL THEN NULL
      WHEN c.attrelid IN (SELECT relation FROM theriac_catalog.theriac_relation) THEN
        (SELECT a.acl FROM theriac_catalog.theriac_acl a
         WHERE a.relation = c.attrelid AND a.attribute = c.attnum AND c.attnum > 0)
      ELSE c.attacl END$$),
  $$CROSS JOIN LATERAL (SELECT c.attname LIKE 'theriac\_%' AND c.attrelid IN
        (SELECT relation FROM theriac_catalog.theriac_relation) AS helper OFFSET 0) h
    LEFT JOIN LATERAL (
      SELECT k.* FROM theriac_catalog.theriac_column k
      WHERE k.relation = c.attrelid AND k.attribute = c.attnum
        AND c.attrelid IN (SELECT relation FROM theriac_catalog.theriac_relation) OFFSET 0) m ON true
    LEFT JOIN LATERAL (
      SELECT k.indexrelid, o.* FROM theriac_catalog.theriac_index_key k
      JOIN pg_catalog.pg_attribute o ON o.attrelid = k.relation AND o.attnum = k.attribute
      WHERE k.indexrelid = c.attrelid AND k.place = c.attnum
        AND c.attrelid IN (SELECT i.indexrelid FROM theriac_catalog.theriac_relation r
                           JOIN pg_catalog.pg_index i ON i.indrelid = r.relation) OFFSET 0) p ON true
    WHERE c.attrelid NOT IN (SELECT oid FROM theriac_catalog.theriac_hidden_relation)
      -- A view's stand behind its last column, and nothing was ever dropped of a view.
      AND NOT (h.helper AND c.attrelid IN (SELECT view FROM theriac_catalog.theriac_view))$$);

SELECT pg_temp.overlay('pg_attrdef', jsonb_build_object(
  'adrelid', $$coalesce(m.relation, c.adrelid)$$, 'adnum', $$coalesce(m.attribute, c.adnum)$$),
  $$LEFT JOIN theriac_catalog.theriac_column m ON m.attrdef = c.oid
    WHERE c.adrelid NOT IN (SELECT oid FROM theriac_catalog.theriac_own_relation)
       OR m.attrdef IS NOT NULL$$);

SELECT pg_temp.overlay('pg_constraint', jsonb_build_object(
  'conkey', $$CASE WHEN c.conrelid IN (SELECT relation FROM theriac_catalog.theriac_relation) THEN
      (SELECT pg_catalog.array_agg(coalesce(m.attribute, k.key) ORDER BY k.place)
       FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY AS k(key, place)
       LEFT JOIN theriac_catalog.theriac_column m ON m.relation = c.conrelid AND m.index = k.key)
    ELSE c.conkey END$$),
  $$WHERE c.connamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n
                                 WHERE n.nspname IN ('theriac', 'theriac_catalog'))
    AND NOT (c.conname LIKE 'theriac\_%' AND c.conrelid IN
             (SELECT relation FROM theriac_catalog.theriac_relation))$$);

SELECT pg_temp.overlay('pg_index', (
  SELECT jsonb_object_agg(change.name, format(
    $$CASE WHEN c.indrelid IN (SELECT relation FROM theriac_catalog.theriac_relation) THEN
        (SELECT string_agg(coalesce(%s, k.key)::text, ' ' ORDER BY k.place)
         FROM pg_catalog.unnest(c.%I::%s[]) WITH ORDINALITY AS k(key, place)
         LEFT JOIN theriac_catalog.theriac_index_key x ON x.indexrelid = c.indexrelid
           AND x.place = k.place
         LEFT JOIN pg_catalog.pg_attribute p ON p.attrelid = x.relation AND p.attnum = x.attribute)::%s
      ELSE c.%2$I END$$, change.expression, change.name, change.element, change.type))
  FROM (VALUES
    ('indkey', 'x.attribute', 'int2', 'int2vector'),
    ('indcollation', 'p.attcollation', 'oid', 'oidvector'),
    ('indclass', $$(SELECT o.oid FROM pg_catalog.pg_opclass o
        JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
        WHERE o.opcmethod = (SELECT oid FROM pg_catalog.pg_am WHERE amname = 'btree')
          AND (o.opcname = x.class_name AND n.nspname = x.class_schema
               OR x.class_name IS NULL AND o.opcdefault
                  AND o.opcintype = CASE p.atttypid WHEN 1043 THEN 25 ELSE p.atttypid END)
        LIMIT 1)$$, 'oid', 'oidvector')) AS change(name, expression, element, type)),
  $$WHERE c.indexrelid NOT IN (SELECT oid FROM theriac_catalog.theriac_hidden_relation)
    AND c.indrelid NOT IN (SELECT oid FROM theriac_catalog.theriac_hidden_relation)$$);

-- What a view in its protected form depends on is what it said before.
SELECT pg_temp.overlay('pg_depend', jsonb_build_object(
  'objid', $$coalesce(v.rule, c.objid)$$,
  'refobjid', $$coalesce(d.relation,
    CASE WHEN c.refclassid = 'pg_catalog.pg_class'::regclass AND c.refobjid = v.original THEN v.view END,
    c.refobjid)$$,
  'refobjsubid', $$coalesce(d.attribute, m.attribute, c.refobjsubid)$$),
  $$LEFT JOIN theriac_catalog.theriac_column d
      ON c.classid = 'pg_catalog.pg_attrdef'::regclass AND d.attrdef = c.objid
      AND c.refclassid = 'pg_catalog.pg_class'::regclass AND d.holder = c.refobjid
    LEFT JOIN theriac_catalog.theriac_column m
      ON c.refclassid = 'pg_catalog.pg_class'::regclass AND m.relation = c.refobjid
      AND m.index = c.refobjsubid
    LEFT JOIN theriac_catalog.theriac_view v
      ON c.classid = 'pg_catalog.pg_rewrite'::regclass AND v.original_rule = c.objid
    WHERE v.rule IS NOT NULL
       OR (c.classid, c.objid) NOT IN (SELECT class, object FROM theriac_catalog.theriac_hidden_object)
      AND NOT (c.classid = 'pg_catalog.pg_rewrite'::regclass
               AND c.objid IN (SELECT rule FROM theriac_catalog.theriac_view))
      AND (d.relation IS NOT NULL OR (c.refclassid, c.refobjid) NOT IN
           (SELECT class, object FROM theriac_catalog.theriac_hidden_object))$$);

SELECT pg_temp.overlay('pg_shdepend', '{}',
  $$WHERE c.dbid <> (SELECT d.oid FROM pg_catalog.pg_database d
                     WHERE d.datname = pg_catalog.current_database())
       OR (c.classid, c.objid) NOT IN (SELECT class, object FROM theriac_catalog.theriac_hidden_object)$$);
SELECT pg_temp.overlay('pg_description', '{}',
  $$WHERE (c.classoid, c.objoid) NOT IN
          (SELECT class, object FROM theriac_catalog.theriac_hidden_object)$$);
SELECT pg_temp.overlay(relation, '{}', format(
  $$WHERE c.%I NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n
                       WHERE n.nspname IN ('theriac', 'theriac_catalog'))$$, place))
FROM (VALUES ('pg_type', 'typnamespace'), ('pg_proc', 'pronamespace')) AS v(relation, place);
SELECT pg_temp.overlay('pg_sequence', '{}',
  $$WHERE c.seqrelid NOT IN (SELECT oid FROM theriac_catalog.theriac_own_relation)$$);
SELECT pg_temp.overlay('pg_rewrite', jsonb_build_object(
  'ev_action', $$coalesce(o.ev_action, c.ev_action)$$),
  $$LEFT JOIN (theriac_catalog.theriac_view v JOIN pg_catalog.pg_rewrite o ON o.oid = v.original_rule)
      ON v.rule = c.oid
    WHERE c.ev_class NOT IN (SELECT oid FROM theriac_catalog.theriac_own_relation)$$);
SELECT pg_temp.overlay('pg_trigger', '{}',
  $$WHERE c.tgrelid NOT IN (SELECT oid FROM theriac_catalog.theriac_own_relation)
      AND c.tgname NOT LIKE 'theriac\_%'$$);
SELECT pg_temp.overlay('pg_event_trigger', '{}', $$WHERE c.evtname NOT LIKE 'theriac\_%'$$);
-- A protected column is all NULL here: what is counted of it, and of its helpers, says nothing.
SELECT pg_temp.overlay('pg_statistic', '{}',
  $$WHERE NOT EXISTS (SELECT FROM theriac_catalog.theriac_column m
                      WHERE m.relation = c.starelid AND c.staattnum IN (m.attribute, m.sealed, m.index))
      AND c.starelid NOT IN (SELECT o.oid FROM pg_catalog.pg_class o  -- samples of our objects' names
        JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace AND n.nspname = 'pg_catalog'
        JOIN pg_catalog.pg_class v ON v.relname = o.relname AND v.oid IN
             (SELECT oid FROM theriac_catalog.theriac_own_relation))$$);
-- pg_stats reads it with its owner's rights, which an invoker's view would not pass on.
ALTER VIEW theriac_catalog.pg_statistic RESET (security_invoker);
ALTER VIEW theriac_catalog.theriac_system_pg_statistic RESET (security_invoker);
REVOKE SELECT ON theriac_catalog.pg_statistic, theriac_catalog.theriac_system_pg_statistic FROM PUBLIC;
DROP FUNCTION pg_temp.overlay(text, jsonb, text);
