"""What an application on SQLAlchemy does to the ERP's tables. Yields what it saw, step by step."""
import datetime
import decimal

from sqlalchemy import (BigInteger, Column, Date, ForeignKey, Integer, MetaData, Numeric, SmallInteger, String,
                        Text, create_engine, exists, func, insert, inspect, select, text, update)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, selectinload, subqueryload

Base = declarative_base()


class Distributor(Base):
    __tablename__ = "distributors"
    id = Column(Integer, primary_key=True)
    name = Column(Text)
    customers = relationship("Customer", order_by="Customer.id", back_populates="distributor")


class Customer(Base):
    __tablename__ = "customers"
    id = Column(BigInteger, primary_key=True)
    name = Column(Text)
    kind = Column(String(20))
    province = Column(Text)
    distributor_id = Column(ForeignKey("distributors.id"))
    contact_name = Column(String(80))
    contact_id_number = Column(String(18))
    contact_phone = Column(Text)
    credit_limit = Column(Numeric(14, 2))
    note = Column(Text)
    distributor = relationship(Distributor, back_populates="customers")
    orders = relationship("Order", order_by="Order.id", back_populates="customer")


class Order(Base):
    __tablename__ = "sales_orders"
    id = Column(BigInteger, primary_key=True)
    order_no = Column(String(20))
    customer_id = Column(ForeignKey("customers.id"))
    ordered_on = Column(Date)
    status = Column(String(12))
    version = Column(Integer, nullable=False)
    customer = relationship(Customer, back_populates="orders")
    lines = relationship("Line", order_by="Line.line_no", cascade="all, delete-orphan")
    __mapper_args__ = {"version_id_col": version}


class Line(Base):
    __tablename__ = "order_lines"
    order_id = Column(ForeignKey("sales_orders.id"), primary_key=True)
    line_no = Column(SmallInteger, primary_key=True)
    device_id = Column(Integer)
    quantity = Column(Integer)
    unit_price = Column(Numeric(12, 2))


class Supplier(Base):
    __tablename__ = "suppliers"
    id = Column(Integer, primary_key=True)
    name = Column(Text)
    contact_name = Column(String(80))
    contact_email = Column(Text)
    tags = Column(ARRAY(Text))


class User(Base):
    __tablename__ = "app_users"
    id = Column(Integer, primary_key=True)
    login = Column(String(40))
    full_name = Column(Text)
    email = Column(Text)
    password_hash = Column(Text)
    duty = Column(String(20))
    settings = Column(JSONB)


def shown(customer):
    return (customer.id, customer.name, customer.contact_name, customer.contact_phone, customer.credit_limit)


def work(uri):
    engine = create_engine(uri, connect_args={"application_name": "orm"})
    yield from reflection(engine)
    with Session(engine) as session:
        yield from reading(session)
        yield from writing(session)
        yield from bulk(session)
    with engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True, max_row_buffer=50).execute(
            select(Customer.id, Customer.contact_name).order_by(Customer.id))
        yield "server-side cursor", [tuple(r) for r in streamed]
    engine.dispose()


def reflection(engine):
    look = inspect(engine)
    for table in sorted(look.get_table_names()):
        yield f"reflect {table}", str([look.get_columns(table), look.get_pk_constraint(table),
                                       look.get_foreign_keys(table), look.get_indexes(table),
                                       look.get_unique_constraints(table), look.get_check_constraints(table),
                                       look.get_table_comment(table)])
    # In the order in which they lie in pg_class.
    views = sorted(look.get_view_names())
    yield "views, sequences", (views, sorted(look.get_sequence_names()),
                               [look.get_view_definition(v) for v in views])
    meta = MetaData()
    meta.reflect(engine)
    yield "reflect all", sorted(meta.tables)


def reading(session):
    yield "get", shown(session.get(Customer, 1))
    by_name = select(Customer).where(Customer.contact_name == "张伟").order_by(Customer.id)
    yield "filter", [shown(c) for c in session.scalars(by_name)]
    yield "in", [c.id for c in session.scalars(
        select(Customer).where(Customer.contact_name.in_(["张伟", "Ben Baker"])).order_by(Customer.id))]
    yield "is null", session.scalars(
        select(Customer.id).where(Customer.contact_phone.is_(None)).order_by(Customer.id)).all()
    for name, how in (("joined", joinedload), ("select in", selectinload), ("sub-query", subqueryload)):
        session.expunge_all()
        found = session.scalars(select(Distributor).options(how(Distributor.customers)).where(
            Distributor.id < 4).order_by(Distributor.id)).unique().all()
        yield f"{name} loading", [(d.id, [shown(c) for c in d.customers]) for d in found]
    yield "lazy loading", [(o.order_no, o.customer.contact_name) for o in session.scalars(
        select(Order).where(Order.id < 10).order_by(Order.id))]
    yield "count", session.scalar(select(func.count()).select_from(Customer).where(Customer.contact_name == "张伟"))
    yield "exists", session.scalar(select(exists().where(Customer.contact_id_number == "x")))
    yield "page", [shown(c) for c in session.scalars(select(Customer).order_by(Customer.id).limit(7).offset(21))]
    yield "group", [tuple(r) for r in session.execute(
        select(Customer.province, func.count(Customer.contact_phone)).group_by(Customer.province).order_by(
            Customer.province))]
    latest = select(func.max(Order.id)).where(Order.customer_id == Customer.id).scalar_subquery()
    yield "scalar sub-query", [tuple(r) for r in session.execute(
        select(Customer.id, Customer.contact_name, latest).where(Customer.id < 12).order_by(Customer.id))]
    yield "json and array", [tuple(r) for r in session.execute(
        select(User.login, User.full_name, User.settings["lang"].astext).where(User.id < 4).order_by(User.id))]


def writing(session):
    session.rollback()
    customer = Customer(name="示例 orm", kind="clinic", province="orm", contact_name="Olga Potter",
                        contact_phone="100-0101-0101", credit_limit=decimal.Decimal("12345.60"))
    customer.orders.append(Order(order_no="SO-ORM-1", ordered_on=datetime.date(2026, 3, 6), status="open", lines=[
        Line(line_no=1, device_id=1, quantity=3, unit_price=decimal.Decimal("9.90")),
        Line(line_no=2, device_id=2, quantity=1, unit_price=decimal.Decimal("19.90"))]))
    session.add(customer)
    session.flush()
    yield "flush", shown(customer)
    session.commit()
    yield "after commit", (shown(customer), [(l.line_no, l.quantity) for l in customer.orders[0].lines])
    customer.contact_name = "Olga Turner"
    customer.orders[0].status = "paid"
    del customer.orders[0].lines[1]
    session.commit()
    session.expire_all()
    yield "updated", (shown(customer), customer.orders[0].version, len(customer.orders[0].lines))
    with session.begin_nested():
        customer.contact_phone = None
        session.flush()
    nested = session.begin_nested()
    customer.contact_name = "undone"
    session.flush()
    nested.rollback()
    session.refresh(customer)
    yield "savepoints", shown(customer)
    yield "locked", shown(session.scalars(
        select(Customer).where(Customer.id == customer.id).with_for_update()).one())
    session.delete(customer.orders[0])
    session.flush()
    session.delete(customer)
    session.commit()
    yield "deleted", session.scalar(select(func.count()).select_from(Customer).where(Customer.province == "orm"))


def bulk(session):
    rows = [{"name": f"orm {i}", "contact_name": f"Name {i % 3}", "contact_email": f"o{i}@supplier.example",
             "tags": ["orm"]} for i in range(40)]
    session.execute(insert(Supplier), rows)
    session.bulk_save_objects([Supplier(name=f"orm b{i}", contact_name=f"Bulk {i}", tags=["orm"]) for i in range(5)])
    yield "bulk insert", [tuple(r) for r in session.execute(
        select(Supplier.name, Supplier.contact_name, Supplier.contact_email).where(
            Supplier.tags.contains(["orm"])).order_by(Supplier.id))]
    session.execute(update(Supplier).where(Supplier.contact_name == "Name 1").values(contact_email=None))
    known = upsert(User).values(login="user3", full_name="x", email="orm3@erp.example", password_hash="y", duty="sales")
    session.execute(known.on_conflict_do_update(index_elements=[User.login], set_={
        "full_name": known.excluded.full_name, "email": known.excluded.email}))
    yield "upsert", [tuple(r) for r in session.execute(
        select(User.login, User.full_name, User.email).where(User.login == "user3"))]
    yield "text", [tuple(r) for r in session.execute(text(
        "SELECT count(*) FROM suppliers WHERE contact_name = :name AND contact_email IS NULL"), {"name": "Name 1"})]
    session.rollback()
