"""Django: migrations of its own user model, the ORM, inspectdb. The policy names the users' names and addresses."""
import io
import os

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"], USE_TZ=True, SECRET_KEY="a test",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}})
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, transaction  # noqa: E402
from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, Subquery, Value, When  # noqa: E402


def show(rows):
    print([tuple(row) if isinstance(row, (tuple, list)) else row for row in rows])


call_command("migrate", verbosity=0)
out = io.StringIO()
call_command("inspectdb", "auth_user", "auth_user_groups", stdout=out)
print(out.getvalue())
with connection.cursor() as cursor:
    for table in ("auth_user", "auth_group"):
        print(connection.introspection.get_constraints(cursor, table).keys(), connection.introspection.get_relations(cursor, table),
              connection.introspection.get_sequences(cursor, table), connection.introspection.get_primary_key_column(cursor, table))

ada = User.objects.create_user("ada", "ada@example.org", "secret", first_name="Ada", last_name="Löwe")
User.objects.bulk_create([User(username=f"u{i}", email=f"u{i}@x", first_name="Bo" if i % 2 else "Cy", last_name=f"L{i}") for i in range(30)])
User.objects.bulk_create([User(username="u1", email="other@x")], ignore_conflicts=True)
nurses = Group.objects.create(name="nurses")
nurses.user_set.add(ada, *User.objects.filter(first_name="Bo")[:3])
show(User.objects.filter(email="u7@x").values_list("username", "first_name", "last_name", "email"))
show(User.objects.filter(last_name__in=["L1", "L2", "zz"]).order_by("id").values_list("id", flat=True))
show(User.objects.filter(Q(first_name="Ada") | Q(email="u3@x")).exclude(last_name="L4").order_by("id").values_list("username", "email"))
show(User.objects.values("first_name").annotate(n=Count("id"), m=Min("id")).order_by("m").values_list("first_name", "n"))
show([User.objects.values("last_name").distinct().count(), User.objects.aggregate(n=Count("first_name", distinct=True))["n"]])
show(User.objects.filter(groups__name="nurses", first_name="Bo").order_by("id").values_list("email", flat=True))
show(Group.objects.filter(user__email="ada@example.org").values_list("name", flat=True))
show([u.first_name for u in User.objects.prefetch_related("groups").order_by("id")[:3]])
show([User.objects.get_or_create(email="new@x", defaults={"username": "new"})[1], User.objects.get_or_create(email="new@x", defaults={"username": "new2"})[1]])
show([User.objects.update_or_create(username="new", defaults={"email": "changed@x", "first_name": "Di"})[0].email])
show([User.objects.filter(first_name="Cy").update(first_name="Cyril"), User.objects.filter(last_name="L5").update(email="five@x", last_name="Fünf")])
users = list(User.objects.order_by("id")[3:7])
for user in users:
    user.last_name = user.last_name + "!"
User.objects.bulk_update(users, ["last_name", "email"])
show(User.objects.order_by("id").values_list("last_name", "email")[3:7])
show(User.objects.filter(Exists(User.objects.filter(first_name=OuterRef("first_name")).exclude(pk=OuterRef("pk")))).count() for _ in "1")
show(User.objects.annotate(other=Subquery(User.objects.filter(first_name=OuterRef("first_name")).order_by("id").values("email")[:1])).order_by("id").values_list("email", "other")[:4])
show(User.objects.annotate(kind=Case(When(first_name="Bo", then=Value("b")), default=Value("-"))).order_by("id").values_list("kind", flat=True)[:4])
User.objects.filter(pk=ada.pk).update(last_name=F("first_name"))
ada.refresh_from_db()
print(ada.last_name, ada.check_password("secret"), User.objects.filter(first_name=F("last_name")).count())
with transaction.atomic():
    show(User.objects.select_for_update().filter(email="u9@x").values_list("username", flat=True))
    try:
        with transaction.atomic():
            User.objects.create(username="u9", email="twice@x")
    except IntegrityError as e:
        print(e.__cause__.pgcode, e.__cause__.diag.constraint_name)
show(User.objects.order_by("id").values_list("email", flat=True).iterator(chunk_size=7))
show(User.objects.filter(email="u1@x").union(User.objects.filter(email="u2@x")).order_by("id").values_list("username", flat=True))
show(User.objects.in_bulk([ada.pk])[ada.pk].email for _ in "1")
print(User.objects.filter(first_name="Bo").delete()[0], User.objects.count(), User.objects.filter(email__isnull=True).exists())
with connection.schema_editor() as editor:
    field = User._meta.get_field("email")
    wider = field.clone()
    wider.max_length = 300
    wider.set_attributes_from_name("email")
    editor.alter_field(User, field, wider)
print(User.objects.get(email="u6@x").last_name)
