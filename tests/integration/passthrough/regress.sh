#!/bin/bash
# PostgreSQL 15's own regression suite, directly and through the gateway in pass-through, on one
# private cluster: both must give the same results and the same differences from PostgreSQL's
# expectations.
#
# usage: regress.sh            the whole parallel schedule, about 210 SQL files, twice
#        regress.sh --prepare  only fetches and builds what the suite needs; says where it lies
#   THERIAC_BIN   folder of theriac-gateway (default: build/release/bin)
#   CACHE         where PostgreSQL's source is kept between runs (default: /var/tmp/theriac-regress-UID)
# needs: postgresql-15, postgresql-server-dev-15, make, gcc, and package sources of the machine's apt.
# exit: 0 same, 1 different, 77 skipped (no source to be had), as ctest reads it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${THERIAC_BIN:-$here/../../../build/release/bin}
cache=${CACHE:-/var/tmp/theriac-regress-$UID}
pg=/usr/lib/postgresql/15
jobs=20

as_postgres() { if [ "$UID" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }
skip() { echo "skipped: $*"; exit 77; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# --- the suite's files: Debian's source package of the installed version -------------------------

fetch_source() {
  [ -x $pg/lib/pgxs/src/test/regress/pg_regress ] || skip "postgresql-server-dev-15 is missing"
  [ -f "$cache/src/src/test/regress/parallel_schedule" ] && return
  local version lists
  version=$(dpkg-query -W -f '${Version}' postgresql-15)
  mkdir -p "$cache/apt/lists/partial" "$cache/apt/cache/archives/partial" "$cache/tar" "$cache/src"
  # The machine's own sources as deb-src, without changing /etc/apt.
  lists="$cache/apt/src.sources"
  if ! sed -e 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources > "$lists" 2>/dev/null; then
    lists="$cache/apt/src.list"
    sed -nE 's/^deb (.*)/deb-src \1/p' /etc/apt/sources.list > "$lists"
  fi
  local options=(-o Dir::Etc::sourcelist="$lists" -o Dir::Etc::sourceparts=-
    -o Dir::State::lists="$cache/apt/lists" -o Dir::Cache="$cache/apt/cache")
  apt-get "${options[@]}" update -qq || skip "the package sources cannot be reached"
  # The installed version's, else another one of the same major version: what counts is that both
  # runs see the same.
  local offered
  offered=$(apt-cache "${options[@]}" showsrc postgresql-15 | sed -n 's/^Version: //p' | sort -Vr)
  for candidate in "$version" $offered; do
    (cd "$cache/tar" && apt-get "${options[@]}" source -qq --download-only --tar-only \
      "postgresql-15=$candidate") && break
    candidate=
  done
  [ -n "$candidate" ] || skip "no source package postgresql-15"
  echo "source of the suite: $candidate, server: $version"
  tar -xf "$cache"/tar/postgresql-15_*.orig.tar.* -C "$cache/src" --strip-components=1
}

build_library() {
  local lib=$cache/lib
  if [ ! -f "$lib/regress.so" ]; then
    mkdir -p "$lib"
    cp "$cache/src/src/test/regress/regress.c" "$lib/"
    printf 'MODULES=regress\nPG_CONFIG=%s/bin/pg_config\nPGXS:=$(shell $(PG_CONFIG) --pgxs)\ninclude $(PGXS)\n' \
      $pg > "$lib/Makefile"
    make -C "$lib" with_llvm=no > "$lib/build.log" 2>&1 || { cat "$lib/build.log"; exit 1; }
  fi
  for module in autoinc refint; do ln -sf $pg/lib/$module.so "$lib/$module.so"; done
  chmod -R a+rX "$cache"
}

# --- a private cluster with a superuser "regress_admin" over TCP ---------------------------------

start_cluster() {
  work=$(mktemp -d /var/tmp/theriac-regress-run-XXXXXX)
  chmod 755 "$work"
  port=$(free_port)
  install -d -m 700 "$work/data"
  install -d -m 777 "$work/socket"
  [ "$UID" = 0 ] && chown postgres "$work/data" "$work/socket"
  as_postgres $pg/bin/initdb -D "$work/data" -U postgres -E UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256 --no-sync > "$work/initdb.log"
  cat >> "$work/data/postgresql.conf" <<C
listen_addresses='127.0.0.1'
port=$port
unix_socket_directories='$work/socket'
max_connections=200
shared_buffers=256MB
fsync=off
synchronous_commit=off
full_page_writes=off
max_prepared_transactions=50
max_wal_size=4GB
max_locks_per_transaction=256
log_timezone=UTC
timezone='UTC'
C
  as_postgres $pg/bin/pg_ctl -D "$work/data" -w -l "$work/socket/log" start > /dev/null
  admin postgres -c "create role admin_of_suite superuser login password 'suite'" > /dev/null
}
admin() {
  local database=$1
  shift
  $pg/bin/psql -h "$work/socket" -p "$port" -U postgres -qAtX -d "$database" "$@"
}
stop_all() {
  [ -n "${gateway_pid:-}" ] && kill -9 "$gateway_pid" 2>/dev/null
  as_postgres $pg/bin/pg_ctl -D "$work/data" -m immediate stop > /dev/null 2>&1
  rm -rf "$work"
}

# --- one run -------------------------------------------------------------------------------------

prepare_database() {
  admin postgres -c "select format('rollback prepared %L', gid) from pg_prepared_xacts" |
    while read -r statement; do admin regression -c "$statement" || true; done
  admin postgres -c "drop database if exists regression with (force)"
  admin postgres -c "select format('drop role if exists %I', rolname) from pg_roles where rolname like 'regress\_%'" |
    while read -r statement; do admin postgres -c "$statement" 2> /dev/null || true; done
  admin postgres -c "create database regression template template0 lc_collate 'C' lc_ctype 'C' encoding 'UTF8'"
  admin postgres -c "
    alter database regression set lc_messages='C'; alter database regression set lc_monetary='C';
    alter database regression set lc_numeric='C'; alter database regression set lc_time='C';
    alter database regression set bytea_output='hex';
    alter database regression set timezone_abbreviations='Default';
    alter database regression set intervalstyle='postgres_verbose';
    alter database regression set timezone='PST8PDT'; alter database regression set datestyle='Postgres, MDY'"
}

# run_suite NAME PORT: results in $work/NAME, always made in the same folder, whose name the tests see
run_suite() {
  local name=$1 at=$2 out=$work/out suite=$cache/src/src/test/regress
  prepare_database
  mkdir -p "$out/in" "$out/results"
  chmod a+rwx "$out" "$out/results"
  ln -s "$suite/sql" "$suite/data" "$suite/expected" "$suite/parallel_schedule" "$out/in/"
  [ -f "$suite/resultmap" ] && ln -s "$suite/resultmap" "$out/in/"
  (cd "$out" && PGPASSWORD=suite $pg/lib/pgxs/src/test/regress/pg_regress --bindir=$pg/bin \
    --inputdir="$out/in" --outputdir="$out" --dlpath="$cache/lib" --use-existing --host=127.0.0.1 \
    --port="$at" --user=admin_of_suite --dbname=regression --max-concurrent-tests=$jobs \
    --max-connections=$jobs --schedule="$suite/parallel_schedule" > "$out/run.log" 2>&1) || true
  mv "$out" "$work/$name"
  sed -nE 's/^(test |[ ]+)([a-z0-9_]+) +\.\.\. (ok|FAILED|failed).*/\2 \3/p' "$work/$name/run.log" |
    sort > "$work/$name/verdicts"
  echo "$name: $(grep -c ' ok' "$work/$name/verdicts") ok, not ok: $(grep -v ' ok' "$work/$name/verdicts" | cut -d' ' -f1 | tr '\n' ' ')"
}

start_gateway() {
  "$bin/theriac-gateway" --listen 127.0.0.1:0 --upstream "127.0.0.1:$port" --mode passthrough \
    --threads 2 > "$work/gateway.log" 2>&1 &
  gateway_pid=$!
  # grep ends at the line it wants, tail by the broken pipe.
  (set +o pipefail; tail -n +1 -f --pid=$gateway_pid "$work/gateway.log" | grep -m1 -q '^listening on')
  gateway_port=$(sed -n 's/^listening on .*://p' "$work/gateway.log")
}

fetch_source
build_library
if [ "${1:-}" = --prepare ]; then
  echo "prepared: $cache"
  exit 0
fi
start_cluster
trap stop_all EXIT
run_suite direct "$port"
start_gateway
run_suite gateway "$gateway_port"

different=$(diff -rq "$work/direct/results" "$work/gateway/results" || true)
verdicts=$(diff "$work/direct/verdicts" "$work/gateway/verdicts" || true)
if [ -n "$different$verdicts" ]; then
  # A test whose output differs between two direct runs says nothing about the gateway.
  echo "the runs differ; a second direct run shows which tests differ by themselves"
  run_suite again "$port"
  failed=0
  for file in $(cd "$work/direct/results" && ls); do
    cmp -s "$work/direct/results/$file" "$work/gateway/results/$file" && continue
    if cmp -s "$work/again/results/$file" "$work/gateway/results/$file" ||
      ! cmp -s "$work/direct/results/$file" "$work/again/results/$file"; then
      echo "differs by itself: $file"
    else
      echo "differs through the gateway: $file"
      diff -u "$work/direct/results/$file" "$work/gateway/results/$file" | head -40 || true
      failed=1
    fi
  done
  [ "$(wc -l < "$work/direct/verdicts")" = "$(wc -l < "$work/gateway/verdicts")" ] || failed=1
  [ $failed = 0 ] || exit 1
fi
[ "$(grep -c ' ok' "$work/direct/verdicts")" -gt 150 ] || { tail -20 "$work/direct/run.log"; exit 1; }
echo "same results and same differences through the gateway"
