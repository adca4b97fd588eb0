"""psycopg 3: parameters bound by the server, pipelines, COPY, server-side cursors, both formats."""
import datetime
import decimal
import os
import pathlib
import uuid

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

SCHEMA = pathlib.Path(__file__).with_name("schema.sql").read_text("utf-8")


def failing(c, *of):
    try:
        with c.transaction():
            c.execute(*of)
        print("no error")
    except psycopg.Error as e:
        print(type(e).__name__, e.sqlstate, e.diag.constraint_name, e.diag.column_name, e.diag.table_name)


with psycopg.connect(dbname=os.environ["PGDATABASE"], autocommit=True) as c:
    c.execute(SCHEMA)
    utc = datetime.timezone.utc
    insert = """INSERT INTO customer (name, email, birth, amount, points, big, score, vip, notes, tags, ref, seen, made,
                photo, plain) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s) RETURNING id"""
    row = ["Ada Löwe", "ada@example.org", datetime.date(1815, 12, 10), decimal.Decimal("12.50"), -7, 2**62, 0.1, True,
           Jsonb({"b": [1, None], "a": "é"}), ["x", None, 'q"'], uuid.UUID(int=2**100 + 1),
           datetime.datetime(2024, 2, 29, 12, 0, 1, 5, utc), datetime.datetime(1999, 12, 31, 23, 59, 59), b"\x00\xff'", "p"]
    print(c.execute(insert, row).fetchone())
    print(c.execute(insert, ["王小明", *[None] * 14]).fetchone())
    with c.cursor() as cursor:
        cursor.executemany("INSERT INTO customer (name, email, points) VALUES (%s, %s, %s) RETURNING id",
                           [(f"n{i}", f"n{i}@x", i) for i in range(40)], returning=True)
        print(cursor.fetchone(), cursor.rowcount)
    for binary in (False, True):
        with c.cursor(binary=binary, row_factory=dict_row) as cursor:
            cursor.execute("SELECT * FROM customer ORDER BY id LIMIT 4")
            print([(d.name, d.type_code, d.display_size, d.internal_size, d.precision, d.scale) for d in cursor.description])
            for r in cursor:
                print(r)
            for _ in range(7):  # prepared from the fifth on
                print(cursor.execute("SELECT id, email, amount FROM customer WHERE name = %b AND vip = %b", ["Ada Löwe", True]).fetchall())
            print(cursor.execute("SELECT id FROM customer WHERE name = ANY(%s) ORDER BY id", [["n1", "n2", "zz"]]).fetchall())
            print(cursor.execute("SELECT id FROM customer WHERE birth = %s AND ref = %s", [row[2], row[10]]).fetchall())
    with c.pipeline():
        cursors = [c.execute("INSERT INTO line_item (customer_id, buyer, quantity) VALUES (%s, %s, %s) RETURNING id, buyer", [i, f"n{i}", i]) for i in range(1, 6)]
        cursors.append(c.execute("SELECT name FROM customer WHERE email = %s", ["n9@x"]))
    print([r.fetchall() for r in cursors])
    with c.transaction():
        with c.cursor(name="named", scrollable=True) as cursor:
            cursor.execute("SELECT id, name FROM customer ORDER BY id")
            print(cursor.fetchmany(3))
            cursor.scroll(10)
            print(cursor.fetchone())
            cursor.scroll(-5)
            print(cursor.fetchmany(2))
    try:
        with c.transaction():
            print(c.execute("UPDATE customer SET name = %s, amount = amount WHERE points > %s", ["many", 30]).rowcount)
            raise psycopg.Rollback
    except psycopg.Rollback:
        pass
    print(c.execute("SELECT count(*) FROM customer WHERE name = 'many'").fetchone())
    with c.cursor() as cursor:
        with cursor.copy("COPY customer (name, email, birth, tags) FROM STDIN") as copy:
            for i in range(20):
                copy.write_row((f"c{i}\t\\", f"c{i}@y", datetime.date(2000, 1, 1), ["a", None]))
        with cursor.copy("COPY customer (name, points) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["text", "int4"])
            for i in range(20):
                copy.write_row((f"b{i}", i))
        with cursor.copy("COPY (SELECT name, email, birth, tags FROM customer WHERE id > 60) TO STDOUT") as copy:
            print(list(copy.rows()))
        with cursor.copy("COPY (SELECT name, points FROM customer WHERE id > 60) TO STDOUT (FORMAT BINARY)") as copy:
            copy.set_types(["text", "int4"])
            print(list(copy.rows()))
    failing(c, insert, ["again", "ada@example.org", *[None] * 13])
    failing(c, "INSERT INTO customer (name) VALUES (%s)", [None])
    failing(c, "INSERT INTO customer (name, email) VALUES (%s, %s)", ["n", "x" * 81])
    failing(c, "INSERT INTO customer (name, birth) VALUES (%s, %s)", ["n", "no date"])
    failing(c, "INSERT INTO line_item (customer_id) VALUES (%s)", [4711])
    failing(c, "SELECT nam FROM customer WHERE name = %s", ["n"])
    print(c.execute("DELETE FROM customer WHERE name IN (%s, %s)", ["n1", "n2"]).rowcount)
    with psycopg.ClientCursor(c) as cursor:  # literals put in by the client
        cursor.execute("UPDATE customer SET photo = %s, made = %s, notes = %s, tags = %s WHERE name = %s",
                       [b"\x01'\\", datetime.datetime(2020, 1, 2), Jsonb({"q": "'\\"}), ["l1", "l'2"], "Ada Löwe"])
        print(cursor.execute("SELECT photo, made, notes, tags FROM customer WHERE name = %s", ["Ada Löwe"]).fetchall())
    c.execute("DROP TABLE line_item, customer")
