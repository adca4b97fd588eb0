#include "protect/adoption_texts.hpp"

namespace theriac::protect {

const std::string_view kKeySql = R"(
CREATE TABLE IF NOT EXISTS theriac.gateway_key (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  key bytea NOT NULL CHECK (pg_catalog.octet_length(key) = 32));
INSERT INTO theriac.gateway_key (key)
  SELECT pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
                           || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()))
  WHERE NOT EXISTS (SELECT FROM theriac.gateway_key);
ALTER TABLE theriac.tables ADD COLUMN IF NOT EXISTS grants jsonb;
COMMENT ON COLUMN theriac.tables.grants IS
  'SELECT and INSERT on the whole table, as given to [grantee, privilege, grantable]';
-- A partition or child has a row of its own for each column of its root, under another `member`.
ALTER TABLE theriac.columns ADD COLUMN IF NOT EXISTS member integer NOT NULL DEFAULT 0;
ALTER TABLE theriac.columns DROP CONSTRAINT IF EXISTS columns_pkey,
  DROP CONSTRAINT IF EXISTS columns_field_key, DROP CONSTRAINT IF EXISTS columns_field_member_key,
  ADD CONSTRAINT columns_pkey PRIMARY KEY (number, member),
  ADD CONSTRAINT columns_field_member_key UNIQUE (field, member);
GRANT USAGE ON SCHEMA theriac TO PUBLIC;
CREATE TABLE IF NOT EXISTS theriac.views (
  view regclass PRIMARY KEY,
  original regclass,
  rights jsonb NOT NULL);
COMMENT ON COLUMN theriac.views.original IS
  'a view that says what this one said before it got its protected form; null: it has none of its own';
CREATE TABLE IF NOT EXISTS theriac.view_columns (
  view regclass NOT NULL,
  attribute smallint NOT NULL,
  rank smallint NOT NULL,
  number integer NOT NULL,
  with_row boolean NOT NULL,
  searchable boolean NOT NULL,
  searches jsonb NOT NULL,
  PRIMARY KEY (view, attribute, rank));
)";

const std::string_view kCallSql = R"(
CREATE OR REPLACE FUNCTION theriac.refuse(what text, remedy text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'theriac: ' || what, HINT = remedy;
END $f$;

CREATE OR REPLACE FUNCTION theriac.hmac(message bytea) RETURNS bytea
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  k bytea := (SELECT key FROM theriac.gateway_key) || decode(repeat('00', 32), 'hex');
  inner_pad bytea := k;
  outer_pad bytea := k;
BEGIN
  FOR i IN 0..63 LOOP
    inner_pad := set_byte(inner_pad, i, get_byte(k, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(k, i) # 92);
  END LOOP;
  RETURN sha256(outer_pad || sha256(inner_pad || message));
END $f$;

CREATE OR REPLACE FUNCTION theriac.authentic(called text, arguments text, digest bytea)
  RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  -- The digests of both are compared, so that how long it takes tells nothing.
  IF digest IS NULL OR sha256(digest) IS DISTINCT FROM sha256(theriac.hmac(convert_to(
      pg_backend_pid() || ' ' || pg_current_xact_id()::text || ' ' || called || ' ' || arguments,
      'UTF8'))) THEN
    RAISE EXCEPTION USING ERRCODE = '42501',
      MESSAGE = 'theriac: this function is for the gateway',
      HINT = 'connect through theriac-gateway, or use the theriac program';
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION theriac.owned_by(relation oid, role text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  IF NOT pg_has_role(role, (SELECT relowner FROM pg_class WHERE oid = relation), 'USAGE') THEN
    RAISE EXCEPTION USING ERRCODE = '42501',
      MESSAGE = format('must be owner of table %s',
                       (SELECT relname FROM pg_class WHERE oid = relation));
  END IF;
END $f$;

CREATE OR REPLACE FUNCTION theriac.plain_attribute(relation oid, number integer) RETURNS smallint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT k.conkey[1] FROM pg_constraint k
  WHERE k.conrelid = relation AND k.contype = 'c' AND k.conname = 'theriac_plain_' || number
    AND cardinality(k.conkey) = 1
$f$;

-- `relation` and all that inherits from it.
CREATE OR REPLACE FUNCTION theriac.descendants(relation oid) RETURNS SETOF oid
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  WITH RECURSIVE tree AS (
    SELECT $1 AS oid UNION SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
  SELECT oid FROM tree
$f$;

-- How far it is below a table that inherits from none.
CREATE OR REPLACE FUNCTION theriac.depth(relation oid) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  WITH RECURSIVE up AS (
    SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = $1
    UNION SELECT i.inhparent FROM up u JOIN pg_inherits i ON i.inhrelid = u.inhparent)
  SELECT count(*) FROM up
$f$;

-- The helper columns of a protected column, its indexes of expressions among them.
CREATE OR REPLACE FUNCTION theriac.helpers_of(relation oid, number integer) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $f$
  SELECT a.attname::text FROM pg_attribute a
  WHERE a.attrelid = relation AND NOT a.attisdropped AND a.attnum > 0
    AND (a.attname IN ('theriac_sealed_' || number, 'theriac_index_' || number)
         OR starts_with(a.attname::text, 'theriac_index_' || number || '_'))
$f$;

-- Its columns were fewer before.
DROP FUNCTION IF EXISTS theriac.registered(bytea);
CREATE FUNCTION theriac.registered(digest bytea)
  RETURNS TABLE (number integer, relation oid, schema_name text, table_name text, column_name text,
    attribute integer, field uuid, class text, suite smallint, searchable boolean, domain text,
    type_text text, type_oid oid, modifier integer, not_null boolean, default_stored text,
    bound boolean, state text, registered_as text, registered_schema text, registered_table text,
    declared_oid oid, declared_modifier integer, declared_text text, searches text, collation oid,
    views text, member integer, root_schema text, root_table text)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
#variable_conflict use_column
BEGIN
  PERFORM theriac.authentic('registered', '', digest);
  RETURN QUERY {REGISTERED};
END $f$;
)";

}  // namespace theriac::protect
