CREATE TABLE people (
  id int PRIMARY KEY,
  name text NOT NULL,
  phone varchar(20) UNIQUE,
  note text,
  age int2,
  visits int DEFAULT 0,
  total int8,
  balance numeric(12,2),
  born date,
  seen timestamptz,
  city text DEFAULT 'Basel',
  score int);
CREATE TABLE calls (
  id serial PRIMARY KEY,
  phone varchar(20),
  remark text,
  day date,
  person int);
CREATE TABLE batches (
  id int PRIMARY KEY,
  lot text NOT NULL,
  yield numeric,
  released timestamptz,
  grade int);
CREATE TABLE cities (city text PRIMARY KEY, country text);
CREATE SCHEMA other;
CREATE TABLE other.people (id int PRIMARY KEY, name text);
CREATE TABLE things (
  id int PRIMARY KEY,
  flag bool DEFAULT false,
  small float4,
  large float8,
  at time(3),
  moment timestamp(2),
  span interval,
  key uuid UNIQUE,
  bytes bytea,
  doc json,
  docb jsonb,
  host inet,
  net cidr,
  mood mood,
  mail citext UNIQUE,
  short short,
  words text[],
  numbers numeric(6,2)[],
  moods mood[],
  code char(6),
  grade int);
CREATE VIEW directory (number, who, tel, city) AS SELECT id, name, phone, city FROM people WHERE id > 0;
CREATE VIEW yields AS SELECT id, lot, yield FROM batches;
CREATE VIEW numbers AS SELECT phone, 'p' AS kind FROM people UNION ALL SELECT phone, 'c' FROM calls;
CREATE VIEW callers AS SELECT d.who, c.day, c.remark FROM directory d JOIN calls c ON c.phone = d.tel;
CREATE VIEW tally AS SELECT who, count(*) AS n FROM directory GROUP BY who;
CREATE TABLE stays (
  id int NOT NULL,
  day date NOT NULL,
  patient text NOT NULL DEFAULT 'nobody',
  bed varchar(10),
  finding text DEFAULT 'none',
  fee int,
  PRIMARY KEY (id, day),
  UNIQUE (bed, day)) PARTITION BY RANGE (day);
CREATE TABLE stays_2025 PARTITION OF stays FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
  PARTITION BY RANGE (day);
CREATE TABLE stays_2025_a PARTITION OF stays_2025 FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE stays_2025_b PARTITION OF stays_2025 DEFAULT;
CREATE TABLE stays_2026 (fee int, finding text DEFAULT 'new', bed varchar(10), gone text,
  patient text NOT NULL, day date NOT NULL, id int NOT NULL);
ALTER TABLE stays_2026 DROP COLUMN gone;
ALTER TABLE stays ATTACH PARTITION stays_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE stays_other PARTITION OF stays DEFAULT;
CREATE INDEX stays_patient ON stays (patient);
CREATE TABLE assets (id int PRIMARY KEY, serial text UNIQUE, place text DEFAULT 'store');
CREATE TABLE pumps (flow int, PRIMARY KEY (id)) INHERITS (assets);
CREATE TABLE big_pumps (weight int, serial text NOT NULL DEFAULT 's') INHERITS (pumps);
