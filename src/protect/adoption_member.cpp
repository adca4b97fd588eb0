#include "protect/adoption_texts.hpp"

namespace theriac::protect {

// Partitions and inheriting tables of a protected table (docs/adr/0009). Called by settle(), and by
// protect and unprotect for tables that came meanwhile.
const std::string_view kMemberSql = R"(
CREATE OR REPLACE FUNCTION theriac.check_member(part oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  t record;
BEGIN
  SELECT c.*, m.amname INTO t FROM pg_class c LEFT JOIN pg_am m ON m.oid = c.relam WHERE c.oid = part;
  IF t.relkind NOT IN ('r', 'p') OR t.relpersistence = 't'
     OR (t.relkind = 'r' AND t.amname IS DISTINCT FROM 'heap') THEN
    PERFORM theriac.refuse(format('protected columns in %s, which is no ordinary table', part::regclass),
      'use an ordinary table, neither temporary nor foreign');
  ELSIF (SELECT count(*) FROM pg_inherits WHERE inhrelid = part) > 1 THEN
    PERFORM theriac.refuse(format('protected columns in %s, which inherits from several tables',
      part::regclass), 'let it inherit from one table');
  END IF;
END $f$;

-- Constant text of a default in stored form.
CREATE OR REPLACE FUNCTION theriac.stored_default(expression text, type_text text, OUT stored text)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, MDY'
  SET TimeZone = 'UTC' SET IntervalStyle = 'postgres' SET bytea_output = 'hex'
  SET extra_float_digits = 1 AS $f$
BEGIN
  EXECUTE format('SELECT CAST(CAST(%s AS %s) AS text)', expression, type_text) INTO stored;
END $f$;

-- Indexes that came to a partition with its parent's, under names of their own; and to which index
-- each is attached now.
CREATE OR REPLACE FUNCTION theriac.record_attached(part oid) RETURNS void
  LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $f$
  WITH attached AS (
    SELECT c.oid, c.relname, c.relkind, h.inhparent, p.relname AS parent,
           quote_ident(n.nspname) || '.' || quote_ident(p.relname) AS attach_to
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_inherits h ON h.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = h.inhparent
    LEFT JOIN pg_namespace n ON n.oid = p.relnamespace WHERE i.indrelid = part
  ), kept AS (
    SELECT jsonb_agg(CASE WHEN a.oid IS NULL THEN e.entry ELSE e.entry || jsonb_build_object(
             'attach_to', coalesce(a.attach_to, '')) END ORDER BY e.place) AS entries
    FROM theriac.tables t
    CROSS JOIN LATERAL jsonb_array_elements(t.original->'indexes') WITH ORDINALITY AS e(entry, place)
    LEFT JOIN attached a ON a.relname = e.entry->>'name' WHERE t.relation = part::regclass
  ), added AS (
    SELECT jsonb_agg(e.entry || jsonb_build_object('name', a.relname, 'oid', a.oid::bigint,
      'definition', replace(split_part(e.entry->>'definition', ' ON ', 1),
                            quote_ident(e.entry->>'name'), quote_ident(a.relname))
        || substr(e.entry->>'definition', length(split_part(e.entry->>'definition', ' ON ', 1)) + 1),
      'constraint', coalesce(k.conname::text, ''), 'comment', '', 'constraint_comment', '',
      'clustered', false, 'moved', true, 'partitioned', a.relkind = 'I',
      'attach_to', a.attach_to) ORDER BY a.relname) AS entries
    FROM attached a JOIN pg_index pi ON pi.indexrelid = a.inhparent
    JOIN theriac.tables pt ON pt.relation = pi.indrelid::regclass
    CROSS JOIN LATERAL jsonb_array_elements(pt.original->'indexes') AS e(entry)
    LEFT JOIN pg_constraint k ON k.conindid = a.oid AND k.conrelid = part AND k.contype = 'u'
    WHERE e.entry->>'name' = a.parent AND NOT EXISTS (
      SELECT FROM theriac.tables t CROSS JOIN LATERAL jsonb_array_elements(t.original->'indexes') AS o(entry)
      WHERE t.relation = part::regclass AND o.entry->>'name' = a.relname))
  UPDATE theriac.tables t SET original = jsonb_set(t.original, '{indexes}',
      coalesce(k.entries, '[]') || coalesce(a.entries, '[]'))
  FROM kept k, added a
  WHERE t.relation = part::regclass
    AND t.original->'indexes' <> coalesce(k.entries, '[]') || coalesce(a.entries, '[]')
$f$;

-- The name that PostgreSQL would have given an index on these columns.
CREATE OR REPLACE FUNCTION theriac.free_name(in_schema oid, of_table text, columns text, ending text)
  RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  made text;
  suffix text;
BEGIN
  FOR n IN 0..1000 LOOP
    suffix := '_' || ending || CASE WHEN n = 0 THEN '' ELSE n::text END;
    WHILE octet_length(of_table) + octet_length(columns) + 1 + octet_length(suffix) > 63 LOOP
      IF octet_length(of_table) > octet_length(columns) THEN of_table := left(of_table, -1);
      ELSE columns := left(columns, -1); END IF;
    END LOOP;
    made := of_table || '_' || columns || suffix;
    IF NOT EXISTS (SELECT FROM pg_class WHERE relname = made AND relnamespace = in_schema) THEN
      RETURN made;
    END IF;
  END LOOP;
  RETURN made;
END $f$;

-- PostgreSQL named a new partition's indexes after our helpers.
CREATE OR REPLACE FUNCTION theriac.name_attached(part oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT i.indexrelid, c.relnamespace, t.relname, string_agg(coalesce((
          SELECT p.attname::text FROM theriac.columns k JOIN pg_attribute p ON p.attrelid = part
            AND p.attnum = theriac.plain_attribute(part, k.number)
          WHERE k.relation = part::regclass
            AND a.attname IN ('theriac_index_' || k.number, 'theriac_sealed_' || k.number)),
          a.attname, 'expr'), '_' ORDER BY u.place) AS columns,
        CASE WHEN k.oid IS NULL THEN 'idx' ELSE 'key' END AS ending
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = part
      JOIN pg_inherits h ON h.inhrelid = i.indexrelid
      LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = part
      CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS u(attribute, place)
      LEFT JOIN pg_attribute a ON a.attrelid = part AND a.attnum = u.attribute
      WHERE i.indrelid = part AND c.relname ~ 'theriac_(index|sealed)_'
      GROUP BY 1, 2, 3, 5 LOOP
    EXECUTE format('ALTER INDEX %s RENAME TO %I', r.indexrelid::regclass,
                   theriac.free_name(r.relnamespace, r.relname, r.columns, r.ending));
  END LOOP;
END $f$;

-- A table below `top` that has what `top` has by inheritance, and no rows in the registry yet: the
-- same state for it, with its own NOT NULL, default, indexes and rights.
CREATE OR REPLACE FUNCTION theriac.adopt_member(top oid, part oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  c theriac.columns;
  parent theriac.tables;
  a record;
  helper text;
  n integer;
  expression text;
  first boolean;
BEGIN
  SELECT * INTO parent FROM theriac.tables WHERE relation = top::regclass;
  PERFORM theriac.note_table(part, parent.bound, parent.schema_name, parent.table_name);
  first := NOT EXISTS (SELECT FROM theriac.columns WHERE relation = part::regclass);
  FOR c IN SELECT r.* FROM theriac.columns r WHERE r.relation = top::regclass AND NOT EXISTS (
      SELECT FROM theriac.columns o WHERE o.number = r.number AND o.relation = part::regclass)
      ORDER BY r.number LOOP
    IF first THEN PERFORM theriac.check_member(part); END IF;
    SELECT p.attnum, p.attnotnull OR coalesce(s.attnotnull, false) AS required,
           pg_get_expr(d.adbin, d.adrelid) AS given INTO a
      FROM pg_attribute p
      LEFT JOIN pg_attribute s ON s.attrelid = part AND s.attname = 'theriac_sealed_' || c.number
      LEFT JOIN pg_attrdef d ON d.adrelid = part AND d.adnum = p.attnum
      WHERE p.attrelid = part AND p.attname = coalesce((
        SELECT o.attname FROM pg_attribute o WHERE o.attrelid = top
          AND o.attnum = theriac.plain_attribute(top, c.number)), c.column_name);
    CONTINUE WHEN a.attnum IS NULL;
    -- Before it is sealed a default stands on the column; afterwards it is what the parent gives.
    expression := CASE WHEN c.state = 'sealing' THEN a.given ELSE c.default_text END;
    n := 1 + (SELECT max(o.member) FROM theriac.columns o WHERE o.number = c.number);
    INSERT INTO theriac.columns (number, member, relation, column_name, field, class, suite,
        searchable, domain, searches, type_text, type_oid, modifier, not_null, default_text,
        default_stored, original, state)
      VALUES (c.number, n, part::regclass, c.column_name, c.field, c.class, c.suite, c.searchable,
        c.domain, c.searches, c.type_text, c.type_oid, c.modifier, a.required, expression,
        CASE WHEN expression IS NOT NULL THEN theriac.stored_default(expression, c.type_text) END,
        '{}', c.state);
    CONTINUE WHEN c.state <> 'sealed' OR (SELECT relkind FROM pg_class WHERE oid = part) = 'p';
    FOR helper IN SELECT h FROM theriac.helpers_of(part, c.number) AS h WHERE h LIKE 'theriac\_index\_%' LOOP
      -- With a condition it is like no index of the program's: PostgreSQL does not attach it to one.
      EXECUTE format('CREATE INDEX %I ON %s (%3$I) WHERE %3$I IS NOT NULL', 'theriac_lookup_m' || n || '_'
        || substr(helper, length('theriac_index_') + 1), part::regclass, helper);
    END LOOP;
    IF first AND parent.bound THEN
      EXECUTE format('ALTER TABLE ONLY %s ADD CONSTRAINT theriac_row_m%s_%s UNIQUE (theriac_row)',
                     part::regclass, n, c.number);
    END IF;
    first := false;
  END LOOP;
  PERFORM theriac.name_attached(part);
  PERFORM theriac.record_attached(part);
END $f$;

-- An empty table that is about to become a partition or child of a protected one: it gets the
-- helpers and constraints that it could not inherit otherwise. What it lacks itself, or has of
-- another type, PostgreSQL says.
CREATE OR REPLACE FUNCTION theriac.form_member(parent oid, part oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  c record;
  filled boolean;
  attributes smallint[];
  names text[];
BEGIN
  IF EXISTS (SELECT FROM theriac.tables WHERE relation = part::regclass) THEN
    PERFORM theriac.refuse(format('%s, which is protected already, as a partition or child of %s',
      part::regclass, parent::regclass), 'make a table of its own for it and insert the rows');
  END IF;
  PERFORM theriac.check_member(part);
  EXECUTE format('SELECT EXISTS (SELECT FROM %s)', part::regclass) INTO filled;
  IF filled OR EXISTS (SELECT FROM pg_inherits WHERE part IN (inhrelid, inhparent)) THEN
    PERFORM theriac.refuse(format('%s, which has rows or stands in a tree of its own, as a partition or '
      'child of the protected %s', part::regclass, parent::regclass),
      'attach it empty, then insert the rows');
  END IF;
  SELECT array_agg(p.attnum), array_agg(p.attname::text) INTO attributes, names FROM theriac.columns r
    JOIN pg_attribute a ON a.attrelid = parent AND a.attnum = theriac.plain_attribute(parent, r.number)
    JOIN pg_attribute p ON p.attrelid = part AND p.attname = a.attname AND NOT p.attisdropped
    WHERE r.relation = parent::regclass;
  IF attributes IS NULL THEN RETURN; END IF;
  -- Nobody has read its triggers.
  PERFORM theriac.check_uses(part, attributes, names, '{}');
  IF (SELECT bound FROM theriac.tables WHERE relation = parent::regclass) THEN
    EXECUTE format('ALTER TABLE %s ADD COLUMN theriac_row uuid NOT NULL', part::regclass);
  END IF;
  FOR c IN SELECT r.number, a.attname, p.attnotnull FROM theriac.columns r
      JOIN pg_attribute a ON a.attrelid = parent AND a.attnum = theriac.plain_attribute(parent, r.number)
      JOIN pg_attribute p ON p.attrelid = part AND p.attname = a.attname AND NOT p.attisdropped
      WHERE r.relation = parent::regclass ORDER BY r.number LOOP
    EXECUTE format('ALTER TABLE %s', part::regclass) || (
      SELECT string_agg(format(' ADD COLUMN %I bytea', h), ',') FROM theriac.helpers_of(parent, c.number) AS h)
      || format(', ALTER COLUMN theriac_sealed_%1$s SET STORAGE EXTERNAL, ALTER COLUMN %2$I DROP NOT NULL, '
                'ADD CONSTRAINT theriac_plain_%1$s CHECK (%2$I IS NULL), ADD CONSTRAINT theriac_form_%1$s ',
                c.number, c.attname)
      || (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
          WHERE k.conrelid = parent AND k.conname = 'theriac_form_' || c.number)
      || CASE WHEN c.attnotnull
              THEN format(', ALTER COLUMN theriac_sealed_%s SET NOT NULL', c.number) ELSE '' END;
  END LOOP;
  PERFORM theriac.adopt_member(parent, part);
  -- Its indexes like the parent's, so that they are attached to those.
  PERFORM theriac.move_indexes(part);
  -- Its default is its own: on the column, where settling finds it.
  UPDATE theriac.columns SET default_text = NULL, default_stored = NULL WHERE relation = part::regclass;
END $f$;

-- All below `top`, parents first; gives those that are new.
CREATE OR REPLACE FUNCTION theriac.adopt_members(top oid) RETURNS SETOF oid
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  part oid;
BEGIN
  FOR part IN WITH RECURSIVE tree AS (
        SELECT i.inhrelid, 1 AS depth FROM pg_inherits i WHERE i.inhparent = top
        UNION ALL SELECT i.inhrelid, t.depth + 1 FROM tree t JOIN pg_inherits i ON i.inhparent = t.inhrelid)
      SELECT t.inhrelid FROM tree t
      WHERE EXISTS (SELECT FROM theriac.columns r WHERE r.relation = top::regclass AND NOT EXISTS (
        SELECT FROM theriac.columns o WHERE o.number = r.number AND o.relation = t.inhrelid::regclass))
      GROUP BY 1 ORDER BY max(t.depth), 1 LOOP
    PERFORM theriac.adopt_member(top, part);
    RETURN NEXT part;
  END LOOP;
END $f$;
)";

}  // namespace theriac::protect
