"""SQLAlchemy: reflection, the unit of work, bulk inserts, upserts."""
import datetime
import decimal
import os
import pathlib

import sqlalchemy as sa
from sqlalchemy import orm

SCHEMA = pathlib.Path(__file__).with_name("schema.sql").read_text("utf-8")
engine = sa.create_engine("postgresql+psycopg2://", executemany_mode="values_plus_batch",
                          connect_args={"dbname": os.environ["PGDATABASE"]})
with engine.begin() as connection:
    connection.exec_driver_sql(SCHEMA)
inspector = sa.inspect(engine)
for table in inspector.get_table_names():
    for column in inspector.get_columns(table):
        print(table, {k: str(v) for k, v in column.items()})
    print(inspector.get_pk_constraint(table), inspector.get_foreign_keys(table), inspector.get_indexes(table),
          inspector.get_unique_constraints(table), inspector.get_check_constraints(table), inspector.get_table_comment(table))
print(inspector.get_view_names())
base = orm.declarative_base()
meta = sa.MetaData()
meta.reflect(engine)


class Customer(base):
    __table__ = meta.tables["customer"]
    items = orm.relationship("Item", backref="customer", cascade="all, delete-orphan", order_by="Item.id")


class Item(base):
    __table__ = meta.tables["line_item"]


with orm.Session(engine) as session:
    ada = Customer(name="Ada Löwe", email="ada@example.org", birth=datetime.date(1815, 12, 10), amount=decimal.Decimal("12.50"),
                   notes={"a": [1, None]}, tags=["x", None], photo=b"\x00\xff", score=0.1, points=-7,
                   items=[Item(buyer="Ada Löwe", quantity=3), Item(buyer=None)])
    session.add(ada)
    session.add_all(Customer(name=f"n{i}", email=f"n{i}@x", points=i) for i in range(30))
    session.commit()
    ada.name = "Augusta"
    ada.notes = {"b": 2}
    ada.items[1].buyer = "somebody"
    session.commit()
    print(session.query(Customer).filter_by(name="Augusta").one().notes, [i.buyer for i in ada.items])
    print([c.id for c in session.query(Customer).filter(Customer.name.in_(["n1", "n2", "n3"])).order_by(Customer.id)])
    print(session.execute(sa.select(Customer.name, sa.func.count(Item.id)).join(Item).group_by(Customer.id, Customer.name)).all())
    print(session.execute(sa.select(sa.func.count(sa.distinct(Customer.name)))).scalar())
    print(session.query(Customer).options(orm.joinedload(Customer.items)).filter(Customer.email == "ada@example.org").one().items[0].quantity)
    print(session.query(Customer).options(orm.selectinload(Customer.items)).filter(Customer.name != "n1").order_by(Customer.id).first().name)
    print(session.query(Customer).filter(Customer.email.is_(None)).count(), session.query(Customer).filter(Customer.email.isnot(None)).count())
    print(session.execute(sa.update(Customer).where(Customer.points > 20).values(name="late")).rowcount)
    print(session.query(Customer).filter(sa.exists().where(Item.buyer == Customer.name)).count())
    session.rollback()
    from sqlalchemy.dialects.postgresql import insert
    for name in ("up1", "up2"):
        session.execute(insert(Item).values(id=900, customer_id=3, buyer=name).on_conflict_do_update(index_elements=["id"], set_={"buyer": name}))
    session.commit()
    print(session.query(Item.buyer).filter_by(id=900).all())
    session.delete(ada)
    session.commit()
    print(session.query(Item).count())
    try:
        session.add(Customer(name="twice", email="n1@x"))
        session.commit()
    except sa.exc.IntegrityError as e:
        print(e.orig.pgcode, e.orig.diag.constraint_name)
        session.rollback()
    rows = session.connection().execution_options(stream_results=True, max_row_buffer=5).execute(
        sa.select(Customer.id, Customer.name).order_by(Customer.id))
    print([tuple(r) for r in rows])
meta.drop_all(engine)
