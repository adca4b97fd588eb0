// Bodies as a caller with a good certificate and bad intentions sends them, to every operation of a
// server with a product, a lot, places and numbers: first byte the operation, second the role,
// third the row, the rest the body. Whatever comes, no fault inside and no reply of more than it
// should be.
#include <cstdlib>

#include "api/test_support.hpp"

namespace theriac::api {
namespace {

/// The fixture of the tests, outside of them.
class FuzzedApi final : public ApiTest {
 public:
  FuzzedApi() {
    ApiTest::SetUp();
    make_master();
    must({"allocate", allocation_body(10)});
  }
  void TestBody() override {}
  void answer(const Operation& of, pki::Role role, int id, ByteView body) {
    const auto& who = person(role);
    const http::ClientCertificate certificate{der_of(who.certificate),
                                              who.certificate.fingerprint()};
    const auto key = std::to_string(++keys_);
    const http::FieldViews fields{{"Idempotency-Key", key}};
    http::Request request;
    request.method = of.method;
    request.target = of.path;
    request.fields = &fields;
    request.path = {{"id", std::to_string(id)}};
    request.body.assign(body.begin(), body.end());
    request.certificate = &certificate;
    request.id = "request";
    trail_.events.clear();
    const auto response = api_.handle(of, request);
    THERIAC_ASSERT(response.status != 500);
    THERIAC_ASSERT(may(of, role) || response.status == 403);
    // A write that was done is on the log.
    THERIAC_ASSERT(of.kind != Kind::kWrite || response.status != 200 || !trail_.events.empty());
  }

 private:
  std::uint64_t keys_ = 0;
};

}  // namespace
}  // namespace theriac::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;  // NOLINT
  static api::FuzzedApi fuzzed;
  constexpr std::array kRoles{pki::Role::kTraceAdmin,   pki::Role::kTraceOperator,
                              pki::Role::kTraceQuality, pki::Role::kTraceLine,
                              pki::Role::kTracePartner, pki::Role::kTraceViewer};
  if (size < 3) return 0;
  const auto all = api::operations();
  fuzzed.answer(all[data[0] % all.size()], kRoles[data[1] % kRoles.size()], data[2] % 4,
                ByteView(data, size).subspan(3));
  return 0;
}
