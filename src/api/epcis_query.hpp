// Events of a query, page by page: what /events, the paths of resources and named queries share.
// Internal to the handlers of EPCIS.
//
// Threading: as the call.
#pragma once

#include "api/parts.hpp"
#include "epcis/query.hpp"

namespace theriac::api {

/// One page of what the caller may see, with a Link to the next.
Result<Answer> answer_query(Call& call, const epcis::Query& query, std::string query_name);
/// A query that is none, or asks for too much.
Answer refuse(const Call& call, const epcis::QueryError& error);

}  // namespace theriac::api
