-- A protected column's default cannot stand on the column itself. It stands on a table that nobody
-- fills, so that pg_attrdef has it in PostgreSQL's own form; a trigger follows the registry.
CREATE FUNCTION theriac_catalog.theriac_keep_default(number integer, member integer, type_text text,
  default_text text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  holder text := 'theriac_default_' || number || CASE WHEN member > 0 THEN '_' || member ELSE '' END;
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS theriac_catalog.%I', holder);
  IF default_text IS NOT NULL THEN
    EXECUTE format('CREATE TABLE theriac_catalog.%I (value %s DEFAULT %s)',
                   holder, type_text, default_text);
  END IF;
END $body$;

CREATE FUNCTION theriac_catalog.theriac_follow_default() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM theriac_catalog.theriac_keep_default(OLD.number, OLD.member, NULL, NULL);
  ELSE
    PERFORM theriac_catalog.theriac_keep_default(NEW.number, NEW.member, NEW.type_text, NEW.default_text);
  END IF;
  RETURN NULL;
END $body$;
REVOKE ALL ON FUNCTION theriac_catalog.theriac_keep_default(integer, integer, text, text),
  theriac_catalog.theriac_follow_default() FROM PUBLIC;

CREATE TRIGGER theriac_follow_default AFTER INSERT OR DELETE OR UPDATE OF default_text, type_text
  ON theriac.columns FOR EACH ROW EXECUTE FUNCTION theriac_catalog.theriac_follow_default();
-- Sealing and opening run with other triggers at rest.
ALTER TABLE theriac.columns ENABLE ALWAYS TRIGGER theriac_follow_default;
SELECT theriac_catalog.theriac_keep_default(number, member, type_text, default_text) FROM theriac.columns
WHERE default_text IS NOT NULL;
