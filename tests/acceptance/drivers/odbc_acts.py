"""psqlODBC: catalogue functions, arrays of parameters, its own way of preparing."""
import datetime
import decimal
import os
import pathlib

import pyodbc

SCHEMA = pathlib.Path(__file__).with_name("schema.sql").read_text("utf-8")
for options in ("UseServerSidePrepare=1;UseDeclareFetch=0", "UseServerSidePrepare=0;UseDeclareFetch=1;Fetch=7"):
    c = pyodbc.connect(f"Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={os.environ['PGPORT']};Uid={os.environ['PGUSER']};"
                       f"Pwd={os.environ['PGPASSWORD']};Database={os.environ['PGDATABASE']};{options}")
    u = c.cursor()
    u.execute(SCHEMA)
    c.commit()
    u.execute("INSERT INTO customer (name, email, birth, amount, points, big, score, vip, made, photo, plain) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
              "Ada Löwe", "ada@example.org", datetime.date(1815, 12, 10), decimal.Decimal("12.50"), -7, 2**40, 0.5, True,
              datetime.datetime(1999, 12, 31, 23, 59, 59), b"\x00\xff'", "p")
    u.executemany("INSERT INTO customer (name, email, points) VALUES (?, ?, ?)", [(f"n{i}", f"n{i}@x", i) for i in range(20)])
    c.commit()
    u.execute("SELECT id, name, email, birth, amount, points, big, score, vip, made, photo, plain FROM customer ORDER BY id")
    print(u.description)
    print([tuple(r) for r in u.fetchall()])
    for name in ("Ada Löwe", "n3", "nobody"):
        print([tuple(r) for r in u.execute("SELECT id, amount FROM customer WHERE name = ?", name)])
    print(u.execute("UPDATE customer SET email = ? WHERE name = ?", "u@x", "n9").rowcount)
    c.rollback()
    print([tuple(r) for r in u.execute("SELECT email FROM customer WHERE name = ?", "n9")])
    for sql, values in (("INSERT INTO customer (name, email) VALUES (?, ?)", ("a", "ada@example.org")),
                        ("INSERT INTO customer (name) VALUES (?)", (None,))):
        try:
            u.execute(sql, values)
            print("no error")
        except pyodbc.Error as e:
            print(e.args[0])
        c.rollback()
    for r in u.columns(table="customer"):
        print(tuple(r)[2:22], tuple(r)[23:])  # the one between is the table's object id
    print([tuple(r)[2:] for r in u.primaryKeys(table="customer")], [tuple(r)[2:] for r in u.statistics(table="customer")],
          [tuple(r)[2:] for r in u.foreignKeys(foreignTable="line_item")], [tuple(r)[1:] for r in u.tables(table="customer")])
    u.execute("DROP TABLE line_item, customer")
    c.commit()
    c.close()
