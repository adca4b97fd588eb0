"""SQLAlchemy's and Django's reflection of a whole database, as text."""
import importlib.util
import urllib.parse


def available():
    """(name, function of a URI) of each library that is installed."""
    found = []
    if importlib.util.find_spec("sqlalchemy"):
        found.append(("SQLAlchemy", sqlalchemy))
    if importlib.util.find_spec("django"):
        found.append(("Django", django))
    return found


def sqlalchemy(uri):
    from sqlalchemy import MetaData, create_engine, inspect
    from sqlalchemy.schema import CreateTable
    engine = create_engine(uri.replace("postgres://", "postgresql+psycopg2://"))
    look = inspect(engine)
    out = []
    for schema in look.get_schema_names():
        if schema == "information_schema":
            continue
        # In the order in which they lie in pg_class: SQLAlchemy asks for none.
        views = sorted(look.get_view_names(schema))
        out += [(view, look.get_columns(view, schema), look.get_view_definition(view, schema)) for view in views]
        out += [schema, look.get_sequence_names(schema),
                [(e["name"], e["labels"]) for e in look.get_enums(schema)]]
        for table in sorted(look.get_table_names(schema)):
            out += [table, look.get_columns(table, schema), look.get_pk_constraint(table, schema),
                    look.get_foreign_keys(table, schema),
                    sorted(map(str, look.get_check_constraints(table, schema))),
                    sorted(map(str, look.get_indexes(table, schema))),
                    sorted(map(str, look.get_unique_constraints(table, schema))),
                    look.get_table_comment(table, schema)]
    meta = MetaData()
    meta.reflect(engine)
    # Constraints come in the order in which they lie in pg_constraint.
    out += [sorted(line.rstrip(", ") for line in str(CreateTable(table)).splitlines()) for table in meta.sorted_tables]
    engine.dispose()
    return "\n".join(map(str, out))


def django(uri):
    from django.db.backends.postgresql.base import DatabaseWrapper
    parts = urllib.parse.urlsplit(uri)
    settings = {"ENGINE": "django.db.backends.postgresql", "NAME": parts.path[1:],
                "USER": parts.username, "PASSWORD": parts.password, "HOST": parts.hostname,
                "PORT": parts.port, "OPTIONS": {}, "TIME_ZONE": None, "CONN_MAX_AGE": 0,
                "AUTOCOMMIT": True, "ATOMIC_REQUESTS": False,
                "TEST": {}, "DISABLE_SERVER_SIDE_CURSORS": False}
    from django.conf import settings as global_settings
    if not global_settings.configured:
        global_settings.configure(USE_TZ=True)
    wrapper = DatabaseWrapper(settings, "twin")
    out = []
    with wrapper.cursor() as cursor:
        look = wrapper.introspection
        for table in sorted(look.get_table_list(cursor), key=lambda t: t.name):
            out += [table, look.get_table_description(cursor, table.name),
                    look.get_relations(cursor, table.name),
                    look.get_sequences(cursor, table.name),
                    sorted(look.get_constraints(cursor, table.name).items())]
    wrapper.close()
    return "\n".join(map(str, out))
