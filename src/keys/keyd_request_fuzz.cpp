// Requests as a client with a good certificate but bad intentions sends them, answered by a real
// service on a database in memory.
#include "keys/reply.hpp"
#include "keys/test_support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;  // NOLINT
  static ManualClock clock;
  static keys::Bench bench(clock);
  static NullLog log;
  if (size == 0) return 0;
  constexpr std::array kRoles{pki::Role::kGateway, pki::Role::kProtector, pki::Role::kAdmin,
                              pki::Role::kAuditor};
  const auto caller = bench.caller("fuzz", kRoles[data[0] % kRoles.size()]);
  const ByteView payload(data + 1, size - 1);
  clock.advance_ms(100);
  if (const auto request = keys::parse_request(payload)) {
    if (const auto* ask = std::get_if<keys::LeaseAsk>(&*request)) {
      const auto grant = bench.service().lease(caller, *ask, crypto::sha256(payload));
      if (grant) {
        THERIAC_ASSERT(caller.role == pki::Role::kGateway || caller.role == pki::Role::kProtector);
        THERIAC_ASSERT(grant->expires_ms <= clock.wall_ms() + keys::kLeaseMsDefault);
      }
    }
  }
  // The whole way, admission included: an uncertified caller never gets anything.
  const auto reply = keys::answer(bench.service(), caller, payload, log);
  THERIAC_ASSERT(!reply.ok && reply.secret.empty());
  return 0;
}
