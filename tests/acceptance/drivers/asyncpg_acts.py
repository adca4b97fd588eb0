"""asyncpg: everything binary, types asked of the catalogue, statements prepared and kept."""
import asyncio
import datetime
import decimal
import json
import os
import pathlib
import uuid

import asyncpg

SCHEMA = pathlib.Path(__file__).with_name("schema.sql").read_text("utf-8")


async def error(of):
    try:
        await of
        print("no error")
    except asyncpg.PostgresError as e:
        print(type(e).__name__, e.sqlstate, getattr(e, "constraint_name", None), getattr(e, "column_name", None))


async def main():
    c = await asyncpg.connect(database=os.environ["PGDATABASE"])
    await c.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    await c.execute(SCHEMA)
    utc = datetime.timezone.utc
    insert = """INSERT INTO customer (name, email, birth, amount, points, big, score, vip, notes, tags, ref, seen, made,
                photo, plain) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15) RETURNING id"""
    row = ["Ada Löwe", "ada@example.org", datetime.date(1815, 12, 10), decimal.Decimal("12.50"), -7, 2**62, 0.1, True,
           {"b": [1, None], "a": "é"}, ["x", None, 'q"'], uuid.UUID(int=2**100 + 1),
           datetime.datetime(2024, 2, 29, 12, 0, 1, 5, utc), datetime.datetime(1999, 12, 31, 23, 59, 59), b"\x00\xff'", "p"]
    print(await c.fetchval(insert, *row))
    print(await c.fetchval(insert, "王小明", None, *[None] * 13))
    await c.executemany("INSERT INTO customer (name, email, points) VALUES ($1, $2, $3)",
                        [(f"n{i}", f"n{i}@x", i) for i in range(40)])
    for r in await c.fetch("SELECT * FROM customer ORDER BY id LIMIT 4"):
        print(dict(r))
    statement = await c.prepare("SELECT id, name, email, birth, amount, notes, tags, ref, seen, photo FROM customer WHERE name = $1")
    print([(p.name) for p in statement.get_parameters()], [(a.name, a.type.name) for a in statement.get_attributes()])
    for name in ("Ada Löwe", "王小明", "nobody", "n7") * 2:
        print([tuple(r) for r in await statement.fetch(name)])
    print([r["id"] for r in await c.fetch("SELECT id FROM customer WHERE name = ANY($1) ORDER BY id", ["n1", "n2", "zz"])])
    print([r[0] for r in await c.fetch("SELECT id FROM customer WHERE email = $1 AND points = $2", "n3@x", 3)])
    print(await c.execute("UPDATE customer SET amount = $1, notes = $2 WHERE name = $3", decimal.Decimal("99999.99"), [1], "n4"))
    print(await c.fetchrow("UPDATE customer SET name = $1 WHERE id = $2 RETURNING id, name", "new", 5))
    print(await c.execute("UPDATE customer SET score = $1 WHERE points < $2", 2.5, 10))
    async with c.transaction():
        await c.execute("INSERT INTO line_item (customer_id, buyer) SELECT id, name FROM customer WHERE points = 9")
        try:
            async with c.transaction():
                await c.execute("DELETE FROM customer")
                raise RuntimeError
        except RuntimeError:
            pass
        names = []
        async for r in c.cursor("SELECT name FROM customer ORDER BY id", prefetch=7):
            names.append(r[0])
        print(names)
    print([tuple(r) for r in await c.fetch("SELECT l.buyer, c.email FROM line_item l JOIN customer c ON c.name = l.buyer")])
    await error(c.fetchval(insert, "again", "ada@example.org", *[None] * 13))
    await error(c.execute("INSERT INTO customer (name) VALUES ($1)", None))
    await error(c.execute("INSERT INTO customer (name, email) VALUES ($1, $2)", "n", "x" * 81))
    await error(c.execute("INSERT INTO line_item (customer_id) VALUES ($1)", 4711))
    await error(c.execute("INSERT INTO customer (nam) VALUES ($1)", "n"))
    print(await c.copy_records_to_table("customer", columns=["name", "email", "points", "birth"],
                                        records=[(f"c{i}", f"c{i}@y", i, datetime.date(2000, 1, 1)) for i in range(30)]))
    out = []

    async def take(data):
        out.append(data)
    print(await c.copy_from_query("SELECT name, email FROM customer WHERE name = $1", "c3", output=take, format="csv"), b"".join(out))
    out.clear()
    print(await c.copy_from_table("line_item", columns=["buyer", "quantity"], output=take, format="text"), b"".join(out))
    print(await c.fetchval("SELECT count(DISTINCT name) FROM customer"))
    print(await c.execute("DELETE FROM customer WHERE name = $1", "Ada Löwe"))
    await c.execute("DROP TABLE line_item, customer")
    await c.close()

asyncio.run(main())
