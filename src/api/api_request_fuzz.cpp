// Bodies as a caller with a good certificate and bad intentions sends them, to every operation of a
// server with a product, a lot, places and numbers: the operation's name, a space, a byte for the
// role, one for the row, the rest the body. Whatever comes, no fault inside and no reply of more
// than it should be.
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
  const std::string_view all(reinterpret_cast<const char*>(data), size);  // NOLINT
  const auto space = all.find(' ');
  if (space == std::string_view::npos || space == 0 || size < space + 3) return 0;
  // A name that is none still names one.
  const auto known = api::operations();
  const auto named = std::ranges::find(known, all.substr(0, space), &api::Operation::name);
  const auto& of = named == known.end() ? known[data[0] % known.size()] : *named;
  fuzzed.answer(of, kRoles[data[space + 1] % kRoles.size()], data[space + 2] % 4,
                ByteView(data, size).subspan(space + 3));
  return 0;
}
