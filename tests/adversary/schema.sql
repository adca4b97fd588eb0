CREATE SCHEMA other;
CREATE SCHEMA lab;
CREATE TABLE customers (
  id bigint PRIMARY KEY,
  name text,
  kind varchar(24),
  phone text,
  id_number varchar(22),
  credit numeric(14,2),
  birth date,
  note text,
  status text DEFAULT 'new',
  seen timestamptz);
CREATE TABLE batches (
  id int PRIMARY KEY,
  batch_no varchar(24),
  recipe text,
  qty int);
CREATE TABLE usage (
  id int PRIMARY KEY,
  batch_id int,
  customer_id bigint,
  patient text,
  name text,
  age int,
  used date,
  UNIQUE (batch_id, customer_id));
CREATE TABLE orders (
  id int PRIMARY KEY,
  customer_id bigint,
  contact text,
  total numeric,
  kind varchar(24));
CREATE TABLE devices (id int PRIMARY KEY, name text, model text);
CREATE TABLE cards (
  id int PRIMARY KEY,
  number varchar(23),
  holder text,
  mail text);
CREATE TABLE facts (
  id int PRIMARY KEY,
  owner text NOT NULL,
  key uuid UNIQUE,
  amount bigint,
  share numeric,
  bytes bytea,
  flag boolean DEFAULT false,
  day date,
  at timestamp,
  span interval,
  docb jsonb,
  words text[],
  half float8,
  remark text,
  label text,
  grade int);
CREATE TABLE other.customers (id int PRIMARY KEY, name text, note text);
CREATE TABLE lab.samples (id int PRIMARY KEY, subject text, result numeric);
