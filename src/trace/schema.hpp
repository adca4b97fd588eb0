// Tables of track & trace, in the words of store/engine.hpp. Steps are never changed once released:
// add one.
//
// In clear: states, times, counts, and which row belongs to which. Sealed: every identifier, name,
// number and document. A `key` is the blind index of what identifies a row (vault.hpp).
#pragma once

#include <array>
#include <string_view>

namespace theriac::trace {

inline constexpr std::array<std::string_view, 1> kTraceSchema{R"sql(
-- The next free number of each table that counts its rows.
CREATE TABLE counters(
  name TEXT PRIMARY KEY,
  next INT NOT NULL
) CLUSTERED;

CREATE TABLE partners(
  id         INT PRIMARY KEY,
  key        BYTES NOT NULL UNIQUE,
  changed_ms INT NOT NULL,
  sealed     BYTES NOT NULL
);
-- Which programs and stations speak for a partner: the blind index of a certificate's name.
CREATE TABLE partner_names(
  name    BYTES PRIMARY KEY,
  partner INT NOT NULL
) CLUSTERED;

CREATE TABLE places(
  id         INT PRIMARY KEY,
  key        BYTES NOT NULL UNIQUE,
  partner    INT NOT NULL,
  changed_ms INT NOT NULL,
  sealed     BYTES NOT NULL
);

CREATE TABLE products(
  id         INT PRIMARY KEY,
  key        BYTES NOT NULL UNIQUE,
  state      INT NOT NULL,
  changed_ms INT NOT NULL,
  sealed     BYTES NOT NULL
);

CREATE TABLE lots(
  id         INT PRIMARY KEY,
  key        BYTES NOT NULL UNIQUE,
  product    INT NOT NULL,
  state      INT NOT NULL,
  recall     INT NOT NULL,
  changed_ms INT NOT NULL,
  sealed     BYTES NOT NULL
);
CREATE INDEX lots_by_product ON lots(product);

-- Old value, person and reason of every change of the tables above.
CREATE TABLE changes(
  id      INT PRIMARY KEY,
  record  INT NOT NULL,
  of_row  INT NOT NULL,
  when_ms INT NOT NULL,
  sealed  BYTES NOT NULL
);
CREATE INDEX changes_by_row ON changes(record, of_row);

-- Numbers of a product. `next` counts what was drawn; a pool of foreign numbers has `drawn` 0.
CREATE TABLE pools(
  id         INT PRIMARY KEY,
  uid        BYTES NOT NULL UNIQUE,
  product    INT NOT NULL,
  state      INT NOT NULL,
  drawn      INT NOT NULL,
  number_key BYTES NOT NULL,
  capacity   INT NOT NULL,
  next       INT NOT NULL,
  sealed     BYTES NOT NULL
);
CREATE INDEX pools_by_product ON pools(product);

-- Numbers [first, first + count) of a pool, handed to a place for a lot. What was returned unused of it
-- is counted here and named in `returned`.
CREATE TABLE allocations(
  id       INT PRIMARY KEY,
  pool     INT NOT NULL,
  first    INT NOT NULL,
  count    INT NOT NULL,
  lot      INT NOT NULL,
  place    INT NOT NULL,
  partner  INT NOT NULL,
  when_ms  INT NOT NULL,
  returned INT NOT NULL
);
CREATE INDEX allocations_by_pool ON allocations(pool, first);
CREATE INDEX allocations_by_lot ON allocations(lot);
CREATE TABLE returned(
  pool   INT NOT NULL,
  number INT NOT NULL,
  PRIMARY KEY(pool, number)
) CLUSTERED;

CREATE TABLE items(
  key          BYTES PRIMARY KEY,
  product      INT NOT NULL,
  lot          INT NOT NULL,
  allocation   INT NOT NULL,
  state        INT NOT NULL,
  flags        INT NOT NULL,
  parent       BYTES,
  place        INT NOT NULL,
  changed_ms   INT NOT NULL,
  acted_ms     INT NOT NULL,
  last_act     INT NOT NULL,
  state_before INT NOT NULL,
  last_place   INT NOT NULL,
  made_ms      INT NOT NULL,
  sealed       BYTES NOT NULL
) PARTITIONED(key);
CREATE INDEX items_by_parent ON items(parent, key) WHERE parent IS NOT NULL;
CREATE INDEX items_by_lot ON items(lot, state);

-- Where partners received it, or the container it was in then (visits.hpp).
CREATE TABLE visits(
  item    BYTES NOT NULL,
  place   INT NOT NULL,
  when_ms INT NOT NULL,
  PRIMARY KEY(item, place, when_ms)
) CLUSTERED PARTITIONED(item);
CREATE INDEX visits_by_place ON visits(place, item);

CREATE TABLE events(
  seq       INT PRIMARY KEY,
  id        BYTES NOT NULL UNIQUE,
  type      INT NOT NULL,
  partner   INT NOT NULL,
  event_ms  INT NOT NULL,
  record_ms INT NOT NULL,
  sealed    BYTES NOT NULL
);
CREATE INDEX events_by_time ON events(event_ms);
CREATE INDEX events_by_record ON events(record_ms);
-- What may be asked for: the first eight bytes of a blind index of field and value. What they find
-- is compared again after it was opened.
CREATE TABLE terms(
  term INT NOT NULL,
  seq  INT NOT NULL,
  PRIMARY KEY(term, seq)
) CLUSTERED PARTITIONED(term);
-- Steps, dispositions and places that events named, for lists of them: once for each partner who
-- may see it, and once for our own people (viewer 0).
CREATE TABLE names(
  key    BYTES PRIMARY KEY,
  id     INT NOT NULL,
  field  INT NOT NULL,
  viewer INT NOT NULL,
  sealed BYTES NOT NULL
);
CREATE INDEX names_by_viewer ON names(field, viewer, id);

-- Queries of EPCIS under names, each partner's for itself (0: our own people).
CREATE TABLE queries(
  id      INT PRIMARY KEY,
  key     BYTES NOT NULL UNIQUE,
  partner INT NOT NULL,
  made_ms INT NOT NULL,
  sealed  BYTES NOT NULL
);
CREATE INDEX queries_by_partner ON queries(partner, id);
-- Who is sent the events of a query: from behind after_seq, when due_ms has come.
CREATE TABLE subscriptions(
  id          INT PRIMARY KEY,
  uid         BYTES NOT NULL UNIQUE,
  query       INT NOT NULL,
  scheduled   INT NOT NULL,
  due_ms      INT NOT NULL,
  after_seq   INT NOT NULL,
  batch       INT NOT NULL,
  failures    INT NOT NULL,
  notified_ms INT NOT NULL,
  made_ms     INT NOT NULL,
  sealed      BYTES NOT NULL
);
CREATE INDEX subscriptions_by_query ON subscriptions(query, id);
CREATE INDEX subscriptions_by_due ON subscriptions(due_ms);

-- What a person has to look at. `key` is the same for what comes again.
CREATE TABLE work(
  id        INT PRIMARY KEY,
  key       BYTES NOT NULL,
  kind      INT NOT NULL,
  state     INT NOT NULL,
  seq       INT NOT NULL,
  raised_ms INT NOT NULL,
  closed_ms INT NOT NULL,
  sealed    BYTES NOT NULL
);
CREATE INDEX work_by_state ON work(state, id);
CREATE INDEX work_by_key ON work(key) WHERE state = 1;

-- Where an item was verified last.
CREATE TABLE sightings(
  item    BYTES PRIMARY KEY,
  place   INT NOT NULL,
  when_ms INT NOT NULL
) CLUSTERED;

CREATE TABLE recalls(
  id        INT PRIMARY KEY,
  state     INT NOT NULL,
  opened_ms INT NOT NULL,
  closed_ms INT NOT NULL,
  sealed    BYTES NOT NULL
);
CREATE TABLE recall_items(
  recall INT NOT NULL,
  item   BYTES NOT NULL,
  PRIMARY KEY(recall, item)
) CLUSTERED;
-- Partners that were told of a recall, and what they answered.
CREATE TABLE recall_notices(
  recall      INT NOT NULL,
  partner     INT NOT NULL,
  told_ms     INT NOT NULL,
  answered_ms INT NOT NULL,
  missing     INT NOT NULL,
  sealed      BYTES NOT NULL,
  PRIMARY KEY(recall, partner)
);

-- Devices with their users, and what was done to each. `key` of one with a serial is its item's.
CREATE TABLE devices(
  id         INT PRIMARY KEY,
  key        BYTES NOT NULL UNIQUE,
  product    INT NOT NULL,
  lot        INT NOT NULL,
  state      INT NOT NULL,
  place      INT NOT NULL,
  due_ms     INT NOT NULL,
  changed_ms INT NOT NULL,
  sealed     BYTES NOT NULL
);
CREATE INDEX devices_by_lot ON devices(lot);
CREATE INDEX devices_by_place ON devices(place);
CREATE TABLE device_records(
  id      INT PRIMARY KEY,
  device  INT NOT NULL,
  act     INT NOT NULL,
  when_ms INT NOT NULL,
  made_ms INT NOT NULL,
  partner INT NOT NULL,
  sealed  BYTES NOT NULL
);
CREATE INDEX device_records_by_device ON device_records(device, id);

-- Release certificates of lots, as they were given.
CREATE TABLE documents(
  id      INT PRIMARY KEY,
  lot     INT NOT NULL,
  when_ms INT NOT NULL,
  sealed  BYTES NOT NULL
);
CREATE INDEX documents_by_lot ON documents(lot, id);

-- Which lines act at which places: the blind index of a certificate's name.
CREATE TABLE line_places(
  name  BYTES NOT NULL,
  place INT NOT NULL,
  PRIMARY KEY(name, place)
) CLUSTERED;
CREATE INDEX line_places_by_place ON line_places(place);

-- Whose an allocation is, and how many of its numbers are on items.
CREATE TABLE line_allocations(
  allocation INT PRIMARY KEY,
  line       BYTES NOT NULL,
  used       INT NOT NULL
);
CREATE INDEX line_allocations_by_line ON line_allocations(line);
)sql"};

}  // namespace theriac::trace
