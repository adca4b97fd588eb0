// One request in, one reply out: parsing, admission, dispatch, and the JSON that goes back. Key
// material never enters the JSON: it follows in a frame of its own.
//
// Threading: as KeyService.
#pragma once

#include "base/secret.hpp"
#include "codec/json.hpp"
#include "keys/service.hpp"

namespace theriac::keys {

struct Reply {
  codec::Json body;
  SecretBytes secret;  ///< 32 bytes a key, in the order of body["keys"]; may be empty
  bool ok = false;
};

/// Never fails: errors are replies too. An exception becomes Code::kInternal and is logged.
Reply answer(KeyService& service, const pki::Identity& caller, ByteView payload, Log& log);
Reply error_reply(const Error& error);

}  // namespace theriac::keys
