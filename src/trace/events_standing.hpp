// Queries that are kept under a name, and who is sent what they find (EPCIS 2.0 sections 8.2 and
// 12.7).
//
// Names are each partner's for itself; a query sees what its owner may see. A subscription goes on
// from the last event that was looked at, in the order of storing, which is that of committing: no
// event is passed over. An event is sent again when it is not known whether it arrived.
//
// Errors: Code::kAlreadyExists for a name that is taken, kNotFound, kTooLarge beyond limits.hpp.
// Threading: as the session of the Work.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trace/events.hpp"

namespace theriac::trace {

struct NamedQuery {
  std::int64_t id = 0;
  std::int64_t partner = 0;
  std::int64_t made_ms = 0;
  std::string name;
  codec::Json query;       ///< as it came
  codec::Json extensions;  ///< prefix and namespace, beside those of the query's @context
};
Result<std::int64_t> add_query(Work& work, const NamedQuery& query);
/// Of the viewer, and of nobody else.
Result<NamedQuery> named_query(Work& work, const Viewer& viewer, std::string_view name);
Result<std::vector<NamedQuery>> named_queries(Work& work, const Viewer& viewer, std::int64_t after,
                                              std::int64_t limit);
/// With its subscriptions.
Status remove_query(Work& work, std::int64_t id);
/// For a query and its namespaces. Code::kMalformed with the parameter's name.
Result<epcis::Query> parsed(const NamedQuery& query);

struct Subscription {
  std::int64_t id = 0;
  std::string uid;  ///< a UUID, by which others know it
  std::int64_t query = 0;
  bool scheduled = false;
  std::int64_t due_ms = 0;
  std::int64_t after_seq = 0;
  std::int64_t batch = 0;        ///< events that are sent at once
  std::int64_t failures = 0;     ///< since the last success
  std::int64_t notified_ms = 0;  ///< 0: never
  std::int64_t made_ms = 0;
  codec::Json details;  ///< destination, token, schedule, owner: what the API keeps
};
/// id, uid and made_ms are filled.
Result<Subscription> add_subscription(Work& work, Subscription subscription, Random& random);
Result<Subscription> subscription(Work& work, std::int64_t query, std::string_view uid);
Result<std::vector<Subscription>> subscriptions(Work& work, std::int64_t query, std::int64_t after,
                                                std::int64_t limit);
Status remove_subscription(Work& work, std::int64_t id);

/// The number of the last event that is stored; 0: none.
Result<std::int64_t> last_event(Work& work);
/// Of the last one that was recorded before; 0: none.
Result<std::int64_t> last_event_before(Work& work, std::int64_t record_ms);

/// What is due: scheduled, or with events it has not looked at.
Result<std::vector<Subscription>> due_subscriptions(Work& work, std::int64_t limit);
/// Takes one for `for_ms`, so that no other server sends the same. False: another was quicker.
Result<bool> claim(Work& work, Subscription& subscription, std::int64_t for_ms);
/// Stores how far it came and when it is next: due_ms, after_seq, batch, failures, notified_ms.
/// Nothing if it was removed meanwhile.
Status put_back(Work& work, const Subscription& subscription);
/// The query of a subscription.
Result<NamedQuery> query_of(Work& work, std::int64_t id);

}  // namespace theriac::trace
