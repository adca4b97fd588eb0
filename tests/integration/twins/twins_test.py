"""Brings up PostgreSQL, theriac-keyd and theriac-gateway, makes the twins, runs twin_runner."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "demo"))
os.environ.setdefault("THERIAC_VAR", tempfile.mkdtemp(prefix="theriac-twins-"))

from cluster import Cluster  # noqa: E402
from parts import Parts  # noqa: E402
from place import Place, program, say  # noqa: E402


def make_database(cluster, name):
    cluster.ask(f"CREATE DATABASE {name} OWNER erp_owner TEMPLATE types", database="postgres")
    connection = cluster.connect("dba", name)
    with connection.cursor() as cursor:
        cursor.execute("GRANT CREATE, USAGE ON SCHEMA public TO erp_owner")
        cursor.execute("GRANT CREATE ON DATABASE " + name + " TO erp_owner; SET ROLE erp_owner")
        cursor.execute((HERE / "schema.sql").read_text("utf-8"))
        cursor.execute((HERE / "rows.sql").read_text("utf-8"))
        cursor.execute("GRANT USAGE ON SCHEMA other TO erp_app;"
                       "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, other"
                       " TO erp_app; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO erp_app")
    connection.close()


def main():
    with Place("twins") as place:
        cluster = Cluster(place).start()
        parts = None
        try:
            cluster.make_roles()
            cluster.ask("CREATE DATABASE types TEMPLATE template0", database="postgres")
            connection = cluster.connect("dba", "types")
            with connection.cursor() as cursor:
                cursor.execute((HERE / "types.sql").read_text("utf-8"))
            connection.close()
            make_database(cluster, "plain")
            make_database(cluster, "sealed")
            policy = place.dir / "policy.yaml"
            policy.write_text((HERE / "policy.yaml").read_text("utf-8").replace("app:", "erp_app:"),
                              "utf-8")
            database = cluster.uri("dba", "sealed")
            parts = Parts(place, policy=policy, database=database, catalogue=database,
                          upstream=f"127.0.0.1:{cluster.port}")
            parts.prepare()
            parts.start_keyd()
            parts.protect()
            sealed = cluster.uri("erp_app", "sealed", parts.start_gateway().port)
            runs = [[os.environ["TWINS_FILE"]]] if "TWINS_FILE" in os.environ else [
                [HERE / "statements.sql"], [HERE / "sessions.sql", "sequence"]]
            failed = 0
            for run in runs:
                failed |= subprocess.run([program("twin_runner"), cluster.uri("erp_app", "plain"),
                                          sealed, *run], check=False).returncode
            if os.environ.get("TWINS_KEEP"):
                say(f"kept: gateway {sealed}")
                input("Enter ends it\n")
            parts.gateway.stop()
            code, verdict = parts.verify(parts.audit / "gateway")
            say(f"audit: {verdict}")
            if code != 0 or verdict["entries_unsigned"] != 0:
                say("FAILED: a gateway that was stopped leaves entries without a checkpoint")
                return 1
            return failed
        finally:
            if parts:
                parts.stop()
            cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
