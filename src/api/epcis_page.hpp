// Tokens of further pages (nextPageToken): where a list goes on, told to nobody.
//
// A token is sealed to its caller and its question, and ends after kPageTokenMs: numbers of rows
// would tell a partner how many events others have. It is made and read with the index key alone,
// so that paging goes on while the key service is away; nothing of it is stored.
//
// Errors: as the vault's. Threading: as the call.
#pragma once

#include "api/handlers.hpp"

namespace theriac::api {

struct PagePlace {
  std::int64_t after = 0;
  std::int64_t detail = 0;  ///< what the list needs beside: how many more, or how far into a row
};

/// Of the request's query; 0, 0 without a token. nullopt: no token of this caller and question, or
/// one that has ended.
Result<std::optional<PagePlace>> page_place(Call& call);
/// Adds the Link to the next page, and when it ends.
Status add_next_page(Call& call, http::Response& response, const PagePlace& next);

}  // namespace theriac::api
