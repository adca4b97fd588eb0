# Every library we link, from Debian 12, and why. The packages are installed by tools/setup.sh.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)                      # TLS, X.509, Ed25519, HKDF, SM2
pkg_check_modules(GCRYPT REQUIRED IMPORTED_TARGET libgcrypt)   # AES-GCM, SM4-GCM, HMAC of short values
pkg_check_modules(ARGON2 REQUIRED IMPORTED_TARGET libargon2)   # passphrases
pkg_check_modules(XML2 REQUIRED IMPORTED_TARGET libxml-2.0)       # EPCIS in XML
find_library(ZINT_LIBRARY zint REQUIRED)              # bar codes
find_path(ZINT_INCLUDE zint.h REQUIRED)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)          # PNG and PDF streams
find_package(ZXing REQUIRED)                            # reads bar codes back, in tests
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)         # reads pictures back, in tests
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)     # embedded store
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)        # our own SQL
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-cpp)      # policy and configuration
pkg_check_modules(FMT REQUIRED IMPORTED_TARGET fmt)            # text
find_package(nlohmann_json REQUIRED)                    # JSON outside hot paths
find_package(Boost 1.81 EXACT REQUIRED)                 # Asio 1.26, headers only
find_package(Protobuf REQUIRED)                         # libpg-query's syntax trees
find_library(PG_QUERY_LIBRARY pg_query REQUIRED)        # PostgreSQL 15's own grammar
find_path(PG_QUERY_INCLUDE pg_query.h REQUIRED)
find_path(PG_QUERY_PROTO_DIR pg_query.proto PATH_SUFFIXES pg_query REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_library(RAPIDCHECK_LIBRARY rapidcheck REQUIRED)    # property tests
