// Who calls, from the certificate of the connection. That it was issued by the authority was
// checked in the handshake; what may have changed since, and who it is for, here.
//
// Errors: Code::kBadCertificate (none, no identity, another tenant, expired since the connection
// was made). Threading: free functions.
#pragma once

#include "api/handlers.hpp"

namespace theriac::api {

Result<Caller> caller_of(const http::Request& request, std::string_view tenant,
                         std::int64_t now_ms);

}  // namespace theriac::api
