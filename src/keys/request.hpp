// What clients may ask, read strictly from a frame: unknown or missing fields, wrong types, lengths
// and characters are Code::kProtocol; `where` names the field, never its contents.
// Sans-IO. docs/design/lease-protocol.md lists every field.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "seal/keys.hpp"

namespace theriac::keys {

inline constexpr int kProtocolVersion = 1;

struct Hello {};
/// A new lease, or with a token the renewal of one.
struct LeaseAsk {
  std::string tenant;
  std::vector<std::string> classes;
  std::map<std::string, seal::Suite> suites;  ///< for classes that this request may make
  std::optional<std::string> token;
};
struct ReleaseAsk {
  std::string token;
};
struct CertificateAsk {
  std::string signing_request;
};
struct ListAsk {};
struct StatusAsk {};
struct CreateClassAsk {
  std::string class_name;
  seal::Suite suite = seal::Suite::kXaes256Gcm;
  std::string reason;
};
struct RotateAsk {
  std::string class_name;
  std::string reason;
};
/// An empty class means the whole tenant.
struct RevokeAsk {
  std::string class_name;
  bool restore = false;
  std::string reason;
};
struct ClearFenceAsk {
  std::string name;
  std::string reason;
};
struct RevokeCertificateAsk {
  std::string serial_or_name;
  std::string reason;
};

using Request =
    std::variant<Hello, LeaseAsk, ReleaseAsk, CertificateAsk, ListAsk, StatusAsk, CreateClassAsk,
                 RotateAsk, RevokeAsk, ClearFenceAsk, RevokeCertificateAsk>;

Result<Request> parse_request(ByteView payload);

}  // namespace theriac::keys
