-- In a template, so that both twins have the same object ids.
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'Très heureux');
CREATE DOMAIN short AS varchar(5);
