#include "api/replies.hpp"

#include <fmt/format.h>

#include "api/limits.hpp"
#include "http/idempotency.hpp"
#include "http/problem.hpp"

namespace theriac::api {

using codec::Json;

Result<ReplyKey> reply_key(Call& call) {
  const auto given = call.request.field("Idempotency-Key");
  if (!given || given->empty() || given->size() > http::kIdempotencyKeyBytesMax) {
    return fail(Code::kMalformed, "Idempotency-Key");
  }
  auto& vault = call.work->vault;
  ReplyKey made;
  // Names hold no line ends, so no two callers' keys are one text. A renewed certificate has the
  // same name.
  THERIAC_ASSIGN(made.key, vault.index(trace::Domain::kTerm,
                                       fmt::format("reply\n{}\n{}\n{}", call.caller.identity.name,
                                                   call.operation.name, *given)));
  std::string asked = "request\n";
  asked += call.request.target;
  asked += '\n';
  asked += text_of(call.request.body);
  THERIAC_ASSIGN(made.request, vault.index(trace::Domain::kTerm, asked));
  return made;
}

Result<std::optional<Answer>> kept_reply(trace::Work& work, const ReplyKey& key) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT request, sealed FROM replies WHERE key = $1",
                                        ByteView(key.key)));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return std::nullopt;
  if (!std::ranges::equal(rows->bytes(0), key.request)) {
    Answer other{.status = 422, .body = nullptr, .file = std::nullopt};
    other.file = http::problem_of_status(422, "this Idempotency-Key was used for another request");
    return other;
  }
  THERIAC_ASSIGN(const auto kept, trace::open_json(work.vault, trace::Record::kReply,
                                                   trace::row_of(key.key), rows->bytes(1)));
  return Answer{.status = kept.at("status").get<int>(), .body = kept.at("body"), .file = {}};
}

Status keep_reply(trace::Work& work, const ReplyKey& key, const Answer& answer) {
  const Json kept{{"status", answer.status}, {"body", answer.body}};
  THERIAC_ASSIGN(const auto sealed,
                 trace::seal_json(work.vault, trace::Record::kReply, trace::row_of(key.key), kept));
  THERIAC_TRY(
      work.session.run_all("DELETE FROM replies WHERE made_ms < $1", work.now_ms - kKeepReplyMs));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO replies(key, request, made_ms, sealed) VALUES($1, $2, $3, $4)",
      ByteView(key.key), ByteView(key.request), work.now_ms, ByteView(sealed)));
  return {};
}

}  // namespace theriac::api
