// The replies to writes, kept in the transaction that did the work: a request that comes again
// under its Idempotency-Key gets the same reply and nothing is done twice, whatever crashed in
// between.
//
// Threading: as the Work.
#pragma once

#include "api/handlers.hpp"
#include "trace/vault.hpp"

namespace theriac::api {

/// What a write is known by: the blind indexes of whose it is and of what it asks.
struct ReplyKey {
  seal::IndexToken key{}, request{};
};
/// Code::kMalformed without an Idempotency-Key, or for one that is none.
Result<ReplyKey> reply_key(Call& call);

/// nullopt: the key is new. A status of 422 when it was used for another request.
Result<std::optional<Answer>> kept_reply(trace::Work& work, const ReplyKey& key);
/// Code::kConflict when another request with the key was quicker. Forgets what is too old.
Status keep_reply(trace::Work& work, const ReplyKey& key, const Answer& answer);

}  // namespace theriac::api
