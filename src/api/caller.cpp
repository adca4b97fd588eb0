#include "api/caller.hpp"

#include "pki/sealed_file.hpp"

namespace theriac::api {

Result<Caller> caller_of(const http::Request& request, std::string_view tenant,
                         std::int64_t now_ms) {
  if (request.certificate == nullptr) return fail(Code::kBadCertificate, "missing");
  THERIAC_ASSIGN(const auto certificate, pki::certificate_of_der(request.certificate->der));
  THERIAC_ASSIGN(auto identity, certificate.identity());
  if (identity.tenant != tenant) return fail(Code::kBadCertificate, "tenant");
  if (now_ms < identity.not_before_ms || now_ms > identity.not_after_ms) {
    return fail(Code::kBadCertificate, "expired");
  }
  return Caller{std::move(identity), request.certificate->der};
}

}  // namespace theriac::api
