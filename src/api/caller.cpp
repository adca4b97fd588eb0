#include "api/caller.hpp"

#include "api/limits.hpp"
#include "pki/sealed_file.hpp"

namespace theriac::api {

Result<Callers::Known> Callers::read(const http::ClientCertificate& certificate) {
  {
    const std::lock_guard lock(mutex_);
    const auto at = known_.find(certificate.fingerprint);
    if (at != known_.end()) return at->second;
  }
  THERIAC_ASSIGN(const auto parsed, pki::certificate_of_der(certificate.der));
  THERIAC_ASSIGN(auto identity, parsed.identity());
  auto made = std::make_shared<const Caller>(std::move(identity), certificate.der);
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kCallersMax) known_.clear();
  known_.emplace(certificate.fingerprint, made);
  return made;
}

Result<std::shared_ptr<const Caller>> Callers::of(const http::Request& request,
                                                  std::int64_t now_ms) {
  if (request.certificate == nullptr) return fail(Code::kBadCertificate, "missing");
  THERIAC_ASSIGN(auto caller, read(*request.certificate));
  const auto& identity = caller->identity;
  if (identity.tenant != tenant_) return fail(Code::kBadCertificate, "tenant");
  if (now_ms < identity.not_before_ms || now_ms > identity.not_after_ms) {
    return fail(Code::kBadCertificate, "expired");
  }
  return caller;
}

}  // namespace theriac::api
