#include "protect/adoption_texts.hpp"

namespace theriac::protect {

const std::string_view kAdoptSql = R"(
CREATE OR REPLACE FUNCTION theriac.check_uses(wanted oid, attributes smallint[], names text[],
    accepted text[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  q record;
  found record;
BEGIN
  IF EXISTS (SELECT FROM pg_index i WHERE i.indrelid = wanted AND i.indisprimary
             AND i.indkey::smallint[] && attributes) THEN
    PERFORM theriac.refuse(format('a protected column in the primary key of %s', wanted::regclass),
                           'give the table a key that says nothing');
  END IF;
  FOR q IN SELECT * FROM (VALUES {QUESTIONS}) AS v(question, what, remedy) LOOP
    EXECUTE 'SELECT f.place, f.name::text FROM (' || q.question || ') AS f(place, name)'
      || ' WHERE f.name !~ ''^theriac_(plain|form)_[0-9]+$'' LIMIT 1'
      INTO found USING array_fill(wanted, ARRAY[cardinality(attributes)]), attributes, names;
    IF found.name IS NOT NULL THEN
      PERFORM theriac.refuse(format('protected column %s.%s: %s', wanted::regclass,
        names[found.place], replace(q.what, '{}', found.name)), q.remedy);
    END IF;
  END LOOP;
  EXECUTE 'SELECT f.place, f.name::text FROM (' || {TRIGGERS} || ') AS f(place, name)'
    || ' WHERE f.name <> ALL ($5) LIMIT 1' INTO found
    USING array_fill(wanted, ARRAY[cardinality(attributes)]), attributes, names,
      ARRAY(SELECT regexp_replace(n, '([^[:alnum:]_])', '\\\1', 'g') FROM unnest(names) n), accepted;
  IF found.name IS NOT NULL THEN
    PERFORM theriac.refuse(format('protected column %s.%s: trigger %s may read it: it would see NULL',
      wanted::regclass, names[found.place], found.name),
      'change the trigger, or, having read it, name it in accept_triggers of the policy');
  END IF;
END $f$;

-- The rights are noted as they are.
CREATE OR REPLACE FUNCTION theriac.note_table(wanted oid, wanted_bound boolean, in_schema text,
    known_as text) RETURNS void
  LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $f$
  INSERT INTO theriac.tables (relation, schema_name, table_name, bound, original, grants)
    SELECT wanted::regclass, in_schema, known_as, wanted_bound, jsonb_build_object(
      'indexes', '[]'::jsonb, 'statistics', '[]'::jsonb, 'rights', jsonb_build_object(
        'owner', pg_get_userbyid(t.relowner), 'grants', coalesce((
          SELECT jsonb_agg(jsonb_build_array('', coalesce(e.rolname, ''), coalesce(r.rolname, ''),
                                             x.privilege_type, x.is_grantable))
          FROM aclexplode(coalesce(t.relacl, acldefault('r', t.relowner))) x
          LEFT JOIN pg_roles e ON e.oid = x.grantee LEFT JOIN pg_roles r ON r.oid = x.grantor), '[]')
        || coalesce((
          SELECT jsonb_agg(jsonb_build_array(a.attname, coalesce(e.rolname, ''),
                             coalesce(r.rolname, ''), x.privilege_type, x.is_grantable))
          FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) x
          LEFT JOIN pg_roles e ON e.oid = x.grantee LEFT JOIN pg_roles r ON r.oid = x.grantor
          WHERE a.attrelid = wanted AND NOT a.attisdropped), '[]'))), '[]'
    FROM pg_class t WHERE t.oid = wanted
  ON CONFLICT (relation) DO NOTHING
$f$;

CREATE OR REPLACE FUNCTION theriac.register_table(wanted oid, wanted_bound boolean) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  t record;
  filled boolean;
BEGIN
  SELECT c.*, n.nspname, m.amname, r.bound INTO t FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am m ON m.oid = c.relam
    LEFT JOIN theriac.tables r ON r.relation = c.oid::regclass WHERE c.oid = wanted;
  PERFORM theriac.check_member(wanted);
  IF t.bound IS NOT NULL AND t.bound <> wanted_bound THEN
    PERFORM theriac.refuse(format('a protected column in %s, whose rows are bound otherwise',
      wanted::regclass), 'unprotect the table, then protect it again');
  ELSIF t.bound IS NOT NULL THEN RETURN;
  END IF;
  IF wanted_bound THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', wanted::regclass) INTO filled;
    IF filled THEN
      PERFORM theriac.refuse(format('a protected column of a class with bind_rows in %s, which has rows',
        wanted::regclass), 'add the column in a maintenance window, then theriac protect');
    END IF;
    EXECUTE format('ALTER TABLE %s ADD COLUMN theriac_row uuid NOT NULL', wanted::regclass);
  END IF;
  PERFORM theriac.note_table(wanted, wanted_bound, t.nspname, t.relname);
END $f$;

CREATE OR REPLACE FUNCTION theriac.adopt_column(wanted oid, attribute smallint, entry jsonb)
  RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  a pg_attribute;
  d record;
  subject text;
  n integer;
  form text;
  search text;
  rows_bound boolean := (SELECT bound FROM theriac.tables WHERE relation = wanted::regclass);
  first boolean := NOT EXISTS (SELECT FROM theriac.columns WHERE relation = wanted::regclass);
  -- A partitioned table has none: what is an index of ours stands on each partition.
  holds_rows boolean := (SELECT relkind = 'r' FROM pg_class WHERE oid = wanted);
BEGIN
  SELECT * INTO a FROM pg_attribute WHERE attrelid = wanted AND attnum = attribute;
  subject := format('%s.%s', wanted::regclass, a.attname);
  IF a.attinhcount > 0 THEN
    PERFORM theriac.refuse(format('protected column %s, which comes from another table', subject),
      'name the column of the partitioned or inherited table in the policy');
  END IF;
  PERFORM theriac.check_type(wanted, attribute, subject);
  -- What no equality is, no index can tell; and expressions are of characters.
  IF (entry->>'searchable')::boolean AND format_type(a.atttypid, NULL) IN ('json', 'json[]') THEN
    PERFORM theriac.refuse(format('a searchable column %s of type json', subject), 'use jsonb');
  ELSIF jsonb_array_length(entry->'searches') > 0 AND format_type(a.atttypid, NULL) NOT IN
      ('text', 'character varying', 'character', 'citext') THEN
    PERFORM theriac.refuse(format('a search by expression on column %s, whose type has no characters',
      subject), 'use text, varchar, character or citext');
  END IF;
  SELECT * INTO d FROM theriac.take_default(wanted, attribute, subject);
  INSERT INTO theriac.columns (relation, column_name, field, class, suite, searchable, domain,
      searches, type_text, type_oid, modifier, not_null, default_text, default_stored, original, state)
    VALUES (wanted::regclass, a.attname, gen_random_uuid(), entry->>'class', (entry->>'suite')::smallint,
      (entry->>'searchable')::boolean, entry->>'domain', entry->'searches', format_type(a.atttypid, a.atttypmod), a.atttypid,
      a.atttypmod, a.attnotnull, d.expression, d.stored, '{}', 'sealed') RETURNING number INTO n;
  SELECT replace(f.condition, 'theriac_sealed_0', 'theriac_sealed_' || n) INTO form
    FROM (VALUES {FORMS}) AS f(suite, bound, condition)
    WHERE f.suite = (entry->>'suite')::integer AND f.bound = rows_bound;
  EXECUTE format('ALTER TABLE %1$s ADD COLUMN theriac_sealed_%2$s bytea, '
    'ALTER COLUMN theriac_sealed_%2$s SET STORAGE EXTERNAL, ALTER COLUMN %3$I DROP NOT NULL',
    wanted::regclass, n, a.attname)
    || CASE WHEN (entry->>'searchable')::boolean
            THEN format(', ADD COLUMN theriac_index_%s bytea', n) ELSE '' END;
  EXECUTE format('ALTER TABLE %1$s ADD CONSTRAINT theriac_plain_%2$s CHECK (%3$I IS NULL), '
    'ADD CONSTRAINT theriac_form_%2$s CHECK (%4$s)', wanted::regclass, n, a.attname, form)
    || CASE WHEN a.attnotnull
            THEN format(', ALTER COLUMN theriac_sealed_%s SET NOT NULL', n) ELSE '' END
    || CASE WHEN rows_bound AND first AND holds_rows
            THEN format(', ADD CONSTRAINT theriac_row_%s UNIQUE (theriac_row)', n) ELSE '' END;
  IF (entry->>'searchable')::boolean AND holds_rows THEN
    EXECUTE format('CREATE INDEX theriac_lookup_%1$s ON %2$s (theriac_index_%1$s)', n, wanted::regclass);
  END IF;
  FOR search IN SELECT n || '_' || (e->>'name') FROM jsonb_array_elements(entry->'searches') AS e LOOP
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I bytea', wanted::regclass, 'theriac_index_' || search);
    CONTINUE WHEN NOT holds_rows;
    EXECUTE format('CREATE INDEX %I ON %s (%I)', 'theriac_lookup_' || search, wanted::regclass,
                   'theriac_index_' || search);
  END LOOP;
END $f$;

CREATE OR REPLACE FUNCTION theriac.adopt_table(wanted oid, entries jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  e record;
  attributes smallint[];
  names text[];
  filled boolean;
BEGIN
  SELECT array_agg((v->>'attribute')::smallint), array_agg(v->>'column') INTO attributes, names
    FROM jsonb_array_elements(entries) AS v;
  PERFORM theriac.register_table(wanted, (entries->0->>'bound')::boolean);
  PERFORM theriac.check_uses(wanted, attributes, names,
    ARRAY(SELECT jsonb_array_elements_text(entries->0->'triggers')));
  EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE (%s) IS NOT NULL)', wanted::regclass,
    (SELECT 'coalesce(' || string_agg(quote_ident(n) || '::text', ', ') || ')' FROM unnest(names) n))
    INTO filled;
  IF filled THEN
    PERFORM theriac.refuse(format('protected columns of %s that already hold plain values (%s)',
      wanted::regclass, array_to_string(names, ', ')),
      'add the column without a default and then set it, or use theriac protect for a filled table');
  END IF;
  FOR e IN SELECT v FROM jsonb_array_elements(entries) AS v LOOP
    PERFORM theriac.adopt_column(wanted, (e.v->>'attribute')::smallint, e.v);
  END LOOP;
END $f$;
)";

const std::string_view kSettleSql = R"(
CREATE OR REPLACE FUNCTION theriac.settle_table(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  attributes smallint[] := '{}';
  names text[] := '{}';
  c theriac.columns;
  attribute smallint;
BEGIN
  FOR c IN SELECT * FROM theriac.columns WHERE relation = wanted::regclass ORDER BY number LOOP
    IF c.state <> 'sealed' THEN
      PERFORM theriac.refuse(format('a change to %s while it is being protected', c.relation),
                             'wait until theriac protect or unprotect has ended');
    END IF;
    attribute := theriac.plain_attribute(wanted, c.number);
    IF attribute IS NULL THEN
      PERFORM theriac.refuse(format('a change to %s that takes its protection apart', c.relation),
                             'leave constraints and columns named theriac_ alone');
    END IF;
    attributes := attributes || attribute;
    names := names || (SELECT attname::text FROM pg_attribute WHERE attrelid = wanted AND attnum = attribute);
  END LOOP;
  IF attributes = '{}' THEN RETURN; END IF;
  PERFORM theriac.check_uses(wanted, attributes, names,
    ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = wanted));
  FOR c IN SELECT * FROM theriac.columns WHERE relation = wanted::regclass ORDER BY number LOOP
    PERFORM theriac.settle_column(c, theriac.plain_attribute(wanted, c.number));
  END LOOP;
  PERFORM theriac.follow_indexes(wanted);
  PERFORM theriac.move_indexes(wanted);
  PERFORM theriac.name_attached(wanted);
  PERFORM theriac.record_attached(wanted);
  PERFORM theriac.settle_rights(wanted);
END $f$;

CREATE OR REPLACE FUNCTION theriac.settle(arguments text, digest bytea) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  SET client_min_messages = error SET row_security = off AS $f$
DECLARE
  asked jsonb;
  fresh jsonb;
  named oid[];
  members oid[] := '{}';
  r record;
BEGIN
  PERFORM theriac.authentic('settle', arguments, digest);
  asked := arguments::jsonb;
  PERFORM theriac.follow_views();
  DELETE FROM theriac.columns c WHERE NOT EXISTS (SELECT FROM pg_class p WHERE p.oid = c.relation)
    AND c.state = 'sealed';
  DELETE FROM theriac.tables t WHERE NOT EXISTS (SELECT FROM pg_class p WHERE p.oid = t.relation)
    AND NOT EXISTS (SELECT FROM theriac.columns c WHERE c.relation = t.relation);
  FOR r IN SELECT t.relation::oid AS relation FROM theriac.tables t
      WHERE t.relation::oid IN (SELECT v::oid FROM jsonb_array_elements_text(asked->'relations') AS v) LOOP
    PERFORM theriac.check_grants(r.relation);
  END LOOP;
  FOR r IN SELECT v FROM jsonb_array_elements(asked->'acts') AS v LOOP
    PERFORM theriac.apply_act(r.v, asked->>'role');
  END LOOP;
  PERFORM theriac.follow_views();
  FOR r IN SELECT v::oid AS parent FROM jsonb_array_elements_text(asked->'parents') AS v LOOP
    members := members || ARRAY(SELECT theriac.adopt_members(r.parent));
  END LOOP;
  SELECT coalesce(jsonb_agg(v || jsonb_build_object('relation', c.oid::bigint, 'attribute', a.attnum)
                            ORDER BY c.oid, a.attnum), '[]') INTO fresh
    FROM jsonb_array_elements(asked->'awaited') AS v
    JOIN pg_namespace n ON n.nspname = v->>'schema'
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v->>'table' AND c.relkind <> 'v'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = v->>'column' AND a.attnum > 0
    WHERE NOT EXISTS (SELECT FROM theriac.columns k WHERE k.relation = c.oid::regclass
                      AND theriac.plain_attribute(c.oid, k.number) = a.attnum);
  FOR r IN SELECT v->>'relation' AS relation, jsonb_agg(v) AS entries
      FROM jsonb_array_elements(fresh) AS v GROUP BY 1 LOOP
    PERFORM theriac.adopt_table(r.relation::oid, r.entries);
  END LOOP;
  named := ARRAY(SELECT v::oid FROM jsonb_array_elements_text(asked->'relations') AS v
                 UNION SELECT (v->>'relation')::oid FROM jsonb_array_elements(fresh) AS v);
  IF (asked->>'members')::boolean THEN
    named := ARRAY(SELECT DISTINCT theriac.descendants(n) FROM unnest(named) AS n);
  END IF;
  FOR r IN SELECT n FROM unnest(named) AS n LOOP
    members := members || ARRAY(SELECT theriac.adopt_members(r.n));
  END LOOP;
  PERFORM theriac.follow_indexes(0);
  IF named || members = '{}' THEN  -- an index was renamed, dropped or attached
    PERFORM theriac.record_attached(t.relation) FROM theriac.tables t
      JOIN pg_class c ON c.oid = t.relation WHERE c.relispartition;
  END IF;
  -- What was done to a parent comes down to its children: parents first.
  FOR r IN SELECT t.relation::oid AS relation FROM theriac.tables t
      WHERE t.relation::oid = ANY (named || members) ORDER BY theriac.depth(t.relation) LOOP
    PERFORM theriac.settle_table(r.relation);
  END LOOP;
  FOR r IN SELECT v.view::oid AS view FROM theriac.views v
      WHERE v.view::oid IN (SELECT w::oid FROM jsonb_array_elements_text(asked->'relations') AS w) LOOP
    PERFORM theriac.follow_view_rights(r.view);
    PERFORM theriac.give_view_rights(r.view);
  END LOOP;
  FOR r IN SELECT v FROM jsonb_array_elements(asked->'views') AS v LOOP
    PERFORM theriac.owned_by((r.v->>'relation')::oid, asked->>'role');
    PERFORM theriac.settle_view(r.v);
  END LOOP;
END $f$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA theriac FROM PUBLIC;
GRANT EXECUTE ON FUNCTION theriac.settle(text, bytea), theriac.registered(bytea) TO PUBLIC;
)";

}  // namespace theriac::protect
