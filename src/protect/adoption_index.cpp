#include "protect/adoption_texts.hpp"

namespace theriac::protect {

// The record of an index is index_to_json()'s, with `moved` (it stands there under its name) and
// its object id. An index that serves only a column that cannot be searched keeps its name and
// holds nothing: DROP INDEX and IF NOT EXISTS must find it.
const std::string_view kIndexSql = R"(
CREATE OR REPLACE FUNCTION theriac.index_element(index_oid oid, place integer, helper text)
  RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT CASE WHEN helper IS NOT NULL THEN quote_ident(helper) ELSE
      pg_get_indexdef(index_oid, place, false)
      || CASE WHEN i.indcollation[place - 1] NOT IN (0, a.attcollation)
              THEN ' COLLATE ' || i.indcollation[place - 1]::regcollation ELSE '' END
      || CASE WHEN NOT o.opcdefault
              THEN ' ' || quote_ident(n.nspname) || '.' || quote_ident(o.opcname) ELSE '' END
    END || CASE WHEN i.indoption[place - 1] & 1 = 1 THEN ' DESC' ELSE '' END
    || CASE WHEN i.indoption[place - 1] & 3 = 2 THEN ' NULLS FIRST'
            WHEN i.indoption[place - 1] & 3 = 1 THEN ' NULLS LAST' ELSE '' END
  FROM pg_index i JOIN pg_opclass o ON o.oid = i.indclass[place - 1]
  JOIN pg_namespace n ON n.oid = o.opcnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[place - 1]
  WHERE i.indexrelid = index_oid
$f$;

CREATE OR REPLACE FUNCTION theriac.index_record(index_oid oid, definition text) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT jsonb_build_object('name', x.relname, 'definition', definition,
    'constraint', coalesce(k.conname::text, ''), 'deferrable', coalesce(k.condeferrable, false),
    'deferred', coalesce(k.condeferred, false), 'clustered', i.indisclustered,
    'comment', coalesce(obj_description(index_oid, 'pg_class'), ''),
    'constraint_comment', coalesce(obj_description(k.oid, 'pg_constraint'), ''),
    'moved', true, 'oid', index_oid)
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
  LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
    AND k.contype = 'u'
  WHERE i.indexrelid = index_oid
$f$;

CREATE OR REPLACE FUNCTION theriac.judge_index(index_oid oid, subject text, attributes smallint[],
    searchable smallint[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  i record;
  key_attributes smallint[];
BEGIN
  SELECT x.*, c.relname, m.amname INTO i FROM pg_index x
    JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam
    WHERE x.indexrelid = index_oid;
  key_attributes := (i.indkey::smallint[])[0:i.indnkeyatts - 1];
  IF i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN
    PERFORM theriac.refuse(format('%s in the expression or condition of index %s', subject,
      i.relname), 'make the index without expression and condition, or without the column');
  ELSIF i.indisprimary THEN
    PERFORM theriac.refuse(subject || ' in the primary key', 'give the table a key that says nothing');
  ELSIF i.indisexclusion THEN
    PERFORM theriac.refuse(subject || ' in an exclusion constraint', 'leave the constraint out');
  ELSIF i.indisreplident THEN
    PERFORM theriac.refuse(subject || ' in the replica identity', 'choose another REPLICA IDENTITY');
  ELSIF (i.indkey::smallint[])[i.indnkeyatts:] && attributes THEN
    PERFORM theriac.refuse(subject || ' in INCLUDE of an index', 'make the index without INCLUDE');
  ELSIF i.amname <> 'btree' THEN
    PERFORM theriac.refuse(format('%s in the %s index %s', subject, i.amname, i.relname),
      'only btree indexes can stand on a blind index');
  ELSIF (i.indisunique OR cardinality(key_attributes) > 1) AND EXISTS (
      SELECT FROM unnest(key_attributes) u WHERE u = ANY (attributes) AND u <> ALL (searchable)) THEN
    PERFORM theriac.refuse(format('%s, which is not searchable, in index %s', subject, i.relname),
      'set searchable: true for the column in the policy, or leave the index out');
  END IF;
END $f$;

-- The indexes below a partitioned one: the record of each by its table.
CREATE OR REPLACE FUNCTION theriac.attached_to(index_oid oid) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT coalesce(jsonb_agg(theriac.index_record(d, pg_get_indexdef(d)) || jsonb_build_object(
      'table', i.indrelid::bigint, 'partitioned', c.relkind = 'I')), '[]')
  FROM theriac.descendants(index_oid) AS d JOIN pg_index i ON i.indexrelid = d
  JOIN pg_class c ON c.oid = d WHERE d <> index_oid
$f$;

-- Those that came with a partitioned index made again get the names that they had.
CREATE OR REPLACE FUNCTION theriac.rename_attached(index_oid oid, had jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT d, i.indrelid, e.entry FROM theriac.descendants(index_oid) AS d
      JOIN pg_index i ON i.indexrelid = d
      JOIN jsonb_array_elements(had) AS e(entry) ON (e.entry->>'table')::oid = i.indrelid LOOP
    EXECUTE format('ALTER INDEX %s RENAME TO %I', r.d::regclass, r.entry->>'name');
    UPDATE theriac.tables SET original = jsonb_set(original, '{indexes}', original->'indexes'
        || (r.entry - 'table' || jsonb_build_object('oid', r.d::bigint)))
      WHERE relation = r.indrelid::regclass;
  END LOOP;
END $f$;

CREATE OR REPLACE FUNCTION theriac.move_index(index_oid oid, attributes smallint[],
    helpers text[], sealed text[]) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  i record;
  made jsonb := theriac.index_record(index_oid, pg_get_indexdef(index_oid));
  list text;
  options text;
  empty boolean;
  name text;
  attached jsonb;
  alone text;
BEGIN
  SELECT x.*, c.relname, c.relkind, c.relnamespace, c.reloptions, t.spcname INTO i FROM pg_index x
    JOIN pg_class c ON c.oid = x.indexrelid LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
    WHERE x.indexrelid = index_oid;
  SELECT string_agg(theriac.index_element(index_oid, p, CASE WHEN at.place IS NULL THEN NULL
           ELSE coalesce(helpers[at.place], sealed[at.place]) END), ', ' ORDER BY p),
         bool_or(at.place IS NOT NULL AND helpers[at.place] IS NULL)
    INTO list, empty
    FROM generate_series(1, i.indnkeyatts) p
    LEFT JOIN LATERAL (SELECT array_position(attributes, i.indkey[p - 1]) AS place) at ON true;
  name := quote_ident(i.relname);
  options := CASE WHEN i.reloptions IS NULL THEN ''
                  ELSE ' WITH (' || array_to_string(i.reloptions, ', ') || ')' END;
  attached := theriac.attached_to(index_oid);
  -- One that was made of the partitioned table ONLY waits for its partitions' to be attached.
  alone := CASE WHEN i.relkind = 'I' AND NOT i.indisvalid THEN 'ONLY ' ELSE '' END;
  IF made->>'constraint' <> '' THEN
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, made->>'constraint');
  ELSE
    EXECUTE format('DROP INDEX %s', index_oid::regclass);
  END IF;
  IF i.relkind = 'I' AND made->>'constraint' <> '' THEN
    -- Its partitions get theirs with it; from an index it cannot be made.
    EXECUTE format('ALTER TABLE %s%s ADD CONSTRAINT %I UNIQUE%s (%s)%s%s%s', alone, i.indrelid::regclass,
      made->>'constraint', CASE WHEN i.indnullsnotdistinct THEN ' NULLS NOT DISTINCT' ELSE '' END,
      list, options, CASE WHEN (made->>'deferrable')::boolean THEN ' DEFERRABLE' ELSE '' END,
      CASE WHEN (made->>'deferred')::boolean THEN ' INITIALLY DEFERRED' ELSE '' END);
  ELSE
  EXECUTE format('CREATE %sINDEX %s ON %s%s USING btree (%s)%s%s%s%s',
    CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, name, alone, i.indrelid::regclass, list,
    CASE WHEN i.indnullsnotdistinct THEN ' NULLS NOT DISTINCT' ELSE '' END,
    options,
    CASE WHEN i.spcname IS NULL THEN '' ELSE ' TABLESPACE ' || quote_ident(i.spcname) END,
    CASE WHEN empty THEN ' WHERE false' ELSE '' END);
  END IF;
  IF i.relkind <> 'I' AND made->>'constraint' <> '' THEN
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I UNIQUE USING INDEX %s%s%s', i.indrelid::regclass,
      made->>'constraint', name,
      CASE WHEN (made->>'deferrable')::boolean THEN ' DEFERRABLE' ELSE '' END,
      CASE WHEN (made->>'deferred')::boolean THEN ' INITIALLY DEFERRED' ELSE '' END);
  END IF;
  IF i.indisclustered THEN
    EXECUTE format('ALTER TABLE %s CLUSTER ON %s', i.indrelid::regclass, name);
  END IF;
  made := made || jsonb_build_object('oid', (SELECT c.oid::bigint FROM pg_class c
    WHERE c.relname = i.relname AND c.relnamespace = i.relnamespace));
  IF i.relkind = 'I' THEN PERFORM theriac.rename_attached((made->>'oid')::oid, attached); END IF;
  RETURN made || jsonb_build_object('partitioned', i.relkind = 'I');
END $f$;

CREATE OR REPLACE FUNCTION theriac.move_indexes(wanted oid) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  attributes smallint[];
  searchable smallint[];
  helpers text[];
  sealed text[];
  made jsonb := '[]';
  i record;
BEGIN
  SELECT array_agg(p.attribute), array_agg(p.attribute) FILTER (WHERE p.searchable),
         array_agg(CASE WHEN p.searchable THEN 'theriac_index_' || p.number END),
         array_agg('theriac_sealed_' || p.number)
    INTO attributes, searchable, helpers, sealed
    FROM (SELECT c.*, theriac.plain_attribute(c.relation, c.number) AS attribute
          FROM theriac.columns c WHERE c.relation = wanted::regclass AND c.state = 'sealed') p
    WHERE p.attribute IS NOT NULL;
  IF attributes IS NULL THEN RETURN; END IF;
  FOR i IN SELECT x.indexrelid, a.attname FROM pg_index x
      CROSS JOIN LATERAL (SELECT min(u) AS attribute FROM unnest(attributes) u
        WHERE u = ANY (x.indkey::smallint[]) OR coalesce(x.indexprs::text, '')
          || coalesce(x.indpred::text, '') ~ ('varattno (0|' || u || ') ')) used
      JOIN pg_attribute a ON a.attrelid = wanted AND a.attnum = used.attribute
      -- What is attached to a partitioned index goes with that.
      WHERE x.indrelid = wanted AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = x.indexrelid)
      ORDER BY x.indexrelid LOOP
    PERFORM theriac.judge_index(i.indexrelid, format('%s.%s', wanted::regclass, i.attname),
      attributes, coalesce(searchable, '{}'));
    made := made || theriac.move_index(i.indexrelid, attributes, helpers, sealed);
  END LOOP;
  -- What theriac protect left on the plain column is on record already.
  UPDATE theriac.tables t SET original = jsonb_set(t.original, '{indexes}', t.original->'indexes' || r.fresh)
    FROM (SELECT o.relation, jsonb_agg(m.entry ORDER BY m.place) AS fresh
          FROM theriac.tables o
          CROSS JOIN LATERAL jsonb_array_elements(made) WITH ORDINALITY AS m(entry, place)
          WHERE o.relation = wanted::regclass AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(o.original->'indexes') AS e(known)
            WHERE e.known->>'name' = m.entry->>'name') GROUP BY o.relation) r
    WHERE t.relation = r.relation;
END $f$;

CREATE OR REPLACE FUNCTION theriac.follow_indexes(wanted oid) RETURNS void
  LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $f$
  WITH recorded AS (
    SELECT t.relation, e.entry, e.place, x.oid AS found, x.relname
    FROM theriac.tables t
    CROSS JOIN LATERAL jsonb_array_elements(t.original->'indexes') WITH ORDINALITY e(entry, place)
    LEFT JOIN LATERAL (
      SELECT c.oid, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indrelid = t.relation
        AND (c.oid::text = e.entry->>'oid' OR c.relname = e.entry->>'name')
      ORDER BY c.oid::text = e.entry->>'oid' DESC LIMIT 1) x ON true
    WHERE wanted IN (0, t.relation)
  ), renewed AS (
    SELECT relation, coalesce(jsonb_agg(CASE
        WHEN NOT coalesce((entry->>'moved')::boolean, false) THEN entry
        ELSE entry || jsonb_build_object('oid', found, 'name', relname,
          'definition', replace(split_part(entry->>'definition', ' ON ', 1),
                                quote_ident(entry->>'name'), quote_ident(relname))
            || substr(entry->>'definition', length(split_part(entry->>'definition', ' ON ', 1)) + 1),
          'constraint', CASE WHEN entry->>'constraint' = '' THEN '' ELSE relname END,
          'comment', coalesce(obj_description(found, 'pg_class'), '')) END ORDER BY place)
      FILTER (WHERE found IS NOT NULL OR NOT coalesce((entry->>'moved')::boolean, false)), '[]')
      AS entries
    FROM recorded GROUP BY relation)
  UPDATE theriac.tables t SET original = jsonb_set(t.original, '{indexes}', r.entries)
    FROM renewed r WHERE r.relation = t.relation AND r.entries <> t.original->'indexes'
$f$;
)";

}  // namespace theriac::protect
