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
