"""./run --erp URI --policy FILE: the same for a database of your own.

The URI is that of a superuser of the database, because columns are added and rights changed. Nothing
is sealed before you said yes; ./run undo --erp URI --policy FILE takes it back.
"""
import hashlib
import pathlib
import subprocess
import sys

import psycopg2
import yaml

from parts import Parts
from place import Failed, Place, program, say
from stage import GATEWAY_ROLE, interruptible, require
from story import wait_for_the_end

LEASE_S = 60


class OwnDatabase:
    def __init__(self, uri):
        self.uri = uri
        try:
            self.parts = psycopg2.extensions.parse_dsn(uri)
            self.connection = psycopg2.connect(uri, connect_timeout=10)
        except psycopg2.Error as error:
            raise Failed(f"{str(error).strip().splitlines()[0]}") from None
        self.connection.autocommit = True
        info = self.connection.info
        self.host, self.port, self.name = info.host or "/var/run/postgresql", info.port, info.dbname
        require(150_000 <= info.server_version < 160_000,
                f"this is PostgreSQL {info.server_version // 10_000}; Theriac speaks 15")
        require(self.ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0][0],
                "this account is no superuser; sealing adds columns and changes rights")

    def ask(self, sql, args=None):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, args)
            return cursor.fetchall() if cursor.description else []

    def place_name(self):
        text = f"{self.host}:{self.port}/{self.name}"
        return f"erp-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def upstream(self):
        return self.host if self.host.startswith("/") else f"{self.host}:{self.port}"

    def upstream_tls(self):
        mode = self.parts.get("sslmode")
        return mode if mode in ("require", "verify-ca", "verify-full") else None

    def sealed(self):
        if not self.ask("SELECT to_regclass('theriac.columns') IS NOT NULL")[0][0]:
            return 0
        return self.ask("SELECT count(*) FROM theriac.columns WHERE state = 'sealed'")[0][0]

    def gateway_conninfo(self, password):
        """The gateway's own account: reads the catalogue, nothing else. Made or given a new password."""
        verifier = psycopg2.extensions.encrypt_password(password, GATEWAY_ROLE, self.connection,
                                                        "scram-sha-256")
        exists = self.ask("SELECT 1 FROM pg_roles WHERE rolname = %s", (GATEWAY_ROLE,))
        self.ask(f"{'ALTER' if exists else 'CREATE'} ROLE {GATEWAY_ROLE} LOGIN PASSWORD %s", (verifier,))
        keep = {k: v for k, v in self.parts.items() if k.startswith("ssl")}
        return psycopg2.extensions.make_dsn(host=self.host, port=self.port, dbname=self.name,
                                            user=GATEWAY_ROLE, password=password, **keep)


def confirmed(columns, args):
    if args.yes:
        return True
    require(sys.stdin.isatty(), "sealing asks first: run it in a terminal, or add --yes")
    say(f"Seal {columns} columns now? Programs cannot use these tables until it is done. [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def run(args):
    policy = pathlib.Path(args.policy).resolve()
    require(policy.is_file(), f"{args.policy}: no such file")
    database = OwnDatabase(args.erp)
    with Place(database.place_name()) as place, interruptible():
        parts = Parts(place, policy=policy, database=args.erp, upstream=database.upstream(),
                      upstream_tls=database.upstream_tls(),
                      catalogue=database.gateway_conninfo(place.password(GATEWAY_ROLE)),
                      lease_s=LEASE_S)
        try:
            return seal_or_undo(args, database, parts)
        finally:
            parts.stop()


def seal_or_undo(args, database, parts):
    policy_columns = len(yaml.safe_load(parts.policy.read_text("utf-8")).get("columns", []))
    if subprocess.run([program("theriac"), "policy", "check", parts.policy, "--database", args.erp],
                      check=False).returncode != 0:
        raise Failed("the policy does not fit the database; see above")
    parts.prepare()
    parts.start_keyd()
    if args.undo:
        parts.unprotect(show=True)
        say(f"{database.name} is plain again")
        return 0
    if database.sealed() < policy_columns:
        if not confirmed(policy_columns, args):
            say("nothing was changed")
            return 0
        report = parts.protect(show=True) or {}
        say("  may still hold plain values: the server's memory, until PostgreSQL is restarted")
        for line in report.get("remains", []):
            say(f"  may still hold plain values: {line}")
    gateway = parts.start_gateway()
    say(f"{database.sealed()} columns are sealed. Give your program this address instead of the server's:")
    say(f"  host=127.0.0.1 port={gateway.port} dbname={database.name}")
    say(f"Ctrl-C stops it. ./run undo --erp ... --policy {args.policy} takes it back."
        f" State and keys: {parts.place.dir}; without the passphrase there nothing opens.")
    if not args.once:
        wait_for_the_end()
    return 0
