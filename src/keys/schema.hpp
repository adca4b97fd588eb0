// The key service's database. Steps are never changed once released: add one.
#pragma once

#include <array>
#include <string_view>

namespace theriac::keys {

inline constexpr std::array<std::string_view, 1> kSchema{R"sql(
CREATE TABLE meta(
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Secrets under the root key: authority key, audit key, token key. `aad` names what they are for.
CREATE TABLE secrets(
  name    TEXT PRIMARY KEY,
  public  BLOB NOT NULL,
  wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants(
  id         BLOB PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  state      TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  person     TEXT NOT NULL,
  reason     TEXT NOT NULL,
  wrapped    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per key version; every column but `wrapped` is part of its AAD.
CREATE TABLE key_versions(
  tenant     BLOB NOT NULL REFERENCES tenants(id),
  class      TEXT NOT NULL,
  purpose    INTEGER NOT NULL,
  version    INTEGER NOT NULL,
  id         BLOB NOT NULL UNIQUE,
  suite      INTEGER NOT NULL,
  state      TEXT NOT NULL,
  resume     TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  person     TEXT NOT NULL,
  reason     TEXT NOT NULL,
  wrapped    BLOB NOT NULL,
  PRIMARY KEY(tenant, class, purpose, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases(
  id           BLOB PRIMARY KEY,
  holder       TEXT NOT NULL,
  role         TEXT NOT NULL,
  tenant       BLOB NOT NULL,
  serial       TEXT NOT NULL,
  classes      TEXT NOT NULL,
  state        TEXT NOT NULL,
  counter      INTEGER NOT NULL,
  request_hash BLOB NOT NULL,
  issued_ms    INTEGER NOT NULL,
  expires_ms   INTEGER NOT NULL,
  proven_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX leases_by_holder ON leases(holder);

CREATE TABLE fences(
  holder   TEXT PRIMARY KEY,
  since_ms INTEGER NOT NULL,
  lease    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE certificates(
  serial        TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  role          TEXT NOT NULL,
  tenant        TEXT NOT NULL,
  fingerprint   TEXT NOT NULL,
  not_before_ms INTEGER NOT NULL,
  not_after_ms  INTEGER NOT NULL,
  person        TEXT NOT NULL,
  revoked_ms    INTEGER NOT NULL,
  reason        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Acts of local commands that are durable here until whoever holds the audit log moves them there.
CREATE TABLE outbox(
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  event TEXT NOT NULL
) STRICT;
)sql"};

}  // namespace theriac::keys
