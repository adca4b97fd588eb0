#include "protect/adoption_texts.hpp"

namespace theriac::protect {

const std::string_view kColumnSql = R"(
CREATE OR REPLACE FUNCTION theriac.type_widens(was oid, was_mod integer, now oid, now_mod integer)
  RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $f$
  -- What is stored reads and compares under the new type as it did under the old.
  SELECT CASE
    WHEN was = now AND was_mod = now_mod THEN true
    WHEN was IN (25, 1043) AND now IN (25, 1043) THEN
      now_mod = -1 OR (was = 1043 AND was_mod <> -1 AND now_mod >= was_mod)
    WHEN was = 1700 AND now = 1700 THEN now_mod = -1 OR (was_mod <> -1
      AND (was_mod - 4) & 65535 = (now_mod - 4) & 65535 AND now_mod >= was_mod)
    WHEN was = 1184 AND now = 1184 THEN now_mod = -1 OR (was_mod <> -1 AND now_mod >= was_mod)
    WHEN was = 21 THEN now IN (23, 20) OR (now = 1700 AND now_mod = -1)
    WHEN was = 23 THEN now = 20 OR (now = 1700 AND now_mod = -1)
    WHEN was = 20 THEN now = 1700 AND now_mod = -1
    ELSE false END
$f$;

CREATE OR REPLACE FUNCTION theriac.type_allowed(wanted oid) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  t pg_type;
BEGIN
  IF wanted IN ({TYPES}) THEN RETURN true; END IF;
  SELECT * INTO t FROM pg_type WHERE oid = wanted;
  RETURN CASE
    WHEN t.typtype = 'e' THEN true
    WHEN t.typtype = 'd' THEN NOT t.typnotnull AND t.typdefault IS NULL
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = wanted)
      AND theriac.type_allowed(t.typbasetype)
    WHEN t.typcategory = 'A' AND t.typlen = -1 THEN theriac.type_allowed(t.typelem)
      AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typtype = 'd')
    ELSE t.typname = 'citext' AND EXISTS (
      SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
      WHERE d.classid = 'pg_type'::regclass AND d.objid = wanted
        AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND x.extname = 'citext')
  END;
END $f$;

CREATE OR REPLACE FUNCTION theriac.check_type(wanted oid, attribute smallint, subject text)
  RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  a record;
BEGIN
  SELECT t.*, coalesce(c.collisdeterministic, true) AS deterministic INTO a FROM pg_attribute t
    LEFT JOIN pg_collation c ON c.oid = t.attcollation
    WHERE t.attrelid = wanted AND t.attnum = attribute;
  IF NOT theriac.type_allowed(a.atttypid) THEN
    PERFORM theriac.refuse(format('a protected column %s of type %s', subject,
      format_type(a.atttypid, a.atttypmod)),
      'use one of the types that a policy can protect; domains only without constraints and default');
  ELSIF NOT a.deterministic THEN
    PERFORM theriac.refuse('a protected column ' || subject || ' under a nondeterministic collation',
                           'use a deterministic collation');
  ELSIF a.attgenerated <> '' OR a.attidentity <> '' THEN
    PERFORM theriac.refuse('a protected column ' || subject || ' that the database computes',
                           'let the program give the value');
  END IF;
END $f$;

-- The default of the plain column, if it has one: its text and its value in stored form.
CREATE OR REPLACE FUNCTION theriac.take_default(wanted oid, attribute smallint, subject text,
    OUT expression text, OUT stored text)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, MDY'
  SET TimeZone = 'UTC' SET IntervalStyle = 'postgres' SET bytea_output = 'hex'
  SET extra_float_digits = 1 AS $f$
DECLARE
  type_text text;
  name text;
BEGIN
  SELECT pg_get_expr(d.adbin, d.adrelid), format_type(a.atttypid, a.atttypmod), a.attname
    INTO expression, type_text, name
    FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = wanted AND a.attnum = attribute;
  IF expression IS NULL THEN RETURN; END IF;
  IF expression !~ $r$^\(?('([^']|'')*'|E'([^'\\]|''|\\.)*'|-?[0-9.]+|NULL|true|false)\)?(::[][a-z0-9_ (),".]+)?$$r$ THEN
    PERFORM theriac.refuse('a default of ' || subject || ' that is not a constant',
                           'let the program give the value');
  END IF;
  EXECUTE format('SELECT CAST(CAST(%s AS %s) AS text)', expression, type_text) INTO stored;
  EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', wanted::regclass, name);
END $f$;

-- A column that is protected already: what the statement did to the plain column moves on.
CREATE OR REPLACE FUNCTION theriac.settle_column(c theriac.columns, attribute smallint)
  RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  a pg_attribute;
  d record;
  kept boolean;
  subject text;
BEGIN
  SELECT * INTO a FROM pg_attribute WHERE attrelid = c.relation AND attnum = attribute;
  subject := format('%s.%s', c.relation, a.attname);
  IF a.attnotnull THEN
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL, ALTER COLUMN %I SET NOT NULL',
                   c.relation, a.attname, 'theriac_sealed_' || c.number);
    UPDATE theriac.columns SET not_null = true
      WHERE number = c.number AND relation IN (SELECT theriac.descendants(c.relation));
  END IF;
  IF a.atthasdef AND a.attgenerated = '' THEN
    SELECT * INTO d FROM theriac.take_default(c.relation, attribute, subject);
    UPDATE theriac.columns SET default_text = d.expression, default_stored = d.stored
      WHERE number = c.number AND relation IN (SELECT theriac.descendants(c.relation));
  END IF;
  IF a.atttypid <> c.type_oid OR a.atttypmod <> c.modifier THEN
    PERFORM theriac.check_type(c.relation, attribute, subject);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I IS NOT NULL)', c.relation,
                   'theriac_sealed_' || c.number) INTO kept;
    IF kept AND NOT theriac.type_widens(c.type_oid, c.modifier, a.atttypid, a.atttypmod) THEN
      PERFORM theriac.refuse(format('ALTER COLUMN TYPE of %s from %s to %s', subject, c.type_text,
        format_type(a.atttypid, a.atttypmod)),
        'only types that keep every sealed value as it is: text or a longer varchar, a larger '
        'integer, numeric with more digits before the point; else add a column and copy');
    END IF;
    UPDATE theriac.columns SET type_oid = a.atttypid, modifier = a.atttypmod,
      type_text = format_type(a.atttypid, a.atttypmod)
      WHERE number = c.number AND relation IN (SELECT theriac.descendants(c.relation));
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION theriac.apply_act(act jsonb, role text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  c theriac.columns;
  helper text;
  below oid[];
BEGIN
  IF act->>'act' IN ('keep_view', 'unform_view', 'forget_view') THEN
    PERFORM theriac.owned_by((act->>'relation')::oid, role);
    CASE act->>'act'
      WHEN 'keep_view' THEN PERFORM theriac.keep_view((act->>'relation')::oid);
      WHEN 'unform_view' THEN PERFORM theriac.unform_view((act->>'relation')::oid);
      ELSE PERFORM theriac.forget_view((act->>'relation')::oid);
    END CASE;
    RETURN;
  END IF;
  IF act->>'act' = 'join' THEN
    PERFORM theriac.owned_by((act->>'relation')::oid, role);
    PERFORM theriac.owned_by((act->>'child')::oid, role);
    PERFORM theriac.form_member((act->>'relation')::oid, (act->>'child')::oid);
    RETURN;
  END IF;
  SELECT * INTO c FROM theriac.columns
    WHERE number = (act->>'number')::integer AND relation::oid = (act->>'relation')::oid;
  -- On a parent it is done to all below it.
  below := ARRAY(SELECT theriac.descendants(c.relation));
  -- The table was dropped by the same statement.
  IF c.number IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = c.relation) THEN RETURN; END IF;
  CASE act->>'act'
    WHEN 'set_not_null' THEN
      PERFORM theriac.owned_by(c.relation, role);
      EXECUTE format('ALTER TABLE %s ALTER COLUMN theriac_sealed_%s SET NOT NULL', c.relation, c.number);
      UPDATE theriac.columns SET not_null = true
        WHERE number = c.number AND relation = ANY (below);
    WHEN 'drop_not_null' THEN
      EXECUTE format('ALTER TABLE %s ALTER COLUMN theriac_sealed_%s DROP NOT NULL', c.relation, c.number);
      UPDATE theriac.columns SET not_null = false
        WHERE number = c.number AND relation = ANY (below);
    WHEN 'drop_default' THEN
      UPDATE theriac.columns SET default_text = NULL, default_stored = NULL
        WHERE number = c.number AND relation = ANY (below);
    WHEN 'drop_column' THEN
      IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.relation AND NOT attisdropped
                 AND attname = act->>'column')
         OR theriac.plain_attribute(c.relation, c.number) IS NOT NULL THEN RETURN; END IF;
      FOR helper IN SELECT theriac.helpers_of(c.relation, c.number) LOOP
        -- A view over the column is one over its helpers; it stopped the statement, or goes with it.
        EXECUTE format('ALTER TABLE %s DROP COLUMN %I %s', c.relation, helper,
                       CASE WHEN (act->>'cascade')::boolean THEN 'CASCADE' ELSE 'RESTRICT' END);
      END LOOP;
      DELETE FROM theriac.columns WHERE number = c.number AND relation = ANY (below);
      IF EXISTS (SELECT FROM theriac.columns WHERE relation = c.relation) THEN RETURN; END IF;
      EXECUTE format('ALTER TABLE %s DROP COLUMN IF EXISTS theriac_row', c.relation);
      DELETE FROM theriac.tables WHERE relation = ANY (below);
    WHEN 'revoke' THEN
      PERFORM theriac.owned_by(c.relation, role);
      PERFORM theriac.revoke_helpers(c.relation, act);
    ELSE
      RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'theriac: act';
  END CASE;
END $f$;
)";

}  // namespace theriac::protect
