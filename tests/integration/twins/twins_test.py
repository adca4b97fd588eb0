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
from place import Place, program, free_port, say  # noqa: E402
from processes import Service  # noqa: E402


def run(*argv):
    done = subprocess.run([str(a) for a in argv], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{argv[0]} {argv[1]}: {done.stdout}{done.stderr}")
    return done.stdout


def make_database(cluster, name):
    cluster.ask(f"CREATE DATABASE {name} OWNER erp_owner TEMPLATE template0", database="postgres")
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
        services = []
        try:
            cluster.make_roles()
            make_database(cluster, "plain")
            make_database(cluster, "sealed")
            policy = place.dir / "policy.yaml"
            policy.write_text((HERE / "policy.yaml").read_text("utf-8").replace("app:", "erp_app:"),
                              "utf-8")
            passphrase = place.passphrase_file()
            keyd_port, gateway_port = free_port(), free_port()
            state = place.dir / "keyd"
            run(program("theriac-keyd"), "init", "--state", state, "--passphrase-file", passphrase,
                "--tenant", "twins")
            for name, role in (("protector", "protector"), ("gateway", "gateway")):
                run(program("theriac-keyd"), "enrol", "--state", state, "--passphrase-file",
                    passphrase, "--name", name, "--role", role, "--out", place.dir / name)
            services.append(Service(place, "keyd", [
                program("theriac-keyd"), "serve", "--state", state, "--listen",
                f"127.0.0.1:{keyd_port}", "--passphrase-file", passphrase], keyd_port).start())
            database = cluster.uri("dba", "sealed")
            run(program("theriac"), "protect", "--policy", policy, "--database", database, "--keyd",
                f"127.0.0.1:{keyd_port}", "--cert", place.dir / "protector", "--yes")
            services.append(Service(place, "gateway", [
                program("theriac-gateway"), "--listen", f"127.0.0.1:{gateway_port}", "--upstream",
                f"127.0.0.1:{cluster.port}", "--mode", "enforce", "--policy", policy, "--keyd",
                f"127.0.0.1:{keyd_port}", "--cert", place.dir / "gateway", "--catalogue", database,
                "--audit", place.dir / "audit"], gateway_port).start())
            runner = subprocess.run(
                [program("twin_runner"), cluster.uri("erp_app", "plain"),
                 cluster.uri("erp_app", "sealed", gateway_port),
                 os.environ.get("TWINS_FILE", HERE / "statements.sql")], check=False)
            if os.environ.get("TWINS_KEEP"):
                say(f"kept: gateway {cluster.uri('erp_app', 'sealed', gateway_port)}")
                input("Enter ends it\n")
            services.pop().stop()
            verified = run(program("theriac"), "audit", "verify", place.dir / "audit")
            say(verified.strip())
            if "not yet signed" in verified:
                say("FAILED: a gateway that was stopped leaves entries without a checkpoint")
                return 1
            return runner.returncode
        finally:
            for service in reversed(services):
                service.stop()
            cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
