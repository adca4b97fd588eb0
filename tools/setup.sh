#!/bin/bash
# Installs what Theriac needs from Debian 12, and nothing else. The one place that names packages.
# usage: tools/setup.sh          what building, ./run and ./test need
#        tools/setup.sh all      and what ./test all needs besides
#        tools/setup.sh --list   names them
# Safe to repeat: when everything is there it says nothing, changes nothing and needs no rights.
# Works as root (a chroot without systemd too) or as a user with sudo; asks no questions.
set -euo pipefail

# package                why
packages='
clang-22                 the compiler (g++ 12 miscompiles coroutines); comes from bookworm-security
lld-22                   the linker
libclang-rt-22-dev       sanitizers and libFuzzer
clang-format-22          style check
clang-tidy-22            tools/ci.py tidy
libstdc++-12-dev         standard library
libc6-dev                C library
cmake                    build description
ninja-build              build
ccache                   the second build is fast
pkg-config               finds libraries
libboost1.81-dev         Asio 1.26: event loops
libssl-dev               TLS, X.509, Ed25519, SM2
libgcrypt20-dev          AES-GCM and SM4-GCM of short values
libargon2-dev            passphrases
libpg-query-dev          the grammar of PostgreSQL 15
libprotobuf-dev          its syntax trees
protobuf-compiler        their classes
libpq-dev                our own SQL
libsqlite3-dev           embedded store
libyaml-cpp-dev          policy and configuration
libxml2-dev              EPCIS in XML
nlohmann-json3-dev       JSON
libzint-dev              draws bar codes on labels
zlib1g-dev               streams in PNG and PDF
libcli11-dev             command lines
libfmt-dev               text
libexpected-dev          Result<T>
libgtest-dev             tests
libgmock-dev             tests
libbenchmark-dev         benchmarks
librapidcheck-dev        property tests
libzxing-dev             an independent decoder reads our bar codes back
libpng-dev               and pictures of labels
librsvg2-bin             SVG into pixels, in tests
poppler-utils            PDF into pixels and text, in tests
poppler-data             its tables of Chinese characters
qpdf                     checks the structure of our PDF, in tests
postgresql-15            the demonstration ERP, integration tests, pgbench
postgresql-client-15     psql
pgbouncer                the yardstick of the benchmarks
python3                  the scripts in demo/ and tools/
python3-zxing-cpp        reads labels back in ./run --check
python3-psycopg2         a client library that ERPs use
python3-yaml             policies in tests
openssl                  certificates in tests; opens what a line is given
curl                     a foreign client of our HTTP server, also for people
procps                   process figures in benchmarks
util-linux               runuser, setsid
tzdata                   time zones of PostgreSQL
'
# PostgreSQL's own regression suite is built from Debian's source package. Go with pgx and node with
# node-pg are tried too where somebody installed them.
packages_all='
postgresql-server-dev-15 pg_regress and the headers its module needs
gcc                      compiles that module
make                     by its makefile
bzip2                    unpacks the source
python3-jsonschema       the JSON schema of GS1, in a test of EPCIS documents
xsltproc                 the converter of GS1 for EPCIS 1.2, in the same test
libxml2-utils            xmllint: the XML schemas of GS1, in a test of EPCIS over HTTPS
faketime                 clocks that are set back, in tests of leases
sqlsmith                 random SQL from the catalogue, in tests of the gateway
libpostgresql-jdbc-java  client libraries that are tried through the gateway, from here on
openjdk-17-jdk-headless  runs the one before
python3-psycopg          psycopg 3
python3-asyncpg          binary, prepared, asks the catalogue for types
python3-sqlalchemy       reflection, unit of work
odbc-postgresql          psqlODBC
python3-pyodbc           its user
libdbd-pg-perl           Perl
ruby-pg                  Ruby
php-cli                  PHP
php-pgsql                its PDO and pgsql functions
'

case "${1:-}" in
  '') ;;
  all) packages+=$packages_all ;;
  --list) echo "$packages$packages_all" | sed '/^$/d'; exit 0 ;;
  *) sed -n '3,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
names=$(awk 'NF {print $1}' <<<"$packages")

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

missing=()
for name in $names; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ "$codename" = bookworm ] ||
  stop "this is not Debian 12 (bookworm). Install these by hand, then run again: ${missing[*]}"

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null ||
    stop "not root and no sudo. As root: apt-get install --no-install-recommends ${missing[*]}"
  as_root=(sudo)
fi
quietly() {  # shows the output only when the command fails
  local log rc=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || rc=$?
  [ $rc = 0 ] || tail -n 30 "$log" >&2
  rm -f "$log"
  return $rc
}
apt() {
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}
has_candidate() {  # not through a pipe: one that is read in part only counts as failed
  local policy
  policy=$(LC_ALL=C apt-cache policy "$1")
  [[ $policy == *Candidate:* && $policy != *'Candidate: (none)'* ]]
}

say "installing ${#missing[@]} Debian packages: ${missing[*]}"
apt update || stop "apt-get update failed: check the network and /etc/apt/sources.list"

# A minimal installation may lack the security archive, which is where clang-22 lives.
if ! has_candidate clang-22; then
  source=/etc/apt/sources.list.d/bookworm-security.sources
  say "the security archive of Debian 12 is not among the package sources; adding $source"
  "${as_root[@]}" tee "$source" >/dev/null <<SOURCES
Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
  apt update || stop "apt-get update failed after adding $source"
  has_candidate clang-22 || stop "clang-22 is in no package source; see $source"
fi

# PostgreSQL's package would make and start a cluster of its own; the demonstration brings another.
if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
  apt install -y --no-install-recommends postgresql-common
  settings=/etc/postgresql-common/createcluster.conf
  if [ -f "$settings" ] && ! grep -q '^create_main_cluster' "$settings"; then
    "${as_root[@]}" sed -i '$a create_main_cluster = false' "$settings"
    trap '"${as_root[@]}" sed -i "/^create_main_cluster = false\$/d" "$settings"' EXIT
  fi
fi
apt install -y --no-install-recommends "${missing[@]}" ||
  stop "installation failed; the messages above say why"
say "done"
