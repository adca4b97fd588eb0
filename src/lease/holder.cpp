#include "lease/holder.hpp"

namespace theriac::lease {
namespace {

/// The token is worth nothing any more.
bool ends_lease(Code code) {
  return code == Code::kNotFound || code == Code::kConflict || code == Code::kLeaseReplayed ||
         code == Code::kDenied;
}

/// The request can never be carried out, whoever holds what.
bool is_bad_request(Code code) {
  return code == Code::kProtocol || code == Code::kMismatch || code == Code::kTooLarge ||
         code == Code::kMalformed || code == Code::kUsage;
}

bool asks_for(const std::string& request, const std::vector<std::string>& classes) {
  const auto json = codec::parse_json(request);
  return json && json->is_object() && json->value("classes", codec::Json()) == codec::Json(classes);
}

}  // namespace

bool is_unclear(Code code) { return !ends_lease(code) && !is_bad_request(code); }

const std::string& Holder::next(const std::string& nonce) {
  repeated_ = repeats();
  if (!repeated_) memory_.pending = lease_request(wanted_, boot_, nonce, memory_.token);
  return memory_.pending;
}

Holder::Step Holder::granted(const std::string& token) {
  // A request kept from an earlier run may have asked for other classes.
  const bool as_wanted = asks_for(memory_.pending, wanted_.classes);
  memory_ = {token, ""};
  return as_wanted ? Step::kDone : Step::kAgain;
}

Holder::Step Holder::failed(Code code) {
  if (is_unclear(code)) return Step::kDone;
  const bool had_token = !memory_.token.empty();
  memory_.pending.clear();
  // A token goes with its request whenever that may have been carried out earlier: presenting it
  // with another request would look like a second holder.
  if (ends_lease(code) || repeated_) memory_.token.clear();
  const bool forgotten = had_token && code == Code::kNotFound;
  return repeated_ || forgotten ? Step::kAgain : Step::kDone;
}

}  // namespace theriac::lease
