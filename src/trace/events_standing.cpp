#include "trace/events_standing.hpp"

#include <algorithm>

#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using codec::Json;

Result<seal::IndexToken> name_index(Work& work, std::int64_t partner, std::string_view name) {
  std::string text = "query\n" + std::to_string(partner) + '\n';
  text += name;
  return work.vault.index(Domain::kTerm, text);
}

Result<NamedQuery> query_at(Work& work, const store::Rows& rows) {
  NamedQuery one;
  one.id = rows.integer(0);
  one.partner = rows.integer(1);
  one.made_ms = rows.integer(2);
  THERIAC_ASSIGN(auto json, open_json(work.vault, Record::kQuery, row_of(Record::kQuery, one.id),
                                      rows.bytes(3)));
  one.name = json.at("name").get<std::string>();
  one.query = std::move(json.at("query"));
  one.extensions = std::move(json.at("extensions"));
  return one;
}

Result<Subscription> subscription_at(Work& work, const store::Rows& rows) {
  Subscription one;
  one.id = rows.integer(0);
  one.uid = to_uuid_text(rows.bytes(1));
  one.query = rows.integer(2);
  one.scheduled = rows.integer(3) != 0;
  one.due_ms = rows.integer(4);
  one.after_seq = rows.integer(5);
  one.batch = rows.integer(6);
  one.failures = rows.integer(7);
  one.notified_ms = rows.integer(8);
  one.made_ms = rows.integer(9);
  THERIAC_ASSIGN(one.details, open_json(work.vault, Record::kSubscription,
                                        row_of(Record::kSubscription, one.id), rows.bytes(10)));
  return one;
}

template <typename Read>
auto all_of(Work& work, std::unique_ptr<store::Rows> rows, Read read)
    -> Result<std::vector<typename decltype(read(work, *rows))::value_type>> {
  std::vector<typename decltype(read(work, *rows))::value_type> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    THERIAC_ASSIGN(auto one, read(work, *rows));
    all.push_back(std::move(one));
  }
}

Result<std::int64_t> number_of(std::unique_ptr<store::Rows> rows) {
  THERIAC_ASSIGN(const bool found, rows->next());
  return found ? rows->integer(0) : 0;
}

}  // namespace

Result<std::int64_t> add_query(Work& work, const NamedQuery& query) {
  THERIAC_ASSIGN(const auto key, name_index(work, query.partner, query.name));
  THERIAC_ASSIGN(auto same, work.session.query_all("SELECT count(*) FROM queries WHERE key = $1",
                                                   ByteView(key)));
  THERIAC_ASSIGN(const auto taken, number_of(std::move(same)));
  if (taken != 0) return fail(Code::kAlreadyExists, "query");
  THERIAC_ASSIGN(
      auto counted,
      work.session.query_all("SELECT count(*) FROM queries WHERE partner = $1", query.partner));
  THERIAC_ASSIGN(const auto count, number_of(std::move(counted)));
  if (count >= kQueriesMax) return fail(Code::kTooLarge, "queries");
  THERIAC_ASSIGN(const auto id, next_ids(work, "queries"));
  THERIAC_ASSIGN(
      const auto sealed,
      seal_json(work.vault, Record::kQuery, row_of(Record::kQuery, id),
                {{"name", query.name}, {"query", query.query}, {"extensions", query.extensions}}));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO queries(id, key, partner, made_ms, sealed) VALUES($1, $2, $3, $4, $5)", id,
      ByteView(key), query.partner, work.now_ms, ByteView(sealed)));
  return id;
}

Result<NamedQuery> named_query(Work& work, const Viewer& viewer, std::string_view name) {
  THERIAC_ASSIGN(const auto key, name_index(work, viewer.partner, name));
  THERIAC_ASSIGN(auto rows, work.session.query_all(
                                "SELECT id, partner, made_ms, sealed FROM queries WHERE key = $1",
                                ByteView(key)));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "query");
  return query_at(work, *rows);
}

Result<std::vector<NamedQuery>> named_queries(Work& work, const Viewer& viewer, std::int64_t after,
                                              std::int64_t limit) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT id, partner, made_ms, sealed FROM queries WHERE "
                                        "partner = $1 AND id > $2 ORDER BY id LIMIT $3",
                                        viewer.partner, after, limit));
  return all_of(work, std::move(rows), query_at);
}

Status remove_query(Work& work, std::int64_t id) {
  THERIAC_TRY(work.session.run_all("DELETE FROM subscriptions WHERE query = $1", id));
  THERIAC_TRY(work.session.run_all("DELETE FROM queries WHERE id = $1", id));
  return {};
}

Result<NamedQuery> query_of(Work& work, std::int64_t id) {
  THERIAC_ASSIGN(
      auto rows,
      work.session.query_all("SELECT id, partner, made_ms, sealed FROM queries WHERE id = $1", id));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "query");
  return query_at(work, *rows);
}

Result<epcis::Query> parsed(const NamedQuery& query) {
  std::vector<epcis::Namespace> namespaces;
  for (const auto& [prefix, uri] : query.extensions.items()) {
    namespaces.push_back({prefix, uri.get<std::string>()});
  }
  auto made = epcis::Query::parse_json(codec::canonical_json(query.query), namespaces);
  if (!made) return fail(Code::kMalformed, "query");
  return std::move(*made);
}

constexpr const char* kColumns =
    "id, uid, query, scheduled, due_ms, after_seq, batch, failures, notified_ms, made_ms, sealed";

Result<Subscription> add_subscription(Work& work, Subscription subscription, Random& random) {
  THERIAC_ASSIGN(auto counted,
                 work.session.query_all("SELECT count(*) FROM subscriptions WHERE query = $1",
                                        subscription.query));
  THERIAC_ASSIGN(const auto count, number_of(std::move(counted)));
  if (count >= kSubscriptionsMax) return fail(Code::kTooLarge, "subscriptions");
  THERIAC_ASSIGN(subscription.id, next_ids(work, "subscriptions"));
  const auto uid = random.uuid<RowId>();
  subscription.uid = to_uuid_text(uid.view());
  subscription.made_ms = work.now_ms;
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, Record::kSubscription,
                           row_of(Record::kSubscription, subscription.id), subscription.details));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO subscriptions(id, uid, query, scheduled, due_ms, after_seq, batch, failures, "
      "notified_ms, made_ms, sealed) VALUES($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9)",
      subscription.id, uid.view(), subscription.query, std::int64_t{subscription.scheduled},
      subscription.due_ms, subscription.after_seq, subscription.batch, subscription.made_ms,
      ByteView(sealed)));
  return subscription;
}

Result<Subscription> subscription(Work& work, std::int64_t query, std::string_view uid) {
  const auto id = parse_uuid(uid);
  if (!id) return fail(Code::kNotFound, "subscription");
  static const auto kSql =
      std::string("SELECT ") + kColumns + " FROM subscriptions WHERE uid = $1 AND query = $2";
  THERIAC_ASSIGN(auto rows, work.session.query_all(kSql, ByteView(*id), query));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "subscription");
  return subscription_at(work, *rows);
}

Result<std::vector<Subscription>> subscriptions(Work& work, std::int64_t query, std::int64_t after,
                                                std::int64_t limit) {
  static const auto kSql = std::string("SELECT ") + kColumns +
                           " FROM subscriptions WHERE query = $1 AND id > $2 ORDER BY id LIMIT $3";
  THERIAC_ASSIGN(auto rows, work.session.query_all(kSql, query, after, limit));
  return all_of(work, std::move(rows), subscription_at);
}

Status remove_subscription(Work& work, std::int64_t id) {
  THERIAC_TRY(work.session.run_all("DELETE FROM subscriptions WHERE id = $1", id));
  return {};
}

Result<std::int64_t> last_event(Work& work) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT seq FROM events ORDER BY seq DESC LIMIT 1"));
  return number_of(std::move(rows));
}

Result<std::int64_t> last_event_before(Work& work, std::int64_t record_ms) {
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT seq FROM events WHERE record_ms < $1 "
                                                   "ORDER BY record_ms DESC, seq DESC LIMIT 1",
                                                   record_ms));
  return number_of(std::move(rows));
}

Result<std::vector<Subscription>> due_subscriptions(Work& work, std::int64_t limit) {
  THERIAC_ASSIGN(const auto last, last_event(work));
  static const auto kSql = std::string("SELECT ") + kColumns +
                           " FROM subscriptions WHERE due_ms <= $1 AND (scheduled = 1 OR "
                           "after_seq < $2) ORDER BY due_ms, id LIMIT $3";
  THERIAC_ASSIGN(auto rows, work.session.query_all(kSql, work.now_ms, last, limit));
  return all_of(work, std::move(rows), subscription_at);
}

Result<bool> claim(Work& work, Subscription& subscription, std::int64_t for_ms) {
  THERIAC_ASSIGN(
      const auto taken,
      work.session.run_all("UPDATE subscriptions SET due_ms = $3 WHERE id = $1 AND due_ms = $2",
                           subscription.id, subscription.due_ms, work.now_ms + for_ms));
  subscription.due_ms = work.now_ms + for_ms;
  return taken == 1;
}

Status put_back(Work& work, const Subscription& one) {
  THERIAC_TRY(work.session.run_all(
      "UPDATE subscriptions SET due_ms = $2, after_seq = $3, batch = $4, failures = $5, "
      "notified_ms = $6 WHERE id = $1",
      one.id, one.due_ms, one.after_seq, one.batch, one.failures, one.notified_ms));
  return {};
}

}  // namespace theriac::trace
