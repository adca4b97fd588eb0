// Who calls, from the certificate of the connection. That it was issued by the authority was
// checked in the handshake; what may have changed since, and who it is for, here.
//
// Errors: Code::kBadCertificate (none, no identity, another tenant, expired since the connection
// was made). Threading: any.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "api/handlers.hpp"

namespace theriac::api {

class Callers {
 public:
  explicit Callers(std::string tenant) : tenant_(std::move(tenant)) {}
  Result<std::shared_ptr<const Caller>> of(const http::Request& request, std::int64_t now_ms);

 private:
  using Known = std::shared_ptr<const Caller>;
  Result<Known> read(const http::ClientCertificate& certificate);
  std::string tenant_;
  std::mutex mutex_;
  std::unordered_map<std::string, Known> known_;  ///< by fingerprint: reading one takes a while
};

}  // namespace theriac::api
